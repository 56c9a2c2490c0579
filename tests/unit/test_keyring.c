/* SPDX-License-Identifier: ISC */
/* API keys in use, in front of a storage that answers when it is told to. */
#include "web/keyring.h"

#include "vsched.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GOOD                                                                                       \
    "[{\"key_id\":\"01a203c4-5150-7038-b7cb-7a34a8e1fa27\",\"name\":\"crm\",\"scopes\":[\"read\"]" \
    ",\"limits\":{\"per_minute\":7}}]"

static const char hash[] = "0000000000000000000000000000000000000000000000000000000000000001";

struct world {
    struct vsched *vsched;
    struct keyring *keyring;
    /* What the storage says. */
    int32_t status;
    const char *rows;
    bool is_slow; /* it answers when `let` is called */
    int asked;
    int touched;
    storage_reply waiting;
    void *waiting_data;
    /* What was told. */
    int told;
    int32_t told_status;
    struct api_key key;
};

static void let(struct world *w)
{
    const struct aic_error error = {.size = sizeof(error), .message = AIC_STR("away")};
    storage_reply reply = w->waiting;
    assert_non_null(reply);
    w->waiting = NULL;
    reply(w->waiting_data, w->status, aic_str(w->status == AIC_OK ? w->rows : "[]"), &error);
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    struct world *w = data;
    (void)name;
    assert_true(params.len > 0);
    w->asked++;
    w->waiting = reply;
    w->waiting_data = reply_data;
    if (!w->is_slow) {
        let(w);
    }
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct world *w = data;
    (void)params;
    (void)reply_data;
    assert_string_equal(name, "api_key.touch");
    assert_null(reply);
    w->touched++;
}

static void take(void *data, int32_t status, const struct api_key *key)
{
    struct world *w = data;
    w->told++;
    w->told_status = status;
    assert_true(!key || status == AIC_OK);
    w->key = key ? *key : (struct api_key){.scopes = 0};
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    const struct keyring_store store = {.query = query, .change = change, .data = w};
    w->vsched = vsched_create(1);
    w->rows = GOOD;
    w->keyring = keyring_create(vsched_sched(w->vsched), &store);
    assert_non_null(w->keyring);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    keyring_destroy(w->keyring);
    vsched_destroy(w->vsched);
    free(w);
    return 0;
}

static int32_t find(struct world *w)
{
    int told = w->told;
    keyring_find(w->keyring, hash, take, w);
    assert_int_equal(w->told, told + 1);
    return w->told_status;
}

static void test_a_key_is_asked_for_once_in_a_while(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(find(w), AIC_OK);
        assert_string_equal(w->key.name, "crm");
        assert_int_equal(w->key.scopes, API_SCOPE_READ);
        assert_int_equal(w->key.per_minute, 7);
    }
    assert_int_equal(w->asked, 1);
    assert_int_equal(w->touched, 1);
    vsched_run(w->vsched, KEYRING_FRESH_US - 1);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 1);
    vsched_run(w->vsched, 1);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 2);
}

static void test_what_is_no_key_is_asked_for_each_time(void **state)
{
    struct world *w = *state;
    static const char *const rows[] = {
        "[]",
        "[{}]",
        "[null]",
        "[{\"key_id\":\"\"}]",
        "[{\"key_id\":\"a\",\"revoked_at\":\"2026-01-01T00:00:00.000Z\"}]",
        "[{\"key_id\":\"a\",\"expires_at\":\"2026-01-01T00:00:00.000Z\"}]",
        "[{\"key_id\":\"a\",\"expires_at\":\"soon\"}]"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        w->rows = rows[i];
        assert_int_equal(find(w), AIC_ERROR_DENIED);
        assert_int_equal(w->asked, i + 1);
    }
    assert_int_equal(w->touched, 0);
    static const char none[API_KEY_HASH] = "";
    keyring_find(w->keyring, none, take, w);
    assert_int_equal(w->told_status, AIC_ERROR_DENIED);
    assert_int_equal(w->asked, sizeof(rows) / sizeof(rows[0]));
}

static void test_a_key_that_was_removed_is_forgotten(void **state)
{
    struct world *w = *state;
    assert_int_equal(find(w), AIC_OK);
    w->rows = "[]";
    assert_int_equal(find(w), AIC_OK);
    keyring_forget(w->keyring);
    assert_int_equal(find(w), AIC_ERROR_DENIED);
    w->status = AIC_ERROR_IO;
    assert_int_equal(find(w), AIC_ERROR_IO);
}

static void test_an_answer_from_before_the_change_is_not_kept(void **state)
{
    struct world *w = *state;
    w->is_slow = true;
    keyring_find(w->keyring, hash, take, w);
    keyring_forget(w->keyring);
    let(w);
    assert_int_equal(w->told_status, AIC_OK);
    w->is_slow = false;
    w->rows = "[]";
    assert_int_equal(find(w), AIC_ERROR_DENIED);
}

static void test_a_known_key_holds_while_the_storage_is_away_for_an_hour(void **state)
{
    struct world *w = *state;
    assert_int_equal(find(w), AIC_OK);
    w->status = AIC_ERROR_IO;
    vsched_run(w->vsched, KEYRING_STALE_US - 1);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 2);
    vsched_run(w->vsched, 1);
    assert_int_equal(find(w), AIC_ERROR_IO);
}

static void test_a_key_ends_at_its_time_even_when_it_is_remembered(void **state)
{
    struct world *w = *state;
    /* Wall time begins at 10:00. */
    w->rows = "[{\"key_id\":\"a\",\"scopes\":[],\"expires_at\":\"2026-01-05T10:00:10.000Z\"}]";
    assert_int_equal(find(w), AIC_OK);
    vsched_run(w->vsched, 9999999);
    assert_int_equal(find(w), AIC_OK);
    vsched_run(w->vsched, 1);
    assert_int_equal(find(w), AIC_ERROR_DENIED);
    assert_int_equal(w->asked, 1);
}

static void find_number(struct world *w, int number)
{
    char other[API_KEY_HASH];
    (void)snprintf(other, sizeof(other), "%064d", number);
    keyring_find(w->keyring, other, take, w);
    assert_int_equal(w->told_status, AIC_OK);
}

static void test_of_too_many_keys_the_least_used_one_goes(void **state)
{
    struct world *w = *state;
    for (int i = 1; i <= KEYRING_KEYS; i++) {
        find_number(w, i);
        vsched_run(w->vsched, 10);
    }
    find_number(w, 1);
    assert_int_equal(w->asked, KEYRING_KEYS);
    vsched_run(w->vsched, 10);
    find_number(w, KEYRING_KEYS + 1);
    find_number(w, 1);
    assert_int_equal(w->asked, KEYRING_KEYS + 1);
    find_number(w, 2);
    assert_int_equal(w->asked, KEYRING_KEYS + 2);
}

static int32_t any(struct world *w)
{
    keyring_any(w->keyring, take, w);
    return w->told_status;
}

static void test_whether_there_are_keys_is_known_for_a_while(void **state)
{
    struct world *w = *state;
    w->rows = "[{\"key_id\":\"a\",\"revoked_at\":\"2026-01-01T00:00:00.000Z\"}]";
    assert_int_equal(any(w), AIC_ERROR_NOT_FOUND);
    w->rows = GOOD;
    assert_int_equal(any(w), AIC_ERROR_NOT_FOUND);
    assert_int_equal(w->asked, 1);
    keyring_forget(w->keyring);
    assert_int_equal(any(w), AIC_OK);
    vsched_run(w->vsched, KEYRING_FRESH_US);
    w->status = AIC_ERROR_IO;
    assert_int_equal(any(w), AIC_ERROR_IO);
}

static void test_who_waits_when_the_keyring_goes_is_told(void **state)
{
    struct world *w = *state;
    const struct keyring_store store = {.query = query, .change = change, .data = w};
    w->is_slow = true;
    keyring_find(w->keyring, hash, take, w);
    keyring_destroy(w->keyring);
    let(w);
    assert_int_equal(w->told_status, AIC_ERROR_CLOSED);
    w->keyring = keyring_create(vsched_sched(w->vsched), &store);
    keyring_any(w->keyring, take, w);
    keyring_destroy(w->keyring);
    let(w);
    assert_int_equal(w->told_status, AIC_ERROR_CLOSED);
    w->keyring = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_key_is_asked_for_once_in_a_while),
        TEST(test_what_is_no_key_is_asked_for_each_time),
        TEST(test_a_key_that_was_removed_is_forgotten),
        TEST(test_an_answer_from_before_the_change_is_not_kept),
        TEST(test_a_known_key_holds_while_the_storage_is_away_for_an_hour),
        TEST(test_a_key_ends_at_its_time_even_when_it_is_remembered),
        TEST(test_of_too_many_keys_the_least_used_one_goes),
        TEST(test_whether_there_are_keys_is_known_for_a_while),
        TEST(test_who_waits_when_the_keyring_goes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
