/* SPDX-License-Identifier: ISC */
#include "io/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct record {
    char text[512];
};

static void note(void *data, struct aic_str name, struct aic_str text)
{
    struct record *record = data;
    size_t used = strlen(record->text);
    (void)snprintf(record->text + used, sizeof(record->text) - used, "[%.*s|%.*s]", (int)name.len,
                   name.ptr, (int)text.len, text.ptr);
}

/* Pushes `stream` in pieces of `step` bytes. */
static void check(const char *stream, size_t step, const char *want)
{
    struct record record = {""};
    struct sse sse;
    sse_init(&sse, 1024);
    size_t length = strlen(stream);
    for (size_t at = 0; at < length; at += step) {
        size_t bytes = length - at < step ? length - at : step;
        assert_int_equal(sse_push(&sse, (struct aic_str){stream + at, bytes}, note, &record),
                         AIC_OK);
    }
    assert_int_equal(sse_end(&sse, note, &record), AIC_OK);
    if (strcmp(record.text, want) != 0) {
        fail_msg("step %zu: %s instead of %s", step, record.text, want);
    }
    sse_finish(&sse);
}

static void test_streams_give_their_events_however_they_are_cut(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"data: a\n\n", "[|a]"},
        {"data:a\n\ndata:  b\n\n", "[|a][| b]"},
        {"data: a\r\n\r\ndata: b\r\n\r\n", "[|a][|b]"},
        {"data: a\r\rdata: b\r\r", "[|a][|b]"},
        {"data: a\r\n\ndata: b\n\r\n", "[|a][|b]"},
        {"event: delta\ndata: {\"x\":1}\n\n", "[delta|{\"x\":1}]"},
        {"data: one\ndata: two\n\n", "[|one\ntwo]"},
        {"data: one\ndata\ndata: two\n\n", "[|one\n\ntwo]"},
        {": comment\n\ndata: a\n\n", "[|a]"},
        {"event: lost\n\ndata: a\n\n", "[|a]"},
        {"id: 1\nretry: 10\ndata: a\n\n", "[|a]"},
        {"data: last", "[|last]"},
        {"data: last\n", "[|last]"},
        {"data: last\r", "[|last]"},
        {"data\n\ndata:\n\ndata: a\n\n", "[|a]"},
        {"\xef\xbb\xbf"
         "data: a\n\n",
         "[|a]"},
        {"data: a\n\xef\xbb\xbf"
         "data: b\n\n",
         "[|a]"},
        {"event: a\nevent: b\ndata: c\n\n", "[b|c]"},
        {"data: a:b: c\n\n", "[|a:b: c]"},
        {"dataset: a\nDATA: b\n data: c\ndata: d\n\n", "[|d]"},
        {"data: [DONE]\n\n", "[|[DONE]]"},
        {"", ""},
        {"\n\n\n", ""},
    };
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        for (size_t step = 1; step < 12; step++) {
            check(pairs[i][0], step, pairs[i][1]);
        }
        check(pairs[i][0], 1000, pairs[i][1]);
    }
}

static void test_an_event_over_the_bound_is_an_error(void **state)
{
    (void)state;
    struct record record = {""};
    struct sse sse;
    sse_init(&sse, 16);
    assert_int_equal(sse_push(&sse, AIC_STR("data: 0123456789\n\n"), note, &record), AIC_OK);
    assert_string_equal(record.text, "[|0123456789]");
    /* As one long line ... */
    assert_int_equal(sse_push(&sse, AIC_STR("data: 0123456789abc"), note, &record),
                     AIC_ERROR_TOO_LARGE);
    sse_finish(&sse);
    /* ... and as many short ones. */
    sse_init(&sse, 16);
    assert_int_equal(sse_push(&sse, AIC_STR("data: 01234567\ndata: 01234567\n\n"), note, &record),
                     AIC_ERROR_TOO_LARGE);
    assert_string_equal(record.text, "[|0123456789]");
    sse_finish(&sse);
}

static void keep_bytes(void *data, struct aic_str name, struct aic_str text)
{
    (void)name;
    aic_buf_str(data, text);
}

static void test_text_may_hold_zero_bytes(void **state)
{
    (void)state;
    struct aic_buf got;
    struct sse sse;
    aic_buf_init(&got, 64);
    sse_init(&sse, 64);
    assert_int_equal(sse_push(&sse, AIC_STR("data: a\0b\n\n"), keep_bytes, &got), AIC_OK);
    assert_int_equal(got.len, 3);
    assert_memory_equal(got.data, "a\0b", 3);
    sse_finish(&sse);
    aic_buf_finish(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_streams_give_their_events_however_they_are_cut),
        cmocka_unit_test(test_an_event_over_the_bound_is_an_error),
        cmocka_unit_test(test_text_may_hold_zero_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
