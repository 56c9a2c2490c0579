/* SPDX-License-Identifier: ISC */
#include "call/cascade.h"

#include "call/hearing.h"
#include "call/sentences.h"
#include "call/speech.h"
#include "call/thinking.h"

#include <stdlib.h>

static const int64_t first_token_us = 2500000;
static const int64_t first_audio_us = 1500000;

struct cascade {
    struct responder responder;
    struct responder_events events;
    struct hearing hearing;
    struct thinking thinking;
    struct speech speech;
    struct sentences sentences;
    struct aic_buf held; /* text of a speculative answer */
    bool has_stt;
    bool has_tts;
    bool is_silent; /* answers are text, for now */
    bool is_speculative;
    bool has_token;
    bool voice_is_lost; /* in this answer: its text goes on */
};

static struct cascade *of(struct responder *r)
{
    return (struct cascade *)r;
}

static bool speaks(const struct cascade *c)
{
    return c->has_tts && !c->is_silent;
}

static void speak(void *data, struct aic_str sentence)
{
    struct cascade *c = data;
    if (speaks(c)) {
        speech_say(&c->speech, sentence);
    }
}

/* No more text for this answer: the rest is spoken, then `done`. */
static void end_text(struct cascade *c)
{
    sentences_end(&c->sentences, speak, c);
    if (speaks(c) && !c->voice_is_lost) {
        speech_end(&c->speech);
    } else {
        c->events.done(c->events.data);
    }
}

/* From hearing. */

static void hearing_heard(void *data, const struct aic_stt_event *event)
{
    struct cascade *c = data;
    c->events.heard(c->events.data, event);
}

static void hearing_changed(void *data, const struct provider *from, const struct provider *to,
                            const struct aic_error *error)
{
    struct cascade *c = data;
    c->events.hears_with(c->events.data, hearing_flags(&c->hearing));
    if (from) {
        c->events.switched(c->events.data, RESPONDER_STT, from, to, error);
    }
}

static void hearing_failed(void *data, const struct aic_error *error)
{
    struct cascade *c = data;
    c->events.failed(c->events.data, RESPONDER_STT, error);
}

static void hearing_usage(void *data, const struct provider *provider,
                          const struct aic_usage *usage)
{
    struct cascade *c = data;
    c->events.usage(c->events.data, RESPONDER_STT, provider, usage);
}

/* From thinking. */

static void thinking_write(void *data, const struct provider *provider, struct aic_str note,
                           struct aic_buf *to)
{
    struct cascade *c = data;
    c->events.write_messages(c->events.data, provider, note, to);
}

static void thinking_delta(void *data, struct aic_str text)
{
    struct cascade *c = data;
    if (!c->has_token) {
        c->has_token = true;
        c->events.first_token(c->events.data, thinking_provider(&c->thinking));
    }
    if (c->is_speculative) {
        aic_buf_str(&c->held, text);
        return;
    }
    c->events.text(c->events.data, text);
    sentences_push(&c->sentences, text, speak, c);
}

static void thinking_tool(void *data, struct aic_str id, struct aic_str name,
                          struct aic_str arguments)
{
    struct cascade *c = data;
    c->events.tool(c->events.data, id, name, arguments);
}

static void thinking_finished(void *data, const struct provider *provider, uint32_t finish,
                              struct aic_str state)
{
    struct cascade *c = data;
    c->events.thought(c->events.data, provider, finish, state);
}

static void thinking_failed(void *data, const struct aic_error *error)
{
    struct cascade *c = data;
    c->events.failed(c->events.data, RESPONDER_LLM, error);
}

static void thinking_usage(void *data, const struct provider *provider,
                           const struct aic_usage *usage)
{
    struct cascade *c = data;
    c->events.usage(c->events.data, RESPONDER_LLM, provider, usage);
}

static void thinking_switched(void *data, const struct provider *from, const struct provider *to,
                              const struct aic_error *error)
{
    struct cascade *c = data;
    c->events.switched(c->events.data, RESPONDER_LLM, from, to, error);
}

/* From speech. */

static void speech_audio(void *data, const uint8_t *bytes, size_t count)
{
    struct cascade *c = data;
    c->events.audio(c->events.data, bytes, count);
}

static bool speech_clip(void *data, struct aic_str sentence, struct aic_str *audio)
{
    struct cascade *c = data;
    return c->events.clip(c->events.data, sentence, audio);
}

static int64_t speech_rewind(void *data, int64_t audio_us)
{
    struct cascade *c = data;
    return c->events.rewind(c->events.data, audio_us);
}

static void speech_first_audio(void *data, const struct provider *provider)
{
    struct cascade *c = data;
    c->events.first_audio(c->events.data, provider);
}

static void speech_done(void *data)
{
    struct cascade *c = data;
    c->events.done(c->events.data);
}

static void speech_failed(void *data, const struct aic_error *error)
{
    struct cascade *c = data;
    c->voice_is_lost = true;
    c->events.failed(c->events.data, RESPONDER_TTS, error);
}

static void speech_usage(void *data, const struct provider *provider, const struct aic_usage *usage)
{
    struct cascade *c = data;
    c->events.usage(c->events.data, RESPONDER_TTS, provider, usage);
}

static void speech_switched(void *data, const struct provider *from, const struct provider *to,
                            const struct aic_error *error)
{
    struct cascade *c = data;
    c->events.switched(c->events.data, RESPONDER_TTS, from, to, error);
}

/* The responder's operations. */

static void start(struct responder *r)
{
    struct cascade *c = of(r);
    if (c->has_stt) {
        hearing_start(&c->hearing);
    }
    if (speaks(c)) {
        speech_prepare(&c->speech);
    }
    thinking_prepare(&c->thinking);
}

static void set_silent(struct responder *r, bool is_silent)
{
    struct cascade *c = of(r);
    bool begins_to_speak = c->is_silent && !is_silent && c->has_tts;
    c->is_silent = is_silent;
    if (begins_to_speak) {
        speech_prepare(&c->speech);
    }
}

static void destroy(struct responder *r)
{
    struct cascade *c = of(r);
    hearing_finish(&c->hearing);
    thinking_finish(&c->thinking);
    speech_finish(&c->speech);
    sentences_finish(&c->sentences);
    aic_buf_finish(&c->held);
    free(c);
}

static void hear(struct responder *r, const uint8_t *bytes, size_t count)
{
    if (of(r)->has_stt) {
        hearing_push(&of(r)->hearing, bytes, count);
    }
}

static void utterance_begin(struct responder *r, uint64_t id, int64_t back_us)
{
    if (of(r)->has_stt) {
        hearing_utterance_begin(&of(r)->hearing, id, back_us);
    }
}

static void utterance_end(struct responder *r)
{
    if (of(r)->has_stt) {
        hearing_utterance_end(&of(r)->hearing);
    }
}

static void finalize(struct responder *r)
{
    if (of(r)->has_stt) {
        hearing_finalize(&of(r)->hearing);
    }
}

static void expect_words(struct responder *r)
{
    if (of(r)->has_stt) {
        hearing_expect_words(&of(r)->hearing);
    }
}

static void begin_answer(struct cascade *c)
{
    sentences_reset(&c->sentences);
    c->voice_is_lost = false;
    if (speaks(c)) {
        speech_begin(&c->speech);
    }
}

static void answer(struct responder *r, bool is_speculative)
{
    struct cascade *c = of(r);
    c->is_speculative = is_speculative;
    c->has_token = false;
    aic_buf_clear(&c->held);
    begin_answer(c);
    thinking_start(&c->thinking, is_speculative);
}

static void promote(struct responder *r)
{
    struct cascade *c = of(r);
    if (!c->is_speculative) {
        return;
    }
    c->is_speculative = false;
    if (c->held.len > 0) {
        struct aic_str text = aic_buf_view(&c->held);
        c->events.text(c->events.data, text);
        sentences_push(&c->sentences, text, speak, c);
    }
}

static void answer_more(struct responder *r)
{
    /* What was said before the tools ran is a sentence of its own. */
    sentences_push(&of(r)->sentences, AIC_STR("\n"), speak, of(r));
    thinking_start(&of(r)->thinking, false);
}

static void end_answer(struct responder *r)
{
    end_text(of(r));
}

static void say(struct responder *r, struct aic_str text)
{
    struct cascade *c = of(r);
    thinking_cancel(&c->thinking);
    c->is_speculative = false;
    begin_answer(c);
    c->events.text(c->events.data, text);
    sentences_push(&c->sentences, text, speak, c);
    end_text(c);
}

static void fill(struct responder *r, struct aic_str text)
{
    struct cascade *c = of(r);
    c->events.text(c->events.data, text);
    c->events.text(c->events.data, AIC_STR(" "));
    speak(c, text);
}

static void cancel(struct responder *r, int64_t heard_us)
{
    struct cascade *c = of(r);
    thinking_cancel(&c->thinking);
    c->is_speculative = false;
    sentences_reset(&c->sentences);
    if (speaks(c)) {
        speech_cancel(&c->speech, heard_us);
    }
}

static void heard_text(struct responder *r, int64_t heard_us, struct aic_buf *to)
{
    struct cascade *c = of(r);
    size_t length = ledger_heard(&c->speech.ledger, heard_us);
    aic_buf_str(to, (struct aic_str){aic_buf_view(&c->speech.ledger.text).ptr, length});
}

static const char *provider_name(struct responder *r, enum responder_role role)
{
    struct cascade *c = of(r);
    const struct provider *provider = NULL;
    switch (role) {
    case RESPONDER_STT:
        provider = hearing_provider(&c->hearing);
        break;
    case RESPONDER_LLM:
        provider = thinking_provider(&c->thinking);
        break;
    case RESPONDER_TTS:
        provider = speech_provider(&c->speech);
        break;
    }
    return provider ? provider->name : "";
}

static uint64_t unheard_blocks(const struct responder *r)
{
    return ((const struct cascade *)r)->hearing.dropped_blocks;
}

static const struct responder_ops ops = {
    .start = start,
    .destroy = destroy,
    .hear = hear,
    .utterance_begin = utterance_begin,
    .utterance_end = utterance_end,
    .finalize = finalize,
    .expect_words = expect_words,
    .answer = answer,
    .promote = promote,
    .answer_more = answer_more,
    .end_answer = end_answer,
    .say = say,
    .fill = fill,
    .cancel = cancel,
    .heard_text = heard_text,
    .provider = provider_name,
    .unheard_blocks = unheard_blocks,
    .set_silent = set_silent,
};

static void init_hearing(struct cascade *c, struct sched *sched,
                         const struct cascade_settings *settings)
{
    const struct hearing_settings hearing = {.format = settings->format_in,
                                             .call_id = settings->call_id,
                                             .language = settings->language,
                                             .hints = settings->hints,
                                             .hint_count = settings->hint_count,
                                             .endpointing_ms = settings->endpointing_ms};
    const struct hearing_events events = {.heard = hearing_heard,
                                          .changed = hearing_changed,
                                          .failed = hearing_failed,
                                          .usage = hearing_usage,
                                          .data = c};
    c->hearing.current = -1;
    if (c->has_stt) {
        hearing_init(&c->hearing, sched, &settings->stt, &hearing, &events);
    }
}

static void init_thinking(struct cascade *c, struct sched *sched,
                          const struct cascade_settings *settings)
{
    const struct thinking_settings thinking = {.call_id = settings->call_id,
                                               .agent = settings->agent,
                                               .language = settings->language,
                                               .context = settings->context,
                                               .first_token_us = first_token_us};
    const struct thinking_events events = {.write = thinking_write,
                                           .delta = thinking_delta,
                                           .tool = thinking_tool,
                                           .finished = thinking_finished,
                                           .failed = thinking_failed,
                                           .usage = thinking_usage,
                                           .switched = thinking_switched,
                                           .data = c};
    thinking_init(&c->thinking, sched, &settings->llm, &thinking, &events);
    aic_buf_str(&c->thinking.tools, settings->tools);
}

static void init_speech(struct cascade *c, struct sched *sched,
                        const struct cascade_settings *settings)
{
    const struct speech_settings speech = {.format = settings->format_out,
                                           .call_id = settings->call_id,
                                           .voice = settings->voice,
                                           .language = settings->language,
                                           .first_audio_us = first_audio_us};
    const struct speech_events events = {.clip = speech_clip,
                                         .audio = speech_audio,
                                         .rewind = speech_rewind,
                                         .first_audio = speech_first_audio,
                                         .done = speech_done,
                                         .failed = speech_failed,
                                         .usage = speech_usage,
                                         .switched = speech_switched,
                                         .data = c};
    c->speech.current = -1;
    if (c->has_tts) {
        speech_init(&c->speech, sched, &settings->tts, &speech, &events);
    }
}

struct responder *cascade_create(struct sched *sched, const struct cascade_settings *settings,
                                 const struct responder_events *events)
{
    struct cascade *c = calloc(1, sizeof(*c));
    if (!c) {
        return NULL;
    }
    c->responder.ops = &ops;
    c->events = *events;
    c->has_stt = settings->stt.count > 0;
    c->has_tts = settings->tts.count > 0;
    c->is_silent = settings->is_silent;
    aic_buf_init(&c->held, 64 * 1024);
    sentences_init(&c->sentences);
    init_hearing(c, sched, settings);
    init_thinking(c, sched, settings);
    init_speech(c, sched, settings);
    return &c->responder;
}
