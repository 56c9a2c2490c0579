/* SPDX-License-Identifier: ISC */
#ifndef BASE_METRICS_H
#define BASE_METRICS_H
/*
 * What a process counts. Every number has its own cell in one array of atomics, which in a worker
 * lies in the memory that all share (io/shm.h): counting is one addition, from any thread, and
 * whoever reads adds up the workers. Before metrics_use, the cells are the process's own.
 *
 * Cells are found by arithmetic. Where cells change places and their number stays the same,
 * SHM_MAGIC has to change, so that no upgraded server takes one for another.
 */
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    METRICS_PROVIDERS = 32, /* 0 stands for all that found no place */
    METRICS_PROVIDER_NAME = 40,
    METRICS_BOUNDS = 13,                    /* of a histogram */
    METRICS_HISTOGRAM = METRICS_BOUNDS + 2, /* what is beyond the last bound, and the sum in ms */
    METRICS_DIRECTIONS = 3,
    METRICS_ENDS = 5,
    METRICS_ROLES = 3,
    METRICS_STAGES = 5,
    METRICS_REFUSALS = 32,
    METRICS_HTTP_CLASSES = 6,
    METRICS_RECORDING_ENDS = 4,
    METRICS_LOSS_KINDS = 23,
    METRICS_WEBHOOK_OUTCOMES = 5,
    METRICS_TRACE_OUTCOMES = 3
};

/* Where each family begins, and in which order its cells lie. */
enum metrics_cell {
    METRICS_CALLS = 0,                                                 /* directions x ends */
    METRICS_TURNS = METRICS_CALLS + METRICS_DIRECTIONS * METRICS_ENDS, /* whole, interrupted */
    METRICS_RESPONSE = METRICS_TURNS + 2,                              /* a histogram */
    METRICS_STAGE = METRICS_RESPONSE + METRICS_HISTOGRAM, /* stages x providers x a histogram */
    METRICS_FAILOVERS = METRICS_STAGE + METRICS_STAGES * METRICS_PROVIDERS * METRICS_HISTOGRAM,
    METRICS_COST = METRICS_FAILOVERS + METRICS_ROLES * METRICS_PROVIDERS, /* millionths */
    METRICS_GATE = METRICS_COST + METRICS_PROVIDERS,                      /* by enum gate_reason */
    METRICS_HTTP = METRICS_GATE + METRICS_REFUSALS, /* by the first digit of the status */
    METRICS_AUDIO_DROPPED = METRICS_HTTP + METRICS_HTTP_CLASSES, /* enum metrics_audio */
    METRICS_SPOOL_MOVED = METRICS_AUDIO_DROPPED + 2,
    METRICS_SPOOL_DROPPED = METRICS_SPOOL_MOVED + 1, /* disk full, refused by the storage */
    METRICS_LOG_DROPPED = METRICS_SPOOL_DROPPED + 2,
    METRICS_LINK_DROPPED = METRICS_LOG_DROPPED + 1,
    METRICS_CPU = METRICS_LINK_DROPPED + 1,                  /* user, system; microseconds */
    METRICS_LOSSES = METRICS_CPU + 2,                        /* by enum counter of counters.h */
    METRICS_RETENTION = METRICS_LOSSES + METRICS_LOSS_KINDS, /* rows, files */
    METRICS_RECORDINGS = METRICS_RETENTION + 2,              /* by enum metrics_recording */
    METRICS_WEBHOOKS = METRICS_RECORDINGS + METRICS_RECORDING_ENDS, /* enum metrics_webhook */
    METRICS_TRACES = METRICS_WEBHOOKS + METRICS_WEBHOOK_OUTCOMES,   /* spans: enum metrics_trace */
    METRICS_CELLS = METRICS_TRACES + METRICS_TRACE_OUTCOMES
};

/* What is not added up but stands as it is now, for each worker. */
enum metrics_gauge {
    METRICS_RESIDENT_BYTES = 0,
    METRICS_SPOOL_FACTS = 1,
    METRICS_SPOOL_MEMORY_BYTES = 2,
    METRICS_SPOOL_DISK_BAD = 3,
    METRICS_STORAGE_DOWN_SINCE_US = 4, /* wall time; 0 = it is there */
    METRICS_WEBHOOKS_WAITING = 5,      /* in the storage, so the same for all workers */
    METRICS_GAUGES = 8
};

enum metrics_direction { METRICS_INBOUND = 0, METRICS_OUTBOUND = 1, METRICS_TYPED = 2 };

enum metrics_stage {
    METRICS_ENDPOINTING = 0,
    METRICS_STT = 1,
    METRICS_LLM = 2,
    METRICS_TTS = 3,
    METRICS_PLAYOUT = 4
};

enum metrics_webhook {
    METRICS_WEBHOOK_DELIVERED = 0,
    METRICS_WEBHOOK_RETRIED = 1,
    METRICS_WEBHOOK_GIVEN_UP = 2,
    METRICS_WEBHOOK_GONE = 3,
    METRICS_WEBHOOK_DROPPED = 4
};

enum metrics_trace { METRICS_TRACE_SENT = 0, METRICS_TRACE_FULL = 1, METRICS_TRACE_UNSENT = 2 };

/* Why a recording ended before its call. */
enum metrics_recording {
    METRICS_DISK_FULL = 0,
    METRICS_DISK_ERROR = 1,
    METRICS_MAX_SIZE = 2,
    METRICS_MAX_DURATION = 3
};

enum metrics_audio { METRICS_STT_BACKLOG = 0, METRICS_PLAYOUT_FULL = 1 };

/* Upper bounds of the buckets, rising. */
extern const int64_t metrics_bounds_ms[METRICS_BOUNDS];

/* A provider's name in cells that are told apart by it. Found by name, never given back. */
struct metrics_name {
    _Atomic uint64_t key; /* a hash of the name; 0 = free */
    char name[METRICS_PROVIDER_NAME];
};

/* From now on counts go to METRICS_CELLS `cells`, and names to METRICS_PROVIDERS `names`. Both
 * NULL: the process's own. Call it before threads begin. */
void metrics_use(_Atomic uint64_t *cells, struct metrics_name *names);

void metrics_count(uint32_t cell, uint64_t amount);
/* Adds a time to the histogram that begins at `cell`; a negative one never came. */
void metrics_observe(uint32_t cell, int64_t ms);

/* `status` is one of AIC_CALL_...; what is no end is not counted. */
void metrics_count_end(enum metrics_direction direction, uint32_t status);
/* With no provider ("" or NULL) the stage did not take place. */
void metrics_observe_stage(enum metrics_stage stage, const char *provider, int64_t ms);
/* `role` counts from 0: stt, llm, tts. */
void metrics_count_failover(uint32_t role, const char *from);
/* What a provider has cost so far grew. */
void metrics_count_cost(const char *provider, double before, double after);
void metrics_count_http(int32_t status);

/* The number of a provider's name, in `names`. */
uint32_t metrics_provider(struct metrics_name *names, const char *name);
uint32_t metrics_stage_cell(enum metrics_stage stage, uint32_t provider);

#endif
