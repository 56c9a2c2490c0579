/* SPDX-License-Identifier: ISC */
#include "book.h"

#include "buf.h"

#include <string.h>

enum {
    PHRASE_MAX_BYTES = 200,
    PATTERN_WEIGHT = 20, /* a pattern with many ways counts as this many phrases */
};

static const char *const days[] = {"monday", "tuesday",  "wednesday", "thursday",
                                   "friday", "saturday", "sunday",    NULL};
static const char *const hours[] = {"one",   "two",  "three", "four",   "five",   "six", "seven",
                                    "eight", "nine", "ten",   "eleven", "twelve", NULL};
static const char *const minutes[] = {"oh five", "ten",        "fifteen", "twenty", "thirty",
                                      "forty",   "forty five", "fifty",   NULL};
static const char *const parts[] = {
    "in the morning", "in the afternoon", "in the evening", "a.m.", "p.m.", NULL};
static const char *const digits[] = {"zero", "oh",  "one",   "two",   "three", "four",
                                     "five", "six", "seven", "eight", "nine",  NULL};
static const char *const numbers[] = {"ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                      "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
                                      "twenty",  "thirty",  "forty",     "fifty",    "sixty",
                                      "seventy", "eighty",  "ninety",    "hundred",  NULL};
static const char *const months[] = {"january",  "february", "march",  "april",     "may",
                                     "june",     "july",     "august", "september", "october",
                                     "november", "december", NULL};
static const char *const ordinals[] = {
    "first",      "second",     "third",        "fourth",    "fifth",       "sixth",
    "seventh",    "eighth",     "ninth",        "tenth",     "eleventh",    "twelfth",
    "thirteenth", "fourteenth", "fifteenth",    "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth",  "twenty first", "thirtieth", NULL};

static const struct {
    const char *name;
    const char *const *members;
} lists[] = {{"day", days},     {"hour", hours},     {"minutes", minutes}, {"part", parts},
             {"digit", digits}, {"number", numbers}, {"month", months},    {"ordinal", ordinals}};

static const char *const phrases[] = {
    "yes",
    "yes",
    "yes",
    "yes please",
    "yes that is right",
    "yes that's right",
    "yes that is correct",
    "yes that's correct",
    "that is right",
    "that's right",
    "that is correct",
    "that's correct",
    "correct",
    "right",
    "yeah",
    "yep",
    "sure",
    "okay",
    "of course",
    "exactly",
    "i think so",
    "yes thank you",
    "yes i do",
    "yes i am",
    "yes it is",
    "no",
    "no",
    "no",
    "no thanks",
    "no thank you",
    "no that is wrong",
    "no that's wrong",
    "no that's not right",
    "that is not correct",
    "nope",
    "not really",
    "i don't think so",
    "no i don't",
    "no it isn't",
    "nothing else",
    "not now",
    "hello",
    "hi",
    "hello there",
    "good morning",
    "good afternoon",
    "good evening",
    "thank you",
    "thank you very much",
    "thanks",
    "thanks a lot",
    "you're welcome",
    "goodbye",
    "bye",
    "bye bye",
    "thank you goodbye",
    "thank you bye bye",
    "thanks bye",
    "no thank you goodbye",
    "that is all",
    "that is all thank you",
    "that's all thank you",
    "that's all",
    "that's it",
    "have a nice day",
    "have a good day",
    "can you repeat that",
    "could you repeat that please",
    "please repeat that",
    "can you say that again",
    "say that again please",
    "pardon",
    "excuse me",
    "sorry",
    "what did you say",
    "i don't know",
    "i don't understand",
    "i did not understand that",
    "i didn't hear you",
    "can you hear me",
    "are you there",
    "who is this",
    "who are you",
    "can i speak to a person",
    "i want to talk to somebody",
    "i would like to speak to an agent",
    "talk to a real person",
    "operator please",
    "help",
    "help me please",
    "stop",
    "wait",
    "wait a moment",
    "one moment please",
    "just a moment",
    "never mind",
    "cancel",
    "continue",
    "go back",
    "main menu",
    "do not call me again",
    "please stop calling me",
    "i would like to",
    "i'd like to",
    "i want to",
    "i need to",
    "can i",
    "could you please",
    "do you have",
    "i have a question",
    "how much is it",
    "what time is it",
    "where are you",
    "when are you open",
    "my name is",
    "this is",
    "i am calling about",
    "it is about",
    "today",
    "tomorrow",
    "tomorrow morning",
    "tomorrow afternoon",
    "the day after tomorrow",
    "tonight",
    "next week",
    "this week",
    "next month",
    "as soon as possible",
    "{day}",
    "{day}",
    "on {day}",
    "{day} please",
    "on {day} please",
    "next {day}",
    "this {day}",
    "{day} would be good",
    "{day} is fine",
    "{day} {part}",
    "{day} at {hour}",
    "on {day} at {hour} {part}",
    "at {hour}",
    "at {hour} o'clock",
    "{hour} o'clock",
    "{hour} {part}",
    "at {hour} {part}",
    "{hour} {minutes}",
    "at {hour} {minutes}",
    "{hour} {minutes} {part}",
    "half past {hour}",
    "quarter past {hour}",
    "quarter to {hour}",
    "around {hour}",
    "after {hour}",
    "before {hour}",
    "{part}",
    "noon",
    "at noon",
    "any time",
    "{hour} would be fine",
    "{month}",
    "in {month}",
    "{month} {ordinal}",
    "on the {ordinal}",
    "the {ordinal} of {month}",
    "{digit}",
    "{digit}",
    "{digit} {digit}",
    "{digit} {digit} {digit}",
    "{number}",
    "{number} {digit}",
    "{digit} hundred",
    "{digit} thousand",
    "double {digit}",
    "my number is {digit} {digit} {digit}",
    "{digit} people",
    "{number} dollars",
};

/* The list whose {name} begins at `brace`, and its length; NULL where there is none. */
static const char *const *list_at(const char *brace, size_t *count)
{
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        size_t length = strlen(lists[i].name);
        if (strncmp(brace + 1, lists[i].name, length) == 0 && brace[length + 1] == '}') {
            for (*count = 0; lists[i].members[*count]; (*count)++) {
            }
            return lists[i].members;
        }
    }
    return NULL;
}

/* Appends way `way` of the phrase: a number whose digits choose the member of each list. */
static void expand(const char *phrase, size_t way, struct aic_buf *to)
{
    while (*phrase) {
        size_t plain = strcspn(phrase, "{");
        aic_buf_add(to, phrase, plain);
        phrase += plain;
        size_t count = 0;
        const char *const *members = *phrase ? list_at(phrase, &count) : NULL;
        if (members && count > 0) {
            aic_buf_text(to, members[way % count]);
            way /= count;
        }
        phrase += strcspn(phrase, "}");
        phrase += *phrase == '}';
    }
}

static size_t count_ways(const char *phrase)
{
    size_t ways = 1;
    for (const char *at = strchr(phrase, '{'); at; at = strchr(at + 1, '{')) {
        size_t count = 0;
        if (list_at(at, &count)) {
            ways *= count;
        }
    }
    return ways;
}

int32_t sphinx_book_phrases(sphinx_book_add add, void *data)
{
    struct aic_buf text;
    aic_buf_init(&text, PHRASE_MAX_BYTES);
    int32_t status = AIC_OK;
    for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]) && status == AIC_OK; i++) {
        size_t ways = count_ways(phrases[i]);
        float weight = ways > PATTERN_WEIGHT ? (float)PATTERN_WEIGHT / (float)ways : 1.0f;
        for (size_t way = 0; way < ways && status == AIC_OK; way++) {
            aic_buf_clear(&text);
            expand(phrases[i], way, &text);
            status = text.failed ? AIC_ERROR_MEMORY : add(data, aic_buf_view(&text), weight);
        }
    }
    aic_buf_finish(&text);
    return status;
}
