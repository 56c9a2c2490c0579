/* SPDX-License-Identifier: ISC */
#include "media.h"

#include "base64.h"
#include "json.h"

#include <string.h>

enum { MAX_DIGITS = 18 }; /* any such number fits */

struct cursor {
    const char *at;
    const char *end;
};

struct value {
    struct aic_str text;
    int64_t number; /* -1: it is none */
};

/* What counts of a message; each may be there once. */
enum slot { EVENT, STREAM, SEQUENCE, TRACK, CHUNK, TIMESTAMP, PAYLOAD, SLOTS };

struct name {
    struct aic_str text;
    enum slot slot;
};

static const struct name outer_names[] = {
    {AIC_STR_INIT("event"), EVENT},
    {AIC_STR_INIT("streamSid"), STREAM},
    {AIC_STR_INIT("stream_id"), STREAM},
    {AIC_STR_INIT("streamId"), STREAM},
    {AIC_STR_INIT("sequenceNumber"), SEQUENCE},
    {AIC_STR_INIT("sequence_number"), SEQUENCE},
};

static const struct name media_names[] = {
    {AIC_STR_INIT("track"), TRACK},
    {AIC_STR_INIT("chunk"), CHUNK},
    {AIC_STR_INIT("timestamp"), TIMESTAMP},
    {AIC_STR_INIT("payload"), PAYLOAD},
};

struct scan {
    struct cursor cursor;
    struct value values[SLOTS];
    bool is_filled[SLOTS];
    bool has_media;
};

static bool is_same(struct aic_str a, struct aic_str b)
{
    return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

/* Whether text is all ASCII, without control characters and without escapes. */
static bool is_plain(struct aic_str text)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101);
    uint64_t odd = 0;
    uint64_t word = 0;
    size_t i = 0;
    for (; i + sizeof(word) <= text.len; i += sizeof(word)) {
        /* In each byte the highest bit tells: not ASCII, below a space, a backslash. */
        memcpy(&word, text.ptr + i, sizeof(word));
        uint64_t escape = word ^ (ones * '\\');
        odd |= word | (word - ones * ' ') | (escape - ones);
    }
    odd &= ones << 7;
    for (; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        odd |= (uint64_t)(c < ' ' || c > 0x7f || c == '\\');
    }
    return odd == 0;
}

static void skip_space(struct cursor *c)
{
    while (c->at < c->end && *c->at == ' ') {
        c->at++;
    }
}

/* Takes one character, and the space around it. */
static bool take(struct cursor *c, char wanted)
{
    skip_space(c);
    if (c->at == c->end || *c->at != wanted) {
        return false;
    }
    c->at++;
    skip_space(c);
    return true;
}

/* A string: what is between the quotation marks. Space after it is taken, too. */
static bool take_string(struct cursor *c, struct aic_str *text)
{
    if (c->at == c->end || *c->at != '"') {
        return false;
    }
    const char *begin = ++c->at;
    const char *quote = memchr(begin, '"', (size_t)(c->end - begin));
    if (!quote) {
        return false;
    }
    *text = (struct aic_str){begin, (size_t)(quote - begin)};
    c->at = quote + 1;
    skip_space(c);
    return true;
}

static int64_t number_of(struct aic_str text)
{
    if (text.len == 0 || text.len > MAX_DIGITS || (text.len > 1 && text.ptr[0] == '0')) {
        return -1;
    }
    int64_t number = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return -1;
        }
        number = number * 10 + (text.ptr[i] - '0');
    }
    return number;
}

static bool take_value(struct cursor *c, struct value *value, bool *is_string)
{
    *is_string = c->at < c->end && *c->at == '"';
    if (*is_string) {
        return take_string(c, &value->text);
    }
    const char *begin = c->at;
    while (c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        c->at++;
    }
    value->text = (struct aic_str){begin, (size_t)(c->at - begin)};
    value->number = number_of(value->text);
    skip_space(c);
    return value->number >= 0;
}

static bool takes_number(enum slot slot)
{
    return slot == SEQUENCE || slot == CHUNK || slot == TIMESTAMP;
}

static bool take_member(struct scan *scan, struct aic_str name, const struct name *names,
                        size_t count)
{
    struct value value = {.number = -1};
    bool is_string = false;
    if (!take_value(&scan->cursor, &value, &is_string)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        enum slot slot = names[i].slot;
        if (!is_same(name, names[i].text)) {
            continue;
        }
        if (takes_number(slot) && is_string) {
            value.number = number_of(value.text);
        }
        if (scan->is_filled[slot] || (takes_number(slot) ? value.number < 0 : !is_string)) {
            return false;
        }
        scan->is_filled[slot] = true;
        scan->values[slot] = value;
        return true;
    }
    return true;
}

static bool take_name(struct cursor *c, struct aic_str *name)
{
    return take_string(c, name) && take(c, ':');
}

static bool take_media(struct scan *scan)
{
    struct cursor *c = &scan->cursor;
    struct aic_str name = {0};
    if (scan->has_media || !take(c, '{')) {
        return false;
    }
    scan->has_media = true;
    do {
        if (!take_name(c, &name) ||
            !take_member(scan, name, media_names, sizeof(media_names) / sizeof(media_names[0]))) {
            return false;
        }
    } while (take(c, ','));
    return take(c, '}');
}

static bool take_message(struct scan *scan)
{
    struct cursor *c = &scan->cursor;
    struct aic_str name = {0};
    if (!take(c, '{')) {
        return false;
    }
    do {
        if (!take_name(c, &name)) {
            return false;
        }
        bool is_good = is_same(name, AIC_STR("media"))
                           ? take_media(scan)
                           : take_member(scan, name, outer_names,
                                         sizeof(outer_names) / sizeof(outer_names[0]));
        if (!is_good) {
            return false;
        }
    } while (take(c, ','));
    return take(c, '}') && c->at == c->end;
}

bool aic_media_scan(struct aic_str text, struct aic_media_message *message)
{
    struct scan scan = {.cursor = {text.ptr, text.ptr + text.len}};
    if (text.len > AIC_JSON_MAX_BYTES || !is_plain(text)) {
        return false;
    }
    for (size_t i = 0; i < SLOTS; i++) {
        scan.values[i] = (struct value){{"", 0}, -1};
    }
    if (!take_message(&scan) || !scan.is_filled[PAYLOAD] ||
        !is_same(scan.values[EVENT].text, AIC_STR("media"))) {
        return false;
    }
    *message = (struct aic_media_message){.stream = scan.values[STREAM].text,
                                          .track = scan.values[TRACK].text,
                                          .payload = scan.values[PAYLOAD].text,
                                          .sequence = scan.values[SEQUENCE].number,
                                          .chunk = scan.values[CHUNK].number,
                                          .timestamp_ms = scan.values[TIMESTAMP].number};
    return true;
}

int32_t aic_media_write(struct aic_buf *to, struct aic_str prefix, const void *bytes, size_t count,
                        struct aic_str suffix)
{
    int32_t status = aic_buf_reserve(to, prefix.len + AIC_BASE64_ENCODED(count) + suffix.len);
    if (status != AIC_OK) {
        return status;
    }
    (void)aic_buf_str(to, prefix);
    to->len += aic_base64_encode(to->data + to->len, bytes, count);
    return aic_buf_str(to, suffix);
}
