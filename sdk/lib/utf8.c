/* SPDX-License-Identifier: ISC */
#include "utf8.h"

#include "buf.h"

#include <string.h>

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xC0u) == 0x80u;
}

size_t aic_utf8_decode(const char *p, size_t bytes, uint32_t *code)
{
    if (bytes == 0) {
        return 0;
    }
    uint32_t first = (unsigned char)p[0];
    if (first < 0x80) {
        *code = first;
        return 1;
    }
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || bytes < length) {
        return 0;
    }
    uint32_t value = first & (0xFFu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(p[i])) {
            return 0;
        }
        value = value << 6 | ((unsigned char)p[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
        return 0;
    }
    *code = value;
    return length;
}

size_t aic_utf8_sequence(const char *p, size_t bytes)
{
    uint32_t code = 0;
    return aic_utf8_decode(p, bytes, &code);
}

/* Bytes at `p` that are plain ASCII, counted eight at a time. */
static size_t ascii_words(const char *p, size_t bytes)
{
    size_t i = 0;
    uint64_t word = 0;
    for (; bytes - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, p + i, sizeof(word));
        if (word & UINT64_C(0x8080808080808080)) {
            break;
        }
    }
    return i;
}

bool aic_utf8_valid(struct aic_str text)
{
    for (size_t i = text.len > 0 ? ascii_words(text.ptr, text.len) : 0; i < text.len;) {
        if ((unsigned char)text.ptr[i] < 0x80) {
            i++;
            continue;
        }
        size_t length = aic_utf8_sequence(text.ptr + i, text.len - i);
        if (length == 0) {
            return false;
        }
        i += length;
    }
    return true;
}

size_t aic_utf8_incomplete_tail(struct aic_str text)
{
    for (size_t back = 1; back <= 3 && back <= text.len; back++) {
        unsigned char c = (unsigned char)text.ptr[text.len - back];
        if (c < 0x80) {
            return 0;
        }
        if (c >= 0xC2 && c <= 0xF4) {
            size_t length = c >= 0xF0 ? 4 : c >= 0xE0 ? 3 : 2;
            return length > back ? back : 0;
        }
    }
    return 0;
}

size_t aic_utf8_cut(struct aic_str text, size_t max)
{
    if (text.len <= max) {
        return text.len;
    }
    size_t length = max;
    while (length > 0 && is_continuation(text.ptr[length])) {
        length--;
    }
    return length;
}

void aic_utf8_clean(struct aic_buf *to, struct aic_str text)
{
    for (size_t i = 0; i < text.len;) {
        size_t length = text.ptr[i] ? aic_utf8_sequence(text.ptr + i, text.len - i) : 0;
        if (length == 0) {
            aic_buf_text(to, "\xef\xbf\xbd");
            i++;
        } else {
            aic_buf_add(to, text.ptr + i, length);
            i += length;
        }
    }
}
