/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_ALIGNER_H
#define ELEVENLABS_ALIGNER_H
/*
 * From times of characters, which are relative to a message's sound and may end within a word, to
 * words with times of the utterance. Pure.
 */
#include "protocol.h"

#include <aicaller/tts.h>

enum { ELEVEN_SPANS_MAX = 512, ELEVEN_WORD_MAX_BYTES = 128 };

struct eleven_aligner {
    char word[ELEVEN_WORD_MAX_BYTES]; /* whose end has not come yet */
    size_t word_bytes;
    int64_t word_start_us;
    int64_t word_end_us;
    int64_t chars; /* so far, blanks not counted */
};

/* The words of one message. */
struct eleven_spans {
    struct aic_buf text; /* of all words */
    struct aic_tts_span list[ELEVEN_SPANS_MAX];
    size_t count;
};

void eleven_spans_init(struct eleven_spans *spans);
void eleven_spans_finish(struct eleven_spans *spans);

/* Takes an alignment whose sound begins at `base_us` of the utterance. */
void eleven_aligner_take(struct eleven_aligner *aligner, const struct aic_json *alignment,
                         int64_t base_us, struct eleven_spans *spans);
/* Gives the last word. */
void eleven_aligner_end(struct eleven_aligner *aligner, struct eleven_spans *spans);
/* Makes the list's texts point into the text; to be called last. */
void eleven_spans_seal(struct eleven_spans *spans);

/* Characters of a text as an aligner counts them: blanks not. */
int64_t eleven_chars(struct aic_str text);

#endif
