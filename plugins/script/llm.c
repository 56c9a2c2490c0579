/* SPDX-License-Identifier: ISC */
#include "llm.h"

#include "dialog.h"
#include "phrases.h"
#include "request.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWERS_MAX = 16, ARGUMENTS_MAX_BYTES = 4096 };

struct session {
    const struct script_provider *provider;
    const struct aic_llm_sink *sink;
    struct pending *pending;
    uint32_t pending_count;
};

/* An answer that is decided and waits for the next turn of the loop to be told. */
struct pending {
    struct pending *next;
    struct session *session; /* not to be touched once the answer is gone */
    const struct script_provider *provider;
    struct aic_timer *timer;
    uint64_t id;
    int64_t started_us;
    struct script_answer answer;
    struct aic_buf arguments; /* of the tool call; empty = none */
    struct aic_buf state;
    bool is_telling;
    bool is_gone; /* cancelled or closed by the host while it is being told */
};

static void pending_destroy(struct pending *p)
{
    if (!p) {
        return;
    }
    p->provider->timer->stop(p->provider->host, p->timer);
    script_answer_finish(&p->answer);
    aic_buf_finish(&p->arguments);
    aic_buf_finish(&p->state);
    free(p);
}

/* Ends an answer that is in no list any more. One that is being told still has the host reading its
 * texts: `tell` frees it. */
static void release(struct pending *p)
{
    p->is_gone = true;
    if (!p->is_telling) {
        pending_destroy(p);
    }
}

static void unlink_pending(struct pending *p)
{
    struct pending **at = &p->session->pending;
    while (*at && *at != p) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = p->next;
        p->session->pending_count--;
    }
}

/* Tells one event; false when the host dropped the answer on hearing it, or before. */
static bool emit(struct pending *p, uint32_t kind, struct aic_llm_event event)
{
    if (p->is_gone) {
        return false;
    }
    event.size = sizeof(event);
    event.kind = kind;
    event.id = p->id;
    p->session->sink->event(p->session->sink, &event);
    return !p->is_gone;
}

static bool tell_text(struct pending *p)
{
    struct aic_str text = aic_buf_view(&p->answer.text);
    return text.len == 0 || emit(p, AIC_LLM_EVENT_TEXT_DELTA, (struct aic_llm_event){.text = text});
}

static bool tell_tool(struct pending *p)
{
    char id[40];
    (void)snprintf(id, sizeof(id), "script-%llu", (unsigned long long)p->id);
    bool transfers = p->answer.end.action == SCRIPT_ACTION_TRANSFER;
    struct aic_llm_event call = {.tool_id = aic_str(id),
                                 .tool_name = aic_str(transfers ? "transfer" : "end_call"),
                                 .tool_arguments = aic_buf_view(&p->arguments)};
    return p->arguments.len == 0 || emit(p, AIC_LLM_EVENT_TOOL_CALL, call);
}

static void tell(void *data)
{
    struct pending *p = data;
    p->timer = NULL;
    p->is_telling = true;
    int64_t now_us = p->provider->clock->now_us(p->provider->host);
    struct aic_llm_event started = {.ttfb_us = now_us - p->started_us};
    struct aic_llm_event finish = {.finish = p->arguments.len > 0 ? AIC_LLM_FINISH_TOOL_CALLS
                                                                  : AIC_LLM_FINISH_STOP,
                                   .provider_state = aic_buf_view(&p->state)};
    if (emit(p, AIC_LLM_EVENT_STARTED, started) && tell_text(p) && tell_tool(p) &&
        emit(p, AIC_LLM_EVENT_FINISH, finish)) {
        unlink_pending(p);
    }
    pending_destroy(p);
}

/* The JSON arguments of the tool call that the answer's end asks for; nothing where it asks for
 * none. */
static void write_arguments(const struct script_end *end, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    if (end->action != SCRIPT_ACTION_HANGUP && end->action != SCRIPT_ACTION_TRANSFER) {
        return;
    }
    aic_json_open(&w, '{');
    if (end->action == SCRIPT_ACTION_HANGUP) {
        aic_json_member_text(&w, "reason", end->reason ? end->reason : "completed");
    } else if (end->to) {
        aic_json_member_text(&w, "to", end->to);
    }
    aic_json_close(&w, '}');
}

static void log_line(const struct script_provider *provider, uint32_t level, const char *text)
{
    provider->log->write(provider->host, level, aic_str(text));
}

static const char *state_name(const struct script *script, const struct script_memory *memory)
{
    return memory->state == SCRIPT_NONE ? "(none)" : script->states[memory->state].name;
}

/* Names of states and intents only: what the caller said stays out of the log. */
static void log_turn(const struct pending *p, const char *before, const struct script_memory *after)
{
    const struct script_provider *provider = p->provider;
    if (!provider->log->enabled(provider->host, AIC_LOG_DEBUG)) {
        return;
    }
    char line[200];
    (void)snprintf(line, sizeof(line), "request %llu: state %s, heard %s, now state %s",
                   (unsigned long long)p->id, before,
                   p->answer.understood ? p->answer.understood : "nothing new",
                   state_name(provider->script, after));
    log_line(provider, AIC_LOG_DEBUG, line);
}

static int32_t decide(struct pending *p, const struct script_request *request,
                      struct script_memory *memory)
{
    const struct script_provider *provider = p->provider;
    if (request->state.len > 0) {
        int32_t status = script_memory_read(memory, provider->script, request->state);
        if (status == AIC_ERROR_PROTOCOL) {
            log_line(provider, AIC_LOG_WARN,
                     "the dialogue's stored state is not of this script: "
                     "the dialogue starts over");
        } else if (status != AIC_OK) {
            return status;
        }
    }
    const char *before = state_name(provider->script, memory);
    if (!request->is_over) {
        int32_t status = script_dialog(provider->script, memory, &request->turn, &p->answer);
        if (status != AIC_OK) {
            return status;
        }
    }
    write_arguments(&p->answer.end, &p->arguments);
    script_memory_write(memory, provider->script, &p->state);
    log_turn(p, before, memory);
    return p->arguments.failed || p->state.failed ? AIC_ERROR_MEMORY : AIC_OK;
}

static int32_t answer(struct pending *p, const struct aic_llm_request *from)
{
    struct script_request request;
    struct script_memory memory;
    int32_t status = script_request_init(&request, from);
    if (status != AIC_OK) {
        return status;
    }
    status = script_memory_init(&memory, p->provider->script);
    if (status == AIC_OK) {
        status = decide(p, &request, &memory);
        script_memory_finish(&memory, p->provider->script);
    }
    script_request_finish(&request);
    return status;
}

static struct pending *pending_create(struct session *session, uint64_t id)
{
    struct pending *p = calloc(1, sizeof(*p));
    if (p) {
        const struct script_provider *provider = session->provider;
        p->session = session;
        p->provider = provider;
        p->id = id;
        p->started_us = provider->clock->now_us(provider->host);
        script_answer_init(&p->answer);
        aic_buf_init(&p->arguments, ARGUMENTS_MAX_BYTES);
        aic_buf_init(&p->state, SCRIPT_MEMORY_MAX_BYTES);
    }
    return p;
}

/* Has an answer told on the next turn of the loop. */
static int32_t schedule(struct pending *p)
{
    const struct script_provider *provider = p->provider;
    int32_t status = provider->timer->start(provider->host, p->started_us, tell, p, &p->timer);
    if (status == AIC_OK) {
        p->next = p->session->pending;
        p->session->pending = p;
        p->session->pending_count++;
    }
    return status;
}

static int32_t llm_capabilities(void *self, struct aic_llm_caps *caps)
{
    (void)self;
    caps->flags = AIC_LLM_TOOLS | AIC_LLM_SCRIPTED | AIC_LLM_COUNTS_MISSES;
    caps->context_tokens = 0;
    return AIC_OK;
}

static int32_t session_open(void *self, const struct aic_llm_sink *sink, void **session)
{
    struct session *s = calloc(1, sizeof(*s));
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    s->provider = self;
    s->sink = sink;
    *session = s;
    return AIC_OK;
}

static int32_t llm_open(void *self, const struct aic_llm_open *params,
                        const struct aic_llm_sink *sink, void **session)
{
    (void)params;
    return session_open(self, sink, session);
}

static int32_t llm_start(void *session, const struct aic_llm_request *request)
{
    struct session *s = session;
    if (s->pending_count >= ANSWERS_MAX) {
        return AIC_ERROR_BUSY;
    }
    struct pending *p = pending_create(s, request->id);
    if (!p) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = answer(p, request);
    if (status == AIC_OK) {
        status = schedule(p);
    }
    if (status != AIC_OK) {
        pending_destroy(p);
    }
    return status;
}

static int32_t llm_cancel(void *session, uint64_t id)
{
    struct session *s = session;
    for (struct pending *p = s->pending; p; p = p->next) {
        if (p->id == id) {
            unlink_pending(p);
            release(p);
            return AIC_OK;
        }
    }
    return AIC_ERROR_NOT_FOUND;
}

static void llm_close(void *session)
{
    struct session *s = session;
    struct pending *next = NULL;
    for (struct pending *p = s ? s->pending : NULL; p; p = next) {
        next = p->next;
        release(p);
    }
    free(s);
}

static int32_t llm_phrases(void *self, void (*add)(void *data, struct aic_str phrase), void *data)
{
    const struct script_provider *provider = self;
    (void)script_phrases(provider->script, SCRIPT_PHRASES_MAX, add, data);
    return AIC_OK;
}

/* There is nobody to ask: a provider that exists has a good script. */
static int32_t llm_probe(void *self, const struct aic_llm_sink *sink, void **session)
{
    int32_t status = session_open(self, sink, session);
    if (status != AIC_OK) {
        return status;
    }
    struct pending *p = pending_create(*session, 0);
    status = p ? schedule(p) : AIC_ERROR_MEMORY;
    if (status != AIC_OK) {
        pending_destroy(p);
        llm_close(*session);
        *session = NULL;
    }
    return status;
}

const struct aic_llm *script_llm(void)
{
    static const struct aic_llm table = {
        .size = sizeof(table),
        .capabilities = llm_capabilities,
        .open = llm_open,
        .start = llm_start,
        .cancel = llm_cancel,
        .close = llm_close,
        .phrases = llm_phrases,
        .probe = llm_probe,
    };
    return &table;
}
