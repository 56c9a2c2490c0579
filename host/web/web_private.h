/* SPDX-License-Identifier: ISC */
#ifndef WEB_WEB_PRIVATE_H
#define WEB_WEB_PRIVATE_H
/*
 * Inside of the web layer. One file per family of paths: health.c, history.c, chat.c, voice_page.c,
 * pages.c; reply.c answers, query.c reads queries, access.c says who may.
 */
#include "web/web.h"

#include "buf.h"
#include "json.h"

#include <stdbool.h>

struct web {
    struct web_settings settings;
    bool is_draining;
};

/* Registers one path; `handle` gets the web. */
typedef int32_t (*web_handler)(void *web, struct aic_exchange *exchange,
                               const struct aic_request *request);
void web_route(struct web *web, uint32_t methods, const char *path, web_handler handle);

void health_routes(struct web *web);
void history_routes(struct web *web);
void chat_routes(struct web *web);
void voice_page_routes(struct web *web);
void pages_routes(struct web *web);

/* access.c: whether the request may use the API; answers it with 401 or 403 if not. */
bool access_granted(struct web *web, struct aic_exchange *exchange,
                    const struct aic_request *request);

/* reply.c */
int32_t reply_json(struct aic_exchange *exchange, int32_t status, struct aic_str json);
/* A problem document. `type` is the last part of its address in docs/http-api.md. */
int32_t reply_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                      const char *detail);
/* An answer of storage that is no good, told to the client. */
int32_t reply_storage_error(struct aic_exchange *exchange, int32_t status,
                            const struct aic_error *error);
/* The JSON object in a body; NULL after answering what is wrong with it. */
struct aic_json *reply_parse_body(struct aic_exchange *exchange, const struct aic_request *request);

/* query.c: the decoded value of a name in a query or form; false when it is not there. */
bool query_get(struct aic_str query, const char *name, struct aic_buf *to);

#endif
