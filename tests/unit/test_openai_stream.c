/* SPDX-License-Identifier: ISC */
/* Answers as servers stream them, cut into pieces of every length. */
#include "openai-core/stream.h"

#include "io/sse.h"
#include "utf8.h"

#include <aicaller/llm.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct heard {
    struct openai_stream stream;
    struct aic_buf text;
    struct aic_buf thoughts;
};

static void hear_text(void *data, struct aic_str text)
{
    struct heard *heard = data;
    assert_true(aic_utf8_valid(text));
    aic_buf_str(&heard->text, text);
}

static void hear_thought(void *data, struct aic_str text)
{
    struct heard *heard = data;
    aic_buf_str(&heard->thoughts, text);
}

static void push(void *data, struct aic_str name, struct aic_str text)
{
    struct heard *heard = data;
    openai_stream_push(&heard->stream, name, text);
}

/* Hears a stream that comes in pieces of `step` bytes. */
static void hear(struct heard *heard, const char *bytes, size_t step)
{
    const struct openai_think_sink sink = {
        .data = heard, .text = hear_text, .thought = hear_thought};
    struct sse sse;
    aic_buf_init(&heard->text, 1 << 20);
    aic_buf_init(&heard->thoughts, 1 << 20);
    openai_stream_init(&heard->stream, NULL, &sink);
    sse_init(&sse, 1 << 20);
    size_t length = strlen(bytes);
    for (size_t at = 0; at < length; at += step) {
        size_t part = length - at < step ? length - at : step;
        assert_int_equal(sse_push(&sse, (struct aic_str){bytes + at, part}, push, heard), AIC_OK);
    }
    assert_int_equal(sse_end(&sse, push, heard), AIC_OK);
    sse_finish(&sse);
    openai_stream_end(&heard->stream);
}

static void forget(struct heard *heard)
{
    openai_stream_finish(&heard->stream);
    aic_buf_finish(&heard->text);
    aic_buf_finish(&heard->thoughts);
}

static void assert_text(const struct aic_buf *buf, const char *want)
{
    assert_string_equal(buf->len > 0 ? buf->data : "", want);
}

#define CHUNK(delta) "data: {\"choices\":[{\"index\":0,\"delta\":" delta "}]}\n\n"
#define TEXT(text)   CHUNK("{\"content\":\"" text "\"}")
#define END(reason)                                                                                \
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"" reason "\"}]}\n\n"
#define DONE "data: [DONE]\n\n"

/* What a stream says, whatever its pieces. */
static void check(const char *bytes, const char *text, const char *thoughts, uint32_t finish)
{
    static const size_t steps[] = {1, 2, 3, 5, 7, 16, 64, 1 << 20};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct heard heard;
        hear(&heard, bytes, steps[i]);
        assert_false(heard.stream.has_failed);
        assert_text(&heard.text, text);
        assert_text(&heard.thoughts, thoughts);
        assert_int_equal(heard.stream.finish, finish);
        forget(&heard);
    }
}

/* Hears a stream that fails. */
static struct openai_fault failure(const char *bytes)
{
    struct heard heard;
    hear(&heard, bytes, 1 << 20);
    assert_true(heard.stream.has_failed);
    struct openai_fault fault = heard.stream.fault;
    forget(&heard);
    return fault;
}

static void test_an_answer_of_groq_is_read_whole(void **state)
{
    (void)state;
    static const char stream[] =
        "data: {\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1,"
        "\"model\":\"openai/gpt-oss-20b\",\"system_fingerprint\":\"fp_1\",\"choices\":[{"
        "\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"logprobs\":null,"
        "\"finish_reason\":null}],\"x_groq\":{\"id\":\"req_01\"}}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"reasoning\":\"They greet.\"}}]}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Gr\xc3\xbc\xc3\x9f\"}}]}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\" Gott!\"}}]}\n\n"
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{"
        "\"id\":\"req_01\",\"usage\":{\"queue_time\":0.03,\"prompt_tokens\":81,"
        "\"completion_tokens\":25,\"total_tokens\":106,\"prompt_tokens_details\":{"
        "\"cached_tokens\":64},\"completion_tokens_details\":{\"reasoning_tokens\":9}}}}\n\n" DONE;
    check(stream, "Gr\xc3\xbc\xc3\x9f Gott!", "They greet.", AIC_LLM_FINISH_STOP);
    struct heard heard;
    hear(&heard, stream, 11);
    assert_string_equal(heard.stream.id, "req_01");
    assert_int_equal(heard.stream.usage.tokens_in, 81);
    assert_int_equal(heard.stream.usage.tokens_in_cached, 64);
    assert_int_equal(heard.stream.usage.tokens_out, 25);
    assert_int_equal(heard.stream.usage.tokens_reasoning, 9);
    assert_int_equal(heard.stream.usage.flags, 0);
    forget(&heard);
}

static void test_usage_comes_in_a_chunk_of_its_own_where_it_was_asked_for(void **state)
{
    (void)state;
    struct heard heard;
    hear(&heard,
         "data: {\"id\":\"chatcmpl-7\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Yes.\"},"
         "\"obfuscation\":\"aB3\"}],\"usage\":null}\n\n" END(
             "stop") "data: {\"id\":\"chatcmpl-7\",\"choices\":[],\"usage\":{\"prompt_tokens\":9,"
                     "\"completion_tokens\":2,\"total_tokens\":11}}\n\n" DONE,
         1 << 20);
    assert_text(&heard.text, "Yes.");
    assert_int_equal(heard.stream.usage.tokens_in, 9);
    assert_int_equal(heard.stream.usage.tokens_out, 2);
    assert_string_equal(heard.stream.id, "chatcmpl-7");
    forget(&heard);
}

static void test_what_servers_do_differently_does_not_matter(void **state)
{
    (void)state;
    /* llama.cpp: content null first, a usage chunk with timings, no blank line at the end. */
    check(
        "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":null}}]}"
        "\n\n" TEXT("Hi") END(
            "stop") "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1},"
                    "\"timings\":{\"prompt_n\":1,\"predicted_ms\":2.5}}\n\ndata: [DONE]",
        "Hi", "", AIC_LLM_FINISH_STOP);
    /* CRLF, comments, no blank behind the colon, data in several lines. */
    check(": ping\r\n\r\ndata:{\"choices\":[{\"delta\":\r\ndata:{\"content\":\"Hi\"}}]}\r\n\r\n"
          ": ping\r\n\r\ndata:[DONE]\r\n\r\n",
          "Hi", "", AIC_LLM_FINISH_STOP);
    /* No [DONE], which a finish reason makes up for; and the other way round. */
    check(TEXT("Hi") END("stop"), "Hi", "", AIC_LLM_FINISH_STOP);
    check(TEXT("Hi") DONE, "Hi", "", AIC_LLM_FINISH_STOP);
    /* Chunks without choices, unknown fields, words of their own for the end. */
    check("data: {\"choices\":[],\"new\":{\"a\":[1]}}\n\n" TEXT("Hi") END("eos_token") DONE, "Hi",
          "", AIC_LLM_FINISH_STOP);
    /* Nothing to say, but properly ended. */
    check(END("stop") DONE, "", "", AIC_LLM_FINISH_STOP);
    /* One document instead of a stream. */
    check("data: {\"object\":\"chat.completion\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
          "\"assistant\",\"content\":\"Hi\",\"reasoning_content\":\"Hm\"},\"finish_reason\":"
          "\"length\"}]}\n\n",
          "Hi", "Hm", AIC_LLM_FINISH_LENGTH);
    /* Content in parts. */
    check(CHUNK("{\"content\":[{\"type\":\"thinking\",\"thinking\":[]},{\"type\":\"text\","
                "\"text\":\"Hi\"}]}") DONE,
          "Hi", "", AIC_LLM_FINISH_STOP);
}

static void test_thoughts_are_never_spoken(void **state)
{
    (void)state;
    check(CHUNK("{\"reasoning_content\":\"Hm.\"}") TEXT("Yes.") END("stop") DONE, "Yes.", "Hm.",
          AIC_LLM_FINISH_STOP);
    check(CHUNK("{\"reasoning\":\"Hm.\",\"reasoning_content\":\"Hm.\"}") TEXT("Yes.") DONE, "Yes.",
          "Hm.", AIC_LLM_FINISH_STOP);
    check(TEXT("<thi") TEXT("nk>The cal") TEXT("ler asks.</th") TEXT("ink>\\n\\nYes") TEXT(".")
              END("stop") DONE,
          "Yes.", "The caller asks.", AIC_LLM_FINISH_STOP);
    check(TEXT("<think>only this") END("stop") DONE, "", "only this", AIC_LLM_FINISH_STOP);
    struct heard heard;
    const struct openai_think_sink sink = {
        .data = &heard, .text = hear_text, .thought = hear_thought};
    aic_buf_init(&heard.text, 100);
    aic_buf_init(&heard.thoughts, 100);
    openai_stream_init(&heard.stream, "musings", &sink);
    openai_stream_push(&heard.stream, AIC_STR(""),
                       AIC_STR("{\"choices\":[{\"delta\":{\"musings\":\"Hm\"}}]}"));
    assert_text(&heard.thoughts, "Hm");
    forget(&heard);
}

static void test_refusals_and_filters_are_told_as_such(void **state)
{
    (void)state;
    check(CHUNK("{\"refusal\":\"I can not help\"}") CHUNK("{\"refusal\":\" with that.\"}")
              END("stop") DONE,
          "I can not help with that.", "", AIC_LLM_FINISH_REFUSAL);
    check(TEXT("Well") END("content_filter") DONE, "Well", "", AIC_LLM_FINISH_CONTENT_FILTER);
    check(TEXT("Well") END("length") DONE, "Well", "", AIC_LLM_FINISH_LENGTH);
}

static void test_an_answer_that_ends_before_its_first_word_is_a_failure(void **state)
{
    (void)state;
    struct openai_fault fault =
        failure(CHUNK("{\"reasoning\":\"Let me think.\"}") END("length") DONE);
    assert_int_equal(fault.category, AIC_CATEGORY_BAD_REQUEST);
    assert_int_equal(fault.retry, AIC_RETRY_FALL_BACK);
    assert_non_null(strstr(fault.message, "raise max_tokens"));
    assert_non_null(strstr(failure(TEXT("<think>only this") END("length")).message, "max_tokens"));
    fault = failure(CHUNK("{}") END("content_filter") DONE);
    assert_int_equal(fault.category, AIC_CATEGORY_CONTENT_FILTER);
    assert_int_equal(fault.retry, AIC_RETRY_NEVER);
}

#define TOOL(text) CHUNK("{\"tool_calls\":[" text "]}")

static void assert_tool(const struct heard *heard, uint32_t number, const char *id,
                        const char *name, const char *arguments)
{
    assert_true(number < heard->stream.tools.count);
    const struct openai_tool *call = &heard->stream.tools.calls[number];
    assert_text(&call->id, id);
    assert_text(&call->name, name);
    assert_text(&call->arguments, arguments);
}

static void test_tool_calls_are_put_together_by_index(void **state)
{
    (void)state;
    for (size_t step = 1; step < 40; step += 7) {
        struct heard heard;
        hear(&heard,
             TEXT("One moment.") TOOL(
                 "{\"index\":0,\"id\":\"call_a\",\"type\":\"function\",\"function\":{\"name\":"
                 "\"transfer\",\"arguments\":\"\"}}")
                 TOOL("{\"index\":0,\"function\":{\"arguments\":\"{\\\"to\\\"\"}}")
                     TOOL("{\"index\":1,\"id\":\"call_b\",\"function\":{\"name\":\"end_call\"}}")
                         TOOL("{\"index\":0,\"function\":{\"arguments\":\": \\\"desk\\\"}\"}}")
                             END("tool_calls") DONE,
             step);
        assert_false(heard.stream.has_failed);
        assert_int_equal(heard.stream.finish, AIC_LLM_FINISH_TOOL_CALLS);
        assert_int_equal(heard.stream.tools.count, 2);
        assert_text(&heard.text, "One moment.");
        assert_tool(&heard, 0, "call_a", "transfer", "{\"to\": \"desk\"}");
        assert_tool(&heard, 1, "call_b", "end_call", "");
        forget(&heard);
    }
}

static void test_tool_calls_of_careless_servers_are_told_apart(void **state)
{
    (void)state;
    struct heard heard;
    /* All numbered 0, whole, with a finish reason that does not mention them. */
    hear(&heard,
         TOOL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}")
             TOOL("{\"index\":0,\"id\":\"b\",\"function\":{\"name\":\"f\",\"arguments\":\"{1}\"}}")
                 END("stop") DONE,
         1 << 20);
    assert_int_equal(heard.stream.tools.count, 2);
    assert_tool(&heard, 1, "b", "f", "{1}");
    assert_int_equal(heard.stream.finish, AIC_LLM_FINISH_TOOL_CALLS);
    forget(&heard);
    /* Id and name with every fragment. */
    hear(&heard,
         TOOL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"{\"}}")
             TOOL("{\"index\":0,\"id\":\"a\",\"function\":{\"name\":\"f\",\"arguments\":\"}\"}}")
                 DONE,
         1 << 20);
    assert_int_equal(heard.stream.tools.count, 1);
    assert_tool(&heard, 0, "a", "f", "{}");
    forget(&heard);
    /* No index, no id, arguments that are an object. */
    hear(&heard,
         TOOL("{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}},"
              "{\"function\":{\"name\":\"g\",\"arguments\":{}}}") DONE,
         1 << 20);
    assert_int_equal(heard.stream.tools.count, 2);
    assert_tool(&heard, 0, "", "f", "{\"a\":1}");
    assert_tool(&heard, 1, "", "g", "{}");
    forget(&heard);
}

static void test_errors_within_a_stream_are_found_in_each_form(void **state)
{
    (void)state;
    struct openai_fault fault = failure(
        TEXT("Well") "event: error\ndata: {\"error\":{\"message\":\"Failed to call a function.\","
                     "\"type\":\"invalid_request_error\",\"code\":\"tool_use_failed\","
                     "\"failed_generation\":\"x\",\"status_code\":400}}\n\n");
    assert_int_equal(fault.category, AIC_CATEGORY_TOOL_FORMAT);
    assert_int_equal(fault.retry, AIC_RETRY_NOW);
    assert_int_equal(fault.http_status, 400);
    assert_string_equal(fault.code, "tool_use_failed");
    fault = failure(TEXT("Well") "data: {\"error\":{\"message\":\"Rate limit reached. Please try "
                                 "again in 1.5s.\",\"code\":\"rate_limit_exceeded\"}}\n\n" DONE);
    assert_int_equal(fault.category, AIC_CATEGORY_RATE_LIMIT);
    assert_int_equal(fault.retry, AIC_RETRY_AFTER);
    assert_int_equal(fault.retry_after_ms, 1500);
    fault = failure("data: {\"choices\":[],\"x_groq\":{\"id\":\"r\",\"error\":\"over capacity\"}}"
                    "\n\n");
    assert_int_equal(fault.category, AIC_CATEGORY_SERVER);
    assert_string_equal(fault.message, "over capacity");
    /* vLLM's number for a code, an error that is no JSON, one without words, one by its reason. */
    fault = failure("data: {\"error\":{\"message\":\"boom\",\"type\":\"InternalServerError\","
                    "\"code\":500}}\n\n" DONE);
    assert_int_equal(fault.category, AIC_CATEGORY_SERVER);
    assert_int_equal(fault.http_status, 500);
    fault = failure("event: error\ndata: upstream died\n\n");
    assert_int_equal(fault.category, AIC_CATEGORY_SERVER);
    assert_non_null(strstr(fault.message, "broke the answer off"));
    assert_int_equal(failure(TEXT("Well") END("error") DONE).category, AIC_CATEGORY_SERVER);
}

static void test_what_is_no_answer_is_an_error(void **state)
{
    (void)state;
    struct openai_fault fault = failure(TEXT("Well, I"));
    assert_int_equal(fault.category, AIC_CATEGORY_NETWORK);
    assert_string_equal(fault.message, "the answer broke off");
    assert_int_equal(failure("").category, AIC_CATEGORY_NETWORK);
    assert_int_equal(failure(DONE).category, AIC_CATEGORY_PROTOCOL);
    assert_int_equal(failure("data: {\"choices\":[{\"delta\":\n\n").category,
                     AIC_CATEGORY_PROTOCOL);
    assert_int_equal(failure("data: <html>\n\n").category, AIC_CATEGORY_PROTOCOL);
    assert_int_equal(
        failure("data: {\"choices\":[{\"delta\":{\"content\":\"\xff\"}}]}\n\n").category,
        AIC_CATEGORY_PROTOCOL);
    fault = failure(TOOL("{\"index\":0,\"id\":\"a\",\"function\":{\"arguments\":\"{}\"}}")
                        END("tool_calls") DONE);
    assert_int_equal(fault.category, AIC_CATEGORY_TOOL_FORMAT);
}

static void test_an_endless_answer_is_cut(void **state)
{
    (void)state;
    struct heard heard;
    struct aic_buf stream;
    aic_buf_init(&stream, 1 << 22);
    for (int i = 0; i < 3000; i++) {
        aic_buf_text(&stream, TEXT("all work "));
    }
    hear(&heard, stream.data, 1 << 20);
    assert_false(heard.stream.has_failed);
    assert_true(heard.stream.is_endless);
    assert_int_equal(heard.stream.finish, AIC_LLM_FINISH_LENGTH);
    assert_in_range(heard.text.len, OPENAI_TEXT_MAX_BYTES - 9, OPENAI_TEXT_MAX_BYTES);
    forget(&heard);
    aic_buf_clear(&stream);
    for (int i = 0; i < OPENAI_TOOLS_MAX + 1; i++) {
        aic_buf_printf(&stream, TOOL("{\"index\":%d,\"function\":{\"name\":\"f\"}}"), i);
    }
    assert_int_equal(failure(stream.data).category, AIC_CATEGORY_TOOL_FORMAT);
    aic_buf_finish(&stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_of_groq_is_read_whole),
        cmocka_unit_test(test_usage_comes_in_a_chunk_of_its_own_where_it_was_asked_for),
        cmocka_unit_test(test_what_servers_do_differently_does_not_matter),
        cmocka_unit_test(test_thoughts_are_never_spoken),
        cmocka_unit_test(test_an_answer_that_ends_before_its_first_word_is_a_failure),
        cmocka_unit_test(test_refusals_and_filters_are_told_as_such),
        cmocka_unit_test(test_tool_calls_are_put_together_by_index),
        cmocka_unit_test(test_tool_calls_of_careless_servers_are_told_apart),
        cmocka_unit_test(test_errors_within_a_stream_are_found_in_each_form),
        cmocka_unit_test(test_what_is_no_answer_is_an_error),
        cmocka_unit_test(test_an_endless_answer_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
