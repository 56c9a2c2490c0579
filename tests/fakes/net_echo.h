/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_ECHO_H
#define FAKES_NET_ECHO_H
/*
 * A port with a WebSocket route that echoes, on a loop of its own; the test is the client. The text
 * "close!" makes it say goodbye, "drop!" makes it drop the socket. All but `rig`, `fd` and `port`
 * belongs to the loop: read it in a call, or after one.
 */
#include <aicaller/websocket.h>

struct net_rig;

enum { NET_ECHO_MESSAGE_MAX = 1 << 20, NET_ECHO_QUEUE_MAX = 1 << 18 };

struct net_echo {
    struct net_rig *rig;
    struct server *server;
    int fd;
    int port;
    struct aic_ws *ws;
    int opened;
    int closed;
    int writable;
    int messages;
    int32_t close_code;
    char close_reason[128];
    uint32_t category;
    int has_error;
    uint64_t sent;
    int32_t status;
    uint64_t queued;
};

extern struct net_echo net_echo;

int net_echo_set_up(void **state);
int net_echo_tear_down(void **state);

/* For net_rig_wait. */
int net_echo_is_closed(void *data);
int net_echo_is_idle(void *data);
int net_echo_was_writable(void *data);
/* For net_rig_call: sets the counters to 0. */
void net_echo_forget(void *data);

/* A request that opens a socket. */
extern const char net_echo_handshake[];
/* Connects and opens a socket; ends the process when that fails. */
int net_echo_open(void);

#endif
