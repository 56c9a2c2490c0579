/* SPDX-License-Identifier: ISC */
#ifndef CLI_TOP_DATA_H
#define CLI_TOP_DATA_H
/* What `aicaller top` shows, read from the server's metrics page. Pure. */
#include "buf.h"

#include <stdbool.h>

enum { TOP_PROVIDERS = 32, TOP_NAME = 48, TOP_BOUNDS = 24, TOP_STAGES = 6 };

/* Counts of a histogram, each with all below it. */
struct top_times {
    double bounds_s[TOP_BOUNDS];
    double counts[TOP_BOUNDS];
    size_t count; /* of bounds */
    double total;
    double sum_s;
};

struct top_provider {
    char name[TOP_NAME];
    char roles[TOP_NAME];   /* "stt, tts" */
    char trouble[TOP_NAME]; /* the state of a breaker that is not closed; "" = none */
    struct top_times stages[TOP_STAGES];
    double failovers;
    double cost;
};

struct top_data {
    double started_s; /* Unix time */
    double workers;
    double live;
    double waiting;
    double ended;
    double turns_whole;
    double turns_interrupted;
    double cpu_s;
    double memory_bytes;
    double spool_facts;
    double spool_bytes;
    double spool_moved;
    double spool_dropped;
    double disk_bad;
    double storage_down_s;
    struct top_times response;
    struct top_provider providers[TOP_PROVIDERS];
    size_t provider_count;
};

extern const char *const top_stage_names[TOP_STAGES]; /* "stt" ...; NULL at the end */

/* Reads a page in Prometheus' text format; what it does not know it passes over. */
void top_read(struct top_data *data, struct aic_str page);
/* Takes away what was counted before. */
void top_times_subtract(struct top_times *times, const struct top_times *before);
/* The upper bound, in ms, of what this part (0.5, 0.95) of all stayed below; -1 when there was
 * nothing. */
double top_percentile_ms(const struct top_times *times, double part);

#endif
