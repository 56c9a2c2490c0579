/* SPDX-License-Identifier: ISC */
/* What the host relies on. */
#include "script_talk.h"

#include <stdio.h>
#include <unistd.h>

static void test_a_failed_transfer_leads_on(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_ends(&f, "a person please", "transfer", "{}");
    add_message(&f, "tool", "{\"error\":\"busy\"}", NULL);
    assert_string_equal(answer(&f)->text,
                        "I am sorry, nobody is free right now. How can I help you?");
    assert_says(&f, "I need an appointment", "Which day");
    finish(&f);
}

static void test_after_a_tool_that_worked_there_is_nothing_to_say(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_ends(&f, "goodbye", "end_call", "{\"reason\":\"completed\"}");
    add_message(&f, "tool", "{\"ok\":true}", NULL);
    assert_string_equal(answer(&f)->text, "");
    finish(&f);
}

static void test_without_a_transfer_to_offer_none_is_promised(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.tools = "[{\"type\":\"function\",\"function\":{\"name\":\"end_call\"}}]";
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "a person please", "nobody is free");
    f.tools = "[{\"type\":\"function\",\"function\":{\"name\":\"transfer\"}}]";
    assert_ends(&f, "a person please", "transfer", "{}");
    finish(&f);
}

static void test_two_requests_of_one_history_give_one_answer(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "change my appointment");
    add_message(&f, "user", "hm", NULL);
    f.answer_count = 0;
    uint64_t one = start(&f);
    uint64_t two = start(&f);
    vsched_run(f.v, 1000);
    assert_string_equal(answer_of(&f, one)->text, answer_of(&f, two)->text);
    assert_string_equal(answer_of(&f, one)->state, answer_of(&f, two)->state);
    assert_true(strlen(answer_of(&f, one)->text) > 0);
    finish(&f);
}

static void test_another_session_goes_on_where_the_first_stood(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "change my appointment");
    f.llm->close(f.session);
    open_session(&f);
    assert_says(&f, "Wednesday", "time on Wednesday");
    finish(&f);
}

static void test_words_of_a_stand_in_do_not_lose_the_thread(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "change my appointment");
    add_message(&f, "assistant", "Are you still there?", NULL);
    assert_says(&f, "Wednesday", "time on Wednesday");
    finish(&f);
}

static void test_a_sentence_in_two_pieces_is_one_sentence(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    add_message(&f, "user", "I would like to change", NULL);
    assert_says(&f, "my appointment to Wednesday", "time on Wednesday");
    finish(&f);
}

static void test_garbage_as_state_starts_over_with_a_warning(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", "Which day suits you?", "}garbage{");
    assert_says(&f, "change my appointment", "Which day");
    assert_non_null(strstr(fake_log(f.fake), "warn the dialogue's stored state is not of this "
                                             "script"));
    finish(&f);
}

static void test_requests_that_are_no_conversation_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_int_equal(start_raw(&f, 1, "nonsense"), AIC_ERROR_INVALID);
    assert_int_equal(start_raw(&f, 2, "{}"), AIC_ERROR_INVALID);
    assert_int_equal(start_raw(&f, 3, ""), AIC_ERROR_INVALID);
    assert_int_equal(start_raw(&f, 4, "[1,null,{\"role\":5},{\"role\":\"user\"}]"), AIC_OK);
    vsched_run(f.v, 1000);
    assert_int_equal(f.answer_count, 1);
    assert_int_equal(answer_of(&f, 4)->ends, 1);
    finish(&f);
}

static void test_a_cancelled_answer_is_not_told(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    uint64_t one = start(&f);
    uint64_t two = start(&f);
    assert_int_equal(f.llm->cancel(f.session, one), AIC_OK);
    assert_int_equal(f.llm->cancel(f.session, one), AIC_ERROR_NOT_FOUND);
    vsched_run(f.v, 1000);
    assert_int_equal(f.answer_count, 1);
    assert_int_equal(answer_of(&f, two)->ends, 1);
    assert_int_equal(f.llm->cancel(f.session, two), AIC_ERROR_NOT_FOUND);
    finish(&f);
}

static void test_an_answer_may_be_cancelled_while_it_is_told(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_LLM_EVENT_STARTED, AIC_LLM_EVENT_TEXT_DELTA,
                                     AIC_LLM_EVENT_TOOL_CALL};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct fixture f;
        begin(&f);
        add_message(&f, "user", "goodbye", NULL);
        f.act = DO_CANCEL;
        f.act_on = kinds[i];
        uint64_t id = start(&f);
        vsched_run(f.v, 1000);
        assert_int_equal(f.act, DO_NOTHING);
        assert_int_equal(answer_of(&f, id)->ends, 0);
        assert_int_equal(answer_of(&f, start(&f))->ends, 0);
        finish(&f);
    }
}

static void test_a_session_may_be_closed_while_it_tells(void **state)
{
    (void)state;
    static const uint32_t kinds[] = {AIC_LLM_EVENT_STARTED, AIC_LLM_EVENT_TEXT_DELTA,
                                     AIC_LLM_EVENT_TOOL_CALL, AIC_LLM_EVENT_FINISH};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct fixture f;
        begin(&f);
        add_message(&f, "user", "goodbye", NULL);
        f.act = DO_CLOSE;
        f.act_on = kinds[i];
        (void)start(&f);
        (void)start(&f);
        vsched_run(f.v, 1000);
        assert_int_equal(f.act, DO_NOTHING);
        assert_null(f.session);
        finish(&f);
    }
}

static void test_a_closed_session_says_nothing_more(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    (void)start(&f);
    f.llm->close(f.session);
    f.session = NULL;
    vsched_run(f.v, 1000);
    assert_int_equal(f.answer_count, 0);
    f.llm->close(NULL);
    finish(&f);
}

static void test_answers_at_once_are_bounded(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    for (uint64_t id = 1; id <= 16; id++) {
        assert_int_equal(start_raw(&f, id, "[]"), AIC_OK);
    }
    assert_int_equal(start_raw(&f, 17, "[]"), AIC_ERROR_BUSY);
    finish(&f);
}

static void count(void *data, struct aic_str phrase)
{
    assert_true(phrase.len > 0);
    ++*(int *)data;
}

static void test_it_says_what_it_is_and_what_callers_say(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    struct aic_llm_caps caps = {.size = sizeof(caps)};
    assert_int_equal(f.llm->capabilities(f.self, &caps), AIC_OK);
    assert_true(caps.flags & AIC_LLM_SCRIPTED);
    assert_true(caps.flags & AIC_LLM_COUNTS_MISSES);
    int phrases = 0;
    assert_int_equal(f.llm->phrases(f.self, count, &phrases), AIC_OK);
    assert_in_range(phrases, 1000, 5000);
    assert_non_null(strstr(fake_log(f.fake), "scripted answers, no AI"));
    finish(&f);
}

static void test_what_a_caller_says_is_not_logged(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "user", "I am Zebediah and I would like to change my appointment", NULL);
    (void)answer(&f);
    assert_non_null(strstr(fake_log(f.fake), "heard change, now state day"));
    assert_null(strstr(fake_log(f.fake), "ebediah"));
    finish(&f);
}

static void test_a_probe_finishes(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    f.llm->close(f.session);
    assert_int_equal(f.llm->probe(f.self, &f.sink, &f.session), AIC_OK);
    vsched_run(f.v, 1000);
    assert_int_equal(answer_of(&f, 0)->ends, 1);
    finish(&f);
}

static void test_a_bad_script_is_refused_with_file_and_line(void **state)
{
    (void)state;
    struct vsched *v = vsched_create(1);
    struct fake_host *fake = fake_host_create(v);
    char path[] = "/tmp/script-XXXXXX";
    int fd = mkstemp(path);
    static const char bad[] = "start = \"a\";\nstates = { a = { say = \"\"; next = \"b\"; }; };\n";
    assert_int_equal(write(fd, bad, sizeof(bad) - 1), sizeof(bad) - 1);
    close(fd);
    const struct fake_setting settings[] = {{"script", path}, {NULL, NULL}};
    void *self = NULL;
    assert_int_equal(fake_provider_create(fake, aicaller_plugin_script(), settings, &self),
                     AIC_ERROR_CONFIG);
    assert_null(self);
    char expected[100];
    (void)snprintf(expected, sizeof(expected), "error %s:2: unknown state \"b\"", path);
    assert_non_null(strstr(fake_log(fake), expected));
    assert_non_null(strstr(fake_log(fake), ":2: an empty reply"));
    assert_int_equal(unlink(path), 0);
    fake_host_destroy(fake);
    vsched_destroy(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_failed_transfer_leads_on),
        cmocka_unit_test(test_after_a_tool_that_worked_there_is_nothing_to_say),
        cmocka_unit_test(test_without_a_transfer_to_offer_none_is_promised),
        cmocka_unit_test(test_two_requests_of_one_history_give_one_answer),
        cmocka_unit_test(test_another_session_goes_on_where_the_first_stood),
        cmocka_unit_test(test_words_of_a_stand_in_do_not_lose_the_thread),
        cmocka_unit_test(test_a_sentence_in_two_pieces_is_one_sentence),
        cmocka_unit_test(test_garbage_as_state_starts_over_with_a_warning),
        cmocka_unit_test(test_requests_that_are_no_conversation_are_refused),
        cmocka_unit_test(test_a_cancelled_answer_is_not_told),
        cmocka_unit_test(test_an_answer_may_be_cancelled_while_it_is_told),
        cmocka_unit_test(test_a_session_may_be_closed_while_it_tells),
        cmocka_unit_test(test_a_closed_session_says_nothing_more),
        cmocka_unit_test(test_answers_at_once_are_bounded),
        cmocka_unit_test(test_it_says_what_it_is_and_what_callers_say),
        cmocka_unit_test(test_what_a_caller_says_is_not_logged),
        cmocka_unit_test(test_a_probe_finishes),
        cmocka_unit_test(test_a_bad_script_is_refused_with_file_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
