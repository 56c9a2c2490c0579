/* SPDX-License-Identifier: ISC */
#include "call/phrases.h"

#include "utf8.h"

#include <string.h>
#include <utf8proc.h>

enum { MAX_TEXT = 8192, GOODBYE_WORDS = 6 };

static const char *const goodbyes[] = {"bye",
                                       "bye bye",
                                       "byebye",
                                       "goodbye",
                                       "good bye",
                                       "hang up",
                                       "end the call",
                                       "see you later",
                                       "talk to you later",
                                       "that is all thank you",
                                       "that is all thanks",
                                       "have a nice day",
                                       "have a good day",
                                       "alvida",
                                       "phir milenge",
                                       "phone rakhta hoon",
                                       "phone rakhti hoon",
                                       "call band karo",
                                       "phone kaat do",
                                       "\xe0\xa4\x85\xe0\xa4\xb2\xe0\xa4\xb5\xe0\xa4\xbf\xe0\xa4"
                                       "\xa6\xe0\xa4\xbe" /* alvida */,
                                       "\xe0\xa4\xac\xe0\xa4\xbe\xe0\xa4\xaf" /* bye */,
                                       "\xe0\xa4\xac\xe0\xa4\xbe\xe0\xa4\xaf "
                                       "\xe0\xa4\xac\xe0\xa4\xbe\xe0\xa4\xaf" /* bye bye */,
                                       "\xe0\xa4\x97\xe0\xa5\x81\xe0\xa4\xa1\xe0\xa4\xac\xe0\xa4"
                                       "\xbe\xe0\xa4\xaf" /* goodbye */,
                                       "\xe0\xa4\xab\xe0\xa4\xbf\xe0\xa4\xb0 "
                                       "\xe0\xa4\xae\xe0\xa4\xbf\xe0\xa4\xb2\xe0\xa5\x87\xe0\xa4"
                                       "\x82\xe0\xa4\x97\xe0\xa5\x87" /* phir
                                                                         milenge
                                                                       */
                                       ,
                                       "\xe0\xa4\xab\xe0\xa5\x8b\xe0\xa4\xa8 "
                                       "\xe0\xa4\xb0\xe0\xa4\x96\xe0\xa5\x8b" /* hang up */,
                                       "\xe0\xa4\xab\xe0\xa5\x8b\xe0\xa4\xa8 "
                                       "\xe0\xa4\xb0\xe0\xa4\x96\xe0\xa4\xa4\xe0\xa4\xbe "
                                       "\xe0\xa4\xb9\xe0\xa5\x82\xe0\xa4\x81" /* I hang up (m) */,
                                       "\xe0\xa4\xab\xe0\xa5\x8b\xe0\xa4\xa8 "
                                       "\xe0\xa4\xb0\xe0\xa4\x96\xe0\xa4\xa4\xe0\xa5\x80 "
                                       "\xe0\xa4\xb9\xe0\xa5\x82\xe0\xa4\x81" /* I hang up (f) */,
                                       NULL};

static const char *const negations[] = {
    "not",
    "don t",
    "dont",
    "never",
    "before",
    "mat",
    "\xe0\xa4\xae\xe0\xa4\xa4" /* mat */,
    "\xe0\xa4\xa8\xe0\xa4\xb9\xe0\xa5\x80\xe0\xa4\x82" /* nahin */,
    NULL};

static const char *const backchannels[] = {
    "mhm",
    "mm",
    "mmm",
    "mm hmm",
    "mmhmm",
    "hmm",
    "hm",
    "uh huh",
    "uhuh",
    "aha",
    "ah",
    "oh",
    "okay",
    "ok",
    "right",
    "yeah",
    "yep",
    "yes",
    "sure",
    "i see",
    "go on",
    "got it",
    "alright",
    "haan",
    "accha",
    "ji",
    "\xe0\xa4\xb9\xe0\xa4\xbe\xe0\xa4\x81" /* haan */,
    "\xe0\xa4\xb9\xe0\xa4\xbe\xe0\xa4\x82" /* haan */,
    "\xe0\xa4\x85\xe0\xa4\x9a\xe0\xa5\x8d\xe0\xa4\x9b\xe0\xa4\xbe" /* accha */,
    "\xe0\xa4\x9c\xe0\xa5\x80" /* ji */,
    NULL};

static bool is_word_character(uint32_t code)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return category <= UTF8PROC_CATEGORY_NO && category != UTF8PROC_CATEGORY_CN;
}

/* Devanagari has letters with a dot below, which some recognisers write and others do not. */
static uint32_t without_dot(uint32_t code)
{
    static const uint16_t plain[] = {0x915, 0x916, 0x917, 0x91c, 0x921, 0x922, 0x92b, 0x92f};
    return code >= 0x958 && code <= 0x95f ? plain[code - 0x958] : code;
}

static bool is_dot(uint32_t code)
{
    return code == 0x93c;
}

static void add_code(struct aic_buf *to, uint32_t code)
{
    utf8proc_uint8_t bytes[4];
    if (is_dot(code)) {
        return;
    }
    code = without_dot(code);
    utf8proc_ssize_t length = utf8proc_encode_char(utf8proc_tolower((utf8proc_int32_t)code), bytes);
    if (length > 0) {
        aic_buf_add(to, bytes, (size_t)length);
    }
}

void phrases_normalise(struct aic_buf *to, struct aic_str text)
{
    size_t start = to->len;
    for (size_t i = 0; i < text.len;) {
        uint32_t code = 0;
        size_t length = aic_utf8_decode(text.ptr + i, text.len - i, &code);
        if (length > 0 && is_word_character(code)) {
            add_code(to, code);
        } else if (to->len > start && to->data[to->len - 1] != ' ') {
            aic_buf_char(to, ' ');
        }
        i += length ? length : 1;
    }
    if (to->len > start && to->data[to->len - 1] == ' ') {
        to->data[--to->len] = '\0';
    }
}

size_t phrases_words(struct aic_str normalised)
{
    size_t words = normalised.len > 0;
    for (size_t i = 0; i < normalised.len; i++) {
        words += normalised.ptr[i] == ' ';
    }
    return words;
}

/* Position behind `phrase` in the text, searched from `from`; 0 where it is not. */
static size_t find_phrase(struct aic_str text, const char *phrase, size_t from)
{
    size_t length = strlen(phrase);
    for (size_t at = from; length > 0 && at + length <= text.len; at++) {
        bool begins = at == 0 || text.ptr[at - 1] == ' ';
        bool ends = at + length == text.len || text.ptr[at + length] == ' ';
        if (begins && ends && memcmp(text.ptr + at, phrase, length) == 0) {
            return at + length;
        }
    }
    return 0;
}

bool phrases_contain(struct aic_str normalised, const char *phrase)
{
    return find_phrase(normalised, phrase, 0) > 0;
}

static bool has_any(struct aic_str text, const char *const *list)
{
    for (size_t i = 0; list[i]; i++) {
        if (phrases_contain(text, list[i])) {
            return true;
        }
    }
    return false;
}

/* The phrase stands in a short utterance or closes a long one, and is not refused before. */
static bool says(struct aic_str text, const char *phrase)
{
    size_t end = find_phrase(text, phrase, 0);
    if (end == 0) {
        return false;
    }
    struct aic_str before = {text.ptr, end - strlen(phrase)};
    bool is_near_end = end == text.len || phrases_words(text) <= GOODBYE_WORDS;
    return is_near_end && !has_any(before, negations);
}

bool phrases_is_goodbye(struct aic_str text, const char *const *more)
{
    struct aic_buf buf;
    struct aic_buf own;
    aic_buf_init(&buf, MAX_TEXT);
    aic_buf_init(&own, MAX_TEXT);
    phrases_normalise(&buf, text);
    struct aic_str normalised = aic_buf_view(&buf);
    bool found = false;
    for (size_t i = 0; !found && goodbyes[i]; i++) {
        found = says(normalised, goodbyes[i]);
    }
    for (size_t i = 0; !found && more && more[i]; i++) {
        aic_buf_clear(&own);
        phrases_normalise(&own, aic_str(more[i]));
        found = own.len > 0 && says(normalised, own.data);
    }
    aic_buf_finish(&own);
    aic_buf_finish(&buf);
    return found;
}

bool phrases_is_backchannel(struct aic_str text)
{
    struct aic_buf buf;
    aic_buf_init(&buf, MAX_TEXT);
    phrases_normalise(&buf, text);
    struct aic_str rest = aic_buf_view(&buf);
    bool found = rest.len > 0 && phrases_words(rest) <= 3;
    while (found && rest.len > 0) {
        size_t longest = 0;
        for (size_t i = 0; backchannels[i]; i++) {
            size_t length = strlen(backchannels[i]);
            bool begins = rest.len >= length && memcmp(rest.ptr, backchannels[i], length) == 0 &&
                          (rest.len == length || rest.ptr[length] == ' ');
            longest = begins && length > longest ? length : longest;
        }
        found = longest > 0;
        size_t skip = longest < rest.len ? longest + 1 : longest;
        rest.ptr += skip;
        rest.len -= skip;
    }
    aic_buf_finish(&buf);
    return found;
}
