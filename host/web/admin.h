/* SPDX-License-Identifier: ISC */
#ifndef WEB_ADMIN_H
#define WEB_ADMIN_H
/* What the paths below /admin/api/ have in common. */
#include "web/web_private.h"

/* A request to log in, or one of a person who has: what is kept while storage and pool work.
 * Embedded first in what belongs to the request. */
struct admin {
    struct held held; /* first */
    struct aic_json *body;
    struct aic_buf params; /* for the storage */
    struct aic_json_writer w;
    char actor[USER_NAME]; /* who asks; "" = nobody yet */
    char peer[64];
    char client[200];
    bool is_https;
    void (*finish)(struct admin *admin); /* forgets what else is kept; may be NULL */
};

/* `bytes` of zeroed memory that begin with an admin; with the body, unless the method has none.
 * NULL after answering why not. */
struct admin *admin_begin(struct web *web, const struct visit *visit, size_t bytes);
/* Ends without an answer: it was given already. */
void admin_end(struct admin *admin);
/* Ends with a problem, with a value that is not acceptable, or with an answer. */
void admin_fail(struct admin *admin, int32_t status, const char *type, const char *detail);
void admin_fail_field(struct admin *admin, const char *field, const char *detail);
void admin_succeed(struct admin *admin, int32_t status, struct aic_str json);

/* Empties `params` and opens their object; */
struct aic_json_writer *admin_params(struct admin *admin);
/* then asks with them, or changes. */
void admin_ask(struct admin *admin, const char *query, storage_reply reply);
void admin_change(struct admin *admin, const char *change, storage_reply reply);
/* A change that nobody waits for. */
void admin_tell(struct admin *admin, const char *change);
/* Whether what the storage said is of use; if not, the request is over. */
bool admin_is_good(struct admin *admin, int32_t status, const struct aic_error *error);
/* Puts a password task; if that is impossible the request is over. */
void admin_password(struct admin *admin, const struct password_task *task, password_reply reply);
/* All workers ask for users and sessions again. */
void admin_users_changed(struct web *web);

/* The last part of a path, such as "jo" of "/admin/api/users/jo/", decoded. */
bool admin_path_name(struct aic_str path, const char *start, char *to, size_t bytes);
/* Whether the one row of a change's answer says that `member` is true. */
bool admin_said(struct aic_str rows, const char *member);
/* A path for admins who are signed in. */
void admin_route(struct web *web, uint32_t methods, const char *path, web_handler handle);

/* A new session, on its way into the storage. */
struct fresh_session {
    char token[SESSION_TOKEN];
    char hash[SESSION_HASH];
    int64_t expires_wall_us;
};

/* Draws one for a user and adds it. */
void admin_add_session(struct admin *admin, struct fresh_session *fresh, const char *user_id,
                       storage_reply reply);
/* Ends with an answer that hands the session to the browser; NULL throws the browser's away. */
void admin_hand_over(struct admin *admin, int32_t status, struct aic_str json,
                     const struct fresh_session *fresh);
/* {"user", "csrf", "expires_at"}; the last bracket is left open. */
void admin_write_session(struct web *web, const struct session *session, struct aic_json_writer *w);

#endif
