/* SPDX-License-Identifier: ISC */
#ifndef WEB_SESSIONS_H
#define WEB_SESSIONS_H
/*
 * Who is signed in, as the storage has it: a bounded cache in front of it. What is good stays so
 * for SESSIONS_FRESH_US; without the storage nobody is known after that. A session ends when it was
 * not used for `idle_us`, at its time, with its user, and when that one is changed.
 */
#include "base/uuid.h"
#include "web/keyring.h"
#include "web/password.h"
#include "web/session_token.h"

struct sessions;

enum { SESSIONS = 128, USER_ROLE = 16 };

extern const int64_t SESSIONS_FRESH_US;

struct session {
    char hash[SESSION_HASH];
    char user_id[UUID_TEXT];
    char name[USER_NAME];
    char role[USER_ROLE];
    uint32_t scopes; /* API_SCOPE_..., by the role */
    int64_t expires_wall_us;
};

/* The same store as a keyring has. */
struct sessions *sessions_create(struct sched *sched, const struct keyring_store *store,
                                 int64_t idle_us);
/* Replies still come when the storage answers, with AIC_ERROR_CLOSED. Accepts NULL. */
void sessions_destroy(struct sessions *sessions);

/* AIC_OK with the session, borrowed; AIC_ERROR_DENIED: there is none, or not any more;
 * AIC_ERROR_CLOSED: all of this is gone; anything else: the storage can not say. */
typedef void (*session_reply)(void *data, int32_t status, const struct session *session);
/* The reply comes exactly once, also from inside. */
void sessions_find(struct sessions *sessions, const char hash[SESSION_HASH], session_reply reply,
                   void *data);
/* Users or sessions were changed: all are asked for again. */
void sessions_forget(struct sessions *sessions);

#endif
