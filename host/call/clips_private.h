/* SPDX-License-Identifier: ISC */
#ifndef CALL_CLIPS_PRIVATE_H
#define CALL_CLIPS_PRIVATE_H
/*
 * Inside of the clips. Its files: clips.c (which sentences there are, in which formats),
 * clips_file.c (their names, reading and writing), clips_render.c (having them spoken).
 */
#include "base/sched.h"
#include "call/clips.h"
#include "call/speech.h"

enum { CLIPS_MAX = 512, CLIP_NAME = 33, CLIP_FORMATS = 4, CLIP_MAX_BYTES = 4 << 20 };

struct clip_variant {
    struct aic_format format;
    struct aic_buf audio;
};

struct clip {
    const struct agent *agent;
    char *text;
    char name[CLIP_NAME];
    bool is_ready;
    /* The first one is as it was spoken; others are made when a leg asks for them. */
    struct clip_variant variants[CLIP_FORMATS];
    size_t variant_count;
};

struct clips {
    struct clips_settings settings;
    char *folder;
    struct clip *list[CLIPS_MAX];
    size_t count;
    /* Rendering. */
    struct sched_lane *lane; /* for writing files; NULL: they are not written */
    struct sched_timer *timer;
    struct speech speech;
    struct clip *current;
    struct aic_buf audio;
    bool is_speaking;
    bool has_switched; /* a substitute's voice is not kept */
};

extern const struct aic_format clips_format; /* that they are spoken and kept in */

/* clips.c */
void clip_set(struct clip *clip, const uint8_t *bytes, size_t count);

/* clips_file.c */
void clip_name(struct clip *clip);
/* Reads a clip in, if its file is there and whole. */
void clip_read(const struct clips *clips, struct clip *clip);
void clip_write(const struct clips *clips, const struct clip *clip);

/* clips_render.c */
void clips_render_next(struct clips *clips);
void clips_render_stop(struct clips *clips);

#endif
