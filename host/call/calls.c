/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"
#include "plugin/guard.h"

#include <stdlib.h>
#include <string.h>

struct live *calls_find(const struct calls *calls, const char *id)
{
    for (struct live *live = calls->live; live; live = live->next) {
        if (!live->is_over && strcmp(call_id(live->call), id) == 0) {
            return live;
        }
    }
    return NULL;
}

static int64_t all_calls(const struct calls *calls)
{
    int64_t elsewhere = calls->hooks.elsewhere ? calls->hooks.elsewhere(calls->hooks.data) : 0;
    return elsewhere + (int64_t)(calls->live_count + calls->pending_count);
}

bool calls_are_few(const struct calls *calls)
{
    return all_calls(calls) <= calls->settings.max_calls;
}

bool calls_have_room(const struct calls *calls)
{
    return !calls->refuses && all_calls(calls) < calls->settings.max_calls;
}

void calls_count(struct calls *calls)
{
    if (calls->hooks.counted) {
        calls->hooks.counted(calls->hooks.data, calls->live_count, calls->pending_count);
    }
}

size_t calls_live(const struct calls *calls)
{
    return calls->live_count;
}

size_t calls_waiting(const struct calls *calls)
{
    return calls->pending_count;
}

struct provider *calls_carrier(const struct calls *calls, const char *name)
{
    for (size_t i = 0; i < calls->carrier_count; i++) {
        if (strcmp(calls->carriers[i].provider->name, name) == 0) {
            return calls->carriers[i].provider;
        }
    }
    return NULL;
}

static void settle(struct live *live)
{
    if (live->has_share) {
        live->has_share = false;
        calls_settle(live->calls, call_id(live->call), call_cost(live->call));
    }
}

/* Of a call that is in no list any more. */
static void free_live(struct live *live)
{
    struct calls *calls = live->calls;
    sched_timer_stop(calls->settings.sched, live->timer);
    if (!live->is_over) {
        chat_ended(live);
        settle(live);
        calls_release(live);
    }
    call_destroy(live->call);
    aic_buf_finish(&live->audio);
    free(live);
}

static void destroy_live(struct live *live)
{
    struct live **at = &live->calls->live;
    while (*at != live) {
        at = &(*at)->next;
    }
    *at = live->next;
    free_live(live);
}

static void destroy_later(void *data)
{
    struct live *live = data;
    live->timer = NULL;
    destroy_live(live);
}

static void count(struct calls *calls, int more)
{
    calls->live_count += (size_t)more;
    calls_count(calls);
}

static void call_notify(void *data, struct call *call, struct aic_str json)
{
    struct live *live = data;
    struct calls *calls = live->calls;
    calls_publish(live, json);
    if (calls->hooks.notify) {
        calls->hooks.notify(calls->hooks.data, call_id(call), json);
    }
}

static void call_replied(void *data, struct call *call, struct aic_str text)
{
    (void)call;
    chat_replied(data, text);
}

static void call_spoke(void *data, struct call *call, const uint8_t *bytes, size_t count)
{
    struct live *live = data;
    (void)call;
    aic_buf_add(&live->audio, bytes, count);
}

static void call_ended(void *data, struct call *call)
{
    struct live *live = data;
    struct calls *calls = live->calls;
    live->is_over = true;
    count(calls, -1);
    settle(live);
    chat_ended(live);
    calls_release(live);
    if (calls->hooks.ended) {
        calls->hooks.ended(calls->hooks.data, call_id(call), call);
    }
    sched_timer_stop(calls->settings.sched, live->timer);
    live->timer = sched_timer_start(calls->settings.sched, sched_now(calls->settings.sched),
                                    destroy_later, live);
}

struct live *calls_add(struct calls *calls, const struct call_params *params)
{
    struct live *live = calloc(1, sizeof(*live));
    if (!live) {
        return NULL;
    }

    enum { MAX_SPOKEN = 8 << 20 };

    live->calls = calls;
    aic_buf_init(&live->audio, MAX_SPOKEN);
    const struct call_env env = {.sched = calls->settings.sched,
                                 .journal = calls->settings.journal,
                                 .recordings_dir = calls->settings.recordings_dir,
                                 .clips = calls->settings.clips,
                                 .fetch = calls->settings.fetch,
                                 .prices = calls->settings.prices,
                                 .gate = calls->settings.gate,
                                 .webhooks = calls->settings.webhooks,
                                 .traces = calls->settings.traces,
                                 .max_cost = calls->settings.max_cost};
    const struct call_hooks hooks = {.notify = call_notify,
                                     .replied = call_replied,
                                     .spoke = call_spoke,
                                     .ended = call_ended,
                                     .data = live};
    live->call = call_create(&env, params, &hooks);
    if (!live->call) {
        aic_buf_finish(&live->audio);
        free(live);
        return NULL;
    }
    live->next = calls->live;
    calls->live = live;
    count(calls, 1);
    return live;
}

struct calls *calls_create(const struct calls_settings *settings, const struct calls_hooks *hooks)
{
    struct calls *calls = calloc(1, sizeof(*calls));
    if (calls) {
        calls->settings = *settings;
        calls->hooks = *hooks;
    }
    return calls;
}

void calls_destroy(struct calls *calls)
{
    if (!calls) {
        return;
    }
    calls->refuses = true;
    arrival_drop_all(calls);
    while (calls->pending) {
        pending_remove(calls->pending);
    }
    while (calls->live) {
        struct live *live = calls->live;
        if (!live->is_over) {
            call_end(live->call, "shutdown", false);
        }
        calls->live = live->next;
        free_live(live);
    }
    for (size_t i = 0; i < calls->carrier_count; i++) {
        struct provider *provider = calls->carriers[i].provider;
        GUARD(provider, "telephony.stop", provider->telephony.stop(provider->self));
    }
    free(calls);
}

void calls_stop_new(struct calls *calls)
{
    calls->refuses = true;
    chat_hurry(calls);
}

void calls_end_all(struct calls *calls, const char *reason, bool politely)
{
    for (struct live *live = calls->live; live; live = live->next) {
        if (!live->is_over) {
            call_end(live->call, reason, politely);
        }
    }
}
