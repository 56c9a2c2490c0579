/* SPDX-License-Identifier: ISC */
#include "log_line.h"

#include "timefmt.h"
#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Kept free for the quote, the mark and the bracket that close a cut line. */
enum { CLOSING_BYTES = 32 };

struct writer {
    char *to;
    size_t len;
    size_t room;
    bool is_json;
    bool is_first;
    bool is_cut;
    const struct mask_secrets *secrets;
};

static const char *level_name(uint32_t level)
{
    switch (level) {
    case AIC_LOG_DEBUG:
        return "debug";
    case AIC_LOG_WARN:
        return "warn";
    case AIC_LOG_ERROR:
        return "error";
    default:
        return "info";
    }
}

/* Priorities of syslog(3). */
static char level_priority(uint32_t level)
{
    switch (level) {
    case AIC_LOG_DEBUG:
        return '7';
    case AIC_LOG_WARN:
        return '4';
    case AIC_LOG_ERROR:
        return '3';
    default:
        return '6';
    }
}

static bool put(struct writer *w, const char *text, size_t bytes)
{
    if (bytes > w->room - w->len) {
        w->is_cut = true;
        return false;
    }
    memcpy(w->to + w->len, text, bytes);
    w->len += bytes;
    return true;
}

static void put_text(struct writer *w, const char *text)
{
    (void)put(w, text, strlen(text));
}

/* Control characters of both ranges are told by number: a terminal would obey them. */
static bool put_escape(struct writer *w, uint32_t code)
{
    char text[8];
    static const char named[] = "\"\\\n\r\t";
    static const char letters[] = "\"\\nrt";
    const char *found = code && code < 0x80 ? strchr(named, (int)code) : NULL;
    int length = found ? snprintf(text, sizeof(text), "\\%c", letters[found - named])
                       : snprintf(text, sizeof(text), "\\u%04x", (unsigned)(code & 0xFFFFu));
    return put(w, text, (size_t)length);
}

static void put_quoted(struct writer *w, struct aic_str text)
{
    put_text(w, "\"");
    /* The closing quote has its place kept. */
    w->room--;
    size_t i = 0;
    while (i < text.len) {
        uint32_t code = 0;
        size_t length = aic_utf8_decode(text.ptr + i, text.len - i, &code);
        bool fits = false;
        if (length == 0) {
            fits = put(w, "\xef\xbf\xbd", 3);
            length = 1;
        } else if (code < 0x20 || (code >= 0x7F && code < 0xA0) || code == '"' || code == '\\') {
            fits = put_escape(w, code);
        } else {
            fits = put(w, text.ptr + i, length);
        }
        if (!fits) {
            break;
        }
        i += length;
    }
    w->room++;
    put_text(w, "\"");
}

static bool is_plain(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c <= ' ' || c > '~' || c == '"' || c == '=' || c == '\\') {
            return false;
        }
    }
    return text.len > 0;
}

/* False when there is no room; else there is enough left for any number. */
static bool put_key(struct writer *w, const char *key)
{
    size_t length = strlen(key);
    if (length + CLOSING_BYTES > w->room - w->len) {
        w->is_cut = true;
        return false;
    }
    if (!w->is_first) {
        put_text(w, w->is_json ? "," : " ");
    }
    w->is_first = false;
    if (w->is_json) {
        put_quoted(w, (struct aic_str){key, length});
        put_text(w, ":");
    } else {
        put_text(w, key);
        put_text(w, "=");
    }
    return true;
}

static void put_member(struct writer *w, const char *key, struct aic_str text, bool is_cut)
{
    if (!put_key(w, key)) {
        return;
    }
    char masked[LOG_LINE_MAX];
    struct aic_str shown = {masked, mask_text(w->secrets, text, is_cut, masked, sizeof(masked))};
    if (!w->is_json && is_plain(shown) && shown.len <= w->room - w->len) {
        (void)put(w, shown.ptr, shown.len);
    } else {
        put_quoted(w, shown);
    }
}

/* A number may be a secret, too; it is a text then. */
static void put_number(struct writer *w, const char *key, int64_t number)
{
    char text[24];
    char masked[24];
    int length = snprintf(text, sizeof(text), "%" PRId64, number);
    size_t shown = mask_text(w->secrets, (struct aic_str){text, (size_t)length}, false, masked,
                             sizeof(masked));
    if (shown != (size_t)length || memcmp(text, masked, shown) != 0) {
        put_member(w, key, (struct aic_str){masked, shown}, false);
    } else if (put_key(w, key)) {
        put_text(w, text);
    }
}

static void put_fields(struct writer *w, const struct log_field *field)
{
    for (; field && field->key; field++) {
        struct aic_str text = {field->text, field->text_len};
        if (text.len == SIZE_MAX) {
            text.len = text.ptr ? strlen(text.ptr) : 0;
        } else if (!text.ptr) {
            put_number(w, field->key, field->number);
            continue;
        }
        put_member(w, field->key, text, false);
    }
}

static struct aic_str str(const char *text)
{
    return (struct aic_str){text ? text : "", text ? strlen(text) : 0};
}

/* What stands in every line, before its own fields. */
static void put_head(struct writer *w, const struct log_line *line)
{
    if (line->has_priority) {
        const char priority[] = {'<', level_priority(line->level), '>', '\0'};
        put_text(w, priority);
    }
    if (w->is_json) {
        put_text(w, "{");
    }
    char time[TIME_TEXT];
    time_format(time, line->wall_us);
    put_member(w, "time", str(time), false);
    put_member(w, "level", str(level_name(line->level)), false);
    if (line->worker >= 0) {
        put_number(w, "worker", line->worker);
        put_number(w, "generation", line->generation);
    }
    if (line->dropped > 0) {
        put_number(w, "lines_dropped", (int64_t)line->dropped);
    }
    put_member(w, "area", str(line->area), false);
    put_member(w, "msg", line->message, line->is_cut);
}

size_t log_line_format(char to[LOG_LINE_MAX], enum log_format format,
                       const struct mask_secrets *secrets, const struct log_line *line)
{
    struct writer w = {.to = to,
                       .room = LOG_LINE_MAX - CLOSING_BYTES,
                       .is_json = format == LOG_FORMAT_JSON,
                       .is_first = true,
                       .is_cut = line->is_cut,
                       .secrets = secrets};
    put_head(&w, line);
    put_fields(&w, line->fields);

    /* From here on the room that was kept is used. */
    w.room = LOG_LINE_MAX;
    if (w.is_cut) {
        put_text(&w, w.is_json ? ",\"truncated\":true" : " truncated=true");
    }
    put_text(&w, w.is_json ? "}\n" : "\n");
    return w.len;
}
