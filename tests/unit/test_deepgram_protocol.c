/* SPDX-License-Identifier: ISC */
/* Deepgram's messages, refusals, addresses and the ring of sound: bytes in, structs out. */
#include "deepgram/problem.h"
#include "deepgram/protocol.h"
#include "deepgram/query.h"
#include "deepgram/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct aic_str view(const char *text)
{
    return aic_str(text);
}

static void test_results_carry_times_words_and_flags(void **state)
{
    (void)state;
    struct deepgram_message m;
    struct aic_stt_word words[4];
    assert_int_equal(
        deepgram_message_read(
            view("{\"type\":\"Results\",\"channel_index\":[0,1],\"duration\":1.98,\"start\":5.99,"
                 "\"is_final\":true,\"speech_final\":true,\"from_finalize\":false,\"channel\":{"
                 "\"alternatives\":[{\"transcript\":\"Tell me more.\",\"confidence\":0.99,"
                 "\"languages\":[\"en\"],\"words\":[{\"word\":\"tell\",\"start\":6,\"end\":6.25,"
                 "\"confidence\":0.98,\"punctuated_word\":\"Tell\",\"speaker\":2},"
                 "{\"word\":\"me\",\"start\":6.25,\"end\":6.5,\"confidence\":1.5},{\"word\":7}]}]},"
                 "\"metadata\":{\"request_id\":\"abc\"}}"),
            &m),
        AIC_OK);
    assert_int_equal(m.kind, DEEPGRAM_RESULTS);
    assert_true(m.is_final && m.speech_final && !m.from_finalize);
    assert_int_equal(m.start_us, 5990000);
    assert_int_equal(m.end_us, 7970000);
    assert_true(aic_str_equal(m.text, "Tell me more."));
    assert_true(aic_str_equal(m.language, "en"));
    assert_true(aic_str_equal(m.request_id, "abc"));
    assert_int_equal(deepgram_message_words(&m, 1000000, words, 4), 2);
    assert_true(aic_str_equal(words[0].text, "Tell"));
    assert_int_equal(words[0].start_us, 7000000);
    assert_int_equal(words[0].end_us, 7250000);
    assert_int_equal(words[0].speaker, 2);
    assert_true(aic_str_equal(words[1].text, "me"));
    assert_true(words[1].confidence < 0);
    assert_int_equal(words[1].speaker, -1);
    assert_int_equal(deepgram_message_words(&m, 0, words, 1), 1);
    deepgram_message_finish(&m);
}

static void test_flags_that_are_absent_are_false_and_times_may_be_unknown(void **state)
{
    (void)state;
    struct deepgram_message m;
    assert_int_equal(
        deepgram_message_read(view("{\"type\":\"Results\",\"start\":0,\"duration\":0,\"channel\":"
                                   "{\"alternatives\":[{\"transcript\":\"\"}]}}"),
                              &m),
        AIC_OK);
    assert_false(m.is_final || m.speech_final || m.from_finalize);
    assert_true(m.confidence < 0);
    deepgram_message_finish(&m);
    assert_int_equal(
        deepgram_message_read(view("{\"type\":\"UtteranceEnd\",\"last_word_end\":-1}"), &m),
        AIC_OK);
    assert_int_equal(m.end_us, -1);
    deepgram_message_finish(&m);
    assert_int_equal(
        deepgram_message_read(view("{\"type\":\"SpeechStarted\",\"timestamp\":1e300}"), &m),
        AIC_OK);
    assert_int_equal(m.start_us, INT64_C(1000000000000));
    deepgram_message_finish(&m);
}

static void test_a_turn_of_flux_has_its_state_and_the_worst_confidence(void **state)
{
    (void)state;
    struct deepgram_message m;
    assert_int_equal(
        deepgram_message_read(
            view("{\"type\":\"TurnInfo\",\"request_id\":\"r\",\"sequence_id\":3,\"event\":"
                 "\"EagerEndOfTurn\",\"turn_index\":1,\"audio_window_start\":2.5,"
                 "\"audio_window_end\":4,\"transcript\":\"for two\",\"words\":[{\"word\":\"for\","
                 "\"confidence\":0.5},{\"word\":\"two\",\"confidence\":0.75}],"
                 "\"end_of_turn_confidence\":0.25,\"languages\":[\"de\"]}"),
            &m),
        AIC_OK);
    assert_int_equal(m.kind, DEEPGRAM_TURN);
    assert_int_equal(m.turn, DEEPGRAM_TURN_EAGER_END);
    assert_int_equal(m.start_us, 2500000);
    assert_int_equal(m.end_us, 4000000);
    assert_true(m.confidence == 0.5f && m.end_confidence == 0.25f);
    assert_true(aic_str_equal(m.language, "de"));
    deepgram_message_finish(&m);
    assert_int_equal(
        deepgram_message_read(
            view("{\"type\":\"TurnInfo\",\"event\":\"Sneezed\",\"transcript\":\"\"}"), &m),
        AIC_OK);
    assert_int_equal(m.turn, DEEPGRAM_TURN_OTHER);
    deepgram_message_finish(&m);
}

static void test_answers_of_http_are_understood_in_all_their_shapes(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        uint32_t category;
        const char *code;
    } answers[] = {
        {401, "{\"err_code\":\"INVALID_AUTH\",\"err_msg\":\"Invalid\",\"request_id\":\"q\"}",
         AIC_CATEGORY_AUTH, "INVALID_AUTH"},
        {401, "{\"category\":\"INSUFFICIENT_PERMISSIONS\",\"message\":\"m\",\"request_id\":\"q\"}",
         AIC_CATEGORY_PERMISSION, "INSUFFICIENT_PERMISSIONS"},
        {402, "{\"err_code\":\"ASR_PAYMENT_REQUIRED\"}", AIC_CATEGORY_QUOTA,
         "ASR_PAYMENT_REQUIRED"},
        {503, "{\"error_code\":\"busy\"}", AIC_CATEGORY_OVERLOADED, "busy"},
        {413, "", AIC_CATEGORY_BAD_REQUEST, ""},
        {429, "<html>", AIC_CATEGORY_CONCURRENCY, ""},
        {502, "[]", AIC_CATEGORY_SERVER, ""},
        {302, "", AIC_CATEGORY_NOT_FOUND, ""},
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct speech_fault fault;
        deepgram_problem_of_answer(&fault, answers[i].status, view(answers[i].body));
        assert_int_equal(fault.category, answers[i].category);
        assert_int_equal(fault.http_status, answers[i].status);
        assert_string_equal(fault.code, answers[i].code);
        assert_true(fault.message[0] != '\0');
    }
}

static void test_terms_are_bounded_by_number_and_length(void **state)
{
    (void)state;
    struct aic_str terms[200];
    for (size_t i = 0; i < 200; i++) {
        terms[i] = AIC_STR("ab");
    }
    assert_int_equal(deepgram_terms_within(terms, 200), DEEPGRAM_TERMS_MAX);
    char long_term[1300];
    memset(long_term, 'a', sizeof(long_term));
    terms[1] = (struct aic_str){long_term, sizeof(long_term)};
    assert_int_equal(deepgram_terms_within(terms, 200), 1);
    assert_int_equal(deepgram_terms_within(terms, 0), 0);
}

static void test_the_address_of_flux(void **state)
{
    (void)state;
    struct deepgram_settings settings = {.url = "https://api.eu.deepgram.com/",
                                         .model = "flux-general-multi",
                                         .eot_threshold = 0.8,
                                         .eager_eot_threshold = 0.5,
                                         .eot_timeout_ms = 4000};
    const struct deepgram_query query = {
        .settings = &settings,
        .format = {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
        .language = "de-AT"};
    struct aic_buf url;
    aic_buf_init(&url, 2000);
    deepgram_query_write(&query, &url);
    assert_string_equal(url.data, "wss://api.eu.deepgram.com/v2/listen?model=flux-general-multi"
                                  "&encoding=linear16&sample_rate=16000&eot_threshold=0.8"
                                  "&eot_timeout_ms=4000&eager_eot_threshold=0.5"
                                  "&language_hint=de");
    aic_buf_clear(&url);
    settings.model = "flux-general-en";
    settings.eager_eot_threshold = 0;
    deepgram_query_write(&query, &url);
    assert_null(strstr(url.data, "language_hint"));
    assert_null(strstr(url.data, "eager"));
    aic_buf_finish(&url);
}

static void test_the_ring_keeps_the_latest_sound_by_its_place(void **state)
{
    (void)state;
    struct deepgram_ring ring;
    assert_int_equal(deepgram_ring_init(&ring, 8), AIC_OK);
    deepgram_ring_push(&ring, (const uint8_t *)"abcdef", 6);
    assert_memory_equal(deepgram_ring_view(&ring, 2, 3).ptr, "cde", 3);
    deepgram_ring_push(&ring, (const uint8_t *)"ghij", 4);
    assert_int_equal(ring.begin, 2);
    assert_int_equal(ring.end, 10);
    struct aic_str part = deepgram_ring_view(&ring, 6, 100);
    assert_int_equal(part.len, 2);
    assert_memory_equal(part.ptr, "gh", 2);
    part = deepgram_ring_view(&ring, 8, 100);
    assert_memory_equal(part.ptr, "ij", 2);
    assert_int_equal(deepgram_ring_view(&ring, 10, 100).len, 0);
    deepgram_ring_forget(&ring, 1000);
    assert_int_equal(ring.begin, 10);
    deepgram_ring_push(&ring, (const uint8_t *)"0123456789AB", 12);
    assert_int_equal(ring.begin, 14);
    assert_int_equal(ring.end, 22);
    part = deepgram_ring_view(&ring, 14, 2);
    assert_memory_equal(part.ptr, "45", 2);
    deepgram_ring_finish(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_results_carry_times_words_and_flags),
        cmocka_unit_test(test_flags_that_are_absent_are_false_and_times_may_be_unknown),
        cmocka_unit_test(test_a_turn_of_flux_has_its_state_and_the_worst_confidence),
        cmocka_unit_test(test_answers_of_http_are_understood_in_all_their_shapes),
        cmocka_unit_test(test_terms_are_bounded_by_number_and_length),
        cmocka_unit_test(test_the_address_of_flux),
        cmocka_unit_test(test_the_ring_keeps_the_latest_sound_by_its_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
