/* SPDX-License-Identifier: ISC */
#include "web/viewers.h"

#include "base/counters.h"
#include "base/sched.h"
#include "base/uuid.h"
#include "web/partials.h"

#include <stdlib.h>
#include <string.h>

enum {
    /* What has come is sent after this time; the more there are who look on, the later. */
    BATCH_US = 50000,
    BATCH_PER_VIEWER_US = 200,
    BATCH_MAX_US = 250000,
    SLICE = 16,       /* viewers that are served in one turn of the loop */
    SLICE_US = 1000,  /* and this long calls have for themselves then */
    CHUNK = 64 << 10, /* what is written at once, and all that may wait for a viewer beside it */
    CHUNKS = 4,
    SLOW_US = 5000000,
    PULSE_US = 15000000,   /* between signs of life */
    SNAPSHOT_US = 1000000, /* so long a list of calls serves others who come */
    SNAPSHOT_BYTES = 32 << 20,
    EVENT_BYTES = 1 << 20
};

/* A snapshot as it is sent, of several viewers. */
struct text {
    size_t users;
    struct aic_buf buf;
};

struct viewer {
    struct viewer *next;
    struct viewer **where;
    void *to;
    struct view *view;
    char call_id[UUID_TEXT]; /* "" = all */
    uint64_t at;             /* its place in the log */
    struct text *text;       /* is sent before; NULL */
    size_t text_at;
    int64_t behind_us; /* since when something waits for it; 0 = nothing does */
    bool wants_snapshot;
    bool is_ending;
    bool is_ended;
    enum viewers_end why;
};

/* What viewers who see the same have in common. */
struct view {
    bool is_used; /* somebody was there; otherwise nothing is written */
    bool hides_numbers;
    struct live_log *log;
    uint64_t list_at;  /* the list of calls is what was at this place */
    struct text *text; /* and this is how it is written; NULL: nobody has asked yet */
};

struct viewers {
    struct sched *sched;
    struct viewers_ops ops;
    struct viewer *first;
    size_t count;
    struct view views[2]; /* [1] hides numbers */
    uint64_t number;      /* of the last news */
    struct partials *partials;
    struct aic_json *list; /* of live calls; NULL */
    int64_t list_us;
    bool asks; /* for a list */
    struct sched_timer *batch;
    struct sched_timer *slice;
    struct sched_timer *pulse;
    struct viewer *cursor; /* who is served next */
    bool has_more;         /* somebody was not served to the end */
    struct aic_buf room;
};

/* Snapshots */

static void text_release(struct text *text)
{
    if (text && --text->users == 0) {
        aic_buf_finish(&text->buf);
        free(text);
    }
}

static struct text *write_snapshot(const struct viewers *viewers, const struct view *view,
                                   const char *call_id)
{
    struct text *text = calloc(1, sizeof(*text));
    if (!text) {
        return NULL;
    }
    text->users = 1;
    aic_buf_init(&text->buf, SNAPSHOT_BYTES);
    aic_buf_printf(&text->buf, "event: snapshot\nid: %llu\ndata: ",
                   (unsigned long long)live_log_number(view->log));
    live_write_list(&text->buf, viewers->list, call_id, view->hides_numbers);
    aic_buf_text(&text->buf, "\n\n");
    if (text->buf.failed) {
        text_release(text);
        return NULL;
    }
    return text;
}

static void forget_list(struct viewers *viewers)
{
    for (int i = 0; i < 2; i++) {
        text_release(viewers->views[i].text);
        viewers->views[i].text = NULL;
    }
    aic_json_free(viewers->list);
    viewers->list = NULL;
}

static void schedule(struct viewers *viewers);

/* An event that was begun has to be sent to its end. */
static bool is_in_text(const struct viewer *viewer)
{
    return viewer->text && viewer->text_at > 0;
}

/* Gives a viewer the list that is there. */
static void give_snapshot(struct viewers *viewers, struct viewer *viewer)
{
    struct view *view = viewer->view;
    text_release(viewer->text);
    viewer->text = NULL;
    if (viewer->call_id[0]) {
        viewer->text = write_snapshot(viewers, view, viewer->call_id);
    } else {
        view->text = view->text ? view->text : write_snapshot(viewers, view, "");
        viewer->text = view->text;
        if (viewer->text) {
            viewer->text->users++;
        }
    }
    viewer->text_at = 0;
    viewer->at = view->list_at;
    viewer->wants_snapshot = viewer->text == NULL;
}

static void ask(struct viewers *viewers)
{
    if (!viewers->asks) {
        viewers->asks = true;
        viewers->ops.want_snapshot(viewers->ops.data);
    }
}

static bool list_is_good(const struct viewers *viewers, const struct view *view)
{
    return viewers->list && sched_now(viewers->sched) - viewers->list_us < SNAPSHOT_US &&
           live_log_has(view->log, view->list_at);
}

static void want_snapshot(struct viewers *viewers, struct viewer *viewer)
{
    viewer->wants_snapshot = true;
    if (list_is_good(viewers, viewer->view)) {
        give_snapshot(viewers, viewer);
    } else {
        ask(viewers);
    }
}

void viewers_snapshot(struct viewers *viewers, struct aic_json *list)
{
    viewers->asks = false;
    if (!list) {
        schedule(viewers); /* those who wait for it ask again */
        return;
    }
    forget_list(viewers);
    viewers->list = list;
    viewers->list_us = sched_now(viewers->sched);
    for (int i = 0; i < 2; i++) {
        viewers->views[i].list_at = live_log_end(viewers->views[i].log);
    }
    for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
        if (viewer->wants_snapshot && !is_in_text(viewer)) {
            give_snapshot(viewers, viewer);
        }
    }
    schedule(viewers);
}

/* Sending */

static void end(struct viewers *viewers, struct viewer *viewer, enum viewers_end why)
{
    static const enum counter counters[] = {COUNTER_VIEWERS_SLOW, COUNTER_VIEWERS_DENIED};

    if (viewer->is_ended) {
        return;
    }
    viewer->is_ended = true;
    if (why != VIEWERS_DRAINING) {
        counter_add(counters[why], 1);
    }
    viewers->ops.end(viewer->to, why);
}

/* Writes the next piece; false when there is none or it can not be written. */
static bool write_piece(struct viewers *viewers, struct viewer *viewer)
{
    struct live_log *log = viewer->view->log;
    struct aic_str bytes;
    uint64_t at = viewer->at;
    if (!viewer->text && !live_log_has(log, viewer->at)) {
        end(viewers, viewer, VIEWERS_SLOW);
        return false;
    }
    if (viewer->text) {
        const struct aic_buf *buf = &viewer->text->buf;
        size_t left = buf->len - viewer->text_at;
        bytes = (struct aic_str){buf->data + viewer->text_at, left < CHUNK ? left : CHUNK};
    } else {
        at = live_log_read(log, viewer->at, viewer->call_id, CHUNK, &viewers->room, &bytes);
        viewer->at = at;
    }
    int32_t status = bytes.len > 0 ? viewers->ops.write(viewer->to, bytes) : (int32_t)AIC_OK;
    if (status == AIC_ERROR_CLOSED) {
        viewer->is_ended = true; /* it went by itself */
    } else if (status != AIC_OK) {
        end(viewers, viewer, VIEWERS_SLOW);
    }
    if (viewer->text) {
        viewer->text_at += bytes.len;
        if (viewer->text_at == viewer->text->buf.len) {
            text_release(viewer->text);
            viewer->text = NULL;
        }
        return !viewer->is_ended;
    }
    return !viewer->is_ended && at < live_log_end(log);
}

static void serve(struct viewers *viewers, struct viewer *viewer)
{
    if (viewer->is_ended) {
        return;
    }
    if (viewer->is_ending) {
        end(viewers, viewer, viewer->why);
        return;
    }
    for (int i = 0; i < CHUNKS; i++) {
        if (viewers->ops.queued(viewer->to) > 0) {
            viewers->has_more = true;
            viewer->behind_us = viewer->behind_us ? viewer->behind_us : sched_now(viewers->sched);
            if (!viewer->wants_snapshot && !live_log_has(viewer->view->log, viewer->at)) {
                end(viewers, viewer, VIEWERS_SLOW);
            }
            return;
        }
        viewer->behind_us = 0;
        if (viewer->wants_snapshot && !is_in_text(viewer)) {
            viewers->has_more = true;
            want_snapshot(viewers, viewer);
            return;
        }
        if (!write_piece(viewers, viewer)) {
            return;
        }
    }
    viewers->has_more = true;
}

static void serve_some(void *data)
{
    struct viewers *viewers = data;
    viewers->slice = NULL;
    for (int i = 0; i < SLICE && viewers->cursor; i++) {
        struct viewer *viewer = viewers->cursor;
        viewers->cursor = viewer->next;
        serve(viewers, viewer);
    }
    if (viewers->cursor) {
        viewers->slice = sched_timer_start(viewers->sched, sched_now(viewers->sched) + SLICE_US,
                                           serve_some, viewers);
    } else if (viewers->has_more) {
        schedule(viewers);
    }
}

static void append(void *data, const struct live_news *news)
{
    struct viewers *viewers = data;
    for (int i = 0; i < 2; i++) {
        struct view *view = &viewers->views[i];
        struct aic_buf *room = &viewers->room;
        if (view->is_used) {
            aic_buf_clear(room);
            live_write_event(room, news, view->hides_numbers);
            if (!room->failed) {
                (void)live_log_add(view->log, news->is_partial ? 0 : news->number, news->call_id,
                                   aic_buf_view(room));
            }
        }
    }
}

static void batch_is_due(void *data)
{
    struct viewers *viewers = data;
    viewers->batch = NULL;
    partials_flush(viewers->partials, append, viewers);
    if (!viewers->slice) {
        viewers->cursor = viewers->first;
        viewers->has_more = false;
        serve_some(viewers);
    } else {
        viewers->has_more = true; /* who was served in this round already has a further one */
    }
}

static void schedule(struct viewers *viewers)
{
    if (!viewers->batch && viewers->count > 0) {
        int64_t wait_us = BATCH_US + (int64_t)viewers->count * BATCH_PER_VIEWER_US;
        wait_us = wait_us < BATCH_MAX_US ? wait_us : BATCH_MAX_US;
        viewers->batch = sched_timer_start(viewers->sched, sched_now(viewers->sched) + wait_us,
                                           batch_is_due, viewers);
    }
}

/* A comment, so that nobody in between takes the connection for dead. */
static void pulse_is_due(void *data)
{
    struct viewers *viewers = data;
    viewers->pulse = sched_timer_start(viewers->sched, sched_now(viewers->sched) + PULSE_US,
                                       pulse_is_due, viewers);
    for (int i = 0; i < 2; i++) {
        if (viewers->views[i].is_used) {
            (void)live_log_add(viewers->views[i].log, 0, "", AIC_STR(":\n\n"));
        }
    }
    schedule(viewers);
}

/* News */

/* News were lost: everybody begins anew. */
static void restart(struct viewers *viewers, uint64_t number)
{
    viewers->number = number;
    partials_flush(viewers->partials, NULL, NULL);
    forget_list(viewers);
    for (int i = 0; i < 2; i++) {
        live_log_restart(viewers->views[i].log, number);
    }
    for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
        viewer->wants_snapshot = true;
    }
    schedule(viewers);
}

void viewers_take(struct viewers *viewers, uint64_t number, const char *call_id,
                  struct aic_str body)
{
    uint64_t expected = viewers->number + (call_id ? 1 : 0);
    if (number != expected) {
        bool were_lost = viewers->number != 0 && viewers->count > 0;
        counter_add(COUNTER_NEWS_LOST, were_lost ? 1 : 0);
        restart(viewers, call_id ? number - 1 : number);
    }
    viewers->number = number;
    if (!call_id || viewers->count + viewers->views[0].is_used + viewers->views[1].is_used == 0) {
        return;
    }
    struct aic_json *root = aic_json_parse(body, 0);
    struct live_news news = {
        .number = number, .call_id = call_id, .at_wall_us = sched_wall(viewers->sched)};
    if (!live_understand(root, &news)) {
        aic_json_free(root);
    } else if (news.is_partial) {
        partials_keep(viewers->partials, &news, root, append, viewers);
    } else {
        partials_outdate(viewers->partials, &news);
        append(viewers, &news);
        aic_json_free(root);
    }
    schedule(viewers);
}

/* Coming and going */

struct viewers *viewers_create(struct sched *sched, const struct viewers_ops *ops)
{
    struct viewers *viewers = calloc(1, sizeof(*viewers));
    if (!viewers) {
        return NULL;
    }
    viewers->sched = sched;
    viewers->ops = *ops;
    aic_buf_init(&viewers->room, EVENT_BYTES);
    viewers->partials = partials_create();
    bool is_good = viewers->partials != NULL;
    for (int i = 0; i < 2; i++) {
        viewers->views[i].hides_numbers = i == 1;
        viewers->views[i].log = live_log_create(LIVE_LOG_BYTES, LIVE_LOG_ENTRIES);
        is_good = is_good && viewers->views[i].log;
    }
    if (!is_good) {
        viewers_destroy(viewers);
        return NULL;
    }
    return viewers;
}

static void stop_timers(struct viewers *viewers)
{
    struct sched_timer **timers[] = {&viewers->batch, &viewers->slice, &viewers->pulse};
    for (size_t i = 0; i < sizeof(timers) / sizeof(timers[0]); i++) {
        sched_timer_stop(viewers->sched, *timers[i]);
        *timers[i] = NULL;
    }
}

void viewers_destroy(struct viewers *viewers)
{
    if (!viewers) {
        return;
    }
    struct viewer *next = NULL;
    for (struct viewer *viewer = viewers->first; viewer; viewer = next) {
        next = viewer->next;
        text_release(viewer->text);
        free(viewer);
    }
    stop_timers(viewers);
    partials_destroy(viewers->partials);
    forget_list(viewers);
    for (int i = 0; i < 2; i++) {
        live_log_destroy(viewers->views[i].log);
    }
    aic_buf_finish(&viewers->room);
    free(viewers);
}

struct viewer *viewers_add(struct viewers *viewers, const struct viewers_wish *wish, void *to)
{
    struct viewer *viewer = calloc(1, sizeof(*viewer));
    struct view *view = &viewers->views[wish->hides_numbers ? 1 : 0];
    if (!viewer) {
        return NULL;
    }
    if (!view->is_used) {
        view->is_used = true;
        live_log_restart(view->log, viewers->number);
    }
    viewer->to = to;
    viewer->view = view;
    (void)aic_str_copy(aic_str(wish->call_id), viewer->call_id, sizeof(viewer->call_id));
    viewer->next = viewers->first;
    viewer->where = &viewers->first;
    if (viewer->next) {
        viewer->next->where = &viewer->next;
    }
    viewers->first = viewer;
    viewers->count++;
    if (wish->last_number == 0 || !live_log_find(view->log, wish->last_number, &viewer->at)) {
        want_snapshot(viewers, viewer);
    }
    if (!viewers->pulse) {
        viewers->pulse = sched_timer_start(viewers->sched, sched_now(viewers->sched) + PULSE_US,
                                           pulse_is_due, viewers);
    }
    schedule(viewers);
    return viewer;
}

void viewers_remove(struct viewers *viewers, struct viewer *viewer)
{
    *viewer->where = viewer->next;
    if (viewer->next) {
        viewer->next->where = viewer->where;
    }
    if (viewers->cursor == viewer) {
        viewers->cursor = viewer->next;
    }
    viewers->count--;
    /* A connection that takes nothing for long is closed by the port. */
    bool was_slow = !viewer->is_ended && viewer->behind_us != 0 &&
                    sched_now(viewers->sched) - viewer->behind_us >= SLOW_US;
    counter_add(COUNTER_VIEWERS_SLOW, was_slow ? 1 : 0);
    text_release(viewer->text);
    free(viewer);
    if (viewers->count == 0) {
        stop_timers(viewers);
        forget_list(viewers);
    }
}

size_t viewers_count(const struct viewers *viewers)
{
    return viewers->count;
}

void viewers_end(struct viewers *viewers, struct viewer *viewer, enum viewers_end why)
{
    viewer->is_ending = true;
    viewer->why = why;
    schedule(viewers);
}

void viewers_end_all(struct viewers *viewers, enum viewers_end why)
{
    for (struct viewer *viewer = viewers->first; viewer; viewer = viewer->next) {
        viewers_end(viewers, viewer, why);
    }
}
