/* SPDX-License-Identifier: ISC */
#include "fake_vendor.h"

#include "fake_vendor_private.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct aic_format telephone = {
    .codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1};

struct fake_vendor *fake_vendor_of(const struct provider *provider)
{
    struct fake_vendor *vendor = provider->self;

    union {
        const struct provider *given;
        struct provider *kept;
    } cast = {.given = provider};

    vendor->provider = cast.kept;
    return vendor;
}

int64_t fake_now(const struct fake_vendor *vendor)
{
    const struct aic_clock_service *clock =
        vendor->host->get_service(vendor->host, AIC_SERVICE_CLOCK);
    return clock->now_us(vendor->host);
}

struct aic_timer *fake_after(const struct fake_vendor *vendor, int64_t us, void (*fire)(void *),
                             void *data)
{
    const struct aic_timer_service *timers =
        vendor->host->get_service(vendor->host, AIC_SERVICE_TIMER);
    struct aic_timer *timer = NULL;
    if (timers->start(vendor->host, fake_now(vendor) + us, fire, data, &timer) != AIC_OK) {
        abort();
    }
    return timer;
}

void fake_stop(const struct fake_vendor *vendor, struct aic_timer *timer)
{
    const struct aic_timer_service *timers =
        vendor->host->get_service(vendor->host, AIC_SERVICE_TIMER);
    timers->stop(vendor->host, timer);
}

struct aic_error fake_failure(uint32_t category)
{
    return (struct aic_error){.size = sizeof(struct aic_error),
                              .category = category,
                              .scope = AIC_SCOPE_SESSION,
                              .message = AIC_STR("made by the test")};
}

/* Recogniser. */

struct fake_stt {
    struct fake_vendor *vendor;
    const struct aic_stt_sink *sink;
    struct aic_timer *timer;
    uint64_t utterance;
};

static int32_t stt_capabilities(void *self, struct aic_stt_caps *caps)
{
    struct fake_vendor *vendor = self;
    caps->flags = vendor->stt_flags;
    caps->formats = &telephone;
    caps->format_count = 1;
    caps->format_size = sizeof(telephone);
    return AIC_OK;
}

static int32_t stt_open(void *self, const struct aic_stt_open *params,
                        const struct aic_stt_sink *sink, void **session)
{
    (void)params;
    struct fake_stt *stt = calloc(1, sizeof(*stt));
    stt->vendor = self;
    stt->sink = sink;
    stt->vendor->stt_sessions++;
    stt->vendor->stt_opened++;
    stt->vendor->stt = stt;
    *session = stt;
    return AIC_OK;
}

static int32_t stt_push(void *session, const struct aic_audio *audio)
{
    struct fake_stt *stt = session;
    stt->vendor->stt_bytes += audio->bytes;
    return AIC_OK;
}

static void stt_answer(void *data)
{
    struct fake_stt *stt = data;
    struct fake_vendor *vendor = stt->vendor;
    stt->timer = NULL;
    const struct fake_text *text =
        vendor->heard_next < vendor->heard_count ? &vendor->heard[vendor->heard_next++] : NULL;
    if (text && text->hangs) {
        return;
    }
    if (text && text->failure) {
        struct aic_error error = fake_failure(text->failure);
        struct aic_stt_event event = {
            .size = sizeof(event), .kind = AIC_STT_EVENT_ERROR, .error = &error};
        stt->sink->event(stt->sink, &event);
        return;
    }
    struct aic_stt_event event = {.size = sizeof(event),
                                  .kind = AIC_STT_EVENT_TRANSCRIPT,
                                  .id = stt->utterance,
                                  .scope = AIC_STT_SCOPE_TURN,
                                  .text_mode = AIC_STT_TEXT_REPLACE,
                                  .stability = AIC_STT_FINAL,
                                  .confidence = vendor->confidence,
                                  .start_us = -1,
                                  .end_us = -1,
                                  .text = aic_str(text ? text->text : "")};
    const struct aic_stt_sink *sink = stt->sink;
    sink->event(sink, &event);
    if (vendor->stt == stt) {
        event.kind = AIC_STT_EVENT_TURN_END;
        sink->event(sink, &event);
    }
}

static int32_t stt_utterance(void *session, uint32_t what, uint64_t id, int64_t at_us)
{
    struct fake_stt *stt = session;
    (void)at_us;
    stt->utterance = id;
    if (what == AIC_STT_UTTERANCE_END) {
        fake_stop(stt->vendor, stt->timer);
        stt->timer = fake_after(stt->vendor, stt->vendor->stt_delay_us, stt_answer, stt);
    }
    return AIC_OK;
}

static int32_t stt_finalize(void *session, uint64_t id)
{
    return stt_utterance(session, AIC_STT_UTTERANCE_END, id, 0);
}

static void stt_close(void *session)
{
    struct fake_stt *stt = session;
    fake_stop(stt->vendor, stt->timer);
    stt->vendor->stt_sessions--;
    if (stt->vendor->stt == stt) {
        stt->vendor->stt = NULL;
    }
    free(stt);
}

void fake_hear(struct fake_vendor *vendor, uint32_t kind, uint32_t stability, const char *text)
{
    struct aic_stt_event event = {.size = sizeof(event),
                                  .kind = kind,
                                  .scope = AIC_STT_SCOPE_TURN,
                                  .text_mode = AIC_STT_TEXT_REPLACE,
                                  .stability = stability,
                                  .confidence = vendor->confidence,
                                  .start_us = -1,
                                  .end_us = -1,
                                  .text = aic_str(text)};
    vendor->stt->sink->event(vendor->stt->sink, &event);
}

static const struct aic_stt stt_table = {.size = sizeof(stt_table),
                                         .capabilities = stt_capabilities,
                                         .open = stt_open,
                                         .push_audio = stt_push,
                                         .close = stt_close,
                                         .utterance = stt_utterance,
                                         .finalize = stt_finalize};

/* Voice. */

enum { BYTES_PER_LETTER = 400, BLOCK = 800 };

struct fake_tts {
    struct fake_vendor *vendor;
    const struct aic_tts_sink *sink;
    struct aic_timer *timer;
    const struct fake_text *trouble;
    uint64_t utterance;
    struct aic_buf text; /* of the utterance */
    size_t sounded;      /* bytes of text that have become sound */
    size_t flushed[64];
    uint64_t flush_marks[64];
    size_t flush_count;
    size_t flush_next;
    bool is_ended;
    bool is_started;
};

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    const struct fake_vendor *vendor = self;
    caps->flags = AIC_TTS_STREAM_OUT | (vendor->streams_in ? AIC_TTS_STREAM_IN : 0) |
                  (vendor->aligns ? AIC_TTS_ALIGN_WORDS : 0);
    caps->formats = &telephone;
    caps->format_count = 1;
    caps->format_size = sizeof(telephone);
    return AIC_OK;
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **session)
{
    (void)params;
    struct fake_tts *tts = calloc(1, sizeof(*tts));
    tts->vendor = self;
    tts->sink = sink;
    tts->vendor->tts_sessions++;
    aic_buf_init(&tts->text, 1 << 16);
    *session = tts;
    return AIC_OK;
}

static void tts_tell(struct fake_tts *tts, struct aic_tts_event event)
{
    event.size = sizeof(event);
    event.id = tts->utterance;
    tts->sink->event(tts->sink, &event);
}

static void tts_sound(struct fake_tts *tts)
{
    uint8_t tone[BLOCK];
    memset(tone, 0x90, sizeof(tone));
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = telephone,
                              .data = tone,
                              .bytes = sizeof(tone),
                              .time_us = -1};
    tts->sounded += BLOCK / BYTES_PER_LETTER;
    tts_tell(tts, (struct aic_tts_event){.kind = AIC_TTS_EVENT_AUDIO, .audio = &audio});
}

static void tts_align_word(struct fake_tts *tts)
{
    struct aic_str text = aic_buf_view(&tts->text);
    size_t end = tts->sounded;
    bool ends_word =
        end <= text.len && (end == text.len || text.ptr[end] == ' ' || text.ptr[end - 1] == ' ');
    if (!tts->vendor->aligns || !ends_word) {
        return;
    }
    while (end > 0 && text.ptr[end - 1] == ' ') {
        end--;
    }
    size_t begin = end;
    while (begin > 0 && text.ptr[begin - 1] != ' ') {
        begin--;
    }
    struct aic_tts_span span = {.text = {text.ptr + begin, end - begin},
                                .start_us = (int64_t)begin * 50000,
                                .duration_us = (int64_t)(end - begin) * 50000};
    tts_tell(tts, (struct aic_tts_event){.kind = AIC_TTS_EVENT_ALIGNMENT,
                                         .spans = &span,
                                         .span_count = 1,
                                         .span_size = sizeof(span)});
}

static void tts_step(void *data)
{
    struct fake_tts *tts = data;
    tts->timer = NULL;
    uint64_t utterance = tts->utterance;
    if (tts->trouble && tts->trouble->failure && tts->sounded >= tts->text.len / 2) {
        struct aic_error error = fake_failure(tts->trouble->failure);
        tts_tell(tts, (struct aic_tts_event){.kind = AIC_TTS_EVENT_ERROR, .error = &error});
        return;
    }
    while (tts->flush_next < tts->flush_count && tts->sounded >= tts->flushed[tts->flush_next]) {
        uint64_t mark = tts->flush_marks[tts->flush_next++];
        tts_tell(tts, (struct aic_tts_event){.kind = AIC_TTS_EVENT_FLUSHED, .mark_id = mark});
        if (tts->utterance != utterance) {
            return;
        }
    }
    if (tts->sounded >= tts->text.len) {
        if (tts->is_ended) {
            tts_tell(tts, (struct aic_tts_event){.kind = AIC_TTS_EVENT_DONE});
        }
        return;
    }
    /* Twenty times as fast as it is heard. */
    tts->timer = fake_after(tts->vendor, 5000, tts_step, tts);
    tts_sound(tts);
    if (tts->utterance == utterance) {
        tts_align_word(tts);
    }
}

static void tts_wake(struct fake_tts *tts)
{
    if (!tts->timer && !(tts->trouble && tts->trouble->hangs)) {
        int64_t delay = tts->is_started ? 1000 : tts->vendor->tts_delay_us;
        tts->is_started = true;
        tts->timer = fake_after(tts->vendor, delay, tts_step, tts);
    }
}

static int32_t tts_begin(void *session, const struct aic_tts_utterance *params)
{
    struct fake_tts *tts = session;
    fake_stop(tts->vendor, tts->timer);
    tts->timer = NULL;
    aic_buf_clear(&tts->text);
    tts->utterance = params->id;
    tts->sounded = 0;
    tts->flush_count = 0;
    tts->flush_next = 0;
    tts->is_ended = false;
    tts->is_started = false;
    size_t index = tts->vendor->utterances++;
    tts->trouble = index < FAKE_TEXTS ? &tts->vendor->voice_trouble[index] : NULL;
    return AIC_OK;
}

static int32_t tts_push(void *session, uint64_t id, struct aic_str text)
{
    struct fake_tts *tts = session;
    (void)id;
    aic_buf_str(&tts->text, text);
    aic_buf_char(&tts->text, ' ');
    size_t used = strlen(tts->vendor->spoken);
    (void)snprintf(tts->vendor->spoken + used, sizeof(tts->vendor->spoken) - used, "%.*s\n",
                   (int)text.len, text.ptr);
    tts_wake(tts);
    return AIC_OK;
}

static int32_t tts_flush(void *session, uint64_t id, uint64_t mark_id)
{
    struct fake_tts *tts = session;
    (void)id;
    if (!tts->vendor->streams_in) {
        return AIC_OK;
    }
    tts->flushed[tts->flush_count] = tts->text.len;
    tts->flush_marks[tts->flush_count++] = mark_id;
    return AIC_OK;
}

static int32_t tts_end(void *session, uint64_t id)
{
    struct fake_tts *tts = session;
    (void)id;
    tts->is_ended = true;
    tts_wake(tts);
    return AIC_OK;
}

static int32_t tts_cancel(void *session, uint64_t id, int64_t played_us)
{
    struct fake_tts *tts = session;
    (void)id;
    (void)played_us;
    fake_stop(tts->vendor, tts->timer);
    tts->timer = NULL;
    return AIC_OK;
}

static void tts_close(void *session)
{
    struct fake_tts *tts = session;
    fake_stop(tts->vendor, tts->timer);
    tts->vendor->tts_sessions--;
    aic_buf_finish(&tts->text);
    free(tts);
}

static const struct aic_tts tts_table = {.size = sizeof(tts_table),
                                         .capabilities = tts_capabilities,
                                         .open = tts_open,
                                         .begin = tts_begin,
                                         .push_text = tts_push,
                                         .end = tts_end,
                                         .cancel = tts_cancel,
                                         .close = tts_close,
                                         .flush = tts_flush};

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct fake_vendor *vendor = calloc(1, sizeof(*vendor));
    vendor->host = host;
    vendor->confidence = -1;
    vendor->stt_flags = (uint32_t)config->get_int(config, "stt_flags");
    vendor->llm_flags = (uint32_t)config->get_int(config, "llm_flags");
    vendor->line_flags = (uint32_t)config->get_int(config, "line_flags");
    vendor->aligns = config->get_int(config, "aligns") != 0;
    vendor->streams_in = config->get_int(config, "streams_in") != 0;
    *self = vendor;
    return AIC_OK;
}

static void destroy(void *self)
{
    struct fake_vendor *vendor = self;
    if (vendor && (vendor->stt_sessions || vendor->llm_sessions || vendor->tts_sessions)) {
        (void)fprintf(stderr, "fake vendor: sessions were left open\n");
        abort();
    }
    free(vendor);
}

static const void *get_interface(const char *id)
{
    if (strcmp(id, AIC_STT) == 0) {
        return &stt_table;
    }
    if (strcmp(id, AIC_LLM) == 0) {
        return fake_model_table();
    }
    if (strcmp(id, AIC_TTS) == 0) {
        return &tts_table;
    }
    return strcmp(id, AIC_TELEPHONY) == 0 ? fake_line_table() : NULL;
}

static const char *const provides[] = {AIC_STT, AIC_LLM, AIC_TTS, AIC_TELEPHONY};
static const struct aic_option options[] = {
    {.name = "stt_flags", .type = AIC_OPTION_INT, .fallback = "0"},
    {.name = "llm_flags", .type = AIC_OPTION_INT, .fallback = "0"},
    {.name = "line_flags", .type = AIC_OPTION_INT, .fallback = "0"},
    {.name = "aligns", .type = AIC_OPTION_INT, .fallback = "0"},
    {.name = "streams_in", .type = AIC_OPTION_INT, .fallback = "0"},
};
static const struct aic_plugin plugin = {.size = sizeof(plugin),
                                         .abi_major = AIC_ABI_MAJOR,
                                         .abi_minor = AIC_ABI_MINOR,
                                         .id = "fake",
                                         .version = "0",
                                         .summary = "For tests.",
                                         .license = "ISC",
                                         .provides = provides,
                                         .provides_count = 4,
                                         .options = options,
                                         .option_count = 5,
                                         .option_size = sizeof(options[0]),
                                         .create = create,
                                         .get_interface = get_interface,
                                         .destroy = destroy};

const struct aic_plugin *fake_vendor_plugin(void)
{
    return &plugin;
}
