/* SPDX-License-Identifier: ISC */
#include "base/uuid.h"

#include "buf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static void test_the_example_of_rfc_9562_comes_out(void **state)
{
    (void)state;
    static const uint8_t random[10] = {0x0C, 0xC3, 0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};
    char text[UUID_TEXT];
    uuid7_format(text, INT64_C(0x017F22E279B0) * 1000, random);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

static void test_version_and_variant_win_over_randomness(void **state)
{
    (void)state;
    uint8_t random[10];
    char text[UUID_TEXT];
    memset(random, 0xFF, sizeof(random));
    uuid7_format(text, 0, random);
    assert_string_equal(text, "00000000-0000-7fff-bfff-ffffffffffff");
    memset(random, 0, sizeof(random));
    uuid7_format(text, -5, random);
    assert_string_equal(text, "00000000-0000-7000-8000-000000000000");
}

static void test_ids_rise_within_a_process(void **state)
{
    (void)state;
    char last[UUID_TEXT] = "";
    /* More than the 4096 ids that one millisecond can count. */
    for (int i = 0; i < 50000; i++) {
        char text[UUID_TEXT];
        uuid7_make(text);
        assert_true(uuid_valid(aic_str(text)));
        assert_int_equal(text[14], '7');
        assert_true(strcmp(last, text) < 0);
        memcpy(last, text, sizeof(last));
    }
}

static void test_an_id_begins_with_the_wall_clock(void **state)
{
    (void)state;
    char text[UUID_TEXT];
    time_t before = time(NULL);
    uuid7_make(text);
    char hex[13];
    memcpy(hex, text, 8);
    memcpy(hex + 8, text + 9, 4);
    hex[12] = '\0';
    int64_t second = strtoll(hex, NULL, 16) / 1000;
    assert_in_range(second, before - 1, before + 3600);
}

enum { THREADS = 4, EACH = 5000 };

static void *make_many(void *data)
{
    char(*ids)[UUID_TEXT] = data;
    for (int i = 0; i < EACH; i++) {
        uuid7_make(ids[i]);
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void test_threads_never_get_the_same_id(void **state)
{
    (void)state;
    char(*ids)[UUID_TEXT] = malloc(sizeof(*ids) * THREADS * EACH);
    assert_non_null(ids);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, make_many, ids + (size_t)i * EACH), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    qsort(ids, (size_t)THREADS * EACH, sizeof(*ids), compare);
    for (int i = 1; i < THREADS * EACH; i++) {
        assert_string_not_equal(ids[i - 1], ids[i]);
    }
    free(ids);
}

static void test_only_canonical_text_is_an_id(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398ff",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "017f22e279b0-7cc3-98c4-dc0c0c07398f-",
        "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "g17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "../../..-etc-pass-wd00-dc0c0c07398f0",
    };
    assert_true(uuid_valid(AIC_STR("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")));
    assert_true(uuid_valid(AIC_STR("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(uuid_valid(aic_str(bad[i])));
    }
    assert_false(uuid_valid((struct aic_str){NULL, 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_rfc_9562_comes_out),
        cmocka_unit_test(test_version_and_variant_win_over_randomness),
        cmocka_unit_test(test_ids_rise_within_a_process),
        cmocka_unit_test(test_an_id_begins_with_the_wall_clock),
        cmocka_unit_test(test_threads_never_get_the_same_id),
        cmocka_unit_test(test_only_canonical_text_is_an_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
