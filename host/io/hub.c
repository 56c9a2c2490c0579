/* SPDX-License-Identifier: ISC */
#include "io/hub_private.h"

#include "io/now.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* How many frames of one line are handled before the others get their turn. */
enum { FRAMES_PER_TURN = 32, DRAIN_FRAMES = 65536, PAUSE_US = 500000 };

struct hub *hub_create(const struct hub_handler *handler)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    if (!hub) {
        return NULL;
    }
    hub->handler = *handler;
    hub->listen_fd = -1;
    /* Nobody tells a million things a second for long, so these numbers are beyond all earlier. */
    hub->last_news = (uint64_t)now_wall_us();
    hub->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    hub->board = board_create();
    if (hub->epoll_fd < 0 || !hub->board) {
        hub_destroy(hub);
        return NULL;
    }
    return hub;
}

static void clear_end(struct hub *hub, int end)
{
    if (hub->ends[end].is_used && !hub->ends[end].deliver) {
        peer_finish(&hub->ends[end].peer);
    }
    hub->ends[end] = (struct hub_end){.peer.fd = -1};
    if (hub->is_watched) {
        hub_watch_changed(hub);
    }
}

void hub_destroy(struct hub *hub)
{
    if (!hub) {
        return;
    }
    hub->is_watched = false; /* nobody is told any more */
    for (int end = 0; end < HUB_ENDS; end++) {
        clear_end(hub, end);
    }
    while (hub->pending) {
        struct hub_pending *next = hub->pending->next;
        free(hub->pending);
        hub->pending = next;
    }
    if (hub->listen_fd >= 0) {
        (void)close(hub->listen_fd);
    }
    if (hub->epoll_fd >= 0) {
        (void)close(hub->epoll_fd);
    }
    board_destroy(hub->board);
    free(hub);
}

struct board *hub_board(struct hub *hub)
{
    return hub->board;
}

int hub_fd(const struct hub *hub)
{
    return hub->epoll_fd;
}

static int32_t watch(struct hub *hub, int operation, int fd, int end, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.u32 = (uint32_t)end};
    return epoll_ctl(hub->epoll_fd, operation, fd, &event) == 0 ? AIC_OK : AIC_ERROR_IO;
}

void hub_watch_room(struct hub *hub, int end)
{
    struct hub_end *of = &hub->ends[end];
    bool wants_room = of->peer.first != NULL;
    if (wants_room != of->wants_room && !of->is_ended) {
        of->wants_room = wants_room;
        (void)watch(hub, EPOLL_CTL_MOD, of->peer.fd, end,
                    EPOLLIN | (wants_room ? (uint32_t)EPOLLOUT : 0));
    }
}

int32_t hub_send(struct hub *hub, int end, const struct frame *frame)
{
    struct hub_end *to = &hub->ends[end];
    if (!to->is_used || to->is_ended) {
        return AIC_ERROR_CLOSED;
    }
    if (to->deliver) {
        to->deliver(to->deliver_data, frame);
        return AIC_OK;
    }
    int32_t status = peer_send(&to->peer, frame);
    hub_watch_room(hub, end);
    return status;
}

int32_t hub_add_end(struct hub *hub, int end, int fd)
{
    struct hub_end *of = &hub->ends[end];
    if (of->is_used) {
        return AIC_ERROR_CONFLICT;
    }
    if (watch(hub, EPOLL_CTL_ADD, fd, end, EPOLLIN) != AIC_OK) {
        return AIC_ERROR_IO;
    }
    *of = (struct hub_end){.is_used = true};
    peer_init(&of->peer, fd);
    return AIC_OK;
}

int32_t hub_add_worker(struct hub *hub, int worker, int fd)
{
    int32_t status = hub_add_end(hub, worker, fd);
    if (status == AIC_OK && hub->is_watched) {
        hub_tell_watched(hub, worker);
    }
    return status;
}

int32_t hub_add_local(struct hub *hub, int worker,
                      void (*deliver)(void *data, const struct frame *frame), void *data)
{
    if (hub->ends[worker].is_used) {
        return AIC_ERROR_CONFLICT;
    }
    hub->ends[worker] =
        (struct hub_end){.peer.fd = -1, .is_used = true, .deliver = deliver, .deliver_data = data};
    return AIC_OK;
}

void hub_receive(struct hub *hub, int worker, const struct frame *frame)
{
    hub_handle(hub, worker, frame);
}

void hub_remove_worker(struct hub *hub, int worker)
{
    clear_end(hub, worker);
    hub_forget_end(hub, worker);
}

void hub_set_open(struct hub *hub, int worker, bool is_open)
{
    hub->ends[worker].is_open = is_open;
}

void hub_tell(struct hub *hub, int worker, uint16_t type)
{
    (void)hub_send(hub, worker, &(struct frame){.type = type});
}

int64_t hub_blocked_us(const struct hub *hub, int worker, int64_t now)
{
    int64_t since_us = hub->ends[worker].peer.waiting_since_us;
    return since_us > 0 ? now - since_us : 0;
}

uint64_t hub_refused(const struct hub *hub, int worker)
{
    const struct hub_end *end = &hub->ends[worker];
    return end->peer.refused + end->lost_before + (uint64_t)end->lost;
}

int32_t hub_listen(struct hub *hub, int fd, int (*admit)(int fd))
{
    int32_t status = watch(hub, EPOLL_CTL_ADD, fd, HUB_LISTENER, EPOLLIN);
    if (status == AIC_OK) {
        hub->listen_fd = fd;
        hub->admit = admit;
    }
    return status;
}

/* Without descriptors the listening socket would stay readable and keep this process busy. */
static void pause_listening(struct hub *hub)
{
    (void)epoll_ctl(hub->epoll_fd, EPOLL_CTL_DEL, hub->listen_fd, NULL);
    hub->paused_until_us = now_us() + PAUSE_US;
}

int64_t hub_resume_listening(struct hub *hub, int64_t now)
{
    if (hub->paused_until_us == 0) {
        return INT64_MAX;
    }
    if (now < hub->paused_until_us) {
        return hub->paused_until_us;
    }
    hub->paused_until_us = 0;
    (void)watch(hub, EPOLL_CTL_ADD, hub->listen_fd, HUB_LISTENER, EPOLLIN);
    return INT64_MAX;
}

static void accept_client(struct hub *hub)
{
    errno = 0;
    int fd = hub->admit(hub->listen_fd);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            pause_listening(hub);
        }
        return;
    }
    int end = SHM_WORKERS;
    while (end < HUB_ENDS && hub->ends[end].is_used) {
        end++;
    }
    if (end == HUB_ENDS || hub_add_end(hub, end, fd) != AIC_OK) {
        (void)close(fd);
    }
}

/* The line broke: a command line is forgotten, a worker's end is for the master to judge. */
static void end_line(struct hub *hub, int end)
{
    struct hub_end *of = &hub->ends[end];
    (void)epoll_ctl(hub->epoll_fd, EPOLL_CTL_DEL, of->peer.fd, NULL);
    of->is_ended = true;
    of->is_open = false;
    if (hub_is_client(end)) {
        clear_end(hub, end);
        hub_forget_end(hub, end);
    } else {
        hub->handler.lost(hub->handler.data, end);
    }
}

/* Handles up to `most` frames; false when the line has ended. */
static bool receive_some(struct hub *hub, int end, int most)
{
    for (int i = 0; i < most && hub->ends[end].is_used && !hub->ends[end].is_ended; i++) {
        struct frame frame;
        int32_t status = peer_receive(&hub->ends[end].peer, hub->buffer, &frame);
        if (status == AIC_ERROR_BUSY) {
            return true;
        }
        /* A command line that speaks nonsense is cut off; a worker has calls to lose. */
        if (status == AIC_ERROR_CLOSED || (status != AIC_OK && hub_is_client(end))) {
            return false;
        }
        if (status == AIC_OK) {
            hub_handle(hub, end, &frame);
        }
    }
    return true;
}

void hub_drain_worker(struct hub *hub, int worker)
{
    (void)receive_some(hub, worker, DRAIN_FRAMES);
}

static void serve_end(struct hub *hub, int end, uint32_t events)
{
    struct hub_end *of = &hub->ends[end];
    if (!of->is_used || of->is_ended) {
        return; /* removed by what an earlier event of this turn caused */
    }
    if (events & EPOLLOUT) {
        (void)peer_flush(&of->peer);
        hub_watch_room(hub, end);
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !receive_some(hub, end, FRAMES_PER_TURN)) {
        end_line(hub, end);
    }
}

void hub_serve(struct hub *hub)
{
    struct epoll_event events[64];
    int count = epoll_wait(hub->epoll_fd, events, 64, 0);
    for (int i = 0; i < count; i++) {
        int end = (int)events[i].data.u32;
        if (end == HUB_LISTENER) {
            accept_client(hub);
        } else {
            serve_end(hub, end, events[i].events);
        }
    }
}
