/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_NUMBER_H
#define SPHINX_NUMBER_H
/* English number words. Each function appends words with a space between and before them. Pure. */
#include "buf.h"

/* 0 to 999999 as "twelve", "one hundred five", "two thousand". */
void sphinx_number_cardinal(struct aic_buf *words, uint32_t value);
/* 0 to 999999 as "twelfth", "twenty first". */
void sphinx_number_ordinal(struct aic_buf *words, uint32_t value);
/* 1000 to 9999 as years are read: "nineteen ninety nine", "two thousand five". */
void sphinx_number_year(struct aic_buf *words, uint32_t value);
/* Digit by digit: "zero seven one". */
void sphinx_number_digits(struct aic_buf *words, struct aic_str digits);
/* A time of day: "ten thirty", "nine oh five", "three o'clock". */
void sphinx_number_clock(struct aic_buf *words, uint32_t hour, uint32_t minute);

#endif
