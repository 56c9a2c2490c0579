/* SPDX-License-Identifier: ISC */
#include "call/turn.h"

#include "call/phrases.h"

enum { MAX_TEXT = 16384, MAX_WHOLE = 3 * MAX_TEXT + 2 };

/* How long pending words may take to become final once asked for. */
static const int64_t final_wait_us = 500000;
/* Thinking ahead begins when finished words are followed by this much silence. */
static const int64_t eager_silence_us = 200000;

void turn_init(struct turn *turn, const struct turn_settings *settings)
{
    *turn = (struct turn){.settings = *settings, .confidence = -1};
    aic_buf_init(&turn->before, MAX_TEXT);
    aic_buf_init(&turn->text, MAX_TEXT);
    aic_buf_init(&turn->partial, MAX_TEXT);
    aic_buf_init(&turn->whole, MAX_WHOLE);
}

void turn_finish(struct turn *turn)
{
    aic_buf_finish(&turn->before);
    aic_buf_finish(&turn->text);
    aic_buf_finish(&turn->partial);
    aic_buf_finish(&turn->whole);
}

static bool can(const struct turn *turn, uint32_t flag)
{
    return (turn->settings.stt_flags & flag) != 0;
}

static bool has_words(const struct turn *turn)
{
    return turn->before.len > 0 || turn->text.len > 0 || turn->partial.len > 0;
}

static void join(struct aic_buf *buf, struct aic_str text)
{
    if (buf->len > 0 && text.len > 0) {
        aic_buf_char(buf, ' ');
    }
    aic_buf_str(buf, text);
}

struct aic_str turn_text(struct turn *turn)
{
    aic_buf_clear(&turn->whole);
    join(&turn->whole, aic_buf_view(&turn->before));
    join(&turn->whole, aic_buf_view(&turn->text));
    join(&turn->whole, aic_buf_view(&turn->partial));
    return aic_buf_view(&turn->whole);
}

void turn_begin_next(struct turn *turn)
{
    aic_buf_clear(&turn->before);
    aic_buf_clear(&turn->text);
    aic_buf_clear(&turn->partial);
    turn->confidence = -1;
    turn->has_voice = turn->is_speech;
    turn->is_waiting = false;
    turn->is_eager = false;
}

void turn_prepend(struct turn *turn, struct aic_str text)
{
    struct aic_buf later;
    aic_buf_init(&later, MAX_TEXT);
    aic_buf_str(&later, aic_buf_view(&turn->before));
    aic_buf_clear(&turn->before);
    join(&turn->before, text);
    join(&turn->before, aic_buf_view(&later));
    aic_buf_finish(&later);
}

bool turn_is_quiet(const struct turn *turn)
{
    return !turn->is_speech && !turn->is_waiting && !has_words(turn);
}

static int64_t silence_us(const struct turn *turn, int64_t now_us)
{
    return turn->is_speech ? 0 : now_us - turn->last_voice_us;
}

/* The turn is over. */
static uint32_t answer(struct turn *turn)
{
    if (!has_words(turn) || turn->agent_is_active) {
        return 0;
    }
    return TURN_ANSWER;
}

static uint32_t resume(struct turn *turn)
{
    if (!turn->is_paused) {
        return 0;
    }
    turn->is_paused = false;
    return TURN_RESUME;
}

static uint32_t interrupt(struct turn *turn)
{
    turn->is_paused = false;
    turn->agent_is_active = false;
    return TURN_INTERRUPT;
}

static uint32_t hold(struct turn *turn, int64_t now_us)
{
    if (!turn->agent_is_active || turn->agent_is_protected || turn->is_paused) {
        return 0;
    }
    turn->is_paused = true;
    turn->paused_us = now_us;
    return TURN_PAUSE;
}

static uint32_t cancel_eager(struct turn *turn)
{
    if (!turn->is_eager) {
        return 0;
    }
    turn->is_eager = false;
    return TURN_EAGER_CANCEL;
}

/* Enough words, and not only signs of listening. */
static bool words_interrupt(struct turn *turn)
{
    struct aic_buf buf;
    aic_buf_init(&buf, MAX_WHOLE);
    phrases_normalise(&buf, turn_text(turn));
    size_t words = phrases_words(aic_buf_view(&buf));
    aic_buf_finish(&buf);
    size_t least =
        turn->settings.interrupt_min_words > 1 ? (size_t)turn->settings.interrupt_min_words : 1;
    return words >= least && !phrases_is_backchannel(turn_text(turn));
}

/* Second stage of an interruption, while the caller speaks. */
static uint32_t confirm_by_voice(struct turn *turn)
{
    /* The detector's wait for an end is no voice. */
    bool is_long = turn->last_voice_us - turn->speech_started_us >= turn->settings.interrupt_min_us;
    if (!turn->is_paused || !turn->is_speech || !is_long) {
        return 0;
    }
    if (turn->settings.interrupt_min_words > 0 || has_words(turn)) {
        return words_interrupt(turn) ? interrupt(turn) : 0;
    }
    return interrupt(turn);
}

static uint32_t speech_begins(struct turn *turn, const struct vad *vad, int64_t now_us)
{
    turn->is_speech = true;
    turn->has_voice = true;
    turn->speech_started_us = vad->started_us;
    uint32_t actions = hold(turn, now_us) | cancel_eager(turn);
    if (can(turn, AIC_STT_NEEDS_VAD) && !turn->utterance_is_open) {
        turn->utterance_id++;
        turn->utterance_is_open = true;
        actions |= TURN_UTTERANCE_BEGIN;
    }
    return actions;
}

/* Silence has lasted long enough for an end of turn: get the words, or answer. */
static uint32_t silence_ends_turn(struct turn *turn, int64_t now_us)
{
    if (turn->utterance_is_open) {
        turn->utterance_is_open = false;
        turn->is_waiting = true;
        turn->waiting_since_us = now_us;
        return TURN_UTTERANCE_END;
    }
    if (can(turn, AIC_STT_NEEDS_VAD)) {
        return turn->is_waiting ? 0 : answer(turn);
    }
    if (can(turn, AIC_STT_NATIVE_TURNS) || turn->is_waiting) {
        return 0;
    }
    if (turn->partial.len > 0 && can(turn, AIC_STT_FINALIZE)) {
        turn->is_waiting = true;
        turn->waiting_since_us = now_us;
        return TURN_FINALIZE;
    }
    return turn->partial.len == 0 ? answer(turn) : 0;
}

/* Words that were asked for did not come in time: go by what there is. */
static uint32_t give_up_waiting(struct turn *turn, int64_t now_us)
{
    int64_t limit_us =
        can(turn, AIC_STT_NEEDS_VAD) ? turn->settings.endpointing_max_us : final_wait_us;
    if (!turn->is_waiting || now_us - turn->waiting_since_us < limit_us) {
        return 0;
    }
    turn->is_waiting = false;
    return answer(turn);
}

static uint32_t think_ahead(struct turn *turn, int64_t now_us)
{
    bool may = turn->settings.early_answer && !turn->is_eager && !turn->agent_is_active &&
               !can(turn, AIC_STT_NEEDS_VAD) && !can(turn, AIC_STT_EAGER_TURNS);
    if (!may || turn->text.len == 0 || turn->partial.len > 0 ||
        silence_us(turn, now_us) < eager_silence_us) {
        return 0;
    }
    turn->is_eager = true;
    return TURN_EAGER;
}

uint32_t turn_voice(struct turn *turn, enum vad_event event, const struct vad *vad, int64_t now_us)
{
    turn->last_voice_us = vad->last_voiced_us;
    if (event == VAD_STARTED) {
        return speech_begins(turn, vad, now_us);
    }
    if (event == VAD_STOPPED) {
        turn->is_speech = false;
    }
    uint32_t actions = confirm_by_voice(turn);
    if (turn->is_speech) {
        return actions;
    }
    if (turn->is_paused && now_us - turn->paused_us >= turn->settings.resume_after_us) {
        actions |= resume(turn);
    }
    actions |= give_up_waiting(turn, now_us);
    if (silence_us(turn, now_us) >= turn->settings.endpointing_min_us) {
        actions |= silence_ends_turn(turn, now_us);
    }
    if (silence_us(turn, now_us) >= turn->settings.endpointing_max_us && has_words(turn)) {
        actions |= answer(turn);
    }
    return actions & TURN_ANSWER ? actions : actions | think_ahead(turn, now_us);
}

static void take_transcript(struct turn *turn, const struct aic_stt_event *event)
{
    aic_buf_clear(&turn->partial);
    if (event->scope == AIC_STT_SCOPE_TURN && event->text_mode == AIC_STT_TEXT_REPLACE) {
        if (event->id != turn->text_id) {
            join(&turn->before, aic_buf_view(&turn->text));
            turn->text_id = event->id;
        }
        aic_buf_clear(&turn->text);
    }
    if (event->stability != AIC_STT_FINAL) {
        aic_buf_str(&turn->partial, event->text);
        return;
    }
    join(&turn->text, event->text);
    if (event->text.len > 0 && event->confidence >= 0 &&
        (turn->confidence < 0 || event->confidence < turn->confidence)) {
        turn->confidence = event->confidence;
    }
}

/* New words while the agent is active: are they an interruption, or just listening? */
static uint32_t words_while_active(struct turn *turn, bool is_final, int64_t now_us)
{
    if (turn->agent_is_protected) {
        return 0;
    }
    bool is_long =
        !turn->is_speech || now_us - turn->speech_started_us >= turn->settings.interrupt_min_us;
    if (words_interrupt(turn)) {
        return is_long ? interrupt(turn) : hold(turn, now_us);
    }
    if (is_final && !turn->is_speech) {
        turn_begin_next(turn);
        return resume(turn);
    }
    return 0;
}

static uint32_t hear_transcript(struct turn *turn, const struct aic_stt_event *event,
                                int64_t now_us)
{
    take_transcript(turn, event);
    bool is_final = event->stability == AIC_STT_FINAL;
    turn->settled_us = is_final ? now_us : turn->settled_us;
    uint32_t actions = 0;
    if (turn->agent_is_active) {
        actions = words_while_active(turn, is_final, now_us);
    }
    if (!is_final || !turn->is_waiting) {
        return actions;
    }
    turn->is_waiting = false;
    return turn->is_speech ? actions : actions | answer(turn);
}

static uint32_t hear_end(struct turn *turn)
{
    /* Where the host's detector cuts utterances, its silence decides, not the echo of its own end.
     */
    if (can(turn, AIC_STT_NEEDS_VAD)) {
        return 0;
    }
    turn->is_waiting = false;
    if (turn->partial.len > 0) {
        join(&turn->text, aic_buf_view(&turn->partial));
        aic_buf_clear(&turn->partial);
    }
    return answer(turn);
}

uint32_t turn_hear(struct turn *turn, const struct aic_stt_event *event, int64_t now_us)
{
    switch (event->kind) {
    case AIC_STT_EVENT_SPEECH_STARTED:
        return hold(turn, now_us);
    case AIC_STT_EVENT_TRANSCRIPT:
        return hear_transcript(turn, event, now_us);
    case AIC_STT_EVENT_TURN_EAGER_END:
        if (!turn->settings.early_answer || turn->agent_is_active || turn->is_eager ||
            !has_words(turn)) {
            return 0;
        }
        turn->is_eager = true;
        return TURN_EAGER;
    case AIC_STT_EVENT_TURN_RESUMED:
        return cancel_eager(turn);
    case AIC_STT_EVENT_TURN_END:
        return hear_end(turn);
    case AIC_STT_EVENT_FINALIZED:
        turn->is_waiting = false;
        return 0;
    default:
        return 0;
    }
}

uint32_t turn_hears_with(struct turn *turn, uint32_t stt_flags, int64_t now_us)
{
    bool needed_vad = can(turn, AIC_STT_NEEDS_VAD);
    turn->settings.stt_flags = stt_flags;
    aic_buf_clear(&turn->partial);
    bool is_pending = turn->has_voice && turn->last_voice_us > turn->settled_us;
    if (needed_vad || !can(turn, AIC_STT_NEEDS_VAD) || !is_pending) {
        return 0;
    }
    /* The one before cut the sound itself; what it left is cut here. */
    turn->utterance_id++;
    turn->utterance_is_open = turn->is_speech;
    turn->is_waiting = !turn->is_speech;
    turn->waiting_since_us = now_us;
    return TURN_UTTERANCE_BEGIN | (turn->is_speech ? 0 : TURN_UTTERANCE_END);
}

void turn_agent_begins(struct turn *turn, bool is_protected)
{
    turn->agent_is_active = true;
    turn->agent_is_protected = is_protected;
    turn->is_paused = false;
}

void turn_agent_unprotect(struct turn *turn)
{
    turn->agent_is_protected = false;
}

uint32_t turn_agent_done(struct turn *turn, int64_t now_us)
{
    turn->agent_is_active = false;
    turn->agent_is_protected = false;
    turn->is_paused = false;
    /* What was said during a protected sentence is answered now. */
    bool is_over = !turn->is_speech && !turn->is_waiting && turn->partial.len == 0 &&
                   silence_us(turn, now_us) >= turn->settings.endpointing_min_us;
    return is_over ? answer(turn) : 0;
}
