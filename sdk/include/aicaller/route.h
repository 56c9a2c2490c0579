/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_ROUTE_H
#define AICALLER_ROUTE_H
/*
 * Service: paths of the server's port that belong to a telephony plugin. The host parses HTTP,
 * bounds it and speaks TLS; the plugin authenticates: every handler checks its carrier's signature
 * or a one-time token before it believes a byte, and fails closed.
 */
#include <aicaller/abi.h>
#include <aicaller/host.h>
#include <aicaller/http.h>
#include <aicaller/websocket.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_ROUTE "aicaller.route/1"

enum {
    AIC_METHOD_NONE = 0,
    AIC_METHOD_GET = 1u << 0, /* HEAD is answered by the host from GET */
    AIC_METHOD_POST = 1u << 1,
    AIC_METHOD_PUT = 1u << 2,
    AIC_METHOD_DELETE = 1u << 3,
    AIC_METHOD_PATCH = 1u << 4
};

struct aic_exchange; /* one request and its answer, the host's */

/* A request to us. Valid until the handler returns. */
struct aic_request {
    uint32_t size;
    uint32_t method;       /* one of AIC_METHOD_... */
    struct aic_str path;   /* as sent, without the query */
    struct aic_str query;  /* as sent, without '?' */
    struct aic_str body;   /* whole */
    struct aic_str peer;   /* "192.0.2.1", of the connection */
    uint32_t is_tls;       /* 1 when the port itself speaks TLS */
    uint32_t is_loopback;  /* 1 when it came from this machine and through no proxy */
    uint32_t is_websocket; /* 1 for an upgrade request */
    uint32_t reserved;     /* 0 */
};

struct aic_response {
    uint32_t size;
    int32_t status;
    const char *content_type;         /* NULL = none */
    struct aic_str body;              /* copied */
    const struct aic_header *headers; /* further ones; copied */
    uint32_t header_count;
    uint32_t header_size; /* sizeof(struct aic_header) */
};

struct aic_http_route {
    uint32_t size;
    uint32_t methods;
    const char *path; /* "/calls/inbound/": matches with and without the closing slash */
    void *data;
    uint64_t max_body_bytes; /* 0 = 64 KiB; larger bodies get 413 from the host */
    /*
     * Handles one request: answers it now or later with `respond`. AIC_ERROR_NOT_FOUND, before
     * any answer, says "not mine" (another account): the next provider on this path is asked.
     * Unanswered after 10 s the host says 504. The exchange stays valid until `respond` is called,
     * which has to happen exactly once, even when the peer is gone. [call]
     */
    int32_t (*handle)(void *data, struct aic_exchange *exchange, const struct aic_request *request);
};

struct aic_ws_route {
    uint32_t size;
    uint32_t reserved; /* 0 */
    const char *path;
    void *data;
    uint64_t max_message_bytes; /* 0 = 64 KiB */
    uint64_t max_queue_bytes;   /* 0 = 1 MiB */
    /*
     * Decides on an upgrade before it is granted; the exchange is not answered by the plugin.
     * AIC_OK accepts and sets the handler: OPEN follows, or CLOSED alone if the peer went away in
     * between. AIC_ERROR_NOT_FOUND asks the next provider; anything else, and NOT_FOUND from the
     * last of them, refuses with 403. [call]
     */
    int32_t (*accept)(void *data, struct aic_exchange *exchange, const struct aic_request *request,
                      aic_ws_handler *event, void **event_data);
};

struct aic_route_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /* Registers a path until the instance's destroy. The struct is copied. [main] */
    int32_t (*add_http)(const struct aic_host *host, const struct aic_http_route *route);
    int32_t (*add_websocket)(const struct aic_host *host, const struct aic_ws_route *route);
    /* A request header's value by its lower-case name; empty when absent. [call] */
    struct aic_str (*header)(const struct aic_host *host, struct aic_exchange *exchange,
                             const char *name);
    /* Answers an exchange and ends its life. AIC_ERROR_CLOSED: the peer is gone or was told 504.
     * [call] */
    int32_t (*respond)(const struct aic_host *host, struct aic_exchange *exchange,
                       const struct aic_response *response);
    /*
     * The origin under which the outside world reaches this server, without a closing slash:
     * "https://voice.example.com". NULL where the operator set none. Signatures are checked
     * against this, never against what a request claims. [any]
     */
    const char *(*public_url)(const struct aic_host *host);
};

AIC_END_DECLS
#endif
