/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_WEBSOCKET_H
#define AICALLER_WEBSOCKET_H
/*
 * Service: WebSockets (RFC 6455), both the ones a plugin opens to a vendor and the ones a carrier
 * opens to us (see route.h). Messages arrive whole. No extension is negotiated.
 */
#include <aicaller/abi.h>
#include <aicaller/error.h>
#include <aicaller/host.h>
#include <aicaller/http.h>

AIC_BEGIN_DECLS

#define AIC_SERVICE_WEBSOCKET "aicaller.websocket/1"

struct aic_ws; /* a socket, the host's */

enum {
    AIC_WS_EVENT_NONE = 0,
    AIC_WS_EVENT_OPEN = 1,     /* connected; for a client also the answer's headers */
    AIC_WS_EVENT_TEXT = 2,     /* a text message, valid UTF-8 */
    AIC_WS_EVENT_BINARY = 3,   /* a binary message */
    AIC_WS_EVENT_WRITABLE = 4, /* a queue that was full has room again */
    AIC_WS_EVENT_CLOSED = 5    /* the last event: closed by either side, refused, or broken */
};

struct aic_ws_event {
    uint32_t size;
    uint32_t kind;
    struct aic_ws *ws;   /* the socket; not to be used any more after CLOSED */
    struct aic_str data; /* with TEXT and BINARY; with CLOSED before OPEN the first 4 KiB of what
                          * the refusal said, where it said something */
    const struct aic_error *error; /* with CLOSED, where it was not we who closed it */
    int32_t close_code;            /* with CLOSED; 1006 when the connection just ended */
    int32_t http_status;           /* with CLOSED before OPEN: the refusal's status, else 0 */
    struct aic_str close_reason;   /* with CLOSED */
    /* Of the answer to a client's handshake: with OPEN, and with CLOSED before OPEN. */
    const struct aic_header *headers;
    uint32_t header_count;
    uint32_t header_size; /* sizeof(struct aic_header) */
};

typedef void (*aic_ws_handler)(void *data, const struct aic_ws_event *event);

struct aic_ws_connect {
    uint32_t size;
    uint32_t header_size; /* sizeof(struct aic_header) */
    const char *url;      /* wss://..., or ws:// as in http.h */
    const struct aic_header *headers;
    uint32_t header_count;
    uint32_t reserved;       /* 0 */
    const char *subprotocol; /* NULL = none */
    int64_t connect_ms;      /* until OPEN [3000] */
    int64_t ping_ms;         /* sends a ping so often; two unanswered close it [5000]; -1 = never */
    uint64_t max_message_bytes; /* larger messages close with 1009 [16 MiB] */
    uint64_t max_queue_bytes;   /* of what waits to be sent [1 MiB] */
};

struct aic_websocket_service {
    uint32_t size;
    uint32_t reserved; /* 0 */
    /*
     * Opens a client socket. `event` is never called before this returns; exactly one CLOSED ends
     * it, unless `drop` does. *ws is valid until then. [main, call]
     */
    int32_t (*connect)(const struct aic_host *host, const struct aic_ws_connect *params,
                       aic_ws_handler event, void *data, struct aic_ws **ws);
    /*
     * Sends one message, at once where the socket takes it, else from a bounded queue.
     * AIC_ERROR_BUSY: the queue is full, nothing was taken; WRITABLE follows. AIC_ERROR_CLOSED:
     * not open. A zero-length binary message is AIC_ERROR_INVALID: vendors read it as the end.
     * [call]
     */
    int32_t (*send_text)(const struct aic_host *host, struct aic_ws *ws, struct aic_str text);
    int32_t (*send_binary)(const struct aic_host *host, struct aic_ws *ws, struct aic_str bytes);
    /* Bytes that wait in our queue. [call] */
    uint64_t (*queued_bytes)(const struct aic_host *host, const struct aic_ws *ws);
    /* Sends what is queued, then a close frame; CLOSED follows within 2 s. [call] */
    void (*close)(const struct aic_host *host, struct aic_ws *ws, int32_t code,
                  struct aic_str reason);
    /* Ends it now, without a word; no event is delivered after this. NULL is fine. [call] */
    void (*drop)(const struct aic_host *host, struct aic_ws *ws);
};

AIC_END_DECLS
#endif
