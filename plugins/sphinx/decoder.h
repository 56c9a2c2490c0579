/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_DECODER_H
#define SPHINX_DECODER_H
/*
 * From the sound of one utterance at a time to words; all that touches pocketsphinx. It goes on
 * learning the sound of the line from utterance to utterance. Belongs to one lane. [pool]
 */
#include "model.h"

struct sphinx_decoder;

/* Makes the model where needed, and loads it (about 20 ms). */
int32_t sphinx_decoder_create(struct sphinx_model *model, struct aic_format format,
                              struct sphinx_decoder **decoder);
/* Accepts NULL. Also on the loop: takes about a millisecond. */
void sphinx_decoder_destroy(struct sphinx_decoder *decoder);
/* Takes another model, at once or, within an utterance, behind its end. The old one goes on where
 * that fails. */
int32_t sphinx_decoder_change(struct sphinx_decoder *decoder, struct sphinx_model *model);

int32_t sphinx_decoder_begin(struct sphinx_decoder *decoder);
int32_t sphinx_decoder_push(struct sphinx_decoder *decoder, const uint8_t *sound, size_t bytes);
/* The words so far; borrowed until the next call. */
struct aic_str sphinx_decoder_words(struct sphinx_decoder *decoder);
/* Ends the utterance; the words are final then. */
int32_t sphinx_decoder_end(struct sphinx_decoder *decoder);

/* Silences the library, which writes to stderr otherwise. Once per process is enough, more does
 * no harm. [any] */
void sphinx_decoder_quiet(void);

#endif
