/* SPDX-License-Identifier: ISC */
#include "call/speech.h"

#include "base/audio.h"
#include "base/log.h"
#include "call/sentences.h"
#include "plugin/guard.h"

#include <string.h>

/* Patience with the last voice there is, and between two blocks of sound. */
static const int64_t last_voice_us = 6000000;
static const int64_t between_us = 4000000;

static void take_event(void *owner, const struct aic_tts_event *event);
static void advance(struct speech *speech);
static void fail_over(struct speech *speech, const struct aic_error *error);

void speech_init(struct speech *speech, struct sched *sched, const struct chain *chain,
                 const struct speech_settings *settings, const struct speech_events *events)
{
    memset(speech, 0, sizeof(*speech));
    speech->sched = sched;
    speech->chain = *chain;
    speech->settings = *settings;
    speech->events = *events;
    speech->current = -1;
    ledger_init(&speech->ledger);
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        speech->voices[i].speech = speech;
    }
}

static struct provider *provider_of(const struct speech *speech)
{
    return speech->current < 0 ? NULL : speech->chain.providers[speech->current];
}

/* The plugin's session with the voice in use. */
static void *handle_of(const struct speech *speech)
{
    return session_handle(speech->voices[speech->current].voice.session);
}

const struct provider *speech_provider(const struct speech *speech)
{
    return provider_of(speech);
}

void speech_finish(struct speech *speech)
{
    if (!speech->sched) {
        return;
    }
    sched_timer_stop(speech->sched, speech->timer);
    speech->timer = NULL;
    for (size_t i = 0; i < speech->chain.count; i++) {
        voice_close(&speech->voices[i].voice);
    }
    ledger_finish(&speech->ledger);
}

static int32_t open_voice(struct speech *speech, int index)
{
    struct speech_voice *voice = &speech->voices[index];
    if (voice->voice.session) {
        return AIC_OK;
    }
    const struct aic_tts_open params = {.size = sizeof(params),
                                        .call_id = speech->settings.call_id,
                                        .voice = speech->settings.voice,
                                        .language = speech->settings.language};
    return voice_open(&voice->voice, speech->chain.providers[index], speech->settings.format,
                      &params, take_event, voice);
}

void speech_prepare(struct speech *speech)
{
    int first = chain_pick(&speech->chain, PROVIDER_TTS, 0);
    if (first >= 0 && speech->current < 0 && open_voice(speech, first) == AIC_OK) {
        speech->current = first;
    }
}

static void out_of_patience(void *data)
{
    struct speech *speech = data;
    speech->timer = NULL;
    struct aic_error error = {.size = sizeof(error),
                              .category = AIC_CATEGORY_TIMEOUT,
                              .scope = AIC_SCOPE_SESSION,
                              .retry = AIC_RETRY_NEW_SESSION,
                              .output_started = speech->utterance_has_sound,
                              .message = AIC_STR("text was sent and no sound came")};
    fail_over(speech, &error);
}

static void be_patient(struct speech *speech)
{
    int64_t patience_us = between_us;
    if (!speech->utterance_has_sound) {
        patience_us = chain_has_more(&speech->chain, speech->tried)
                          ? speech->settings.first_audio_us
                          : last_voice_us;
    }
    sched_timer_stop(speech->sched, speech->timer);
    speech->timer = sched_timer_start(speech->sched, sched_now(speech->sched) + patience_us,
                                      out_of_patience, speech);
}

static void stop_waiting(struct speech *speech)
{
    sched_timer_stop(speech->sched, speech->timer);
    speech->timer = NULL;
}

/* Text of an answer may go to this voice in pieces that share one utterance. */
static bool streams_in(const struct provider *provider)
{
    return (provider->tts_caps.flags & AIC_TTS_STREAM_IN) && provider->tts.flush;
}

static int32_t begin_utterance(struct speech *speech)
{
    struct provider *provider = provider_of(speech);
    void *session = handle_of(speech);
    struct aic_tts_utterance params = {
        .size = sizeof(params),
        .id = ++speech->last_utterance,
        .previous_text = {aic_buf_view(&speech->ledger.text).ptr, speech->given},
    };
    speech->utterance = params.id;
    speech->utterance_began_us = speech->audio_us;
    speech->utterance_has_ended = false;
    speech->utterance_has_sound = false;
    int32_t status = AIC_OK;
    GUARD(provider, "tts.begin", status = provider->tts.begin(session, &params));
    return status;
}

/* The text from what was given up to `end`. */
static struct aic_str piece(const struct speech *speech, size_t end)
{
    struct aic_str text = aic_buf_view(&speech->ledger.text);
    text = (struct aic_str){text.ptr + speech->given, end - speech->given};
    while (text.len > 0 && text.ptr[0] == ' ') {
        text.ptr++;
        text.len--;
    }
    return text;
}

/* Gives the text up to `end`, the rest of a sentence, or as much of it as the voice takes. */
static int32_t give(struct speech *speech, size_t end)
{
    struct provider *provider = provider_of(speech);
    void *session = handle_of(speech);
    struct aic_str text = piece(speech, end);
    size_t most = provider->tts_caps.max_text_bytes;
    if (most > 0 && text.len > most) {
        end -= text.len;
        text.len = sentences_cut(text, most);
        end += text.len;
    }
    int32_t status = AIC_OK;
    if (speech->utterance == 0) {
        status = begin_utterance(speech);
    }
    if (status == AIC_OK) {
        GUARD(provider, "tts.push_text",
              status = provider->tts.push_text(session, speech->utterance, text));
    }
    if (status == AIC_OK && streams_in(provider)) {
        GUARD(provider, "tts.flush", status = provider->tts.flush(session, speech->utterance, end));
    }
    speech->given = end;
    return status;
}

static int32_t end_utterance(struct speech *speech)
{
    struct provider *provider = provider_of(speech);
    void *session = handle_of(speech);
    speech->utterance_has_ended = true;
    int32_t status = AIC_OK;
    GUARD(provider, "tts.end", status = provider->tts.end(session, speech->utterance));
    return status;
}

static void fail_with(struct speech *speech, int32_t status, const char *what)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = status == AIC_ERROR_BUSY ? AIC_CATEGORY_CONCURRENCY
                                                                   : AIC_CATEGORY_INTERNAL,
                              .scope = AIC_SCOPE_SESSION,
                              .message = aic_str(what)};
    fail_over(speech, &error);
}

static size_t next_end(const struct speech *speech)
{
    for (size_t i = 0; i < speech->sentence_count; i++) {
        if (speech->ends[i] > speech->given) {
            return speech->ends[i];
        }
    }
    return 0;
}

/* A voice for this answer, opened if need be; false when none is left. */
static bool have_voice(struct speech *speech)
{
    while (speech->current < 0 || !speech->voices[speech->current].voice.session) {
        int index = speech->current;
        if (index < 0 || speech->tried & 1u << index) {
            index = chain_pick(&speech->chain, PROVIDER_TTS, speech->tried);
        }
        if (index < 0) {
            return false;
        }
        speech->current = index;
        if (open_voice(speech, index) != AIC_OK) {
            speech->tried |= 1u << index;
            speech->current = -1;
        }
    }
    speech->tried |= 1u << speech->current;
    return true;
}

static void answer_is_delivered(struct speech *speech)
{
    speech->is_open = false;
    stop_waiting(speech);
    speech->events.done(speech->events.data);
}

/* Sentences that were spoken ahead need no voice, as long as none is at work. */
static void play_clips(struct speech *speech)
{
    struct aic_str audio;
    for (size_t end = next_end(speech); end > 0 && speech->utterance == 0 && speech->events.clip;
         end = next_end(speech)) {
        struct aic_str text = piece(speech, end);
        if (!speech->events.clip(speech->events.data, text, &audio)) {
            return;
        }
        if (speech->audio_us == 0) {
            speech->events.first_audio(speech->events.data, NULL);
        }
        speech->audio_us += audio_duration_us(speech->settings.format, audio.len);
        speech->given = end;
        speech->done = end;
        ledger_point(&speech->ledger, end, speech->audio_us);
        speech->events.audio(speech->events.data, (const uint8_t *)audio.ptr, audio.len);
    }
}

/* Does what can be done now: gives the next text, ends an utterance, tells that all is done. */
static void advance(struct speech *speech)
{
    if (!speech->is_open) {
        return;
    }
    play_clips(speech);
    size_t end = next_end(speech);
    if (speech->utterance == 0 && end == 0) {
        if (speech->is_ended) {
            answer_is_delivered(speech);
        }
        return;
    }
    if (!have_voice(speech)) {
        fail_with(speech, AIC_ERROR_UNSUPPORTED, "no voice can be opened");
        return;
    }
    bool streams = streams_in(provider_of(speech));
    int32_t status = AIC_OK;
    while (status == AIC_OK && end > 0 && (speech->utterance == 0 || streams)) {
        status = give(speech, end);
        end = next_end(speech);
        if (status == AIC_OK && !streams) {
            status = end_utterance(speech);
        }
    }
    if (status == AIC_OK && streams && speech->is_ended && !speech->utterance_has_ended) {
        status = end_utterance(speech);
    }
    if (status != AIC_OK) {
        fail_with(speech, status, "the voice does not take text");
    } else if (!speech->timer && speech->done < speech->given) {
        be_patient(speech);
    }
}

void speech_begin(struct speech *speech)
{
    speech_cancel(speech, -1);
    ledger_reset(&speech->ledger);
    speech->sentence_count = 0;
    speech->given = 0;
    speech->done = 0;
    speech->audio_us = 0;
    speech->tried = 0;
    speech->has_retried = false;
    speech->is_open = true;
    speech->is_ended = false;
    /* Back to the first choice once it works again. */
    if (speech->current > 0 && chain_is_healthy(speech->chain.providers[0], PROVIDER_TTS)) {
        speech->current = -1;
    }
}

void speech_say(struct speech *speech, struct aic_str sentence)
{
    if (!speech->is_open || speech->sentence_count == SPEECH_SENTENCES) {
        return;
    }
    speech->ends[speech->sentence_count++] = ledger_add(&speech->ledger, sentence);
    advance(speech);
}

void speech_end(struct speech *speech)
{
    speech->is_ended = true;
    advance(speech);
}

void speech_cancel(struct speech *speech, int64_t heard_us)
{
    stop_waiting(speech);
    struct provider *provider = provider_of(speech);
    if (speech->utterance != 0 && provider && speech->voices[speech->current].voice.session) {
        int64_t played_us = heard_us < 0 ? -1 : heard_us - speech->utterance_began_us;
        GUARD(provider, "tts.cancel",
              (void)provider->tts.cancel(handle_of(speech), speech->utterance,
                                         played_us < 0 ? -1 : played_us));
    }
    speech->utterance = 0;
    speech->is_open = false;
}

/* The voice is lost: the next one says what the caller has not heard. */
static void fail_over(struct speech *speech, const struct aic_error *error)
{
    struct provider *from = provider_of(speech);
    stop_waiting(speech);
    if (from) {
        provider_failed(from, PROVIDER_TTS, error);
        voice_close(&speech->voices[speech->current].voice);
    }
    speech->utterance = 0;
    if (!speech->is_open) {
        return;
    }
    struct ledger_point kept = ledger_before(&speech->ledger, speech->done);
    int64_t remains_us = speech->events.rewind(speech->events.data, kept.audio_end_us);
    size_t from_text = ledger_heard(&speech->ledger, remains_us);
    ledger_rewind(&speech->ledger, from_text > kept.text_end ? from_text : kept.text_end);
    speech->given = from_text > kept.text_end ? from_text : kept.text_end;
    speech->done = speech->given;
    speech->audio_us = remains_us;
    ledger_point(&speech->ledger, speech->given, remains_us);
    if (!chain_has_more(&speech->chain, speech->tried) && !speech->has_retried && from &&
        error_is_transient(error)) {
        speech->has_retried = true;
        speech->tried &= ~(1u << speech->current);
    }
    if (!have_voice(speech)) {
        speech->is_open = false;
        speech->events.failed(speech->events.data, error);
        return;
    }
    speech->events.switched(speech->events.data, from, provider_of(speech), error);
    advance(speech);
}

/* Sound goes out, and is counted. */
static void deliver(struct speech *speech, struct aic_str sound)
{
    speech->audio_us += audio_duration_us(speech->settings.format, sound.len);
    speech->events.audio(speech->events.data, (const uint8_t *)sound.ptr, sound.len);
}

static void take_audio(struct speech *speech, struct speech_voice *voice,
                       const struct aic_audio *audio)
{
    struct aic_str sound = voice_convert(&voice->voice, audio);
    if (sound.len == 0) {
        return;
    }
    if (!speech->utterance_has_sound) {
        speech->utterance_has_sound = true;
        provider_succeeded(provider_of(speech), PROVIDER_TTS);
        if (speech->audio_us == 0) {
            speech->events.first_audio(speech->events.data, provider_of(speech));
        }
    }
    be_patient(speech);
    deliver(speech, sound);
}

static void take_alignment(struct speech *speech, const struct aic_tts_event *event)
{
    for (uint32_t i = 0; i < event->span_count; i++) {
        struct aic_tts_span span;
        memcpy(&span, (const char *)event->spans + (size_t)i * event->span_size, sizeof(span));
        ledger_align(&speech->ledger, span.text,
                     speech->utterance_began_us + span.start_us + span.duration_us);
    }
}

static void text_is_done(struct speech *speech, size_t end)
{
    if (end > speech->done && end <= speech->given) {
        speech->done = end;
        ledger_point(&speech->ledger, end, speech->audio_us);
    }
    if (speech->done == speech->given) {
        stop_waiting(speech);
    }
}

static void utterance_is_done(struct speech *speech, struct speech_voice *voice)
{
    struct aic_str rest = voice_flush(&voice->voice);
    if (rest.len > 0) {
        deliver(speech, rest);
    }
    text_is_done(speech, speech->given);
    speech->utterance = 0;
    advance(speech);
}

static void take_event(void *owner, const struct aic_tts_event *event)
{
    struct speech_voice *voice = owner;
    struct speech *speech = voice->speech;
    if (event->kind == AIC_TTS_EVENT_USAGE) {
        if (event->usage) {
            speech->events.usage(speech->events.data,
                                 speech->chain.providers[voice - speech->voices], event->usage);
        }
        return;
    }
    bool is_current = speech->current >= 0 && voice == &speech->voices[speech->current];
    bool is_session = event->id == 0 && event->kind == AIC_TTS_EVENT_ERROR;
    if (!is_current ||
        (!is_session && (speech->utterance == 0 || event->id != speech->utterance))) {
        return;
    }
    switch (event->kind) {
    case AIC_TTS_EVENT_AUDIO:
        take_audio(speech, voice, event->audio);
        break;
    case AIC_TTS_EVENT_ALIGNMENT:
        take_alignment(speech, event);
        break;
    case AIC_TTS_EVENT_FLUSHED:
        text_is_done(speech, (size_t)event->mark_id);
        break;
    case AIC_TTS_EVENT_DONE:
    case AIC_TTS_EVENT_CANCELLED:
        utterance_is_done(speech, voice);
        break;
    case AIC_TTS_EVENT_ERROR:
        if (event->error) {
            fail_over(speech, event->error);
        }
        break;
    default:
        break;
    }
}
