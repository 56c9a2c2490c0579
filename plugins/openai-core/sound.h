/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_SOUND_H
#define OPENAI_SOUND_H
/*
 * The body of a spoken answer, in arbitrary pieces: raw PCM, or a WAV file whose header is taken
 * off and held against what was agreed. Pure.
 */
#include "buf.h"

#include <aicaller/audio.h>

enum { OPENAI_SOUND_HEAD_BYTES = 4096 };

struct openai_sound {
    struct aic_format format; /* agreed with the host */
    struct aic_buf head;      /* the beginning, until it is clear what it is */
    bool is_open;             /* past the head */
    uint64_t left;            /* bytes of sound that a WAV file still has; else no bound */
    char odd;                 /* the first half of a sample */
    bool has_odd;
    char problem[160]; /* after a failure: what is wrong, for operators */
};

typedef void (*openai_sound_give)(void *data, struct aic_str samples);

void openai_sound_init(struct openai_sound *sound, struct aic_format format);
void openai_sound_finish(struct openai_sound *sound);
/* Takes the next piece and gives whole samples. AIC_ERROR_UNSUPPORTED: `problem` says why this can
 * not be played. */
int32_t openai_sound_push(struct openai_sound *sound, struct aic_str bytes, openai_sound_give give,
                          void *data);
/* The body is complete: gives what was too short to be judged. */
int32_t openai_sound_end(struct openai_sound *sound, openai_sound_give give, void *data);

#endif
