/* SPDX-License-Identifier: ISC */
/* The log that all viewers of a worker read. */
#include "web/live_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROOM = 1000, ENTRIES = 50 };

struct reader {
    struct live_log *log;
    struct aic_buf room;
};

static int set_up(void **state)
{
    static struct reader reader;
    reader = (struct reader){.log = live_log_create(ROOM, ENTRIES)};
    assert_non_null(reader.log);
    aic_buf_init(&reader.room, 4096);
    live_log_restart(reader.log, 100);
    *state = &reader;
    return 0;
}

static int tear_down(void **state)
{
    struct reader *reader = *state;
    live_log_destroy(reader->log);
    aic_buf_finish(&reader->room);
    return 0;
}

static void add(struct reader *reader, uint64_t number, const char *call_id, const char *text)
{
    assert_int_equal(live_log_add(reader->log, number, call_id, aic_str(text)), AIC_OK);
}

/* What is read from a place, in one go. */
static const char *read_at(struct reader *reader, uint64_t *at, const char *call_id, size_t bytes)
{
    static char text[2000];
    struct aic_str found;
    *at = live_log_read(reader->log, *at, call_id, bytes, &reader->room, &found);
    assert_true(aic_str_copy(found, text, sizeof(text)));
    return text;
}

static void each_reads_on_from_its_own_place(void **state)
{
    struct reader *reader = *state;
    uint64_t early = live_log_end(reader->log);
    add(reader, 101, "a", "one ");
    uint64_t late = live_log_end(reader->log);
    add(reader, 102, "b", "two ");
    assert_string_equal(read_at(reader, &early, "", 500), "one two ");
    assert_string_equal(read_at(reader, &late, "", 500), "two ");
    assert_string_equal(read_at(reader, &late, "", 500), "");
    add(reader, 103, "a", "three");
    assert_string_equal(read_at(reader, &early, "", 500), "three");
}

static void only_whole_entries_are_read_and_at_least_one(void **state)
{
    struct reader *reader = *state;
    uint64_t at = live_log_end(reader->log);
    add(reader, 101, "", "aaaa");
    add(reader, 102, "", "bbbb");
    add(reader, 103, "", "cccc");
    uint64_t again = at;
    assert_string_equal(read_at(reader, &at, "", 1), "aaaa");
    assert_string_equal(read_at(reader, &at, "", 9), "bbbbcccc");
    assert_string_equal(read_at(reader, &again, "", 7), "aaaa");
    assert_string_equal(read_at(reader, &again, "", 8), "bbbbcccc");
}

static void who_looks_at_one_call_reads_of_it_alone_and_what_is_for_all(void **state)
{
    struct reader *reader = *state;
    uint64_t at = live_log_end(reader->log);
    add(reader, 101, "a", "a1 ");
    add(reader, 102, "b", "b1 ");
    add(reader, 0, "", "all ");
    add(reader, 103, "a", "a2");
    uint64_t other = at;
    assert_string_equal(read_at(reader, &at, "a", 500), "a1 all a2");
    assert_string_equal(read_at(reader, &other, "c", 500), "all ");
    assert_true(other == live_log_end(reader->log));
}

static void a_number_leads_to_the_place_behind_it(void **state)
{
    struct reader *reader = *state;
    uint64_t at = 0;
    add(reader, 101, "a", "one ");
    add(reader, 0, "a", "part ");
    add(reader, 104, "a", "four");
    assert_true(live_log_find(reader->log, 100, &at));
    assert_string_equal(read_at(reader, &at, "", 500), "one part four");
    assert_true(live_log_find(reader->log, 101, &at));
    assert_string_equal(read_at(reader, &at, "", 500), "part four");
    assert_true(live_log_find(reader->log, 103, &at));
    assert_string_equal(read_at(reader, &at, "", 500), "part four");
    assert_true(live_log_find(reader->log, 104, &at));
    assert_string_equal(read_at(reader, &at, "", 500), "");
    assert_false(live_log_find(reader->log, 99, &at));
    assert_false(live_log_find(reader->log, 105, &at));
}

static void the_oldest_goes_and_what_is_left_is_whole(void **state)
{
    struct reader *reader = *state;
    uint64_t first = live_log_end(reader->log);
    char text[64];
    uint64_t at;
    for (uint64_t i = 1; i <= 500; i++) {
        (void)snprintf(text, sizeof(text), "%03d.", (int)i);
        add(reader, 100 + i, i % 2 ? "a" : "b", text);
        assert_true(live_log_find(reader->log, 100 + i - 1, &at));
        assert_string_equal(read_at(reader, &at, "", 500), text);
    }
    assert_false(live_log_has(reader->log, first));
    assert_false(live_log_find(reader->log, 101, &at));
    assert_true(live_log_find(reader->log, 570, &at));
    assert_string_equal(read_at(reader, &at, "", 12), "471.472.473.");
    memset(text, 'x', sizeof(text) - 1);
    text[63] = '\0';
    for (uint64_t i = 0; i < 100; i++) {
        add(reader, 1000 + i, "a", text); /* now the bytes are the limit */
    }
    assert_true(live_log_find(reader->log, 1098, &at));
    assert_string_equal(read_at(reader, &at, "", 500), text);
}

static void what_never_fits_is_refused_and_harms_nothing(void **state)
{
    struct reader *reader = *state;
    static char large[ROOM + 1];
    uint64_t at = live_log_end(reader->log);
    add(reader, 101, "", "one");
    assert_int_equal(live_log_add(reader->log, 102, "", (struct aic_str){large, sizeof(large)}),
                     AIC_ERROR_TOO_LARGE);
    assert_string_equal(read_at(reader, &at, "", 500), "one");
}

static void after_a_gap_no_earlier_place_is_good(void **state)
{
    struct reader *reader = *state;
    uint64_t at = 0;
    add(reader, 101, "", "one");
    uint64_t before = live_log_end(reader->log);
    live_log_restart(reader->log, 500);
    assert_false(live_log_has(reader->log, before));
    assert_false(live_log_find(reader->log, 101, &at));
    assert_true(live_log_find(reader->log, 500, &at));
    assert_int_equal(live_log_number(reader->log), 500);
}

#define with_log(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        with_log(each_reads_on_from_its_own_place),
        with_log(only_whole_entries_are_read_and_at_least_one),
        with_log(who_looks_at_one_call_reads_of_it_alone_and_what_is_for_all),
        with_log(a_number_leads_to_the_place_behind_it),
        with_log(the_oldest_goes_and_what_is_left_is_whole),
        with_log(what_never_fits_is_refused_and_harms_nothing),
        with_log(after_a_gap_no_earlier_place_is_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
