/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_SETTINGS_H
#define SPHINX_SETTINGS_H
/*
 * The operator's settings in a form that pool jobs may use: constant from `create` on, and alive
 * until the last session that uses them is gone, which may be after the provider.
 */
#include "buf.h"

#include <aicaller/aicaller.h>
#include <pthread.h>

enum {
    SPHINX_GENERAL_NEVER = 0,         /* calls without hints get the built-in phrases */
    SPHINX_GENERAL_WITHOUT_HINTS = 1, /* ... get the general model */
    SPHINX_GENERAL_ALWAYS = 2,
};

struct sphinx_settings {
    uint32_t references; /* loop thread only */
    uint32_t general;
    char *model_dir;
    char *dictionary;
    char *general_lm_file;
    struct aic_buf phrases;        /* normalised or not, a line each */
    struct aic_buf pronunciations; /* dictionary entries */
    double language_weight;
    double insertion_penalty;
    bool has_second_pass;
    bool has_english_model; /* the packaged one, whose priors are known */
};

/* Reads and checks; on failure logs why and returns a status. [main] */
int32_t sphinx_settings_create(const struct aic_host *host, const struct aic_config *config,
                               struct sphinx_settings **settings);
struct sphinx_settings *sphinx_settings_retain(struct sphinx_settings *settings);
/* Accepts NULL. */
void sphinx_settings_release(struct sphinx_settings *settings);

/* Writes one log line. [main, call] */
void sphinx_log(const struct aic_host *host, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

enum { SPHINX_OPTION_COUNT = 10 };
extern const struct aic_option sphinx_options[SPHINX_OPTION_COUNT];

#endif
