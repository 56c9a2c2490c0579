/* SPDX-License-Identifier: ISC */
#include "sphinx/dict.h"
#include "sphinx/g2p.h"
#include "sphinx/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char packaged[] = "bent B EH N T\n"
                               "cent S EH N T\n"
                               "dent D EH N T\n"
                               "rent R EH N T\n"
                               "sent S EH N T\n"
                               "tom T AA M\n"
                               "tomato T AH M EY T OW\n"
                               "tomato(2) T AH M AA T OW\r\n"
                               "vent V EH N T";

static void build(const char *own, const char *phrase, struct aic_buf *entries,
                  struct aic_buf *guessed)
{
    struct sphinx_lm *lm = sphinx_lm_create();
    struct sphinx_dict_sources sources = {.own = aic_str(own), .packaged = aic_str(packaged)};
    aic_buf_init(entries, 10000);
    aic_buf_init(guessed, 10000);
    assert_int_equal(sphinx_lm_add(lm, aic_str(phrase), 1), AIC_OK);
    assert_int_equal(sphinx_dict_build(&sources, lm, entries, guessed), AIC_OK);
    sphinx_lm_destroy(lm);
}

static void expect(const char *own, const char *phrase, const char *entries, const char *guessed)
{
    struct aic_buf found;
    struct aic_buf guesses;
    build(own, phrase, &found, &guesses);
    assert_string_equal(aic_buf_view(&found).ptr, entries);
    assert_string_equal(aic_buf_view(&guesses).ptr, guessed);
    aic_buf_finish(&found);
    aic_buf_finish(&guesses);
}

static void test_only_wanted_words_are_taken_with_all_their_sounds(void **state)
{
    (void)state;
    expect("", "tomato vent", "tomato T AH M EY T OW\ntomato(2) T AH M AA T OW\nvent V EH N T\n",
           "");
}

static void test_own_entries_replace_the_packaged_ones(void **state)
{
    (void)state;
    expect("# ours\n\ntomato T OW M EY T OW\n", "tomato", "tomato T OW M EY T OW\n", "");
}

static void test_unknown_words_are_guessed_and_named(void **state)
{
    (void)state;
    expect("", "tent tom", "tom T AA M\ntent T EH N T\n", "tent T EH N T");
}

static void test_letters_in_unseen_company_get_their_common_sound(void **state)
{
    (void)state;
    expect("", "zaq", "zaq Z AE K\n", "zaq Z AE K");
}

static void test_words_without_a_vowel_are_spelled(void **state)
{
    (void)state;
    expect("", "bmw", "bmw B IY EH M D AH B AH L Y UW\n", "bmw B IY EH M D AH B AH L Y UW");
}

static void test_what_can_not_be_guessed_is_left_out_and_named(void **state)
{
    (void)state;
    expect("", "x\xc3\xa9 tom", "tom T AA M\n", "x\xc3\xa9 left out");
}

static void test_a_wrong_line_of_own_entries_is_found(void **state)
{
    (void)state;
    assert_int_equal(sphinx_dict_check(AIC_STR("")), 0);
    assert_int_equal(sphinx_dict_check(AIC_STR("# x\n\nhello HH AH L OW\nhello(2) HH EH L OW\n")),
                     0);
    assert_int_equal(sphinx_dict_check(AIC_STR("hello HH AH L OW\nbye B EYE\n")), 2);
    assert_int_equal(sphinx_dict_check(AIC_STR("hello")), 1);
    assert_int_equal(sphinx_dict_check(AIC_STR(" HH AH\n")), 1);
}

static int count_sounds(const char *text, char *copy, size_t bytes, const char **sounds)
{
    int count = 0;
    (void)snprintf(copy, bytes, "%s", text);
    for (char *at = copy; *at && count < 40;) {
        sounds[count++] = at;
        at += strcspn(at, " ");
        if (*at) {
            *at++ = 0;
        }
    }
    return count;
}

/* Levenshtein distance in sounds; adds the true ones to *total. */
static int wrong_sounds(const char *truth, const char *guess, int *total)
{
    char a[200];
    char b[400];
    const char *said[40];
    const char *heard[40];
    int n = count_sounds(truth, a, sizeof(a), said);
    int m = count_sounds(guess, b, sizeof(b), heard);
    int row[41] = {0};
    for (int k = 0; k <= m; k++) {
        row[k] = k;
    }
    for (int i = 1; i <= n; i++) {
        int last = row[0];
        row[0] = i;
        for (int k = 1; k <= m; k++) {
            int above = row[k];
            int best = last + (strcmp(said[i - 1], heard[k - 1]) != 0);
            best = row[k - 1] + 1 < best ? row[k - 1] + 1 : best;
            row[k] = above + 1 < best ? above + 1 : best;
            last = above;
        }
    }
    *total += n;
    return row[m];
}

enum { EVERY = 271, TRIED_MAX = 600 };

struct line {
    struct aic_str word;
    struct aic_str sounds;
};

static bool next_line(FILE *file, char text[200], struct line *line)
{
    if (!fgets(text, 200, file)) {
        return false;
    }
    size_t word = strcspn(text, " ");
    line->word = (struct aic_str){text, word};
    line->sounds = (struct aic_str){text + word, strcspn(text + word, "\n")};
    return true;
}

static bool is_tried(uint32_t number, struct aic_str word)
{
    return number % EVERY == 0 && !memchr(word.ptr, '(', word.len) &&
           !memchr(word.ptr, '.', word.len) && !memchr(word.ptr, '-', word.len);
}

/* Each word tried is guessed from all others of the dictionary. */
static void test_nine_of_ten_sounds_of_real_words_are_guessed_right(void **state)
{
    (void)state;
    FILE *file = fopen("/usr/share/pocketsphinx/model/en-us/cmudict-en-us.dict", "r");
    assert_non_null(file);
    struct sphinx_g2p *g2p = sphinx_g2p_create();
    static char truths[TRIED_MAX][200];
    char text[200];
    struct line line;
    uint32_t tried = 0;
    for (uint32_t i = 1; next_line(file, text, &line); i++) {
        if (is_tried(i, line.word) && tried < TRIED_MAX) {
            assert_int_equal(sphinx_g2p_ask(g2p, line.word), AIC_OK);
            (void)aic_str_copy((struct aic_str){line.sounds.ptr + 1, line.sounds.len - 1},
                               truths[tried++], sizeof(truths[0]));
        }
    }
    rewind(file);
    for (uint32_t i = 1; next_line(file, text, &line); i++) {
        if (!is_tried(i, line.word)) {
            sphinx_g2p_learn(g2p, line.word, line.sounds);
        }
    }
    (void)fclose(file);
    int wrong = 0;
    int total = 0;
    for (uint32_t i = 0; i < tried; i++) {
        struct aic_buf sounds;
        aic_buf_init(&sounds, 400);
        (void)sphinx_g2p_answer(g2p, i, &sounds);
        wrong += wrong_sounds(truths[i], aic_buf_view(&sounds).ptr, &total);
        aic_buf_finish(&sounds);
    }
    sphinx_g2p_destroy(g2p);
    assert_true(tried > 300);
    assert_true(wrong * 10 < total);
}

static void test_too_many_unknown_words_are_refused(void **state)
{
    (void)state;
    struct sphinx_g2p *g2p = sphinx_g2p_create();
    for (int i = 0; i < SPHINX_G2P_MAX_WORDS; i++) {
        assert_int_equal(sphinx_g2p_ask(g2p, AIC_STR("word")), AIC_OK);
    }
    assert_int_equal(sphinx_g2p_ask(g2p, AIC_STR("word")), AIC_ERROR_TOO_LARGE);
    sphinx_g2p_destroy(g2p);
    sphinx_g2p_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_wanted_words_are_taken_with_all_their_sounds),
        cmocka_unit_test(test_own_entries_replace_the_packaged_ones),
        cmocka_unit_test(test_unknown_words_are_guessed_and_named),
        cmocka_unit_test(test_letters_in_unseen_company_get_their_common_sound),
        cmocka_unit_test(test_words_without_a_vowel_are_spelled),
        cmocka_unit_test(test_what_can_not_be_guessed_is_left_out_and_named),
        cmocka_unit_test(test_a_wrong_line_of_own_entries_is_found),
        cmocka_unit_test(test_nine_of_ten_sounds_of_real_words_are_guessed_right),
        cmocka_unit_test(test_too_many_unknown_words_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
