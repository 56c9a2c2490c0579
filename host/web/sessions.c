/* SPDX-License-Identifier: ISC */
#include "web/sessions.h"

#include "base/sched.h"
#include "base/timefmt.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

const int64_t SESSIONS_FRESH_US = 5 * INT64_C(1000000);

/* A session that is in use is written down as seen this many times within its idle time. */
enum { TOUCHES = 30 };

struct entry {
    struct session session; /* its hash "" = free */
    int64_t asked_us;
    bool is_old; /* to be asked for again */
};

/* A question to the storage: for the session, then for its user. */
struct question {
    struct question *next;
    struct sessions *sessions; /* NULL: they are gone */
    struct session session;    /* what is known so far */
    uint64_t edition;
    bool is_to_be_touched;
    session_reply reply;
    void *data;
};

struct sessions {
    struct sched *sched;
    struct keyring_store store;
    int64_t idle_us;
    struct question *questions;
    struct entry entries[SESSIONS];
    uint64_t edition; /* rises when users or sessions were changed */
};

struct sessions *sessions_create(struct sched *sched, const struct keyring_store *store,
                                 int64_t idle_us)
{
    struct sessions *sessions = calloc(1, sizeof(*sessions));
    if (sessions) {
        sessions->sched = sched;
        sessions->store = *store;
        sessions->idle_us = idle_us;
    }
    return sessions;
}

void sessions_destroy(struct sessions *sessions)
{
    if (sessions) {
        for (struct question *q = sessions->questions; q; q = q->next) {
            q->sessions = NULL;
        }
        free(sessions);
    }
}

static struct entry *find(struct sessions *sessions, const char *hash)
{
    for (size_t i = 0; i < SESSIONS; i++) {
        if (strcmp(sessions->entries[i].session.hash, hash) == 0) {
            return &sessions->entries[i];
        }
    }
    return NULL;
}

/* A free entry, else the one that was asked for the longest time ago. */
static struct entry *make_room(struct sessions *sessions)
{
    struct entry *oldest = &sessions->entries[0];
    for (size_t i = 0; i < SESSIONS && oldest->session.hash[0]; i++) {
        struct entry *entry = &sessions->entries[i];
        if (!entry->session.hash[0] || entry->asked_us < oldest->asked_us) {
            oldest = entry;
        }
    }
    return oldest;
}

/* Answers a question and ends it. */
static void answer(struct question *q, int32_t status)
{
    struct sessions *sessions = q->sessions;
    struct question **at = sessions ? &sessions->questions : NULL;
    while (at && *at != q) {
        at = &(*at)->next;
    }
    if (at) {
        *at = q->next;
    }
    struct entry *entry = sessions ? find(sessions, q->session.hash) : NULL;
    if (entry && status == AIC_ERROR_DENIED) {
        *entry = (struct entry){.session.hash = ""};
    }
    q->reply(q->data, sessions ? status : AIC_ERROR_CLOSED,
             sessions && status == AIC_OK ? &q->session : NULL);
    free(q);
}

/* Asks for or changes what has the value `value` in its column `key`. */
static void ask(struct question *q, const char *name, const char *key, const char *value,
                storage_reply reply)
{
    const struct keyring_store *store = &q->sessions->store;
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 256);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, key, value);
    aic_json_close(&w, '}');
    if (reply) {
        store->query(store->data, name, aic_buf_view(&params), reply, q);
    } else {
        store->change(store->data, name, aic_buf_view(&params), NULL, NULL);
    }
    aic_buf_finish(&params);
}

static void remember(struct question *q)
{
    struct sessions *sessions = q->sessions;
    struct entry *entry = find(sessions, q->session.hash);
    entry = entry ? entry : make_room(sessions);
    *entry = (struct entry){.session = q->session,
                            .asked_us = sched_now(sessions->sched),
                            .is_old = q->edition != sessions->edition};
}

static void user_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct question *q = data;
    (void)error;
    if (!q->sessions || status != AIC_OK) {
        answer(q, status);
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    const struct aic_json *row = aic_json_at(root, 0);
    struct session *session = &q->session;
    session->scopes = user_role_scopes(aic_json_get_text(row, "role"));
    bool is_good = aic_str_copy(aic_json_get_text(row, "name"), session->name, USER_NAME) &&
                   aic_str_copy(aic_json_get_text(row, "role"), session->role, USER_ROLE) &&
                   session->scopes != 0 && !aic_json_get_bool(row, "disabled", true);
    aic_json_free(root);
    if (is_good) {
        remember(q);
        if (q->is_to_be_touched) {
            ask(q, "session.touch", "session_hash", session->hash, NULL);
        }
    }
    answer(q, is_good ? AIC_OK : AIC_ERROR_DENIED);
}

/* A row of the table "sessions"; false when it is over. */
static bool read_session(struct question *q, const struct aic_json *row)
{
    int64_t wall_us = sched_wall(q->sessions->sched);
    int64_t seen_us = 0;
    if (!time_parse(aic_json_get_text(row, "seen_at"), &seen_us) ||
        !time_parse(aic_json_get_text(row, "expires_at"), &q->session.expires_wall_us) ||
        !aic_str_copy(aic_json_get_text(row, "user_id"), q->session.user_id, UUID_TEXT)) {
        return false;
    }
    q->is_to_be_touched = wall_us - seen_us > q->sessions->idle_us / TOUCHES;
    return wall_us < q->session.expires_wall_us && wall_us - seen_us < q->sessions->idle_us;
}

static void session_came(void *data, int32_t status, struct aic_str rows,
                         const struct aic_error *error)
{
    struct question *q = data;
    (void)error;
    if (!q->sessions || status != AIC_OK) {
        answer(q, status);
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    bool is_good = read_session(q, aic_json_at(root, 0));
    aic_json_free(root);
    if (is_good) {
        ask(q, "user.by_id", "user_id", q->session.user_id, user_came);
    } else {
        answer(q, AIC_ERROR_DENIED);
    }
}

void sessions_find(struct sessions *sessions, const char hash[SESSION_HASH], session_reply reply,
                   void *data)
{
    if (!hash[0]) {
        reply(data, AIC_ERROR_DENIED, NULL);
        return;
    }
    const struct entry *entry = find(sessions, hash);
    if (entry && !entry->is_old &&
        sched_now(sessions->sched) - entry->asked_us < SESSIONS_FRESH_US &&
        sched_wall(sessions->sched) < entry->session.expires_wall_us) {
        struct session session = entry->session; /* the reply may turn the entries over */
        reply(data, AIC_OK, &session);
        return;
    }
    struct question *q = calloc(1, sizeof(*q));
    if (!q) {
        reply(data, AIC_ERROR_MEMORY, NULL);
        return;
    }
    *q = (struct question){.next = sessions->questions,
                           .sessions = sessions,
                           .edition = sessions->edition,
                           .reply = reply,
                           .data = data};
    (void)aic_str_copy(aic_str(hash), q->session.hash, SESSION_HASH);
    sessions->questions = q;
    ask(q, "session", "session_hash", hash, session_came);
}

void sessions_forget(struct sessions *sessions)
{
    sessions->edition++;
    for (size_t i = 0; i < SESSIONS; i++) {
        sessions->entries[i].is_old = true;
    }
}
