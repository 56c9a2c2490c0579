/* SPDX-License-Identifier: ISC */
#ifndef IO_WS_TARGET_H
#define IO_WS_TARGET_H
/* Where an outgoing WebSocket is to go: a URL taken apart, then a name looked up. */
#include "io/dial.h"
#include "io/http_client.h"

enum { WS_TARGET_HOST = 256, WS_TARGET_PATH = 8000 };

struct ws_target {
    bool is_tls;
    uint16_t port;
    char name[WS_TARGET_HOST];      /* for the look-up and the certificate: no brackets */
    char host[WS_TARGET_HOST + 16]; /* for Host, with an unusual port */
    char *path;                     /* with the query */
};

/* AIC_ERROR_INVALID, AIC_ERROR_UNSUPPORTED (scheme), AIC_ERROR_TOO_LARGE (path), AIC_ERROR_MEMORY.
 */
int32_t ws_target_parse(const char *url, struct ws_target *target);
void ws_target_finish(struct ws_target *target);

struct ws_found {
    int status;      /* of getaddrinfo; 0 = found */
    bool is_refused; /* the rules allow none of those that were found */
    union dial_address addresses[DIAL_ADDRESSES];
    size_t count;
};

/* A look-up under way, on libuv's threads. */
struct ws_lookup;
/* NULL when out of memory. `found` is called on the loop, not before this returns; what is passed
 * is borrowed until then. */
struct ws_lookup *ws_lookup_start(struct loop *loop, const struct ws_target *target,
                                  const struct http_rules *rules,
                                  void (*found)(void *data, const struct ws_found *found),
                                  void *data);
/* Nothing is called afterwards. Accepts NULL. */
void ws_lookup_stop(struct ws_lookup *lookup);

#endif
