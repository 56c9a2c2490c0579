/* SPDX-License-Identifier: ISC */
#include "sphinx/book.h"
#include "sphinx/lm.h"
#include "sphinx/text.h"
#include "sphinx/vocabulary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Reads an ARPA text as a recogniser does. */
struct arpa {
    char *text;
};

static bool entry(const struct arpa *arpa, const char *words, double *probability, double *backoff)
{
    int order = 1;
    for (const char *c = words; *c; c++) {
        order += *c == ' ';
    }
    char heading[20];
    (void)snprintf(heading, sizeof(heading), "\\%d-grams:\n", order);
    const char *line = strstr(arpa->text, heading);
    assert_non_null(line);
    for (line = strchr(line, '\n') + 1; *line && *line != '\\' && *line != '\n';
         line = strchr(line, '\n') + 1) {
        char *rest = NULL;
        *probability = strtod(line, &rest);
        size_t length = strlen(words);
        if (strncmp(rest + 1, words, length) == 0 &&
            (rest[length + 1] == ' ' || rest[length + 1] == '\n')) {
            *backoff = rest[length + 1] == ' ' ? strtod(rest + length + 1, NULL) : 0;
            return true;
        }
    }
    return false;
}

/* log10 of the chance of the last word of `words` after the ones before. */
static double chance(const struct arpa *arpa, const char *words)
{
    double probability = 0;
    double backoff = 0;
    if (entry(arpa, words, &probability, &backoff)) {
        return probability;
    }
    const char *shorter = strchr(words, ' ');
    assert_non_null(shorter);
    char history[200];
    (void)snprintf(history, sizeof(history), "%.*s", (int)(strrchr(words, ' ') - words), words);
    double left = 0;
    if (!entry(arpa, history, &probability, &left)) {
        left = 0;
    }
    return left + chance(arpa, shorter + 1);
}

static struct arpa write_model(struct sphinx_lm *lm)
{
    struct aic_buf buf;
    aic_buf_init(&buf, SPHINX_LM_MAX_BYTES);
    assert_int_equal(sphinx_lm_write(lm, &buf), AIC_OK);
    return (struct arpa){aic_buf_detach(&buf)};
}

static void add(struct sphinx_lm *lm, const char *phrase)
{
    assert_int_equal(sphinx_lm_add(lm, aic_str(phrase), 1), AIC_OK);
}

static struct sphinx_lm *small_model(void)
{
    struct sphinx_lm *lm = sphinx_lm_create();
    add(lm, "i want to book");
    add(lm, "i want to cancel");
    add(lm, "i need to book");
    add(lm, "monday");
    return lm;
}

static void test_chances_of_all_words_add_up_to_one(void **state)
{
    (void)state;
    static const char *const histories[] = {"",      "<s>",    "i",      "want to",
                                            "<s> i", "monday", "to book"};
    struct sphinx_lm *lm = small_model();
    struct arpa arpa = write_model(lm);
    for (size_t h = 0; h < sizeof(histories) / sizeof(histories[0]); h++) {
        double sum = 0;
        for (uint32_t i = 0; i <= sphinx_lm_word_count(lm); i++) {
            struct aic_str word = AIC_STR("</s>");
            if (i < sphinx_lm_word_count(lm)) {
                word = sphinx_lm_word(lm, i);
            }
            char words[200];
            (void)snprintf(words, sizeof(words), "%s%s%.*s", histories[h], *histories[h] ? " " : "",
                           (int)word.len, word.ptr);
            sum += pow(10, chance(&arpa, words));
        }
        assert_true(fabs(sum - 1) < 0.001);
    }
    free(arpa.text);
    sphinx_lm_destroy(lm);
}

static void test_what_was_given_is_likelier_than_what_was_not(void **state)
{
    (void)state;
    struct sphinx_lm *lm = small_model();
    struct arpa arpa = write_model(lm);
    assert_true(chance(&arpa, "i want to") > chance(&arpa, "i want book"));
    assert_true(chance(&arpa, "want to book") > chance(&arpa, "want to monday"));
    assert_true(chance(&arpa, "want to monday") > -4);
    assert_true(chance(&arpa, "<s> i want") > chance(&arpa, "<s> i need"));
    free(arpa.text);
    sphinx_lm_destroy(lm);
}

static void test_a_rare_source_counts_less(void **state)
{
    (void)state;
    struct sphinx_lm *lm = small_model();
    assert_int_equal(sphinx_lm_add(lm, AIC_STR("tuesday"), 0.01F), AIC_OK);
    struct arpa arpa = write_model(lm);
    assert_true(chance(&arpa, "<s> monday") > chance(&arpa, "<s> tuesday") + 1);
    free(arpa.text);
    sphinx_lm_destroy(lm);
}

static void test_words_are_found_by_name(void **state)
{
    (void)state;
    struct sphinx_lm *lm = small_model();
    uint32_t index = 99;
    assert_int_equal(sphinx_lm_word_count(lm), 7);
    assert_true(sphinx_lm_find(lm, AIC_STR("want"), &index));
    assert_true(aic_str_equal(sphinx_lm_word(lm, index), "want"));
    assert_false(sphinx_lm_find(lm, AIC_STR("<s>"), &index));
    assert_false(sphinx_lm_find(lm, AIC_STR("nobody"), &index));
    sphinx_lm_destroy(lm);
}

static void test_nothing_makes_no_model(void **state)
{
    (void)state;
    struct sphinx_lm *lm = sphinx_lm_create();
    struct aic_buf buf;
    aic_buf_init(&buf, 1000);
    add(lm, "");
    assert_int_equal(sphinx_lm_write(lm, &buf), AIC_ERROR_INVALID);
    aic_buf_finish(&buf);
    sphinx_lm_destroy(lm);
    sphinx_lm_destroy(NULL);
}

static void test_maxima_hold(void **state)
{
    (void)state;
    struct sphinx_lm *lm = sphinx_lm_create();
    int32_t status = AIC_OK;
    uint32_t i = 0;
    for (; i < 2 * SPHINX_LM_MAX_WORDS && status == AIC_OK; i++) {
        char word[20];
        (void)snprintf(word, sizeof(word), "w%u", i);
        status = sphinx_lm_add(lm, aic_str(word), 1);
    }
    assert_int_equal(status, AIC_ERROR_TOO_LARGE);
    assert_true(i > SPHINX_LM_MAX_WORDS / 2);
    struct aic_buf small;
    aic_buf_init(&small, 1000);
    assert_int_equal(sphinx_lm_write(lm, &small), AIC_ERROR_TOO_LARGE);
    aic_buf_finish(&small);
    sphinx_lm_destroy(lm);
}

static void test_numbers_of_words_are_kept_when_the_table_grows(void **state)
{
    (void)state;
    struct sphinx_vocabulary v;
    sphinx_vocabulary_init(&v, 5000);
    for (uint32_t round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            char word[20];
            uint32_t number = 0;
            (void)snprintf(word, sizeof(word), "w%u", i * 7919);
            assert_int_equal(sphinx_vocabulary_add(&v, aic_str(word), &number), AIC_OK);
            assert_int_equal(number, i);
            assert_true(aic_str_equal(sphinx_vocabulary_word(&v, number), word));
        }
    }
    uint32_t number = 0;
    assert_int_equal(sphinx_vocabulary_add(&v, AIC_STR("more"), &number), AIC_ERROR_TOO_LARGE);
    sphinx_vocabulary_finish(&v);
}

static int32_t check_phrase(void *data, struct aic_str phrase, float weight)
{
    uint32_t *count = data;
    struct aic_buf words;
    aic_buf_init(&words, 1000);
    sphinx_text_normalise(phrase, &words);
    assert_true(weight > 0 && weight <= 1);
    assert_true(aic_str_equal(phrase, aic_buf_view(&words).ptr));
    assert_null(memchr(phrase.ptr, '{', phrase.len));
    aic_buf_finish(&words);
    ++*count;
    return AIC_OK;
}

static void test_the_built_in_phrases_are_normalised_words(void **state)
{
    (void)state;
    uint32_t count = 0;
    assert_int_equal(sphinx_book_phrases(check_phrase, &count), AIC_OK);
    assert_in_range(count, 500, 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chances_of_all_words_add_up_to_one),
        cmocka_unit_test(test_what_was_given_is_likelier_than_what_was_not),
        cmocka_unit_test(test_a_rare_source_counts_less),
        cmocka_unit_test(test_words_are_found_by_name),
        cmocka_unit_test(test_nothing_makes_no_model),
        cmocka_unit_test(test_maxima_hold),
        cmocka_unit_test(test_numbers_of_words_are_kept_when_the_table_grows),
        cmocka_unit_test(test_the_built_in_phrases_are_normalised_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
