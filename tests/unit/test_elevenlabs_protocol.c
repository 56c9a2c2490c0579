/* SPDX-License-Identifier: ISC */
/* ElevenLabs' messages, alignments and errors: bytes in, structs out. */
#include "elevenlabs/aligner.h"
#include "elevenlabs/problem.h"
#include "elevenlabs/request.h"
#include "speech-core/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_contexts_are_numbers_and_nothing_else(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        uint64_t context;
    } names[] = {{"{\"contextId\":\"12\"}", 12},
                 {"{\"context_id\":\"7\"}", 7},
                 {"{\"contextId\":\"x1\"}", 0},
                 {"{\"contextId\":\"\"}", 0},
                 {"{\"contextId\":7}", 0},
                 {"{\"contextId\":\"99999999999999999999\"}", 0},
                 {"{}", 0}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct eleven_message m;
        assert_int_equal(eleven_message_read(aic_str(names[i].text), &m), AIC_OK);
        assert_int_equal(m.context, names[i].context);
        eleven_message_finish(&m);
    }
}

/* Takes an alignment, given as JSON, and writes its words down. */
static void take(struct eleven_aligner *aligner, const char *json, int64_t base_us, bool is_last,
                 struct aic_buf *words)
{
    struct aic_json *alignment = json ? aic_json_parse(aic_str(json), 0) : NULL;
    struct eleven_spans spans;
    eleven_spans_init(&spans);
    eleven_aligner_take(aligner, alignment, base_us, &spans);
    if (is_last) {
        eleven_aligner_end(aligner, &spans);
    }
    eleven_spans_seal(&spans);
    for (size_t i = 0; i < spans.count; i++) {
        aic_buf_printf(words, "%.*s@%lld+%lld ", (int)spans.list[i].text.len,
                       spans.list[i].text.ptr, (long long)spans.list[i].start_us,
                       (long long)spans.list[i].duration_us);
    }
    eleven_spans_finish(&spans);
    aic_json_free(alignment);
}

static void test_characters_become_words_across_messages(void **state)
{
    (void)state;
    struct eleven_aligner aligner = {.chars = 0};
    struct aic_buf words;
    aic_buf_init(&words, 1000);
    take(&aligner,
         "{\"chars\":[\"A\",\" \",\"c\",\"a\"],\"charStartTimesMs\":[0,1,2,3],"
         "\"charDurationsMs\":[1,1,1,1]}",
         0, false, &words);
    take(&aligner,
         "{\"chars\":[\"f\",\"\xc3\xa9\",\" \",\" \"],\"charStartTimesMs\":[0,1,2,3],"
         "\"charDurationsMs\":[1,1,1,1]}",
         4000, false, &words);
    take(&aligner, "{\"chars\":[\"!\",\"?\"],\"charStartTimesMs\":[5],\"charDurationsMs\":[2,2]}",
         8000, false, &words);
    take(&aligner, NULL, 0, true, &words);
    take(&aligner, NULL, 0, true, &words);
    assert_string_equal(words.data, "A@0+1000 caf\xc3\xa9@2000+4000 !@13000+2000 ");
    assert_int_equal(aligner.chars, 6);
    assert_int_equal(eleven_chars(AIC_STR("A caf\xc3\xa9  !\n")), 6);
    aic_buf_finish(&words);
}

static void test_times_that_make_no_sense_are_bounded(void **state)
{
    (void)state;
    struct eleven_aligner aligner = {.chars = 0};
    struct aic_buf words;
    aic_buf_init(&words, 1000);
    take(&aligner,
         "{\"chars\":[\"a\",\"b\"],\"charStartTimesMs\":[-5,1e18],\"charDurationsMs\":[\"x\",-1]}",
         0, true, &words);
    assert_true(strncmp(words.data, "ab@0+3600000000 ", 16) == 0);
    aic_buf_finish(&words);
}

static void test_a_word_of_any_length_is_cut_and_no_list_overflows(void **state)
{
    (void)state;
    struct eleven_aligner aligner = {.chars = 0};
    struct aic_buf json;
    struct aic_buf words;
    aic_buf_init(&json, 1 << 20);
    aic_buf_init(&words, 1 << 20);
    const char *const parts[] = {"\"chars\":[", "\"charStartTimesMs\":[", "\"charDurationsMs\":["};
    for (size_t part = 0; part < 3; part++) {
        aic_buf_text(&json, part == 0 ? "{" : ",");
        aic_buf_text(&json, parts[part]);
        for (size_t i = 0; i < 2000; i++) {
            const char *c = i < 500 ? "\"a\"" : i % 2 ? "\" \"" : "\"b\"";
            aic_buf_printf(&json, "%s%s", i > 0 ? "," : "", part == 0 ? c : "1");
        }
        aic_buf_char(&json, ']');
    }
    aic_buf_char(&json, '}');
    struct eleven_spans spans;
    struct aic_json *alignment = aic_json_parse(aic_buf_view(&json), 0);
    assert_non_null(alignment);
    eleven_spans_init(&spans);
    eleven_aligner_take(&aligner, alignment, 0, &spans);
    eleven_spans_seal(&spans);
    assert_int_equal(spans.count, ELEVEN_SPANS_MAX);
    assert_int_equal(spans.list[0].text.len, ELEVEN_WORD_MAX_BYTES);
    assert_int_equal(aligner.chars, 1250);
    eleven_spans_finish(&spans);
    aic_json_free(alignment);
    aic_buf_finish(&json);
    aic_buf_finish(&words);
}

static void test_numbers_and_types_of_headers(void **state)
{
    (void)state;
    assert_int_equal(eleven_number(AIC_STR("123")), 123);
    assert_int_equal(eleven_number(AIC_STR("")), -1);
    assert_int_equal(eleven_number(AIC_STR("12a")), -1);
    assert_int_equal(eleven_number(AIC_STR("-1")), -1);
    assert_int_equal(eleven_number(AIC_STR("9999999999999999")), -1);
    assert_true(eleven_type_is_sound(AIC_STR("audio/basic")));
    assert_true(eleven_type_is_sound(AIC_STR("application/octet-stream")));
    assert_false(eleven_type_is_sound(AIC_STR("application/json")));
    assert_false(eleven_type_is_sound(AIC_STR("text/html; charset=utf-8")));
}

static void test_base_addresses(void **state)
{
    (void)state;
    struct aic_buf to;
    aic_buf_init(&to, 200);
    assert_true(speech_address_is_base("https://api.elevenlabs.io"));
    assert_true(speech_address_is_base("HTTP://127.0.0.1:80/"));
    assert_false(speech_address_is_base(NULL));
    assert_false(speech_address_is_base("https://"));
    assert_false(speech_address_is_base("wss://api.elevenlabs.io"));
    assert_false(speech_address_is_base("https://a b"));
    speech_address_socket(&to, "HTTPS://host/base//");
    assert_string_equal(to.data, "wss://host/base");
    assert_int_equal(speech_address_path_bytes("https://host/base//"), 5);
    assert_int_equal(speech_address_path_bytes("https://host/"), 0);
    aic_buf_clear(&to);
    speech_address_member(&to, "a", AIC_STR("1 & 2"));
    speech_address_number(&to, "b", 0.5);
    speech_address_flag(&to, "c", true);
    assert_string_equal(to.data, "?a=1%20%26%202&b=0.5&c=true");
    aic_buf_finish(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_contexts_are_numbers_and_nothing_else),
        cmocka_unit_test(test_characters_become_words_across_messages),
        cmocka_unit_test(test_times_that_make_no_sense_are_bounded),
        cmocka_unit_test(test_a_word_of_any_length_is_cut_and_no_list_overflows),
        cmocka_unit_test(test_numbers_and_types_of_headers),
        cmocka_unit_test(test_base_addresses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
