/* SPDX-License-Identifier: ISC */
#include "browser/origin.h"
#include "browser/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct browser_message good(const char *text)
{
    struct browser_message message;
    const char *problem = "none";
    if (browser_message_parse(aic_str(text), &message, &problem) != AIC_OK) {
        fail_msg("%s: %s", text, problem);
    }
    return message;
}

static void test_start_carries_token_call_and_agent(void **state)
{
    (void)state;
    struct browser_message m = good(
        "{\"type\":\"start\",\"token\":\"aB3-_.x\",\"call_id\":\"0190-ab\",\"agent\":\"sales\","
        "\"format\":{\"codec\":\"pcm_s16le\",\"rate\":16000},\"later\":1}");
    assert_int_equal(m.kind, BROWSER_START);
    assert_true(aic_str_equal(m.token, "aB3-_.x"));
    assert_true(aic_str_equal(m.call_id, "0190-ab"));
    assert_true(aic_str_equal(m.agent, "sales"));
    browser_message_finish(&m);
    m = good("{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"c\"}");
    assert_int_equal(m.agent.len, 0);
    browser_message_finish(&m);
}

static void test_the_other_messages_are_read(void **state)
{
    (void)state;
    struct browser_message m = good("{\"type\":\"mark\",\"id\":12}");
    assert_int_equal(m.kind, BROWSER_MARK);
    assert_int_equal(m.id, 12);
    assert_false(m.is_cleared);
    browser_message_finish(&m);
    m = good("{\"type\":\"mark\",\"id\":13,\"cleared\":true}");
    assert_true(m.is_cleared);
    browser_message_finish(&m);
    m = good("{\"type\":\"text\",\"text\":\" \\n Caf\\u00e9 \\t\"}");
    assert_int_equal(m.kind, BROWSER_TEXT);
    assert_true(aic_str_equal(m.text, "Caf\xC3\xA9"));
    browser_message_finish(&m);
    m = good("{\"type\":\"dtmf\",\"digit\":\"#\"}");
    assert_int_equal(m.kind, BROWSER_DTMF);
    assert_true(aic_str_equal(m.text, "#"));
    browser_message_finish(&m);
    m = good("{\"type\":\"bye\"}");
    assert_int_equal(m.kind, BROWSER_BYE);
    browser_message_finish(&m);
    m = good("{\"type\":\"of a later page\"}");
    assert_int_equal(m.kind, BROWSER_UNKNOWN);
    browser_message_finish(&m);
}

static void test_what_is_wrong_is_said(void **state)
{
    (void)state;
    static const char start_token[] = "\"start\" needs a token";
    static const char start_call[] = "\"start\" needs a call_id";
    static const char shape[] = "a message must be a JSON object with a \"type\"";

    static const struct {
        const char *text;
        const char *problem;
    } bad[] = {
        {"", shape},
        {"hello", shape},
        {"[1]", shape},
        {"{\"type\":\"\"}", shape},
        {"{\"type\":\"bye\"} {}", shape},
        {"{\"type\":\"start\",\"call_id\":\"c\"}", start_token},
        {"{\"type\":\"start\",\"token\":\"a b\",\"call_id\":\"c\"}", start_token},
        {"{\"type\":\"start\",\"token\":\"a\\u0000b\",\"call_id\":\"c\"}", start_token},
        {"{\"type\":\"start\",\"token\":\"t\"}", start_call},
        {"{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"../c\"}", start_call},
        {"{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"c\",\"agent\":\"a/b\"}",
         "that is no name of an agent"},
        {"{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"c\",\"format\":{}}",
         "the format must be pcm_s16le at 16000 Hz"},
        {"{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"c\",\"format\":{\"codec\":"
         "\"pcm_s16le\",\"rate\":48000}}",
         "the format must be pcm_s16le at 16000 Hz"},
        {"{\"type\":\"mark\"}", "\"mark\" needs an id"},
        {"{\"type\":\"mark\",\"id\":-1}", "\"mark\" needs an id"},
        {"{\"type\":\"text\"}", "\"text\" needs a text"},
        {"{\"type\":\"text\",\"text\":\"  \"}", "\"text\" needs a text"},
        {"{\"type\":\"text\",\"text\":\"a\\u0000b\"}", "\"text\" needs a text"},
        {"{\"type\":\"dtmf\",\"digit\":\"E\"}", "\"dtmf\" needs a digit"},
        {"{\"type\":\"dtmf\",\"digit\":\"12\"}", "\"dtmf\" needs a digit"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct browser_message message;
        const char *problem = "";
        assert_int_equal(browser_message_parse(aic_str(bad[i].text), &message, &problem),
                         AIC_ERROR_PROTOCOL);
        assert_string_equal(problem, bad[i].problem);
        assert_null(message.document);
    }
}

static void test_texts_and_messages_have_a_limit(void **state)
{
    (void)state;
    char text[BROWSER_JSON_MAX_BYTES + 100];
    struct browser_message message;
    const char *problem = "";
    static const char head[] = "{\"type\":\"text\",\"text\":\"";
    for (size_t length = BROWSER_TEXT_MAX_BYTES; length <= BROWSER_TEXT_MAX_BYTES + 1; length++) {
        memcpy(text, head, sizeof(head) - 1);
        memset(text + sizeof(head) - 1, 'x', length);
        memcpy(text + sizeof(head) - 1 + length, "\"}", 3);
        bool fits = length == BROWSER_TEXT_MAX_BYTES;
        assert_int_equal(browser_message_parse(aic_str(text), &message, &problem),
                         fits ? AIC_OK : AIC_ERROR_PROTOCOL);
        browser_message_finish(&message);
    }
    assert_string_equal(problem, "that text is too long");
    memset(text, ' ', sizeof(text));
    memcpy(text, "{\"type\":\"bye\"}", 14);
    assert_int_equal(browser_message_parse((struct aic_str){text, BROWSER_JSON_MAX_BYTES + 1},
                                           &message, &problem),
                     AIC_ERROR_PROTOCOL);
    assert_null(browser_audio_problem(0));
    assert_null(browser_audio_problem(640));
    assert_null(browser_audio_problem(32000));
    assert_non_null(browser_audio_problem(641));
    assert_non_null(browser_audio_problem(32002));
}

static void assert_written(struct aic_buf *buf, const char *text)
{
    assert_false(buf->failed);
    assert_string_equal(aic_buf_view(buf).ptr, text);
    aic_buf_clear(buf);
}

static void test_messages_to_the_page_are_json(void **state)
{
    (void)state;
    struct aic_buf buf;
    aic_buf_init(&buf, 1000);
    browser_write_mark(&buf, 7);
    assert_written(&buf, "{\"type\":\"mark\",\"id\":7}");
    browser_write_clear(&buf);
    assert_written(&buf, "{\"type\":\"clear\"}");
    browser_write_end(&buf, "hangup");
    assert_written(&buf, "{\"type\":\"end\",\"reason\":\"hangup\"}");
    browser_write_error(&buf, "say \"start\"");
    assert_written(&buf, "{\"type\":\"error\",\"message\":\"say \\\"start\\\"\"}");
    aic_buf_finish(&buf);
}

static void test_only_pages_of_our_own_origin_pass(void **state)
{
    (void)state;

    static const struct {
        const char *origin;
        const char *host;
        const char *public_url;
        bool is_ours;
    } cases[] = {
        {"", "127.0.0.1:8000", NULL, true},
        {"http://127.0.0.1:8000", "127.0.0.1:8000", NULL, true},
        {"http://localhost:8000", "LocalHost:8000", NULL, true},
        {"http://localhost", "localhost", NULL, true},
        {"http://localhost", "localhost:80", NULL, true},
        {"https://voice.example.com", "voice.example.com", NULL, true},
        {"https://voice.example.com", "voice.example.com:443", NULL, true},
        {"http://[::1]:8000", "[::1]:8000", NULL, true},
        {"http://[::1]", "[::1]", NULL, true},
        {"https://voice.example.com", "127.0.0.1:8000", "https://voice.example.com", true},
        {"https://voice.example.com", "127.0.0.1:8000", "https://Voice.Example.com:443/x/", true},
        {"null", "localhost:8000", NULL, false},
        {"http://evil.example:8000", "localhost:8000", NULL, false},
        {"http://localhost:8001", "localhost:8000", NULL, false},
        {"http://localhost", "localhost:8000", NULL, false},
        {"https://localhost", "localhost:80", NULL, false},
        {"http://localhost:8000.evil.example", "localhost:8000", NULL, false},
        {"http://localhost:8000", "", NULL, false},
        {"http://", "", NULL, false},
        {"http://:8000", ":8000", NULL, false},
        {"file://", "localhost:8000", NULL, false},
        {"http://localhost:x", "localhost:x", NULL, false},
        {"http://localhost:", "localhost:", NULL, false},
        {"http://localhost:99999", "localhost:99999", NULL, false},
        {"http://voice.example.com", "127.0.0.1:8000", "https://voice.example.com", false},
        {"https://voice.example.com.evil.example", "x", "https://voice.example.com", false},
        {"https://voice.example.com:8443", "x", "https://voice.example.com", false},
        {"chrome-extension://abcdef", "localhost", NULL, false},
        {"http://[::1", "[::1", NULL, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (browser_origin_is_ours(aic_str(cases[i].origin), aic_str(cases[i].host),
                                   cases[i].public_url) != cases[i].is_ours) {
            fail_msg("origin %s, host %s", cases[i].origin, cases[i].host);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_carries_token_call_and_agent),
        cmocka_unit_test(test_the_other_messages_are_read),
        cmocka_unit_test(test_what_is_wrong_is_said),
        cmocka_unit_test(test_texts_and_messages_have_a_limit),
        cmocka_unit_test(test_messages_to_the_page_are_json),
        cmocka_unit_test(test_only_pages_of_our_own_origin_pass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
