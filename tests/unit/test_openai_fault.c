/* SPDX-License-Identifier: ISC */
/* Headers and error bodies as servers send them, and what the host is told of them. */
#include "openai-core/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 2026-01-05 10:00:00 UTC */
static const int64_t wall_us = INT64_C(1767607200000000);

static void take(struct openai_head *head, const char *name, const char *value)
{
    openai_head_take(head, aic_str(name), aic_str(value), wall_us);
}

static struct openai_fault fault_of(int32_t status, const char *body)
{
    struct openai_head head;
    struct openai_fault fault;
    openai_head_init(&head, status);
    openai_fault_of_answer(&fault, &head, aic_str(body));
    return fault;
}

static void test_durations_are_read_as_vendors_write_them(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"6s", 6000},         {"1.57s", 1570}, {"2m59.56s", 179560}, {"6m30s", 390000},
        {"120ms", 120},       {"1h", 3600000}, {"1h2m3s", 3723000},  {"0s", 0},
        {"7", 7000},          {"0.5", 500},    {".5s", 500},         {"1d", 86400000},
        {"99999d", 86400000}, {"", -1},        {"soon", -1},         {".", -1},
        {"6s. Visit", 6000},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_int_equal(openai_duration_ms(aic_str(cases[i].text)), cases[i].ms);
    }
}

static void test_the_rate_limit_is_read_from_headers(void **state)
{
    (void)state;
    struct openai_head head;
    openai_head_init(&head, 200);
    assert_false(openai_rate_is_told(&head.requests));
    take(&head, "X-RateLimit-Limit-Requests", "14400");
    take(&head, "x-ratelimit-limit-tokens", "18000");
    take(&head, "x-ratelimit-remaining-requests", "14370");
    take(&head, "x-ratelimit-remaining-tokens", "0");
    take(&head, "x-ratelimit-reset-requests", "2m59.56s");
    take(&head, "x-ratelimit-reset-tokens", "7.66s");
    take(&head, "x-request-id", "req_01");
    take(&head, "Content-Type", "text/event-stream; charset=utf-8");
    assert_int_equal(head.requests.limit, 14400);
    assert_int_equal(head.requests.remaining, 14370);
    assert_int_equal(head.requests.reset_ms, 179560);
    assert_int_equal(head.tokens.limit, 18000);
    assert_int_equal(head.tokens.remaining, 0);
    assert_int_equal(head.tokens.reset_ms, 7660);
    assert_true(openai_rate_is_told(&head.tokens));
    assert_string_equal(head.request_id, "req_01");
    assert_string_equal(head.type, "text/event-stream");
}

static void test_the_time_to_wait_is_read_in_each_form(void **state)
{
    (void)state;
    struct openai_head head;
    openai_head_init(&head, 429);
    take(&head, "Retry-After", "7");
    assert_int_equal(head.retry_after_ms, 7000);
    take(&head, "retry-after-ms", "250");
    assert_int_equal(head.retry_after_ms, 250);
    take(&head, "Retry-After", "9");
    assert_int_equal(head.retry_after_ms, 250);
    openai_head_init(&head, 429);
    take(&head, "Retry-After", "Mon, 05 Jan 2026 10:00:30 GMT");
    assert_int_equal(head.retry_after_ms, 30000);
    openai_head_init(&head, 429);
    take(&head, "Retry-After", "Mon, 05 Jan 2026 09:00:00 GMT");
    assert_int_equal(head.retry_after_ms, 0);
    openai_head_init(&head, 429);
    take(&head, "Retry-After", "whenever");
    assert_int_equal(head.retry_after_ms, -1);
    take(&head, "x-should-retry", "false");
    assert_int_equal(head.should_retry, -1);
}

static void test_each_status_has_its_class(void **state)
{
    (void)state;

    static const struct {
        int32_t status;
        uint32_t category;
        uint32_t scope;
        uint32_t retry;
    } cases[] = {
        {301, AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {400, AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {401, AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {402, AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {403, AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {404, AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK},
        {408, AIC_CATEGORY_TIMEOUT, AIC_SCOPE_REQUEST, AIC_RETRY_NOW},
        {409, AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NOW},
        {413, AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {422, AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NOW},
        {424, AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER},
        {429, AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_NONE},
        {498, AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {499, AIC_CATEGORY_CANCELLED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {500, AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {502, AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {503, AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
        {529, AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct openai_fault fault = fault_of(cases[i].status, "");
        assert_int_equal(fault.category, cases[i].category);
        assert_int_equal(fault.scope, cases[i].scope);
        assert_int_equal(fault.retry, cases[i].retry);
        assert_int_equal(fault.http_status, cases[i].status);
        assert_true(strlen(fault.message) > 10);
    }
}

static void test_a_code_says_more_than_its_status(void **state)
{
    (void)state;
    struct openai_fault fault =
        fault_of(429, "{\"error\":{\"message\":\"You exceeded your current quota\",\"type\":"
                      "\"insufficient_quota\",\"param\":null,\"code\":\"insufficient_quota\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_QUOTA);
    assert_int_equal(fault.retry, AIC_RETRY_FALL_BACK);
    fault = fault_of(400, "{\"error\":{\"message\":\"m\",\"type\":\"invalid_request_error\","
                          "\"code\":\"model_decommissioned\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_NOT_FOUND);
    fault = fault_of(404, "{\"error\":{\"message\":\"The model `x` does not exist\",\"type\":"
                          "\"invalid_request_error\",\"code\":\"model_not_found\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_NOT_FOUND);
    assert_string_equal(fault.message, "The model `x` does not exist (the server's /models lists "
                                       "the models that it has)");
    fault = fault_of(400, "{\"error\":{\"message\":\"m\",\"code\":\"content_filter\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_CONTENT_FILTER);
    fault = fault_of(400, "{\"error\":{\"message\":\"m\",\"code\":\"tool_use_failed\","
                          "\"failed_generation\":\"<function=x>\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_TOOL_FORMAT);
    assert_int_equal(fault.retry, AIC_RETRY_NOW);
    fault = fault_of(400, "{\"error\":{\"code\":400,\"message\":\"too long\",\"type\":"
                          "\"exceed_context_size_error\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_BAD_REQUEST);
    assert_string_equal(fault.code, "exceed_context_size_error");
    /* A prompt that no bucket will ever hold: waiting does not help. */
    fault = fault_of(413, "{\"error\":{\"message\":\"Request too large\",\"type\":\"tokens\","
                          "\"code\":\"rate_limit_exceeded\"}}");
    assert_int_equal(fault.category, AIC_CATEGORY_BAD_REQUEST);
    assert_int_equal(fault.retry, AIC_RETRY_NEVER);
}

static void test_error_bodies_are_read_in_each_shape(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{\"error\":{\"message\":\"it broke\",\"type\":\"x\"}}",
        "{\"error\":\"it broke\"}",
        "[{\"error\":{\"code\":500,\"message\":\"it broke\",\"status\":\"INTERNAL\"}}]",
        "{\"object\":\"error\",\"message\":\"it broke\",\"type\":\"BadRequestError\",\"code\":500}",
        "{\"detail\":\"it broke\"}",
        "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"it broke\",\"type\":\"missing\"}]}",
        "{\"message\":\"it broke\"}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_string_equal(fault_of(500, bodies[i]).message, "it broke");
    }
    static const char *const others[] = {
        "<html><title>502</title></html>", "{\"error\":{}}", "{", "null", "[]", "{\"error\":null}"};
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        assert_string_equal(fault_of(502, others[i]).message,
                            "the server answers with status 502 and does not say why");
    }
    assert_non_null(strstr(fault_of(404, "<html>").message, "url has to be the base"));
}

static void test_a_vendor_says_whether_and_when_to_come_back(void **state)
{
    (void)state;
    struct openai_head head;
    struct openai_fault fault;
    openai_head_init(&head, 429);
    take(&head, "retry-after", "2");
    take(&head, "x-request-id", "req_9");
    openai_fault_of_answer(&fault, &head, AIC_STR("{\"error\":{\"message\":\"slow down\"}}"));
    assert_int_equal(fault.retry, AIC_RETRY_AFTER);
    assert_int_equal(fault.retry_after_ms, 2000);
    assert_string_equal(fault.request_id, "req_9");
    openai_head_init(&head, 503);
    take(&head, "x-should-retry", "false");
    openai_fault_of_answer(&fault, &head, AIC_STR(""));
    assert_int_equal(fault.retry, AIC_RETRY_NEVER);
    openai_head_init(&head, 400);
    take(&head, "x-should-retry", "true");
    openai_fault_of_answer(&fault, &head, AIC_STR(""));
    assert_int_equal(fault.retry, AIC_RETRY_NOW);
    /* Neither makes a bad key good. */
    openai_head_init(&head, 401);
    take(&head, "x-should-retry", "true");
    take(&head, "retry-after", "2");
    openai_fault_of_answer(&fault, &head, AIC_STR(""));
    assert_int_equal(fault.retry, AIC_RETRY_FALL_BACK);
    fault = fault_of(429, "{\"error\":{\"message\":\"Limit 6000. Please try again in 2m1.5s. "
                          "Visit\",\"code\":\"rate_limit_exceeded\"}}");
    assert_int_equal(fault.retry, AIC_RETRY_AFTER);
    assert_int_equal(fault.retry_after_ms, 121500);
}

static void test_no_secret_and_no_line_end_gets_into_a_message(void **state)
{
    (void)state;
    struct openai_fault fault =
        fault_of(401, "{\"error\":{\"message\":\"Incorrect API key provided: sk-abcd1234\"}}");
    assert_null(strstr(fault.message, "sk-abcd"));
    assert_non_null(strstr(fault.message, "api_key"));
    fault = fault_of(500, "{\"error\":{\"message\":\"proxy\\nsent sk-abcd1234 and \\u0000"
                          "sk-abcd1234\"}}");
    openai_fault_hide(&fault, "sk-abcd1234");
    assert_string_equal(fault.message, "proxy sent *********** and \xef\xbf\xbd***********");
    /* Cut off with the end of a long message. */
    char body[600];
    (void)snprintf(body, sizeof(body), "{\"message\":\"%0391dsk-abcd1234\"}", 0);
    fault = fault_of(500, body);
    assert_non_null(strstr(fault.message, "sk-abc"));
    openai_fault_hide(&fault, "sk-abcd1234");
    assert_null(strstr(fault.message, "sk-a"));
    openai_fault_hide(&fault, NULL);
}

static void test_an_error_of_the_network_passes_as_it_is(void **state)
{
    (void)state;
    const struct aic_error given = {.size = sizeof(given),
                                    .category = AIC_CATEGORY_TLS,
                                    .http_status = 0,
                                    .code = AIC_STR_INIT("tls"),
                                    .message = AIC_STR_INIT("certificate has expired")};
    struct openai_fault fault;
    openai_fault_of_network(&fault, &given);
    struct aic_error error = openai_fault_error(&fault, true);
    assert_int_equal(error.category, AIC_CATEGORY_TLS);
    assert_int_equal(error.scope, AIC_SCOPE_REQUEST);
    assert_int_equal(error.output_started, 1);
    assert_true(aic_str_equal(error.code, "tls"));
    assert_true(aic_str_equal(error.message, "certificate has expired"));
}

static void test_a_model_is_found_in_the_list_of_models(void **state)
{
    (void)state;
    static const char list[] = "{\"object\":\"list\",\"data\":[{\"id\":\"openai/gpt-oss-20b\"},"
                               "{\"id\":\"llama3.2:latest\"},{\"id\":null}]}";
    struct aic_buf names;
    aic_buf_init(&names, 1000);
    assert_int_equal(openai_models_find(aic_str(list), "openai/gpt-oss-20b", &names), AIC_OK);
    assert_int_equal(openai_models_find(aic_str(list), "llama3.2", &names), AIC_OK);
    aic_buf_clear(&names);
    assert_int_equal(openai_models_find(aic_str(list), "llama3", &names), AIC_ERROR_NOT_FOUND);
    assert_string_equal(names.data, "openai/gpt-oss-20b, llama3.2:latest");
    assert_int_equal(openai_models_find(AIC_STR("<html>"), "x", &names), AIC_ERROR_PROTOCOL);
    assert_int_equal(openai_models_find(AIC_STR("{\"data\":{}}"), "x", &names), AIC_ERROR_PROTOCOL);
    aic_buf_finish(&names);
}

static void test_a_refused_parameter_is_told_with_the_setting_for_it(void **state)
{
    (void)state;

    static const struct {
        const char *body;
        const char *advice; /* NULL: the server's words are enough */
    } cases[] = {
        {"{\"error\":{\"message\":\"Unsupported parameter: 'max_tokens' is not supported with this "
         "model. Use 'max_completion_tokens' instead.\",\"type\":\"invalid_request_error\","
         "\"param\":\"max_tokens\",\"code\":\"unsupported_parameter\"}}",
         "instead. (set max_tokens_field = \"max_completion_tokens\")"},
        {"{\"detail\":[{\"type\":\"extra_forbidden\",\"loc\":[\"body\"],\"msg\":"
         "\"max_completion_tokens: Extra inputs are not permitted\"}]}",
         " (set max_tokens_field = \"max_tokens\")"},
        {"{\"error\":{\"message\":\"property 'stream_options' is unsupported\"}}",
         " (set usage_mode = \"none\")"},
        {"{\"error\":{\"message\":\"`reasoning_effort` is not supported with this model\"}}",
         " (look at reasoning_effort)"},
        {"{\"error\":{\"message\":\"max_tokens is too large: 99999\"}}", NULL},
        {"{\"error\":{\"message\":\"Unknown role\"}}", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct openai_fault fault = fault_of(400, cases[i].body);
        assert_int_equal(fault.category, AIC_CATEGORY_BAD_REQUEST);
        if (cases[i].advice) {
            assert_non_null(strstr(fault.message, cases[i].advice));
        } else {
            assert_null(strchr(fault.message, '('));
        }
    }
    /* However much the server says. */
    char body[1000];
    (void)snprintf(body, sizeof(body), "{\"error\":\"unsupported max_tokens %0500d\"}", 0);
    struct openai_fault fault = fault_of(400, body);
    assert_int_equal(strlen(fault.message), OPENAI_MESSAGE_BYTES - 1);
    assert_non_null(strstr(fault.message, "0 (set max_tokens_field"));
}

static void test_what_was_said_in_the_call_is_blotted_out(void **state)
{
    (void)state;
    static const char said[] = "My name is Zo\xc3\xab Gro\xc3\x9fmann\nThank you.\n";

    static const struct {
        const char *message;
        const char *want;
    } cases[] = {
        {"bad input: 'My name is Zo\xc3\xab', sorry", "bad input: '***************', sorry"},
        {"Gro\xc3\x9fmann", "*********"},
        {"Gro\xc3\x9f is refused", "Gro\xc3\x9f is refused"},
        {"name is Zo\xc3\xa4", "************"},
        {"model is gone", "model is gone"},
        {"", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct openai_fault fault;
        openai_fault_set(&fault, AIC_CATEGORY_SERVER, AIC_RETRY_NONE, cases[i].message);
        openai_fault_hide_words(&fault, aic_str(said));
        assert_string_equal(fault.message, cases[i].want);
        openai_fault_hide_words(&fault, AIC_STR(""));
        assert_string_equal(fault.message, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_said_in_the_call_is_blotted_out),
        cmocka_unit_test(test_a_refused_parameter_is_told_with_the_setting_for_it),
        cmocka_unit_test(test_durations_are_read_as_vendors_write_them),
        cmocka_unit_test(test_the_rate_limit_is_read_from_headers),
        cmocka_unit_test(test_the_time_to_wait_is_read_in_each_form),
        cmocka_unit_test(test_each_status_has_its_class),
        cmocka_unit_test(test_a_code_says_more_than_its_status),
        cmocka_unit_test(test_error_bodies_are_read_in_each_shape),
        cmocka_unit_test(test_a_vendor_says_whether_and_when_to_come_back),
        cmocka_unit_test(test_no_secret_and_no_line_end_gets_into_a_message),
        cmocka_unit_test(test_an_error_of_the_network_passes_as_it_is),
        cmocka_unit_test(test_a_model_is_found_in_the_list_of_models),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
