/* SPDX-License-Identifier: ISC */
#include "io/link_local.h"

#include "io/control.h"
#include "io/hub.h"
#include "io/loop.h"

enum { WORKER = 0, QUEUE_BYTES = 4 << 20 };

struct queued {
    struct queued *next;
    size_t bytes;
    char data[];
};

struct link_local {
    struct loop *loop;
    struct hub *hub;
    struct loop_watch *watch;
    struct queued *first; /* on the way to the hub */
    struct queued **end;
    size_t queued_bytes;
    struct sched_timer *turn;  /* hands them over on the loop's next turn */
    struct sched_timer *clock; /* for the hub's deadlines */
};

static void ignore_worker(void *data, int worker)
{
    (void)data;
    (void)worker;
}

static bool is_unknown(void *data, const struct hub_request *request)
{
    (void)data;
    (void)request;
    return false;
}

static void ignore_answer(void *data, uint64_t tag, int32_t status, struct aic_str answer)
{
    (void)data;
    (void)tag;
    (void)status;
    (void)answer;
}

static void tick(void *data);

static void set_clock(struct link_local *local)
{
    struct sched *sched = loop_sched(local->loop);
    sched_timer_stop(sched, local->clock);
    local->clock = NULL;
    int64_t next_us = hub_tick(local->hub, sched_now(sched));
    if (next_us != INT64_MAX) {
        local->clock = sched_timer_start(sched, next_us, tick, local);
    }
}

static void tick(void *data)
{
    struct link_local *local = data;
    local->clock = NULL;
    set_clock(local);
}

static void hand_over(void *data)
{
    struct link_local *local = data;
    local->turn = NULL;
    struct queued *queued = local->first;
    local->first = NULL;
    local->end = &local->first;
    local->queued_bytes = 0;
    while (queued) {
        struct queued *next = queued->next;
        struct frame frame;
        if (frame_parse((struct aic_str){queued->data, queued->bytes}, &frame) == AIC_OK) {
            hub_receive(local->hub, WORKER, &frame);
        }
        free(queued);
        queued = next;
    }
    set_clock(local);
}

static void serve(void *data)
{
    struct link_local *local = data;
    hub_serve(local->hub);
    set_clock(local);
}

struct link_local *link_local_create(struct loop *loop,
                                     void (*deliver)(void *data, const struct frame *frame),
                                     void *data)
{
    static const struct hub_handler handler = {.ready = ignore_worker,
                                               .lost = ignore_worker,
                                               .request = is_unknown,
                                               .answered = ignore_answer};
    struct link_local *local = calloc(1, sizeof(*local));
    if (!local) {
        return NULL;
    }
    local->loop = loop;
    local->end = &local->first;
    local->hub = hub_create(&handler);
    if (!local->hub || hub_add_local(local->hub, WORKER, deliver, data) != AIC_OK) {
        link_local_destroy(local);
        return NULL;
    }
    hub_set_open(local->hub, WORKER, true);
    return local;
}

void link_local_destroy(struct link_local *local)
{
    if (!local) {
        return;
    }
    sched_timer_stop(loop_sched(local->loop), local->turn);
    sched_timer_stop(loop_sched(local->loop), local->clock);
    loop_watch_stop(local->watch);
    while (local->first) {
        struct queued *next = local->first->next;
        free(local->first);
        local->first = next;
    }
    hub_destroy(local->hub);
    free(local);
}

int32_t link_local_send(struct link_local *local, const struct frame *frame)
{
    struct aic_buf bytes;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    int32_t status = frame_write(frame, &bytes);
    struct queued *queued = NULL;
    if (status == AIC_OK && bytes.len > QUEUE_BYTES - local->queued_bytes) {
        status = AIC_ERROR_BUSY;
    }
    if (status == AIC_OK) {
        queued = malloc(sizeof(*queued) + bytes.len);
        status = queued ? AIC_OK : AIC_ERROR_MEMORY;
    }
    if (status == AIC_OK) {
        queued->next = NULL;
        queued->bytes = bytes.len;
        memcpy(queued->data, bytes.data, bytes.len);
        *local->end = queued;
        local->end = &queued->next;
        local->queued_bytes += bytes.len;
        if (!local->turn) {
            local->turn = sched_timer_start(loop_sched(local->loop), 0, hand_over, local);
        }
    }
    aic_buf_finish(&bytes);
    return status;
}

int32_t link_local_listen(struct link_local *local, int fd)
{
    local->watch = loop_watch_start(local->loop, hub_fd(local->hub), serve, local);
    if (!local->watch) {
        return AIC_ERROR_IO;
    }
    return hub_listen(local->hub, fd, control_admit);
}
