/* SPDX-License-Identifier: ISC */
/* Passwords are checked one after the other, and few wait. */
#include "web/password_desk.h"

#include "vsched.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char good[] = "correct horse battery";

struct told {
    int count;
    int32_t status;
    char hash[PASSWORD_HASH];
};

static void take(void *data, int32_t status, const char *hash)
{
    struct told *told = data;
    told->count++;
    told->status = status;
    (void)aic_str_copy(aic_str(hash), told->hash, PASSWORD_HASH);
}

static void test_a_password_is_made_checked_and_changed(void **state)
{
    struct vsched *v = vsched_create(1);
    struct password_desk *desk = password_desk_create(vsched_sched(v));
    struct told made = {.count = 0};
    struct told wrong = {.count = 0};
    struct told changed = {.count = 0};
    (void)state;
    const struct password_task make = {.wanted = aic_str(good)};
    assert_int_equal(password_desk_run(desk, &make, take, &made), AIC_OK);
    assert_int_equal(made.count, 0);
    vsched_run(v, 1);
    assert_int_equal(made.count, 1);
    assert_int_equal(made.status, AIC_OK);
    const struct password_task miss = {
        .hash = made.hash, .given = AIC_STR("another"), .wanted = aic_str(good)};
    const struct password_task change = {
        .hash = made.hash, .given = aic_str(good), .wanted = AIC_STR("a new password")};
    assert_int_equal(password_desk_run(desk, &miss, take, &wrong), AIC_OK);
    assert_int_equal(password_desk_run(desk, &change, take, &changed), AIC_OK);
    vsched_run(v, 1);
    assert_int_equal(wrong.status, AIC_ERROR_DENIED);
    assert_string_equal(wrong.hash, "");
    assert_int_equal(changed.status, AIC_OK);
    assert_true(password_check(changed.hash, AIC_STR("a new password")));
    password_desk_destroy(desk);
    vsched_run(v, 1);
    vsched_destroy(v);
}

static void test_too_many_are_turned_away_and_the_others_told_of_the_end(void **state)
{
    struct vsched *v = vsched_create(1);
    struct password_desk *desk = password_desk_create(vsched_sched(v));
    struct told told = {.count = 0};
    const struct password_task task = {.hash = "", .given = aic_str(good)};
    (void)state;
    for (int i = 0; i < PASSWORD_DESK_QUEUE; i++) {
        assert_int_equal(password_desk_run(desk, &task, take, &told), AIC_OK);
    }
    assert_int_equal(password_desk_run(desk, &task, take, &told), AIC_ERROR_BUSY);
    password_desk_destroy(desk);
    vsched_run(v, 1);
    assert_int_equal(told.count, PASSWORD_DESK_QUEUE);
    assert_int_equal(told.status, AIC_ERROR_CLOSED);
    vsched_destroy(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_password_is_made_checked_and_changed),
        cmocka_unit_test(test_too_many_are_turned_away_and_the_others_told_of_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
