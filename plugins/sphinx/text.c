/* SPDX-License-Identifier: ISC */
#include "text.h"

#include "number.h"
#include "utf8.h"

#include <string.h>

struct cursor {
    struct aic_str text;
    size_t at;
    struct aic_buf *words;
    const char *currency; /* to be said after the number that follows, or NULL */
    bool after_number;
};

/* U+00C0 to U+00FF without their accents; a space where no English letter is near. */
static const char latin1[] = "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuyty";

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

/* The ASCII character that stands for the one at `at`, 0 at the end; *bytes is its length there. */
static char peek(const struct cursor *c, size_t at, size_t *bytes)
{
    *bytes = 1;
    if (at >= c->text.len) {
        return 0;
    }
    char byte = c->text.ptr[at];
    if ((unsigned char)byte < 0x80) {
        return byte == 0 ? ' ' : byte;
    }
    uint32_t code = 0;
    size_t length = aic_utf8_decode(c->text.ptr + at, c->text.len - at, &code);
    *bytes = length > 0 ? length : 1;
    if (length > 0 && code >= 0xC0 && code <= 0xFF) {
        return latin1[code - 0xC0];
    }
    switch (length > 0 ? code : 0) {
    case 0x2018:
    case 0x2019:
        return '\'';
    case 0xA3: /* pound sign */
        return '\x01';
    case 0x20AC: /* euro sign */
        return '\x02';
    default:
        return ' ';
    }
}

static char next_char(const struct cursor *c)
{
    size_t bytes = 0;
    return peek(c, c->at, &bytes);
}

static void skip_char(struct cursor *c)
{
    size_t bytes = 0;
    (void)peek(c, c->at, &bytes);
    c->at += bytes;
}

static void say(struct cursor *c, const char *word)
{
    if (c->words->len > 0) {
        aic_buf_char(c->words, ' ');
    }
    aic_buf_text(c->words, word);
}

/* Lower-case letters up to the next other character; an apostrophe only between letters. Returns
 * whether it fitted. */
static bool read_word(struct cursor *c, char word[SPHINX_WORD_BYTES])
{
    size_t len = 0;
    for (;;) {
        size_t bytes = 0;
        char ch = peek(c, c->at, &bytes);
        if (ch == '\'') {
            size_t after = 0;
            if (!is_letter(peek(c, c->at + bytes, &after))) {
                break;
            }
        } else if (!is_letter(ch)) {
            break;
        }
        if (len < SPHINX_WORD_BYTES) {
            word[len] = lower(ch);
        }
        len++;
        c->at += bytes;
    }
    word[len < SPHINX_WORD_BYTES ? len : 0] = 0;
    return len < SPHINX_WORD_BYTES;
}

/* Takes ".m" or ".m." behind an a or p. */
static bool take_half_of_day(struct cursor *c)
{
    const char *at = c->text.ptr + c->at;
    size_t left = c->text.len - c->at;
    if (left < 2 || at[0] != '.' || lower(at[1]) != 'm' || (left > 2 && is_letter(at[2]))) {
        return false;
    }
    c->at += left > 2 && at[2] == '.' ? 3 : 2;
    return true;
}

static void say_word(struct cursor *c)
{
    static const char *const titles[][2] = {
        {"mr", "mister"}, {"mrs", "misses"}, {"dr", "doctor"}, {"prof", "professor"}};
    char word[SPHINX_WORD_BYTES];
    bool after_number = c->after_number;
    c->after_number = false;
    if (!read_word(c, word)) {
        return;
    }
    if ((strcmp(word, "a") == 0 || strcmp(word, "p") == 0) && take_half_of_day(c)) {
        say(c, word[0] == 'a' ? "a.m." : "p.m.");
        return;
    }
    if (strcmp(word, "pm") == 0 || (after_number && strcmp(word, "am") == 0)) {
        say(c, word[0] == 'a' ? "a.m." : "p.m.");
        return;
    }
    for (size_t i = 0; i < sizeof(titles) / sizeof(titles[0]); i++) {
        if (strcmp(word, titles[i][0]) == 0) {
            say(c, titles[i][1]);
            return;
        }
    }
    say(c, word);
}

/* Two digits behind a colon; returns whether they are minutes. */
static bool take_minutes(struct cursor *c, uint32_t *minute)
{
    const char *at = c->text.ptr + c->at;
    size_t left = c->text.len - c->at;
    if (left < 3 || at[0] != ':' || at[1] < '0' || at[1] > '5' || !is_digit(at[2]) ||
        (left > 3 && is_digit(at[3]))) {
        return false;
    }
    *minute = (uint32_t)(at[1] - '0') * 10 + (uint32_t)(at[2] - '0');
    c->at += 3;
    return true;
}

/* Whether "am", "pm", "a.m." or "p.m." follows, so that "o'clock" would be too much. */
static bool half_of_day_follows(const struct cursor *c)
{
    size_t at = c->at;
    while (at < c->text.len && c->text.ptr[at] == ' ') {
        at++;
    }
    if (at + 1 >= c->text.len) {
        return false;
    }
    char half = lower(c->text.ptr[at++]);
    at += c->text.ptr[at] == '.';
    return (half == 'a' || half == 'p') && at < c->text.len && lower(c->text.ptr[at]) == 'm';
}

static bool take_ordinal(struct cursor *c)
{
    static const char *const ends[] = {"st", "nd", "rd", "th"};
    const char *at = c->text.ptr + c->at;
    size_t left = c->text.len - c->at;
    if (left < 2 || (left > 2 && is_letter(at[2]))) {
        return false;
    }
    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (lower(at[0]) == ends[i][0] && lower(at[1]) == ends[i][1]) {
            c->at += 2;
            return true;
        }
    }
    return false;
}

/* Digits into `digits` (at most `max`, more are dropped), groups of thousands joined. */
static size_t read_digits(struct cursor *c, char *digits, size_t max, bool *has_groups)
{
    size_t len = 0;
    *has_groups = false;
    while (c->at < c->text.len) {
        const char *at = c->text.ptr + c->at;
        size_t left = c->text.len - c->at;
        if (left >= 4 && at[0] == ',' && is_digit(at[1]) && is_digit(at[2]) && is_digit(at[3]) &&
            (left == 4 || !is_digit(at[4]))) {
            *has_groups = true;
        } else if (!is_digit(at[0])) {
            break;
        } else if (len < max) {
            digits[len++] = at[0];
        }
        c->at++;
    }
    return len;
}

static void say_integer(struct cursor *c, struct aic_str digits, bool has_groups)
{
    uint32_t value = 0;
    for (size_t i = 0; i < digits.len && digits.len <= 6; i++) {
        value = value * 10 + (uint32_t)(digits.ptr[i] - '0');
    }
    bool is_code = digits.len > 6 || (digits.len > 4 && !has_groups) ||
                   (digits.len > 1 && digits.ptr[0] == '0');
    uint32_t minute = 0;
    if (digits.len <= 2 && value < 25 && take_minutes(c, &minute)) {
        if (minute == 0 && half_of_day_follows(c)) {
            sphinx_number_cardinal(c->words, value);
        } else {
            sphinx_number_clock(c->words, value, minute);
        }
    } else if (is_code) {
        sphinx_number_digits(c->words, digits);
    } else if (take_ordinal(c)) {
        sphinx_number_ordinal(c->words, value);
    } else if (value >= 1100 && value < 2100 && !has_groups && !c->currency) {
        sphinx_number_year(c->words, value);
    } else {
        sphinx_number_cardinal(c->words, value);
    }
}

static void say_number(struct cursor *c)
{
    char digits[32];
    bool has_groups = false;
    struct aic_str integer = {digits, read_digits(c, digits, sizeof(digits), &has_groups)};
    say_integer(c, integer, has_groups);
    if (c->at + 1 < c->text.len && c->text.ptr[c->at] == '.' && is_digit(c->text.ptr[c->at + 1])) {
        c->at++;
        say(c, "point");
        struct aic_str fraction = {digits, read_digits(c, digits, sizeof(digits), &has_groups)};
        sphinx_number_digits(c->words, fraction);
    }
    if (c->currency) {
        say(c, c->currency);
        c->currency = NULL;
    }
    c->after_number = true;
}

static void say_symbol(struct cursor *c, char symbol)
{
    skip_char(c);
    bool before_digit = is_digit(next_char(c));
    switch (symbol) {
    case '$':
        c->currency = before_digit ? "dollars" : NULL;
        break;
    case '\x01':
        c->currency = before_digit ? "pounds" : NULL;
        break;
    case '\x02':
        c->currency = before_digit ? "euros" : NULL;
        break;
    case '%':
        say(c, "percent");
        break;
    case '&':
        say(c, "and");
        break;
    case '+':
        say(c, "plus");
        break;
    case '@':
        say(c, "at");
        break;
    default:
        break;
    }
    if (symbol != ' ' && symbol != '.') {
        c->after_number = false;
    }
}

void sphinx_text_normalise(struct aic_str phrase, struct aic_buf *words)
{
    struct cursor c = {.text = phrase, .words = words};
    while (c.at < phrase.len && !words->failed) {
        char ch = next_char(&c);
        if (is_digit(ch)) {
            say_number(&c);
        } else if (is_letter(ch)) {
            say_word(&c);
        } else {
            say_symbol(&c, ch);
        }
    }
}

bool sphinx_text_word(struct aic_str *rest, struct aic_str *word)
{
    while (rest->len > 0 && rest->ptr[0] == ' ') {
        rest->ptr++;
        rest->len--;
    }
    size_t len = 0;
    while (len < rest->len && rest->ptr[len] != ' ') {
        len++;
    }
    *word = (struct aic_str){rest->ptr, len};
    rest->ptr += len;
    rest->len -= len;
    return len > 0;
}
