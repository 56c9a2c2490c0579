/* SPDX-License-Identifier: ISC */
#ifndef TESTS_SCRIPT_TALK_H
#define TESTS_SCRIPT_TALK_H
/*
 * A conversation with the scripted provider: keeps the history as the host does, and watches that
 * each answer is told as the contract says.
 */
#include "buf.h"
#include "fake_host.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

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

static inline struct answer *answer_of(struct fixture *f, uint64_t id)
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

static inline void act(struct fixture *f, const struct aic_llm_event *event)
{
    if (f->act == DO_CANCEL) {
        assert_int_equal(f->llm->cancel(f->session, event->id), AIC_OK);
    } else if (f->act == DO_CLOSE) {
        f->llm->close(f->session);
        f->session = NULL;
    }
    f->act = DO_NOTHING;
}

static inline void on_event(const struct aic_llm_sink *sink, const struct aic_llm_event *event)
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

static inline void open_session(struct fixture *f)
{
    struct aic_llm_open params = {.size = sizeof(params), .call_id = "c", .agent = "default"};
    f->sink = (struct aic_llm_sink){.size = sizeof(f->sink), .impl = f, .event = on_event};
    assert_int_equal(f->llm->open(f->self, &params, &f->sink, &f->session), AIC_OK);
}

static inline void begin_with(struct fixture *f, const char *script)
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

static inline void begin(struct fixture *f)
{
    begin_with(f, TEST_SOURCE "/conf/scripts/appointment.conf");
}

static inline void finish(struct fixture *f)
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
static inline void add_message(struct fixture *f, const char *role, const char *content,
                               const char *state)
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

static inline int32_t start_raw(struct fixture *f, uint64_t id, const char *messages)
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
static inline uint64_t start(struct fixture *f)
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
static inline struct answer *answer(struct fixture *f)
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

static inline struct answer *say(struct fixture *f, const char *words)
{
    add_message(f, "user", words, NULL);
    return answer(f);
}

static inline void assert_says(struct fixture *f, const char *words, const char *expected)
{
    struct answer *a = say(f, words);
    if (!strstr(a->text, expected)) {
        fail_msg("\"%s\": expected \"%s\" in \"%s\"", words, expected, a->text);
    }
    assert_string_equal(a->tool, "");
    assert_int_equal(a->finish, AIC_LLM_FINISH_STOP);
}

static inline void assert_ends(struct fixture *f, const char *words, const char *tool,
                               const char *arguments)
{
    struct answer *a = say(f, words);
    assert_string_equal(a->tool, tool);
    assert_string_equal(a->arguments, arguments);
    assert_true(strlen(a->text) > 0);
    assert_int_equal(a->finish, AIC_LLM_FINISH_TOOL_CALLS);
}

#define GREETING "Hello, this is the automated assistant of Example Clinic. How can I help you?"

#endif
