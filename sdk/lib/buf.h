/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_BUF_H
#define AIC_LIB_BUF_H
/*
 * A growing buffer that must be given its maximum at birth. A failed append (over the maximum, or
 * out of memory) leaves the buffer as it was and sets `failed`, which sticks: build a whole text
 * first and test once at its end.
 */
#include <aicaller/abi.h>
#include <stdarg.h>
#include <stdbool.h>

struct aic_buf {
    char *data; /* NULL or terminated by a 0 that `len` does not count */
    size_t len;
    size_t cap;
    size_t max;
    bool failed;
};

/* A literal or C string as aic_str. */
#define AIC_STR(text) ((struct aic_str){(text), sizeof(text) - 1})
/* The same as an initialiser of static data. */
#define AIC_STR_INIT(text)                                                                         \
    {                                                                                              \
        (text), sizeof(text) - 1                                                                   \
    }

static inline struct aic_str aic_str(const char *text)
{
    struct aic_str s = {text, 0};
    while (text && text[s.len]) {
        s.len++;
    }
    return s;
}

/* Prepares an empty buffer that never grows beyond `max` bytes. */
void aic_buf_init(struct aic_buf *buf, size_t max);
/* Frees what it holds; it may be used again. Accepts a zeroed buffer. */
void aic_buf_finish(struct aic_buf *buf);
/* Empties it and clears `failed`; keeps the memory. */
void aic_buf_clear(struct aic_buf *buf);
/* Makes room for `more` further bytes. */
int32_t aic_buf_reserve(struct aic_buf *buf, size_t more);
int32_t aic_buf_add(struct aic_buf *buf, const void *data, size_t bytes);
int32_t aic_buf_str(struct aic_buf *buf, struct aic_str text);
int32_t aic_buf_text(struct aic_buf *buf, const char *text);
int32_t aic_buf_char(struct aic_buf *buf, char c);
int32_t aic_buf_printf(struct aic_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
int32_t aic_buf_vprintf(struct aic_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
/* Drops `bytes` from the front. */
void aic_buf_drop(struct aic_buf *buf, size_t bytes);
/* The content; borrowed until the buffer changes. */
struct aic_str aic_buf_view(const struct aic_buf *buf);
/* Gives the text away; the caller frees it. NULL when the buffer failed. The buffer is empty. */
char *aic_buf_detach(struct aic_buf *buf);

/* A terminated heap copy, to be freed; NULL when out of memory. */
char *aic_str_dup(struct aic_str text);
bool aic_str_equal(struct aic_str a, const char *b);
/* ASCII case ignored. */
bool aic_str_equal_nocase(struct aic_str a, const char *b);
bool aic_str_starts(struct aic_str text, const char *prefix);
/* Copies into `to`, cut to fit, always terminated; returns whether all of it fitted. */
bool aic_str_copy(struct aic_str text, char *to, size_t bytes);

#endif
