/* SPDX-License-Identifier: ISC */
/* Role tts: what the host may ask of a voice. */
#include "session.h"

/* In the order of the telephone's preference; the first that fits the line is taken. */
static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_ALAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1},
};

static struct eleven_utterance *find(const struct eleven_session *session, uint64_t id)
{
    struct eleven_utterance *u = session->first;
    while (u && (u->id != id || u->is_told || u->is_cancelled)) {
        u = u->next;
    }
    return u;
}

static int32_t pump(struct eleven_utterance *u)
{
    struct eleven_session *session = u->session;
    if (!session->is_socket) {
        return eleven_stream_pump(u);
    }
    int32_t status = session->ws ? AIC_OK : eleven_socket_open(session);
    if (status == AIC_OK) {
        eleven_socket_pump(session);
    }
    return status;
}

static int32_t tts_begin(void *self, const struct aic_tts_utterance *params)
{
    return eleven_utterance_create(self, params->id, params->previous_text);
}

static bool is_blank(struct aic_str text)
{
    return eleven_chars(text) == 0;
}

static int32_t tts_push_text(void *self, uint64_t id, struct aic_str text)
{
    struct eleven_utterance *u = find(self, id);
    if (!u || u->is_ended) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (is_blank(text)) {
        return AIC_OK;
    }
    if (u->piece_count == ELEVEN_PIECES_MAX || u->text.len + text.len + 1 > ELEVEN_TEXT_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    int64_t before = u->piece_count > 0 ? u->pieces[u->piece_count - 1].chars : 0;
    (void)aic_buf_str(&u->text, text);
    if (text.ptr[text.len - 1] != ' ') {
        (void)aic_buf_char(&u->text, ' ');
    }
    if (u->text.failed) {
        return AIC_ERROR_MEMORY;
    }
    u->pieces[u->piece_count++] =
        (struct eleven_piece){.end = u->text.len, .chars = before + eleven_chars(text)};
    return pump(u);
}

static void tell_late_mark(struct eleven_utterance *u)
{
    eleven_tell(u, AIC_TTS_EVENT_FLUSHED, (struct aic_tts_event){.mark_id = u->late_mark});
}

/* Each piece is spoken at once; what is left to do is to say when that was done. */
static int32_t tts_flush(void *self, uint64_t id, uint64_t mark_id)
{
    struct eleven_utterance *u = find(self, id);
    if (!u || u->is_ended) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (u->flushed == u->piece_count) {
        u->late_mark = mark_id;
        eleven_wait(u, 0, tell_late_mark);
        return AIC_OK;
    }
    struct eleven_piece *piece = &u->pieces[u->piece_count - 1];
    piece->mark_id = mark_id;
    piece->has_mark = true;
    return AIC_OK;
}

static int32_t tts_end(void *self, uint64_t id)
{
    struct eleven_utterance *u = find(self, id);
    if (!u || u->is_ended) {
        return AIC_ERROR_NOT_FOUND;
    }
    u->is_ended = true;
    if (u->piece_count == 0) {
        eleven_wait(u, 0, eleven_done);
        return AIC_OK;
    }
    return pump(u);
}

static int32_t tts_cancel(void *self, uint64_t id, int64_t played_us)
{
    (void)played_us;
    struct eleven_session *session = self;
    struct eleven_utterance *u = find(session, id);
    if (!u) {
        return AIC_ERROR_NOT_FOUND;
    }
    u->is_cancelled = true;
    speech_exchange_finish(&u->exchange);
    eleven_wait(u, 0, eleven_cancelled);
    if (session->is_open) {
        eleven_socket_pump(session);
    }
    return AIC_OK;
}

static void tts_close(void *self)
{
    if (self) {
        eleven_session_close(self);
    }
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **to)
{
    const struct eleven_provider *provider = self;
    if (!eleven_format_name(params->format)) {
        return AIC_ERROR_INVALID;
    }
    struct eleven_session *session =
        eleven_session_create(provider, params->voice, params->language, sink);
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->request.format = params->format;
    int32_t status = session->is_socket ? eleven_socket_open(session) : AIC_OK;
    if (status != AIC_OK) {
        tts_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

static int32_t tts_probe(void *self, const struct aic_tts_sink *sink, void **to)
{
    struct eleven_session *session = eleven_session_create(self, "", "", sink);
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = eleven_probe_start(session);
    if (status != AIC_OK) {
        tts_close(session);
        return status;
    }
    *to = session;
    return AIC_OK;
}

static void tts_prewarm(void *self)
{
    const struct eleven_provider *provider = self;
    const struct speech_services *services = &provider->services;
    if (!provider->is_socket && services->http) {
        services->http->warm(services->host, provider->settings.url);
    }
}

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    const struct eleven_provider *provider = self;
    caps->flags = AIC_TTS_STREAM_IN | AIC_TTS_STREAM_OUT | AIC_TTS_PARALLEL;
    if (provider->is_socket) {
        caps->flags |= AIC_TTS_ALIGN_WORDS;
    }
    caps->formats = formats;
    caps->format_count = sizeof(formats) / sizeof(formats[0]);
    caps->format_size = sizeof(formats[0]);
    caps->max_text_bytes = ELEVEN_TEXT_MAX_BYTES - 1;
    return AIC_OK;
}

const struct aic_tts *eleven_tts(void)
{
    static const struct aic_tts table = {
        .size = sizeof(table),
        .capabilities = tts_capabilities,
        .open = tts_open,
        .begin = tts_begin,
        .push_text = tts_push_text,
        .end = tts_end,
        .cancel = tts_cancel,
        .close = tts_close,
        .flush = tts_flush,
        .prewarm = tts_prewarm,
        .probe = tts_probe,
    };
    return &table;
}
