/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/audio.h"
#include "base/log.h"

#include <string.h>

/* Speech this long should yield words. */
static const int64_t real_speech_us = 600000;

static void silence_is_long(void *data);

static void take_frame(struct call *call)
{
    int64_t now_us = sched_now(call->env.sched);
    double level = audio_level_dbfs(call->format_in, call->frame, call->frame_bytes);
    double agent = playout_level(&call->playout);
    enum vad_event event = vad_push(&call->vad, level, agent, now_us);
    if (event == VAD_STARTED) {
        call_stop_waiting(call);
        call_tell_state(call, "hearing");
        call->spoke_us = call->spoke_us ? call->spoke_us : call->vad.started_us;
    }
    if (event == VAD_STOPPED && now_us - call->vad.started_us >= real_speech_us) {
        call->responder->ops->expect_words(call->responder);
    } else if (event == VAD_STOPPED && turn_text(&call->turn).len == 0) {
        call->spoke_us = 0; /* a cough begins no sentence */
    }
    call_act(call, turn_voice(&call->turn, event, &call->vad, now_us));
    bool is_idle = !call->answer.is_active && !call->silence_timer;
    if (is_idle && call->state == CALL_TALKING && turn_is_quiet(&call->turn)) {
        call_wait_for_caller(call);
    }
}

void call_take_audio(struct call *call, const struct aic_audio *audio)
{
    if (call->state != CALL_TALKING || !audio_format_equal(audio->format, call->format_in)) {
        return;
    }
    call->last_media_us = sched_now(call->env.sched);
    recorder_caller(call->recorder, audio->data, audio->bytes);
    call->responder->ops->hear(call->responder, audio->data, audio->bytes);
    for (size_t at = 0; at < audio->bytes && call->state == CALL_TALKING;) {
        size_t part = audio->bytes - at;
        size_t room = call->frame_bytes - call->frame_fill;
        part = part < room ? part : room;
        memcpy(call->frame + call->frame_fill, audio->data + at, part);
        call->frame_fill += part;
        at += part;
        if (call->frame_fill == call->frame_bytes) {
            call->frame_fill = 0;
            take_frame(call);
        }
    }
}

/* The next of a list that ends with NULL, over and over. */
static const char *take_turns(const char *const *list, int taken)
{
    int count = 0;
    while (list[count]) {
        count++;
    }
    return count > 0 ? list[taken % count] : "";
}

static void end_turn(struct call *call)
{
    struct aic_buf words;
    aic_buf_init(&words, 64 * 1024);
    aic_buf_str(&words, turn_text(&call->turn));
    call->answer.turn_ended_us = call->vad.last_voiced_us;
    call->answer.words_us = call->words_us;
    if (!call->turn.has_voice || call->spoke_us == 0) {
        call->spoke_us = call->turn.has_voice ? call->vad.started_us : 0;
    }
    float confidence = call->turn.confidence;
    bool is_unsure = (call->turn.settings.stt_flags & AIC_STT_CONFIDENCE) && confidence >= 0 &&
                     (double)confidence < call->agent->min_confidence &&
                     !call_opts_out(call, aic_buf_view(&words));
    turn_begin_next(&call->turn);
    call_stop_waiting(call);
    if (is_unsure) {
        call->spoke_us = 0;
        call_record_note(call, "low_confidence", "text", words.data);
        call_drop_thoughts(call);
        call_tell_text(call, "transcript", call->turn_number + 1, aic_buf_view(&words), true);
        call_say(call, take_turns(call->agent->unclear, call->unclear++), false);
    } else {
        call_answer(call, aic_buf_view(&words));
    }
    aic_buf_finish(&words);
}

void call_act(struct call *call, uint32_t actions)
{
    struct responder *r = call->responder;
    if (actions & TURN_UTTERANCE_BEGIN) {
        int64_t back_us = sched_now(call->env.sched) - call->turn.speech_started_us;
        r->ops->utterance_begin(r, call->turn.utterance_id, back_us);
    }
    if (actions & TURN_UTTERANCE_END) {
        r->ops->utterance_end(r);
    }
    if (actions & TURN_FINALIZE) {
        r->ops->finalize(r);
    }
    if (actions & TURN_PAUSE) {
        playout_pause(&call->playout);
    }
    if (actions & TURN_RESUME) {
        playout_resume(&call->playout);
        call_tell_state(call, "speaking");
    }
    if (actions & TURN_INTERRUPT) {
        call_interrupt(call);
    }
    if (actions & TURN_EAGER_CANCEL) {
        call_drop_thoughts(call);
    }
    if (actions & TURN_EAGER) {
        call_think_ahead(call);
    }
    if (actions & TURN_ANSWER && call->state == CALL_TALKING) {
        end_turn(call);
    }
}

void call_heard(void *data, const struct aic_stt_event *event)
{
    struct call *call = data;
    if (call->state != CALL_TALKING) {
        return;
    }
    if (event->kind == AIC_STT_EVENT_TRANSCRIPT) {
        call->words_us = event->text.len > 0 ? sched_now(call->env.sched) : call->words_us;
    }
    uint32_t actions = turn_hear(&call->turn, event, sched_now(call->env.sched));
    if (event->kind == AIC_STT_EVENT_TRANSCRIPT && event->text.len > 0) {
        call_stop_waiting(call);
        /* The recogniser's last word on a part; the turn's is told when it is answered. */
        call_tell_text(call, "transcript", call->turn_number + 1, turn_text(&call->turn), false);
    }
    call_act(call, actions);
}

void call_hears_with(void *data, uint32_t stt_flags)
{
    struct call *call = data;
    call_act(call, turn_hears_with(&call->turn, stt_flags, sched_now(call->env.sched)));
}

static void silence_is_long(void *data)
{
    struct call *call = data;
    call->silence_timer = NULL;
    if (call->state != CALL_TALKING || call->answer.is_active) {
        return;
    }
    if (call->reprompts >= call->agent->reprompt_limit) {
        call_end(call, "silence", true);
        return;
    }
    const char *text = take_turns(call->agent->reprompts, call->reprompts++);
    call_record_note(call, "reprompt", "text", text);
    call_say(call, text, false);
}

void call_wait_for_caller(struct call *call)
{
    if (call->state != CALL_TALKING || call->is_text) {
        return;
    }
    call_stop_waiting(call);
    call->silence_timer = sched_timer_start(
        call->env.sched, sched_now(call->env.sched) + call->agent->reprompt_after_us,
        silence_is_long, call);
}

void call_stop_waiting(struct call *call)
{
    sched_timer_stop(call->env.sched, call->silence_timer);
    call->silence_timer = NULL;
}
