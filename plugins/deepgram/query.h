/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_QUERY_H
#define DEEPGRAM_QUERY_H
/* The address of a recogniser with all that it is to do. Pure. */
#include "json.h"
#include "provider.h"

/*
 * A target that is short enough for every proxy on the way. Deepgram reads 500 tokens of keyterms;
 * beyond that it falls silent without a word.
 */
enum { DEEPGRAM_TARGET_MAX_BYTES = 1900, DEEPGRAM_KEYTERM_TOKENS = 400, DEEPGRAM_TERMS_MAX = 128 };

struct deepgram_query {
    const struct deepgram_settings *settings;
    const struct aic_json *extra;
    struct aic_format format;
    const char *language; /* the agent's; "" */
    int64_t endpointing_ms;
    const struct aic_str *terms;
    uint32_t term_count;
};

/* Whether a format can be sent. */
bool deepgram_format_is_known(struct aic_format format);
/* Whether a model is one of Flux. */
bool deepgram_model_is_flux(const char *model);
/* What is wrong with the operator's `extra`, or NULL. */
const char *deepgram_extra_problem(const struct aic_json *extra);
/* Writes the socket's address; returns how many of the terms, the first ones, have found room. */
uint32_t deepgram_query_write(const struct deepgram_query *query, struct aic_buf *to);
/* The address of a request for speech. */
void deepgram_speak_url(const struct deepgram_settings *settings, const char *voice,
                        struct aic_format format, struct aic_buf *to);
/* The address that tells about the key. */
void deepgram_token_url(const struct deepgram_settings *settings, struct aic_buf *to);
/* How many of the terms, the first ones, a recogniser takes. */
uint32_t deepgram_terms_within(const struct aic_str *terms, uint32_t count);

#endif
