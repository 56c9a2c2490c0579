/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/audio.h"
#include "base/log.h"
#include "call/clips.h"
#include "call/phrases.h"
#include "plugin/provider.h"

#include <stdlib.h>
#include <string.h>

static struct dialog_message *message_of(struct call *call)
{
    return call->answer.message == CALL_NO_MESSAGE ? NULL
                                                   : &call->dialog.messages[call->answer.message];
}

static void clear_answer(struct call *call)
{
    struct answer *answer = &call->answer;
    struct aic_buf text = answer->text;
    struct aic_buf guess = answer->guess;
    int64_t turn_ended_us = answer->turn_ended_us;
    int64_t words_us = answer->words_us;
    call_forget_tools(call);
    free(answer->state);
    free(answer->state_provider);
    aic_buf_clear(&text);
    aic_buf_clear(&guess);
    *answer = (struct answer){.text = text,
                              .guess = guess,
                              .message = CALL_NO_MESSAGE,
                              .from_us = -1,
                              .turn_ended_us = turn_ended_us,
                              .words_us = words_us};
}

static void add_message(struct call *call)
{
    uint8_t random[10];
    call_random(call, random);
    struct dialog_message *message = dialog_add(&call->dialog, DIALOG_ASSISTANT, call->turn_number,
                                                AIC_STR(""), sched_wall(call->env.sched), random);
    if (message) {
        call->answer.message = (int)call->dialog.count - 1;
    }
}

/* A new answer begins; late output of older ones is recognised by its epoch. */
static void begin_answer(struct call *call, bool is_fixed)
{
    clear_answer(call);
    struct answer *answer = &call->answer;
    answer->epoch = ++call->epoch;
    answer->turn = call->turn_number;
    answer->started_us = sched_now(call->env.sched);
    answer->is_active = true;
    answer->is_fixed = is_fixed;
    call_stop_waiting(call);
    turn_agent_begins(&call->turn, false);
}

/* The caller's words become a message; words of an answer that was taken back are part of it. */
static void add_user_message(struct call *call, struct aic_str words)
{
    struct dialog_message *message = dialog_last(&call->dialog, DIALOG_USER);
    if (call->merges_user && message) {
        call->merges_user = false;
        (void)dialog_set(&message->content, words);
        message->revision++;
    } else {
        uint8_t random[10];
        call_random(call, random);
        call->turn_number++;
        message = dialog_add(&call->dialog, DIALOG_USER, call->turn_number, words,
                             sched_wall(call->env.sched), random);
    }
    if (message) {
        if (message->began_wall_us == 0) {
            message->began_wall_us = call_wall(call, call->spoke_us);
        }
        message->ended_wall_us = call->spoke_us ? call_wall(call, call->answer.turn_ended_us) : 0;
        call_record_message(call, message, false);
    }
    call->spoke_us = 0;
    call_tell_text(call, "transcript", call->turn_number, words, true);
}

/* Whether the model in charge knows itself when a conversation is over. */
static bool is_scripted(const struct call *call)
{
    const struct provider *provider =
        call->agent->llm.count > 0 ? call->agent->llm.providers[0] : NULL;
    return provider && (provider->llm_caps.flags & AIC_LLM_SCRIPTED);
}

static bool takes_leave(const struct call *call, struct aic_str words)
{
    return !is_scripted(call) && phrases_is_goodbye(words, call->agent->goodbyes);
}

void call_answer(struct call *call, struct aic_str words)
{
    call->reprompts = 0;
    struct answer *answer = &call->answer;
    bool was_right = answer->is_speculative && aic_buf_view(&answer->guess).len == words.len &&
                     memcmp(aic_buf_view(&answer->guess).ptr, words.ptr, words.len) == 0;
    if (answer->is_speculative && !was_right) {
        call_drop_thoughts(call);
    }
    add_user_message(call, words);
    call_recording_hear(call, words);
    if (call_opts_out(call, words)) {
        call_leave_alone(call);
        return;
    }
    if (takes_leave(call, words)) {
        call_record_note(call, "goodbye", "by", "caller");
    }
    bool ends_call = takes_leave(call, words);
    if (was_right) {
        answer->is_speculative = false;
        answer->turn = call->turn_number;
        answer->ends_call = ends_call;
        turn_agent_begins(&call->turn, false);
        add_message(call);
        call_tell_state(call, "thinking");
        call_expect_answer(call);
        call->responder->ops->promote(call->responder);
        if (call->answer.is_thought) {
            call_run_tools(call);
        }
        return;
    }
    begin_answer(call, false);
    answer->ends_call = ends_call;
    add_message(call);
    call_tell_state(call, "thinking");
    call_expect_answer(call);
    call->responder->ops->answer(call->responder, false);
}

void call_think_ahead(struct call *call)
{
    if (call->answer.is_active) {
        return;
    }
    clear_answer(call);
    call->answer.epoch = ++call->epoch;
    call->answer.is_active = true;
    call->answer.is_speculative = true;
    call->answer.started_us = sched_now(call->env.sched);
    aic_buf_str(&call->answer.guess, turn_text(&call->turn));
    call->responder->ops->answer(call->responder, true);
}

void call_drop_thoughts(struct call *call)
{
    if (call->answer.is_speculative) {
        call->responder->ops->cancel(call->responder, -1);
        clear_answer(call);
        call_record_note(call, "early_answer_dropped", "by", "caller");
    }
}

void call_begin(struct call *call)
{
    begin_answer(call, false);
    add_message(call);
    call_tell_state(call, "thinking");
    call_expect_answer(call);
    call->responder->ops->answer(call->responder, false);
}

void call_say(struct call *call, const char *text, bool ends_call)
{
    if (call->answer.is_active) {
        call_cut_answer(call);
    }
    begin_answer(call, true);
    call->answer.ends_call = ends_call;
    call->answer.is_thought = true;
    /* Last words are not taken back. */
    turn_agent_begins(&call->turn, ends_call);
    add_message(call);
    call->responder->ops->say(call->responder, aic_str(text));
}

/* From the responder: the answer's text. */

static void write_messages(void *data, const struct provider *provider, struct aic_str note,
                           struct aic_buf *to)
{
    struct call *call = data;
    struct aic_buf notes;
    aic_buf_init(&notes, 64 * 1024);
    aic_buf_str(&notes, note);
    if (call->answer.ends_call) {
        aic_buf_text(&notes, " The caller has said goodbye: answer with one short closing "
                             "sentence and no question.");
    }
    if (call->answer.is_speculative) {
        /* The words are not yet a message: they may still grow. */
        uint8_t random[10] = {0};
        if (dialog_add(&call->dialog, DIALOG_USER, call->turn_number + 1,
                       aic_buf_view(&call->answer.guess), 0, random)) {
            dialog_write(&call->dialog, aic_str(call->prompt), aic_buf_view(&notes), provider->name,
                         call->agent->memory_tokens, to);
            dialog_drop_last(&call->dialog);
        }
    } else {
        dialog_write(&call->dialog, aic_str(call->prompt), aic_buf_view(&notes), provider->name,
                     call->agent->memory_tokens, to);
    }
    aic_buf_finish(&notes);
}

static void take_text(void *data, struct aic_str delta)
{
    struct call *call = data;
    aic_buf_str(&call->answer.text, delta);
    call_tell_text(call, "reply", call->answer.turn, aic_buf_view(&call->answer.text), false);
}

static void take_tool(void *data, struct aic_str id, struct aic_str name, struct aic_str arguments)
{
    call_take_tool(data, id, name, arguments);
}

static void take_thought(void *data, const struct provider *provider, uint32_t finish,
                         struct aic_str state)
{
    struct call *call = data;
    (void)finish;
    call->answer.is_thought = true;
    call->answer.thought_us = sched_now(call->env.sched);
    if (state.len > 0) {
        (void)dialog_set(&call->answer.state, state);
        (void)dialog_set(&call->answer.state_provider, aic_str(provider->name));
    }
    if (!call->answer.is_speculative) {
        call_run_tools(call);
    }
}

void call_after_tools(struct call *call, bool more)
{
    if (more) {
        call->answer.is_thought = false;
        call_expect_answer(call);
        call->responder->ops->answer_more(call->responder);
    } else {
        call->responder->ops->end_answer(call->responder);
    }
}

/* From the responder: the answer's sound. */

static void take_audio(void *data, const uint8_t *bytes, size_t count)
{
    struct call *call = data;
    if (call->is_text) {
        if (call->hooks.spoke) {
            call->hooks.spoke(call->hooks.data, call, bytes, count);
        }
        return;
    }
    if (call->answer.from_us < 0) {
        call->answer.from_us = playout_pushed_us(&call->playout);
        call_tell_state(call, "speaking");
    }
    playout_push(&call->playout, bytes, count);
}

static int64_t take_rewind(void *data, int64_t audio_us)
{
    struct call *call = data;
    if (call->is_text || call->answer.from_us < 0) {
        return 0;
    }
    int64_t end_us = playout_truncate(&call->playout, call->answer.from_us + audio_us);
    return end_us - call->answer.from_us;
}

/* Puts into the message what was generated, and what of it was heard. */
static void complete_message(struct call *call, struct aic_str heard, bool was_interrupted)
{
    struct dialog_message *message = message_of(call);
    struct answer *answer = &call->answer;
    if (!message) {
        return;
    }
    (void)dialog_set(&message->content, aic_buf_view(&answer->text));
    (void)dialog_set(&message->heard, heard);
    if (answer->state) {
        (void)dialog_set(&message->state, aic_str(answer->state));
        (void)dialog_set(&message->state_provider, aic_str(answer->state_provider));
    }
    if (answer->sent_us > 0) {
        message->began_wall_us = call_wall(call, answer->sent_us);
        message->ended_wall_us = sched_wall(call->env.sched);
    }
    message->revision++;
    call_record_message(call, message, was_interrupted);
}

/* The answer was given to its end. */
static void answer_is_complete(struct call *call)
{
    struct answer *answer = &call->answer;
    bool ends_call = answer->ends_call;
    const char *transfer_to = answer->transfer_to;
    if (!answer->is_active) {
        return;
    }
    complete_message(call, aic_buf_view(&answer->text), false);
    call_tell_text(call, "heard", answer->turn, aic_buf_view(&answer->text), false);
    call_record_turn(call, false);
    answer->is_active = false;
    call->is_apologising = false;
    if (call->is_text && call->hooks.replied) {
        call->hooks.replied(call->hooks.data, call, aic_buf_view(&answer->text));
    }
    if (transfer_to) {
        call_hand_over(call, transfer_to);
        return;
    }
    if (ends_call) {
        call_hang_up(call, "agent_ended");
        return;
    }
    call_tell_state(call, "listening");
    uint32_t actions = turn_agent_done(&call->turn, sched_now(call->env.sched));
    call_wait_for_caller(call);
    call_act(call, actions);
}

static void take_done(void *data)
{
    struct call *call = data;
    if (call->is_text) {
        call->was_heard = true;
        answer_is_complete(call);
    } else {
        playout_end(&call->playout);
    }
}

static void playout_drained(void *data)
{
    answer_is_complete(data);
}

static void playout_sent(void *data, const uint8_t *bytes, size_t count)
{
    struct call *call = data;
    recorder_agent(call->recorder, bytes, count);
    if (call->answer.is_active && call->answer.sent_us == 0) {
        call->answer.sent_us = sched_now(call->env.sched);
        call->was_heard = true;
    }
}

static void playout_cleared(void *data)
{
    struct call *call = data;
    recorder_agent_clear(call->recorder);
}

struct playout_events call_playout_events(struct call *call)
{
    return (struct playout_events){
        .drained = playout_drained, .sent = playout_sent, .cleared = playout_cleared, .data = call};
}

/* Stops the answer under way and its sound; appends what was heard of it. */
static void stop_answer(struct call *call, struct aic_buf *heard)
{
    int64_t heard_us = -1;
    if (!call->is_text) {
        int64_t position_us = playout_clear(&call->playout);
        heard_us = call->answer.from_us < 0 ? 0 : position_us - call->answer.from_us;
    }
    if (heard_us > 0) {
        call->responder->ops->heard_text(call->responder, heard_us, heard);
    }
    call->responder->ops->cancel(call->responder, heard_us);
}

void call_cut_answer(struct call *call)
{
    if (call->answer.is_speculative) {
        call_drop_thoughts(call);
        return;
    }
    struct aic_buf heard;
    aic_buf_init(&heard, 64 * 1024);
    stop_answer(call, &heard);
    call_abandon_tools(call);
    complete_message(call, aic_buf_view(&heard), true);
    call_tell_text(call, "heard", call->answer.turn, aic_buf_view(&heard), true);
    call_record_turn(call, true);
    call->answer.is_active = false;
    call->epoch++;
    aic_buf_finish(&heard);
}

/* Nothing of the answer was heard: it never happened, and the caller's words go on. */
static void take_answer_back(struct call *call)
{
    struct dialog_message *last = dialog_last(&call->dialog, DIALOG_USER);
    if (call->answer.message == (int)call->dialog.count - 1) {
        dialog_drop_last(&call->dialog);
    }
    if (last && !call->answer.is_fixed) {
        call->merges_user = true;
        turn_prepend(&call->turn, aic_str(last->content));
    }
    call->answer.is_active = false;
    call->epoch++;
}

void call_interrupt(struct call *call)
{
    if (!call->answer.is_active) {
        return;
    }
    if (call->answer.is_speculative) {
        call_drop_thoughts(call);
        return;
    }
    bool ran_tools = message_of(call) && message_of(call)->tool_calls;
    if (call->answer.sent_us == 0 && !ran_tools && !call->answer.ends_call) {
        struct aic_buf nothing;
        aic_buf_init(&nothing, 1);
        stop_answer(call, &nothing);
        aic_buf_finish(&nothing);
        take_answer_back(call);
    } else {
        call_cut_answer(call);
    }
    call_tell_state(call, "hearing");
}

static void say_last_words(struct call *call)
{
    if (!call->is_apologising && call->agent->tts.count > 0 && call->agent->apology[0]) {
        call->is_apologising = true;
        call_say(call, call->agent->apology, true);
        return;
    }
    call_hang_up(call, call->end_reason);
}

void call_apologise(struct call *call, const char *reason)
{
    if (call->state != CALL_TALKING) {
        return;
    }
    if (!call->end_reason[0]) {
        (void)aic_str_copy(aic_str(reason), call->end_reason, sizeof(call->end_reason));
    }
    say_last_words(call);
}

static void take_failure(void *data, enum responder_role role, const struct aic_error *error)
{
    struct call *call = data;
    static const char *const reasons[] = {"", "stt_failed", "llm_failed", "tts_failed"};
    log_error("call", "no provider is left", LOG_S("call", call->id), LOG_S("role", reasons[role]),
              LOG_S("category", error_category_name(error->category)));
    call_record_note(call, "no_provider_left", "role", reasons[role]);
    if (call->answer.is_speculative) {
        call_drop_thoughts(call);
        return;
    }
    if (role == RESPONDER_TTS && call->is_text) {
        return; /* the text still comes */
    }
    if (call->answer.is_active) {
        call_cut_answer(call);
    }
    /* Also without a voice: the apology was spoken ahead. */
    call_apologise(call, reasons[role]);
}

static bool take_clip(void *data, struct aic_str sentence, struct aic_str *audio)
{
    struct call *call = data;
    return clips_find(call->env.clips, call->agent, sentence, call->format_out, audio);
}

static void take_first_token(void *data, const struct provider *provider)
{
    struct call *call = data;
    (void)provider;
    if (call->answer.token_us == 0) {
        call->answer.token_us = sched_now(call->env.sched);
    }
}

static void take_first_audio(void *data, const struct provider *provider)
{
    struct call *call = data;
    (void)provider;
    if (call->answer.audio_us == 0) {
        call->answer.audio_us = sched_now(call->env.sched);
    }
}

static void take_switch(void *data, enum responder_role role, const struct provider *from,
                        const struct provider *to, const struct aic_error *error)
{
    struct call *call = data;
    call->answer.failovers++;
    if (role == RESPONDER_LLM) {
        call_forget_tools(call);
    }
    call_record_switch(call, role, from, to, error);
}

static void take_usage(void *data, enum responder_role role, const struct provider *provider,
                       const struct aic_usage *usage)
{
    call_use(data, (int)role, provider, usage);
}

struct responder_events call_responder_events(struct call *call)
{
    return (struct responder_events){
        .heard = call_heard,
        .hears_with = call_hears_with,
        .write_messages = write_messages,
        .text = take_text,
        .tool = take_tool,
        .thought = take_thought,
        .clip = take_clip,
        .audio = take_audio,
        .rewind = take_rewind,
        .done = take_done,
        .first_token = take_first_token,
        .first_audio = take_first_audio,
        .switched = take_switch,
        .usage = take_usage,
        .failed = take_failure,
        .data = call,
    };
}
