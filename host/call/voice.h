/* SPDX-License-Identifier: ISC */
#ifndef CALL_VOICE_H
#define CALL_VOICE_H
/*
 * One open voice: a session with a tts provider, in the format of its own that needs least
 * conversion, and the conversion to the leg's.
 */
#include "plugin/session.h"

struct audio_converter;

struct voice {
    struct session *session; /* NULL = not open */
    struct audio_converter *converter;
    bool needs_flush; /* the conversion holds back a few milliseconds */
};

/*
 * Opens a session; its events go to `event(owner, ...)`. `params` gives call_id, voice and
 * language; size and format are filled in here.
 */
int32_t voice_open(struct voice *voice, struct provider *provider, struct aic_format leg,
                   const struct aic_tts_open *params,
                   void (*event)(void *owner, const struct aic_tts_event *event), void *owner);
void voice_close(struct voice *voice);
/* Sound in the leg's format; borrowed until the next call. */
struct aic_str voice_convert(struct voice *voice, const struct aic_audio *audio);
/* What the conversion still holds back, when an utterance is complete. */
struct aic_str voice_flush(struct voice *voice);

#endif
