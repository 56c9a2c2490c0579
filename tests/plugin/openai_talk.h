/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_TALK_H
#define OPENAI_TALK_H
/* A session with the language model whose events are written down as lines. */
#include "openai_setup.h"

struct talk {
    struct setup s;
    const struct aic_llm *llm;
    struct aic_llm_sink sink;
    void *session;
    struct aic_buf events;   /* a line for each */
    struct aic_error error;  /* the last one's numbers */
    struct aic_usage usage;  /* the last */
    uint64_t cancel_at_text; /* cancel this answer from inside its first text */
    bool close_at_text;
    uint32_t asked; /* requests so far; the last one's id */
};

#define ASK "[{\"role\":\"user\",\"content\":\"Hi\"}]"

static inline void talk_note(struct talk *t, const struct aic_llm_event *e)
{
    static const char *const finishes[] = {"none",           "stop",    "length", "tool_calls",
                                           "content_filter", "refusal", "pause"};
    unsigned id = (unsigned)e->id;
    switch (e->kind) {
    case AIC_LLM_EVENT_STARTED:
        aic_buf_printf(&t->events, "%u started %.*s %lld\n", id, (int)e->vendor_id.len,
                       e->vendor_id.ptr, (long long)e->ttfb_us);
        break;
    case AIC_LLM_EVENT_TEXT_DELTA:
        aic_buf_printf(&t->events, "%u text %.*s\n", id, (int)e->text.len, e->text.ptr);
        break;
    case AIC_LLM_EVENT_REASONING_DELTA:
        aic_buf_printf(&t->events, "%u thought %.*s\n", id, (int)e->text.len, e->text.ptr);
        break;
    case AIC_LLM_EVENT_TOOL_CALL:
        aic_buf_printf(&t->events, "%u tool %u %.*s %.*s %.*s\n", id, (unsigned)e->tool_index,
                       (int)e->tool_id.len, e->tool_id.ptr, (int)e->tool_name.len, e->tool_name.ptr,
                       (int)e->tool_arguments.len, e->tool_arguments.ptr);
        break;
    case AIC_LLM_EVENT_USAGE:
        t->usage = *e->usage;
        aic_buf_printf(&t->events, "%u usage\n", id);
        break;
    case AIC_LLM_EVENT_RATE_INFO:
        aic_buf_printf(&t->events, "%u rate %.*s %lld/%lld %lld\n", id, (int)e->rate->bucket.len,
                       e->rate->bucket.ptr, (long long)e->rate->remaining,
                       (long long)e->rate->limit, (long long)e->rate->reset_ms);
        break;
    case AIC_LLM_EVENT_FINISH:
        aic_buf_printf(&t->events, "%u finish %s\n", id, finishes[e->finish]);
        break;
    default:
        t->error = *e->error;
        aic_buf_printf(&t->events, "%u error %u %.*s\n", id, (unsigned)e->error->category,
                       (int)e->error->message.len, e->error->message.ptr);
        break;
    }
}

static inline void talk_event(const struct aic_llm_sink *sink, const struct aic_llm_event *event)
{
    struct talk *t = sink->impl;
    assert_non_null(t->session);
    talk_note(t, event);
    if (event->kind != AIC_LLM_EVENT_TEXT_DELTA) {
        return;
    }
    if (t->cancel_at_text == event->id) {
        t->cancel_at_text = 0;
        assert_int_equal(t->llm->cancel(t->session, event->id), AIC_OK);
    }
    if (t->close_at_text) {
        t->llm->close(t->session);
        t->session = NULL;
    }
}

static inline void talk_begin(struct talk *t, const struct aic_plugin *plugin,
                              const struct fake_setting *settings)
{
    *t = (struct talk){.cancel_at_text = UINT64_MAX};
    setup_begin(&t->s, plugin, settings);
    aic_buf_init(&t->events, 1 << 20);
    t->llm = plugin->get_interface(AIC_LLM);
    t->sink = (struct aic_llm_sink){.size = sizeof(t->sink), .impl = t, .event = talk_event};
    const struct aic_llm_open params = {.size = sizeof(params), .call_id = "c", .language = "en"};
    assert_int_equal(t->llm->open(t->s.self, &params, &t->sink, &t->session), AIC_OK);
}

static inline void talk_with_groq(struct talk *t)
{
    static const struct fake_setting settings[] = {{"api_key", OPENAI_KEY}, {NULL, NULL}};
    talk_begin(t, aicaller_plugin_groq(), settings);
}

static inline void talk_with_local(struct talk *t)
{
    static const struct fake_setting settings[] = {
        {"url", "http://127.0.0.1:8080/v1"}, {"model", "local"}, {NULL, NULL}};
    talk_begin(t, aicaller_plugin_openai(), settings);
}

static inline void talk_finish(struct talk *t)
{
    t->llm->close(t->session);
    aic_buf_finish(&t->events);
    setup_finish(&t->s);
}

/* Asks; returns the request, whose answer is awaited. */
static inline struct aic_http *talk_ask(struct talk *t)
{
    struct aic_llm_request request = {.size = sizeof(request),
                                      .id = ++t->asked,
                                      .messages = AIC_STR(ASK),
                                      .tools = AIC_STR(""),
                                      .temperature = -1};
    assert_int_equal(t->llm->start(t->session, &request), AIC_OK);
    struct aic_http *http = fake_http_pending(t->s.fake);
    while (http && (http->ended || http->next)) {
        http = http->next;
    }
    assert_non_null(http);
    return http;
}

static inline void talk_say(struct aic_http *http, const char *data)
{
    fake_http_sse(http, "", aic_str(data));
}

static inline void talk_say_text(struct aic_http *http, const char *text)
{
    char data[300];
    (void)snprintf(data, sizeof(data),
                   "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"%s\"}}]}", text);
    talk_say(http, data);
}

static inline void talk_say_end(struct aic_http *http, const char *reason)
{
    char data[200];
    (void)snprintf(data, sizeof(data),
                   "{\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"%s\"}]}", reason);
    talk_say(http, data);
}

static inline void talk_run(struct talk *t, int64_t ms)
{
    vsched_run(t->s.v, ms * 1000);
}

/* Compares and forgets the events so far. */
static inline void talk_expect(struct talk *t, const char *want)
{
    assert_string_equal(t->events.len > 0 ? t->events.data : "", want);
    aic_buf_clear(&t->events);
}

#endif
