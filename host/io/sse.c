/* SPDX-License-Identifier: ISC */
#include "io/sse.h"

void sse_init(struct sse *sse, size_t max_bytes)
{
    *sse = (struct sse){0};
    aic_buf_init(&sse->line, max_bytes);
    aic_buf_init(&sse->data, max_bytes);
    aic_buf_init(&sse->name, max_bytes);
}

void sse_finish(struct sse *sse)
{
    aic_buf_finish(&sse->line);
    aic_buf_finish(&sse->data);
    aic_buf_finish(&sse->name);
}

static void dispatch(struct sse *sse, sse_handler event, void *data)
{
    if (sse->data.len > 0) {
        event(data, aic_buf_view(&sse->name), aic_buf_view(&sse->data));
    }
    aic_buf_clear(&sse->data);
    aic_buf_clear(&sse->name);
    sse->has_data = false;
}

static int32_t take_field(struct sse *sse, struct aic_str name, struct aic_str value)
{
    if (aic_str_equal(name, "data")) {
        if (sse->has_data && aic_buf_char(&sse->data, '\n') != AIC_OK) {
            return AIC_ERROR_TOO_LARGE;
        }
        sse->has_data = true;
        return aic_buf_str(&sse->data, value);
    }
    if (aic_str_equal(name, "event")) {
        aic_buf_clear(&sse->name);
        return aic_buf_str(&sse->name, value);
    }
    return AIC_OK; /* id and retry are for clients that reconnect */
}

static int32_t take_line(struct sse *sse, struct aic_str line, sse_handler event, void *data)
{
    if (!sse->after_first_line) {
        sse->after_first_line = true;
        if (aic_str_starts(line, "\xef\xbb\xbf")) {
            line = (struct aic_str){line.ptr + 3, line.len - 3};
        }
    }
    if (line.len == 0) {
        dispatch(sse, event, data);
        return AIC_OK;
    }
    const char *colon = memchr(line.ptr, ':', line.len);
    if (!colon) {
        return take_field(sse, line, (struct aic_str){"", 0});
    }
    size_t name = (size_t)(colon - line.ptr);
    size_t skip = name + 1 < line.len && colon[1] == ' ' ? name + 2 : name + 1;
    return take_field(sse, (struct aic_str){line.ptr, name},
                      (struct aic_str){line.ptr + skip, line.len - skip});
}

/* Length of the text before the first CR or LF; the whole when there is none. */
static size_t line_length(struct aic_str text)
{
    const char *lf = memchr(text.ptr, '\n', text.len);
    size_t length = lf ? (size_t)(lf - text.ptr) : text.len;
    const char *cr = memchr(text.ptr, '\r', length);
    return cr ? (size_t)(cr - text.ptr) : length;
}

/* Ends the line whose last part is `text`. */
static int32_t end_line(struct sse *sse, struct aic_str text, sse_handler event, void *data)
{
    if (sse->line.len == 0) {
        return take_line(sse, text, event, data);
    }
    int32_t status = aic_buf_str(&sse->line, text);
    if (status == AIC_OK) {
        status = take_line(sse, aic_buf_view(&sse->line), event, data);
    }
    aic_buf_clear(&sse->line);
    return status;
}

int32_t sse_push(struct sse *sse, struct aic_str bytes, sse_handler event, void *data)
{
    int32_t status = AIC_OK;
    while (bytes.len > 0 && status == AIC_OK) {
        if (sse->after_cr) {
            sse->after_cr = false;
            if (bytes.ptr[0] == '\n') {
                bytes = (struct aic_str){bytes.ptr + 1, bytes.len - 1};
                continue;
            }
        }
        size_t length = line_length(bytes);
        if (length == bytes.len) {
            return aic_buf_str(&sse->line, bytes);
        }
        sse->after_cr = bytes.ptr[length] == '\r';
        status = end_line(sse, (struct aic_str){bytes.ptr, length}, event, data);
        bytes = (struct aic_str){bytes.ptr + length + 1, bytes.len - length - 1};
    }
    return status;
}

int32_t sse_end(struct sse *sse, sse_handler event, void *data)
{
    int32_t status = AIC_OK;
    if (sse->line.len > 0) {
        status = end_line(sse, (struct aic_str){"", 0}, event, data);
    }
    if (status == AIC_OK) {
        dispatch(sse, event, data);
    }
    return status;
}
