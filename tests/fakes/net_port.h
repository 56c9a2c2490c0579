/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_PORT_H
#define FAKES_NET_PORT_H
/*
 * A port under test, on a loop of its own, with routes of every kind; the test plays the client.
 * All but `rig`, `fd` and `port` belongs to the loop: read it in a call, or after one.
 */
#include "io/server.h"

struct net_rig;

struct net_port {
    struct net_rig *rig;
    int port;
    int fd;
    struct server *server;
    struct server_options options;
    struct server_balance balance;
    bool has_balance;
    int64_t own;
    struct aic_exchange *held; /* by the route /later */
    int32_t late_status;
    struct aic_exchange *stream;
    int stream_closed;
    int stream_writable;
    int32_t stream_status;
    uint64_t stream_sent;
    int64_t stream_length;
    int accepted_sockets;
    int connections;
};

extern struct net_port net_port;

/* For cmocka: a fresh loop and port for each test. */
int net_port_set_up(void **state);
int net_port_tear_down(void **state);
/* Ends the port and begins another one, with the options that were set in between. */
void net_port_end(void);
void net_port_begin(void);

/* Conditions for net_rig_wait. */
int net_port_is_busy(void *data);
int net_port_is_idle(void *data);
int net_port_holds(void *data);
/* What handlers have noted may be read afterwards. */
void net_port_sync(void);
/* Answers the exchange that the route /later holds, with 200 and this text. */
void net_port_answer(void *text);

/* Writes to the exchange of the route /stream until its queue is full or 8 000 000 bytes went. */
void net_port_stream_more(void *data);

/* Sends bytes and reads until the server closes; the answer, terminated, to be freed. */
char *net_port_ask_bytes(const void *bytes, size_t count);
char *net_port_ask(const char *request);
/* Ends the process with both texts when the answer does not have it. */
void net_port_check_in(const char *request, const char *want);
void net_port_check_status(const char *request, int status);

#define HOST      "Host: localhost\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\n" HOST "\r\n"

#endif
