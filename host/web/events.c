/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/counters.h"
#include "base/log.h"
#include "io/shm.h"
#include "web/lookup.h"
#include "web/viewers.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * GET /calls/events/: live calls as server-sent events, over all workers of the host. This file
 * lets viewers in and out; viewers.c says what they get. News come from the other workers as long
 * as somebody looks on here, and a little longer, so that who lost the connection misses nothing.
 */

enum {
    WHO_TEXT = 128,
    CHECK_US = 30000000, /* between looks whether viewers still may */
    STEP = 16,           /* of them at a time: the answer for one key serves the rest */
    STEP_US = 2000,
    LINGER_US = 60000000,
    RETRY_MS = 1000,
    RETRY_AFTER_S = 30,
    LIST_BYTES = 32 << 20,
    MAX_DIGITS = 19
};

/* An open stream. */
struct watch {
    struct watch *next;
    struct watch **where;
    struct web *web; /* NULL: it has ended */
    struct aic_exchange *exchange;
    struct viewer *viewer;
    char who[WHO_TEXT]; /* who counts for the limit of one; "" = nobody */
    bool has_credential;
    bool is_checked; /* now */
};

struct events {
    struct web *web;
    struct viewers *viewers; /* NULL: nobody looks on */
    struct watch *watches;
    struct sched_timer *check;
    struct sched_timer *step;
    struct watch *cursor; /* who is checked next */
    struct sched_timer *linger;
    struct asking *asking;
};

/* A question for the list of calls under way. */
struct asking {
    struct events *events; /* NULL: nobody waits any more */
};

/* What viewers.c needs. */

static int32_t write_to(void *to, struct aic_str bytes)
{
    const struct watch *watch = to;
    return server_stream_write(watch->exchange, bytes);
}

static size_t queued_for(void *to)
{
    const struct watch *watch = to;
    return server_stream_queued(watch->exchange);
}

/* A stream that is ended says so, and when to come again: not all at the same moment. */
static void say_goodbye(struct watch *watch, enum viewers_end why)
{
    static const char *const reasons[] = {"slow", "access", "draining"};
    char text[128];
    uint16_t random = 0;
    sched_random(watch->web->settings.sched, &random, sizeof(random));
    int length =
        snprintf(text, sizeof(text), "retry: %d\nevent: closing\ndata: {\"reason\":\"%s\"}\n\n",
                 RETRY_MS + random % (2 * RETRY_MS), reasons[why]);
    (void)server_stream_write(watch->exchange, (struct aic_str){text, (size_t)length});
    server_stream_end(watch->exchange);
}

static void end_watch(void *to, enum viewers_end why)
{
    struct watch *watch = to;
    if (why == VIEWERS_SLOW) {
        log_warn("web", "a viewer of live calls does not keep up and was cut",
                 LOG_S("who", watch->who));
    }
    say_goodbye(watch, why);
}

static void list_came(void *data, int32_t status, struct aic_str list)
{
    struct asking *asking = data;
    struct events *events = asking->events;
    free(asking);
    if (events) {
        events->asking = NULL;
        viewers_snapshot(events->viewers,
                         status == AIC_OK ? aic_json_parse(list, LIST_BYTES) : NULL);
    }
}

static void ask_for_list(void *data)
{
    struct events *events = data;
    events->asking = malloc(sizeof(*events->asking));
    if (events->asking) {
        events->asking->events = events;
        link_list_calls(events->web->settings.link, list_came, events->asking);
    } else {
        viewers_snapshot(events->viewers, NULL);
    }
}

/* How many look on */

/* Tells the other workers how many are here. */
static void tell_count(const struct events *events)
{
    _Atomic int64_t *count = events->web->settings.viewers;
    if (count) {
        atomic_store(count, events->viewers ? (int64_t)viewers_count(events->viewers) : 0);
    }
}

static int64_t count_all(const struct events *events)
{
    const struct shm *shm = events->web->settings.shm;
    int64_t count = shm || !events->viewers ? 0 : (int64_t)viewers_count(events->viewers);
    for (int i = 0; shm && i < SHM_WORKERS; i++) {
        const struct shm_worker *slot = &shm->workers[i];
        count += atomic_load(&slot->pid) != 0 ? atomic_load(&slot->viewers) : 0;
    }
    return count;
}

static int64_t count_of(const struct events *events, const char *who)
{
    int64_t count = 0;
    for (const struct watch *watch = events->watches; watch && who[0]; watch = watch->next) {
        count += strcmp(watch->who, who) == 0;
    }
    return count;
}

/* News are wanted as long as somebody is here */

static void forget_viewers(struct events *events)
{
    if (events->asking) {
        events->asking->events = NULL;
        events->asking = NULL;
    }
    viewers_destroy(events->viewers);
    events->viewers = NULL;
    tell_count(events);
}

static void linger_is_over(void *data)
{
    struct events *events = data;
    events->linger = NULL;
    link_follow(events->web->settings.link, false);
    forget_viewers(events);
}

static void stop_timer(struct events *events, struct sched_timer **timer)
{
    sched_timer_stop(events->web->settings.sched, *timer);
    *timer = NULL;
}

static void check_is_due(void *data);

static void start_check(struct events *events)
{
    struct sched *sched = events->web->settings.sched;
    events->check = sched_timer_start(sched, sched_now(sched) + CHECK_US, check_is_due, events);
}

/* NULL without memory. */
static struct viewers *need_viewers(struct events *events)
{
    if (!events->viewers) {
        const struct viewers_ops ops = {.write = write_to,
                                        .queued = queued_for,
                                        .end = end_watch,
                                        .want_snapshot = ask_for_list,
                                        .data = events};
        events->viewers = viewers_create(events->web->settings.sched, &ops);
    }
    if (events->viewers && viewers_count(events->viewers) == 0) {
        link_follow(events->web->settings.link, true);
        stop_timer(events, &events->linger);
        stop_timer(events, &events->check);
        start_check(events);
    }
    return events->viewers;
}

static void linger(struct events *events)
{
    struct sched *sched = events->web->settings.sched;
    stop_timer(events, &events->check);
    stop_timer(events, &events->linger);
    events->linger = sched_timer_start(sched, sched_now(sched) + LINGER_US, linger_is_over, events);
}

/* Whether they still may */

static void was_checked(void *data, bool is_good)
{
    struct watch *watch = data;
    watch->is_checked = false;
    if (!watch->exchange) {
        free(watch); /* it went meanwhile */
    } else if (watch->web && !is_good) {
        viewers_end(watch->web->events->viewers, watch->viewer, VIEWERS_DENIED);
    }
}

static void check(struct watch *watch)
{
    if (watch->has_credential && !watch->is_checked) {
        watch->is_checked = true;
        access_again(watch->web, watch->exchange, API_SCOPE_READ, was_checked, watch);
    }
}

static void check_some(void *data)
{
    struct events *events = data;
    struct sched *sched = events->web->settings.sched;
    events->step = NULL;
    for (int i = 0; i < STEP && events->cursor; i++) {
        struct watch *watch = events->cursor;
        events->cursor = watch->next;
        check(watch);
    }
    if (events->cursor) {
        events->step = sched_timer_start(sched, sched_now(sched) + STEP_US, check_some, events);
    }
}

static void check_all(struct events *events)
{
    stop_timer(events, &events->step);
    events->cursor = events->watches;
    check_some(events);
}

static void check_is_due(void *data)
{
    struct events *events = data;
    start_check(events);
    /* Said again, in case the master did not read it. */
    link_follow(events->web->settings.link, true);
    check_all(events);
}

void events_check(struct web *web)
{
    if (web->events) {
        check_all(web->events);
    }
}

/* Coming and going */

static void unlist(struct watch *watch)
{
    struct events *events = watch->web->events;
    events->cursor = events->cursor == watch ? watch->next : events->cursor;
    *watch->where = watch->next;
    if (watch->next) {
        watch->next->where = watch->where;
    }
    viewers_remove(events->viewers, watch->viewer);
    watch->web = NULL;
    watch->viewer = NULL;
    tell_count(events);
}

static void stream_is_closed(void *data)
{
    struct watch *watch = data;
    struct events *events = watch->web ? watch->web->events : NULL;
    if (events) {
        unlist(watch);
        if (viewers_count(events->viewers) == 0) {
            linger(events);
        }
    }
    watch->exchange = NULL;
    if (!watch->is_checked) {
        free(watch);
    }
}

static bool begin_stream(struct watch *watch, const struct viewers_wish *wish)
{
    static const struct aic_header headers[] = {
        {AIC_STR_INIT("cache-control"), AIC_STR_INIT("no-store")},
        {AIC_STR_INIT("x-content-type-options"), AIC_STR_INIT("nosniff")},
        {AIC_STR_INIT("x-accel-buffering"), AIC_STR_INIT("no")},
    };
    struct events *events = watch->web->events;
    const struct aic_response head = {.size = sizeof(head),
                                      .status = 200,
                                      .content_type = "text/event-stream",
                                      .headers = headers,
                                      .header_count = 3,
                                      .header_size = sizeof(headers[0])};
    const struct server_stream_handler handler = {.closed = stream_is_closed, .data = watch};
    watch->viewer = viewers_add(events->viewers, wish, watch);
    if (!watch->viewer) {
        (void)reply_problem(watch->exchange, 503, "memory", "Out of memory; try again.");
        return false;
    }
    watch->next = events->watches;
    watch->where = &events->watches;
    if (watch->next) {
        watch->next->where = &watch->next;
    }
    events->watches = watch;
    tell_count(events);
    if (server_stream_begin(watch->exchange, &head, -1, &handler) != AIC_OK) {
        unlist(watch);
        return false;
    }
    (void)server_stream_write(watch->exchange, AIC_STR(":\n\n"));
    return true;
}

/* A user or a key; this machine itself has no limit. */
static void name_visitor(const struct visit *visit, char who[WHO_TEXT])
{
    who[0] = '\0';
    if (visit->user) {
        (void)snprintf(who, WHO_TEXT, "user %s", visit->user->user_id);
    } else if (visit->key) {
        (void)snprintf(who, WHO_TEXT, "key %s", visit->key->id);
    }
}

/* Refuses one too many; true if so. */
static bool refuse_many(struct events *events, const struct visit *visit, const char *who)
{
    const struct web_settings *settings = &events->web->settings;
    bool is_full = count_all(events) >= settings->max_viewers;
    if (!is_full && count_of(events, who) < settings->viewers_per_key) {
        return false;
    }
    counter_add(COUNTER_VIEWERS_TOO_MANY, 1);
    (void)reply_with(visit->exchange,
                     &(struct problem){.status = is_full ? 503 : 429,
                                       .type = "too-many-viewers",
                                       .detail = is_full ? "limits.max_viewers look on already."
                                                         : "limits.viewers_per_key look on already "
                                                           "with this key or user.",
                                       .retry_after_s = RETRY_AFTER_S});
    return true;
}

/* The number in Last-Event-ID; 0 for what is none, which gets a snapshot. */
static uint64_t read_last_id(struct aic_exchange *exchange)
{
    struct aic_str text = server_header(exchange, "last-event-id");
    uint64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || text.len > MAX_DIGITS) {
            return 0;
        }
        number = number * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    return number;
}

/* False after answering what is wrong. */
static bool read_call(const struct visit *visit, char call_id[UUID_TEXT])
{
    static const char *const names[] = {"call"};
    struct params params;
    bool is_good = params_read(&params, visit->request->query, names, 1);
    struct aic_str id = is_good ? params_get(&params, "call") : AIC_STR("");
    is_good = is_good && (id.len == 0 || uuid_valid(id) ||
                          params_fail(&params, "call", "call must be a call_id"));
    (void)aic_str_copy(is_good ? id : AIC_STR(""), call_id, UUID_TEXT);
    if (!is_good) {
        (void)lookup_refuse(visit, &params);
    }
    params_finish(&params);
    return is_good;
}

static int32_t get_events(struct web *web, const struct visit *visit)
{
    char call_id[UUID_TEXT];
    char who[WHO_TEXT];
    name_visitor(visit, who);
    if (!read_call(visit, call_id) || refuse_many(web->events, visit, who)) {
        return AIC_OK;
    }
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch || !need_viewers(web->events)) {
        free(watch);
        return reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    }
    watch->web = web;
    watch->exchange = visit->exchange;
    watch->has_credential = visit->key || visit->user;
    memcpy(watch->who, who, sizeof(watch->who));
    const struct viewers_wish wish = {.call_id = call_id,
                                      .hides_numbers = visit->hides_numbers,
                                      .last_number = read_last_id(visit->exchange)};
    if (!begin_stream(watch, &wish)) {
        free(watch);
    }
    return AIC_OK;
}

bool events_routes(struct web *web)
{
    web->events = calloc(1, sizeof(*web->events));
    if (web->events) {
        web->events->web = web;
        web_route(web, AIC_METHOD_GET, "/calls/events/",
                  &(struct web_route){.scope = API_SCOPE_READ, .handle = get_events});
    }
    return web->events != NULL;
}

void events_take(struct web *web, const struct link_news *news)
{
    if (web->events && web->events->viewers) {
        viewers_take(web->events->viewers, news->number, news->call_id, news->body);
    }
}

void events_drain(struct web *web)
{
    if (web->events && web->events->viewers) {
        viewers_end_all(web->events->viewers, VIEWERS_DRAINING);
    }
}

void events_end(struct web *web)
{
    struct events *events = web->events;
    if (!events) {
        return;
    }
    struct watch *next = NULL;
    for (struct watch *watch = events->watches; watch; watch = next) {
        next = watch->next;
        say_goodbye(watch, VIEWERS_DRAINING);
        watch->web = NULL; /* it is freed when its connection closes */
        watch->viewer = NULL;
    }
    stop_timer(events, &events->check);
    stop_timer(events, &events->step);
    stop_timer(events, &events->linger);
    forget_viewers(events);
    web->events = NULL;
    free(events);
}
