/* SPDX-License-Identifier: ISC */
/* The context of a call, from a web that answers as it is told. */
#include "call/context.h"

#include "fake_fetch.h"
#include "vsched.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct vsched *vsched;
    struct fake_fetch web;
    int told;
    enum context_outcome outcome;
    char reason[32];
    int32_t http_status;
    int64_t took_ms;
    char text[256];
    char event[256];
};

static void take(void *data, const struct context_result *result)
{
    struct world *w = data;
    struct aic_buf event;
    w->told++;
    w->outcome = result->outcome;
    w->http_status = result->http_status;
    w->took_ms = result->took_ms;
    (void)aic_str_copy(aic_str(result->reason), w->reason, sizeof(w->reason));
    (void)aic_str_copy(result->text, w->text, sizeof(w->text));
    aic_buf_init(&event, 1024);
    context_describe(result, &event);
    (void)aic_str_copy(aic_buf_view(&event), w->event, sizeof(w->event));
    aic_buf_finish(&event);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->vsched = vsched_create(1);
    assert_non_null(w->vsched);
    fake_fetch_init(&w->web, vsched_sched(w->vsched));
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    assert_int_equal(w->web.running, 0);
    vsched_destroy(w->vsched);
    free(w);
    return 0;
}

static struct context *ask(struct world *w)
{
    static const struct aic_header headers[] = {{AIC_STR_INIT("X-Key"), AIC_STR_INIT("k")}};
    static const struct context_request wish = {
        .url = "https://crm.example.com/7", .headers = headers, .header_count = 1};
    return context_fetch(&w->web.fetch, vsched_sched(w->vsched), &wish, take, w);
}

static void check(struct world *w, struct fake_answer answer, enum context_outcome outcome,
                  const char *reason)
{
    w->web.asked = 0;
    w->web.answers[0] = answer;
    w->told = 0;
    assert_non_null(ask(w));
    assert_int_equal(w->told, 0);
    vsched_run(w->vsched, 10 * 1000000);
    assert_int_equal(w->told, 1);
    assert_int_equal(w->outcome, outcome);
    assert_string_equal(w->reason, reason);
    assert_true(outcome == CONTEXT_FETCHED || w->text[0] == '\0');
}

static void test_a_document_is_fetched_with_the_headers(void **state)
{
    struct world *w = *state;
    check(w,
          (struct fake_answer){
              .status = 200, .body = "{\"name\":\"R\xc3\xa9my\"}", .delay_us = 250000},
          CONTEXT_FETCHED, "");
    assert_string_equal(w->text, "{\"name\":\"R\xc3\xa9my\"}");
    assert_string_equal(w->web.method, "GET");
    assert_string_equal(w->web.url, "https://crm.example.com/7");
    assert_string_equal(w->web.headers, "X-Key: k\n");
    assert_int_equal(w->web.timeout_ms, 3000);
    assert_int_equal(w->took_ms, 250);
    assert_string_equal(w->event, "{\"bytes\":16,\"http_status\":200,\"took_ms\":250}");
}

static void test_an_empty_document_is_one(void **state)
{
    check(*state, (struct fake_answer){.status = 204, .body = ""}, CONTEXT_FETCHED, "");
}

static void test_an_answer_that_is_no_document_is_told(void **state)
{
    struct world *w = *state;
    static const int32_t statuses[] = {100, 301, 302, 307, 401, 404, 500, 503};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        check(w, (struct fake_answer){.status = statuses[i], .body = "canary"}, CONTEXT_FAILED,
              "http_status");
        assert_int_equal(w->http_status, statuses[i]);
        assert_null(strstr(w->event, "canary"));
        assert_null(strstr(w->event, "example.com"));
    }
}

static void test_only_text_goes_into_a_prompt(void **state)
{
    struct world *w = *state;
    static const char *const bad[] = {"\x89PNG\r\n\x1a\n", "a\x01", "\xff\xfe", "a\x7f", "\xc3"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        check(w, (struct fake_answer){.status = 200, .body = bad[i]}, CONTEXT_FAILED, "not_text");
    }
    check(w, (struct fake_answer){.status = 200, .body = "a\tb\r\nc"}, CONTEXT_FETCHED, "");
}

static void test_an_address_that_is_no_good_is_a_mistake_a_slow_system_is_not(void **state)
{
    static const struct {
        const char *code;
        enum context_outcome outcome;
        const char *reason;
    } cases[] = {
        {"address", CONTEXT_REFUSED, "address"},
        {"resolve", CONTEXT_REFUSED, "resolve"},
        {"connect", CONTEXT_FAILED, "connect"},
        {"tls", CONTEXT_FAILED, "tls"},
        {"connect_timeout", CONTEXT_FAILED, "timeout"},
        {"first_byte_timeout", CONTEXT_FAILED, "timeout"},
        {"idle_timeout", CONTEXT_FAILED, "timeout"},
        {"total_timeout", CONTEXT_FAILED, "timeout"},
        {"too_large", CONTEXT_FAILED, "too_large"},
        {"content_type", CONTEXT_FAILED, "content_type"},
        {"protocol", CONTEXT_FAILED, "network"},
        {"something new", CONTEXT_FAILED, "network"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        check(*state, (struct fake_answer){.error = cases[i].code}, cases[i].outcome,
              cases[i].reason);
    }
}

static void test_what_cannot_be_asked_at_all_is_told_later(void **state)
{
    check(*state, (struct fake_answer){.is_refused = true}, CONTEXT_REFUSED, "url");
}

static void test_who_cancels_is_told_nothing(void **state)
{
    struct world *w = *state;
    w->web.answers[0] = (struct fake_answer){.status = 200, .body = "x", .delay_us = 1000};
    context_cancel(ask(w));
    assert_int_equal(w->web.cancelled, 1);
    w->web.answers[1] = (struct fake_answer){.is_refused = true};
    context_cancel(ask(w));
    context_cancel(NULL);
    vsched_run(w->vsched, 1000000);
    assert_int_equal(w->told, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_document_is_fetched_with_the_headers),
        TEST(test_an_empty_document_is_one),
        TEST(test_an_answer_that_is_no_document_is_told),
        TEST(test_only_text_goes_into_a_prompt),
        TEST(test_an_address_that_is_no_good_is_a_mistake_a_slow_system_is_not),
        TEST(test_what_cannot_be_asked_at_all_is_told_later),
        TEST(test_who_cancels_is_told_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
