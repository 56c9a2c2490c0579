/* SPDX-License-Identifier: ISC */
#include "base/exposition.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>

enum { MAX_LABELS = 4, NUMBER_TEXT = 48 };

/* Backslash and line feed, and the quote where the text stands in quotes. */
static void put_escaped(struct aic_buf *to, const char *text, bool is_quoted)
{
    struct aic_str rest = aic_str(text);
    bool is_good = aic_utf8_valid(rest);
    for (size_t i = 0; i < rest.len; i++) {
        char c = rest.ptr[i];
        if (c == '\n') {
            aic_buf_text(to, "\\n");
        } else if (c == '\\' || (c == '"' && is_quoted)) {
            aic_buf_printf(to, "\\%c", c);
        } else {
            (void)aic_buf_char(to, (unsigned char)c >= 0x80 && !is_good ? '?' : c);
        }
    }
}

void exposition_family(struct aic_buf *to, const char *name, const char *type, const char *help)
{
    aic_buf_printf(to, "# HELP %s ", name);
    put_escaped(to, help, false);
    aic_buf_printf(to, "\n# TYPE %s %s\n", name, type);
}

static void put_labels(struct aic_buf *to, const struct exposition_labels *labels)
{
    bool is_open = false;
    for (size_t i = 0; labels && i < MAX_LABELS && labels->list[i].name; i++) {
        aic_buf_printf(to, "%s%s=\"", is_open ? "," : "{", labels->list[i].name);
        put_escaped(to, labels->list[i].value, true);
        aic_buf_text(to, "\"");
        is_open = true;
    }
    if (is_open) {
        aic_buf_text(to, "}");
    }
}

/* Without floating point: 1234 with 3 decimals is "1.234", 1000 is "1". */
static void write_number(char text[NUMBER_TEXT], uint64_t value, unsigned decimals)
{
    uint64_t scale = 1;
    for (unsigned i = 0; i < decimals; i++) {
        scale *= 10;
    }
    uint64_t rest = value % scale;
    if (rest == 0) {
        (void)snprintf(text, NUMBER_TEXT, "%" PRIu64, value / scale);
        return;
    }
    while (rest % 10 == 0) {
        rest /= 10;
        decimals--;
    }
    (void)snprintf(text, NUMBER_TEXT, "%" PRIu64 ".%0*" PRIu64, value / scale, (int)decimals, rest);
}

void exposition_sample(struct aic_buf *to, const char *name, const struct exposition_labels *labels,
                       int64_t value, unsigned decimals)
{
    char text[NUMBER_TEXT];
    bool is_negative = value < 0;
    write_number(text, is_negative ? 0 - (uint64_t)value : (uint64_t)value, decimals);
    aic_buf_text(to, name);
    put_labels(to, labels);
    aic_buf_printf(to, " %s%s\n", is_negative ? "-" : "", text);
}

void exposition_histogram(struct aic_buf *to, const char *name,
                          const struct exposition_labels *labels,
                          const struct exposition_histogram *histogram)
{
    char sample[128];
    char bound[NUMBER_TEXT];
    struct exposition_labels with_bound = {.list = {{NULL, NULL}}};
    size_t at = 0;
    while (labels && at < MAX_LABELS - 1 && labels->list[at].name) {
        with_bound.list[at] = labels->list[at];
        at++;
    }
    with_bound.list[at] = (struct exposition_label){"le", bound};
    uint64_t total = 0;
    (void)snprintf(sample, sizeof(sample), "%s_bucket", name);
    for (size_t i = 0; i <= histogram->count; i++) {
        total += histogram->buckets[i];
        if (i < histogram->count) {
            write_number(bound, (uint64_t)histogram->bounds_ms[i], 3);
        } else {
            (void)snprintf(bound, sizeof(bound), "+Inf");
        }
        exposition_sample(to, sample, &with_bound, (int64_t)total, 0);
    }
    (void)snprintf(sample, sizeof(sample), "%s_sum", name);
    exposition_sample(to, sample, labels, (int64_t)histogram->sum_ms, 3);
    (void)snprintf(sample, sizeof(sample), "%s_count", name);
    exposition_sample(to, sample, labels, (int64_t)total, 0);
}
