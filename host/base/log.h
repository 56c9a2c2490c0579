/* SPDX-License-Identifier: ISC */
#ifndef BASE_LOG_H
#define BASE_LOG_H
/*
 * Log lines to standard error, as logfmt or JSON; under systemd with its level prefix. Every value
 * passes one formatter that masks known secrets and telephone numbers. Writing never blocks: what a
 * full pipe does not take is dropped and counted. From any thread. The program ignores SIGPIPE.
 *
 *     log_info("call", "answered", LOG_S("call", id), LOG_I("ring_ms", ring_ms));
 */
#include <aicaller/abi.h>
#include <aicaller/log.h>
#include <stdbool.h>

enum log_format { LOG_FORMAT_AUTO = 0, LOG_FORMAT_LOGFMT = 1, LOG_FORMAT_JSON = 2 };

struct log_field {
    const char *key; /* NULL ends a list */
    const char *text;
    size_t text_len; /* SIZE_MAX: `text` is terminated, or NULL for an empty one */
    int64_t number;  /* counts when there is no text */
};

#define LOG_S(k, v) ((struct log_field){.key = (k), .text = (v), .text_len = SIZE_MAX})
#define LOG_T(k, v)                                                                                \
    ((struct log_field){.key = (k), .text = (v).ptr ? (v).ptr : "", .text_len = (v).len})
#define LOG_I(k, v) ((struct log_field){.key = (k), .number = (int64_t)(v)})

/* One line with fields; `area` names the part of the program ("call", "http", a provider). */
void log_fields(uint32_t level, const char *area, const char *message,
                const struct log_field *fields);
/* One line without fields. */
void log_text(uint32_t level, const char *area, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#define log_at(level, area, message, ...)                                                          \
    log_fields((level), (area), (message), (const struct log_field[]){__VA_ARGS__, {.key = NULL}})
#define log_debug(area, message, ...) log_at(AIC_LOG_DEBUG, area, message, __VA_ARGS__)
#define log_info(area, message, ...)  log_at(AIC_LOG_INFO, area, message, __VA_ARGS__)
#define log_warn(area, message, ...)  log_at(AIC_LOG_WARN, area, message, __VA_ARGS__)
#define log_error(area, message, ...) log_at(AIC_LOG_ERROR, area, message, __VA_ARGS__)

/* Called once at start, again after a reload. AUTO: logfmt for a terminal, JSON for all else. */
void log_setup(enum log_format format, uint32_t level);
/* Sends lines to another descriptor; for tests. */
void log_redirect(int fd);
bool log_enabled(uint32_t level);
/* Values that must never appear: wherever one does, "***" is written. At least 6 bytes long ones
 * count; the value is copied. */
void log_add_secret(const char *value);
/* Puts a worker's number and generation in every line; -1 leaves it out. */
void log_set_worker(int worker, int generation);
/* Lines lost because the reader was too slow. */
uint64_t log_dropped(void);

/* Writes `text` into `to` as it may be shown: secrets gone, numbers like +49151234567 as
 * +49151*****67. Also used for pages and errors. Always terminated; returns its length. */
size_t log_mask(char *to, size_t bytes, struct aic_str text);

#endif
