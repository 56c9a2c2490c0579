/* SPDX-License-Identifier: ISC */
#include "media.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TWILIO                                                                                     \
    "{\"event\":\"media\",\"sequenceNumber\":\"4\",\"media\":{\"track\":\"inbound\","              \
    "\"chunk\":\"2\",\"timestamp\":\"5\",\"payload\":\"/////w==\"},\"streamSid\":\"MZ1\"}"

static void test_a_media_message_of_each_carrier_is_read(void **state)
{
    (void)state;
    struct aic_media_message m;
    assert_true(aic_media_scan(AIC_STR(TWILIO), &m));
    assert_true(aic_str_equal(m.stream, "MZ1"));
    assert_true(aic_str_equal(m.track, "inbound"));
    assert_true(aic_str_equal(m.payload, "/////w=="));
    assert_int_equal(m.sequence, 4);
    assert_int_equal(m.chunk, 2);
    assert_int_equal(m.timestamp_ms, 5);

    assert_true(aic_media_scan(
        AIC_STR("{\"event\": \"media\", \"sequence_number\": \"9\", \"stream_id\": \"a-b\", "
                "\"media\": {\"track\": \"outbound\", \"chunk\": \"0\", \"timestamp\": \"20\", "
                "\"payload\": \"AAAA\"}}"),
        &m));
    assert_true(aic_str_equal(m.stream, "a-b"));
    assert_int_equal(m.sequence, 9);

    assert_true(aic_media_scan(
        AIC_STR("{\"sequenceNumber\":3,\"streamId\":\"s\",\"event\":\"media\",\"media\":{"
                "\"track\":\"inbound\",\"timestamp\":\"7\",\"chunk\":12,\"payload\":\"\"}}"),
        &m));
    assert_int_equal(m.sequence, 3);
    assert_int_equal(m.chunk, 12);
    assert_int_equal(m.payload.len, 0);
}

static void test_what_is_absent_or_unknown_does_not_matter(void **state)
{
    (void)state;
    struct aic_media_message m;
    assert_true(
        aic_media_scan(AIC_STR("{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"}}"), &m));
    assert_int_equal(m.stream.len, 0);
    assert_int_equal(m.track.len, 0);
    assert_int_equal(m.sequence, -1);
    assert_int_equal(m.chunk, -1);
    assert_int_equal(m.timestamp_ms, -1);
    assert_true(aic_media_scan(AIC_STR("{\"new\":\"x\",\"new\":7,\"event\":\"media\",\"media\":{"
                                       "\"event\":\"y\",\"payload\":\"AA==\"}}"),
                               &m));
    assert_true(aic_str_equal(m.payload, "AA=="));
}

static void test_every_other_form_is_left_to_the_json_parser(void **state)
{
    (void)state;

    static const char *const others[] = {
        "",
        "{",
        "{}",
        "[]",
        "{\"event\":\"mark\",\"mark\":{\"name\":\"1:2\"}}",
        "{\"event\":\"media\"}",
        "{\"event\":\"media\",\"media\":{}}",
        "{\"event\":\"media\",\"media\":\"AA==\"}",
        "{\"event\":\"media\",\"media\":{\"payload\":7}}",
        "{\"event\":\"media\",\"media\":{\"payload\":null}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"A\\/A\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"A\xc3\xa4\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"A\x01\"}}",
        "{\"event\":\"media\",\n\"media\":{\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"}}x",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\",}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":{}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":[1]}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":true}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":-1}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":1.5}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"extra\":01}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"event\":\"media\"}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\"},\"media\":{\"payload\":\"\"}}",
        "{\"event\":\"media\",\"media\":{\"payload\":\"AA==\",\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"streamSid\":\"a\",\"stream_id\":\"\",\"media\":{\"payload\":\"\"}}",
        "{\"event\":\"media\",\"streamSid\":7,\"media\":{\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"chunk\":\"\",\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"chunk\":\"x\",\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"chunk\":\"05\",\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"chunk\":\"-5\",\"payload\":\"AA==\"}}",
        "{\"event\":\"media\",\"media\":{\"chunk\":9999999999999999999,\"payload\":\"AA==\"}}",
        "{event:\"media\",\"media\":{\"payload\":\"AA==\"}}",
    };

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct aic_media_message m;
        if (aic_media_scan(aic_str(others[i]), &m)) {
            fail_msg("taken: %s", others[i]);
        }
    }
}

static void test_a_message_cut_short_anywhere_is_not_taken(void **state)
{
    (void)state;
    struct aic_media_message m;
    for (size_t length = 0; length + 1 < sizeof(TWILIO); length++) {
        assert_false(aic_media_scan((struct aic_str){TWILIO, length}, &m));
    }
}

static void test_a_written_message_is_the_template_with_the_sound_in_it(void **state)
{
    (void)state;
    static const uint8_t sound[] = {0xff, 0xff, 0xff, 0xff};
    struct aic_buf buf;
    aic_buf_init(&buf, 100);
    const struct aic_str prefix = AIC_STR("{\"media\":{\"payload\":\"");
    assert_int_equal(aic_media_write(&buf, prefix, sound, sizeof(sound), AIC_STR("\"}}")), AIC_OK);
    assert_string_equal(buf.data, "{\"media\":{\"payload\":\"/////w==\"}}");
    aic_buf_clear(&buf);
    assert_int_equal(aic_media_write(&buf, prefix, sound, 0, AIC_STR("\"}}")), AIC_OK);
    assert_string_equal(buf.data, "{\"media\":{\"payload\":\"\"}}");
    aic_buf_finish(&buf);
    aic_buf_init(&buf, 20);
    assert_int_equal(aic_media_write(&buf, prefix, sound, sizeof(sound), AIC_STR("\"}}")),
                     AIC_ERROR_TOO_LARGE);
    assert_int_equal(buf.len, 0);
    aic_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_media_message_of_each_carrier_is_read),
        cmocka_unit_test(test_what_is_absent_or_unknown_does_not_matter),
        cmocka_unit_test(test_every_other_form_is_left_to_the_json_parser),
        cmocka_unit_test(test_a_message_cut_short_anywhere_is_not_taken),
        cmocka_unit_test(test_a_written_message_is_the_template_with_the_sound_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
