/* SPDX-License-Identifier: ISC */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H
/*
 * Asks each vendor, in each role that it is used in, whether key, model and voice work. All are
 * asked at once, and each has PROBE_DEADLINE_MS to answer.
 */
#include "cli/conf.h"

struct aic_json_writer;

enum { PROBE_DEADLINE_MS = 15000, PROBE_TEXT = 512, PROBES_MAX = 128 };

enum probe_state {
    PROBE_NONE = 0,
    PROBE_OK = 1,
    PROBE_FAILED = 2,
    PROBE_UNASKED = 3 /* the plugin has nothing to ask */
};

struct probe_result {
    const char *provider; /* the configuration's, as the next */
    const struct setup_provider *setup;
    const char *role;
    enum probe_state state;
    const char *category;      /* of a failure, such as "auth"; else "" */
    char message[PROBE_TEXT];  /* why it failed */
    char advice[PROBE_TEXT];   /* what to do about it */
    char note[PROBE_TEXT / 2]; /* what else the vendor told, such as a balance; "" = nothing */
};

struct probe_results {
    struct probe_result list[PROBES_MAX];
    size_t count;
    size_t failed;
};

/* NULL without memory; freed by free(). Borrows from `conf`. */
struct probe_results *probes_run(struct conf *conf);
/* As a JSON object. */
void probe_result_write(const struct probe_result *result, struct aic_json_writer *w);
/* As lines for people, to standard output. */
void probe_result_print(const struct probe_result *result);

#endif
