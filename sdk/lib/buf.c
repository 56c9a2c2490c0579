/* SPDX-License-Identifier: ISC */
#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aic_buf_init(struct aic_buf *buf, size_t max)
{
    *buf = (struct aic_buf){.max = max};
}

void aic_buf_finish(struct aic_buf *buf)
{
    free(buf->data);
    *buf = (struct aic_buf){.max = buf->max};
}

void aic_buf_clear(struct aic_buf *buf)
{
    buf->len = 0;
    buf->failed = false;
    if (buf->data) {
        buf->data[0] = '\0';
    }
}

int32_t aic_buf_reserve(struct aic_buf *buf, size_t more)
{
    if (more > buf->max || buf->len > buf->max - more) {
        buf->failed = true;
        return AIC_ERROR_TOO_LARGE;
    }
    size_t need = buf->len + more + 1;
    if (need <= buf->cap) {
        return AIC_OK;
    }
    size_t cap = buf->cap ? buf->cap : 64;
    while (cap < need) {
        cap *= 2;
    }
    char *data = realloc(buf->data, cap);
    if (!data) {
        buf->failed = true;
        return AIC_ERROR_MEMORY;
    }
    buf->data = data;
    buf->cap = cap;
    return AIC_OK;
}

int32_t aic_buf_add(struct aic_buf *buf, const void *data, size_t bytes)
{
    int32_t status = aic_buf_reserve(buf, bytes);
    if (status != AIC_OK) {
        return status;
    }
    if (bytes > 0) {
        memcpy(buf->data + buf->len, data, bytes);
    }
    buf->len += bytes;
    buf->data[buf->len] = '\0';
    return AIC_OK;
}

int32_t aic_buf_str(struct aic_buf *buf, struct aic_str text)
{
    return aic_buf_add(buf, text.ptr, text.len);
}

int32_t aic_buf_text(struct aic_buf *buf, const char *text)
{
    return aic_buf_add(buf, text, strlen(text));
}

int32_t aic_buf_char(struct aic_buf *buf, char c)
{
    return aic_buf_add(buf, &c, 1);
}

int32_t aic_buf_vprintf(struct aic_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) {
        buf->failed = true;
        return AIC_ERROR_INVALID;
    }
    int32_t status = aic_buf_reserve(buf, (size_t)length);
    if (status != AIC_OK) {
        return status;
    }
    (void)vsnprintf(buf->data + buf->len, (size_t)length + 1, format, args);
    buf->len += (size_t)length;
    return AIC_OK;
}

int32_t aic_buf_printf(struct aic_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int32_t status = aic_buf_vprintf(buf, format, args);
    va_end(args);
    return status;
}

void aic_buf_drop(struct aic_buf *buf, size_t bytes)
{
    if (bytes >= buf->len) {
        buf->len = 0;
    } else {
        memmove(buf->data, buf->data + bytes, buf->len - bytes);
        buf->len -= bytes;
    }
    if (buf->data) {
        buf->data[buf->len] = '\0';
    }
}

struct aic_str aic_buf_view(const struct aic_buf *buf)
{
    return (struct aic_str){buf->data ? buf->data : "", buf->len};
}

char *aic_buf_detach(struct aic_buf *buf)
{
    char *data = NULL;
    if (!buf->failed && aic_buf_reserve(buf, 0) == AIC_OK) {
        data = buf->data;
        data[buf->len] = '\0';
        buf->data = NULL;
    }
    aic_buf_finish(buf);
    return data;
}

char *aic_str_dup(struct aic_str text)
{
    char *copy = malloc(text.len + 1);
    if (!copy) {
        return NULL;
    }
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    return copy;
}

bool aic_str_equal(struct aic_str a, const char *b)
{
    size_t length = strlen(b);
    return a.len == length && (length == 0 || memcmp(a.ptr, b, length) == 0);
}

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool aic_str_equal_nocase(struct aic_str a, const char *b)
{
    if (a.len != strlen(b)) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool aic_str_starts(struct aic_str text, const char *prefix)
{
    size_t length = strlen(prefix);
    return text.len >= length && (length == 0 || memcmp(text.ptr, prefix, length) == 0);
}

bool aic_str_copy(struct aic_str text, char *to, size_t bytes)
{
    if (bytes == 0) {
        return false;
    }
    size_t length = text.len < bytes - 1 ? text.len : bytes - 1;
    if (length > 0) {
        memcpy(to, text.ptr, length);
    }
    to[length] = '\0';
    return length == text.len;
}
