/* SPDX-License-Identifier: ISC */
#ifndef FLITE_CLEAN_H
#define FLITE_CLEAN_H
/*
 * From the UTF-8 text of an answer to the ASCII that flite reads: letters lose their accents,
 * typographic quotes, dashes and currency signs become plain ones or words, signs and tags that
 * only shape a text go, what can not be spoken becomes a space. Every byte keeps the place that it
 * came from. Pure.
 */
#include "buf.h"

struct flt_clean {
    char *text;       /* terminated */
    uint32_t *origin; /* per byte and for the terminator: offset in the original */
    size_t len;
};

/* AIC_ERROR_TOO_LARGE: over 64 KB. */
int32_t flt_clean_init(struct flt_clean *clean, struct aic_str text);
/* Accepts a zeroed one. */
void flt_clean_finish(struct flt_clean *clean);
/* Whether there is a letter or a digit, so that something can be heard. */
bool flt_clean_has_words(const struct flt_clean *clean);

#endif
