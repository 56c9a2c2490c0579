/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include <stdio.h>
#include <string.h>

/* No further key for this long: the entry is complete. */
static const int64_t pause_us = 2 * INT64_C(1000000);

static void finish(struct call *call)
{
    char words[sizeof("DTMF: ") + CALL_KEYS];
    char count[24];
    sched_timer_stop(call->env.sched, call->key_timer);
    call->key_timer = NULL;
    if (call->key_count == 0 || call->state != CALL_TALKING) {
        return;
    }
    call->keys[call->key_count] = '\0';
    (void)snprintf(words, sizeof(words), "DTMF: %s", call->keys);
    (void)snprintf(count, sizeof(count), "%zu", call->key_count);
    call->key_count = 0;
    memset(call->keys, 0, sizeof(call->keys));
    /* How many, not which: they may be a secret, and the transcript holds them already. */
    call_record_note(call, "dtmf", "count", count);
    (void)call_type(call, aic_str(words));
}

static void pause_is_over(void *data)
{
    struct call *call = data;
    call->key_timer = NULL;
    finish(call);
}

static void take_key(struct call *call, char key)
{
    bool is_leaving = call->answer.is_active && call->answer.ends_call;
    if (is_leaving || !memchr("0123456789*#ABCD", key, 16)) {
        return;
    }
    /* Who presses a key does not want to hear the rest. */
    call_interrupt(call);
    call_stop_waiting(call);
    if (key != '#' || call->key_count == 0) {
        call->keys[call->key_count++] = key;
    }
    if (key == '#' || call->key_count == CALL_KEYS) {
        finish(call);
    }
}

void call_take_keys(struct call *call, struct aic_str digits)
{
    for (size_t i = 0; i < digits.len && call->state == CALL_TALKING; i++) {
        take_key(call, digits.ptr[i]);
    }
    if (call->state == CALL_TALKING && call->key_count > 0) {
        sched_timer_stop(call->env.sched, call->key_timer);
        call->key_timer = sched_timer_start(call->env.sched, sched_now(call->env.sched) + pause_us,
                                            pause_is_over, call);
    }
}
