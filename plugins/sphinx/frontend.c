/* SPDX-License-Identifier: ISC */
#include "frontend.h"

#include "g711.h"

#include <math.h>
#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

enum {
    MODEL_RATE_HZ = 16000,
    CHUNK = 160,      /* samples that are worked on at a time */
    SETTLE_MS = 1000, /* sound that is held back until the loudness is known */
    LEVEL_MS = 20,    /* a syllable's loudest part is longer than this */
    HOLD_MAX = MODEL_RATE_HZ * SETTLE_MS / 1000,
    RESAMPLER_QUALITY = 5,
};

/* The loudest 20 ms of an utterance are brought to -12 dB of full scale, and noise is added at
 * -65 dB. The cepstral priors in decoder.c were measured with these values. */
static const float TARGET_RMS = 8231.0f;
static const float NOISE_AMPLITUDE = 30.0f;
static const float MAX_GAIN = 30.0f;
static const float MIN_GAIN = 0.25f;
static const float MIRROR_GAIN = 2.0f;
static const float MIRROR_PACE = 0.01f; /* per sample: 6 ms */
/* Below this, -66 dB, there is no speech to measure. */
static const float SPEECH_RMS = 16.0f;

struct sphinx_frontend {
    struct aic_format format;
    SpeexResamplerState *resampler; /* NULL at 16 kHz */
    uint32_t random;
    float gain;
    float level;     /* loudest part of the utterances before; 0 = none yet */
    float loudest;   /* of this utterance */
    float energy;    /* of the part that is being measured */
    size_t measured; /* samples in it */
    bool is_settled;
    int16_t before[2]; /* the last samples at 16 kHz */
    float power;       /* of some milliseconds; of the sound, and of its changes */
    float change;
    bool is_odd;
    size_t held;
    int16_t hold[HOLD_MAX];
};

struct sphinx_frontend *sphinx_frontend_create(struct aic_format format)
{
    struct sphinx_frontend *f = calloc(1, sizeof(*f));
    if (!f) {
        return NULL;
    }
    f->format = format;
    if (format.rate_hz != MODEL_RATE_HZ) {
        int error = 0;
        f->resampler =
            speex_resampler_init(1, format.rate_hz, MODEL_RATE_HZ, RESAMPLER_QUALITY, &error);
        if (!f->resampler) {
            free(f);
            return NULL;
        }
    }
    sphinx_frontend_begin(f);
    return f;
}

void sphinx_frontend_destroy(struct sphinx_frontend *f)
{
    if (!f) {
        return;
    }
    if (f->resampler) {
        speex_resampler_destroy(f->resampler);
    }
    free(f);
}

void sphinx_frontend_begin(struct sphinx_frontend *f)
{
    f->random = 1;
    f->gain = 1;
    f->loudest = 0;
    f->energy = 0;
    f->measured = 0;
    f->is_settled = false;
    f->held = 0;
    memset(f->before, 0, sizeof(f->before));
    f->power = 0;
    f->change = 0;
    f->is_odd = false;
    if (f->resampler) {
        (void)speex_resampler_reset_mem(f->resampler);
        (void)speex_resampler_skip_zeros(f->resampler);
    }
}

static void measure(struct sphinx_frontend *f, const int16_t *samples, size_t count)
{
    size_t part = (size_t)f->format.rate_hz * LEVEL_MS / 1000;
    for (size_t i = 0; i < count; i++) {
        f->energy += (float)samples[i] * (float)samples[i];
        if (++f->measured == part) {
            f->loudest = fmaxf(f->loudest, sqrtf(f->energy / (float)part));
            f->energy = 0;
            f->measured = 0;
        }
    }
}

/* Decides the gain of this utterance from what was held back and from the utterances before. */
static void settle(struct sphinx_frontend *f)
{
    float level = f->loudest;
    if (f->level > 0) {
        level = level > SPEECH_RMS ? sqrtf(level * f->level) : f->level;
    }
    f->gain = level > SPEECH_RMS ? fminf(fmaxf(TARGET_RMS / level, MIN_GAIN), MAX_GAIN) : 1.0f;
    f->is_settled = true;
}

/* Noise between -1 and 1, the same in every utterance. */
static float noise(struct sphinx_frontend *f)
{
    f->random = f->random * 1664525u + 1013904223u;
    return (float)(f->random >> 8) / 8388608.0f - 1.0f;
}

static int32_t deliver(struct sphinx_frontend *f, int16_t *samples, size_t count,
                       sphinx_samples out, void *data)
{
    for (size_t i = 0; i < count; i++) {
        float sample = (float)samples[i] * f->gain + NOISE_AMPLITUDE * noise(f);
        samples[i] = (int16_t)lrintf(fminf(fmaxf(sample, -32768.0f), 32767.0f));
    }
    return count > 0 ? out(data, samples, count) : AIC_OK;
}

/*
 * A telephone line ends below 4 kHz, and most of an "s" lies above: without it, "six" is heard as
 * "eight". So the band is mirrored at 4 kHz, the more the sound hisses; a vowel has little up
 * there.
 */
static void mirror(struct sphinx_frontend *f, int16_t *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        float sample = (float)samples[i];
        float change = sample - (float)f->before[1];
        f->before[1] = f->before[0];
        f->before[0] = samples[i];
        f->power += (sample * sample - f->power) * MIRROR_PACE;
        f->change += (change * change - f->change) * MIRROR_PACE;
        float hiss = f->power > 1 ? f->change / (4 * f->power) : 0;
        float mirrored = sample * fminf(MIRROR_GAIN * hiss, 1);
        sample += f->is_odd ? mirrored : -mirrored;
        f->is_odd = !f->is_odd;
        samples[i] = (int16_t)lrintf(fminf(fmaxf(sample, -32768.0f), 32767.0f));
    }
}

/* At most CHUNK samples, through the resampler. */
static int32_t process(struct sphinx_frontend *f, const int16_t *samples, size_t count,
                       sphinx_samples out, void *data)
{
    int16_t wide[2 * CHUNK + 16];
    if (!f->resampler) {
        memcpy(wide, samples, count * sizeof(*samples));
        return deliver(f, wide, count, out, data);
    }
    spx_uint32_t in = (spx_uint32_t)count;
    spx_uint32_t made = sizeof(wide) / sizeof(wide[0]);
    (void)speex_resampler_process_int(f->resampler, 0, samples, &in, wide, &made);
    mirror(f, wide, made);
    return deliver(f, wide, made, out, data);
}

static int32_t release(struct sphinx_frontend *f, sphinx_samples out, void *data)
{
    settle(f);
    int32_t status = AIC_OK;
    for (size_t i = 0; i < f->held && status == AIC_OK; i += CHUNK) {
        status = process(f, f->hold + i, f->held - i < CHUNK ? f->held - i : CHUNK, out, data);
    }
    f->held = 0;
    return status;
}

static int32_t take(struct sphinx_frontend *f, const int16_t *samples, size_t count,
                    sphinx_samples out, void *data)
{
    measure(f, samples, count);
    if (f->is_settled) {
        return process(f, samples, count, out, data);
    }
    memcpy(f->hold + f->held, samples, count * sizeof(*samples));
    f->held += count;
    size_t enough = (size_t)f->format.rate_hz * SETTLE_MS / 1000;
    return f->held + CHUNK > enough ? release(f, out, data) : AIC_OK;
}

int32_t sphinx_frontend_push(struct sphinx_frontend *f, const uint8_t *sound, size_t bytes,
                             sphinx_samples out, void *data)
{
    bool is_mulaw = f->format.codec == AIC_CODEC_MULAW;
    size_t total = is_mulaw ? bytes : bytes / sizeof(int16_t);
    int32_t status = AIC_OK;
    for (size_t at = 0; at < total && status == AIC_OK; at += CHUNK) {
        int16_t samples[CHUNK];
        size_t count = total - at < CHUNK ? total - at : CHUNK;
        if (is_mulaw) {
            aic_mulaw_decode(samples, sound + at, count);
        } else {
            memcpy(samples, sound + at * sizeof(int16_t), count * sizeof(int16_t));
        }
        status = take(f, samples, count, out, data);
    }
    return status;
}

int32_t sphinx_frontend_end(struct sphinx_frontend *f, sphinx_samples out, void *data)
{
    static const int16_t silence[CHUNK];
    int32_t status = f->is_settled ? AIC_OK : release(f, out, data);
    if (status == AIC_OK && f->resampler) {
        status =
            process(f, silence, (size_t)speex_resampler_get_input_latency(f->resampler), out, data);
    }
    return status;
}

void sphinx_frontend_learn(struct sphinx_frontend *f)
{
    if (f->loudest > SPEECH_RMS) {
        f->level = f->level > 0 ? (f->level + f->loudest) / 2 : f->loudest;
    }
}
