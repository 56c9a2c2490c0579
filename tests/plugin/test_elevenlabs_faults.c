/* SPDX-License-Identifier: ISC */
/* ElevenLabs' socket when the vendor fails: classified for the host, or gone on with requests. */
#include "elevenlabs_setup.h"

static const struct fake_setting plain[] = {{"api_key", ELEVEN_KEY}, {NULL, NULL}};

static struct aic_ws *open_socket(struct voice *voice)
{
    voice_open(voice, plain);
    struct aic_ws *ws = fake_ws_current(voice->fake);
    fake_ws_open(ws);
    return ws;
}

static struct aic_ws *speaking_socket(struct voice *voice)
{
    struct aic_ws *ws = open_socket(voice);
    voice_start(voice, 1);
    voice_say(voice, 1, "Hello there.", 12);
    vendor_speaks(ws, 1, "Hello ", true);
    aic_buf_clear(&voice->events);
    return ws;
}

static void test_a_refused_socket_is_an_error_of_the_session_before_any_text(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        uint32_t category;
        uint32_t retry;
    } refusals[] = {
        {401, AIC_CATEGORY_AUTH, AIC_RETRY_FALL_BACK},
        {402, AIC_CATEGORY_QUOTA, AIC_RETRY_FALL_BACK},
        {403, AIC_CATEGORY_PERMISSION, AIC_RETRY_FALL_BACK},
        {429, AIC_CATEGORY_CONCURRENCY, AIC_RETRY_NONE},
        {500, AIC_CATEGORY_SERVER, AIC_RETRY_NEW_SESSION},
        {503, AIC_CATEGORY_OVERLOADED, AIC_RETRY_NEW_SESSION},
        {0, AIC_CATEGORY_NETWORK, AIC_RETRY_NEW_SESSION},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct voice voice;
        voice_open(&voice, plain);
        fake_ws_closed(fake_ws_current(voice.fake), 1006, "", refusals[i].status);
        assert_has(voice.events.data, "0 error ");
        assert_int_equal(voice.error.category, refusals[i].category);
        assert_int_equal(voice.error.retry, refusals[i].retry);
        assert_int_equal(voice.error.http_status, refusals[i].status);
        voice_finish(&voice);
        /* With text it is the utterance's. */
        voice_open(&voice, plain);
        voice_start(&voice, 1);
        voice_say(&voice, 1, "Hi.", 3);
        fake_ws_closed(fake_ws_current(voice.fake), 1006, "", refusals[i].status);
        assert_has(voice.events.data, "1 error ");
        assert_null(strstr(voice.events.data, "0 error "));
        assert_int_equal(voice.error.output_started, 0);
        voice_finish(&voice);
    }
}

static void test_where_there_is_no_socket_it_goes_on_with_requests(void **state)
{
    (void)state;
    static const int32_t statuses[] = {400, 404, 405, 426, 501};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        struct voice voice;
        voice_open(&voice, plain);
        voice_start(&voice, 1);
        voice_say(&voice, 1, "Hello there.", 12);
        voice_say(&voice, 1, "Bye.", 17);
        fake_ws_closed(fake_ws_current(voice.fake), 1006, "", statuses[i]);
        struct aic_http *http = fake_http_pending(voice.fake);
        assert_has(http->body, "{\"text\":\"Hello there. Bye. \"");
        fake_http_reply(http, 200, "Content-Type: audio/basic\n", "abc");
        voice_expect(&voice, "1 started\n1 audio 3\n1 flushed 12\n1 flushed 17\n");
        assert_int_equal(voice.tts->end(voice.session, 1), AIC_OK);
        vsched_run(voice.v, 1000);
        voice_expect(&voice, "1 usage 18\n1 done\n");
        assert_has(fake_log(voice.fake), "the socket was refused");
        /* For the rest of the call. */
        voice_start(&voice, 2);
        voice_say(&voice, 2, "Yes?", 4);
        assert_non_null(fake_http_pending(voice.fake));
        assert_int_equal(fake_ws_count(voice.fake), 1);
        voice_finish(&voice);
    }
}

static void test_closes_are_judged_by_their_reason(void **state)
{
    (void)state;

    static const struct {
        int32_t code;
        const char *reason;
        uint32_t category;
    } closes[] = {
        {1000, "", AIC_CATEGORY_NETWORK},
        {1006, "", AIC_CATEGORY_NETWORK},
        {1008, "This request exceeds your quota of 10000.", AIC_CATEGORY_QUOTA},
        {1008, "Have not received a new text input within the timeout of 20.0 seconds.",
         AIC_CATEGORY_TIMEOUT},
        {1008, "Invalid API key", AIC_CATEGORY_AUTH},
        {1008, "Too many concurrent requests.", AIC_CATEGORY_CONCURRENCY},
        {1008, "A voice with voice_id x does not exist.", AIC_CATEGORY_NOT_FOUND},
        {1008, "something else", AIC_CATEGORY_PROTOCOL},
        {1009, "", AIC_CATEGORY_PROTOCOL},
        {1011, "", AIC_CATEGORY_SERVER},
    };

    for (size_t i = 0; i < sizeof(closes) / sizeof(closes[0]); i++) {
        struct voice voice;
        struct aic_ws *ws = speaking_socket(&voice);
        fake_ws_closed(ws, closes[i].code, closes[i].reason, 0);
        assert_int_equal(voice.error.category, closes[i].category);
        assert_int_equal(voice.error.output_started, 1);
        assert_has(voice.events.data, "1 usage 13\n1 error ");
        voice_finish(&voice);
    }
}

static void test_an_error_message_explains_the_close_that_follows(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = speaking_socket(&voice);
    fake_ws_text(ws, "{\"message\":\"This request exceeds your quota, " ELEVEN_KEY "\","
                     "\"error\":\"quota_exceeded\",\"code\":1008}");
    voice_expect(&voice, "");
    fake_ws_closed(ws, 1008, "", 0);
    assert_int_equal(voice.error.category, AIC_CATEGORY_QUOTA);
    assert_null(strstr(voice.events.data, ELEVEN_KEY));
    voice_finish(&voice);
}

static void test_an_error_of_one_context_leaves_the_others_alone(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = speaking_socket(&voice);
    voice_start(&voice, 2);
    voice_say(&voice, 2, "Bye.", 4);
    fake_ws_text(ws, "{\"error\":\"invalid_voice_settings\",\"context_id\":\"1\"}");
    voice_expect(&voice, "1 usage 13\n1 error 3 invalid_voice_settings\n");
    vendor_speaks(ws, 2, "Bye. ", true);
    voice_expect(&voice, "2 audio 400\n2 words Bye.@0+40\n2 flushed 4\n");
    voice_finish(&voice);
}

static void test_garbage_ends_what_is_spoken(void **state)
{
    (void)state;
    static const char *const garbage[] = {"",
                                          "no json",
                                          "[1]",
                                          "{\"audio\":7,\"contextId\":\"1\"}",
                                          "{\"audio\":\"%%%%\",\"contextId\":\"1\"}",
                                          "{\"audio\":\"VVV\",\"contextId\":\"1\"}"};
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        struct voice voice;
        struct aic_ws *ws = speaking_socket(&voice);
        fake_ws_text(ws, garbage[i]);
        assert_int_equal(voice.error.category, AIC_CATEGORY_PROTOCOL);
        assert_has(voice.events.data, "1 usage 13\n1 error 11 ");
        assert_true(ws->ended);
        /* The next answer gets a new socket. */
        voice_start(&voice, 2);
        voice_say(&voice, 2, "Hi.", 3);
        assert_int_equal(fake_ws_count(voice.fake), 2);
        voice_finish(&voice);
    }
}

static void test_what_is_not_known_is_passed_over(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = speaking_socket(&voice);
    fake_ws_text(ws, "{\"type\":\"weather\",\"rain\":true}");
    fake_ws_text(ws, "{\"audio\":\"VVVV\",\"contextId\":\"default\"}");
    fake_ws_text(ws, "{\"audio\":\"VVVV\",\"contextId\":\"99\",\"isFinal\":true}");
    fake_ws_text(ws, "{\"audio\":null,\"contextId\":\"1\",\"isFinal\":null,\"alignment\":{"
                     "\"chars\":7,\"charStartTimesMs\":[1],\"charDurationsMs\":[2]}}");
    voice_expect(&voice, "");
    voice_finish(&voice);
}

static void test_a_context_that_ends_too_soon_is_an_error(void **state)
{
    (void)state;
    struct voice voice;
    struct aic_ws *ws = speaking_socket(&voice);
    vendor_ends(ws, 1);
    assert_int_equal(voice.error.category, AIC_CATEGORY_PROTOCOL);
    assert_has(voice.events.data, "1 error ");
    voice_finish(&voice);
}

static void test_a_format_that_it_can_not_make_is_refused(void **state)
{
    (void)state;
    struct voice voice;
    voice_begin(&voice, plain);
    const struct aic_tts_open params = {
        .size = sizeof(params),
        .format = {.codec = AIC_CODEC_MP3, .rate_hz = 44100, .channels = 1},
        .voice = "",
        .language = ""};
    assert_int_equal(voice.tts->open(voice.self, &params, &voice.sink, &voice.session),
                     AIC_ERROR_INVALID);
    assert_int_equal(fake_ws_count(voice.fake), 0);
    voice_finish(&voice);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_refused_socket_is_an_error_of_the_session_before_any_text),
        cmocka_unit_test(test_where_there_is_no_socket_it_goes_on_with_requests),
        cmocka_unit_test(test_closes_are_judged_by_their_reason),
        cmocka_unit_test(test_an_error_message_explains_the_close_that_follows),
        cmocka_unit_test(test_an_error_of_one_context_leaves_the_others_alone),
        cmocka_unit_test(test_garbage_ends_what_is_spoken),
        cmocka_unit_test(test_what_is_not_known_is_passed_over),
        cmocka_unit_test(test_a_context_that_ends_too_soon_is_an_error),
        cmocka_unit_test(test_a_format_that_it_can_not_make_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
