/* SPDX-License-Identifier: ISC */
#include "buf.h"
#include "fake_host.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_script(void);

enum { ANSWERS = 8 };

/* What came for one request. */
struct answer {
    uint64_t id;
    char text[1000];
    char tool[40];
    char arguments[200];
    char state[4000];
    int starts;
    int ends; /* FINISH and ERROR */
    uint32_t finish;
};

/* What the test does on an event of a kind. */
enum { DO_NOTHING, DO_CANCEL, DO_CLOSE };

struct fixture {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_llm *llm;
    void *self;
    void *session;
    struct aic_llm_sink sink;
    struct answer answers[ANSWERS];
    size_t answer_count;
    struct aic_buf history; /* the members of the messages array */
    const char *context;
    const char *tools;
    uint64_t last_id;
    uint32_t act_on;
    int act;
    bool in_operation;
};

static struct answer *answer_of(struct fixture *f, uint64_t id)
{
    for (size_t i = 0; i < f->answer_count; i++) {
        if (f->answers[i].id == id) {
            return &f->answers[i];
        }
    }
    assert_true(f->answer_count < ANSWERS);
    struct answer *answer = &f->answers[f->answer_count++];
    *answer = (struct answer){.id = id};
    return answer;
}

static void act(struct fixture *f, const struct aic_llm_event *event)
{
    if (f->act == DO_CANCEL) {
        assert_int_equal(f->llm->cancel(f->session, event->id), AIC_OK);
    } else if (f->act == DO_CLOSE) {
        f->llm->close(f->session);
        f->session = NULL;
    }
    f->act = DO_NOTHING;
}

static void on_event(const struct aic_llm_sink *sink, const struct aic_llm_event *event)
{
    struct fixture *f = sink->impl;
    assert_false(f->in_operation);
    assert_non_null(f->session);
    struct answer *answer = answer_of(f, event->id);
    assert_int_equal(answer->ends, 0);
    if (f->act != DO_NOTHING && event->kind == f->act_on) {
        act(f, event);
    }
    switch (event->kind) {
    case AIC_LLM_EVENT_STARTED:
        answer->starts++;
        break;
    case AIC_LLM_EVENT_TEXT_DELTA:
        assert_true(aic_str_copy(event->text, answer->text + strlen(answer->text), 900));
        break;
    case AIC_LLM_EVENT_TOOL_CALL:
        assert_true(event->tool_id.len > 0);
        assert_true(aic_str_copy(event->tool_name, answer->tool, sizeof(answer->tool)));
        assert_true(
            aic_str_copy(event->tool_arguments, answer->arguments, sizeof(answer->arguments)));
        break;
    case AIC_LLM_EVENT_FINISH:
        assert_true(aic_str_copy(event->provider_state, answer->state, sizeof(answer->state)));
        answer->finish = event->finish;
        answer->ends++;
        break;
    default:
        fail_msg("unexpected event %u", event->kind);
    }
}

static void open_session(struct fixture *f)
{
    struct aic_llm_open params = {.size = sizeof(params), .call_id = "c", .agent = "default"};
    f->sink = (struct aic_llm_sink){.size = sizeof(f->sink), .impl = f, .event = on_event};
    assert_int_equal(f->llm->open(f->self, &params, &f->sink, &f->session), AIC_OK);
}

static void begin_with(struct fixture *f, const char *script)
{
    *f = (struct fixture){0};
    f->v = vsched_create(1);
    f->fake = fake_host_create(f->v);
    aic_buf_init(&f->history, 1 << 20);
    const struct fake_setting settings[] = {{"script", script}, {NULL, NULL}};
    const struct aic_plugin *plugin = aicaller_plugin_script();
    assert_int_equal(fake_provider_create(f->fake, plugin, settings, &f->self), AIC_OK);
    f->llm = plugin->get_interface(AIC_LLM);
    assert_non_null(f->llm);
    open_session(f);
}

static void begin(struct fixture *f)
{
    begin_with(f, TEST_SOURCE "/conf/scripts/appointment.conf");
}

static void finish(struct fixture *f)
{
    f->llm->close(f->session);
    f->session = NULL;
    vsched_run(f->v, 1000000);
    aicaller_plugin_script()->destroy(f->self);
    aic_buf_finish(&f->history);
    fake_host_destroy(f->fake);
    vsched_destroy(f->v);
}

/* Adds a message to the history; `state` NULL = none. */
static void add_message(struct fixture *f, const char *role, const char *content, const char *state)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, &f->history);
    w.comma = f->history.len > 0;
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "role", role);
    aic_json_member_text(&w, "content", content);
    if (state) {
        aic_json_member_text(&w, "provider_state", state);
    }
    aic_json_close(&w, '}');
}

static int32_t start_raw(struct fixture *f, uint64_t id, const char *messages)
{
    struct aic_llm_request request = {.size = sizeof(request),
                                      .id = id,
                                      .messages = aic_str(messages),
                                      .context = aic_str(f->context),
                                      .tools = aic_str(f->tools),
                                      .temperature = -1};
    f->in_operation = true;
    int32_t status = f->llm->start(f->session, &request);
    f->in_operation = false;
    return status;
}

/* Asks for an answer to the history as it is. */
static uint64_t start(struct fixture *f)
{
    struct aic_buf messages;
    aic_buf_init(&messages, 1 << 20);
    aic_buf_printf(&messages, "[%s]", f->history.data ? f->history.data : "");
    uint64_t id = ++f->last_id;
    assert_int_equal(start_raw(f, id, messages.data), AIC_OK);
    aic_buf_finish(&messages);
    return id;
}

/* Answers the history, and adds the answer to it. */
static struct answer *answer(struct fixture *f)
{
    f->answer_count = 0;
    uint64_t id = start(f);
    assert_int_equal(f->answer_count, 0);
    vsched_run(f->v, 1000);
    struct answer *a = answer_of(f, id);
    assert_int_equal(a->starts, 1);
    assert_int_equal(a->ends, 1);
    add_message(f, "assistant", a->text, a->state);
    return a;
}

static struct answer *say(struct fixture *f, const char *words)
{
    add_message(f, "user", words, NULL);
    return answer(f);
}

static void assert_says(struct fixture *f, const char *words, const char *expected)
{
    struct answer *a = say(f, words);
    if (!strstr(a->text, expected)) {
        fail_msg("\"%s\": expected \"%s\" in \"%s\"", words, expected, a->text);
    }
    assert_string_equal(a->tool, "");
    assert_int_equal(a->finish, AIC_LLM_FINISH_STOP);
}

static void assert_ends(struct fixture *f, const char *words, const char *tool,
                        const char *arguments)
{
    struct answer *a = say(f, words);
    assert_string_equal(a->tool, tool);
    assert_string_equal(a->arguments, arguments);
    assert_true(strlen(a->text) > 0);
    assert_int_equal(a->finish, AIC_LLM_FINISH_TOOL_CALLS);
}

static const char greeting[] =
    "Hello, this is the automated assistant of Example Clinic. How can I help you?";

static void test_first_caller_changes_an_appointment(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "system", "You are an assistant.", NULL);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "I would like to change my appointment", "Which day");
    assert_says(&f, "Wednesday please", "time on Wednesday");
    assert_says(&f, "at ten thirty in the morning", "name");
    assert_says(&f, "my name is Mary Johnson",
                "Wednesday, ten thirty in the morning, for Mary Johnson. Is that right?");
    assert_says(&f, "yes that is right", "the change is noted. Is there anything else");
    assert_ends(&f, "no thank you goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_second_caller_says_it_in_other_words(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "hello, can I move my appointment to another day", "Which day");
    assert_says(&f, "Friday would be good", "time on Friday");
    assert_says(&f, "at three o'clock in the afternoon", "name");
    assert_says(&f, "this is Peter Miller",
                "Friday, three o'clock in the afternoon, for Peter Mil");
    assert_says(&f, "yes that's correct", "anything else");
    assert_ends(&f, "that is all, thank you, bye bye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_third_caller_books_a_new_appointment(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "I need a new appointment please", "Which day");
    assert_says(&f, "on Monday", "time on Monday");
    assert_says(&f, "nine o'clock", "name");
    assert_says(&f, "my name is Anna Smith", "Monday, nine o'clock, for Anna Smith");
    assert_says(&f, "yes please", "the new appointment is noted");
    assert_ends(&f, "goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

/* As a recogniser writes it down on a bad line. */
static void test_misheard_neighbours_do_not_matter(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "a would like the change might appointment", "Which day");
    assert_says(&f, "wednesday these", "time on Wednesday");
    assert_says(&f, "a ten thirty in the morning", "name");
    assert_says(&f, "may name is mary johnson", "for Mary Johnson");
    assert_says(&f, "yes that a right", "noted");
    assert_ends(&f, "today at ten you goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_one_sentence_may_answer_several_questions(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "can I move it to Wednesday at ten", "name");
    assert_says(&f, "I am Anna Smith", "Wednesday, ten o'clock, for Anna Smith");
    finish(&f);
}

static void test_the_read_back_may_be_corrected(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    (void)say(&f, "change my appointment");
    (void)say(&f, "Wednesday at ten");
    assert_says(&f, "John Brown", "Wednesday, ten o'clock, for John Brown");
    assert_says(&f, "no, on Friday", "Friday, ten o'clock, for John Brown");
    assert_says(&f, "no that is wrong", "Sorry about that. ");
    assert_says(&f, "on Monday at nine o'clock", "Monday, nine o'clock, for John Brown");
    assert_says(&f, "yes Monday is right", "noted");
    finish(&f);
}

static void test_control_intents_work_everywhere(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "help", "You can change, book or cancel");
    (void)say(&f, "change my appointment");
    assert_says(&f, "are you a robot", "automated assistant with fixed answers");
    assert_says(&f, "sorry can you say that again", "automated assistant with fixed answers");
    assert_ends(&f, "I want to talk to an agent", "transfer", "{}");
    assert_ends(&f, "please stop calling me", "end_call", "{\"reason\":\"opt_out\"}");
    finish(&f);
}

static void test_repeat_before_anything_was_said_repeats_the_greeting(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "pardon", greeting);
    finish(&f);
}

static void test_without_a_greeting_the_script_greets(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(answer(&f)->text, "How can I help you?");
    assert_says(&f, "book an appointment", "Which day");
    finish(&f);
}

static void test_a_host_that_asks_again_gets_the_question_again(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    (void)say(&f, "book an appointment");
    assert_string_equal(answer(&f)->text, "What day would you like?");
    finish(&f);
}

static void test_misses_get_varied_replies_and_then_a_colleague(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    char first[1000];
    struct answer *a = say(&f, "purple elephants");
    assert_true(aic_str_copy(aic_str(a->text), first, sizeof(first)));
    a = say(&f, "purple elephants");
    assert_string_not_equal(a->text, first);
    assert_ends(&f, "purple elephants", "transfer", "{}");
    finish(&f);
}

static void test_an_understood_answer_forgives_misses(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    (void)say(&f, "book an appointment");
    assert_says(&f, "hm", "which day");
    assert_says(&f, "hm", "such as Monday");
    assert_says(&f, "what are my options", "You can");
    assert_says(&f, "hm", "which day");
    finish(&f);
}

static void test_a_failed_transfer_leads_on(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
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
    add_message(&f, "assistant", greeting, NULL);
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
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "a person please", "nobody is free");
    f.tools = "[{\"type\":\"function\",\"function\":{\"name\":\"transfer\"}}]";
    assert_ends(&f, "a person please", "transfer", "{}");
    finish(&f);
}

static void test_variables_of_the_call_appear_in_replies(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
    assert_says(&f, "when is my appointment", "is the one in your letter.");
    f.context = "{\"call_id\":\"c\",\"variables\":{\"booked\":\"on Tuesday at noon\"}}";
    assert_says(&f, "when is my appointment", "is on Tuesday at noon.");
    finish(&f);
}

static void test_two_requests_of_one_history_give_one_answer(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", greeting, NULL);
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
    add_message(&f, "assistant", greeting, NULL);
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
    add_message(&f, "assistant", greeting, NULL);
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
    add_message(&f, "assistant", greeting, NULL);
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

static const char hindi[] =
    "start = \"poochho\";\n"
    "variables = { naam = \"\"; };\n"
    "words = { din = [ \"सोमवार\", \"बुधवार\", \"शुक्रवार\" ]; };\n"
    "slots = { din = { from = \"din\"; }; };\n"
    "intents = {\n"
    "  alvida = { global = true; any = [ \"अलविदा\", \"फिर मिलेंगे\", \"नमस्ते जी बस\" ];\n"
    "             then = { say = \"धन्यवाद। अलविदा।\"; action = \"hangup\"; }; };\n"
    "  haan = { any = [ \"हाँ\", \"जी\" ]; };\n"
    "  nahin = { any = \"नहीं\"; };\n"
    "};\n"
    "misses = { max = 3; say = \"माफ़ कीजिए, फिर से कहिए।\";\n"
    "           then = { say = \"अलविदा।\"; action = \"hangup\"; }; };\n"
    "states = {\n"
    "  poochho = { say = \"कौन सा दिन?\"; slot = \"din\"; next = \"pakka\"; };\n"
    "  pakka = { say = \"{din|वह दिन} ठीक है?\";\n"
    "            on = { nahin = { clear = \"din\"; next = \"poochho\"; };\n"
    "                   haan = { next = \"ant\"; }; }; };\n"
    "  ant = { say = \"ठीक है। अलविदा।\"; action = \"hangup\"; };\n"
    "};\n";

static void test_a_dialogue_in_hindi(void **state)
{
    (void)state;
    char path[] = "/tmp/script-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, hindi, sizeof(hindi) - 1), sizeof(hindi) - 1);
    close(fd);
    struct fixture f;
    begin_with(&f, path);
    assert_string_equal(answer(&f)->text, "कौन सा दिन?");
    assert_says(&f, "बुधवार को।", "बुधवार ठीक है?");
    assert_says(&f, "नहीं, शुक्रवार", "शुक्रवार ठीक है?");
    assert_ends(&f, "हां जी", "end_call", "{\"reason\":\"completed\"}");
    assert_ends(&f, "अच्छा अलविदा!", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_caller_changes_an_appointment),
        cmocka_unit_test(test_second_caller_says_it_in_other_words),
        cmocka_unit_test(test_third_caller_books_a_new_appointment),
        cmocka_unit_test(test_misheard_neighbours_do_not_matter),
        cmocka_unit_test(test_one_sentence_may_answer_several_questions),
        cmocka_unit_test(test_the_read_back_may_be_corrected),
        cmocka_unit_test(test_control_intents_work_everywhere),
        cmocka_unit_test(test_repeat_before_anything_was_said_repeats_the_greeting),
        cmocka_unit_test(test_without_a_greeting_the_script_greets),
        cmocka_unit_test(test_a_host_that_asks_again_gets_the_question_again),
        cmocka_unit_test(test_misses_get_varied_replies_and_then_a_colleague),
        cmocka_unit_test(test_an_understood_answer_forgives_misses),
        cmocka_unit_test(test_a_failed_transfer_leads_on),
        cmocka_unit_test(test_after_a_tool_that_worked_there_is_nothing_to_say),
        cmocka_unit_test(test_without_a_transfer_to_offer_none_is_promised),
        cmocka_unit_test(test_variables_of_the_call_appear_in_replies),
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
        cmocka_unit_test(test_a_dialogue_in_hindi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
