/* SPDX-License-Identifier: ISC */
#ifndef SPEECH_SAMPLES_H
#define SPEECH_SAMPLES_H
/* Sound that comes in arbitrary pieces, given on in whole samples. Pure. */
#include "buf.h"

#include <aicaller/audio.h>

struct speech_samples {
    uint64_t bytes; /* given so far */
    char odd;       /* the first half of a sample */
    bool has_odd;
};

typedef void (*speech_samples_give)(void *data, struct aic_str samples);

/* Takes the next piece of sound of one channel; `give` is called up to twice. */
void speech_samples_push(struct speech_samples *samples, struct aic_format format,
                         struct aic_str sound, speech_samples_give give, void *data);
/* How long what was given takes. */
int64_t speech_samples_us(const struct speech_samples *samples, struct aic_format format);

#endif
