/* SPDX-License-Identifier: ISC */
#ifndef CLI_TOP_SCREEN_H
#define CLI_TOP_SCREEN_H
/* What `aicaller top` has found, as lines for a terminal and as JSON. Pure. */
#include "cli/top_data.h"

struct aic_json;

struct top_view {
    const struct top_data *now;
    const struct top_data *before; /* NULL: at the first look */
    double spent_s;                /* between the two */
    int64_t wall_us;
    const struct aic_json *calls; /* as the control socket lists them */
};

/* Appends the lines, each cut to `columns`, at most `rows` of them; with `is_screen` each one ends
 * by clearing what stood behind it. */
void top_print(const struct top_view *view, struct aic_buf *to, size_t columns, size_t rows,
               bool is_screen);
void top_print_json(const struct top_view *view, struct aic_buf *to);

#endif
