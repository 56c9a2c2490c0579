/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"
#include "call/gate.h"
#include "call/opt_out.h"
#include "call/phrases.h"
#include "call/sentences.h"

#include <string.h>

/* What is owed to people who are called: to be told first who calls, and to be left alone when they
 * want to be. No model has a say in it. */

/* How often it is looked whether the first sentence has been heard. */
static const int64_t look_us = 100000;

/* The first sentence of a text, in the pieces that a voice is given. */
struct first_sentence {
    size_t length; /* with single spaces between the pieces */
    bool is_complete;
};

static bool ends_sentence(struct aic_str piece)
{
    static const char danda[] = "।";
    size_t length = sizeof(danda) - 1;
    return (piece.len > 0 && strchr(".!?", piece.ptr[piece.len - 1])) ||
           (piece.len >= length && memcmp(piece.ptr + piece.len - length, danda, length) == 0);
}

static void take_piece(void *data, struct aic_str piece)
{
    struct first_sentence *first = data;
    if (!first->is_complete) {
        first->length += piece.len + (first->length > 0);
        first->is_complete = ends_sentence(piece);
    }
}

static size_t first_sentence_length(const char *text)
{
    struct sentences sentences;
    struct first_sentence first = {.length = 0};
    sentences_init(&sentences);
    sentences_push(&sentences, aic_str(text), take_piece, &first);
    sentences_end(&sentences, take_piece, &first);
    sentences_finish(&sentences);
    return first.length;
}

/* What people say when they take up the receiver; the greeting is the answer to it. */
static bool is_hello(struct aic_str text)
{
    static const char *const hellos[] = {
        "hello",       "hello hello", "hi",      "hey",   "yes",     "yes hello", "hello yes",
        "who is this", "haan",        "haan ji", "hanji", "namaste", "हैलो",       "हेलो",
        "नमस्ते",        "हाँ",          "हां",      "हाँ जी", "जी",      "कौन"};
    struct aic_buf buf;
    aic_buf_init(&buf, 1024);
    phrases_normalise(&buf, text);
    bool found = false;
    for (size_t i = 0; !found && i < sizeof(hellos) / sizeof(hellos[0]); i++) {
        found = aic_str_equal(aic_buf_view(&buf), hellos[i]);
    }
    aic_buf_finish(&buf);
    return found;
}

static void look_whether_heard(void *data);

static void look_later(struct call *call)
{
    call->disclosure_timer = sched_timer_start(
        call->env.sched, sched_now(call->env.sched) + look_us, look_whether_heard, call);
}

static void look_whether_heard(void *data)
{
    struct call *call = data;
    struct aic_buf heard;
    call->disclosure_timer = NULL;
    if (!call->answer.is_active || call->answer.epoch != call->disclosure_epoch) {
        return;
    }
    aic_buf_init(&heard, 64 * 1024);
    if (call->answer.from_us >= 0) {
        int64_t heard_us = playout_heard_us(&call->playout) - call->answer.from_us;
        call->responder->ops->heard_text(call->responder, heard_us, &heard);
    }
    if (heard.len < call->disclosure_length) {
        look_later(call);
    } else {
        call_record_note(call, "disclosed", "text", heard.data);
        turn_agent_unprotect(&call->turn);
        if (is_hello(turn_text(&call->turn))) {
            turn_begin_next(&call->turn);
        }
    }
    aic_buf_finish(&heard);
}

/* Who is at the other end; NULL where it has no number that could be called. */
static const char *other_number(const struct call *call)
{
    const char *number = call->direction == AIC_DIRECTION_OUTBOUND ? call->to : call->from;
    return number[0] == '+' ? number : NULL;
}

void call_disclose(struct call *call)
{
    bool is_called = call->direction == AIC_DIRECTION_OUTBOUND && other_number(call);
    if (is_called && call->answer.is_active) {
        turn_agent_begins(&call->turn, true);
        call->disclosure_epoch = call->answer.epoch;
        call->disclosure_length = first_sentence_length(call->agent->greeting);
        look_later(call);
    }
}

bool call_opts_out(const struct call *call, struct aic_str words)
{
    return call->env.gate && other_number(call) && opt_out_is_said(words);
}

void call_leave_alone(struct call *call)
{
    log_info("call", "whom we talk with wants no more calls", LOG_S("call", call->id));
    call_record_note(call, "opt_out", "by", "caller");
    gate_opt_out(call->env.gate, call->id, other_number(call));
    call_announce_opt_out(call, other_number(call));
    if (!call->end_reason[0]) {
        (void)aic_str_copy(AIC_STR("opt_out"), call->end_reason, sizeof(call->end_reason));
    }
    if (call->agent->opt_out[0]) {
        call_say(call, call->agent->opt_out, true);
    } else {
        call_hang_up(call, "opt_out");
    }
}
