/* SPDX-License-Identifier: ISC */
#include "clean.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_TEXT_BYTES = 1 << 16,
    MAX_GROWTH = 4, /* bytes of output per byte of input */
    MAX_TAG_BYTES = 100,
};

/* U+00C0 to U+00FF as English readers say them. */
static const char *const latin1[] = {
    "A", "A", "A", "A", "A", "A", "AE", "C", "E", "E", "E", "E", "I", "I", "I",  "I",
    "D", "N", "O", "O", "O", "O", "O",  "x", "O", "U", "U", "U", "U", "Y", "Th", "ss",
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i",  "i",
    "d", "n", "o", "o", "o", "o", "o",  " ", "o", "u", "u", "u", "u", "y", "th", "y"};

static const struct {
    uint32_t code;
    const char *text;
} signs[] = {
    {0x2018, "'"},        {0x2019, "'"},       {0x201C, "\""},   {0x201D, "\""},
    {0x2013, " - "},      {0x2014, " - "},     {0x2026, "..."},  {0x20AC, " euros "},
    {0xA3, " pounds "},   {0xB0, " degrees "}, {0xBD, " half "}, {0xA0, " "},
    {0x2011, "-"},        {0x2012, "-"},       {0x153, "oe"},    {0x152, "OE"},
    {0x20B9, " rupees "}, {0x160, "S"},        {0x161, "s"},     {0x17D, "Z"},
    {0x17E, "z"},         {0x10D, "ch"},       {0x107, "c"},     {0x142, "l"},
    {0x144, "n"},
};

static const char *spoken(uint32_t code)
{
    if (code >= 0xC0 && code <= 0xFF) {
        return latin1[code - 0xC0];
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (signs[i].code == code) {
            return signs[i].text;
        }
    }
    return " ";
}

static void add(struct flt_clean *clean, const char *text, size_t origin)
{
    for (; *text; text++) {
        clean->text[clean->len] = *text;
        clean->origin[clean->len++] = (uint32_t)origin;
    }
}

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The length of a tag such as <b> or </b>, 0 where there is none. */
static size_t tag_length(struct aic_str text, size_t at)
{
    char first = at + 1 < text.len ? text.ptr[at + 1] : ' ';
    if (first != '/' && (!is_alnum(first) || (first >= '0' && first <= '9'))) {
        return 0;
    }
    for (size_t i = at + 1; i < text.len && i - at < MAX_TAG_BYTES && text.ptr[i] != '<'; i++) {
        if (text.ptr[i] == '>') {
            return i + 1 - at;
        }
    }
    return 0;
}

/* Whether the sign at `at` only shows how a text looks. flite would say "asterisk". */
static bool is_emphasis(struct aic_str text, size_t at)
{
    char before = at > 0 ? text.ptr[at - 1] : '\n';
    char after = at + 1 < text.len ? text.ptr[at + 1] : '\n';
    switch (text.ptr[at]) {
    case '`':
        return true;
    case '*': /* not in "3 * 4" */
        return !((before == ' ' || (before >= '0' && before <= '9')) &&
                 (after == ' ' || (after >= '0' && after <= '9')));
    case '_': /* not in a name */
    case '~':
        return !is_alnum(before) || !is_alnum(after);
    case '#': /* a heading */
        return before == '\n' || before == '#';
    default:
        return false;
    }
}

/* One character, or a tag. Returns how many bytes were taken. */
static size_t take(struct flt_clean *clean, struct aic_str text, size_t at)
{
    char ascii[2] = {text.ptr[at], 0};
    uint32_t code = 0;
    size_t bytes = aic_utf8_decode(text.ptr + at, text.len - at, &code);
    size_t tag = ascii[0] == '<' ? tag_length(text, at) : 0;
    if (tag > 0) {
        add(clean, " ", at);
        return tag;
    }
    if (bytes == 1 && code >= ' ' && code < 0x7F) {
        add(clean, is_emphasis(text, at) ? "" : ascii, at);
    } else {
        add(clean, bytes > 1 ? spoken(code) : " ", at);
    }
    return bytes > 0 ? bytes : 1;
}

int32_t flt_clean_init(struct flt_clean *clean, struct aic_str text)
{
    *clean = (struct flt_clean){.len = 0};
    if (text.len > MAX_TEXT_BYTES) {
        return AIC_ERROR_TOO_LARGE;
    }
    size_t room = text.len * MAX_GROWTH + 1;
    clean->text = malloc(room);
    clean->origin = malloc(room * sizeof(*clean->origin));
    if (!clean->text || !clean->origin) {
        flt_clean_finish(clean);
        return AIC_ERROR_MEMORY;
    }
    for (size_t at = 0; at < text.len;) {
        at += take(clean, text, at);
    }
    clean->text[clean->len] = 0;
    clean->origin[clean->len] = (uint32_t)text.len;
    return AIC_OK;
}

void flt_clean_finish(struct flt_clean *clean)
{
    free(clean->text);
    free(clean->origin);
    *clean = (struct flt_clean){.len = 0};
}

bool flt_clean_has_words(const struct flt_clean *clean)
{
    for (size_t i = 0; i < clean->len; i++) {
        if (is_alnum(clean->text[i])) {
            return true;
        }
    }
    return false;
}
