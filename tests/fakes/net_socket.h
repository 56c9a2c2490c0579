/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_SOCKET_H
#define FAKES_NET_SOCKET_H
/*
 * An outgoing WebSocket under test, on a loop of its own; the test plays the server. All but `rig`,
 * `fd`, `port` and what is set before connecting belongs to the loop: see net_socket_get.
 */
#include "io/http_client.h"
#include "io/ws.h"

#include "buf.h"

struct net_rig;

struct net_socket {
    struct net_rig *rig;
    struct ws_engine *engine;
    int fd; /* listens */
    int port;
    char url[128];
    struct aic_ws_connect params;
    struct http_rules rules;
    struct aic_ws *ws;
    int32_t status;
    struct aic_buf trace;
    int32_t close_code;
    int32_t http_status;
    uint32_t category;
    bool has_error;
    char error_code[32];
    char error_message[128];
    char request_id[32];
    int64_t retry_after_ms;
    char x_test[32]; /* of the answer to the handshake, as the last event had it */
    struct aic_buf body;
    int opened;
    int closed;
    int writable;
    bool drop_in_event;
    bool close_in_event;
    bool again_when_closed;
    uint64_t sent;
    size_t message_bytes;
    uint64_t queued;
};

extern struct net_socket net_socket;

/* For cmocka: a fresh loop and engine for each test. */
int net_socket_set_up(void **state);
int net_socket_tear_down(void **state);

/* For net_rig_call. */
void net_socket_create_engine(void *data);
void net_socket_destroy_engine(void *data); /* outside of the loop */
void net_socket_connect(void *data);
void net_socket_drop(void *data);
void net_socket_close(void *data); /* with 4001 "done" */
void net_socket_send_text(void *text);

/* For net_rig_wait. */
int net_socket_is_open(void *data);
int net_socket_is_closed(void *data);
int net_socket_was_writable(void *data);
/* Ends the process when the events do not become these. */
void net_socket_wait_for_trace(char *want);

int net_socket_get(int *number);
void net_socket_set(int *number, int value);
void net_socket_set_flag(bool *flag);
void net_socket_clear_flag(bool *flag);

/* The server's part: the connection that comes; the same with the handshake shaken. */
int net_socket_accept(void);
int net_socket_open(void);

#endif
