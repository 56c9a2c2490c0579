/* SPDX-License-Identifier: ISC */
/* Role stt: sessions of the streaming recognisers. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum { URL_MAX_BYTES = 8192, BLOCK_MS = 80, TEXT_MAX_BYTES = 64 * 1024, FLUX_MAX_BYTES = 1 << 18 };

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_ALAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 48000, .channels = 1},
};

void deepgram_tell(struct deepgram_session *session, uint32_t kind, struct aic_stt_event event)
{
    bool is_outcome = kind == AIC_STT_EVENT_ERROR || kind == AIC_STT_EVENT_CLOSED;
    if (session->line.is_closed || (session->is_probe && !is_outcome)) {
        return;
    }
    event.size = sizeof(event);
    event.kind = kind;
    session->sink->event(session->sink, &event);
}

static void tell_bare(struct deepgram_session *session, uint32_t kind)
{
    deepgram_tell(session, kind,
                  (struct aic_stt_event){.confidence = -1, .start_us = -1, .end_us = -1});
}

int64_t deepgram_time_us(const struct deepgram_session *session, int64_t stream_us)
{
    if (stream_us < 0) {
        return -1;
    }
    int64_t time_us = stream_us + deepgram_line_offset_us(&session->line);
    return time_us > 0 ? time_us : 0;
}

void deepgram_tell_words(struct deepgram_session *session, const struct deepgram_message *message,
                         struct aic_stt_event event)
{
    bool is_formatted = session->provider->is_flux || session->provider->settings.smart_format;
    event.id = session->turn_id;
    event.segment_id = session->segment_id;
    event.flags = is_formatted ? AIC_STT_FORMATTED : 0;
    event.text = message->text;
    event.language = message->language;
    event.confidence = message->confidence;
    event.start_us = deepgram_time_us(session, message->start_us);
    event.end_us = deepgram_time_us(session, message->end_us);
    event.words = session->words;
    event.word_count = deepgram_message_words(message, deepgram_line_offset_us(&session->line),
                                              session->words, DEEPGRAM_WORDS_MAX);
    event.word_size = sizeof(session->words[0]);
    event.vendor_id = message->request_id;
    deepgram_tell(session, AIC_STT_EVENT_TRANSCRIPT, event);
}

void deepgram_tell_no_words(struct deepgram_session *session)
{
    deepgram_tell(session, AIC_STT_EVENT_TRANSCRIPT,
                  (struct aic_stt_event){.id = session->turn_id,
                                         .segment_id = session->segment_id,
                                         .scope = AIC_STT_SCOPE_SEGMENT,
                                         .text_mode = AIC_STT_TEXT_REPLACE,
                                         .stability = AIC_STT_PARTIAL,
                                         .confidence = -1,
                                         .start_us = -1,
                                         .end_us = -1});
}

void deepgram_end_turn(struct deepgram_session *session, float confidence)
{
    uint64_t id = session->turn_id++;
    session->segment_id = 0;
    session->has_words = false;
    deepgram_tell(
        session, AIC_STT_EVENT_TURN_END,
        (struct aic_stt_event){
            .id = id, .confidence = confidence, .start_us = -1, .end_us = session->heard_us});
}

static void tell_usage(struct deepgram_session *session)
{
    const struct deepgram_line *line = &session->line;
    int64_t connected_us = deepgram_line_connected_us(line);
    struct aic_usage usage = {
        .size = sizeof(usage),
        .flags = AIC_USAGE_ESTIMATED,
        .requests = session->told_us == 0 && connected_us > 0,
        .audio_in_us = deepgram_line_sound_us(line, line->used_bytes - session->told_bytes),
        .connection_us = connected_us - session->told_us};
    if (usage.connection_us > 0) {
        session->told_bytes = line->used_bytes;
        session->told_us = connected_us;
        deepgram_tell(session, AIC_STT_EVENT_USAGE,
                      (struct aic_stt_event){.usage = &usage, .confidence = -1});
    }
}

static void on_opened(void *data, bool is_again, int64_t lost_us)
{
    struct deepgram_session *session = data;
    if (session->is_probe) {
        (void)deepgram_line_finish(&session->line);
    } else if (is_again) {
        deepgram_tell(session, AIC_STT_EVENT_RECONNECTED,
                      (struct aic_stt_event){
                          .duration_us = lost_us, .confidence = -1, .start_us = -1, .end_us = -1});
    } else {
        tell_bare(session, AIC_STT_EVENT_READY);
    }
}

static void tell_fault(struct deepgram_session *session, uint32_t kind,
                       const struct speech_fault *fault)
{
    struct aic_error error = speech_fault_error(fault, false);
    deepgram_tell(
        session, kind,
        (struct aic_stt_event){.error = &error, .confidence = -1, .start_us = -1, .end_us = -1});
}

static void take_error(struct deepgram_session *session, const struct deepgram_message *message)
{
    struct speech_fault fault;
    deepgram_problem_of_message(&fault, message->code, message->description);
    /* What Deepgram could not read it repeats, and that may be anything. */
    speech_fault_hide(&fault, session->provider->settings.api_key);
    if (message->kind == DEEPGRAM_CONFIGURE_REFUSED) {
        fault.scope = AIC_SCOPE_REQUEST;
        tell_fault(session, AIC_STT_EVENT_WARNING, &fault);
        return;
    }
    deepgram_line_note(&session->line, &fault);
    tell_fault(session, AIC_STT_EVENT_WARNING, &fault);
}

static void take_message(struct deepgram_session *session, const struct deepgram_message *message)
{
    switch (message->kind) {
    case DEEPGRAM_CONFIGURED:
        tell_bare(session, AIC_STT_EVENT_UPDATED);
        break;
    case DEEPGRAM_CONFIGURE_REFUSED:
    case DEEPGRAM_ERROR:
        take_error(session, message);
        break;
    default:
        if (session->provider->is_flux) {
            deepgram_flux_take(session, message);
        } else {
            deepgram_nova_take(session, message);
        }
        break;
    }
}

static void on_message(void *data, struct aic_str text)
{
    struct deepgram_session *session = data;
    struct deepgram_message message;
    if (deepgram_message_read(text, &message) == AIC_OK) {
        take_message(session, &message);
        deepgram_message_finish(&message);
        return;
    }
    struct speech_fault fault;
    speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                     "what came is no message of Deepgram's");
    deepgram_line_break(&session->line, &fault);
}

static void on_ticked(void *data)
{
    tell_usage(data);
}

static void on_lost(void *data, const struct speech_fault *fault)
{
    struct deepgram_session *session = data;
    tell_usage(session);
    tell_fault(session, AIC_STT_EVENT_ERROR, fault);
}

static void on_finished(void *data)
{
    struct deepgram_session *session = data;
    if (session->provider->is_flux) {
        deepgram_flux_finish(session);
    }
    tell_usage(session);
    tell_bare(session, AIC_STT_EVENT_CLOSED);
}

static void forget_terms(struct deepgram_session *session)
{
    while (session->term_count > 0) {
        free(session->terms[--session->term_count]);
    }
}

static void session_destroy(void *data)
{
    struct deepgram_session *session = data;
    forget_terms(session);
    aic_buf_finish(&session->text);
    free(session->language);
    free(session);
}

static void take_term(struct deepgram_session *session, struct aic_str term)
{
    char *copy =
        term.len > 0 && session->term_count < DEEPGRAM_TERMS_MAX ? aic_str_dup(term) : NULL;
    if (copy) {
        session->terms[session->term_count++] = copy;
    } else {
        session->terms_dropped += term.len > 0;
    }
}

/* The operator's own words come first, then those of the agent. */
static void take_terms(struct deepgram_session *session, const struct aic_str *hints,
                       uint32_t count, uint32_t hint_size)
{
    const struct aic_config *config = session->provider->config;
    forget_terms(session);
    session->terms_dropped = 0;
    for (uint32_t i = 0; i < config->list_count(config, "keyterms"); i++) {
        take_term(session, aic_str(config->list_item(config, "keyterms", i)));
    }
    for (uint32_t i = 0; i < count; i++) {
        struct aic_str hint;
        memcpy(&hint, (const char *)hints + (size_t)i * hint_size, sizeof(hint));
        take_term(session, hint);
    }
}

static void view_terms(const struct deepgram_session *session, struct aic_str *terms)
{
    for (uint32_t i = 0; i < session->term_count; i++) {
        terms[i] = aic_str(session->terms[i]);
    }
}

static void complain_of_terms(const struct deepgram_session *session, uint32_t taken)
{
    uint32_t dropped = session->terms_dropped + session->term_count - taken;
    if (dropped > 0) {
        speech_log(&session->provider->services, AIC_LOG_WARN,
                   "%u of %u hints are left out: more than the recogniser takes", dropped,
                   session->terms_dropped + session->term_count);
    }
}

static int32_t write_url(const struct deepgram_session *session, struct aic_format format,
                         struct aic_buf *url)
{
    struct aic_str terms[DEEPGRAM_TERMS_MAX];
    view_terms(session, terms);
    const struct deepgram_query query = {
        .settings = &session->provider->settings,
        .extra = session->provider->extra,
        .format = format,
        .language = session->language,
        .endpointing_ms = session->endpointing_ms,
        .terms = terms,
        .term_count = session->term_count,
    };
    aic_buf_init(url, URL_MAX_BYTES);
    complain_of_terms(session, deepgram_query_write(&query, url));
    return url->failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}

static struct deepgram_session *session_create(struct deepgram_provider *provider,
                                               const struct aic_stt_sink *sink,
                                               const char *language)
{
    struct deepgram_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return NULL;
    }
    session->provider = provider;
    session->sink = sink;
    session->turn_id = 1;
    aic_buf_init(&session->text, TEXT_MAX_BYTES);
    session->language = aic_str_dup(aic_str(language ? language : ""));
    if (!session->language) {
        session_destroy(session);
        return NULL;
    }
    return session;
}

static int32_t open_line(struct deepgram_session *session, struct aic_format format)
{
    const struct deepgram_line_events events = {.data = session,
                                                .opened = on_opened,
                                                .message = on_message,
                                                .ticked = on_ticked,
                                                .lost = on_lost,
                                                .finished = on_finished,
                                                .gone = session_destroy};
    struct aic_buf url;
    int32_t status = write_url(session, format, &url);
    if (status == AIC_OK) {
        status = deepgram_line_open(&session->line, session->provider, format, aic_buf_view(&url),
                                    &events);
    }
    if (status == AIC_OK && session->provider->is_flux) {
        uint32_t sample_bytes = format.codec == AIC_CODEC_PCM_S16LE ? 2 : 1;
        session->line.block_bytes = (size_t)format.rate_hz * sample_bytes * BLOCK_MS / 1000;
    }
    aic_buf_finish(&url);
    return status;
}

static int32_t stt_open(void *self, const struct aic_stt_open *params,
                        const struct aic_stt_sink *sink, void **to)
{
    if (!deepgram_format_is_known(params->format)) {
        return AIC_ERROR_INVALID;
    }
    struct deepgram_session *session = session_create(self, sink, params->language);
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->endpointing_ms = params->endpointing_ms;
    take_terms(session, params->hints, params->hint_count, params->hint_size);
    int32_t status = open_line(session, params->format);
    if (status != AIC_OK) {
        session_destroy(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

static int32_t stt_probe(void *self, const struct aic_stt_sink *sink, void **to)
{
    struct deepgram_session *session = session_create(self, sink, "");
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->is_probe = true;
    int32_t status = open_line(session, formats[0]);
    if (status != AIC_OK) {
        session_destroy(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

static int32_t stt_push_audio(void *self, const struct aic_audio *audio)
{
    struct deepgram_session *session = self;
    const struct aic_format *ours = &session->line.format;
    if (audio->format.codec != ours->codec || audio->format.rate_hz != ours->rate_hz ||
        audio->format.channels != ours->channels) {
        return AIC_ERROR_INVALID;
    }
    /* A message without bytes would be taken for the end. */
    if (audio->bytes == 0) {
        return AIC_OK;
    }
    return deepgram_line_push(&session->line,
                              (struct aic_str){(const char *)audio->data, audio->bytes});
}

static void stt_close(void *self)
{
    struct deepgram_session *session = self;
    if (!session) {
        return;
    }
    if (session->line.skipped > 0) {
        speech_log(
            &session->provider->services, AIC_LOG_WARN,
            "%lld ms of sound could not be sent: the way to Deepgram was full",
            (long long)(deepgram_line_sound_us(&session->line, session->line.skipped) / 1000));
    }
    deepgram_line_close(&session->line);
}

static int32_t stt_finalize(void *self, uint64_t id)
{
    struct deepgram_session *session = self;
    int32_t status = deepgram_line_command(
        &session->line, session->provider->is_flux ? AIC_STR("{\"type\":\"ForceEndTurn\"}")
                                                   : AIC_STR("{\"type\":\"Finalize\"}"));
    if (status == AIC_OK) {
        session->finalize_id = id;
        session->awaits_finalize = true;
    }
    return status;
}

static bool takes_configure(const struct deepgram_provider *provider)
{
    return provider->is_flux || strncmp(provider->settings.model, "nova-3", 6) == 0;
}

static int32_t stt_update_hints(void *self, const struct aic_str *hints, uint32_t count,
                                uint32_t hint_size)
{
    struct deepgram_session *session = self;
    if (!takes_configure(session->provider)) {
        return AIC_ERROR_UNSUPPORTED;
    }
    struct aic_buf url;
    take_terms(session, hints, count, hint_size);
    int32_t status = write_url(session, session->line.format, &url);
    if (status == AIC_OK && !session->line.is_over) {
        deepgram_line_readdress(&session->line, aic_buf_view(&url));
    }
    aic_buf_finish(&url);
    if (status != AIC_OK) {
        return status;
    }
    struct aic_str terms[DEEPGRAM_TERMS_MAX];
    struct aic_buf text;
    view_terms(session, terms);
    aic_buf_init(&text, URL_MAX_BYTES);
    deepgram_configure_write(&text, terms, deepgram_terms_within(terms, session->term_count));
    status = text.failed ? AIC_ERROR_TOO_LARGE
                         : deepgram_line_command(&session->line, aic_buf_view(&text));
    aic_buf_finish(&text);
    return status;
}

static int32_t stt_finish(void *self)
{
    struct deepgram_session *session = self;
    return deepgram_line_finish(&session->line);
}

static int32_t stt_capabilities(void *self, struct aic_stt_caps *caps)
{
    const struct deepgram_provider *provider = self;
    const struct deepgram_settings *settings = &provider->settings;
    caps->flags = AIC_STT_STREAMING | AIC_STT_INTERIM | AIC_STT_VAD_EVENTS | AIC_STT_CONFIDENCE |
                  AIC_STT_WORD_TIMES;
    if (takes_configure(provider)) {
        caps->flags |= AIC_STT_UPDATE_HINTS;
    }
    if (!provider->is_flux) {
        caps->flags |= AIC_STT_FINALIZE;
    } else {
        caps->flags |= AIC_STT_NATIVE_TURNS | AIC_STT_CONTINUOUS;
        caps->flags |= settings->eager_eot_threshold > 0 ? AIC_STT_EAGER_TURNS : 0u;
    }
    caps->formats = formats;
    caps->format_count = sizeof(formats) / sizeof(formats[0]);
    caps->format_size = sizeof(formats[0]);
    caps->preferred_block_us = provider->is_flux ? BLOCK_MS * 1000 : 0;
    return AIC_OK;
}

const struct aic_stt *deepgram_stt(void)
{
    static const struct aic_stt table = {
        .size = sizeof(table),
        .capabilities = stt_capabilities,
        .open = stt_open,
        .push_audio = stt_push_audio,
        .close = stt_close,
        .finalize = stt_finalize,
        .update_hints = stt_update_hints,
        .finish = stt_finish,
        .probe = stt_probe,
    };
    return &table;
}
