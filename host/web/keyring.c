/* SPDX-License-Identifier: ISC */
#include "web/keyring.h"

#include "base/sched.h"
#include "base/timefmt.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

const int64_t KEYRING_FRESH_US = 30 * INT64_C(1000000);
const int64_t KEYRING_STALE_US = 3600 * INT64_C(1000000);

struct entry {
    char hash[API_KEY_HASH]; /* "" = free */
    struct api_key key;
    int64_t asked_us;
    int64_t used_us;
    bool is_old; /* to be asked for again */
};

/* A question to the storage. */
struct question {
    struct question *next;
    struct keyring *keyring; /* NULL: it is gone */
    char hash[API_KEY_HASH]; /* "" = is there any? */
    uint64_t edition;
    keyring_reply reply;
    void *data;
};

struct keyring {
    struct sched *sched;
    struct keyring_store store;
    struct question *questions;
    struct entry entries[KEYRING_KEYS];
    uint64_t edition; /* of the keys: rises when they were changed */
    int64_t any_asked_us;
    bool any_is_known;
    bool has_any;
};

struct keyring *keyring_create(struct sched *sched, const struct keyring_store *store)
{
    struct keyring *keyring = calloc(1, sizeof(*keyring));
    if (keyring) {
        keyring->sched = sched;
        keyring->store = *store;
    }
    return keyring;
}

void keyring_destroy(struct keyring *keyring)
{
    if (keyring) {
        for (struct question *q = keyring->questions; q; q = q->next) {
            q->keyring = NULL;
        }
        free(keyring);
    }
}

static uint32_t read_scopes(const struct aic_json *list)
{
    uint32_t scopes = API_SCOPE_NONE;
    for (size_t i = 0; i < aic_json_count(list); i++) {
        scopes |= api_scope_find(aic_json_text(aic_json_at(list, i)));
    }
    return scopes;
}

bool keyring_read(const struct aic_json *row, int64_t wall_us, struct api_key *key)
{
    struct aic_str expires = aic_json_get_text(row, "expires_at");
    struct aic_str revoked = aic_json_get_text(row, "revoked_at");
    *key = (struct api_key){.scopes = read_scopes(aic_json_get(row, "scopes")),
                            .per_minute =
                                aic_json_get_int(aic_json_get(row, "limits"), "per_minute", 0)};
    (void)aic_str_copy(aic_json_get_text(row, "name"), key->name, sizeof(key->name));
    if (!aic_str_copy(aic_json_get_text(row, "key_id"), key->id, sizeof(key->id)) || !key->id[0] ||
        revoked.len > 0) {
        return false;
    }
    if (expires.len > 0 && !time_parse(expires, &key->expires_wall_us)) {
        return false;
    }
    return key->expires_wall_us == 0 || wall_us < key->expires_wall_us;
}

static struct entry *find(struct keyring *keyring, const char *hash)
{
    for (size_t i = 0; i < KEYRING_KEYS; i++) {
        if (strcmp(keyring->entries[i].hash, hash) == 0) {
            return &keyring->entries[i];
        }
    }
    return NULL;
}

/* A free entry, else the one that was not used for the longest time. */
static struct entry *make_room(struct keyring *keyring)
{
    struct entry *oldest = &keyring->entries[0];
    for (size_t i = 0; i < KEYRING_KEYS && oldest->hash[0]; i++) {
        struct entry *entry = &keyring->entries[i];
        if (!entry->hash[0] || entry->used_us < oldest->used_us) {
            oldest = entry;
        }
    }
    return oldest;
}

static bool has_expired(const struct keyring *keyring, const struct entry *entry)
{
    int64_t expires_us = entry->key.expires_wall_us;
    return expires_us != 0 && sched_wall(keyring->sched) >= expires_us;
}

static void touch(const struct keyring *keyring, const char *id)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 256);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key_id", id);
    aic_json_close(&w, '}');
    const struct keyring_store *store = &keyring->store;
    store->change(store->data, "api_key.touch", aic_buf_view(&params), NULL, NULL);
    aic_buf_finish(&params);
}

/* Takes over what the storage says of a key; the entry, or NULL when there is no such key. */
static struct entry *learn(struct keyring *keyring, const struct question *q, struct aic_str rows)
{
    const char *hash = q->hash;
    struct aic_json *root = aic_json_parse(rows, 0);
    struct entry *entry = find(keyring, hash);
    struct api_key key;
    bool is_good = keyring_read(aic_json_at(root, 0), sched_wall(keyring->sched), &key);
    aic_json_free(root);
    if (!is_good) {
        if (entry) {
            *entry = (struct entry){.hash = ""};
        }
        return NULL;
    }
    entry = entry ? entry : make_room(keyring);
    *entry = (struct entry){.key = key,
                            .asked_us = sched_now(keyring->sched),
                            .is_old = q->edition != keyring->edition};
    entry->used_us = entry->asked_us;
    (void)aic_str_copy(aic_str(hash), entry->hash, sizeof(entry->hash));
    touch(keyring, key.id);
    return entry;
}

/* What is known of a key that the storage can not be asked about. */
static struct entry *remember(struct keyring *keyring, const char *hash)
{
    struct entry *entry = find(keyring, hash);
    bool is_good = entry && !has_expired(keyring, entry) &&
                   sched_now(keyring->sched) - entry->asked_us < KEYRING_STALE_US;
    return is_good ? entry : NULL;
}

static void unlist(struct question *q)
{
    struct question **at = &q->keyring->questions;
    while (*at != q) {
        at = &(*at)->next;
    }
    *at = q->next;
}

static void key_came(void *data, int32_t status, struct aic_str rows, const struct aic_error *error)
{
    struct question *q = data;
    struct keyring *keyring = q->keyring;
    (void)error;
    if (!keyring) {
        q->reply(q->data, AIC_ERROR_CLOSED, NULL);
        free(q);
        return;
    }
    unlist(q);
    struct entry *entry = status == AIC_OK ? learn(keyring, q, rows) : remember(keyring, q->hash);
    if (entry) {
        struct api_key key = entry->key; /* the reply may turn the entries over */
        q->reply(q->data, AIC_OK, &key);
    } else {
        q->reply(q->data, status == AIC_OK ? AIC_ERROR_DENIED : status, NULL);
    }
    free(q);
}

static struct question *ask(struct keyring *keyring, keyring_reply reply, void *data)
{
    struct question *q = calloc(1, sizeof(*q));
    if (!q) {
        reply(data, AIC_ERROR_MEMORY, NULL);
        return NULL;
    }
    *q = (struct question){.next = keyring->questions,
                           .keyring = keyring,
                           .edition = keyring->edition,
                           .reply = reply,
                           .data = data};
    keyring->questions = q;
    return q;
}

void keyring_find(struct keyring *keyring, const char hash[API_KEY_HASH], keyring_reply reply,
                  void *data)
{
    struct entry *entry = hash[0] ? find(keyring, hash) : NULL;
    int64_t now_us = sched_now(keyring->sched);
    if (!hash[0] || (entry && has_expired(keyring, entry))) {
        reply(data, AIC_ERROR_DENIED, NULL);
        return;
    }
    if (entry && !entry->is_old && now_us - entry->asked_us < KEYRING_FRESH_US) {
        struct api_key key = entry->key;
        entry->used_us = now_us;
        reply(data, AIC_OK, &key);
        return;
    }
    struct question *q = ask(keyring, reply, data);
    if (q) {
        struct aic_buf params;
        struct aic_json_writer w;
        (void)aic_str_copy(aic_str(hash), q->hash, sizeof(q->hash));
        aic_buf_init(&params, 256);
        aic_json_writer_init(&w, &params);
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "key_hash", hash);
        aic_json_close(&w, '}');
        keyring->store.query(keyring->store.data, "api_key", aic_buf_view(&params), key_came, q);
        aic_buf_finish(&params);
    }
}

static void keys_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct question *q = data;
    struct keyring *keyring = q->keyring;
    (void)error;
    if (keyring) {
        unlist(q);
    }
    if (keyring && status == AIC_OK) {
        struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
        struct api_key key;
        keyring->any_asked_us = sched_now(keyring->sched);
        keyring->any_is_known = q->edition == keyring->edition;
        keyring->has_any = false;
        for (size_t i = 0; i < aic_json_count(root) && !keyring->has_any; i++) {
            keyring->has_any = keyring_read(aic_json_at(root, i), sched_wall(keyring->sched), &key);
        }
        aic_json_free(root);
        status = keyring->has_any ? AIC_OK : AIC_ERROR_NOT_FOUND;
    }
    q->reply(q->data, keyring ? status : AIC_ERROR_CLOSED, NULL);
    free(q);
}

void keyring_any(struct keyring *keyring, keyring_reply reply, void *data)
{
    bool is_known = keyring->any_is_known &&
                    sched_now(keyring->sched) - keyring->any_asked_us < KEYRING_FRESH_US;
    if (is_known) {
        reply(data, keyring->has_any ? AIC_OK : AIC_ERROR_NOT_FOUND, NULL);
        return;
    }
    struct question *q = ask(keyring, reply, data);
    if (q) {
        keyring->store.query(keyring->store.data, "api_keys", AIC_STR("{\"limit\":100}"), keys_came,
                             q);
    }
}

void keyring_forget(struct keyring *keyring)
{
    keyring->edition++;
    keyring->any_is_known = false;
    for (size_t i = 0; i < KEYRING_KEYS; i++) {
        keyring->entries[i].is_old = true;
    }
}
