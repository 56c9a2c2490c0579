/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_FRONTEND_H
#define SPHINX_FRONTEND_H
/*
 * Brings a caller's sound into the shape that the acoustic model was trained on: 16 kHz, always the
 * same loudness, and a faint noise under it. On a telephone line nothing is left above 4 kHz, and
 * of that nothing the model would take the logarithm; the noise makes it the same nothing on every
 * line. The loudness is measured on the first 600 ms of an utterance, which are held back until
 * then, and on the utterances before.
 *
 * Deterministic: equal input gives equal output. No clock.
 */
#include <aicaller/audio.h>
#include <stdbool.h>

struct sphinx_frontend;

/* Takes a block of 16 kHz samples. */
typedef int32_t (*sphinx_samples)(void *data, const int16_t *samples, size_t count);

/* For PCM_S16LE or MULAW, mono, 8000 or 16000 Hz; NULL out of memory. */
struct sphinx_frontend *sphinx_frontend_create(struct aic_format format);
/* Accepts NULL. */
void sphinx_frontend_destroy(struct sphinx_frontend *frontend);
/* A new utterance; what was held back of the last one is dropped. */
void sphinx_frontend_begin(struct sphinx_frontend *frontend);
/* The next sound of the utterance; `out` gets what is ready. Returns what `out` returned. */
int32_t sphinx_frontend_push(struct sphinx_frontend *frontend, const uint8_t *sound, size_t bytes,
                             sphinx_samples out, void *data);
/* No more sound: `out` gets the rest. */
int32_t sphinx_frontend_end(struct sphinx_frontend *frontend, sphinx_samples out, void *data);
/* The utterance that has ended was speech: its loudness is expected of the next one. */
void sphinx_frontend_learn(struct sphinx_frontend *frontend);

#endif
