/* SPDX-License-Identifier: ISC */
/* What is asked of a server: bodies of chat completions, and forms. */
#include "openai-core/chat.h"
#include "openai-core/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct openai_chat_settings plain = {
    .model = "m", .max_tokens_field = "max_tokens", .temperature = -1};

static struct aic_llm_request request_of(const char *messages, const char *tools)
{
    return (struct aic_llm_request){.size = sizeof(struct aic_llm_request),
                                    .id = 1,
                                    .messages = aic_str(messages),
                                    .tools = aic_str(tools),
                                    .temperature = -1};
}

static void check(const struct openai_chat_settings *settings,
                  const struct aic_llm_request *request, const char *want)
{
    struct aic_buf body;
    aic_buf_init(&body, 1 << 20);
    assert_int_equal(openai_chat_write(settings, request, &body), AIC_OK);
    assert_string_equal(body.data, want);
    aic_buf_finish(&body);
}

static void test_only_what_is_known_is_said(void **state)
{
    (void)state;
    struct aic_llm_request request = request_of("[{\"role\":\"user\",\"content\":\"Hi\"}]", "");
    check(&plain, &request,
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
          "\"stream\":true}");
    struct openai_chat_settings nameless = plain;
    nameless.model = NULL;
    request.tools = AIC_STR("[]");
    check(&nameless, &request,
          "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true}");
}

static void test_the_words_of_a_conversation_are_the_latest_without_the_prompt(void **state)
{
    (void)state;
    const struct aic_str messages =
        AIC_STR("[{\"role\":\"system\",\"content\":\"Be kind.\"},{\"role\":\"user\",\"content\":"
                "\"Hello there\"},{\"role\":\"assistant\",\"tool_calls\":[]},{\"role\":\"user\","
                "\"content\":\"Good \\\"bye\\\"\"},5]");
    struct aic_buf words;
    aic_buf_init(&words, 100);
    openai_chat_words(messages, &words);
    assert_string_equal(words.data, "Hello there\n\nGood \"bye\"\n\n");
    aic_buf_finish(&words);
    aic_buf_init(&words, 14);
    openai_chat_words(messages, &words);
    assert_string_equal(words.data, "Good \"bye\"\n\n");
    assert_false(words.failed);
    openai_chat_words(AIC_STR("nonsense"), &words);
    aic_buf_finish(&words);
}

static void test_arguments_that_are_no_json_are_not_sent_back(void **state)
{
    (void)state;
    struct aic_llm_request request =
        request_of("[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\",\"type\":"
                   "\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{\\\"to\\\": \"}},"
                   "{\"id\":\"b\",\"function\":{\"arguments\":\"{\\\"n\\\": 1}\",\"name\":\"g\"}},"
                   "{\"id\":\"c\",\"function\":{\"arguments\":\"[1]\"}},5]},"
                   "{\"role\":\"tool\",\"content\":\"no\",\"tool_calls\":\"x\"}]",
                   "");
    check(&plain, &request,
          "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"a\","
          "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}},"
          "{\"id\":\"b\",\"function\":{\"arguments\":\"{\\\"n\\\": 1}\",\"name\":\"g\"}},"
          "{\"id\":\"c\",\"function\":{\"arguments\":\"{}\"}},{}]},"
          "{\"role\":\"tool\",\"content\":\"no\",\"tool_calls\":\"x\"}],\"stream\":true}");
}

static void test_what_the_host_keeps_for_itself_is_left_out(void **state)
{
    (void)state;
    struct aic_llm_request request =
        request_of("[{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"a\","
                   "\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}],"
                   "\"provider_state\":\"s\"},{\"role\":\"tool\",\"content\":\"{}\","
                   "\"tool_call_id\":\"a\"}]",
                   "");
    check(&plain, &request,
          "{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"content\":\"\","
          "\"tool_calls\":[{\"id\":\"a\",\"type\":\"function\",\"function\":{\"name\":\"f\","
          "\"arguments\":\"{}\"}}]},{\"role\":\"tool\",\"content\":\"{}\",\"tool_call_id\":\"a\"}],"
          "\"stream\":true}");
}

static void test_tools_limits_and_options_are_said_where_they_are_set(void **state)
{
    (void)state;
    struct openai_chat_settings settings = {.model = "openai/gpt-oss-20b",
                                            .max_tokens_field = "max_completion_tokens",
                                            .reasoning_effort = "low",
                                            .hides_reasoning = true,
                                            .asks_for_usage = true,
                                            .temperature = 0.5,
                                            .max_tokens = 300};
    struct aic_llm_request request =
        request_of("[{\"role\":\"user\",\"content\":\"Hi\"}]",
                   "[{\"type\":\"function\",\"function\":{\"name\":\"end_call\"}}]");
    check(&settings, &request,
          "{\"model\":\"openai/gpt-oss-20b\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
          "\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"end_call\"}}],"
          "\"max_completion_tokens\":300,\"temperature\":0.5,\"reasoning_effort\":\"low\","
          "\"include_reasoning\":false,\"stream_options\":{\"include_usage\":true},"
          "\"stream\":true}");
    request = request_of("[{\"role\":\"user\",\"content\":\"Hi\"}]", "");
    request.max_tokens = 40;
    request.temperature = 0;
    settings = plain;
    settings.temperature = 1;
    check(&settings, &request,
          "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],"
          "\"max_tokens\":40,\"temperature\":0,\"stream\":true}");
}

static void test_the_operators_members_win(void **state)
{
    (void)state;
    struct aic_json *extra = aic_json_parse(
        AIC_STR("{\"model\":\"other\",\"temperature\":1,\"max_tokens\":5,\"top_k\":20,"
                "\"reasoning_format\":\"hidden\",\"stream_options\":{}}"),
        0);
    struct openai_chat_settings settings = plain;
    settings.extra = extra;
    settings.hides_reasoning = true;
    settings.asks_for_usage = true;
    settings.max_tokens = 300;
    settings.temperature = 0.5;
    struct aic_llm_request request = request_of("[{\"role\":\"user\",\"content\":\"Hi\"}]", "");
    check(&settings, &request,
          "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"stream\":true,"
          "\"model\":\"other\",\"temperature\":1,\"max_tokens\":5,\"top_k\":20,"
          "\"reasoning_format\":\"hidden\",\"stream_options\":{}}");
    assert_null(openai_chat_extra_problem(extra));
    assert_null(openai_chat_extra_problem(NULL));
    aic_json_free(extra);
    extra = aic_json_parse(AIC_STR("{\"top_k\":1,\"messages\":[]}"), 0);
    assert_string_equal(openai_chat_extra_problem(extra), "messages");
    aic_json_free(extra);
}

static void test_requests_that_are_no_conversation_are_refused(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"", ""},
        {"nonsense", ""},
        {"{}", ""},
        {"[]", ""},
        {"[\"Hi\"]", ""},
        {"[{\"role\":\"user\",\"content\":\"\xff\"}]", ""},
        {"[{\"role\":\"user\",\"content\":\"Hi\"}]", "{}"},
        {"[{\"role\":\"user\",\"content\":\"Hi\"}]", "[{"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct aic_buf body;
        aic_buf_init(&body, 1 << 20);
        struct aic_llm_request request = request_of(bad[i][0], bad[i][1]);
        assert_int_equal(openai_chat_write(&plain, &request, &body), AIC_ERROR_INVALID);
        aic_buf_finish(&body);
    }
    struct aic_buf body;
    aic_buf_init(&body, 30);
    struct aic_llm_request request = request_of("[{\"role\":\"user\",\"content\":\"Hi\"}]", "");
    assert_int_equal(openai_chat_write(&plain, &request, &body), AIC_ERROR_TOO_LARGE);
    aic_buf_finish(&body);
}

static void test_a_form_is_written_to_the_letter(void **state)
{
    (void)state;
    static const uint8_t random[16] = {0x00, 0x01, 0x0f, 0xf0, 0xff};
    struct openai_form form;
    struct aic_buf body;
    aic_buf_init(&body, 4096);
    openai_form_begin(&form, &body, random);
    assert_string_equal(form.boundary, "form-00010ff0ff0000000000000000000000");
    openai_form_field(&form, "model", AIC_STR("whisper-1"));
    struct aic_json *extra = aic_json_parse(
        AIC_STR("{\"temperature\":0.2,\"timestamp_granularities[]\":[\"word\",\"segment\"],"
                "\"a\\\"\\r\\nb\":true}"),
        0);
    openai_form_members(&form, extra);
    openai_form_file(&form, "file", "speech.wav", "audio/wav");
    aic_buf_str(&body, (struct aic_str){"RI\0F", 4});
    openai_form_end(&form);
#define PART "--form-00010ff0ff0000000000000000000000"
#define NAME "\r\nContent-Disposition: form-data; name="
    static const char want[] = PART NAME
        "\"model\"\r\n\r\nwhisper-1\r\n" PART NAME "\"temperature\"\r\n\r\n0.2\r\n" PART NAME
        "\"timestamp_granularities[]\"\r\n\r\nword\r\n" PART NAME
        "\"timestamp_granularities[]\"\r\n\r\nsegment\r\n" PART NAME
        "\"a%22%0D%0Ab\"\r\n\r\ntrue\r\n" PART NAME
        "\"file\"; filename=\"speech.wav\"\r\nContent-Type: audio/wav\r\n\r\nRI\0F\r\n" PART
        "--\r\n";
    assert_int_equal(body.len, sizeof(want) - 1);
    assert_memory_equal(body.data, want, sizeof(want) - 1);
    aic_json_free(extra);
    aic_buf_finish(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_words_of_a_conversation_are_the_latest_without_the_prompt),
        cmocka_unit_test(test_arguments_that_are_no_json_are_not_sent_back),
        cmocka_unit_test(test_only_what_is_known_is_said),
        cmocka_unit_test(test_what_the_host_keeps_for_itself_is_left_out),
        cmocka_unit_test(test_tools_limits_and_options_are_said_where_they_are_set),
        cmocka_unit_test(test_the_operators_members_win),
        cmocka_unit_test(test_requests_that_are_no_conversation_are_refused),
        cmocka_unit_test(test_a_form_is_written_to_the_letter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
