/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_ASKER_H
#define FAKES_NET_ASKER_H
/*
 * The HTTP client under test, on this thread's loop; servers of net_peer.h play the other side.
 * Where it is linked in, the process resolves names of its own, libcurl's included:
 * "<a>-<b>-<c>-<d>.test" is that IPv4 address, "slow.test" answers when the test says so.
 */
#include "io/http_client.h"

#include "buf.h"
#include "net_peer.h"

#include <semaphore.h>

struct loop;

extern sem_t net_asker_slow_name;       /* lets a look-up of slow.test end */
extern sem_t net_asker_slow_name_asked; /* one has begun */

struct net_asker {
    struct loop *loop;
    struct http_client *client;
    int open; /* requests that have not ended */
};

struct net_asking {
    struct net_asker *scene;
    struct aic_http *request;
    struct aic_buf trace; /* "H200 D(bytes) S(name|data) . !code" */
    uint32_t category;
    uint32_t output_started;
    int32_t status;
    char header[64]; /* value of X-Test */
    int cancel_at;   /* event number at which to cancel; 0 = never */
    struct net_asking *also_cancel;
    struct net_asking *then_start; /* started from inside of the first event */
    struct aic_http_request then;
    int events;
    bool may_come; /* start has returned */
    bool is_over;
};

/* For cmocka: *state becomes the asker. */
int net_asker_set_up(void **state);
int net_asker_tear_down(void **state);

int32_t net_asker_try_start(struct net_asker *scene, struct net_asking *record,
                            const struct aic_http_request *params, const struct http_rules *rules);
/* The same, and it has to succeed. */
void net_asker_start(struct net_asker *scene, struct net_asking *record,
                     const struct aic_http_request *params, const struct http_rules *rules);
/* Until all have ended. */
void net_asker_run(struct net_asker *scene);
void net_asker_cancel(struct net_asking *record);
void net_asker_finish(struct net_asking *record);
/* One request, from start to end; its trace and category are compared. */
void net_asker_check(struct net_asker *scene, const struct aic_http_request *params,
                     const struct http_rules *rules, uint32_t category, const char *want);
/* "http://host:port/path" of a peer; overwritten by the next call. */
const char *net_asker_url_of(const struct net_peer *peer, const char *host, const char *path);

/* Reads a head and the body that it announces; NULL when there is none. */
char *net_asker_read_request(int fd);
/* Peers: answer every request of a connection with the same bytes; one and close; one and then say
 * nothing; one, and keep what was asked in net_asker_seen. */
void net_asker_serve_text(void *data, int fd, int number);
void net_asker_serve_once(void *data, int fd, int number);
void net_asker_serve_and_wait(void *data, int fd, int number);
void net_asker_serve_and_keep(void *data, int fd, int number);
extern char *net_asker_seen;
struct net_peer *net_asker_peer_of(void (*serve)(void *data, int fd, int number),
                                   const char *answer);

#define PLAIN                                                                                      \
    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-Test:  a b \r\nContent-Length: "             \
    "5\r\n\r\nhello"

#endif
