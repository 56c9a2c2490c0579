/* SPDX-License-Identifier: ISC */
#ifndef CALL_RECORDER_H
#define CALL_RECORDER_H
/*
 * Both sides of a call as one WAV file, caller left and agent right, written while it lasts. The
 * caller's samples are the clock: the agent's sound is laid beside them as it is heard, so that the
 * two never drift. Writing happens on a pool lane; a disk that is full ends the recording and
 * nothing else.
 */
#include "base/sched.h"

#include <aicaller/audio.h>

struct recorder;

struct recorder_result {
    int32_t status; /* AIC_OK, or why the file is not whole */
    uint64_t bytes;
    int64_t duration_us;
    uint32_t rate_hz;
};

/* Both formats at one rate: the file's. NULL without memory. Nothing is written yet. */
struct recorder *recorder_create(struct sched *sched, const char *path, struct aic_format caller,
                                 struct aic_format agent);
/* The caller's next block. */
void recorder_caller(struct recorder *recorder, const uint8_t *bytes, size_t count);
/* Sound that the caller hears from now on, after what was given before. */
void recorder_agent(struct recorder *recorder, const uint8_t *bytes, size_t count);
/* What was given and has not been heard yet will not be. */
void recorder_agent_clear(struct recorder *recorder);
/* Nothing is written while paused; silence takes its place. */
void recorder_pause(struct recorder *recorder, bool is_paused);
/*
 * Writes the rest, completes the header and frees the recorder; `done` is called on the loop once
 * the file is closed. `done` may be NULL.
 */
void recorder_finish(struct recorder *recorder,
                     void (*done)(void *data, const struct recorder_result *result), void *data);

#endif
