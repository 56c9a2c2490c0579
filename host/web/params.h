/* SPDX-License-Identifier: ISC */
#ifndef WEB_PARAMS_H
#define WEB_PARAMS_H
/*
 * The parameters of a query, where a mistyped one must not be passed over: each name is known and
 * is there at most once, each value is valid UTF-8 of at most PARAMS_VALUE bytes. An empty value is
 * the same as none. Pure.
 */
#include "buf.h"

#include <stdbool.h>

enum { PARAMS_MAX = 16, PARAMS_VALUE = 1024 };

struct params {
    const char *const *names; /* borrowed */
    size_t count;
    struct aic_buf values[PARAMS_MAX];
    char field[48]; /* of what is wrong; "" when its name can not be shown */
    char detail[400];
};

/* False when something is wrong: `field` and `detail` tell what. params_finish follows in any
 * case. */
bool params_read(struct params *params, struct aic_str query, const char *const *names,
                 size_t count);
void params_finish(struct params *params);

/* Empty when it is not there. */
struct aic_str params_get(const struct params *params, const char *name);
/* A whole number within its bounds, or the fallback; false as params_read. */
bool params_number(struct params *params, const char *name, int64_t min, int64_t max,
                   int64_t *number);
/* A time of RFC 3339; likewise. */
bool params_time(struct params *params, const char *name, int64_t *wall_us);
/* "true" or "false"; likewise. */
bool params_bool(struct params *params, const char *name, bool *value);
/* One of the words, which end with NULL; likewise. Absent is good. */
bool params_choice(struct params *params, const char *name, const char *const *words);
/* A plus sign that was not encoded reads as a space: puts it back, from place `from` on. */
void params_restore_plus(struct params *params, const char *name, size_t from);
/* Tells that something is wrong with a parameter; returns false. */
bool params_fail(struct params *params, const char *name, const char *detail);

#endif
