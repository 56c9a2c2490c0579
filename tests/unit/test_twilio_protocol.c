/* SPDX-License-Identifier: ISC */
#include "twilio/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define STREAM "MZ00000000000000000000000000000003"
#define START_OF(token, call, format)                                                              \
    "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":"                     \
    "\"AC00000000000000000000000000000001\",\"streamSid\":\"" STREAM "\",\"callSid\":"             \
    "\"CA00000000000000000000000000000002\",\"tracks\":[\"inbound\"],\"mediaFormat\":" format      \
    ",\"customParameters\":{\"token\":\"" token "\",\"call\":\"" call                              \
    "\"}},\"streamSid\":\"" STREAM "\"}"
#define MULAW "{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1}"

static struct twilio_message parse(const char *text)
{
    struct twilio_message m;
    const char *problem = NULL;
    if (twilio_message_parse(aic_str(text), &m, &problem) != AIC_OK) {
        fail_msg("%s: %s", problem, text);
    }
    assert_null(problem);
    return m;
}

static void assert_refused(const char *text, const char *why)
{
    struct twilio_message m;
    const char *problem = NULL;
    assert_int_equal(twilio_message_parse(aic_str(text), &m, &problem), AIC_ERROR_PROTOCOL);
    assert_non_null(problem);
    assert_null(m.document);
    if (!strstr(problem, why)) {
        fail_msg("\"%s\" instead of \"%s\": %s", problem, why, text);
    }
}

static void test_a_start_names_call_and_token(void **state)
{
    (void)state;
    struct twilio_message m = parse(START_OF("v1.0190-a.17.ff.ee", "0190-a", MULAW));
    assert_int_equal(m.kind, TWILIO_START);
    assert_true(aic_str_equal(m.stream_sid, STREAM));
    assert_true(aic_str_equal(m.account_sid, "AC00000000000000000000000000000001"));
    assert_true(aic_str_equal(m.call_sid, "CA00000000000000000000000000000002"));
    assert_true(aic_str_equal(m.token, "v1.0190-a.17.ff.ee"));
    assert_true(aic_str_equal(m.call_id, "0190-a"));
    assert_false(m.is_recorded);
    twilio_message_finish(&m);
    m = parse(START_OF("", "",
                       "{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":\"8000\","
                       "\"channels\":\"1\"}"));
    assert_int_equal(m.token.len, 0);
    twilio_message_finish(&m);
    m = parse(START_OF("t\",\"record\":\"true", "c", MULAW));
    assert_true(m.is_recorded);
    twilio_message_finish(&m);
}

static void test_a_start_that_is_none_is_refused(void **state)
{
    (void)state;
    assert_refused("{\"event\":\"start\"}", "names of account");
    assert_refused("{\"event\":\"start\",\"start\":[]}", "names of account");
    assert_refused("{\"event\":\"start\",\"streamSid\":\"MZ/..\",\"start\":{\"accountSid\":\"AC1\","
                   "\"callSid\":\"CA1\"}}",
                   "names of account");
    assert_refused(START_OF("a b", "c", MULAW), "token");
    assert_refused(START_OF("<token/>", "c", MULAW), "token");
    assert_refused(START_OF("t", "../c", MULAW), "call that is none");
    assert_refused(START_OF("t", "c",
                            "{\"encoding\":\"audio/x-alaw\",\"sampleRate\":8000,"
                            "\"channels\":1}"),
                   "not mu-law");
    assert_refused(START_OF("t", "c",
                            "{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":16000,"
                            "\"channels\":1}"),
                   "not mu-law");
    assert_refused(START_OF("t", "c", "{}"), "not mu-law");
}

static void test_sound_is_the_same_by_scanner_and_by_parser(void **state)
{
    (void)state;
    static const char *const forms[] = {
        "{\"event\":\"media\",\"sequenceNumber\":\"4\",\"media\":{\"track\":\"inbound\",\"chunk\":"
        "\"2\",\"timestamp\":\"5\",\"payload\":\"/w==\"},\"streamSid\":\"" STREAM "\"}",
        "{\n\"event\":\"media\",\"sequenceNumber\":4,\"media\":{\"track\":\"inbound\",\"chunk\":2,"
        "\"timestamp\":5,\"payload\":\"\\/w==\"},\"streamSid\":\"" STREAM "\"}",
    };
    for (size_t i = 0; i < 2; i++) {
        struct twilio_message m = parse(forms[i]);
        assert_int_equal(m.kind, TWILIO_MEDIA);
        assert_true((m.document != NULL) == (i == 1));
        assert_true(aic_str_equal(m.stream_sid, STREAM));
        assert_true(aic_str_equal(m.media.track, "inbound"));
        assert_true(aic_str_equal(m.media.payload, "/w=="));
        assert_int_equal(m.media.sequence, 4);
        assert_int_equal(m.media.chunk, 2);
        assert_int_equal(m.media.timestamp_ms, 5);
        twilio_message_finish(&m);
    }
    assert_refused("{\"event\":\"media\"}", "without a payload");
    assert_refused("{\"event\":\"media\",\"media\":{\"payload\":7}}", "without a payload");
}

static void test_marks_come_back_with_their_generation(void **state)
{
    (void)state;
    char text[TWILIO_CONTROL_MAX_BYTES];
    size_t length = twilio_write_mark(text, STREAM, 4294967295u, UINT64_MAX);
    assert_int_equal(length, strlen(text));
    assert_string_equal(text, "{\"event\":\"mark\",\"streamSid\":\"" STREAM "\",\"mark\":{\"name\":"
                              "\"4294967295:18446744073709551615\"}}");
    struct twilio_message m = parse(text);
    assert_int_equal(m.kind, TWILIO_MARK);
    assert_int_equal(m.generation, 4294967295u);
    assert_true(m.mark_id == UINT64_MAX);
    twilio_message_finish(&m);
    length = twilio_write_clear(text, STREAM);
    assert_string_equal(text, "{\"event\":\"clear\",\"streamSid\":\"" STREAM "\"}");
    assert_int_equal(length, strlen(text));

    static const char *const others[] = {
        "",    "7",    "1:",   ":1",         "1:2x",         "1:2:3",
        "a:1", "-1:2", "1: 2", "1:\\u00002", "4294967296:1", "1:18446744073709551616"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        (void)snprintf(text, sizeof(text), "{\"event\":\"mark\",\"mark\":{\"name\":\"%s\"}}",
                       others[i]);
        m = parse(text);
        assert_int_equal(m.kind, TWILIO_UNKNOWN);
        twilio_message_finish(&m);
    }
}

static void test_media_is_written_exactly_as_documented(void **state)
{
    (void)state;
    struct aic_buf prefix;
    struct aic_buf text;
    aic_buf_init(&prefix, TWILIO_CONTROL_MAX_BYTES);
    aic_buf_init(&text, 1000);
    twilio_write_media_prefix(&prefix, STREAM);
    assert_int_equal(
        aic_media_write(&text, aic_buf_view(&prefix), "\xff\xff", 2, AIC_STR(TWILIO_MEDIA_SUFFIX)),
        AIC_OK);
    assert_string_equal(text.data, "{\"event\":\"media\",\"streamSid\":\"" STREAM
                                   "\",\"media\":{\"payload\":\"//8=\"}}");
    aic_buf_finish(&prefix);
    aic_buf_finish(&text);
}

static void test_keys_are_single_signs_of_a_telephone(void **state)
{
    (void)state;
    struct twilio_message m = parse("{\"event\":\"dtmf\",\"streamSid\":\"" STREAM "\",\"dtmf\":{"
                                    "\"track\":\"inbound_track\",\"digit\":\"#\"}}");
    assert_int_equal(m.kind, TWILIO_DTMF);
    assert_true(aic_str_equal(m.digit, "#"));
    twilio_message_finish(&m);
    assert_refused("{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"12\"}}", "digit");
    assert_refused("{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"w\"}}", "digit");
    assert_refused("{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"E\"}}", "digit");
    assert_refused("{\"event\":\"dtmf\",\"dtmf\":{\"digit\":\"\"}}", "digit");
    assert_refused("{\"event\":\"dtmf\"}", "digit");
}

static void test_other_events_are_known_or_ignored(void **state)
{
    (void)state;
    struct twilio_message m = parse("{\"event\":\"connected\",\"protocol\":\"Call\"}");
    assert_int_equal(m.kind, TWILIO_CONNECTED);
    twilio_message_finish(&m);
    m = parse("{\"event\":\"stop\",\"streamSid\":\"" STREAM "\"}");
    assert_int_equal(m.kind, TWILIO_STOP);
    twilio_message_finish(&m);
    m = parse("{\"event\":\"novelty\",\"streamSid\":\"" STREAM "\"}");
    assert_int_equal(m.kind, TWILIO_UNKNOWN);
    twilio_message_finish(&m);
    static const char *const nonsense[] = {"",
                                           "garbage",
                                           "[]",
                                           "7",
                                           "{}",
                                           "{\"event\":7}",
                                           "{\"event\":\"\"}",
                                           "{\"event\":\"stop\"",
                                           "{'event':'stop'}",
                                           "\xff{\"event\":\"stop\"}"};
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        assert_refused(nonsense[i], "no JSON object");
    }
}

static void test_words_numbers_and_keys_are_told_apart(void **state)
{
    (void)state;
    assert_true(twilio_is_sid(AIC_STR("CA00000000000000000000000000000002")));
    assert_false(twilio_is_sid(AIC_STR("")));
    assert_false(twilio_is_sid(AIC_STR("CA1/../Recordings")));
    assert_false(twilio_is_sid(AIC_STR("CA\0")));
    assert_true(twilio_is_call_id(AIC_STR("01906f2e-0000-7000-8000-000000000001")));
    assert_false(twilio_is_call_id(AIC_STR("a&b")));
    assert_true(twilio_is_number(AIC_STR("+15551234567")));
    assert_true(twilio_is_number(AIC_STR("+123456789012345")));
    static const char *const bad[] = {
        "",     "+",   "15551234567",  "+05551234567",    "+155512",
        "+112", "911", "+1555123456x", "+1 555 123 4567", "+1234567890123456"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(twilio_is_number(aic_str(bad[i])));
    }
    assert_true(twilio_are_digits(AIC_STR("0123456789*#ABCDw"), 32));
    assert_false(twilio_are_digits(AIC_STR(""), 32));
    assert_false(twilio_are_digits(AIC_STR("12"), 1));
    assert_false(twilio_are_digits(AIC_STR("1,2"), 32));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_start_names_call_and_token),
        cmocka_unit_test(test_a_start_that_is_none_is_refused),
        cmocka_unit_test(test_sound_is_the_same_by_scanner_and_by_parser),
        cmocka_unit_test(test_marks_come_back_with_their_generation),
        cmocka_unit_test(test_media_is_written_exactly_as_documented),
        cmocka_unit_test(test_keys_are_single_signs_of_a_telephone),
        cmocka_unit_test(test_other_events_are_known_or_ignored),
        cmocka_unit_test(test_words_numbers_and_keys_are_told_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
