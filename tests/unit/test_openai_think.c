/* SPDX-License-Identifier: ISC */
#include "openai-core/think.h"

#include "utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void hear_text(void *data, struct aic_str text)
{
    aic_buf_str(data, text);
}

/* Thoughts go into the same buffer, between brackets. */
static void hear_thought(void *data, struct aic_str text)
{
    aic_buf_char(data, '[');
    aic_buf_str(data, text);
    aic_buf_char(data, ']');
}

/* Joins what is cut only because the text came in pieces. */
static void join(struct aic_buf *buf)
{
    char *cut = buf->len > 0 ? strstr(buf->data, "][") : NULL;
    while (cut) {
        memmove(cut, cut + 2, strlen(cut + 2) + 1);
        cut = strstr(cut, "][");
    }
}

/* What a text becomes, whatever the pieces in which it comes. */
static void check(const char *text, const char *want)
{
    size_t length = strlen(text);
    for (size_t step = 1; step <= length; step++) {
        struct aic_buf heard;
        struct openai_think think = {.is_inside = false};
        aic_buf_init(&heard, 1000);
        const struct openai_think_sink sink = {
            .data = &heard, .text = hear_text, .thought = hear_thought};
        for (size_t at = 0; at < length; at += step) {
            size_t part = length - at < step ? length - at : step;
            openai_think_push(&think, (struct aic_str){text + at, part}, &sink);
        }
        openai_think_end(&think, &sink);
        join(&heard);
        assert_string_equal(heard.len > 0 ? heard.data : "", want);
        aic_buf_finish(&heard);
    }
}

static void test_text_without_thoughts_passes(void **state)
{
    (void)state;
    check("Hello, how are you?", "Hello, how are you?");
    check(" 3 < 4 and 5 > 4", " 3 < 4 and 5 > 4");
    check("a <b>bold</b> word", "a <b>bold</b> word");
    check("<", "<");
    check("<<<think", "<<<think");
    check("</thin", "</thin");
    check("caf\xc3\xa9 <\xc3\xa9", "caf\xc3\xa9 <\xc3\xa9");
}

static void hear_whole(void *data, struct aic_str text)
{
    assert_true(aic_utf8_valid(text));
    hear_text(data, text);
}

static void test_no_character_is_cut(void **state)
{
    (void)state;
    struct aic_buf heard;
    struct openai_think think = {.is_inside = false};
    aic_buf_init(&heard, 1000);
    const struct openai_think_sink sink = {
        .data = &heard, .text = hear_whole, .thought = hear_whole};
    openai_think_push(&think, AIC_STR("<\xc3\xa9<t\xe2\x82\xac<think>\xc3\xa9</"), &sink);
    openai_think_push(&think, AIC_STR("\xc3\xa9"), &sink);
    assert_string_equal(heard.data, "<\xc3\xa9<t\xe2\x82\xac\xc3\xa9</\xc3\xa9");
    aic_buf_finish(&heard);
}

static void test_thoughts_are_parted_from_it(void **state)
{
    (void)state;
    check("<think>Hm.</think>Yes.", "[Hm.]Yes.");
    check("<think>\nHm.\n</think>\n\n Yes.", "[\nHm.\n]Yes.");
    check("<thinking>a < b</thinking>Yes.", "[a < b]Yes.");
    check("<thought>a</thought>Yes.<reasoning>b</reasoning>No.", "[a]Yes.[b]No.");
    check("<think></think>Yes.", "Yes.");
    check("<<think>a</think>b", "<[a]b");
    check("Yes <think>a<think>b</think>no", "Yes [ab]no");
}

static void test_thoughts_without_end_or_beginning_end_somewhere(void **state)
{
    (void)state;
    check("<think>never done", "[never done]");
    check("<think>never done</thin", "[never done</thin]");
    check("</think>\nYes.", "Yes.");
    check("<think>a</think></think>Yes.", "[a]Yes.");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_without_thoughts_passes),
        cmocka_unit_test(test_no_character_is_cut),
        cmocka_unit_test(test_thoughts_are_parted_from_it),
        cmocka_unit_test(test_thoughts_without_end_or_beginning_end_somewhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
