/* SPDX-License-Identifier: ISC */
#ifndef IO_HUB_PRIVATE_H
#define IO_HUB_PRIVATE_H
/* What the files of the hub share: its ends, and the requests that wait for an answer. */
#include "io/board.h"
#include "io/hub.h"
#include "io/peer.h"

/* Ends are numbered: workers as their slots, then command lines; and one for the hub's own. */
enum { HUB_ENDS = SHM_WORKERS + HUB_CLIENTS, HUB_SELF = HUB_ENDS, HUB_LISTENER = HUB_ENDS + 1 };

struct hub_end {
    struct peer peer;
    void (*deliver)(void *data, const struct frame *frame); /* of a local worker */
    void *deliver_data;
    bool is_used;
    bool is_ended;   /* the line is; a worker stays until it is removed */
    bool is_open;    /* takes requests without a call */
    bool wants_room; /* epoll tells when it can be written to again */
    bool is_subscribed;
    char topic[FRAME_NAME_MAX + 1];
    int64_t lost;         /* published messages that did not fit, since the last that did */
    uint64_t lost_before; /* and those that were told to it already */
};

struct hub_pending {
    struct hub_pending *next;
    uint64_t id;
    int from;
    uint64_t from_id; /* the asker's own number for it */
    int to;
    int64_t deadline_us;
};

struct hub {
    struct hub_handler handler;
    struct board *board;
    int epoll_fd;
    int listen_fd;
    int (*admit)(int fd);
    int64_t paused_until_us; /* no command line can be accepted now; 0 = it can */
    struct hub_end ends[HUB_ENDS];
    struct hub_pending *pending;
    size_t pending_count;
    uint64_t last_id;
    int last_asked;     /* the worker that took the last request without a call */
    uint64_t last_news; /* the number of the last message about a call */
    bool is_watched;    /* anybody reads them */
    char buffer[FRAME_MAX_BYTES];
};

static inline bool hub_is_client(int end)
{
    return end >= SHM_WORKERS;
}

/* hub.c */
int32_t hub_send(struct hub *hub, int end, const struct frame *frame);
int32_t hub_add_end(struct hub *hub, int end, int fd);
/* Listens again after a pause; returns when to be called again. */
int64_t hub_resume_listening(struct hub *hub, int64_t now);
/* Asks epoll for room to write exactly as long as something waits. */
void hub_watch_room(struct hub *hub, int end);

/* hub_requests.c */
void hub_handle(struct hub *hub, int end, const struct frame *frame);
/* Forgets what `end` asked; what it was asked is answered with AIC_ERROR_CLOSED. */
void hub_forget_end(struct hub *hub, int end);
void hub_add_pending(struct hub *hub, const struct hub_pending *pending);
/* Somebody subscribed or went: workers are told when that makes a difference. */
void hub_watch_changed(struct hub *hub);
/* Tells one worker how it is. */
void hub_tell_watched(struct hub *hub, int worker);

#endif
