/* SPDX-License-Identifier: ISC */
#ifndef BASE_EXPOSITION_H
#define BASE_EXPOSITION_H
/*
 * Numbers as Prometheus reads them: its text format, version 0.0.4. Pure. A family comes first, its
 * samples right behind it.
 */
#include "buf.h"

struct exposition_label {
    const char *name;
    const char *value; /* any text; bytes that are not UTF-8 become '?' */
};

/* Up to four; the first without a name ends them. */
struct exposition_labels {
    struct exposition_label list[4];
};

/* `type` is "counter", "gauge" or "histogram"; `help` is one line. */
void exposition_family(struct aic_buf *to, const char *name, const char *type, const char *help);
/* value / 10^decimals, written exactly. `labels` may be NULL. */
void exposition_sample(struct aic_buf *to, const char *name, const struct exposition_labels *labels,
                       int64_t value, unsigned decimals);

struct exposition_histogram {
    const int64_t *bounds_ms; /* rising; `count` of them */
    const uint64_t *buckets;  /* how many in each alone; count + 1 of them */
    size_t count;
    uint64_t sum_ms;
};

/* In seconds: cumulative buckets, sum and count. At most three labels. */
void exposition_histogram(struct aic_buf *to, const char *name,
                          const struct exposition_labels *labels,
                          const struct exposition_histogram *histogram);

#endif
