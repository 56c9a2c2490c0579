/* SPDX-License-Identifier: ISC */
#include "call/voice.h"

#include "base/audio.h"
#include "plugin/provider.h"

#include "buf.h"

#include <string.h>

static struct aic_format choose_format(const struct provider *provider, struct aic_format leg)
{
    const struct aic_tts_caps *caps = &provider->tts_caps;
    struct aic_format best = caps->formats[0];
    for (uint32_t i = 0; i < caps->format_count; i++) {
        struct aic_format format;
        memcpy(&format, (const char *)caps->formats + (size_t)i * caps->format_size,
               sizeof(format));
        if (audio_format_equal(format, leg)) {
            return format;
        }
        if (format.rate_hz == leg.rate_hz && best.rate_hz != leg.rate_hz) {
            best = format;
        }
    }
    return best;
}

int32_t voice_open(struct voice *voice, struct provider *provider, struct aic_format leg,
                   const struct aic_tts_open *params,
                   void (*event)(void *owner, const struct aic_tts_event *event), void *owner)
{
    struct aic_tts_open own = *params;
    own.size = sizeof(own);
    own.format = choose_format(provider, leg);
    voice->needs_flush = !audio_format_equal(own.format, leg);
    voice->converter = audio_converter_create(own.format, leg);
    if (!voice->converter) {
        return AIC_ERROR_UNSUPPORTED;
    }
    int32_t status = session_open_tts(provider, &own, event, owner, &voice->session);
    if (status != AIC_OK) {
        voice_close(voice);
    }
    return status;
}

void voice_close(struct voice *voice)
{
    session_close(voice->session);
    voice->session = NULL;
    audio_converter_destroy(voice->converter);
    voice->converter = NULL;
}

static struct aic_str convert(struct voice *voice, const uint8_t *bytes, size_t count, bool is_last)
{
    const uint8_t *out = NULL;
    size_t out_bytes = 0;
    if (audio_convert(voice->converter, bytes, count, is_last, &out, &out_bytes) != AIC_OK) {
        return AIC_STR("");
    }
    return (struct aic_str){(const char *)out, out_bytes};
}

struct aic_str voice_convert(struct voice *voice, const struct aic_audio *audio)
{
    return audio ? convert(voice, audio->data, audio->bytes, false) : AIC_STR("");
}

struct aic_str voice_flush(struct voice *voice)
{
    return voice->needs_flush ? convert(voice, NULL, 0, true) : AIC_STR("");
}
