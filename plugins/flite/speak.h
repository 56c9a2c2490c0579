/* SPDX-License-Identifier: ISC */
#ifndef FLITE_SPEAK_H
#define FLITE_SPEAK_H
/*
 * Turns a text into sound, sentence by sentence, and tells when each word is heard. Voices may be
 * used by several threads at once: everything that changes hangs from flite's own utterance.
 */
#include "clean.h"
#include "voice.h"

/* A word with its punctuation, and when it is heard, counted from the first sample of the text. */
struct flt_word {
    size_t begin; /* in the original text */
    size_t end;
    int64_t start_us;
    int64_t duration_us;
};

/* Both return false to stop: nothing is called after that. */
struct flt_listener {
    bool (*words)(void *data, const struct flt_word *words, size_t count);
    bool (*sound)(void *data, const int16_t *samples, size_t count);
    void *data;
};

struct flt_manner {
    float speed; /* 1 = as the voice likes it */
    float pitch;
};

/* Speaks all of `text`. The words of a sentence come before its sound. Returns AIC_OK also when it
 * was stopped. [pool] */
int32_t flt_speak(cst_voice *voice, const struct flt_manner *manner, struct aic_str text,
                  const struct flt_listener *listener);

#endif
