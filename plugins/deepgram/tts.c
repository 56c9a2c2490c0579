/* SPDX-License-Identifier: ISC */
/* Role tts: the voices of Aura. */
#include "voice.h"

#include "query.h"

static const struct aic_format formats[] = {
    {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
    {.codec = AIC_CODEC_ALAW, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1},
    {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 48000, .channels = 1},
};

static int32_t tts_begin(void *self, const struct aic_tts_utterance *params)
{
    return deepgram_utterance_create(self, params->id);
}

static int32_t tts_push_text(void *self, uint64_t id, struct aic_str text)
{
    struct deepgram_utterance *u = deepgram_utterance_find(self, id);
    if (!u || u->is_ended) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (u->text.len + text.len + 1 > DEEPGRAM_TEXT_MAX_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (u->text.len > 0 && text.len > 0) {
        (void)aic_buf_char(&u->text, ' ');
    }
    return aic_buf_str(&u->text, text);
}

static int32_t tts_end(void *self, uint64_t id)
{
    struct deepgram_utterance *u = deepgram_utterance_find(self, id);
    if (!u || u->is_ended) {
        return AIC_ERROR_NOT_FOUND;
    }
    return deepgram_utterance_speak(u);
}

static int32_t tts_cancel(void *self, uint64_t id, int64_t played_us)
{
    (void)played_us;
    struct deepgram_utterance *u = deepgram_utterance_find(self, id);
    return u ? deepgram_utterance_cancel(u) : (int32_t)AIC_ERROR_NOT_FOUND;
}

static void tts_close(void *self)
{
    if (self) {
        deepgram_voice_close(self);
    }
}

static int32_t tts_open(void *self, const struct aic_tts_open *params,
                        const struct aic_tts_sink *sink, void **to)
{
    if (!deepgram_format_is_known(params->format)) {
        return AIC_ERROR_INVALID;
    }
    *to = deepgram_voice_create(self, params->voice, params->format, sink);
    return *to ? AIC_OK : AIC_ERROR_MEMORY;
}

static int32_t tts_probe(void *self, const struct aic_tts_sink *sink, void **to)
{
    struct deepgram_voice *voice = deepgram_voice_create(self, "", formats[0], sink);
    if (!voice) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = deepgram_voice_probe(voice);
    if (status != AIC_OK) {
        deepgram_voice_close(voice);
        return status;
    }
    *to = voice;
    return AIC_OK;
}

static void tts_prewarm(void *self)
{
    const struct deepgram_provider *provider = self;
    const struct speech_services *services = &provider->services;
    if (services->http) {
        services->http->warm(services->host, provider->settings.url);
    }
}

static int32_t tts_capabilities(void *self, struct aic_tts_caps *caps)
{
    (void)self;
    caps->flags = AIC_TTS_STREAM_OUT;
    caps->formats = formats;
    caps->format_count = sizeof(formats) / sizeof(formats[0]);
    caps->format_size = sizeof(formats[0]);
    caps->max_text_bytes = DEEPGRAM_TEXT_MAX_BYTES - 1;
    return AIC_OK;
}

const struct aic_tts *deepgram_tts(void)
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
        .prewarm = tts_prewarm,
        .probe = tts_probe,
    };
    return &table;
}
