/* SPDX-License-Identifier: ISC */
#ifndef CALL_PLAYOUT_H
#define CALL_PLAYOUT_H
/*
 * The agent's sound on its way to the caller's ear. Sends with a small lead where the other end
 * buffers and at exact 20 ms where it does not; knows from marks, or from the clock, what has been
 * heard; keeps what has not, so that a pause resumes from the same sample.
 *
 * Positions count microseconds of agent audio since the call began.
 */
#include "base/sched.h"
#include "buf.h"

#include <aicaller/audio.h>

/* The leg's side. Functions as in aicaller/telephony.h. */
struct playout_leg {
    int32_t (*send)(void *data, const uint8_t *bytes, size_t count);
    int32_t (*mark)(void *data, uint64_t mark_id); /* NULL: the clock tells */
    int32_t (*clear)(void *data);                  /* NULL: can not */
    void *data;
};

struct playout_events {
    /* Everything up to playout_end was heard. */
    void (*drained)(void *data);
    /* Bytes go out to be heard now, in order; the recorder's copy. */
    void (*sent)(void *data, const uint8_t *bytes, size_t count);
    /* What was sent and not heard will not be. */
    void (*cleared)(void *data);
    void *data;
};

struct playout_settings {
    struct aic_format format; /* of the leg */
    bool has_remote_buffer;
    int64_t lead_us;  /* sent ahead of what is heard, with a remote buffer [400 ms] */
    int64_t block_us; /* per message, with a remote buffer [100 ms] */
};

enum { PLAYOUT_MARKS = 64, PLAYOUT_LEVELS = 64 };

struct playout {
    struct sched *sched;
    struct playout_settings settings;
    struct playout_leg leg;
    struct playout_events events;
    struct sched_timer *timer;
    struct aic_buf audio; /* from `base` on */
    /* Positions in bytes of leg audio since the call began. */
    int64_t base;
    int64_t sent;
    int64_t played;        /* confirmed */
    int64_t played_at_us;  /* when it was */
    int64_t next_frame_us; /* of the 20 ms pace */
    int64_t next_mark_us;  /* a mark that has not come back by then is given up */

    struct {
        uint64_t id;
        int64_t position;
    } marks[PLAYOUT_MARKS]; /* under way, oldest first */

    size_t mark_count;
    uint64_t last_mark_id;
    double levels[PLAYOUT_LEVELS]; /* of the last 20 ms frames sent, by position */
    uint64_t dropped_bytes;
    uint64_t lost_marks;
    bool is_paused;
    bool is_ended; /* `drained` is due once all is heard */
};

void playout_init(struct playout *p, struct sched *sched, const struct playout_settings *settings,
                  const struct playout_leg *leg, const struct playout_events *events);
void playout_finish(struct playout *p);

/* Appends audio in the leg's format. What is over two minutes ahead is dropped and counted. */
void playout_push(struct playout *p, const uint8_t *bytes, size_t count);
/* No more for now: `drained` will be called once everything was heard, also if that is now. */
void playout_end(struct playout *p);
/* Holds the sound; what the other end has not played is taken back. */
void playout_pause(struct playout *p);
void playout_resume(struct playout *p);
/* Drops everything unheard. Returns the position that was heard. */
int64_t playout_clear(struct playout *p);
/* Drops what was pushed beyond a position, unless it was heard already; returns the new end. */
int64_t playout_truncate(struct playout *p, int64_t position_us);
/* A mark came back. */
void playout_marked(struct playout *p, uint64_t mark_id);

/* What has been heard, by the best estimate. */
int64_t playout_heard_us(struct playout *p);
/* End of what was pushed. */
int64_t playout_pushed_us(const struct playout *p);
/* Level of what the caller hears now; -100 when silent. */
double playout_level(struct playout *p);
bool playout_is_idle(const struct playout *p);

#endif
