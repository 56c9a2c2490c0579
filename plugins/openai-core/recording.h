/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_RECORDING_H
#define OPENAI_RECORDING_H
/* The latest sound of a leg, by media time: what an utterance is cut out of. Pure. */
#include "buf.h"

#include <aicaller/audio.h>

struct openai_recording {
    struct aic_format format; /* PCM_S16LE */
    struct aic_buf sound;
    int64_t end_us; /* media time behind the last sample */
};

void openai_recording_init(struct openai_recording *recording, struct aic_format format,
                           int64_t max_us);
void openai_recording_finish(struct openai_recording *recording);
/* Adds a block. AIC_ERROR_TOO_LARGE: it is full; time goes on without this block. */
int32_t openai_recording_push(struct openai_recording *recording, const struct aic_audio *audio);
/* Forgets what lies before a media time. */
void openai_recording_forget(struct openai_recording *recording, int64_t before_us);
/* Forgets what is older than `keep_us`, now and then. */
void openai_recording_age(struct openai_recording *recording, int64_t keep_us);
/* The sound between two media times, as far as it is there; borrowed until the next change. */
struct aic_str openai_recording_view(const struct openai_recording *recording, int64_t from_us,
                                     int64_t to_us);
int64_t openai_recording_us(const struct openai_recording *recording, size_t bytes);

#endif
