/* SPDX-License-Identifier: ISC */
#ifndef WEB_WEB_PRIVATE_H
#define WEB_WEB_PRIVATE_H
/*
 * Inside of the web layer. One file per family of paths: health.c, history.c, call_detail.c,
 * stats.c, chat.c, make_call.c, voice_page.c, pages.c, key_page.c, scrape.c, live.c,
 * live_action.c, events.c, login.c, session.c, admin_*.c; access.c lets requests in by the keys of
 * keyring.c and the sessions of sessions.c, lookup.c asks the storage for them, reply.c answers
 * them, held.c keeps those that wait, query.c and params.c read queries.
 */
#include "plugin/provider.h"
#include "web/keyring.h"
#include "web/password_desk.h"
#include "web/query.h"
#include "web/sessions.h"
#include "web/web.h"

#include "buf.h"
#include "json.h"

#include <stdbool.h>

enum { WEB_ROUTES = 96 };

/* A request that was let in. What it points to stays readable until it is answered. */
struct visit {
    struct aic_exchange *exchange;
    const struct aic_request *request; /* itself until the handler returns */
    const struct api_key *key;         /* likewise; NULL: none was shown */
    const struct session *user;        /* likewise; NULL: nobody is signed in */
    bool is_trusted;                   /* false: a stranger, where they may ask as well */
    bool is_unsure;                    /* a session was shown that the storage can not judge now */
    bool hides_numbers;                /* telephone numbers are shown by their last 4 digits */
};

/* Answers now or later. */
typedef int32_t (*web_handler)(struct web *web, const struct visit *visit);

/*
 * A request that waits for the answer of another part of the server, embedded first in what that
 * answer will find. The web layer may end before: then the request is answered, and the late answer
 * is told so.
 */
struct held {
    struct held *next;
    struct web *web; /* NULL: ended */
    struct aic_exchange *exchange;
};

void held_begin(struct held *held, struct web *web, struct aic_exchange *exchange);
/* The answer came. False: too late, only free what is kept. */
bool held_end(struct held *held);
void held_end_all(struct web *web);

struct web_route {
    struct web *web;
    const char *path;   /* set by web_route, */
    uint32_t methods;   /* likewise */
    uint32_t scope;     /* API_SCOPE_...; NONE: strangers may ask as well */
    bool is_page;       /* a stranger's browser is led to the page that asks for a key */
    bool needs_session; /* this machine alone is not enough, and a key only with "admin" to read */
    web_handler handle;
    /* For a prefix: whether there is anything at this path; may be NULL. */
    bool (*exists)(struct aic_str path);
};

struct web {
    struct web_settings settings;
    struct keyring *keyring;   /* NULL: there are no keys */
    struct sessions *sessions; /* NULL likewise */
    struct password_desk *desk;
    struct entering *entering;
    struct making *making;
    struct events *events; /* those who look on */
    struct held *held;
    struct recording_request *recordings; /* under way */
    size_t recording_count;
    struct recording_pictures *pictures; /* NULL: none so far */
    struct web_route routes[WEB_ROUTES];
    size_t route_count;
    bool is_draining;
};

/* Registers a path. */
void web_route(struct web *web, uint32_t methods, const char *path, const struct web_route *route);

void health_routes(struct web *web);
void history_routes(struct web *web);
void call_detail_routes(struct web *web);
void stats_routes(struct web *web);
void chat_routes(struct web *web);
void make_call_routes(struct web *web);
void voice_page_routes(struct web *web);
void pages_routes(struct web *web);
void key_page_routes(struct web *web);
void scrape_routes(struct web *web);
void recording_routes(struct web *web);
void login_routes(struct web *web);
void session_routes(struct web *web);
void live_routes(struct web *web);
void live_action_routes(struct web *web);
bool events_routes(struct web *web);
void admin_lists_routes(struct web *web);
void admin_users_routes(struct web *web);
void admin_keys_routes(struct web *web);
void admin_about_routes(struct web *web);

/* health.c: the worst of what its roles know. */
enum breaker_state health_state(const struct provider *provider);

/* health.c: names this running server, with all its workers, and no other; false where that is not
 * known. */
bool web_instance(const struct web *web, char to[DIGEST_TEXT]);
/* True if the command line asked for that. */
bool health_request(struct web *web, const struct link_request *request);

/* access.c: a request for a route, `data`; handles it, now or later, or refuses it. */
int32_t access_enter(void *data, struct aic_exchange *exchange, const struct aic_request *request);
/* Whether a browser says that one of our own pages sent the request. */
bool access_is_own_page(const struct web *web, struct aic_exchange *exchange);

/* The bucket of an address for `what`; of the /64 that one customer has with IPv6. */
enum { ACCESS_BUCKET = 96 };

void access_name_bucket(char bucket[ACCESS_BUCKET], const char *what, struct aic_str peer);
/* 429: an answer of link_take. */
int32_t access_refuse_many(struct aic_exchange *exchange, const char *detail,
                           struct aic_str answer);
/* Answers what is still on its way in. */
void access_end(struct web *web);

/* recording.c: no sound is sent any more. */
void recordings_end(struct web *web);

/* access_again.c: whether a request that was let in still would be: keys and sessions end. Asked of
 * one whose answer streams; counts nothing. The reply comes exactly once, also from inside. */
void access_again(struct web *web, struct aic_exchange *exchange, uint32_t scope,
                  void (*reply)(void *data, bool is_good), void *data);

/* events.c: news of calls; this process goes; keys or sessions were changed, */
void events_take(struct web *web, const struct link_news *news);
void events_drain(struct web *web);
void events_check(struct web *web);
/* and nobody may look on here any more. */
void events_end(struct web *web);

/* make_call.c: answers those that can be answered now. */
void make_call_end(struct web *web);

/* reply.c */
int32_t reply_json(struct aic_exchange *exchange, int32_t status, struct aic_str json);

/* What a problem document says. */
struct problem {
    int32_t status;
    const char *type; /* the last part of its address in docs/http-api.md */
    const char *detail;
    /* Each of these may be absent: NULL, 0. */
    const char *reason;  /* of the gate, a code */
    const char *field;   /* of the body, or a parameter of the query */
    const char *call_id; /* there is a call nevertheless */
    int64_t retry_after_s;
    const char *authenticate;  /* WWW-Authenticate */
    const char *content_range; /* of a 416 */
    const char *cookie;        /* Set-Cookie */
};

int32_t reply_with(struct aic_exchange *exchange, const struct problem *problem);
/* A problem of no more than these. */
int32_t reply_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                      const char *detail);
/* 303: the browser goes on with GET. `cookie` is a Set-Cookie, or NULL. */
int32_t reply_see_other(struct aic_exchange *exchange, struct aic_str location, const char *cookie);
/* An answer of storage that is no good, told to the client. */
int32_t reply_storage_error(struct aic_exchange *exchange, int32_t status,
                            const struct aic_error *error);
/* The JSON object in a body; NULL after answering what is wrong with it. */
struct aic_json *reply_parse_body(struct aic_exchange *exchange, const struct aic_request *request);

#endif
