/* SPDX-License-Identifier: ISC */
/* Who is signed in, in front of a storage that answers when it is told to. */
#include "web/api_key.h"
#include "web/sessions.h"

#include "vsched.h"

#include "buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The world begins at 2026-01-05 10:00. */
#define SESSION(seen, expires)                                                                     \
    "[{\"user_id\":\"01a203c4-5150-7038-b7cb-7a34a8e1fa27\",\"seen_at\":\"2026-01-05T" seen        \
    "Z\",\"expires_at\":\"2026-01-05T" expires "Z\"}]"
#define USER(role, disabled) "[{\"name\":\"ann\",\"role\":\"" role "\",\"disabled\":" disabled "}]"

static const char hash[] = "0000000000000000000000000000000000000000000000000000000000000001";
static const int64_t minute_us = 60 * INT64_C(1000000);

struct world {
    struct vsched *vsched;
    struct sessions *sessions;
    /* What the storage says. */
    int32_t status;
    const char *session;
    const char *user;
    bool is_slow; /* it answers when `let` is called */
    int asked;
    int touched;
    bool is_for_user;
    storage_reply waiting;
    void *waiting_data;
    /* What was told. */
    int told;
    int32_t told_status;
    struct session known;
};

static void let(struct world *w)
{
    const struct aic_error error = {.size = sizeof(error), .message = AIC_STR("away")};
    storage_reply reply = w->waiting;
    const char *rows = w->is_for_user ? w->user : w->session;
    if (!reply) {
        fail_msg("nothing was asked");
        return;
    }
    w->waiting = NULL;
    reply(w->waiting_data, w->status, aic_str(w->status == AIC_OK ? rows : "[]"), &error);
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    struct world *w = data;
    assert_true(params.len > 0);
    w->is_for_user = strcmp(name, "user.by_id") == 0;
    w->asked += !w->is_for_user;
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
    assert_string_equal(name, "session.touch");
    assert_null(reply);
    w->touched++;
}

static void take(void *data, int32_t status, const struct session *session)
{
    struct world *w = data;
    w->told++;
    w->told_status = status;
    assert_true((session != NULL) == (status == AIC_OK));
    w->known = session ? *session : (struct session){.name = ""};
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    assert_non_null(w);
    const struct keyring_store store = {.query = query, .change = change, .data = w};
    w->vsched = vsched_create(1);
    w->session = SESSION("10:00:00", "22:00:00");
    w->user = USER("operator", "false");
    w->sessions = sessions_create(vsched_sched(w->vsched), &store, 30 * minute_us);
    assert_non_null(w->sessions);
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    sessions_destroy(w->sessions);
    vsched_destroy(w->vsched);
    free(w);
    return 0;
}

static int32_t find(struct world *w)
{
    int told = w->told;
    sessions_find(w->sessions, hash, take, w);
    assert_int_equal(w->told, told + 1);
    return w->told_status;
}

static void test_a_session_is_asked_for_once_in_a_while(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(find(w), AIC_OK);
        assert_string_equal(w->known.name, "ann");
        assert_string_equal(w->known.role, "operator");
        assert_int_equal(w->known.scopes, API_SCOPE_READ | API_SCOPE_CALL);
        assert_string_equal(w->known.hash, hash);
    }
    assert_int_equal(w->asked, 1);
    vsched_run(w->vsched, SESSIONS_FRESH_US - 1);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 1);
    vsched_run(w->vsched, 1);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 2);
    sessions_forget(w->sessions);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 3);
}

static void test_a_session_in_use_is_written_down_now_and_then(void **state)
{
    struct world *w = *state;
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->touched, 0);
    vsched_run(w->vsched, minute_us);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->touched, 0);
    vsched_run(w->vsched, minute_us);
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->touched, 1);
}

static void test_a_session_ends(void **state)
{
    static const char *const over[] = {"[]",
                                       "[{}]",
                                       "[null]",
                                       SESSION("10:00:00", "10:00:00"),
                                       SESSION("09:30:00", "22:00:00"),
                                       SESSION("soon", "22:00:00"),
                                       SESSION("10:00:00", "later")};
    struct world *w = *state;
    for (size_t i = 0; i < sizeof(over) / sizeof(over[0]); i++) {
        w->session = over[i];
        assert_int_equal(find(w), AIC_ERROR_DENIED);
        assert_int_equal(w->asked, i + 1);
    }
    assert_int_equal(w->touched, 0);
}

static void test_a_session_ends_at_its_time_also_while_it_is_fresh(void **state)
{
    struct world *w = *state;
    w->session = SESSION("10:00:00", "10:00:02");
    assert_int_equal(find(w), AIC_OK);
    vsched_run(w->vsched, 2 * INT64_C(1000000));
    assert_int_equal(find(w), AIC_ERROR_DENIED);
}

static void test_a_session_ends_with_its_user(void **state)
{
    static const char *const users[] = {"[]", USER("operator", "true"), USER("root", "false"),
                                        "[{\"name\":\"ann\",\"role\":\"admin\"}]"};
    struct world *w = *state;
    assert_int_equal(find(w), AIC_OK);
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        w->user = users[i];
        sessions_forget(w->sessions);
        assert_int_equal(find(w), AIC_ERROR_DENIED);
    }
}

static void test_without_the_storage_nobody_is_known_for_long(void **state)
{
    struct world *w = *state;
    assert_int_equal(find(w), AIC_OK);
    w->status = AIC_ERROR_IO;
    assert_int_equal(find(w), AIC_OK);
    vsched_run(w->vsched, SESSIONS_FRESH_US);
    assert_int_equal(find(w), AIC_ERROR_IO);
    w->status = AIC_OK;
    assert_int_equal(find(w), AIC_OK);
}

static void test_what_was_asked_before_a_change_is_asked_again(void **state)
{
    struct world *w = *state;
    w->is_slow = true;
    sessions_find(w->sessions, hash, take, w);
    sessions_forget(w->sessions);
    let(w);
    let(w);
    assert_int_equal(w->told_status, AIC_OK);
    w->is_slow = false;
    assert_int_equal(find(w), AIC_OK);
    assert_int_equal(w->asked, 2);
}

static void test_nobody_is_asked_for_what_is_no_token(void **state)
{
    static const char none[SESSION_HASH] = "";
    struct world *w = *state;
    sessions_find(w->sessions, none, take, w);
    assert_int_equal(w->told_status, AIC_ERROR_DENIED);
    assert_int_equal(w->asked, 0);
}

static void test_more_sessions_than_there_is_room_for_are_known(void **state)
{
    struct world *w = *state;
    for (int i = 0; i < 2 * SESSIONS; i++) {
        char other[SESSION_HASH];
        (void)snprintf(other, sizeof(other), "%064d", i);
        sessions_find(w->sessions, other, take, w);
        assert_int_equal(w->told_status, AIC_OK);
        vsched_run(w->vsched, 1);
    }
    assert_int_equal(w->asked, 2 * SESSIONS);
}

static void test_who_waits_when_it_ends_is_told(void **state)
{
    struct world *w = *state;
    w->is_slow = true;
    sessions_find(w->sessions, hash, take, w);
    sessions_destroy(w->sessions);
    w->sessions = NULL;
    assert_int_equal(w->told, 0);
    let(w);
    assert_int_equal(w->told, 1);
    assert_int_equal(w->told_status, AIC_ERROR_CLOSED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_session_is_asked_for_once_in_a_while),
        TEST(test_a_session_in_use_is_written_down_now_and_then),
        TEST(test_a_session_ends),
        TEST(test_a_session_ends_at_its_time_also_while_it_is_fresh),
        TEST(test_a_session_ends_with_its_user),
        TEST(test_without_the_storage_nobody_is_known_for_long),
        TEST(test_what_was_asked_before_a_change_is_asked_again),
        TEST(test_nobody_is_asked_for_what_is_no_token),
        TEST(test_more_sessions_than_there_is_room_for_are_known),
        TEST(test_who_waits_when_it_ends_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
