/* SPDX-License-Identifier: ISC */
/* What can go wrong with a language model, and what the host is told of it. */
#include "openai_talk.h"

struct fault {
    int32_t status;
    const char *headers;
    const char *body;
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    int64_t after_ms;
};

static void test_each_refusal_is_classified(void **state)
{
    (void)state;
    static const struct fault faults[] = {
        {400, NULL,
         "{\"error\":{\"message\":\"'messages' : too long\",\"type\":"
         "\"invalid_request_error\",\"code\":\"context_length_exceeded\"}}",
         AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER, 0},
        {400, NULL,
         "{\"error\":{\"message\":\"Failed to call a function.\",\"type\":"
         "\"invalid_request_error\",\"code\":\"tool_use_failed\","
         "\"failed_generation\":\"x\"}}",
         AIC_CATEGORY_TOOL_FORMAT, AIC_SCOPE_REQUEST, AIC_RETRY_NOW, 0},
        {401, NULL,
         "{\"error\":{\"message\":\"Invalid API Key\",\"type\":"
         "\"invalid_request_error\",\"code\":\"invalid_api_key\"}}",
         AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, 0},
        {403, NULL, "{\"error\":{\"message\":\"no\",\"type\":\"permissions_error\"}}",
         AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, 0},
        {404, NULL,
         "{\"error\":{\"message\":\"The model `m` does not exist\",\"type\":"
         "\"invalid_request_error\",\"code\":\"model_not_found\"}}",
         AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, 0},
        {429, "retry-after: 7\n",
         "{\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}",
         AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_AFTER, 7000},
        {429, NULL,
         "{\"error\":{\"message\":\"Please try again in 1.5s.\",\"code\":"
         "\"rate_limit_exceeded\"}}",
         AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_AFTER, 1500},
        {429, NULL, "{\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}",
         AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_NONE, 0},
        {429, "retry-after: 7\n", "{\"error\":{\"message\":\"m\",\"code\":\"insufficient_quota\"}}",
         AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, 0},
        {498, NULL, "{\"error\":{\"message\":\"m\",\"code\":\"capacity_exceeded\"}}",
         AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE, 0},
        {500, NULL, "", AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE, 0},
        {502, NULL, "<html><body>502 Bad Gateway</body></html>", AIC_CATEGORY_SERVER,
         AIC_SCOPE_REQUEST, AIC_RETRY_NONE, 0},
        {503, "retry-after: 2\n",
         "{\"error\":{\"code\":503,\"message\":\"Loading model\",\"type\":"
         "\"unavailable_error\"}}",
         AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_AFTER, 2000},
    };
    struct talk t;
    talk_with_groq(&t);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        fake_http_reply(talk_ask(&t), faults[i].status, faults[i].headers, faults[i].body);
        assert_has(t.events.data, " error ");
        assert_null(strstr(t.events.data, "started"));
        assert_int_equal(t.error.category, faults[i].category);
        assert_int_equal(t.error.scope, faults[i].scope);
        assert_int_equal(t.error.retry, faults[i].retry);
        assert_int_equal(t.error.retry_after_ms, faults[i].after_ms);
        assert_int_equal(t.error.http_status, faults[i].status);
        assert_int_equal(t.error.output_started, 0);
        aic_buf_clear(&t.events);
    }
    talk_run(&t, 60000);
    talk_expect(&t, "");
    talk_finish(&t);
}

static void test_a_refusal_tells_the_rate_limit_too(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    fake_http_reply(talk_ask(&t), 429, "x-ratelimit-remaining-tokens: 0\nretry-after: 3\n",
                    "{\"error\":{\"message\":\"slow down\"}}");
    talk_expect(&t, "1 rate tokens 0/-1 -1\n1 error 6 slow down\n");
    talk_finish(&t);
}

static void test_errors_within_a_stream_end_it_and_tell_what_was_said_before(void **state)
{
    (void)state;

    static const struct {
        const char *name;
        const char *data;
        uint32_t category;
    } errors[] = {
        {"error", "{\"error\":{\"message\":\"m\",\"code\":\"rate_limit_exceeded\"}}",
         AIC_CATEGORY_RATE_LIMIT},
        {"", "{\"error\":{\"message\":\"m\",\"type\":\"server_error\"}}", AIC_CATEGORY_SERVER},
        {"", "{\"choices\":[],\"x_groq\":{\"error\":\"m\"}}", AIC_CATEGORY_SERVER},
        {"", "{\"choices\":[{\"delta\":{\"content\":\"cu", AIC_CATEGORY_PROTOCOL},
    };
    struct talk t;
    talk_with_groq(&t);
    for (uint32_t after = 0; after < 2; after++) {
        for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
            struct aic_http *http = talk_ask(&t);
            fake_http_headers(http, 200, "x-request-id: req_7\n");
            if (after) {
                talk_say_text(http, "Well");
            }
            fake_http_sse(http, errors[i].name, aic_str(errors[i].data));
            assert_has(t.events.data, " error ");
            assert_int_equal(t.error.category, errors[i].category);
            assert_int_equal(t.error.output_started, after);
            assert_int_equal(strstr(t.events.data, "usage") != NULL, after);
            assert_true(http->cancelled);
            aic_buf_clear(&t.events);
        }
    }
    talk_finish(&t);
}

static void test_a_stream_that_breaks_off_is_an_error(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "Well");
    aic_buf_clear(&t.events);
    fake_http_done(http);
    talk_expect(&t, "1 usage\n1 error 10 the answer broke off\n");
    assert_int_equal(t.error.output_started, 1);
    /* Tool calls of which the end is missing are not made. */
    http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say(http, "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"a\","
                   "\"function\":{\"name\":\"end_call\",\"arguments\":\"{}\"}}]}}]}");
    fake_http_fail(http, AIC_CATEGORY_NETWORK);
    talk_expect(&t, "2 started  1000\n2 usage\n2 error 10 made by the test\n");
    assert_int_equal(t.error.output_started, 0);
    /* Nothing but the mark of the end. */
    http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    aic_buf_clear(&t.events);
    talk_say(http, "[DONE]");
    talk_expect(&t, "3 error 11 the server's answer is empty\n");
    fake_http_done(http);
    talk_finish(&t);
}

static void test_failures_of_the_network_are_passed_on(void **state)
{
    (void)state;
    static const uint32_t categories[] = {AIC_CATEGORY_NETWORK, AIC_CATEGORY_TLS,
                                          AIC_CATEGORY_TIMEOUT, AIC_CATEGORY_PROTOCOL};
    struct talk t;
    talk_with_groq(&t);
    for (size_t i = 0; i < sizeof(categories) / sizeof(categories[0]); i++) {
        fake_http_fail(talk_ask(&t), categories[i]);
        assert_int_equal(t.error.category, categories[i]);
        assert_int_equal(t.error.scope, AIC_SCOPE_REQUEST);
        struct aic_http *http = talk_ask(&t);
        fake_http_headers(http, 200, NULL);
        talk_say_text(http, "Well");
        fake_http_fail(http, categories[i]);
        assert_int_equal(t.error.category, categories[i]);
        assert_int_equal(t.error.output_started, 1);
    }
    talk_finish(&t);
}

static void test_a_model_that_does_not_begin_is_given_up(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    /* A first chunk that says nothing is no beginning. */
    talk_say(http, "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}");
    aic_buf_clear(&t.events);
    talk_run(&t, 4999);
    talk_expect(&t, "");
    talk_run(&t, 2);
    talk_expect(&t, "1 error 9 the model did not begin to answer in time\n");
    assert_true(http->cancelled);
    assert_int_equal(t.error.retry, AIC_RETRY_NOW);
    talk_finish(&t);
}

static void test_a_model_that_stops_half_way_is_given_up(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    /* Thinking is progress, however long it takes. */
    for (int i = 0; i < 5; i++) {
        talk_run(&t, 4000);
        talk_say(http, "{\"choices\":[{\"delta\":{\"reasoning\":\"Hm. \"}}]}");
    }
    talk_say_text(http, "Well");
    aic_buf_clear(&t.events);
    talk_run(&t, 4999);
    talk_expect(&t, "");
    talk_run(&t, 2);
    talk_expect(&t, "1 usage\n1 error 9 the answer paused for too long\n");
    assert_int_equal(t.error.output_started, 1);
    assert_true(http->cancelled);
    talk_finish(&t);
}

static void test_a_page_instead_of_an_answer_tells_to_look_at_the_url(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    fake_http_reply(talk_ask(&t), 200, "content-type: text/html\n", "<html>Hello</html>");
    assert_has(t.events.data, "url has to be the base address");
    assert_int_equal(t.error.category, AIC_CATEGORY_PROTOCOL);
    assert_int_equal(t.error.retry, AIC_RETRY_FALL_BACK);
    aic_buf_clear(&t.events);
    /* Too much of it. */
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, "content-type: application/json\n");
    struct aic_buf huge;
    aic_buf_init(&huge, 1 << 21);
    aic_buf_text(&huge, "{\"choices\":\"");
    while (huge.len < (1 << 20) + 100) {
        aic_buf_text(&huge, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx");
        if (huge.len % 65536 < 64) {
            fake_http_data(http, aic_buf_view(&huge));
        }
    }
    fake_http_done(http);
    assert_int_equal(t.error.category, AIC_CATEGORY_PROTOCOL);
    aic_buf_finish(&huge);
    aic_buf_clear(&t.events);
    fake_http_reply(talk_ask(&t), 200, "content-type: application/json\n",
                    "{\"error\":{\"message\":\"no model loaded\",\"code\":\"model_not_found\"}}");
    assert_int_equal(t.error.category, AIC_CATEGORY_NOT_FOUND);
    talk_finish(&t);
}

static void test_a_server_that_repeats_the_key_does_not_get_it_into_a_message(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    fake_http_reply(talk_ask(&t), 500, NULL, "{\"error\":\"you sent Bearer " OPENAI_KEY " here\"}");
    assert_has(t.events.data, "you sent Bearer ****************** here");
    aic_buf_clear(&t.events);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    fake_http_sse(http, "error", AIC_STR("{\"error\":\"key " OPENAI_KEY "\"}"));
    assert_has(t.events.data, "key ******************");
    aic_buf_clear(&t.events);
    /* Nor does one that repeats what was said. */
    struct aic_llm_request request = {
        .size = sizeof(request),
        .id = ++t.asked,
        .messages = AIC_STR("[{\"role\":\"user\",\"content\":\"I am Mary Smith\"}]"),
        .temperature = -1};
    assert_int_equal(t.llm->start(t.session, &request), AIC_OK);
    http = fake_http_pending(t.s.fake);
    while (http->ended || http->next) {
        http = http->next;
    }
    fake_http_reply(http, 400, NULL,
                    "{\"error\":{\"message\":\"input 'I am Mary Smith' is bad\"}}");
    assert_has(t.events.data, "input '***************' is bad");
    talk_finish(&t);
}

static void test_a_probe_tells_whether_key_and_model_are_good(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        const char *body;
        const char *want;
    } answers[] = {
        {200, "{\"data\":[{\"id\":\"openai/gpt-oss-20b\"}]}", " finish stop\n"},
        {200, "{\"data\":[{\"id\":\"qwen\"},{\"id\":\"kimi\"}]}",
         " error 4 the server has no model \"openai/gpt-oss-20b\"; it has: qwen, kimi\n"},
        {200, "{\"data\":[]}", " it has: none\n"},
        {200, "<html>", " error 11 the answer of /models is no list of models"},
        {401, "{\"error\":{\"message\":\"Invalid API Key\"}}",
         " error 1 the server refuses the key"},
        {404, "", " error 4 there is nothing at this address"},
    };
    struct talk t;
    talk_with_groq(&t);
    t.llm->close(t.session);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_int_equal(t.llm->probe(t.s.self, &t.sink, &t.session), AIC_OK);
        struct aic_http *http = fake_http_pending(t.s.fake);
        assert_string_equal(http->method, "GET");
        assert_string_equal(http->url, "https://api.groq.com/openai/v1/models");
        fake_http_reply(http, answers[i].status, NULL, answers[i].body);
        assert_has(t.events.data, answers[i].want);
        aic_buf_clear(&t.events);
        t.llm->close(t.session);
    }
    assert_int_equal(t.llm->probe(t.s.self, &t.sink, &t.session), AIC_OK);
    fake_http_fail(fake_http_pending(t.s.fake), AIC_CATEGORY_NETWORK);
    assert_has(t.events.data, " error 10 ");
    t.llm->close(t.session);
    assert_int_equal(t.llm->probe(t.s.self, &t.sink, &t.session), AIC_OK);
    talk_finish(&t);
}

static void test_settings_that_make_no_sense_are_refused_with_advice(void **state)
{
    (void)state;
#define WITH(...)                                                                                  \
    (const struct fake_setting[])                                                                  \
    {                                                                                              \
        __VA_ARGS__,                                                                               \
        {                                                                                          \
            NULL, NULL                                                                             \
        }                                                                                          \
    }
    const struct aic_plugin *openai = aicaller_plugin_openai();
    setup_refuses(openai, WITH({"url", "wss://x.example.com"}), "url must begin with https://");
    setup_refuses(openai, WITH({"model", "m"}), "needs an api_key");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY "\n"}), "api_key must be one word");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"headers", "nonsense"}), "Name: value");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"headers", ": x"}), "Name: value");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"headers", "A: b\r\nC: d"}),
                  "Name: value");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"extra", "{\"stream\":false}"}),
                  "extra must not hold messages");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"extra", "[1]"}), "extra must be a group");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"stt_extra", "5"}), "stt_extra");
    setup_refuses(openai, WITH({"api_key", OPENAI_KEY}, {"tts_extra", "5"}), "tts_extra");
#undef WITH
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_refusal_is_classified),
        cmocka_unit_test(test_a_refusal_tells_the_rate_limit_too),
        cmocka_unit_test(test_errors_within_a_stream_end_it_and_tell_what_was_said_before),
        cmocka_unit_test(test_a_stream_that_breaks_off_is_an_error),
        cmocka_unit_test(test_failures_of_the_network_are_passed_on),
        cmocka_unit_test(test_a_model_that_does_not_begin_is_given_up),
        cmocka_unit_test(test_a_model_that_stops_half_way_is_given_up),
        cmocka_unit_test(test_a_page_instead_of_an_answer_tells_to_look_at_the_url),
        cmocka_unit_test(test_a_server_that_repeats_the_key_does_not_get_it_into_a_message),
        cmocka_unit_test(test_a_probe_tells_whether_key_and_model_are_good),
        cmocka_unit_test(test_settings_that_make_no_sense_are_refused_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
