/* SPDX-License-Identifier: ISC */
#include "call/hearing.h"

#include "base/audio.h"
#include "base/metrics.h"
#include "buf.h"
#include "plugin/guard.h"

#include <stdlib.h>
#include <string.h>

static const int64_t keep_us = 10 * INT64_C(1000000);
/* Spoken to for this long without a word, a recogniser is taken for dead. */
static const int64_t words_within_us = 4 * INT64_C(1000000);
/* ... while another one is there. */
static const int64_t live_words_within_us = 2 * INT64_C(1000000);

/* After this many fresh sessions without a word in between, it is enough; the first ones are opened
 * at once, the others after a time that grows. */
enum { MAX_RESTARTS = 6, PROMPT_RESTARTS = 2 };

static const int64_t pause_us = 250 * INT64_C(1000);

/* Sound before an utterance's first voiced frame that the recogniser should hear as well. */
static const int64_t pre_roll_us = 300000;

static void take_event(void *owner, const struct aic_stt_event *event);
static void fail_over(struct hearing *hearing, const struct aic_error *error);

static int64_t to_bytes(const struct hearing *hearing, int64_t us)
{
    return (int64_t)audio_bytes_for_us(hearing->settings.format, us);
}

static int64_t session_us(const struct hearing *hearing, int64_t position)
{
    int64_t bytes = position - hearing->session_from;
    return audio_duration_us(hearing->settings.format, bytes > 0 ? (size_t)bytes : 0);
}

void hearing_init(struct hearing *hearing, struct sched *sched, const struct chain *chain,
                  const struct hearing_settings *settings, const struct hearing_events *events)
{
    memset(hearing, 0, sizeof(*hearing));
    hearing->sched = sched;
    hearing->chain = *chain;
    hearing->settings = *settings;
    hearing->events = *events;
    hearing->current = -1;
    hearing->ring_bytes = (size_t)to_bytes(hearing, keep_us);
    hearing->ring = calloc(1, hearing->ring_bytes);
}

static struct provider *provider_of(const struct hearing *hearing)
{
    return hearing->current < 0 ? NULL : hearing->chain.providers[hearing->current];
}

const struct provider *hearing_provider(const struct hearing *hearing)
{
    return provider_of(hearing);
}

uint32_t hearing_flags(const struct hearing *hearing)
{
    const struct provider *provider = provider_of(hearing);
    return provider ? provider->stt_caps.flags : 0;
}

static void close_session(struct hearing *hearing)
{
    session_close(hearing->session);
    hearing->session = NULL;
    audio_converter_destroy(hearing->converter);
    hearing->converter = NULL;
}

void hearing_finish(struct hearing *hearing)
{
    if (!hearing->sched) {
        return;
    }
    sched_timer_stop(hearing->sched, hearing->timer);
    hearing->timer = NULL;
    close_session(hearing);
    free(hearing->ring);
    hearing->ring = NULL;
}

/* The leg's own format if the recogniser takes it, else the best with the same rate, else the
 * first. */
static struct aic_format choose_format(const struct provider *provider, struct aic_format leg)
{
    const struct aic_stt_caps *caps = &provider->stt_caps;
    struct aic_format best = caps->formats[0];
    bool has_rate = best.rate_hz == leg.rate_hz;
    for (uint32_t i = 0; i < caps->format_count; i++) {
        struct aic_format format;
        memcpy(&format, (const char *)caps->formats + (size_t)i * caps->format_size,
               sizeof(format));
        if (audio_format_equal(format, leg)) {
            return format;
        }
        if (!has_rate && format.rate_hz == leg.rate_hz) {
            best = format;
            has_rate = true;
        }
    }
    return best;
}

static int32_t open_session(struct hearing *hearing, int index)
{
    struct provider *provider = hearing->chain.providers[index];
    hearing->format = choose_format(provider, hearing->settings.format);
    hearing->converter = audio_converter_create(hearing->settings.format, hearing->format);
    if (!hearing->converter) {
        return AIC_ERROR_UNSUPPORTED;
    }
    struct aic_stt_open params = {.size = sizeof(params),
                                  .format = hearing->format,
                                  .call_id = hearing->settings.call_id,
                                  .language = hearing->settings.language,
                                  .hints = hearing->settings.hints,
                                  .hint_count = hearing->settings.hint_count,
                                  .hint_size = sizeof(struct aic_str),
                                  .endpointing_ms = hearing->settings.endpointing_ms};
    int32_t status = session_open_stt(provider, &params, take_event, hearing, &hearing->session);
    if (status != AIC_OK) {
        audio_converter_destroy(hearing->converter);
        hearing->converter = NULL;
    }
    return status;
}

/* Gives bytes that begin at a position of the leg's audio. */
static void push_to_session(struct hearing *hearing, int64_t position, const uint8_t *bytes,
                            size_t count)
{
    const uint8_t *out = NULL;
    size_t out_bytes = 0;
    if (audio_convert(hearing->converter, bytes, count, false, &out, &out_bytes) != AIC_OK ||
        out_bytes == 0) {
        return;
    }
    struct provider *provider = provider_of(hearing);
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = hearing->format,
                              .data = out,
                              .bytes = out_bytes,
                              .time_us = session_us(hearing, position)};
    int32_t status = AIC_OK;
    GUARD(provider, "stt.push_audio",
          status = provider->stt.push_audio(session_handle(hearing->session), &audio));
    if (status != AIC_OK) {
        hearing->dropped_blocks++;
        metrics_count(METRICS_AUDIO_DROPPED + METRICS_STT_BACKLOG, 1);
    }
}

/* Gives a fresh session all sound since `from`, oldest first. */
static void replay(struct hearing *hearing, int64_t from)
{
    int64_t end = hearing->pushed;

    enum { BLOCK_US = 100000 };

    int64_t block = to_bytes(hearing, BLOCK_US);
    hearing->session_from = from;
    for (int64_t at = from; at < end && hearing->session;) {
        int64_t offset = at % (int64_t)hearing->ring_bytes;
        int64_t count = end - at < block ? end - at : block;
        if (count > (int64_t)hearing->ring_bytes - offset) {
            count = (int64_t)hearing->ring_bytes - offset;
        }
        push_to_session(hearing, at, hearing->ring + offset, (size_t)count);
        at += count;
    }
}

static void tell_utterance(struct hearing *hearing, uint32_t what, uint64_t id, int64_t position)
{
    struct provider *provider = provider_of(hearing);
    if (hearing->session && provider->stt.utterance) {
        GUARD(provider, "stt.utterance",
              (void)provider->stt.utterance(session_handle(hearing->session), what, id,
                                            session_us(hearing, position)));
    }
}

/* Tells a fresh session what was cut out of the sound that it has just been given. */
static void tell_utterances(struct hearing *hearing)
{
    if (hearing->ended_id != 0) {
        tell_utterance(hearing, AIC_STT_UTTERANCE_BEGIN, hearing->ended_id, hearing->ended_from);
        tell_utterance(hearing, AIC_STT_UTTERANCE_END, hearing->ended_id, hearing->ended_to);
    }
    if (hearing->utterance_id != 0) {
        tell_utterance(hearing, AIC_STT_UTTERANCE_BEGIN, hearing->utterance_id,
                       hearing->utterance_from);
    }
}

/* What must be heard again: everything since the last finished words, at most what is kept. */
static int64_t replay_from(const struct hearing *hearing)
{
    int64_t oldest = hearing->pushed - (int64_t)hearing->ring_bytes;
    int64_t from = hearing->settled > oldest ? hearing->settled : oldest;
    if (hearing->utterance_id != 0 && hearing->utterance_from > oldest) {
        from = hearing->utterance_from < from ? hearing->utterance_from : from;
    }
    return from > 0 ? from : 0;
}

/* Opens the next recogniser there is; false when none is left. */
static bool open_next(struct hearing *hearing)
{
    int index = chain_pick(&hearing->chain, PROVIDER_STT, hearing->tried);
    while (index >= 0) {
        hearing->tried |= 1u << index;
        hearing->current = index;
        if (open_session(hearing, index) == AIC_OK) {
            return true;
        }
        index = chain_pick(&hearing->chain, PROVIDER_STT, hearing->tried);
    }
    hearing->current = -1;
    return false;
}

void hearing_start(struct hearing *hearing)
{
    if (!hearing->ring || !open_next(hearing)) {
        struct aic_error error = {.size = sizeof(error),
                                  .category = AIC_CATEGORY_INTERNAL,
                                  .message = AIC_STR("no recogniser can be opened")};
        hearing->events.failed(hearing->events.data, &error);
        return;
    }
    hearing->session_from = hearing->pushed;
    hearing->events.changed(hearing->events.data, NULL, provider_of(hearing), NULL);
}

static void stop_waiting(struct hearing *hearing)
{
    sched_timer_stop(hearing->sched, hearing->timer);
    hearing->timer = NULL;
}

/* Opens the next recogniser and gives it what has not become words. */
static void go_on(struct hearing *hearing, const struct provider *from,
                  const struct aic_error *error)
{
    if (!open_next(hearing)) {
        hearing->events.failed(hearing->events.data, error);
        return;
    }
    replay(hearing, replay_from(hearing));
    tell_utterances(hearing);
    hearing->events.changed(hearing->events.data, from, provider_of(hearing), error);
}

static void try_again(void *data)
{
    struct hearing *hearing = data;
    hearing->timer = NULL;
    const struct aic_error error = {.size = sizeof(error),
                                    .category = hearing->lost_category,
                                    .scope = AIC_SCOPE_SESSION,
                                    .message = AIC_STR("the recogniser failed")};
    go_on(hearing, provider_of(hearing), &error);
}

static void fail_over(struct hearing *hearing, const struct aic_error *error)
{
    struct provider *from = provider_of(hearing);
    stop_waiting(hearing);
    if (from) {
        provider_failed(from, PROVIDER_STT, error);
    }
    close_session(hearing);
    /* The only one that is left gets fresh sessions as long as that may help. */
    bool is_last = !chain_has_more(&hearing->chain, hearing->tried) && error_is_transient(error);
    if (is_last) {
        hearing->tried = 0;
    }
    if (++hearing->restarts > MAX_RESTARTS) {
        hearing->current = -1;
        hearing->events.failed(hearing->events.data, error);
    } else if (is_last && hearing->restarts > PROMPT_RESTARTS) {
        int64_t wait_us = pause_us << (hearing->restarts - PROMPT_RESTARTS);
        hearing->lost_category = error->category;
        hearing->timer = sched_timer_start(hearing->sched, sched_now(hearing->sched) + wait_us,
                                           try_again, hearing);
    } else {
        go_on(hearing, from, error);
    }
}

static void out_of_patience(void *data)
{
    struct hearing *hearing = data;
    hearing->timer = NULL;
    struct aic_error error = {.size = sizeof(error),
                              .category = AIC_CATEGORY_TIMEOUT,
                              .scope = AIC_SCOPE_SESSION,
                              .retry = AIC_RETRY_NEW_SESSION,
                              .message = AIC_STR("the caller spoke and no words came")};
    fail_over(hearing, &error);
}

/* A caller should not have to wait for who listens all the time and says nothing. */
static int64_t patience_us(const struct hearing *hearing)
{
    bool is_live = !(provider_of(hearing)->stt_caps.flags & AIC_STT_NEEDS_VAD);
    bool has_more = chain_has_more(&hearing->chain, hearing->tried);
    return is_live && has_more ? live_words_within_us : words_within_us;
}

void hearing_expect_words(struct hearing *hearing)
{
    if (hearing->session && !hearing->timer) {
        hearing->timer =
            sched_timer_start(hearing->sched, sched_now(hearing->sched) + patience_us(hearing),
                              out_of_patience, hearing);
    }
}

static void keep(struct hearing *hearing, const uint8_t *bytes, size_t count)
{
    size_t offset = (size_t)(hearing->pushed % (int64_t)hearing->ring_bytes);
    size_t first = hearing->ring_bytes - offset < count ? hearing->ring_bytes - offset : count;
    memcpy(hearing->ring + offset, bytes, first);
    memcpy(hearing->ring, bytes + first, count - first);
}

void hearing_push(struct hearing *hearing, const uint8_t *bytes, size_t count)
{
    if (!hearing->ring || count > hearing->ring_bytes) {
        return;
    }
    keep(hearing, bytes, count);
    if (hearing->session) {
        push_to_session(hearing, hearing->pushed, bytes, count);
    }
    hearing->pushed += (int64_t)count;
}

void hearing_utterance_begin(struct hearing *hearing, uint64_t id, int64_t back_us)
{
    hearing->utterance_id = id;
    hearing->utterance_from = hearing->pushed - to_bytes(hearing, back_us + pre_roll_us);
    if (hearing->utterance_from < hearing->session_from) {
        hearing->utterance_from = hearing->session_from;
    }
    tell_utterance(hearing, AIC_STT_UTTERANCE_BEGIN, id, hearing->utterance_from);
}

void hearing_utterance_end(struct hearing *hearing)
{
    tell_utterance(hearing, AIC_STT_UTTERANCE_END, hearing->utterance_id, hearing->pushed);
    /* Of two that wait for their words a fresh recogniser makes one. */
    hearing->ended_from = hearing->ended_id != 0 ? hearing->ended_from : hearing->utterance_from;
    hearing->ended_to = hearing->pushed;
    hearing->ended_id = hearing->utterance_id;
    hearing->utterance_id = 0;
}

void hearing_finalize(struct hearing *hearing)
{
    struct provider *provider = provider_of(hearing);
    if (hearing->session && provider->stt.finalize) {
        GUARD(provider, "stt.finalize",
              (void)provider->stt.finalize(session_handle(hearing->session),
                                           (uint64_t)hearing->pushed));
    }
}

static void words_came(struct hearing *hearing, const struct aic_stt_event *event)
{
    stop_waiting(hearing);
    if (event->stability != AIC_STT_FINAL) {
        return;
    }
    provider_succeeded(provider_of(hearing), PROVIDER_STT);
    hearing->tried = 1u << hearing->current;
    hearing->restarts = 0;
    int64_t end = event->end_us >= 0 ? hearing->session_from + to_bytes(hearing, event->end_us)
                                     : hearing->pushed;
    if (end > hearing->settled && end <= hearing->pushed) {
        hearing->settled = end;
    }
    if (hearing->settled >= hearing->ended_to || event->id == hearing->ended_id) {
        hearing->ended_id = 0;
    } else if (hearing->settled > hearing->ended_from) {
        hearing->ended_from = hearing->settled;
    }
}

static void take_event(void *owner, const struct aic_stt_event *event)
{
    struct hearing *hearing = owner;
    switch (event->kind) {
    case AIC_STT_EVENT_ERROR:
        if (event->error && event->error->scope == AIC_SCOPE_REQUEST) {
            provider_failed(provider_of(hearing), PROVIDER_STT, event->error);
        } else if (event->error) {
            fail_over(hearing, event->error);
        }
        return;
    case AIC_STT_EVENT_CLOSED:
        return;
    case AIC_STT_EVENT_USAGE:
        if (event->usage) {
            hearing->events.usage(hearing->events.data, provider_of(hearing), event->usage);
        }
        return;
    case AIC_STT_EVENT_TRANSCRIPT:
        words_came(hearing, event);
        break;
    default:
        break;
    }
    hearing->events.heard(hearing->events.data, event);
}
