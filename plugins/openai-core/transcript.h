/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_TRANSCRIPT_H
#define OPENAI_TRANSCRIPT_H
/*
 * The answer of a recogniser for whole recordings, and how far it is to be believed. Whisper and
 * its kin write something for every sound, so what they say of their own certainty decides. Pure.
 */
#include "head.h"
#include "json.h"

enum { OPENAI_TRANSCRIPT_MAX_BYTES = 64 * 1024, OPENAI_LANGUAGE_BYTES = 16 };

struct openai_transcript {
    struct aic_buf text;                  /* without what was not really said */
    float confidence;                     /* 0 to 1; -1 unknown */
    uint32_t dropped;                     /* segments that were taken for noise */
    char language[OPENAI_LANGUAGE_BYTES]; /* a code; empty where the server gives a name or none */
    char id[OPENAI_ID_BYTES];
};

/*
 * Reads an answer in the forms "json" and "verbose_json". `prompt` is what the request gave as
 * context: a recogniser that hears nothing may repeat it. AIC_ERROR_PROTOCOL: this is no answer.
 * The transcript has to be finished in each case.
 */
int32_t openai_transcript_read(struct aic_str body, struct aic_str prompt,
                               struct openai_transcript *transcript);
void openai_transcript_finish(struct openai_transcript *transcript);

#endif
