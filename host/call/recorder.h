/* SPDX-License-Identifier: ISC */
#ifndef CALL_RECORDER_H
#define CALL_RECORDER_H
/*
 * Both sides of a call as one file, caller left and agent right, written while it lasts. The
 * caller's samples are the clock: the agent's sound is laid beside them as it is heard, so that the
 * two never drift. Writing happens on a pool lane; a disk that is full, or a limit, ends the
 * recording and nothing else.
 */
#include "base/sched.h"
#include "call/recorder_file.h"

#include <aicaller/audio.h>

struct recorder;

struct recorder_result {
    enum recorder_end end;
    uint64_t bytes; /* of sound, in the file */
    int64_t duration_us;
};

/* `path` is copied. Both formats at one rate: the file's. */
struct recorder_settings {
    const char *path;
    struct aic_format caller;
    struct aic_format agent;
    bool is_opus;
    int64_t max_us;     /* 0 = no limit */
    uint64_t max_bytes; /* 0 likewise */
    int64_t min_free_bytes;
};

/* NULL without memory. Nothing is written yet. `stopped(data, why)` is called at most once, on the
 * loop, when the recording ends before it is finished; may be NULL. */
struct recorder *recorder_create(struct sched *sched, const struct recorder_settings *settings,
                                 void (*stopped)(void *data, enum recorder_end why), void *data);
/* The caller's next block. */
void recorder_caller(struct recorder *recorder, const uint8_t *bytes, size_t count);
/* Sound that the caller hears from now on, after what was given before. */
void recorder_agent(struct recorder *recorder, const uint8_t *bytes, size_t count);
/* What was given and has not been heard yet will not be. */
void recorder_agent_clear(struct recorder *recorder);
/* What is said while paused is not kept; silence takes its place. */
void recorder_pause(struct recorder *recorder, bool is_paused);
/*
 * Writes the rest, completes the header and frees the recorder; `done` is called on the loop once
 * the file is closed. `done` may be NULL.
 */
void recorder_finish(struct recorder *recorder,
                     void (*done)(void *data, const struct recorder_result *result), void *data);

#endif
