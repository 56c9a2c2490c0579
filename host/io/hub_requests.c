/* SPDX-License-Identifier: ISC */
/* What the hub does with a frame: the board's business, requests and their answers, topics. */
#include "io/hub_private.h"

#include "io/now.h"

/* Topics may not fill the room that answers and orders need. */
enum { PUBLISH_WAITING = 512 << 10 };

static void send_answer(struct hub *hub, int end, uint64_t id, int32_t status,
                        struct aic_str answer)
{
    struct frame frame = {.type = FRAME_ANSWER_PART, .id = id};
    while (answer.len > FRAME_BODY_MAX) {
        frame.body = (struct aic_str){answer.ptr, FRAME_BODY_MAX};
        if (hub_send(hub, end, &frame) != AIC_OK) {
            status = AIC_ERROR_BUSY; /* a part is missing, so the rest is worth nothing */
            answer = (struct aic_str){NULL, 0};
            break;
        }
        answer.ptr += FRAME_BODY_MAX;
        answer.len -= FRAME_BODY_MAX;
    }
    frame.type = FRAME_ANSWER;
    frame.status = status;
    frame.body = answer;
    (void)hub_send(hub, end, &frame);
}

static void answer_status(struct hub *hub, int end, const struct frame *frame, int32_t status)
{
    send_answer(hub, end, frame->id, status, (struct aic_str){NULL, 0});
}

static void drop(struct hub *hub, struct hub_pending *pending)
{
    struct hub_pending **at = &hub->pending;
    while (*at != pending) {
        at = &(*at)->next;
    }
    *at = pending->next;
    hub->pending_count--;
    free(pending);
}

/* Ends a request: its asker gets the answer. */
static void settle(struct hub *hub, struct hub_pending *pending, int32_t status,
                   struct aic_str answer)
{
    struct hub_pending was = *pending;
    drop(hub, pending);
    if (was.from == HUB_SELF) {
        hub->handler.answered(hub->handler.data, was.from_id, status, answer);
    } else {
        send_answer(hub, was.from, was.from_id, status, answer);
    }
}

static struct hub_pending *find_pending(struct hub *hub, uint64_t id, int to)
{
    struct hub_pending *pending = hub->pending;
    while (pending && (pending->id != id || pending->to != to)) {
        pending = pending->next;
    }
    return pending;
}

void hub_add_pending(struct hub *hub, const struct hub_pending *pending)
{
    struct hub_pending *copy = malloc(sizeof(*copy));
    if (copy) {
        *copy = *pending;
        copy->next = hub->pending;
        hub->pending = copy;
        hub->pending_count++;
    }
}

static int64_t deadline_us(const struct frame *frame)
{
    int64_t timeout_ms = frame->number[0] > 0 ? frame->number[0] : HUB_USUAL_MS;
    return now_us() + 1000 * (timeout_ms < HUB_LONGEST_MS ? timeout_ms : HUB_LONGEST_MS);
}

/* Notes a request and returns its number here; 0 when there are too many. */
static uint64_t begin(struct hub *hub, int from, const struct frame *frame, int to)
{
    if (hub->pending_count >= HUB_PENDING) {
        return 0;
    }
    size_t before = hub->pending_count;
    hub_add_pending(hub, &(struct hub_pending){.id = ++hub->last_id,
                                               .from = from,
                                               .from_id = frame->id,
                                               .to = to,
                                               .deadline_us = deadline_us(frame)});
    return hub->pending_count > before ? hub->last_id : 0;
}

/* The next worker, in turn, that takes requests without a call; -1: none. */
static int open_worker(struct hub *hub)
{
    for (int i = 1; i <= SHM_WORKERS; i++) {
        int worker = (hub->last_asked + i) % SHM_WORKERS;
        const struct hub_end *end = &hub->ends[worker];
        if (end->is_used && end->is_open && !end->is_ended) {
            hub->last_asked = worker;
            return worker;
        }
    }
    return -1;
}

/* Sends a request on to a worker; a status when that failed and nothing is pending. */
static int32_t pass_on(struct hub *hub, int from, const struct frame *frame, int to)
{
    uint64_t id = begin(hub, from, frame, to);
    if (id == 0) {
        return AIC_ERROR_BUSY;
    }
    struct frame copy = *frame;
    copy.id = id;
    int32_t status = hub_send(hub, to, &copy);
    if (status != AIC_OK) {
        drop(hub, find_pending(hub, id, to));
    }
    return status;
}

static void list_calls(struct hub *hub, int end, const struct frame *frame)
{
    struct aic_buf list;
    aic_buf_init(&list, BOARD_LIST_BYTES);
    board_list(hub->board, &list);
    if (list.failed) {
        answer_status(hub, end, frame, AIC_ERROR_MEMORY);
    } else {
        send_answer(hub, end, frame->id, AIC_OK, aic_buf_view(&list));
    }
    aic_buf_finish(&list);
}

/* Offers a request to the hub's owner; false when that does not know it. */
static bool ask_owner(struct hub *hub, int end, const struct frame *frame)
{
    uint64_t ticket = begin(hub, end, frame, HUB_SELF);
    struct hub_request request = {.ticket = ticket,
                                  .kind = frame->kind,
                                  .body = frame->body,
                                  .from_client = hub_is_client(end)};
    if (ticket == 0) {
        answer_status(hub, end, frame, AIC_ERROR_BUSY);
        return true;
    }
    if (hub->handler.request(hub->handler.data, &request)) {
        return true;
    }
    drop(hub, find_pending(hub, ticket, HUB_SELF));
    return false;
}

static void route(struct hub *hub, int end, const struct frame *frame)
{
    int to;
    if (frame->call_id[0]) {
        to = board_owner(hub->board, frame->call_id);
    } else if (strcmp(frame->kind, "calls.list") == 0) {
        list_calls(hub, end, frame);
        return;
    } else if (ask_owner(hub, end, frame)) {
        return;
    } else {
        to = open_worker(hub);
    }
    int32_t status = to < 0 ? AIC_ERROR_NOT_FOUND : pass_on(hub, end, frame, to);
    if (status != AIC_OK) {
        answer_status(hub, end, frame, status);
    }
}

static void take(struct hub *hub, int end, const struct frame *frame)
{
    struct board_take take = {.bucket = frame->kind,
                              .amount = frame->number[0],
                              .limit = frame->number[1],
                              .window_ms = frame->number[2]};
    int64_t retry_after_ms;
    int32_t status = board_take(hub->board, &take, now_us() / 1000, &retry_after_ms);
    char text[64];
    int length =
        status == AIC_ERROR_DENIED
            ? snprintf(text, sizeof(text), "{\"retry_after_ms\":%lld}", (long long)retry_after_ms)
            : 0;
    send_answer(hub, end, frame->id, status, (struct aic_str){text, (size_t)length});
}

static bool wants(const struct hub *hub, int end, struct aic_str topic, bool is_news)
{
    const struct hub_end *to = &hub->ends[end];
    if (!is_news && !hub_is_client(end)) {
        return to->is_used;
    }
    return to->is_used && to->is_subscribed && aic_str_starts(topic, to->topic);
}

static void publish(struct hub *hub, const struct frame *frame)
{
    struct frame copy = *frame;
    struct aic_str topic = aic_str(frame->kind);
    bool is_news = aic_str_starts(topic, HUB_NEWS);
    copy.id = is_news ? ++hub->last_news : 0;
    for (int end = 0; end < HUB_ENDS; end++) {
        struct hub_end *to = &hub->ends[end];
        if (!wants(hub, end, topic, is_news)) {
            continue;
        }
        copy.number[0] = to->lost;
        bool fits = to->peer.waiting_bytes < PUBLISH_WAITING;
        if (fits && hub_send(hub, end, &copy) == AIC_OK) {
            to->lost_before += (uint64_t)to->lost;
            to->lost = 0;
        } else {
            to->lost++;
        }
    }
}

void hub_tell_watched(struct hub *hub, int worker)
{
    (void)hub_send(hub, worker,
                   &(struct frame){.type = FRAME_WATCHED,
                                   .id = hub->last_news,
                                   .number[0] = hub->is_watched ? 1 : 0});
}

void hub_watch_changed(struct hub *hub)
{
    bool is_watched = false;
    for (int end = 0; end < HUB_ENDS && !is_watched; end++) {
        is_watched = hub->ends[end].is_used && hub->ends[end].is_subscribed;
    }
    if (is_watched == hub->is_watched) {
        return;
    }
    hub->is_watched = is_watched;
    for (int worker = 0; worker < SHM_WORKERS; worker++) {
        if (hub->ends[worker].is_used) {
            hub_tell_watched(hub, worker);
        }
    }
}

static void subscribe(struct hub *hub, int end, const struct frame *frame)
{
    struct hub_end *of = &hub->ends[end];
    of->is_subscribed = hub_is_client(end) || frame->number[0] != 0;
    (void)aic_str_copy(aic_str(frame->kind), of->topic, sizeof(of->topic));
    hub_watch_changed(hub);
    /* What is told from now on has numbers behind this one. */
    if (!hub_is_client(end) && of->is_subscribed) {
        hub_tell_watched(hub, end);
    }
}

static void handle_common(struct hub *hub, int end, const struct frame *frame)
{
    if (frame->type == FRAME_REQUEST) {
        route(hub, end, frame);
    } else if (frame->type == FRAME_SUBSCRIBE) {
        subscribe(hub, end, frame);
    }
}

void hub_handle(struct hub *hub, int end, const struct frame *frame)
{
    if (hub_is_client(end)) {
        handle_common(hub, end, frame);
        return;
    }
    struct hub_pending *pending;
    switch (frame->type) {
    case FRAME_READY:
        hub->handler.ready(hub->handler.data, end);
        break;
    case FRAME_CLAIM:
        answer_status(hub, end, frame, board_claim(hub->board, end, frame->call_id, frame->body));
        break;
    case FRAME_UPDATE:
        (void)board_update(hub->board, end, frame->call_id, frame->body);
        break;
    case FRAME_RELEASE:
        (void)board_release(hub->board, end, frame->call_id);
        break;
    case FRAME_TOKEN:
        answer_status(hub, end, frame,
                      board_use_token(hub->board, frame->kind, frame->number[0], now_wall_us()));
        break;
    case FRAME_TAKE:
        take(hub, end, frame);
        break;
    case FRAME_ANSWER:
        pending = find_pending(hub, frame->id, end);
        if (pending) {
            settle(hub, pending, frame->status, frame->body);
        }
        break;
    case FRAME_PUBLISH:
        publish(hub, frame);
        break;
    default:
        handle_common(hub, end, frame);
    }
}

void hub_forget_end(struct hub *hub, int end)
{
    struct hub_pending *pending = hub->pending;
    while (pending) {
        struct hub_pending *next = pending->next;
        if (pending->from == end) {
            drop(hub, pending);
        }
        pending = next;
    }
    pending = hub->pending;
    while (pending) {
        struct hub_pending *next = pending->next;
        if (pending->to == end) {
            settle(hub, pending, AIC_ERROR_CLOSED, (struct aic_str){NULL, 0});
            /* Its asker may have asked anew. */
            next = hub->pending;
        }
        pending = next;
    }
}

int64_t hub_tick(struct hub *hub, int64_t now)
{
    int64_t resume_us = hub_resume_listening(hub, now);
    int64_t next_us = resume_us;
    struct hub_pending *pending = hub->pending;
    while (pending) {
        struct hub_pending *next = pending->next;
        if (pending->deadline_us <= now) {
            settle(hub, pending, AIC_ERROR_TIMEOUT, (struct aic_str){NULL, 0});
            next = hub->pending; /* its asker may have asked anew */
            next_us = resume_us;
        } else if (pending->deadline_us < next_us) {
            next_us = pending->deadline_us;
        }
        pending = next;
    }
    return next_us;
}

void hub_answer(struct hub *hub, uint64_t ticket, int32_t status, struct aic_str answer)
{
    struct hub_pending *pending = find_pending(hub, ticket, HUB_SELF);
    if (pending) {
        settle(hub, pending, status, answer);
    }
}

bool hub_ask(struct hub *hub, const char *kind, struct aic_str body, uint64_t tag, int *worker)
{
    *worker = open_worker(hub);
    struct frame frame = {.type = FRAME_REQUEST, .id = tag, .kind = kind, .body = body};
    return *worker >= 0 && pass_on(hub, HUB_SELF, &frame, *worker) == AIC_OK;
}
