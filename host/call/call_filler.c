/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "plugin/provider.h"

/* A caller must not sit in silence: while a model or a tool takes its time, the agent says so. */

enum { FILLERS_PER_ANSWER = 2 };

/* Looks again when the agent is still being heard. */
static const int64_t look_again_us = 300000;
/* The second one waits longer than the first. */
static const int64_t patience = 4;

static void is_due(void *data);

static void look_at(struct call *call, int64_t when_us)
{
    sched_timer_stop(call->env.sched, call->filler_timer);
    call->filler_timer = sched_timer_start(call->env.sched, when_us, is_due, call);
}

static bool is_being_heard(struct call *call)
{
    return call->answer.from_us >= 0 &&
           playout_heard_us(&call->playout) < playout_pushed_us(&call->playout);
}

static void is_due(void *data)
{
    struct call *call = data;
    struct answer *answer = &call->answer;
    int64_t now_us = sched_now(call->env.sched);
    call->filler_timer = NULL;
    bool is_at_work = !answer->is_thought || answer->tools_running > 0;
    if (call->state != CALL_TALKING || !answer->is_active || !is_at_work) {
        return;
    }
    if (is_being_heard(call)) {
        look_at(call, now_us + look_again_us);
        return;
    }
    if (answer->text.len > answer->filled_to) {
        return; /* its words are on their way to the voice */
    }
    size_t count = 0;
    while (call->agent->fillers[count]) {
        count++;
    }
    if (count == 0) {
        return;
    }
    call->responder->ops->fill(call->responder,
                               aic_str(call->agent->fillers[call->fillers++ % count]));
    answer->filled_to = answer->text.len;
    answer->fillers++;
    if (answer->fillers < FILLERS_PER_ANSWER) {
        look_at(call, now_us + patience * call->agent->filler_after_us);
    }
}

void call_expect_answer(struct call *call)
{
    bool has_voice = call->agent->tts.count > 0 && !call->is_text;
    if (has_voice && call->agent->filler_after_us > 0 &&
        call->answer.fillers < FILLERS_PER_ANSWER) {
        call->answer.filled_to = call->answer.text.len;
        look_at(call, sched_now(call->env.sched) + call->agent->filler_after_us);
    }
}
