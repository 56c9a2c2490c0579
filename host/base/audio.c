/* SPDX-License-Identifier: ISC */
#include "audio.h"

#include "g711.h"

#include <limits.h>
#include <math.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum {
    RATE_MIN_HZ = 8000,
    RATE_MAX_HZ = 48000,
    BLOCK_MAX_SAMPLES = 1 << 22,
    RESAMPLER_QUALITY = 5 /* 80 taps: 5 ms at 8 kHz, flat to 3.4 kHz */
};

/* A block of samples that grows to what is needed. */
struct samples {
    int16_t *data;
    size_t room;
};

struct audio_converter {
    struct aic_format from;
    struct aic_format to;
    bool is_same;
    SpeexResamplerState *resampler; /* NULL for equal rates */
    uint64_t samples_in;            /* since the start or the last flush */
    uint64_t samples_out;
    bool has_half; /* a block ended within a sample; its first byte waits here */
    uint8_t half;
    struct samples linear;
    struct samples resampled;
    uint8_t *bytes;
    size_t bytes_room;
};

static bool can_convert(struct aic_format format)
{
    bool is_known = format.codec == AIC_CODEC_PCM_S16LE || format.codec == AIC_CODEC_MULAW ||
                    format.codec == AIC_CODEC_ALAW;
    return is_known && format.channels == 1 && format.rate_hz >= RATE_MIN_HZ &&
           format.rate_hz <= RATE_MAX_HZ;
}

struct audio_converter *audio_converter_create(struct aic_format from, struct aic_format to)
{
    bool is_same = from.codec != AIC_CODEC_NONE && audio_format_equal(from, to);
    if (!is_same && (!can_convert(from) || !can_convert(to))) {
        return NULL;
    }
    struct audio_converter *converter = calloc(1, sizeof(*converter));
    if (!converter) {
        return NULL;
    }
    converter->from = from;
    converter->to = to;
    converter->is_same = is_same;
    if (is_same || from.rate_hz == to.rate_hz) {
        return converter;
    }
    int error = 0;
    converter->resampler =
        speex_resampler_init(1, from.rate_hz, to.rate_hz, RESAMPLER_QUALITY, &error);
    if (!converter->resampler) {
        free(converter);
        return NULL;
    }
    /* The silence that the filter would begin with is left out, so that time stays true. */
    speex_resampler_skip_zeros(converter->resampler);
    return converter;
}

void audio_converter_destroy(struct audio_converter *converter)
{
    if (!converter) {
        return;
    }
    if (converter->resampler) {
        speex_resampler_destroy(converter->resampler);
    }
    free(converter->linear.data);
    free(converter->resampled.data);
    free(converter->bytes);
    free(converter);
}

static int32_t samples_reserve(struct samples *samples, size_t count)
{
    if (count <= samples->room) {
        return AIC_OK;
    }
    int16_t *data = realloc(samples->data, count * sizeof(*data));
    if (!data) {
        return AIC_ERROR_MEMORY;
    }
    samples->data = data;
    samples->room = count;
    return AIC_OK;
}

static int16_t load_s16le(const uint8_t *from)
{
    return (int16_t)(uint16_t)(from[0] | from[1] << 8);
}

static void store_s16le(uint8_t *to, int16_t sample)
{
    to[0] = (uint8_t)((uint16_t)sample & 0xFFu);
    to[1] = (uint8_t)((uint16_t)sample >> 8);
}

/* PCM may come in blocks of odd length, as HTTP delivers it; a half sample waits for its rest. */
static size_t decode_pcm(struct audio_converter *converter, const uint8_t *in, size_t bytes)
{
    int16_t *to = converter->linear.data;
    size_t count = 0;
    if (converter->has_half && bytes > 0) {
        const uint8_t sample[2] = {converter->half, in[0]};
        to[count++] = load_s16le(sample);
        converter->has_half = false;
        in++;
        bytes--;
    }
    for (size_t i = 0; i + 1 < bytes; i += 2) {
        to[count++] = load_s16le(in + i);
    }
    if (bytes % 2 == 1) {
        converter->half = in[bytes - 1];
        converter->has_half = true;
    }
    return count;
}

static size_t decode(struct audio_converter *converter, const uint8_t *in, size_t bytes)
{
    if (converter->from.codec == AIC_CODEC_PCM_S16LE) {
        return decode_pcm(converter, in, bytes);
    }
    if (converter->from.codec == AIC_CODEC_MULAW) {
        aic_mulaw_decode(converter->linear.data, in, bytes);
    } else {
        aic_alaw_decode(converter->linear.data, in, bytes);
    }
    return bytes;
}

static void encode(const struct audio_converter *converter, const int16_t *from, size_t count)
{
    if (converter->to.codec == AIC_CODEC_MULAW) {
        aic_mulaw_encode(converter->bytes, from, count);
    } else if (converter->to.codec == AIC_CODEC_ALAW) {
        aic_alaw_encode(converter->bytes, from, count);
    } else {
        for (size_t i = 0; i < count; i++) {
            store_s16le(converter->bytes + 2 * i, from[i]);
        }
    }
}

/* Feeds `count` samples, or as much silence where `from` is NULL; appends to `resampled`. */
static void feed(struct audio_converter *converter, const int16_t *from, size_t count, size_t *have)
{
    static const int16_t silence[256];
    while (count > 0) {
        size_t piece = from || count < 256 ? count : 256;
        spx_uint32_t taken = (spx_uint32_t)piece;
        spx_uint32_t made = (spx_uint32_t)(converter->resampled.room - *have);
        int status = speex_resampler_process_int(converter->resampler, 0, from ? from : silence,
                                                 &taken, converter->resampled.data + *have, &made);
        *have += made;
        if (status != RESAMPLER_ERR_SUCCESS || (taken == 0 && made == 0)) {
            return;
        }
        from = from ? from + taken : NULL;
        count -= taken;
    }
}

/* Returns the number of samples made, or a negative status. */
static int64_t resample(struct audio_converter *converter, size_t count, bool flush)
{
    uint64_t from_hz = converter->from.rate_hz;
    uint64_t to_hz = converter->to.rate_hz;
    size_t delay = (size_t)speex_resampler_get_input_latency(converter->resampler);
    size_t tail = flush ? delay + 1 : 0;
    /* Room for a sample more than the ratio says, and for what the filter still holds. */
    size_t room = (size_t)((count + tail + delay) * to_hz / from_hz) + 2;
    int32_t status = samples_reserve(&converter->resampled, room);
    if (status != AIC_OK) {
        return status;
    }
    size_t have = 0;
    feed(converter, converter->linear.data, count, &have);
    converter->samples_in += count;
    if (flush) {
        /* The silence that pushed the rest out is not part of the sound. */
        feed(converter, NULL, tail, &have);
        uint64_t whole = (converter->samples_in * to_hz + from_hz / 2) / from_hz;
        uint64_t left = whole > converter->samples_out ? whole - converter->samples_out : 0;
        have = have < left ? have : (size_t)left;
    }
    converter->samples_out += have;
    return (int64_t)have;
}

/* The next block begins a new sound. */
static void restart(struct audio_converter *converter)
{
    converter->has_half = false;
    converter->samples_in = 0;
    converter->samples_out = 0;
    if (converter->resampler) {
        speex_resampler_reset_mem(converter->resampler);
        speex_resampler_skip_zeros(converter->resampler);
    }
}

int32_t audio_convert(struct audio_converter *converter, const uint8_t *in, size_t bytes,
                      bool flush, const uint8_t **out, size_t *out_bytes)
{
    static const uint8_t nothing;
    if (converter->is_same) {
        *out = in;
        *out_bytes = bytes;
        return AIC_OK;
    }
    *out = &nothing;
    *out_bytes = 0;
    if (bytes > BLOCK_MAX_SAMPLES) {
        return AIC_ERROR_TOO_LARGE;
    }
    int32_t status = samples_reserve(&converter->linear, bytes + 1);
    if (status != AIC_OK) {
        return status;
    }
    size_t count = decode(converter, in, bytes);
    const struct samples *made = &converter->linear;
    if (converter->resampler) {
        int64_t resampled = resample(converter, count, flush);
        if (resampled < 0) {
            return (int32_t)resampled;
        }
        made = &converter->resampled;
        count = (size_t)resampled;
    }
    size_t need = count * audio_sample_bytes(converter->to);
    if (need > converter->bytes_room) {
        uint8_t *room = realloc(converter->bytes, need);
        if (!room) {
            return AIC_ERROR_MEMORY;
        }
        converter->bytes = room;
        converter->bytes_room = need;
    }
    encode(converter, made->data, count);
    if (flush) {
        restart(converter);
    }
    *out = need > 0 ? converter->bytes : &nothing;
    *out_bytes = need;
    return AIC_OK;
}

bool audio_format_equal(struct aic_format a, struct aic_format b)
{
    return a.codec == b.codec && a.rate_hz == b.rate_hz && a.channels == b.channels;
}

size_t audio_sample_bytes(struct aic_format format)
{
    switch (format.codec) {
    case AIC_CODEC_PCM_S16LE:
        return 2 * (size_t)format.channels;
    case AIC_CODEC_PCM_F32LE:
        return 4 * (size_t)format.channels;
    case AIC_CODEC_MULAW:
    case AIC_CODEC_ALAW:
        return format.channels;
    default:
        return 0;
    }
}

int64_t audio_duration_us(struct aic_format format, size_t bytes)
{
    size_t each = audio_sample_bytes(format);
    if (each == 0 || format.rate_hz == 0) {
        return 0;
    }
    int64_t samples = (int64_t)(bytes / each);
    int64_t rate = format.rate_hz;
    return samples / rate * 1000000 + samples % rate * 1000000 / rate;
}

size_t audio_bytes_for_us(struct aic_format format, int64_t us)
{
    if (us <= 0) {
        return 0;
    }
    int64_t rate = format.rate_hz;
    int64_t samples = us / 1000000 * rate + us % 1000000 * rate / 1000000;
    return (size_t)samples * audio_sample_bytes(format);
}

void audio_silence(struct aic_format format, uint8_t *to, size_t bytes)
{
    int value = format.codec == AIC_CODEC_MULAW ? 0xFF : format.codec == AIC_CODEC_ALAW ? 0xD5 : 0;
    if (bytes > 0) {
        memset(to, value, bytes);
    }
}

/* One sample on a scale on which 1 is the loudest; `from` need not be aligned. */
static double sample_at(uint32_t codec, const uint8_t *from)
{
    switch (codec) {
    case AIC_CODEC_PCM_S16LE:
        return load_s16le(from) / 32768.0;
    case AIC_CODEC_MULAW:
        return aic_mulaw_to_linear(*from) / 32768.0;
    case AIC_CODEC_ALAW:
        return aic_alaw_to_linear(*from) / 32768.0;
    default: {
        uint32_t bits =
            from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
        float value = 0;
        memcpy(&value, &bits, sizeof(value));
        return isfinite(value) ? (double)value : 0;
    }
    }
}

double audio_level_dbfs(struct aic_format format, const uint8_t *data, size_t bytes)
{
    const double silence_db = -100;
    format.channels = 1;
    size_t each = audio_sample_bytes(format);
    size_t count = each ? bytes / each : 0;
    double sum = 0;
    double squares = 0;
    for (size_t i = 0; i < count; i++) {
        double sample = sample_at(format.codec, data + i * each);
        sum += sample;
        squares += sample * sample;
    }
    if (count == 0) {
        return silence_db;
    }
    double mean = sum / (double)count;
    double power = squares / (double)count - mean * mean;
    return power > 1e-10 ? 10 * log10(power) : silence_db;
}
