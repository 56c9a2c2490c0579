/* SPDX-License-Identifier: ISC */
/* The body of a request to place a call, and the key that keeps it from being placed twice. */
#include "web/call_wish.h"
#include "web/idempotency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TO "\"to\":\"+14155550123\""

static bool read_wish(struct call_wish *wish, const char *body, struct call_wish_problem *problem)
{
    struct aic_json *root = aic_json_parse(aic_str(body), 0);
    assert_true(aic_json_is_object(root));
    return call_wish_read(wish, root, problem);
}

static void check_refused(const char *body, const char *field)
{
    struct call_wish wish;
    struct call_wish_problem problem;
    assert_false(read_wish(&wish, body, &problem));
    assert_string_equal(problem.field, field);
    assert_true(strlen(problem.detail) > 15);
    call_wish_finish(&wish);
}

static void test_all_members_are_read(void **state)
{
    (void)state;
    struct call_wish wish;
    struct call_wish_problem problem;
    assert_true(read_wish(&wish,
                          "{" TO ",\"agent\":\"sales\",\"system_prompt\":\"Be kind.\","
                          "\"context_url\":\"https://crm.example.com/7?x=%20\","
                          "\"context_headers\":{\"X-Key\":\"k\",\"Accept-Language\":\"\"},"
                          "\"metadata\":{\"order\":[1,{\"a\":null}]}}",
                          &problem));
    assert_string_equal(wish.to, "+14155550123");
    assert_string_equal(wish.agent, "sales");
    assert_true(aic_str_equal(wish.prompt, "Be kind."));
    assert_string_equal(wish.context_url, "https://crm.example.com/7?x=%20");
    assert_int_equal(wish.header_count, 2);
    assert_true(aic_str_equal(wish.headers[0].name, "X-Key"));
    assert_true(aic_str_equal(wish.headers[0].value, "k"));
    assert_string_equal(wish.metadata, "{\"order\":[1,{\"a\":null}]}");
    call_wish_finish(&wish);
}

static void test_only_the_number_is_needed(void **state)
{
    (void)state;
    struct call_wish wish;
    struct call_wish_problem problem;
    static const char *const bodies[] = {
        "{" TO "}", "{" TO ",\"agent\":null,\"context_url\":\"\",\"context_headers\":{},"
                    "\"system_prompt\":null,\"metadata\":null}"};
    for (size_t i = 0; i < 2; i++) {
        assert_true(read_wish(&wish, bodies[i], &problem));
        assert_null(wish.agent);
        assert_null(wish.context_url);
        assert_null(wish.metadata);
        assert_int_equal(wish.prompt.len, 0);
        assert_int_equal(wish.header_count, 0);
        call_wish_finish(&wish);
    }
}

static void test_what_is_no_number_is_refused(void **state)
{
    (void)state;
    static const char *const bodies[] = {
        "{}",
        "{\"to\":null}",
        "{\"to\":14155550123}",
        "{\"to\":[\"+14155550123\"]}",
        "{\"to\":\"\"}",
        "{\"to\":\"14155550123\"}",
        "{\"to\":\"112\"}",
        "{\"to\":\"0014155550123\"}",
        "{\"to\":\"+0415555012\"}",
        "{\"to\":\"+1 415 555 0123\"}",
        "{\"to\":\"+1415555012345678\"}",
        "{\"to\":\"+1415555O123\"}",
        "{\"to\":\" +14155550123\"}",
        "{\"to\":\"+14155550123\\u0000\"}",
        "{\"to\":\"wav:/etc/passwd\"}",
        "{\"to\":\"sip:a@example.com\"}",
        "{\"to\":\"+14155550123;ext=5\"}",
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        check_refused(bodies[i], "to");
    }
}

/* A prompt of so many two-byte characters. */
static bool read_prompt(size_t characters)
{
    struct aic_buf body;
    struct call_wish wish;
    struct call_wish_problem problem;
    aic_buf_init(&body, 64 * 1024);
    aic_buf_text(&body, "{" TO ",\"system_prompt\":\"");
    for (size_t i = 0; i < characters; i++) {
        aic_buf_text(&body, "\xc3\xa9");
    }
    aic_buf_text(&body, "\"}");
    bool is_good = read_wish(&wish, body.data, &problem);
    assert_true(is_good || strcmp(problem.field, "system_prompt") == 0);
    call_wish_finish(&wish);
    aic_buf_finish(&body);
    return is_good;
}

static void test_a_prompt_has_at_most_5000_characters(void **state)
{
    (void)state;
    assert_true(read_prompt(5000));
    assert_false(read_prompt(5001));
    check_refused("{" TO ",\"system_prompt\":7}", "system_prompt");
    check_refused("{" TO ",\"system_prompt\":\"a\\u0000b\"}", "system_prompt");
}

static void test_a_context_url_is_an_address_of_http(void **state)
{
    (void)state;
    static const char *const urls[] = {
        "ftp://example.com/", "file:///etc/passwd", "crm.example.com",   "HTTPS",
        "https://a b/",       "//example.com/",     "https://a/\\u00e9", "https://a/\\u0000",
        "gopher://a/",        "javascript:1"};
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "{" TO ",\"context_url\":\"%s\"}", urls[i]);
        check_refused(body, "context_url");
    }
    struct aic_buf body;
    aic_buf_init(&body, 8192);
    aic_buf_text(&body, "{" TO ",\"context_url\":\"https://");
    for (size_t i = 0; i < CALL_WISH_URL; i++) {
        aic_buf_char(&body, 'a');
    }
    aic_buf_text(&body, "\"}");
    check_refused(body.data, "context_url");
    aic_buf_finish(&body);
}

static void test_headers_that_cannot_be_sent_are_refused(void **state)
{
    (void)state;
    static const char *const headers[] = {
        "[]",
        "\"X: y\"",
        "{\"X\":7}",
        "{\"X\":null}",
        "{\"X Y\":\"v\"}",
        "{\"\":\"v\"}",
        "{\"X\":\"a\\r\\nY: b\"}",
        "{\"X\\n\":\"a\"}",
        "{\"X:\":\"a\"}",
        "{\"Host\":\"internal\"}",
        "{\"transfer-encoding\":\"chunked\"}",
        "{\"Content-Length\":\"5\"}",
        "{\"a\":\"1\",\"b\":\"2\",\"c\":\"3\",\"d\":\"4\",\"e\":\"5\",\"f\":\"6\",\"g\":\"7\","
        "\"h\":\"8\",\"i\":\"9\",\"j\":\"1\",\"k\":\"2\",\"l\":\"3\",\"m\":\"4\",\"n\":\"5\","
        "\"o\":\"6\",\"p\":\"7\",\"q\":\"8\"}",
    };
    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        char body[512];
        (void)snprintf(body, sizeof(body),
                       "{" TO ",\"context_url\":\"https://a/\",\"context_headers\":%s}",
                       headers[i]);
        check_refused(body, "context_headers");
    }
    check_refused("{" TO ",\"context_headers\":{\"X\":\"v\"}}", "context_headers");
}

static void test_a_problem_repeats_no_secret(void **state)
{
    (void)state;
    struct call_wish wish;
    struct call_wish_problem problem;
    assert_false(read_wish(&wish,
                           "{" TO ",\"context_url\":\"https://a/\","
                           "\"context_headers\":{\"X canary\":\"canary\"}}",
                           &problem));
    assert_null(strstr(problem.detail, "canary"));
    call_wish_finish(&wish);
}

static void test_metadata_is_an_object_of_bounded_size(void **state)
{
    (void)state;
    check_refused("{" TO ",\"metadata\":[]}", "metadata");
    check_refused("{" TO ",\"metadata\":\"x\"}", "metadata");
    struct aic_buf body;
    aic_buf_init(&body, 8192);
    aic_buf_text(&body, "{" TO ",\"metadata\":{\"a\":\"");
    for (size_t i = 0; i < CALL_WISH_METADATA; i++) {
        aic_buf_char(&body, 'a');
    }
    aic_buf_text(&body, "\"}}");
    check_refused(body.data, "metadata");
    aic_buf_finish(&body);
}

static void test_what_is_not_known_is_not_passed_over(void **state)
{
    (void)state;
    check_refused("{" TO ",\"prompt\":\"x\"}", "");
    check_refused("{" TO ",\"To\":\"x\"}", "");
}

static void test_idempotency_keys_are_visible_ascii(void **state)
{
    (void)state;
    char longest[257];
    memset(longest, 'k', sizeof(longest));
    assert_true(idempotency_key_is_good(AIC_STR("a-1")));
    assert_true(idempotency_key_is_good((struct aic_str){longest, 255}));
    assert_false(idempotency_key_is_good((struct aic_str){longest, 256}));
    assert_false(idempotency_key_is_good(AIC_STR("")));
    assert_false(idempotency_key_is_good(AIC_STR("a b")));
    assert_false(idempotency_key_is_good(AIC_STR("a\x7f")));
    assert_false(idempotency_key_is_good(AIC_STR("\xc3\xa9")));
}

static void test_each_api_key_has_idempotency_keys_of_its_own(void **state)
{
    (void)state;
    char a[IDEMPOTENCY_NAME];
    char b[IDEMPOTENCY_NAME];
    idempotency_name(a, "01a203c4-5150-7038-b7cb-7a34a8e1fa27", AIC_STR("k"));
    idempotency_name(b, "", AIC_STR("k"));
    assert_string_not_equal(a, b);
    idempotency_name(a, "", AIC_STR("l"));
    assert_string_not_equal(a, b);
    idempotency_name(a, "", AIC_STR("k"));
    assert_string_equal(a, b);
    assert_null(strchr(a, ' '));
}

static void fingerprint(char to[IDEMPOTENCY_FINGERPRINT], const char *body)
{
    struct aic_json *root = aic_json_parse(aic_str(body), 0);
    idempotency_fingerprint(to, root);
    aic_json_free(root);
}

static void test_the_fingerprint_is_of_what_a_body_says(void **state)
{
    (void)state;
    char a[IDEMPOTENCY_FINGERPRINT];
    char b[IDEMPOTENCY_FINGERPRINT];
    fingerprint(a, "{\"to\":\"+1\",\"agent\":\"x\"}");
    fingerprint(b, " {\n\"to\" : \"+1\", \"agent\" : \"x\" }");
    assert_string_equal(a, b);
    assert_int_equal(strlen(a), 64);
    fingerprint(b, "{\"to\":\"+2\",\"agent\":\"x\"}");
    assert_string_not_equal(a, b);
}

static void test_the_storage_decides_who_was_first(void **state)
{
    (void)state;

    static const struct {
        const char *row;
        enum idempotency verdict;
    } cases[] = {
        {"{\"first\":true}", IDEMPOTENCY_FIRST},
        {"{\"first\":false,\"mismatch\":false,\"state\":\"done\",\"status\":201}",
         IDEMPOTENCY_DONE},
        {"{\"first\":false,\"mismatch\":true,\"state\":\"done\"}", IDEMPOTENCY_OTHER},
        {"{\"first\":false,\"mismatch\":true,\"state\":\"pending\"}", IDEMPOTENCY_OTHER},
        {"{\"first\":false,\"mismatch\":false,\"state\":\"pending\"}", IDEMPOTENCY_RUNNING},
        {"{\"first\":true,\"mismatch\":false,\"state\":\"pending\"}", IDEMPOTENCY_LOST},
        {"{\"first\":false}", IDEMPOTENCY_UNKNOWN},
        {"{}", IDEMPOTENCY_UNKNOWN},
        {"[]", IDEMPOTENCY_UNKNOWN},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aic_json *row = aic_json_parse(aic_str(cases[i].row), 0);
        assert_int_equal(idempotency_judge(row), cases[i].verdict);
        aic_json_free(row);
    }
    assert_int_equal(idempotency_judge(NULL), IDEMPOTENCY_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_members_are_read),
        cmocka_unit_test(test_only_the_number_is_needed),
        cmocka_unit_test(test_what_is_no_number_is_refused),
        cmocka_unit_test(test_a_prompt_has_at_most_5000_characters),
        cmocka_unit_test(test_a_context_url_is_an_address_of_http),
        cmocka_unit_test(test_headers_that_cannot_be_sent_are_refused),
        cmocka_unit_test(test_a_problem_repeats_no_secret),
        cmocka_unit_test(test_metadata_is_an_object_of_bounded_size),
        cmocka_unit_test(test_what_is_not_known_is_not_passed_over),
        cmocka_unit_test(test_idempotency_keys_are_visible_ascii),
        cmocka_unit_test(test_each_api_key_has_idempotency_keys_of_its_own),
        cmocka_unit_test(test_the_fingerprint_is_of_what_a_body_says),
        cmocka_unit_test(test_the_storage_decides_who_was_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
