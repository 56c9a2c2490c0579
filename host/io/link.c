/* SPDX-License-Identifier: ISC */
#include "io/link.h"

#include "io/hub.h"
#include "io/link_local.h"
#include "io/loop.h"
#include "io/peer.h"

#include <signal.h>
#include <stdio.h>

_Static_assert((int)LINK_BODY_BYTES == (int)FRAME_BODY_MAX, "one limit, told twice");

enum {
    TIMEOUT_US = 5000000,
    RETRY_US = 2000,         /* how soon to try again when the master's side is full */
    PENDING = 8192,          /* requests at the same time */
    ANSWER_BYTES = 32 << 20, /* of all parts together */
    FRAMES_PER_TURN = 32
};

struct pending {
    struct pending *next;
    uint64_t id;
    int64_t deadline_us;
    int32_t failed; /* what to say at the deadline; AIC_OK: it came in vain */
    link_reply reply;
    void *data;
    struct aic_buf parts;
};

struct link {
    struct loop *loop;
    struct sched *sched;
    struct link_handler handler;
    struct link_local *local; /* or */
    struct peer peer;
    struct loop_watch *watch;
    struct pending *pending; /* by deadline */
    struct pending **pending_end;
    size_t pending_count;
    uint64_t last_id;
    struct sched_timer *deadline;
    struct sched_timer *retry;
    bool is_lost;
    bool is_followed;
    uint64_t dropped;
    char buffer[FRAME_MAX_BYTES];
};

static void handle(void *data, const struct frame *frame);
static void obey(struct link *link, void (*order)(void *data));
static void readable(void *data);
static void overdue(void *data);

struct link *link_create(struct loop *loop, int fd, const struct link_handler *handler)
{
    struct link *link = calloc(1, sizeof(*link));
    if (!link) {
        return NULL;
    }
    link->loop = loop;
    link->sched = loop_sched(loop);
    link->handler = *handler;
    link->pending_end = &link->pending;
    link->peer.fd = -1;
    if (fd < 0) {
        link->local = link_local_create(loop, handle, link);
    } else {
        peer_init(&link->peer, fd);
        link->watch = loop_watch_start(loop, fd, readable, link);
    }
    if (!link->local && !link->watch) {
        link_destroy(link);
        return NULL;
    }
    return link;
}

static struct pending *take_first(struct link *link)
{
    struct pending *pending = link->pending;
    link->pending = pending->next;
    if (!link->pending) {
        link->pending_end = &link->pending;
    }
    link->pending_count--;
    return pending;
}

static void settle(struct pending *pending, int32_t status, struct aic_str answer)
{
    pending->reply(pending->data, status, answer);
    aic_buf_finish(&pending->parts);
    free(pending);
}

/* What replies ask in turn is not among them. */
static void settle_all(struct link *link, int32_t status)
{
    struct pending *pending = link->pending;
    link->pending = NULL;
    link->pending_end = &link->pending;
    link->pending_count = 0;
    while (pending) {
        struct pending *next = pending->next;
        settle(pending, status, (struct aic_str){NULL, 0});
        pending = next;
    }
}

void link_destroy(struct link *link)
{
    if (!link) {
        return;
    }
    link->is_lost = true;
    while (link->pending) {
        settle_all(link, AIC_ERROR_CLOSED);
    }
    sched_timer_stop(link->sched, link->deadline);
    sched_timer_stop(link->sched, link->retry);
    loop_watch_stop(link->watch);
    peer_finish(&link->peer);
    link_local_destroy(link->local);
    free(link);
}

static void set_deadline(struct link *link)
{
    sched_timer_stop(link->sched, link->deadline);
    link->deadline = NULL;
    if (link->pending) {
        link->deadline = sched_timer_start(link->sched, link->pending->deadline_us, overdue, link);
    }
}

static void overdue(void *data)
{
    struct link *link = data;
    link->deadline = NULL;
    int64_t now_us = sched_now(link->sched);
    while (link->pending && link->pending->deadline_us <= now_us) {
        struct pending *pending = take_first(link);
        int32_t status = pending->failed != AIC_OK ? pending->failed : AIC_ERROR_TIMEOUT;
        settle(pending, status, (struct aic_str){NULL, 0});
    }
    set_deadline(link);
}

/* The master started this process deaf to what it would say itself. */
static void stop_ignoring(int number)
{
    struct sigaction action;
    if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
        (void)signal(number, SIG_DFL);
    }
}

static void lose(struct link *link)
{
    loop_watch_stop(link->watch);
    link->watch = NULL;
    link->is_lost = true;
    sched_timer_stop(link->sched, link->retry);
    link->retry = NULL;
    peer_finish(&link->peer);
    settle_all(link, AIC_ERROR_CLOSED);
    set_deadline(link);
    stop_ignoring(SIGTERM);
    stop_ignoring(SIGINT);
    obey(link, link->handler.drain);
}

static void flush(void *data)
{
    struct link *link = data;
    link->retry = NULL;
    if (peer_flush(&link->peer) == AIC_ERROR_BUSY) {
        link->retry =
            sched_timer_start(link->sched, sched_now(link->sched) + RETRY_US, flush, link);
    }
}

static int32_t transmit(struct link *link, const struct frame *frame)
{
    if (link->is_lost) {
        return AIC_ERROR_CLOSED;
    }
    if (link->local) {
        return link_local_send(link->local, frame);
    }
    int32_t status = peer_send(&link->peer, frame);
    if (link->peer.first && !link->retry) {
        link->retry =
            sched_timer_start(link->sched, sched_now(link->sched) + RETRY_US, flush, link);
    }
    return status;
}

/* Sends what nobody waits for. */
static int32_t tell(struct link *link, const struct frame *frame)
{
    int32_t status = transmit(link, frame);
    link->dropped += status != AIC_OK;
    return status;
}

static void insert(struct link *link, struct pending *pending, bool at_front)
{
    if (at_front) {
        pending->next = link->pending;
        link->pending = pending;
        if (!pending->next) {
            link->pending_end = &pending->next;
        }
    } else {
        *link->pending_end = pending;
        link->pending_end = &pending->next;
    }
    link->pending_count++;
    if (link->pending == pending) {
        set_deadline(link);
    }
}

/* Sends a request. What goes wrong at once is told on the next turn of the loop, as if the answer
 * had been that. */
static void ask(struct link *link, struct frame *frame, link_reply reply, void *data)
{
    struct pending *pending = calloc(1, sizeof(*pending));
    if (!pending) {
        reply(data, AIC_ERROR_MEMORY, (struct aic_str){NULL, 0});
        return;
    }
    aic_buf_init(&pending->parts, ANSWER_BYTES);
    pending->id = ++link->last_id;
    pending->reply = reply;
    pending->data = data;
    frame->id = pending->id;
    pending->failed =
        link->pending_count < PENDING ? transmit(link, frame) : (int32_t)AIC_ERROR_BUSY;
    bool has_failed = pending->failed != AIC_OK;
    /* Later than now, so that a reply that asks again does not keep the loop in one turn. */
    pending->deadline_us = sched_now(link->sched) + (has_failed ? 1 : TIMEOUT_US);
    insert(link, pending, has_failed);
}

static struct pending *find(struct link *link, uint64_t id, struct pending ***at)
{
    *at = &link->pending;
    while (**at && (**at)->id != id) {
        *at = &(**at)->next;
    }
    return **at;
}

static void answered(struct link *link, const struct frame *frame)
{
    struct pending **at;
    struct pending *pending = find(link, frame->id, &at);
    if (!pending) {
        return; /* it came too late */
    }
    if (frame->type == FRAME_ANSWER_PART) {
        (void)aic_buf_str(&pending->parts, frame->body);
        return;
    }
    *at = pending->next;
    if (!pending->next) {
        link->pending_end = at;
    }
    link->pending_count--;
    if (at == &link->pending) {
        set_deadline(link);
    }
    int32_t status = frame->status;
    struct aic_str answer = frame->body;
    if (status == AIC_OK && pending->parts.len > 0) {
        (void)aic_buf_str(&pending->parts, frame->body);
        answer = aic_buf_view(&pending->parts);
    }
    if (pending->parts.failed) {
        status = AIC_ERROR_TOO_LARGE;
        answer = (struct aic_str){NULL, 0};
    }
    settle(pending, status, answer);
}

static void take_request(struct link *link, const struct frame *frame)
{
    struct link_request request = {
        .id = frame->id, .call_id = frame->call_id, .kind = frame->kind, .body = frame->body};
    if (link->handler.request) {
        link->handler.request(link->handler.data, &request);
    } else {
        link_answer(link, frame->id, AIC_ERROR_UNSUPPORTED, (struct aic_str){NULL, 0});
    }
}

static void take_published(struct link *link, const struct frame *frame)
{
    const struct link_handler *handler = &link->handler;
    if (aic_str_starts(aic_str(frame->kind), HUB_NEWS)) {
        const struct link_news news = {
            .number = frame->id, .call_id = frame->kind + strlen(HUB_NEWS), .body = frame->body};
        if (handler->news) {
            handler->news(handler->data, &news);
        }
    } else if (handler->published) {
        handler->published(handler->data, frame->kind, frame->body);
    }
}

static void take_watched(struct link *link, const struct frame *frame)
{
    const struct link_handler *handler = &link->handler;
    link->is_followed = frame->number[0] != 0;
    if (handler->news) {
        handler->news(handler->data, &(struct link_news){.number = frame->id});
    }
}

static void obey(struct link *link, void (*order)(void *data))
{
    if (order) {
        order(link->handler.data);
    }
}

static void handle(void *data, const struct frame *frame)
{
    struct link *link = data;
    switch (frame->type) {
    case FRAME_REQUEST:
        take_request(link, frame);
        break;
    case FRAME_ANSWER:
    case FRAME_ANSWER_PART:
        answered(link, frame);
        break;
    case FRAME_PUBLISH:
        take_published(link, frame);
        break;
    case FRAME_WATCHED:
        take_watched(link, frame);
        break;
    case FRAME_DRAIN:
        obey(link, link->handler.drain);
        break;
    case FRAME_STOP_NEW_CALLS:
        obey(link, link->handler.stop_new_calls);
        break;
    case FRAME_STOP:
        obey(link, link->handler.stop);
        break;
    default: /* of a newer master */
        break;
    }
}

static void readable(void *data)
{
    struct link *link = data;
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        struct frame frame;
        int32_t status = peer_receive(&link->peer, link->buffer, &frame);
        if (status == AIC_ERROR_CLOSED) {
            lose(link);
            return;
        }
        if (status == AIC_ERROR_BUSY) {
            return;
        }
        if (status == AIC_OK) {
            handle(link, &frame);
        }
    }
}

void link_ready(struct link *link)
{
    (void)tell(link, &(struct frame){.type = FRAME_READY});
}

int32_t link_listen(struct link *link, int fd)
{
    return link->local ? link_local_listen(link->local, fd) : (int32_t)AIC_ERROR_UNSUPPORTED;
}

void link_claim_call(struct link *link, const char *call_id, struct aic_str summary,
                     link_reply reply, void *data)
{
    struct frame frame = {.type = FRAME_CLAIM, .call_id = call_id, .body = summary};
    ask(link, &frame, reply, data);
}

void link_update_call(struct link *link, const char *call_id, struct aic_str summary)
{
    (void)tell(link, &(struct frame){.type = FRAME_UPDATE, .call_id = call_id, .body = summary});
}

void link_release_call(struct link *link, const char *call_id)
{
    (void)tell(link, &(struct frame){.type = FRAME_RELEASE, .call_id = call_id});
}

void link_use_token(struct link *link, const char *nonce, int64_t expires_wall_us, link_reply reply,
                    void *data)
{
    struct frame frame = {.type = FRAME_TOKEN, .kind = nonce, .number[0] = expires_wall_us};
    ask(link, &frame, reply, data);
}

void link_relay(struct link *link, const char *call_id, const char *kind, struct aic_str body,
                link_reply reply, void *data)
{
    struct frame frame = {.type = FRAME_REQUEST,
                          .call_id = call_id,
                          .kind = kind,
                          .body = body,
                          .number[0] = TIMEOUT_US / 1000};
    ask(link, &frame, reply, data);
}

void link_answer(struct link *link, uint64_t request_id, int32_t status, struct aic_str answer)
{
    struct frame frame = {.type = FRAME_ANSWER, .id = request_id, .status = status, .body = answer};
    if (tell(link, &frame) == AIC_ERROR_TOO_LARGE) {
        frame.status = AIC_ERROR_TOO_LARGE;
        frame.body = (struct aic_str){NULL, 0};
        (void)tell(link, &frame);
    }
}

void link_list_calls(struct link *link, link_reply reply, void *data)
{
    link_relay(link, "", "calls.list", (struct aic_str){NULL, 0}, reply, data);
}

void link_publish(struct link *link, const char *topic, struct aic_str body)
{
    (void)tell(link, &(struct frame){.type = FRAME_PUBLISH, .kind = topic, .body = body});
}

void link_follow(struct link *link, bool follows)
{
    (void)tell(link, &(struct frame){
                         .type = FRAME_SUBSCRIBE, .kind = HUB_NEWS, .number[0] = follows ? 1 : 0});
}

bool link_is_followed(const struct link *link)
{
    return link->is_followed;
}

void link_tell(struct link *link, const char *call_id, struct aic_str body)
{
    char topic[FRAME_NAME_MAX + 1];
    (void)snprintf(topic, sizeof(topic), HUB_NEWS "%s", call_id);
    link_publish(link, topic, body);
}

void link_take(struct link *link, const struct link_bucket *bucket, link_reply reply, void *data)
{
    struct frame frame = {.type = FRAME_TAKE,
                          .kind = bucket->name,
                          .number = {bucket->amount, bucket->limit, bucket->window_ms}};
    ask(link, &frame, reply, data);
}

uint64_t link_dropped(const struct link *link)
{
    return link->dropped;
}
