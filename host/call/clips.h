/* SPDX-License-Identifier: ISC */
#ifndef CALL_CLIPS_H
#define CALL_CLIPS_H
/*
 * Sentences that an agent says whatever happens (greeting, apology, farewell, questions after
 * silence, fillers), spoken ahead of time. A greeting then begins at once, and the caller hears the
 * apology when every voice is down. They are kept in files, so that a voice that costs money speaks
 * each of them once: the name of a file is a hash of the words and of the voice's settings.
 */
#include "call/agent.h"

#include <aicaller/audio.h>

struct clips;
struct sched;

struct clips_settings {
    struct sched *sched;
    const char *folder; /* "" = kept in memory only */
    bool renders;       /* else only what another process rendered is used */
};

struct clips *clips_create(const struct clips_settings *settings);
/* Accepts NULL. */
void clips_destroy(struct clips *clips);
/* Reads what there is. The agents' providers must live longer than the clips. */
void clips_prepare(struct clips *clips, const struct agents *agents);
/* Once the server is ready: has the rest spoken, one sentence after the other. */
void clips_begin(struct clips *clips);
/* The sound of a sentence in a format; borrowed for as long as the clips live. `clips` may be NULL.
 */
bool clips_find(struct clips *clips, const struct agent *agent, struct aic_str sentence,
                struct aic_format format, struct aic_str *audio);
/* How many sentences there are, and how many of them have sound. */
void clips_count(const struct clips *clips, size_t *all, size_t *ready);

#endif
