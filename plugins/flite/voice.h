/* SPDX-License-Identifier: ISC */
#ifndef FLITE_VOICE_H
#define FLITE_VOICE_H
/* The voices that come with flite. Their data is the library's, once per process. */
#include <aicaller/audio.h>
#include <flite/flite.h>

enum { FLT_VOICES = 5 };

/* Ends with NULL; the first is the default. */
extern const char *const flt_voice_names[FLT_VOICES + 1];

/* The voice of a name, NULL where there is none. The first call readies the library. [any] */
cst_voice *flt_voice(const char *name);
/* Samples per second that it makes. */
uint32_t flt_voice_rate_hz(const cst_voice *voice);

#endif
