/* SPDX-License-Identifier: ISC */
#include "io/board.h"

#include "io/pack.h"
#include "io/table.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct aic_str empty = {"{}", 2};

static int set_up(void **state)
{
    *state = board_create();
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    board_destroy(*state);
    return 0;
}

static void a_call_has_one_owner(void **state)
{
    struct board *board = *state;
    assert_int_equal(board_owner(board, "a"), -1);
    assert_int_equal(board_claim(board, 3, "a", empty), AIC_OK);
    assert_int_equal(board_claim(board, 4, "a", empty), AIC_ERROR_CONFLICT);
    assert_int_equal(board_claim(board, 3, "a", empty), AIC_OK);
    assert_int_equal(board_owner(board, "a"), 3);
    assert_int_equal(board_calls(board), 1);
    assert_int_equal(board_release(board, 4, "a"), AIC_ERROR_NOT_FOUND);
    assert_int_equal(board_update(board, 4, "a", empty), AIC_ERROR_NOT_FOUND);
    assert_int_equal(board_release(board, 3, "a"), AIC_OK);
    assert_int_equal(board_release(board, 3, "a"), AIC_ERROR_NOT_FOUND);
    assert_int_equal(board_claim(board, 4, "a", empty), AIC_OK);
    assert_int_equal(board_owner(board, "a"), 4);
}

static void only_objects_of_bounded_size_are_summaries(void **state)
{
    struct board *board = *state;
    char big[BOARD_SUMMARY_BYTES + 1];
    memset(big, ' ', sizeof(big));
    big[0] = '{';
    big[sizeof(big) - 1] = '}';
    assert_int_equal(board_claim(board, 0, "", empty), AIC_ERROR_INVALID);
    assert_int_equal(board_claim(board, 0, "a", AIC_STR("")), AIC_ERROR_INVALID);
    assert_int_equal(board_claim(board, 0, "a", AIC_STR("[1]")), AIC_ERROR_INVALID);
    assert_int_equal(board_claim(board, 0, "a", (struct aic_str){"{\0}", 3}), AIC_ERROR_INVALID);
    assert_int_equal(board_claim(board, 0, "a", (struct aic_str){big, sizeof(big)}),
                     AIC_ERROR_TOO_LARGE);
    big[sizeof(big) - 2] = '}';
    assert_int_equal(board_claim(board, 0, "a", (struct aic_str){big, sizeof(big) - 1}), AIC_OK);
}

static void the_list_is_json_with_the_members_of_each_summary(void **state)
{
    struct board *board = *state;
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    board_list(board, &text);
    assert_string_equal(text.data, "[]");
    aic_buf_clear(&text);

    assert_int_equal(board_claim(board, 2, "quo\"te", AIC_STR("{\"from\":\"+49\"}")), AIC_OK);
    assert_int_equal(board_claim(board, 5, "plain", empty), AIC_OK);
    assert_int_equal(board_update(board, 5, "plain", AIC_STR("{\"s\":2,\"t\":[]}")), AIC_OK);
    assert_int_equal(board_claim(board, 6, "bare", empty), AIC_OK);
    board_list(board, &text);
    struct aic_json *list = aic_json_parse(aic_buf_view(&text), 0);
    assert_int_equal(aic_json_count(list), 3);
    int64_t workers = 0;
    for (size_t i = 0; i < 3; i++) {
        const struct aic_json *call = aic_json_at(list, i);
        workers += aic_json_get_int(call, "worker", -1);
        if (aic_str_equal(aic_json_get_text(call, "call_id"), "quo\"te")) {
            assert_true(aic_str_equal(aic_json_get_text(call, "from"), "+49"));
        }
    }
    assert_int_equal(workers, 2 + 5 + 6);
    aic_json_free(list);
    aic_buf_finish(&text);
}

static void calls_beyond_the_limit_are_refused(void **state)
{
    struct board *board = *state;
    char id[32];
    for (int i = 0; i < BOARD_CALLS; i++) {
        (void)snprintf(id, sizeof(id), "call-%d", i);
        assert_int_equal(board_claim(board, i % 7, id, empty), AIC_OK);
    }
    assert_int_equal(board_claim(board, 0, "one more", empty), AIC_ERROR_BUSY);
    for (int i = 0; i < BOARD_CALLS; i++) {
        (void)snprintf(id, sizeof(id), "call-%d", i);
        assert_int_equal(board_owner(board, id), i % 7);
    }
    assert_int_equal(board_release(board, 0, "call-0"), AIC_OK);
    assert_int_equal(board_claim(board, 0, "one more", empty), AIC_OK);
}

static void the_calls_of_a_dead_owner_are_taken_in_pieces_that_fit(void **state)
{
    struct board *board = *state;
    char id[32];
    for (int i = 0; i < 100; i++) {
        (void)snprintf(id, sizeof(id), "call-%d", i);
        assert_int_equal(board_claim(board, i % 2, id, AIC_STR("{\"n\":1}")), AIC_OK);
    }
    struct aic_buf text;
    aic_buf_init(&text, 1000);
    size_t taken = 0;
    size_t pieces = 0;
    size_t count;
    while ((count = board_take_calls(board, 1, &text)) > 0) {
        assert_false(text.failed);
        struct aic_json *list = aic_json_parse(aic_buf_view(&text), 0);
        assert_int_equal(aic_json_count(list), count);
        assert_int_equal(aic_json_get_int(aic_json_get(aic_json_at(list, 0), "summary"), "n", 0),
                         1);
        aic_json_free(list);
        aic_buf_clear(&text);
        taken += count;
        pieces++;
    }
    assert_int_equal(taken, 50);
    assert_true(pieces > 1);
    assert_int_equal(board_calls(board), 50);
    assert_int_equal(board_owner(board, "call-1"), -1);
    assert_int_equal(board_owner(board, "call-2"), 0);
    aic_buf_finish(&text);
}

static void a_token_is_good_once_and_not_after_its_time(void **state)
{
    struct board *board = *state;
    assert_int_equal(board_use_token(board, "n1", 2000, 1000), AIC_OK);
    assert_int_equal(board_use_token(board, "n1", 2000, 1500), AIC_ERROR_CONFLICT);
    assert_int_equal(board_use_token(board, "n2", 2000, 2000), AIC_ERROR_DENIED);
    assert_int_equal(board_use_token(board, "", 2000, 1000), AIC_ERROR_INVALID);
}

static void expired_tokens_make_room_for_new_ones(void **state)
{
    struct board *board = *state;
    char nonce[32];
    int64_t second_us = 1000000;
    for (int i = 0; i < BOARD_TOKENS; i++) {
        (void)snprintf(nonce, sizeof(nonce), "old-%d", i);
        assert_int_equal(board_use_token(board, nonce, 100 * second_us, second_us), AIC_OK);
    }
    assert_int_equal(board_use_token(board, "new", 300 * second_us, 50 * second_us),
                     AIC_ERROR_BUSY);
    assert_int_equal(board_use_token(board, "new", 300 * second_us, 200 * second_us), AIC_OK);
    assert_int_equal(board_use_token(board, "new", 300 * second_us, 201 * second_us),
                     AIC_ERROR_CONFLICT);
}

static int32_t take(struct board *board, const char *bucket, int64_t amount, int64_t now_ms,
                    int64_t *retry_after_ms)
{
    struct board_take take = {.bucket = bucket, .amount = amount, .limit = 10, .window_ms = 1000};
    return board_take(board, &take, now_ms, retry_after_ms);
}

static void a_bucket_gives_its_limit_and_fills_again_within_its_window(void **state)
{
    struct board *board = *state;
    int64_t retry_after_ms;
    assert_int_equal(take(board, "b", 10, 5000, &retry_after_ms), AIC_OK);
    assert_int_equal(take(board, "b", 1, 5000, &retry_after_ms), AIC_ERROR_DENIED);
    assert_int_equal(retry_after_ms, 100);
    assert_int_equal(take(board, "b", 1, 5099, &retry_after_ms), AIC_ERROR_DENIED);
    assert_int_equal(retry_after_ms, 1);
    assert_int_equal(take(board, "b", 1, 5100, &retry_after_ms), AIC_OK);
    assert_int_equal(take(board, "b", 5, 5100, &retry_after_ms), AIC_ERROR_DENIED);
    assert_int_equal(retry_after_ms, 500);
    assert_int_equal(take(board, "b", 10, 6100, &retry_after_ms), AIC_OK);
    assert_int_equal(take(board, "other", 10, 6100, &retry_after_ms), AIC_OK);
}

static void time_that_goes_backwards_fills_nothing(void **state)
{
    struct board *board = *state;
    int64_t retry_after_ms;
    assert_int_equal(take(board, "b", 10, 5000, &retry_after_ms), AIC_OK);
    assert_int_equal(take(board, "b", 1, 1000, &retry_after_ms), AIC_ERROR_DENIED);
}

static void a_bucket_can_not_give_what_it_never_holds(void **state)
{
    struct board *board = *state;
    int64_t retry_after_ms;
    assert_int_equal(take(board, "b", 11, 0, &retry_after_ms), AIC_ERROR_INVALID);
    assert_int_equal(take(board, "b", 0, 0, &retry_after_ms), AIC_ERROR_INVALID);
    assert_int_equal(take(board, "", 1, 0, &retry_after_ms), AIC_ERROR_INVALID);
    struct board_take huge = {
        .bucket = "b", .amount = 1, .limit = INT64_MAX / 2, .window_ms = 1000};
    assert_int_equal(board_take(board, &huge, 0, &retry_after_ms), AIC_ERROR_INVALID);
}

static void a_changed_limit_keeps_what_was_used(void **state)
{
    struct board *board = *state;
    int64_t retry_after_ms;
    struct board_take ten = {.bucket = "b", .amount = 8, .limit = 10, .window_ms = 1000};
    assert_int_equal(board_take(board, &ten, 0, &retry_after_ms), AIC_OK);
    struct board_take more = {.bucket = "b", .amount = 12, .limit = 20, .window_ms = 1000};
    assert_int_equal(board_take(board, &more, 0, &retry_after_ms), AIC_OK);
    struct board_take again = {.bucket = "b", .amount = 1, .limit = 20, .window_ms = 1000};
    assert_int_equal(board_take(board, &again, 0, &retry_after_ms), AIC_ERROR_DENIED);
    struct board_take less = {.bucket = "b", .amount = 1, .limit = 4, .window_ms = 60000};
    assert_int_equal(board_take(board, &less, 0, &retry_after_ms), AIC_ERROR_DENIED);
    assert_true(retry_after_ms <= 15000);
    assert_int_equal(board_take(board, &less, 15000, &retry_after_ms), AIC_OK);
}

static void full_buckets_are_forgotten_when_room_is_needed(void **state)
{
    struct board *board = *state;
    char name[32];
    int64_t retry_after_ms;
    for (int i = 0; i < BOARD_BUCKETS; i++) {
        (void)snprintf(name, sizeof(name), "bucket-%d", i);
        assert_int_equal(take(board, name, 10, 1000, &retry_after_ms), AIC_OK);
    }
    assert_int_equal(take(board, "new", 1, 1001, &retry_after_ms), AIC_ERROR_BUSY);
    assert_int_equal(take(board, "bucket-1", 1, 1001, &retry_after_ms), AIC_ERROR_DENIED);
    assert_int_equal(take(board, "new", 10, 9000, &retry_after_ms), AIC_OK);
    assert_int_equal(take(board, "new", 1, 9000, &retry_after_ms), AIC_ERROR_DENIED);
}

static void everything_is_the_same_after_it_was_saved_and_loaded(void **state)
{
    struct board *board = *state;
    int64_t retry_after_ms;
    assert_int_equal(board_claim(board, 9, "c", AIC_STR("{\"x\":1}")), AIC_OK);
    assert_int_equal(board_use_token(board, "nonce", 9000000, 1), AIC_OK);
    assert_int_equal(take(board, "b", 7, 1000, &retry_after_ms), AIC_OK);
    struct aic_buf saved;
    aic_buf_init(&saved, 65536);
    board_save(board, &saved);
    assert_false(saved.failed);

    struct board *copy = board_create();
    struct aic_str from = aic_buf_view(&saved);
    struct pack_item item;
    while (pack_next(&from, &item) == 1) {
        board_load(copy, &item);
    }
    assert_int_equal(board_owner(copy, "c"), 9);
    assert_int_equal(board_use_token(copy, "nonce", 9000000, 2), AIC_ERROR_CONFLICT);
    assert_int_equal(take(copy, "b", 4, 1000, &retry_after_ms), AIC_ERROR_DENIED);
    assert_int_equal(retry_after_ms, 100);
    assert_int_equal(take(copy, "b", 3, 1000, &retry_after_ms), AIC_OK);
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    board_list(copy, &text);
    assert_string_equal(text.data, "[{\"call_id\":\"c\",\"worker\":9,\"x\":1}]");
    aic_buf_finish(&text);
    aic_buf_finish(&saved);
    board_destroy(copy);
}

struct entry {
    struct table_entry entry;
    char key[16];
};

static void free_entry(struct table_entry *entry)
{
    free(entry);
}

static void a_table_finds_and_walks_what_it_holds_and_nothing_else(void **state)
{
    (void)state;
    struct table table;
    assert_int_equal(table_init(&table), AIC_OK);
    for (int i = 0; i < 1000; i++) {
        struct entry *entry = calloc(1, sizeof(*entry));
        (void)snprintf(entry->key, sizeof(entry->key), "k%d", i);
        entry->entry.key = entry->key;
        table_add(&table, &entry->entry);
    }
    struct table_entry *at = table_next(&table, NULL);
    size_t removed = 0;
    while (at) {
        struct table_entry *next = table_next(&table, at);
        if (strtol(at->key + 1, NULL, 10) % 3 == 0) {
            table_remove(&table, at);
            free(at);
            removed++;
        }
        at = next;
    }
    assert_int_equal(removed, 334);
    assert_int_equal(table.count, 666);
    assert_null(table_find(&table, "k3"));
    assert_null(table_find(&table, "k1000"));
    assert_string_equal(table_find(&table, "k4")->key, "k4");
    size_t walked = 0;
    for (at = table_next(&table, NULL); at; at = table_next(&table, at)) {
        walked++;
    }
    assert_int_equal(walked, 666);
    table_finish(&table, free_entry);
}

#define board_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        board_test(a_call_has_one_owner),
        board_test(only_objects_of_bounded_size_are_summaries),
        board_test(the_list_is_json_with_the_members_of_each_summary),
        board_test(calls_beyond_the_limit_are_refused),
        board_test(the_calls_of_a_dead_owner_are_taken_in_pieces_that_fit),
        board_test(a_token_is_good_once_and_not_after_its_time),
        board_test(expired_tokens_make_room_for_new_ones),
        board_test(a_bucket_gives_its_limit_and_fills_again_within_its_window),
        board_test(time_that_goes_backwards_fills_nothing),
        board_test(a_bucket_can_not_give_what_it_never_holds),
        board_test(a_changed_limit_keeps_what_was_used),
        board_test(full_buckets_are_forgotten_when_room_is_needed),
        board_test(everything_is_the_same_after_it_was_saved_and_loaded),
        cmocka_unit_test(a_table_finds_and_walks_what_it_holds_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
