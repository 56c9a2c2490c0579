/* SPDX-License-Identifier: ISC */
#include "number.h"

static const char *const small[] = {"zero",    "one",     "two",       "three",    "four",
                                    "five",    "six",     "seven",     "eight",    "nine",
                                    "ten",     "eleven",  "twelve",    "thirteen", "fourteen",
                                    "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
static const char *const tens[] = {"",      "",      "twenty",  "thirty", "forty",
                                   "fifty", "sixty", "seventy", "eighty", "ninety"};
static const char *const small_th[] = {
    "zeroth",     "first",     "second",    "third",       "fourth",     "fifth",     "sixth",
    "seventh",    "eighth",    "ninth",     "tenth",       "eleventh",   "twelfth",   "thirteenth",
    "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth"};
static const char *const tens_th[] = {"",          "",         "twentieth", "thirtieth",
                                      "fortieth",  "fiftieth", "sixtieth",  "seventieth",
                                      "eightieth", "ninetieth"};

static void add(struct aic_buf *words, const char *word)
{
    if (words->len > 0) {
        aic_buf_char(words, ' ');
    }
    aic_buf_text(words, word);
}

/* The last two digits, which alone differ between cardinals and ordinals. */
static void add_below_hundred(struct aic_buf *words, uint32_t value, bool is_ordinal)
{
    if (value < 20) {
        add(words, is_ordinal ? small_th[value] : small[value]);
    } else if (value % 10 == 0) {
        add(words, is_ordinal ? tens_th[value / 10] : tens[value / 10]);
    } else {
        add(words, tens[value / 10]);
        add(words, is_ordinal ? small_th[value % 10] : small[value % 10]);
    }
}

static void add_number(struct aic_buf *words, uint32_t value, bool is_ordinal)
{
    if (value >= 1000) {
        add_number(words, value / 1000, false);
        value %= 1000;
        add(words, value == 0 && is_ordinal ? "thousandth" : "thousand");
        if (value == 0) {
            return;
        }
    }
    if (value >= 100) {
        add(words, small[value / 100]);
        value %= 100;
        add(words, value == 0 && is_ordinal ? "hundredth" : "hundred");
        if (value == 0) {
            return;
        }
    }
    add_below_hundred(words, value, is_ordinal);
}

void sphinx_number_cardinal(struct aic_buf *words, uint32_t value)
{
    add_number(words, value % 1000000, false);
}

void sphinx_number_ordinal(struct aic_buf *words, uint32_t value)
{
    add_number(words, value % 1000000, true);
}

void sphinx_number_year(struct aic_buf *words, uint32_t value)
{
    uint32_t century = value / 100;
    uint32_t year = value % 100;
    if (century % 10 == 0 && year < 10) {
        sphinx_number_cardinal(words, value);
        return;
    }
    add_below_hundred(words, century, false);
    if (year == 0) {
        add(words, "hundred");
    } else {
        if (year < 10) {
            add(words, "oh");
        }
        add_below_hundred(words, year, false);
    }
}

void sphinx_number_digits(struct aic_buf *words, struct aic_str digits)
{
    for (size_t i = 0; i < digits.len; i++) {
        add(words, small[(digits.ptr[i] - '0') % 10]);
    }
}

void sphinx_number_clock(struct aic_buf *words, uint32_t hour, uint32_t minute)
{
    uint32_t spoken = hour % 12 == 0 ? 12 : hour % 12;
    add_below_hundred(words, spoken, false);
    if (minute == 0) {
        add(words, "o'clock");
    } else {
        if (minute < 10) {
            add(words, "oh");
        }
        add_below_hundred(words, minute % 60, false);
    }
}
