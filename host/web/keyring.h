/* SPDX-License-Identifier: ISC */
#ifndef WEB_KEYRING_H
#define WEB_KEYRING_H
/*
 * The API keys that are in use, as the storage has them: a bounded cache in front of it. What is
 * good stays so for KEYRING_FRESH_US, and while the storage is away for KEYRING_STALE_US, so that
 * a live call can still be ended then.
 */
#include "base/uuid.h"
#include "plugin/storage.h"
#include "web/api_key.h"

struct aic_json;
struct keyring;
struct sched;

enum { KEYRING_KEYS = 256, API_KEY_NAME = 101 };

extern const int64_t KEYRING_FRESH_US;
extern const int64_t KEYRING_STALE_US;

struct api_key {
    char id[UUID_TEXT];
    char name[API_KEY_NAME];
    uint32_t scopes;         /* API_SCOPE_... */
    int64_t per_minute;      /* requests; 0 = the usual */
    int64_t expires_wall_us; /* 0 = never */
};

/* A row of the table "api_keys"; false when it is no key that may be used now. */
bool keyring_read(const struct aic_json *row, int64_t wall_us, struct api_key *key);

/* Where keys are kept: storage_query and storage_change. */
struct keyring_store {
    void (*query)(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data);
    void (*change)(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data);
    void *data;
};

struct keyring *keyring_create(struct sched *sched, const struct keyring_store *store);
/* Replies still come when the storage answers, with AIC_ERROR_CLOSED. Accepts NULL. */
void keyring_destroy(struct keyring *keyring);

/* AIC_OK with the key, borrowed; AIC_ERROR_DENIED: there is no such key, or not any more;
 * AIC_ERROR_CLOSED: the keyring is gone; anything else: the storage can not say. */
typedef void (*keyring_reply)(void *data, int32_t status, const struct api_key *key);
/* The reply comes exactly once, also from inside. */
void keyring_find(struct keyring *keyring, const char hash[API_KEY_HASH], keyring_reply reply,
                  void *data);
/* AIC_OK when there is any key, AIC_ERROR_NOT_FOUND when there is none; without a key. */
void keyring_any(struct keyring *keyring, keyring_reply reply, void *data);
/* Keys were changed: all are asked for again. */
void keyring_forget(struct keyring *keyring);

#endif
