/* SPDX-License-Identifier: ISC */
/* The smaller parts of the plugin: calls that have rung, the list of calls, tones, whispers. */
#include "g711.h"
#include "twilio/listing.h"
#include "twilio/problem.h"
#include "twilio/rings.h"
#include "twilio/tones.h"
#include "twilio/whisper.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)

static void test_a_call_rings_once(void **state)
{
    (void)state;
    struct twilio_rings rings = {0};
    const char *answer = "";
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 0, &answer), TWILIO_RINGS_FIRST);
    assert_null(answer);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), SECOND, &answer),
                     TWILIO_RINGS_AGAIN);
    assert_null(answer);
    twilio_rings_answer(&rings, AIC_STR("CA1"), AIC_STR("<Response/>"));
    twilio_rings_answer(&rings, AIC_STR("CA9"), AIC_STR("of nobody"));
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 60 * SECOND, &answer),
                     TWILIO_RINGS_AGAIN);
    assert_string_equal(answer, "<Response/>");
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 61 * SECOND, &answer),
                     TWILIO_RINGS_REPLAYED);
    assert_null(answer);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA2"), 61 * SECOND, &answer),
                     TWILIO_RINGS_FIRST);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 24 * 3600 * SECOND, &answer),
                     TWILIO_RINGS_REPLAYED);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 24 * 3600 * SECOND + 1, &answer),
                     TWILIO_RINGS_FIRST);
    twilio_rings_finish(&rings);
}

static void test_a_call_that_talks_or_is_over_does_not_ring_again(void **state)
{
    (void)state;
    struct twilio_rings rings = {.next = 0};
    const char *answer = NULL;
    twilio_rings_close(&rings, AIC_STR("CA1"));
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 0, &answer), TWILIO_RINGS_FIRST);
    twilio_rings_answer(&rings, AIC_STR("CA1"), AIC_STR("<Response/>"));
    twilio_rings_close(&rings, AIC_STR("CA1"));
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA1"), 1, &answer), TWILIO_RINGS_REPLAYED);
    assert_null(answer);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA2"), 1, &answer), TWILIO_RINGS_FIRST);
    twilio_rings_finish(&rings);
}

static void test_the_memory_of_rings_is_bounded(void **state)
{
    (void)state;
    struct twilio_rings rings = {0};
    const char *answer = NULL;
    char sid[40];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sid, sizeof(sid), "CA%d", i);
        assert_int_equal(twilio_rings_note(&rings, aic_str(sid), i * SECOND, &answer),
                         TWILIO_RINGS_FIRST);
        twilio_rings_answer(&rings, aic_str(sid), AIC_STR("x"));
    }
    /* The newest 4096 are known, the others forgotten. */
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA904"), 5000 * SECOND, &answer),
                     TWILIO_RINGS_REPLAYED);
    assert_int_equal(twilio_rings_note(&rings, AIC_STR("CA903"), 5000 * SECOND, &answer),
                     TWILIO_RINGS_FIRST);
    twilio_rings_finish(&rings);
}

static void test_dates_are_those_of_mail_and_http(void **state)
{
    (void)state;
    assert_int_equal(twilio_date(AIC_STR("Thu, 01 Jan 1970 00:00:00 +0000")), 0);
    assert_int_equal(twilio_date(AIC_STR("Tue, 31 Aug 2010 20:36:28 +0000")), 1283286988);
    assert_int_equal(twilio_date(AIC_STR("Sun, 22 Nov 2026 10:00:00 GMT")), 1795341600);
    assert_int_equal(twilio_date(AIC_STR("Thu, 29 Feb 2024 23:59:59 GMT")), 1709251199);
    static const char *const bad[] = {"",
                                      "2026-11-22T10:00:00Z",
                                      "Sun, 22 Nov 2026 10:00:00 +0100",
                                      "Sun, 22 Nov 2026 10:00:00",
                                      "Sun, 22 Nix 2026 10:00:00 GMT",
                                      "Sun, 32 Nov 2026 10:00:00 GMT",
                                      "Sun, 22 Nov 2026 24:00:00 GMT",
                                      "Sun, 22 Nov 2026 10:60:00 GMT",
                                      "Sun, 2 Nov 2026 10:00:00 +0000"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(twilio_date(aic_str(bad[i])), -1);
    }
}

static bool is_known(void *data, struct aic_str call_sid)
{
    return data && aic_str_equal(call_sid, data);
}

#define CALL_AT(sid, direction, to, time)                                                          \
    "{\"sid\":\"" sid "\",\"to\":\"" to "\",\"from\":\"+15005550006\",\"direction\":\"" direction  \
    "\",\"date_created\":\"Sun, 22 Nov 2026 " time " +0000\"}"

static int find(const char *calls, const char *known, char sid[TWILIO_LISTING_SID_BYTES])
{
    char text[4096];
    char copy[40];
    (void)snprintf(text, sizeof(text), "{\"calls\":[%s]}", calls);
    aic_str_copy(aic_str(known ? known : ""), copy, sizeof(copy));
    struct aic_json *body = aic_json_parse(aic_str(text), 0);
    assert_non_null(body);
    const struct twilio_listing wanted = {.to = AIC_STR("+15551230001"),
                                          .from = AIC_STR("+15005550006"),
                                          .now_s = 1795341600,
                                          .age_s = 10,
                                          .is_known = is_known,
                                          .data = known ? copy : NULL};
    int count = twilio_listing_find(&wanted, body, sid);
    aic_json_free(body);
    return count;
}

static void test_a_lost_call_is_found_in_the_list(void **state)
{
    (void)state;
    char sid[TWILIO_LISTING_SID_BYTES] = "";
    static const char ours[] = CALL_AT("CA1", "outbound-api", "+15551230001", "09:59:50");
    assert_int_equal(find(ours, NULL, sid), 1);
    assert_string_equal(sid, "CA1");
    assert_int_equal(find(ours, "CA1", sid), 0);
    assert_int_equal(find("", NULL, sid), 0);
    assert_int_equal(find(CALL_AT("CA1", "outbound-api", "+15551230001", "09:59:49"), NULL, sid),
                     0);
    assert_int_equal(find(CALL_AT("CA1", "inbound", "+15551230001", "09:59:55"), NULL, sid), 0);
    assert_int_equal(find(CALL_AT("CA1", "outbound-api", "+15551230002", "09:59:55"), NULL, sid),
                     0);
    assert_int_equal(find(CALL_AT("CA/1", "outbound-api", "+15551230001", "09:59:55"), NULL, sid),
                     0);
    assert_int_equal(find(CALL_AT("CA1", "outbound-api", "+15551230001", "09:59:55") "," CALL_AT(
                              "CA2", "outbound-api", "+15551230001", "09:59:56"),
                          NULL, sid),
                     2);
    assert_int_equal(find("7,null,[],{}", NULL, sid), 0);
    struct aic_json *body = aic_json_parse(AIC_STR("{\"calls\":7}"), 0);
    const struct twilio_listing wanted = {.is_known = is_known};
    assert_int_equal(twilio_listing_find(&wanted, body, sid), -1);
    assert_int_equal(twilio_listing_find(&wanted, NULL, sid), -1);
    aic_json_free(body);
}

/* How much of a tone is in a piece of sound (Goertzel). */
static double power(const uint8_t *sound, size_t count, double hz)
{
    double k = 2 * cos(2 * 3.14159265358979 * hz / 8000);
    double a = 0;
    double b = 0;
    for (size_t i = 0; i < count; i++) {
        double next = aic_mulaw_to_linear(sound[i]) / 32768.0 + k * a - b;
        b = a;
        a = next;
    }
    return (a * a + b * b - k * a * b) / (double)count;
}

static void test_keys_sound_as_a_telephone_expects(void **state)
{
    (void)state;
    static const double tones_hz[] = {697, 770, 852, 941, 1209, 1336, 1477, 1633};

    static const struct {
        const char *key;
        size_t low;
        size_t high;
    } keys[] = {{"1", 0, 4}, {"5", 1, 5}, {"9", 2, 6}, {"0", 3, 5},
                {"*", 3, 4}, {"#", 3, 6}, {"A", 0, 7}, {"D", 3, 7}};

    for (size_t k = 0; k < sizeof(keys) / sizeof(keys[0]); k++) {
        struct aic_buf sound;
        aic_buf_init(&sound, TWILIO_TONES_MAX_BYTES);
        twilio_tones_write(&sound, aic_str(keys[k].key));
        assert_int_equal(sound.len, (TWILIO_TONE_MS + TWILIO_TONE_GAP_MS) * 8);
        const uint8_t *bytes = (const uint8_t *)sound.data;
        for (size_t t = 0; t < 8; t++) {
            double found = power(bytes, TWILIO_TONE_MS * 8, tones_hz[t]);
            bool is_in = t == keys[k].low || t == keys[k].high;
            if (is_in ? found < 5 : found > 0.5) {
                fail_msg("key %s has %.2f of %.0f Hz", keys[k].key, found, tones_hz[t]);
            }
        }
        for (size_t i = TWILIO_TONE_MS * 8; i < sound.len; i++) {
            assert_int_equal(bytes[i], 0xff);
        }
        aic_buf_finish(&sound);
    }
}

static void test_a_pause_is_silence_and_a_stranger_nothing(void **state)
{
    (void)state;
    struct aic_buf sound;
    aic_buf_init(&sound, TWILIO_TONES_MAX_BYTES);
    twilio_tones_write(&sound, (struct aic_str){"w\0x", 3});
    assert_int_equal(sound.len, TWILIO_TONE_PAUSE_MS * 8);
    assert_int_equal((uint8_t)sound.data[0], 0xff);
    aic_buf_finish(&sound);
}

static void test_a_whisper_is_read_with_the_same_token_only(void **state)
{
    (void)state;
    static const uint8_t nonce[TWILIO_NONCE_BYTES] = {1, 2, 3};
    struct aic_buf sealed;
    struct aic_buf text;
    aic_buf_init(&sealed, 2000);
    aic_buf_init(&text, TWILIO_WHISPER_MAX_BYTES);
    struct aic_str words = AIC_STR("A caller wants to know about her invoice.");
    assert_int_equal(twilio_whisper_seal(&sealed, "token", nonce, words), AIC_OK);
    assert_null(strstr(sealed.data, "invoice"));
    assert_int_equal(strspn(sealed.data, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                         "0123456789-_"),
                     sealed.len);
    assert_int_equal(twilio_whisper_open(&text, "token", aic_buf_view(&sealed)), AIC_OK);
    assert_true(aic_str_equal(aic_buf_view(&text), words.ptr));
    aic_buf_clear(&text);
    assert_int_equal(twilio_whisper_open(&text, "other", aic_buf_view(&sealed)), AIC_ERROR_DENIED);
    for (size_t i = 0; i < sealed.len; i++) {
        char kept = sealed.data[i];
        sealed.data[i] = kept == 'x' ? 'y' : 'x';
        assert_int_equal(twilio_whisper_open(&text, "token", aic_buf_view(&sealed)),
                         AIC_ERROR_DENIED);
        sealed.data[i] = kept;
    }
    for (size_t length = 0; length < sealed.len; length++) {
        assert_int_equal(twilio_whisper_open(&text, "token", (struct aic_str){sealed.data, length}),
                         AIC_ERROR_DENIED);
    }
    assert_int_equal(text.len, 0);
    char longest[TWILIO_WHISPER_MAX_BYTES + 1];
    memset(longest, 'x', sizeof(longest));
    aic_buf_clear(&sealed);
    assert_int_equal(
        twilio_whisper_seal(&sealed, "token", nonce, (struct aic_str){longest, sizeof(longest)}),
        AIC_ERROR_TOO_LARGE);
    assert_int_equal(twilio_whisper_seal(&sealed, "token", nonce,
                                         (struct aic_str){longest, sizeof(longest) - 1}),
                     AIC_OK);
    assert_int_equal(twilio_whisper_open(&text, "token", aic_buf_view(&sealed)), AIC_OK);
    assert_int_equal(text.len, TWILIO_WHISPER_MAX_BYTES);
    aic_buf_finish(&sealed);
    aic_buf_finish(&text);
}

static void read_problem(struct twilio_problem *problem, int32_t status, const char *body)
{
    struct aic_json *root = body ? aic_json_parse(aic_str(body), 0) : NULL;
    twilio_problem_read(problem, status, root, AIC_STR("RQ1"));
    aic_json_free(root);
}

static void test_refusals_are_classified_by_twilios_code_first(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        uint32_t category;
        uint32_t scope;
        uint32_t retry;
    } cases[] = {
        {401, "{\"code\":20003}", AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {404, "{\"code\":20404}", AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {429, "{\"code\":20429}", AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_PROVIDER, AIC_RETRY_AFTER},
        {500, "{\"code\":20500}", AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {503, "{\"code\":20503}", AIC_CATEGORY_OVERLOADED, AIC_SCOPE_PROVIDER, AIC_RETRY_NONE},
        {400, "{\"code\":21210}", AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {400, "{\"code\":21211}", AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {400, "{\"code\":21215}", AIC_CATEGORY_PERMISSION, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {400, "{\"code\":21220}", AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {401, NULL, AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {402, NULL, AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {418, "{}", AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {502, NULL, AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {302, NULL, AIC_CATEGORY_PROTOCOL, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {403, "{\"code\":\"20006\"}", AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER,
         AIC_RETRY_FALL_BACK},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct twilio_problem problem;
        read_problem(&problem, cases[i].status, cases[i].body);
        assert_int_equal(problem.error.category, cases[i].category);
        assert_int_equal(problem.error.scope, cases[i].scope);
        assert_int_equal(problem.error.retry, cases[i].retry);
        assert_int_equal(problem.error.http_status, cases[i].status);
        assert_true(aic_str_equal(problem.error.request_id, "RQ1"));
        assert_true(problem.error.message.len > 0);
    }
}

static void test_what_twilio_says_reaches_people(void **state)
{
    (void)state;
    struct twilio_problem problem;
    read_problem(&problem, 400,
                 "{\"code\":21215,\"message\":\"Account not authorized\\nto call\",\"more_info\":"
                 "\"https://www.twilio.com/docs/errors/21215\",\"status\":400}");
    assert_string_equal(problem.message,
                        "Twilio: Account not authorized to call (21215); allow the country in "
                        "Voice Geo Permissions; see https://www.twilio.com/docs/errors/21215");
    assert_true(aic_str_equal(problem.error.code, "21215"));
    read_problem(&problem, 400, "{\"title\":\"Bad\",\"detail\":\"It is bad\",\"code\":70001}");
    assert_string_equal(problem.message, "Twilio: It is bad (70001)");
    read_problem(&problem, 400, "{\"title\":\"Bad\",\"more_info\":\"https://evil.example/\"}");
    assert_string_equal(problem.message, "Twilio: Bad");
    read_problem(&problem, 502, NULL);
    assert_string_equal(problem.message, "Twilio: HTTP status 502");
    assert_int_equal(problem.error.code.len, 0);
    char body[2000];
    char sentence[1501];
    memset(sentence, 'm', sizeof(sentence) - 1);
    sentence[sizeof(sentence) - 1] = '\0';
    (void)snprintf(body, sizeof(body), "{\"code\":21210,\"message\":\"%s\"}", sentence);
    read_problem(&problem, 400, body);
    assert_true(problem.error.message.len < sizeof(problem.message));
    assert_non_null(strstr(problem.message, "(21210); from must be"));
}

static void test_long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    struct twilio_problem problem;
    char id[] = "012345678901234567890123456789012345678901234567890123456789012\xc3\xa9";
    twilio_problem_read(&problem, 500, NULL, aic_str(id + 1));
    assert_int_equal(problem.error.request_id.len, 62);
    twilio_problem_read(&problem, 500, NULL, aic_str(id + 2));
    assert_int_equal(problem.error.request_id.len, 63);
    twilio_problem_read(&problem, 500, NULL, AIC_STR("\xff"));
    assert_int_equal(problem.error.request_id.len, 0);
}

static void test_calls_that_are_over_are_known_as_such(void **state)
{
    (void)state;
    struct twilio_problem problem;
    read_problem(&problem, 400, "{\"code\":21220}");
    assert_true(twilio_problem_is_over(&problem));
    read_problem(&problem, 404, "{\"code\":20404}");
    assert_true(twilio_problem_is_over(&problem));
    read_problem(&problem, 404, NULL);
    assert_true(twilio_problem_is_over(&problem));
    read_problem(&problem, 401, "{\"code\":20003}");
    assert_false(twilio_problem_is_over(&problem));
    read_problem(&problem, 500, NULL);
    assert_false(twilio_problem_is_over(&problem));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_rings_once),
        cmocka_unit_test(test_a_call_that_talks_or_is_over_does_not_ring_again),
        cmocka_unit_test(test_the_memory_of_rings_is_bounded),
        cmocka_unit_test(test_dates_are_those_of_mail_and_http),
        cmocka_unit_test(test_a_lost_call_is_found_in_the_list),
        cmocka_unit_test(test_keys_sound_as_a_telephone_expects),
        cmocka_unit_test(test_a_pause_is_silence_and_a_stranger_nothing),
        cmocka_unit_test(test_a_whisper_is_read_with_the_same_token_only),
        cmocka_unit_test(test_refusals_are_classified_by_twilios_code_first),
        cmocka_unit_test(test_what_twilio_says_reaches_people),
        cmocka_unit_test(test_long_texts_are_cut_between_characters),
        cmocka_unit_test(test_calls_that_are_over_are_known_as_such),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
