/* SPDX-License-Identifier: ISC */
#include "call_rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS INT64_C(1000)

static const struct rig_settings line = {.stt_flags = AIC_STT_NEEDS_VAD,
                                         .line_flags = AIC_TEL_NO_ECHO};
static const struct fake_speech speech = {3000 * MS, 4000 * MS};

static const struct rig_settings carrier = {.stt_flags = AIC_STT_NEEDS_VAD,
                                            .line_flags = AIC_TEL_NO_ECHO | AIC_TEL_TRANSFER};
static const char *const desks[] = {"+15550133", "+15550144", NULL};

static const char balance_tool[] =
    "tools = ( \"end_call\", { name = \"balance\"; description = \"Looks it up.\"; "
    "url = \"https://bank.example/accounts/{account}\"; method = \"GET\"; timeout = \"3s\"; "
    "headers = { X-Key = \"k1\"; }; "
    "parameters = { type = \"object\"; required = [ \"account\" ]; "
    "properties = { account = { type = \"string\"; }; year = { type = \"integer\"; }; "
    "unit = { enum = [ \"pounds\", \"euros\" ]; }; }; }; } );";

static struct config *config;

static void load_tools(struct rig *rig, const char *text)
{
    struct config_problems problems = {.list = NULL};
    assert_int_equal(config_parse("test", aic_str(text), NULL, &problems, &config), AIC_OK);
    tools_load(&rig->agent.tools, config_get(config_root(config), "tools"), &problems);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
}

static void unload_tools(struct rig *rig)
{
    struct tools tools = rig->agent.tools;
    rig_destroy(rig);
    tools_finish(&tools);
    config_free(config);
}

/* A caller asks; the model uses the tool with these arguments and then says what it knows. */
static struct rig *ask(const char *arguments, struct fake_answer answer, int64_t ms)
{
    struct rig *rig = rig_create(&line);
    load_tools(rig, balance_tool);
    rig->fetch.answers[0] = answer;
    rig_hears(rig, "what is my balance");
    rig->vendor->replies[0] = (struct fake_text){.tool = "balance", .arguments = arguments};
    rig->vendor->replies[1] = (struct fake_text){.text = "It is ten pounds."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, ms);
    return rig;
}

static void test_a_tool_is_asked_and_its_answer_goes_to_the_model(void **state)
{
    (void)state;
    struct rig *rig =
        ask("{\"account\":\"12 34/../x\",\"year\":2026}",
            (struct fake_answer){200, "{\"balance\":10}", NULL, 400 * MS, false}, 9000);
    assert_string_equal(rig->fetch.method, "GET");
    assert_string_equal(rig->fetch.url,
                        "https://bank.example/accounts/12%2034%2F%2E%2E%2Fx?year=2026");
    assert_non_null(strstr(rig->fetch.headers, "X-Key: k1\n"));
    assert_int_equal(rig->fetch.timeout_ms, 3000);
    assert_non_null(strstr(rig->vendor->messages, "{\\\"balance\\\":10}"));
    assert_non_null(strstr(rig->vendor->spoken, "It is ten pounds."));
    assert_true(rig_has_event(rig, "tool"));
    assert_string_equal(rig_text(rig, "messages", 2, "role"), "tool");
    assert_string_equal(rig_text(rig, "messages", 2, "name"), "balance");
    /* What the operator keeps secret is nowhere in the record. */
    for (size_t i = 0; i < rig_count(rig, "messages"); i++) {
        assert_null(strstr(rig_fact(rig, "messages", i), "k1"));
    }
    unload_tools(rig);
}

static void test_a_slow_tool_is_covered_by_a_filler(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&line);
    load_tools(rig, balance_tool);
    rig->agent.filler_after_us = 1000 * MS;
    rig->fetch.answers[0] = (struct fake_answer){200, "{\"balance\":10}", NULL, 2500 * MS, false};
    rig_hears(rig, "what is my balance");
    rig->vendor->replies[0] =
        (struct fake_text){.tool = "balance", .arguments = "{\"account\":\"1\"}"};
    rig->vendor->replies[1] = (struct fake_text){.text = "It is ten pounds."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 12000);
    assert_non_null(strstr(rig->vendor->spoken, "One moment, please.\nIt is ten pounds.\n"));
    unload_tools(rig);
}

static void test_what_goes_wrong_is_told_to_the_model(void **state)
{
    (void)state;

    static const struct {
        const char *arguments;
        struct fake_answer answer;
        const char *told;
        size_t asked;
    } cases[] = {
        {"{\"account\":\"1\"}", {500, "oops", NULL, 0, false}, "HTTP status 500", 1},
        {"{\"account\":\"1\"}", {0, NULL, "total_timeout", 0, false}, "total_timeout", 1},
        {"{\"account\":\"1\"}", {0, NULL, "address", 0, false}, "address", 1},
        {"{\"account\":\"1\"}", {0, NULL, NULL, 0, true}, "make no address", 1},
        {"{\"account\":\"1\"}", {200, "plain words", NULL, 0, false}, "plain words", 1},
        {"{}", {200, "{}", NULL, 0, false}, "\\\\\\\"account\\\\\\\" is missing", 0},
        {"{\"account\":7}", {200, "{}", NULL, 0, false}, "must be of type string", 0},
        {"{\"account\":\"1\",\"unit\":\"yen\"}",
         {200, "{}", NULL, 0, false},
         "none of the allowed",
         0},
        {"[1,2]", {200, "{}", NULL, 0, false}, "not a JSON object", 0},
        {"{\"account\":", {200, "{}", NULL, 0, false}, "not a JSON object", 0},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig *rig = ask(cases[i].arguments, cases[i].answer, 9000);
        if (!strstr(rig->vendor->messages, cases[i].told)) {
            fail_msg("%s is not in %s", cases[i].told, rig->vendor->messages);
        }
        assert_int_equal(rig->fetch.asked, cases[i].asked);
        assert_non_null(strstr(rig->vendor->spoken, "It is ten pounds."));
        unload_tools(rig);
    }
}

static void test_an_interruption_while_a_tool_runs_leaves_a_whole_history(void **state)
{
    (void)state;
    const struct fake_speech speeches[] = {{3000 * MS, 4000 * MS}, {6000 * MS, 7000 * MS}};
    struct rig *rig = rig_create(&line);
    load_tools(rig, balance_tool);
    rig->fetch.answers[0] = (struct fake_answer){200, "{\"balance\":10}", NULL, 4000 * MS, false};
    rig_hears(rig, "what is my balance");
    rig_hears(rig, "forget it");
    rig->vendor->replies[0] = (struct fake_text){
        .text = "Let me look.", .tool = "balance", .arguments = "{\"account\":\"1\"}"};
    rig->vendor->replies[1] = (struct fake_text){.text = "All right."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, speeches, 2);
    rig_run(rig, 14000);
    /* Every call of the model has its result, and the answer that came late is in the record. */
    assert_non_null(strstr(rig->vendor->messages, "what became of it is not known"));
    assert_null(strstr(rig->vendor->messages, "balance\\\":10"));
    assert_non_null(strstr(rig->vendor->spoken, "All right."));
    bool is_late = false;
    for (size_t i = 0; i < rig_count(rig, "events"); i++) {
        is_late = is_late || strstr(rig_fact(rig, "events", i), "\"late\":true");
    }
    assert_true(is_late);
    unload_tools(rig);
}

static void test_a_call_that_ends_drops_its_requests(void **state)
{
    (void)state;
    struct rig *rig =
        ask("{\"account\":\"1\"}", (struct fake_answer){200, "{}", NULL, 60000 * MS, false}, 6000);
    assert_int_equal(rig->fetch.running, 1);
    fake_line_hang_up(rig->line, AIC_LEG_END_CALLER);
    rig_run(rig, 10);
    assert_true(rig->has_ended);
    struct tools tools = rig->agent.tools;
    call_destroy(rig->call);
    rig->call = NULL;
    assert_int_equal(rig->fetch.cancelled, 1);
    rig_destroy(rig);
    tools_finish(&tools);
    config_free(config);
}

static void test_a_model_that_asks_without_end_is_stopped(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&line);
    load_tools(rig, balance_tool);
    rig_hears(rig, "what is my balance");
    for (size_t i = 0; i < 12; i++) {
        rig->fetch.answers[i] = (struct fake_answer){200, "{}", NULL, 10 * MS, false};
        rig->vendor->replies[i] =
            (struct fake_text){.tool = "balance", .arguments = "{\"account\":\"1\"}"};
    }
    rig->vendor->reply_count = 12;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 20000);
    assert_int_equal(rig->vendor->requests, 7);
    assert_non_null(strstr(rig->vendor->spoken, "Sorry, something is broken."));
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "tool_loop");
    unload_tools(rig);
}

static void test_a_list_of_tools_is_all_that_a_model_may_use(void **state)
{
    (void)state;
    struct rig *rig = rig_create(&line);
    load_tools(rig, "tools = ( );");
    rig_hears(rig, "end it");
    rig->vendor->replies[0] = (struct fake_text){.tool = "end_call", .arguments = "{}"};
    rig->vendor->replies[1] = (struct fake_text){.text = "I can not."};
    rig->vendor->reply_count = 2;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 9000);
    assert_false(rig->has_ended);
    assert_non_null(strstr(rig->vendor->messages, "there is no such tool"));
    unload_tools(rig);
}

static void test_declarations_that_make_no_sense_are_refused(void **state)
{
    (void)state;

    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"tools = \"end_call\";", "must be a list"},
        {"tools = ( 5 );", "a name or a group"},
        {"tools = ( { name = \"a\"; description = \"b\"; } );", "url"},
        {"tools = ( { name = \"a b\"; description = \"b\"; url = \"https://x.example\"; } );",
         "letters, digits"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"ftp://x.example\"; } );",
         "must begin with"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"https://{h}.example/\"; } );",
         "can not stand in the host"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"https://x.example\"; parameters = "
         "\"[\"; } );",
         "JSON Schema"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"https://x.example\"; metod = "
         "\"GET\"; } );",
         "did you mean"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"https://x.example\"; headers = { "
         "A = 5; }; } );",
         "must be a text"},
        {"tools = ( { name = \"a\"; description = \"b\"; url = \"https://x.example\"; }, { name = "
         "\"a\"; description = \"b\"; url = \"https://x.example\"; } );",
         "two tools"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct config_problems problems = {.list = NULL};
        struct config *parsed = NULL;
        struct tools tools;
        struct aic_buf text;
        aic_buf_init(&text, 65536);
        assert_int_equal(config_parse("t", aic_str(cases[i].text), NULL, &problems, &parsed),
                         AIC_OK);
        tools_load(&tools, config_get(config_root(parsed), "tools"), &problems);
        config_problems_print(&problems, false, &text);
        if (problems.errors == 0 || !strstr(text.data, cases[i].says)) {
            fail_msg("%s: %s", cases[i].says, text.len ? text.data : "(no problem)");
        }
        aic_buf_finish(&text);
        tools_finish(&tools);
        config_problems_finish(&problems);
        config_free(parsed);
    }
}

/* The model says what it does and hands the caller over. */
static struct rig *hand_over(int32_t status)
{
    struct rig *rig = rig_create(&carrier);
    load_tools(rig, "tools = ( \"transfer\" );");
    rig->agent.transfers = desks;
    rig_hears(rig, "a person please");
    rig->vendor->replies[0] = (struct fake_text){.text = "I will connect you to the desk.",
                                                 .tool = "transfer",
                                                 .arguments = "{\"to\":\"+15550144\"}"};
    rig->vendor->reply_count = 1;
    rig_begin(rig, &speech, 1);
    rig->line->transfer_status = status;
    rig_run(rig, 12000);
    return rig;
}

static void test_a_caller_is_handed_over_once_the_words_were_heard(void **state)
{
    (void)state;
    struct rig *rig = hand_over(AIC_OK);
    assert_string_equal(rig->line->transferred_to, "+15550144");
    assert_string_equal(rig_text(rig, "messages", 3, "heard"), "I will connect you to the desk.");
    assert_true(rig->line->transferred_us >=
                fake_line_agent_stops(rig->line, fake_line_agent_starts(rig->line, 4000 * MS)));
    assert_true(rig_has_event(rig, "transfer"));
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "transferred");
    unload_tools(rig);
}

static void test_a_caller_who_can_not_be_handed_over_is_told(void **state)
{
    (void)state;
    struct rig *rig = hand_over(AIC_ERROR_BUSY);
    assert_true(rig_has_event(rig, "transfer_failed"));
    assert_non_null(strstr(rig->vendor->spoken, "something is broken"));
    unload_tools(rig);
}

/* Somebody who looks on hands the caller over in the middle of an answer. */
static struct rig *looks_on(void)
{
    struct rig *rig = rig_create(&carrier);
    rig->agent.transfers = desks;
    rig_hears(rig, "tell me all");
    rig->vendor->replies[0] = (struct fake_text){
        .text = "There is a great deal to tell. It will take a while. Please be patient with me."};
    rig->vendor->reply_count = 1;
    return rig;
}

static void test_somebody_hands_the_caller_over_at_once(void **state)
{
    (void)state;
    struct rig *rig = looks_on();
    assert_int_equal(call_transfer(rig->call, AIC_STR("")), AIC_ERROR_CONFLICT);
    rig_begin(rig, &speech, 1);
    rig_run(rig, 5500);
    assert_int_equal(call_transfer(rig->call, AIC_STR("+15550199")), AIC_ERROR_DENIED);
    rig->line->transfer_status = AIC_ERROR_BUSY;
    assert_int_equal(call_transfer(rig->call, AIC_STR("+15550144")), AIC_ERROR_BUSY);
    assert_true(rig_has_event(rig, "transfer_failed"));
    assert_false(rig->has_ended);
    rig->line->transfer_status = AIC_OK;
    assert_int_equal(call_transfer(rig->call, AIC_STR("+15550144")), AIC_OK);
    assert_int_equal(call_transfer(rig->call, AIC_STR("+15550144")), AIC_ERROR_CONFLICT);
    assert_string_equal(rig->line->transferred_to, "+15550144");
    rig_run(rig, 4000);
    assert_true(rig_has_event(rig, "transfer"));
    assert_true(rig->has_ended);
    assert_string_equal(rig_text(rig, "calls", 0, "end_reason"), "transferred");
    rig_destroy(rig);
}

static void test_without_a_list_nobody_is_handed_over(void **state)
{
    (void)state;
    static const char *const nobody[] = {NULL};
    struct rig *rig = looks_on();
    rig->agent.transfers = nobody;
    rig_begin(rig, &speech, 1);
    rig_run(rig, 3000);
    assert_int_equal(call_transfer(rig->call, AIC_STR("+15550144")), AIC_ERROR_UNSUPPORTED);
    rig_destroy(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_tool_is_asked_and_its_answer_goes_to_the_model),
        cmocka_unit_test(test_a_slow_tool_is_covered_by_a_filler),
        cmocka_unit_test(test_what_goes_wrong_is_told_to_the_model),
        cmocka_unit_test(test_an_interruption_while_a_tool_runs_leaves_a_whole_history),
        cmocka_unit_test(test_a_call_that_ends_drops_its_requests),
        cmocka_unit_test(test_a_model_that_asks_without_end_is_stopped),
        cmocka_unit_test(test_a_list_of_tools_is_all_that_a_model_may_use),
        cmocka_unit_test(test_declarations_that_make_no_sense_are_refused),
        cmocka_unit_test(test_a_caller_is_handed_over_once_the_words_were_heard),
        cmocka_unit_test(test_a_caller_who_can_not_be_handed_over_is_told),
        cmocka_unit_test(test_somebody_hands_the_caller_over_at_once),
        cmocka_unit_test(test_without_a_list_nobody_is_handed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
