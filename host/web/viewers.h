/* SPDX-License-Identifier: ISC */
#ifndef WEB_VIEWERS_H
#define WEB_VIEWERS_H
/*
 * Who looks at live calls in this worker, and how each gets what happens: from one log of written
 * events (live_log.h), each from its own place. What has come is sent a few times a second, to a
 * few viewers in one turn of the loop, so that calls are not held up however many look on. What
 * somebody says is told as far as it is known then, not each word on its way there.
 *
 * Nothing waits for a slow viewer but its place: when the log has gone on without it, it is cut.
 */
#include "web/live_format.h"
#include "web/live_log.h"

struct sched;
struct viewer;
struct viewers;

enum viewers_end {
    VIEWERS_SLOW = 0,    /* it did not read */
    VIEWERS_DENIED = 1,  /* key or session ended */
    VIEWERS_DRAINING = 2 /* this process goes; others are there */
};

/* How a viewer is reached; `to` is what viewers_add was given. */
struct viewers_ops {
    /* Takes bytes; anything but AIC_OK ends it. */
    int32_t (*write)(void *to, struct aic_str bytes);
    /* How much of that has not left yet. */
    size_t (*queued)(void *to);
    /* It gets no more. viewers_remove is called later, not from inside. */
    void (*end)(void *to, enum viewers_end why);
    /* Asks for viewers_snapshot, from which new viewers go on. */
    void (*want_snapshot)(void *data);
    void *data;
};

struct viewers *viewers_create(struct sched *sched, const struct viewers_ops *ops);
/* Those that are left are forgotten; nobody is told. Accepts NULL. */
void viewers_destroy(struct viewers *viewers);

struct viewers_wish {
    const char *call_id; /* "" = all calls */
    bool hides_numbers;
    uint64_t last_number; /* what it has seen; 0 = nothing */
};

/* NULL without memory. */
struct viewer *viewers_add(struct viewers *viewers, const struct viewers_wish *wish, void *to);
void viewers_remove(struct viewers *viewers, struct viewer *viewer);
size_t viewers_count(const struct viewers *viewers);
/* Ends one, as soon as its turn comes. */
void viewers_end(struct viewers *viewers, struct viewer *viewer, enum viewers_end why);
/* Ends all, a few at a time. */
void viewers_end_all(struct viewers *viewers, enum viewers_end why);

/* News of a call, or where their numbers go on (see io/link.h). Where some were lost, all viewers
 * get a new snapshot. */
void viewers_take(struct viewers *viewers, uint64_t number, const char *call_id,
                  struct aic_str body);
/* The list of live calls as it is now, behind all news that were taken; takes it over. NULL: there
 * is none to be had, and want_snapshot is called again later. */
void viewers_snapshot(struct viewers *viewers, struct aic_json *list);

#endif
