/* SPDX-License-Identifier: ISC */
/* What Deepgram's recogniser does when the vendor fails: classified, or connected once more. */
#include "deepgram_setup.h"

static const struct fake_setting plain[] = {{"api_key", DEEPGRAM_KEY}, {NULL, NULL}};

static void test_a_refused_connection_says_who_is_to_act(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        uint32_t category;
        uint32_t scope;
        uint32_t retry;
    } refusals[] = {
        {400, AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_SESSION, AIC_RETRY_FALL_BACK},
        {401, AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {402, AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {403, AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {404, AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {429, AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NONE},
        {500, AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION},
        {503, AIC_CATEGORY_OVERLOADED, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION},
        {504, AIC_CATEGORY_TIMEOUT, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct ear ear;
        ear_begin(&ear, plain);
        struct aic_ws *ws = ear_open_with(&ear, NULL, 0);
        fake_ws_closed(ws, 1006, "no, " DEEPGRAM_KEY, refusals[i].status);
        assert_int_equal(ear.error.category, refusals[i].category);
        assert_int_equal(ear.error.scope, refusals[i].scope);
        assert_int_equal(ear.error.retry, refusals[i].retry);
        assert_int_equal(ear.error.http_status, refusals[i].status);
        assert_null(strstr(ear.events.data, DEEPGRAM_KEY));
        assert_int_equal(fake_ws_count(ear.fake), 1);
        /* What is pushed after the end is not taken. */
        const uint8_t byte = 0;
        const struct aic_audio audio = {
            .size = sizeof(audio), .format = ear.format, .data = &byte, .bytes = 1};
        assert_int_equal(ear.stt->push_audio(ear.session, &audio), AIC_ERROR_CLOSED);
        ear_finish(&ear);
    }
}

static void test_no_connection_at_all_is_the_networks_error(void **state)
{
    (void)state;
    struct ear ear;
    ear_begin(&ear, plain);
    fake_ws_closed(ear_open_with(&ear, NULL, 0), 1006, "", 0);
    assert_int_equal(ear.error.category, AIC_CATEGORY_NETWORK);
    assert_int_equal(ear.error.retry, AIC_RETRY_NEW_SESSION);
    ear_finish(&ear);
}

static void test_close_codes_are_classified(void **state)
{
    (void)state;

    static const struct {
        int32_t code;
        const char *reason;
        uint32_t category;
        uint32_t retry;
    } closes[] = {
        {1000, "", AIC_CATEGORY_NETWORK, AIC_RETRY_NEW_SESSION},
        {1001, "", AIC_CATEGORY_NETWORK, AIC_RETRY_NEW_SESSION},
        {1005, "", AIC_CATEGORY_NETWORK, AIC_RETRY_NEW_SESSION},
        {1006, "", AIC_CATEGORY_NETWORK, AIC_RETRY_NEW_SESSION},
        {1008, "DATA-0000", AIC_CATEGORY_BAD_REQUEST, AIC_RETRY_FALL_BACK},
        {1009, "BIG", AIC_CATEGORY_PROTOCOL, AIC_RETRY_FALL_BACK},
        {1011, "NET-0000", AIC_CATEGORY_SERVER, AIC_RETRY_NEW_SESSION},
        {1011, "NET-0001", AIC_CATEGORY_TIMEOUT, AIC_RETRY_NEW_SESSION},
        {1011, "something", AIC_CATEGORY_SERVER, AIC_RETRY_NEW_SESSION},
        {1013, "", AIC_CATEGORY_SERVER, AIC_RETRY_NEW_SESSION},
    };

    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++) {
        struct ear ear;
        struct aic_ws *ws = ear_open(&ear, plain);
        fake_ws_closed(ws, closes[i].code, closes[i].reason, 0);
        assert_int_equal(ear.error.category, closes[i].category);
        assert_int_equal(ear.error.retry, closes[i].retry);
        assert_int_equal(ear.error.close_code, closes[i].code);
        ear_finish(&ear);
    }
}

static void test_a_good_connection_that_breaks_is_made_again_and_hears_the_rest(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    ear_results(ws, 0, 5, LAST, "Hello");
    ear_speak(&ear, 1000, 0x22);
    ear_expect(&ear, "ready\ntext 1.0 FINAL Hello\nend 1\n");
    fake_ws_closed(ws, 1011, "NET-0000", 0);
    ear_expect(&ear, "");
    struct aic_ws *again = fake_ws_current(ear.fake);
    assert_ptr_not_equal(again, ws);
    assert_string_equal(again->url, ws->url);
    ear_speak(&ear, 200, 0x33);
    fake_ws_open(again);
    ear_expect(&ear, "reconnected 0\n");
    /* One second that was not final, the second after it, and what came meanwhile. */
    assert_int_equal(again->binary.len, 2200 * 8);
    assert_int_equal((uint8_t)again->binary.data[0], 0x11);
    assert_int_equal((uint8_t)again->binary.data[8000], 0x22);
    assert_int_equal((uint8_t)again->binary.data[16000], 0x33);
    /* Its clock began anew; the session's did not. */
    ear_results(again, 1, 1, LAST, "again");
    ear_expect(&ear, "text 2.0 FINAL again\nend 2\n");
    assert_int_equal(ear.words.start_us, 6000000);
    assert_int_equal(ear.words.end_us, 7000000);
    assert_int_equal(ear.word.start_us, 6000000);
    assert_int_equal(ear.usage.connection_us, 4000000);
    assert_has(fake_log(ear.fake), "connecting again");
    ear_finish(&ear);
}

static void test_what_could_not_be_kept_is_told_as_lost(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    ear_results(ws, 0, 6, LAST, "Hello");
    fake_ws_closed(ws, 1006, "", 0);
    ear_speak(&ear, 12000, 0x22);
    fake_ws_open(fake_ws_current(ear.fake));
    ear_expect(&ear, "ready\ntext 1.0 FINAL Hello\nend 1\nreconnected 2000000\n");
    ear_results(fake_ws_current(ear.fake), 0, 1, LAST, "late");
    assert_int_equal(ear.words.start_us, 8000000);
    ear_finish(&ear);
}

static void test_a_connection_that_breaks_at_once_is_left_to_the_host(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    fake_ws_closed(ws, 1006, "", 0);
    struct aic_ws *again = fake_ws_current(ear.fake);
    fake_ws_open(again);
    ear_speak(&ear, 1000, 0x11);
    fake_ws_closed(again, 1006, "", 0);
    ear_expect(&ear, "ready\nreconnected 0\nerror 10 the connection broke\n");
    assert_int_equal(fake_ws_count(ear.fake), 2);
    ear_finish(&ear);
}

static void test_a_second_connection_that_is_refused_ends_the_session(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    fake_ws_closed(ws, 1006, "", 0);
    fake_ws_closed(fake_ws_current(ear.fake), 1006, "Invalid credentials.", 401);
    assert_int_equal(ear.error.category, AIC_CATEGORY_AUTH);
    assert_int_equal(fake_ws_count(ear.fake), 2);
    ear_finish(&ear);
}

static void test_what_would_fail_again_is_not_tried_again(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    fake_ws_closed(ws, 1008, "DATA-0000", 0);
    assert_int_equal(ear.error.category, AIC_CATEGORY_BAD_REQUEST);
    assert_int_equal(fake_ws_count(ear.fake), 1);
    ear_finish(&ear);
}

static void test_garbage_is_no_message(void **state)
{
    (void)state;
    static const char *const garbage[] = {
        "",
        "no json",
        "[1]",
        "{\"no\":\"type\"}",
        "{\"type\":\"Results\"}",
        "{\"type\":\"Results\",\"start\":0,\"duration\":1,\"channel\":{\"alternatives\":7}}",
        "{\"type\":\"TurnInfo\",\"event\":\"Update\",\"transcript\":[]}",
    };
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct ear ear;
        struct aic_ws *ws = ear_open(&ear, plain);
        fake_ws_text(ws, garbage[i]);
        ear_expect(&ear, "ready\nerror 11 what came is no message of Deepgram's\n");
        assert_true(ws->ended);
        ear_finish(&ear);
    }
}

static void test_unknown_messages_and_members_are_passed_over(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    fake_ws_text(ws, "{\"type\":\"Weather\",\"rain\":true}");
    ear_speak(&ear, 1000, 0x11);
    ear_results(ws, 0, 1, "\"rain\":[1,{}],\"is_final\":true,", "Yes");
    ear_expect(&ear, "ready\ntext 1.0 FINAL Yes\n");
    ear_finish(&ear);
}

static void test_an_error_message_explains_the_close_that_follows(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 6000, 0x11);
    fake_ws_text(ws, "{\"type\":\"Error\",\"code\":\"INSUFFICIENT_PERMISSIONS\","
                     "\"description\":\"not for " DEEPGRAM_KEY "\"}");
    ear_expect(&ear, "ready\nwarning 2 not for ******************\n");
    fake_ws_closed(ws, 1011, "", 0);
    assert_int_equal(ear.error.category, AIC_CATEGORY_PERMISSION);
    assert_int_equal(fake_ws_count(ear.fake), 1);
    ear_finish(&ear);
}

static void test_a_full_socket_keeps_the_sound_for_later(void **state)
{
    (void)state;
    struct ear ear;
    struct aic_ws *ws = ear_open(&ear, plain);
    ear_speak(&ear, 1000, 0x11);
    ws->refuse_sends = true;
    ear_speak(&ear, 3000, 0x22);
    assert_int_equal(ws->binary.len, 8000);
    ws->refuse_sends = false;
    ear_speak(&ear, 20, 0x33);
    assert_int_equal(ws->binary.len, 4020 * 8);
    /* Longer than is kept: the clock goes on as if it had been sent. */
    ws->refuse_sends = true;
    ear_speak(&ear, 12000, 0x44);
    ws->refuse_sends = false;
    ear_speak(&ear, 20, 0x55);
    assert_int_equal(ws->binary.len, 4020 * 8 + 80000);
    ear_results(ws, 5, 1, FINAL, "later");
    assert_int_equal(ear.words.start_us, 7020000);
    ear.stt->close(ear.session);
    ear.session = NULL;
    assert_has(fake_log(ear.fake), "2020 ms of sound could not be sent");
    ear_finish(&ear);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_connection_says_who_is_to_act),
        cmocka_unit_test(test_no_connection_at_all_is_the_networks_error),
        cmocka_unit_test(test_close_codes_are_classified),
        cmocka_unit_test(test_a_good_connection_that_breaks_is_made_again_and_hears_the_rest),
        cmocka_unit_test(test_what_could_not_be_kept_is_told_as_lost),
        cmocka_unit_test(test_a_connection_that_breaks_at_once_is_left_to_the_host),
        cmocka_unit_test(test_a_second_connection_that_is_refused_ends_the_session),
        cmocka_unit_test(test_what_would_fail_again_is_not_tried_again),
        cmocka_unit_test(test_garbage_is_no_message),
        cmocka_unit_test(test_unknown_messages_and_members_are_passed_over),
        cmocka_unit_test(test_an_error_message_explains_the_close_that_follows),
        cmocka_unit_test(test_a_full_socket_keeps_the_sound_for_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
