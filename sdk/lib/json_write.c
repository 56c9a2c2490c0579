/* SPDX-License-Identifier: ISC */
#include "json.h"

#include "utf8.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void aic_json_writer_init(struct aic_json_writer *w, struct aic_buf *buf)
{
    *w = (struct aic_json_writer){.buf = buf};
}

static void separate(struct aic_json_writer *w)
{
    if (w->comma) {
        aic_buf_char(w->buf, ',');
    }
    w->comma = true;
}

void aic_json_open(struct aic_json_writer *w, char bracket)
{
    separate(w);
    aic_buf_char(w->buf, bracket);
    w->comma = false;
}

void aic_json_close(struct aic_json_writer *w, char bracket)
{
    aic_buf_char(w->buf, bracket);
    w->comma = true;
}

static void put_escape(struct aic_buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        aic_buf_text(buf, "\\\"");
        break;
    case '\\':
        aic_buf_text(buf, "\\\\");
        break;
    case '\n':
        aic_buf_text(buf, "\\n");
        break;
    case '\r':
        aic_buf_text(buf, "\\r");
        break;
    case '\t':
        aic_buf_text(buf, "\\t");
        break;
    default:
        aic_buf_printf(buf, "\\u%04x", (unsigned)c);
    }
}

static void put_quoted(struct aic_buf *buf, struct aic_str text)
{
    aic_buf_char(buf, '"');
    size_t from = 0;
    size_t i = 0;
    while (i < text.len) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t length = c < 0x80 ? 1 : aic_utf8_sequence(text.ptr + i, text.len - i);
        if (length > 0 && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += length;
            continue;
        }
        aic_buf_add(buf, text.ptr + from, i - from);
        if (length == 0) {
            aic_buf_text(buf, "\xef\xbf\xbd");
        } else {
            put_escape(buf, c);
        }
        i++;
        from = i;
    }
    if (text.len > from) {
        aic_buf_add(buf, text.ptr + from, text.len - from);
    }
    aic_buf_char(buf, '"');
}

void aic_json_key(struct aic_json_writer *w, const char *key)
{
    separate(w);
    put_quoted(w->buf, aic_str(key));
    aic_buf_char(w->buf, ':');
    w->comma = false;
}

void aic_json_put(struct aic_json_writer *w, struct aic_str text)
{
    separate(w);
    put_quoted(w->buf, text);
}

void aic_json_put_int(struct aic_json_writer *w, int64_t value)
{
    separate(w);
    aic_buf_printf(w->buf, "%" PRId64, value);
}

void aic_json_put_double(struct aic_json_writer *w, double value)
{
    if (!isfinite(value)) {
        aic_json_put_null(w);
        return;
    }
    /* The fewest digits that give the same number back. */
    static const int digits[] = {6, 15, 17};
    char text[40];
    for (size_t i = 0; i < sizeof(digits) / sizeof(digits[0]); i++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits[i], value);
        if (strtod(text, NULL) == value) {
            break;
        }
    }
    separate(w);
    aic_buf_text(w->buf, text);
}

void aic_json_put_bool(struct aic_json_writer *w, bool value)
{
    separate(w);
    aic_buf_text(w->buf, value ? "true" : "false");
}

void aic_json_put_null(struct aic_json_writer *w)
{
    separate(w);
    aic_buf_text(w->buf, "null");
}

void aic_json_put_raw(struct aic_json_writer *w, struct aic_str json)
{
    if (json.len == 0) {
        aic_json_put_null(w);
        return;
    }
    separate(w);
    aic_buf_str(w->buf, json);
}

void aic_json_put_node(struct aic_json_writer *w, const struct aic_json *node)
{
    aic_json_put_raw(w, aic_json_print(node));
}

void aic_json_member(struct aic_json_writer *w, const char *key, struct aic_str text)
{
    aic_json_key(w, key);
    if (text.ptr) {
        aic_json_put(w, text);
    } else {
        aic_json_put_null(w);
    }
}

void aic_json_member_text(struct aic_json_writer *w, const char *key, const char *text)
{
    aic_json_member(w, key, aic_str(text));
}

void aic_json_member_int(struct aic_json_writer *w, const char *key, int64_t value)
{
    aic_json_key(w, key);
    aic_json_put_int(w, value);
}

void aic_json_member_double(struct aic_json_writer *w, const char *key, double value)
{
    aic_json_key(w, key);
    aic_json_put_double(w, value);
}

void aic_json_member_bool(struct aic_json_writer *w, const char *key, bool value)
{
    aic_json_key(w, key);
    aic_json_put_bool(w, value);
}

void aic_json_member_raw(struct aic_json_writer *w, const char *key, struct aic_str json)
{
    aic_json_key(w, key);
    aic_json_put_raw(w, json);
}
