/* SPDX-License-Identifier: ISC */
/* Language models of groq and openai on the fake host: requests, answers, tools, usage, ends. */
#include "openai_talk.h"

#include "openai-core/provider.h"

static void test_groq_is_asked_as_its_documentation_says(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    assert_string_equal(http->method, "POST");
    assert_string_equal(http->url, "https://api.groq.com/openai/v1/chat/completions");
    assert_has(http->headers, "Authorization: Bearer " OPENAI_KEY "\n");
    assert_has(http->headers, "Content-Type: application/json\n");
    assert_string_equal(http->body, "{\"model\":\"openai/gpt-oss-20b\",\"messages\":" ASK ","
                                    "\"reasoning_effort\":\"low\",\"include_reasoning\":false,"
                                    "\"stream\":true}");
    assert_int_equal(http->flags, AIC_HTTP_SSE);
    assert_in_range(http->first_byte_ms, 5000, 7000);
    assert_in_range(http->idle_ms, 5000, 7000);
    assert_true(http->total_ms > 0);
    talk_finish(&t);
}

static void test_another_server_is_told_only_what_is_configured(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    assert_string_equal(http->url, "http://127.0.0.1:8080/v1/chat/completions");
    assert_null(strstr(http->headers, "Authorization"));
    assert_string_equal(http->body, "{\"model\":\"local\",\"messages\":" ASK ","
                                    "\"stream_options\":{\"include_usage\":true},\"stream\":true}");
    talk_finish(&t);
    static const struct fake_setting settings[] = {
        {"url", "https://gateway.example.com/openai/?api-version=2"},
        {"api_key", OPENAI_KEY},
        {"api_key_header", "api-key"},
        {"headers", "X-Team: calls"},
        {"headers", "X-Empty:"},
        {"usage_mode", "none"},
        {"temperature", "0.5"},
        {"max_tokens", "200"},
        {"reasoning_effort", "minimal"},
        {"timeout", "20s"},
        {"extra", "{\"top_k\":20}"},
        {NULL, NULL}};
    talk_begin(&t, aicaller_plugin_openai(), settings);
    http = talk_ask(&t);
    assert_string_equal(http->url,
                        "https://gateway.example.com/openai/chat/completions?api-version=2");
    assert_has(http->headers, "api-key: " OPENAI_KEY "\n");
    assert_has(http->headers, "X-Team: calls\n");
    assert_has(http->headers, "X-Empty: \n");
    assert_null(strstr(http->headers, "Bearer"));
    assert_string_equal(http->body,
                        "{\"messages\":" ASK ",\"max_tokens\":200,\"temperature\":0.5,"
                        "\"reasoning_effort\":\"minimal\",\"stream\":true,\"top_k\":20}");
    assert_true(http->first_byte_ms >= 20000);
    talk_finish(&t);
}

static void test_openai_itself_is_asked_in_its_own_words(void **state)
{
    (void)state;
    struct talk t;
    static const struct fake_setting settings[] = {
        {"api_key", OPENAI_KEY}, {"model", "m"}, {"max_tokens", "200"}, {NULL, NULL}};
    talk_begin(&t, aicaller_plugin_openai(), settings);
    struct aic_http *http = talk_ask(&t);
    assert_string_equal(http->url, "https://api.openai.com/v1/chat/completions");
    assert_has(http->body, "\"max_completion_tokens\":200");
    talk_finish(&t);
}

static void test_an_answer_comes_as_events_and_ends_once(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200,
                      "content-type: text/event-stream\nx-request-id: req_1\n"
                      "x-ratelimit-limit-requests: 14400\nx-ratelimit-remaining-requests: 14370\n"
                      "x-ratelimit-reset-requests: 2m59.56s\n"
                      "x-ratelimit-remaining-tokens: 17997\n");
    talk_expect(&t, "1 rate requests 14370/14400 179560\n1 rate tokens 17997/-1 -1\n"
                    "1 started req_1 1000\n");
    talk_say(http, "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],"
                   "\"x_groq\":{\"id\":\"req_1\"}}");
    talk_say(http, "{\"choices\":[{\"delta\":{\"reasoning\":\"Hm.\"}}]}");
    talk_say_text(http, "Hello");
    talk_say_text(http, " there.");
    talk_expect(&t, "1 thought Hm.\n1 text Hello\n1 text  there.\n");
    talk_say(http, "{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"usage\":"
                   "{\"prompt_tokens\":20,\"completion_tokens\":5,\"prompt_tokens_details\":{"
                   "\"cached_tokens\":16}}}}");
    talk_expect(&t, "");
    talk_say(http, "[DONE]");
    talk_expect(&t, "1 usage\n1 finish stop\n");
    assert_int_equal(t.usage.tokens_in, 20);
    assert_int_equal(t.usage.tokens_in_cached, 16);
    assert_int_equal(t.usage.tokens_out, 5);
    assert_int_equal(t.usage.requests, 1);
    /* The exchange runs to its own end, so that its connection can be used again. */
    assert_false(http->cancelled);
    fake_http_done(http);
    talk_run(&t, 60000);
    talk_expect(&t, "");
    assert_int_equal(t.llm->cancel(t.session, 1), AIC_ERROR_NOT_FOUND);
    talk_finish(&t);
}

static void test_tool_calls_come_whole_and_with_an_id(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "One moment.");
    talk_say(http, "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"id\":\"call_a\","
                   "\"function\":{\"name\":\"transfer\",\"arguments\":\"{\\\"to\\\":\"}}]}}]}");
    talk_say(http, "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0,\"function\":{"
                   "\"arguments\":\"\\\"desk\\\"\"}},{\"index\":1,\"function\":{\"name\":"
                   "\"end_call\"}}]}}]}");
    talk_expect(&t, "1 started  1000\n1 text One moment.\n");
    talk_say_end(http, "tool_calls");
    talk_say(http, "[DONE]");
    fake_http_done(http);
    /* The first one's arguments are no JSON: it is for the host to tell the model. */
    talk_expect(&t, "1 tool 0 call_a transfer {\"to\":\"desk\"\n"
                    "1 tool 1 call_1_1 end_call {}\n1 usage\n1 finish tool_calls\n");
    talk_finish(&t);
}

static void test_a_missing_end_mark_costs_half_a_second_at_most(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "Yes.");
    talk_say_end(http, "stop");
    aic_buf_clear(&t.events);
    talk_run(&t, 499);
    talk_expect(&t, "");
    talk_run(&t, 2);
    talk_expect(&t, "1 usage\n1 finish stop\n");
    /* What comes now is too late, also an error. */
    talk_say_text(http, "more");
    fake_http_fail(http, AIC_CATEGORY_NETWORK);
    talk_expect(&t, "");
    /* A broken end after all was said is none. */
    http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "Yes.");
    talk_say_end(http, "length");
    aic_buf_clear(&t.events);
    fake_http_fail(http, AIC_CATEGORY_NETWORK);
    talk_expect(&t, "2 usage\n2 finish length\n");
    talk_finish(&t);
}

static void test_usage_that_is_not_told_is_estimated(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "Twenty bytes of text");
    talk_say(http, "[DONE]");
    assert_int_equal(t.usage.flags, AIC_USAGE_ESTIMATED);
    assert_int_equal(t.usage.tokens_out, 5);
    assert_in_range(t.usage.tokens_in, 10, 60);
    fake_http_done(http);
    talk_finish(&t);
}

static void test_an_answer_in_one_document_is_an_answer(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, "content-type: application/json\n");
    fake_http_data(http, AIC_STR("{\"id\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                                 "\"assistant\",\"content\":\"<think>Hm</think>Hello."));
    fake_http_data(http, AIC_STR("\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":3,"
                                 "\"completion_tokens\":4}}"));
    talk_expect(&t, "1 started  1000\n");
    fake_http_done(http);
    talk_expect(&t, "1 thought Hm\n1 text Hello.\n1 usage\n1 finish stop\n");
    assert_int_equal(t.usage.tokens_out, 4);
    talk_finish(&t);
}

static void test_an_answer_without_measure_is_cut(void **state)
{
    (void)state;
    struct talk t;
    talk_with_local(&t);
    struct aic_http *http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    for (int i = 0; i < 2000 && !http->ended; i++) {
        talk_say_text(http, "all work and no play");
    }
    assert_true(http->cancelled);
    assert_has(t.events.data, "1 usage\n1 finish length\n");
    talk_finish(&t);
}

static void test_a_cancelled_answer_is_dropped_at_once_and_paid_for(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    assert_int_equal(t.llm->cancel(t.session, 1), AIC_OK);
    assert_true(http->cancelled);
    assert_int_equal(t.llm->cancel(t.session, 1), AIC_ERROR_NOT_FOUND);
    talk_run(&t, 60000);
    talk_expect(&t, "");
    http = talk_ask(&t);
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "Well, I");
    aic_buf_clear(&t.events);
    assert_int_equal(t.llm->cancel(t.session, 2), AIC_OK);
    assert_true(http->cancelled);
    talk_expect(&t, "");
    talk_run(&t, 1);
    talk_expect(&t, "2 usage\n");
    assert_int_equal(t.usage.flags, AIC_USAGE_ESTIMATED);
    assert_int_equal(t.usage.tokens_out, 2);
    talk_finish(&t);
}

static void test_the_host_may_cancel_or_close_on_hearing_a_word(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *http = talk_ask(&t);
    t.cancel_at_text = 1;
    fake_http_headers(http, 200, "x-request-id: r\n");
    talk_say(http, "{\"choices\":[{\"delta\":{\"content\":[{\"type\":\"text\",\"text\":\"A\"},{"
                   "\"type\":\"text\",\"text\":\"B\"}],\"refusal\":\"C\"},\"finish_reason\":"
                   "\"stop\"}]}");
    talk_expect(&t, "1 started r 1000\n1 text A\n");
    assert_true(http->cancelled);
    talk_run(&t, 1);
    talk_expect(&t, "1 usage\n");
    struct aic_http *other = talk_ask(&t);
    http = talk_ask(&t);
    t.close_at_text = true;
    fake_http_headers(http, 200, NULL);
    talk_say_text(http, "<think>a</think>b<think>c</think>d");
    assert_true(http->cancelled);
    assert_true(other->cancelled);
    talk_run(&t, 60000);
    talk_expect(&t, "3 started  1000\n3 thought a\n3 text b\n");
    talk_finish(&t);
}

static void test_several_answers_run_side_by_side(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct aic_http *one = talk_ask(&t);
    struct aic_http *two = talk_ask(&t);
    fake_http_headers(two, 200, NULL);
    fake_http_headers(one, 200, NULL);
    talk_say_text(two, "b");
    talk_say_text(one, "a");
    talk_expect(&t, "2 started  1000\n1 started  1000\n2 text b\n1 text a\n");
    while (t.asked < 16) {
        (void)talk_ask(&t);
    }
    struct aic_llm_request request = {
        .size = sizeof(request), .id = 99, .messages = AIC_STR(ASK), .temperature = -1};
    assert_int_equal(t.llm->start(t.session, &request), AIC_ERROR_BUSY);
    request.messages = AIC_STR("nonsense");
    assert_int_equal(t.llm->cancel(t.session, 16), AIC_OK);
    assert_int_equal(t.llm->start(t.session, &request), AIC_ERROR_INVALID);
    talk_finish(&t);
}

static void test_connections_are_warmed_ahead(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    t.llm->prewarm(t.s.self);
    assert_int_equal(fake_http_warmed(t.s.fake), 1);
    struct aic_llm_caps caps = {.size = sizeof(caps)};
    assert_int_equal(t.llm->capabilities(t.s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_LLM_STREAMING | AIC_LLM_TOOLS);
    talk_finish(&t);
}

static void test_openai_is_known_by_its_address_in_each_region(void **state)
{
    (void)state;

    static const struct {
        const char *url;
        const char *field;
    } cases[] = {
        {"https://eu.api.openai.com/v1", "\"max_completion_tokens\":50"},
        {"HTTPS://API.OpenAI.com:443/v1/", "\"max_completion_tokens\":50"},
        {"https://api.openai.com.example.com/v1", "\"max_tokens\":50"},
        {"https://myapi.openai.com/v1", "\"max_tokens\":50"},
        {"https://example.com/api.openai.com", "\"max_tokens\":50"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct talk t;
        const struct fake_setting settings[] = {
            {"url", cases[i].url}, {"api_key", OPENAI_KEY}, {"max_tokens", "50"}, {NULL, NULL}};
        talk_begin(&t, aicaller_plugin_openai(), settings);
        struct aic_http *http = talk_ask(&t);
        assert_has(http->body, cases[i].field);
        talk_finish(&t);
    }
}

static const void *no_network(const struct aic_host *host, const char *id)
{
    const struct aic_host *const *whole = host->impl;
    return strcmp(id, AIC_SERVICE_HTTP) == 0 ? NULL : (*whole)->get_service(*whole, id);
}

/* As where `aicaller check` tries a configuration. */
static void test_without_a_network_a_provider_can_be_made_and_does_not_answer(void **state)
{
    (void)state;
    struct talk t;
    talk_with_groq(&t);
    struct openai_provider *provider = t.s.self;
    const struct aic_http_service *http = provider->http;
    const struct aic_host *whole = provider->host;
    struct aic_host host = *whole;
    host.impl = &whole;
    host.get_service = no_network;
    void *self = NULL;
    assert_int_equal(openai_provider_create(&host, &provider->settings, &self), AIC_OK);
    openai_provider_destroy(self);
    provider->http = NULL;
    t.llm->prewarm(provider);
    struct aic_llm_request request = {
        .size = sizeof(request), .id = 1, .messages = AIC_STR(ASK), .temperature = -1};
    assert_int_equal(t.llm->start(t.session, &request), AIC_ERROR_UNSUPPORTED);
    provider->http = http;
    talk_finish(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groq_is_asked_as_its_documentation_says),
        cmocka_unit_test(test_another_server_is_told_only_what_is_configured),
        cmocka_unit_test(test_openai_itself_is_asked_in_its_own_words),
        cmocka_unit_test(test_an_answer_comes_as_events_and_ends_once),
        cmocka_unit_test(test_tool_calls_come_whole_and_with_an_id),
        cmocka_unit_test(test_a_missing_end_mark_costs_half_a_second_at_most),
        cmocka_unit_test(test_usage_that_is_not_told_is_estimated),
        cmocka_unit_test(test_an_answer_in_one_document_is_an_answer),
        cmocka_unit_test(test_an_answer_without_measure_is_cut),
        cmocka_unit_test(test_a_cancelled_answer_is_dropped_at_once_and_paid_for),
        cmocka_unit_test(test_the_host_may_cancel_or_close_on_hearing_a_word),
        cmocka_unit_test(test_several_answers_run_side_by_side),
        cmocka_unit_test(test_openai_is_known_by_its_address_in_each_region),
        cmocka_unit_test(test_connections_are_warmed_ahead),
        cmocka_unit_test(test_without_a_network_a_provider_can_be_made_and_does_not_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
