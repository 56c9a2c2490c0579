/* SPDX-License-Identifier: ISC */
#include "samples.h"

static void give_on(struct speech_samples *samples, struct aic_str sound, speech_samples_give give,
                    void *data)
{
    if (sound.len > 0) {
        samples->bytes += sound.len;
        give(data, sound);
    }
}

void speech_samples_push(struct speech_samples *samples, struct aic_format format,
                         struct aic_str sound, speech_samples_give give, void *data)
{
    bool is_wide = format.codec == AIC_CODEC_PCM_S16LE;
    if (is_wide && samples->has_odd && sound.len > 0) {
        const char sample[2] = {samples->odd, sound.ptr[0]};
        samples->has_odd = false;
        sound = (struct aic_str){sound.ptr + 1, sound.len - 1};
        give_on(samples, (struct aic_str){sample, sizeof(sample)}, give, data);
    }
    if (is_wide && sound.len % 2) {
        samples->has_odd = true;
        samples->odd = sound.ptr[--sound.len];
    }
    give_on(samples, sound, give, data);
}

int64_t speech_samples_us(const struct speech_samples *samples, struct aic_format format)
{
    uint64_t count = format.codec == AIC_CODEC_PCM_S16LE ? samples->bytes / 2 : samples->bytes;
    return (int64_t)(count * 1000000 / format.rate_hz);
}
