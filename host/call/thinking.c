/* SPDX-License-Identifier: ISC */
#include "call/thinking.h"

#include "plugin/guard.h"

#include <string.h>

enum { MAX_REQUEST = 1 << 20, MAX_SAID = 64 * 1024 };

/* Patience with the last model there is, and between two tokens. */
static const int64_t last_model_us = 8 * INT64_C(1000000);
static const int64_t between_us = 5 * INT64_C(1000000);
/* ... while another one is there: the caller may be hearing nothing. */
static const int64_t short_between_us = 2 * INT64_C(1000000);

static void take_event(void *owner, const struct aic_llm_event *event);
static void ask(struct thinking *thinking);

void thinking_init(struct thinking *thinking, struct sched *sched, const struct chain *chain,
                   const struct thinking_settings *settings, const struct thinking_events *events)
{
    memset(thinking, 0, sizeof(*thinking));
    thinking->sched = sched;
    thinking->chain = *chain;
    thinking->settings = *settings;
    thinking->events = *events;
    thinking->current = -1;
    aic_buf_init(&thinking->tools, MAX_REQUEST);
    aic_buf_init(&thinking->said, MAX_SAID);
    for (size_t i = 0; i < CHAIN_MAX; i++) {
        thinking->models[i].thinking = thinking;
    }
}

static void stop_waiting(struct thinking *thinking)
{
    sched_timer_stop(thinking->sched, thinking->timer);
    thinking->timer = NULL;
}

void thinking_finish(struct thinking *thinking)
{
    if (!thinking->sched) {
        return;
    }
    stop_waiting(thinking);
    for (size_t i = 0; i < thinking->chain.count; i++) {
        session_close(thinking->models[i].session);
        thinking->models[i].session = NULL;
    }
    aic_buf_finish(&thinking->tools);
    aic_buf_finish(&thinking->said);
}

static struct provider *provider_of(const struct thinking *thinking)
{
    return thinking->current < 0 ? NULL : thinking->chain.providers[thinking->current];
}

const struct provider *thinking_provider(const struct thinking *thinking)
{
    return provider_of(thinking);
}

bool thinking_is_busy(const struct thinking *thinking)
{
    return thinking->request != 0;
}

static int32_t open_model(struct thinking *thinking, int index)
{
    struct thinking_model *model = &thinking->models[index];
    if (model->session) {
        return AIC_OK;
    }
    struct aic_llm_open params = {.size = sizeof(params),
                                  .call_id = thinking->settings.call_id,
                                  .agent = thinking->settings.agent,
                                  .language = thinking->settings.language};
    return session_open_llm(thinking->chain.providers[index], &params, take_event, model,
                            &model->session);
}

void thinking_prepare(struct thinking *thinking)
{
    int first = chain_pick(&thinking->chain, PROVIDER_LLM, 0);
    if (first >= 0 && open_model(thinking, first) == AIC_OK) {
        struct provider *provider = thinking->chain.providers[first];
        if (provider->llm.prewarm) {
            GUARD(provider, "llm.prewarm", provider->llm.prewarm(provider->self));
        }
    }
}

static void close_model(struct thinking *thinking)
{
    session_close(thinking->models[thinking->current].session);
    thinking->models[thinking->current].session = NULL;
}

static void fail_over(struct thinking *thinking, const struct aic_error *error)
{
    struct provider *from = provider_of(thinking);
    stop_waiting(thinking);
    thinking->request = 0;
    provider_failed(from, PROVIDER_LLM, error);
    if (error->scope != AIC_SCOPE_REQUEST) {
        close_model(thinking);
    }
    /* A second chance only where nothing was said: for a hiccup of the only model there is. */
    if (!chain_has_more(&thinking->chain, thinking->tried) && !thinking->has_retried &&
        error_is_transient(error)) {
        thinking->has_retried = true;
        thinking->tried &= ~(1u << thinking->current);
    }
    thinking->current = chain_pick(&thinking->chain, PROVIDER_LLM, thinking->tried);
    if (thinking->current < 0) {
        thinking->events.failed(thinking->events.data, error);
        return;
    }
    thinking->events.switched(thinking->events.data, from, provider_of(thinking), error);
    ask(thinking);
}

static void fail_with(struct thinking *thinking, uint32_t category, const char *what)
{
    struct aic_error error = {.size = sizeof(error),
                              .category = category,
                              .scope = AIC_SCOPE_SESSION,
                              .output_started = thinking->has_text,
                              .message = aic_str(what)};
    fail_over(thinking, &error);
}

static void out_of_patience(void *data)
{
    struct thinking *thinking = data;
    thinking->timer = NULL;
    struct provider *provider = provider_of(thinking);
    struct session *session = thinking->models[thinking->current].session;
    GUARD(provider, "llm.cancel",
          (void)provider->llm.cancel(session_handle(session), thinking->request));
    fail_with(thinking, AIC_CATEGORY_TIMEOUT, "no answer in time");
}

static void be_patient(struct thinking *thinking)
{
    bool has_more = chain_has_more(&thinking->chain, thinking->tried);
    int64_t patience_us = has_more ? short_between_us : between_us;
    if (!thinking->has_text) {
        patience_us = has_more ? thinking->settings.first_token_us : last_model_us;
    }
    stop_waiting(thinking);
    thinking->timer = sched_timer_start(thinking->sched, sched_now(thinking->sched) + patience_us,
                                        out_of_patience, thinking);
}

static void write_note(const struct thinking *thinking, struct aic_buf *note)
{
    if (thinking->said.len > 0) {
        aic_buf_text(note, "You have already said this much of your answer, and the caller has "
                           "heard it: \"");
        aic_buf_str(note, aic_buf_view(&thinking->said));
        aic_buf_text(note, "\" Go on from there. Do not repeat it.");
    }
}

static int32_t start_request(struct thinking *thinking)
{
    struct provider *provider = provider_of(thinking);
    struct aic_buf note;
    struct aic_buf messages;
    aic_buf_init(&note, MAX_SAID * 2);
    aic_buf_init(&messages, MAX_REQUEST);
    write_note(thinking, &note);
    thinking->events.write(thinking->events.data, provider, aic_buf_view(&note), &messages);
    struct aic_llm_request request = {
        .size = sizeof(request),
        .flags = thinking->is_speculative ? AIC_LLM_SPECULATIVE : 0,
        .id = ++thinking->last_request,
        .messages = aic_buf_view(&messages),
        .tools = aic_buf_view(&thinking->tools),
        .context = thinking->settings.context,
        .temperature = -1,
    };
    int32_t status = messages.failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
    if (status == AIC_OK) {
        struct session *session = thinking->models[thinking->current].session;
        thinking->request = request.id;
        GUARD(provider, "llm.start",
              status = provider->llm.start(session_handle(session), &request));
    }
    aic_buf_finish(&messages);
    aic_buf_finish(&note);
    return status;
}

/* Asks the model that is current. */
static void ask(struct thinking *thinking)
{
    thinking->tried |= 1u << thinking->current;
    thinking->has_text = false;
    thinking->has_tools = false;
    thinking->started_us = sched_now(thinking->sched);
    int32_t status = open_model(thinking, thinking->current);
    if (status == AIC_OK) {
        status = start_request(thinking);
    }
    if (status != AIC_OK) {
        fail_with(thinking, AIC_CATEGORY_INTERNAL, "the model does not take the request");
        return;
    }
    be_patient(thinking);
}

void thinking_start(struct thinking *thinking, bool is_speculative)
{
    thinking_cancel(thinking);
    aic_buf_clear(&thinking->said);
    thinking->tried = 0;
    thinking->has_retried = false;
    thinking->is_speculative = is_speculative;
    thinking->current = chain_pick(&thinking->chain, PROVIDER_LLM, 0);
    if (thinking->current < 0) {
        struct aic_error error = {.size = sizeof(error),
                                  .category = AIC_CATEGORY_INTERNAL,
                                  .message = AIC_STR("the agent has no language model")};
        thinking->events.failed(thinking->events.data, &error);
        return;
    }
    ask(thinking);
}

void thinking_cancel(struct thinking *thinking)
{
    stop_waiting(thinking);
    if (thinking->request == 0) {
        return;
    }
    struct provider *provider = provider_of(thinking);
    struct session *session = thinking->models[thinking->current].session;
    uint64_t request = thinking->request;
    thinking->request = 0;
    GUARD(provider, "llm.cancel", (void)provider->llm.cancel(session_handle(session), request));
}

static void take_delta(struct thinking *thinking, struct aic_str text)
{
    if (!thinking->has_text) {
        thinking->has_text = true;
        provider_succeeded(provider_of(thinking), PROVIDER_LLM);
    }
    be_patient(thinking);
    aic_buf_str(&thinking->said, text);
    thinking->events.delta(thinking->events.data, text);
}

static void take_finish(struct thinking *thinking, const struct aic_llm_event *event)
{
    struct provider *provider = provider_of(thinking);
    /* A caller who asked is never met with silence; only a script may mean it. */
    if (!thinking->has_text && !thinking->has_tools && event->finish == AIC_LLM_FINISH_STOP &&
        !(provider->llm_caps.flags & AIC_LLM_SCRIPTED)) {
        struct aic_error error = {.size = sizeof(error),
                                  .category = AIC_CATEGORY_PROTOCOL,
                                  .scope = AIC_SCOPE_REQUEST,
                                  .retry = AIC_RETRY_NOW,
                                  .message = AIC_STR("the model ended without a word")};
        fail_over(thinking, &error);
        return;
    }
    stop_waiting(thinking);
    thinking->request = 0;
    provider_succeeded(provider, PROVIDER_LLM);
    thinking->events.finished(thinking->events.data, provider, event->finish,
                              event->provider_state);
}

static void take_event(void *owner, const struct aic_llm_event *event)
{
    struct thinking_model *model = owner;
    struct thinking *thinking = model->thinking;
    size_t index = (size_t)(model - thinking->models);
    if (event->kind == AIC_LLM_EVENT_USAGE) {
        if (event->usage) {
            thinking->events.usage(thinking->events.data, thinking->chain.providers[index],
                                   event->usage);
        }
        return;
    }
    if (thinking->request == 0 || event->id != thinking->request ||
        (int)index != thinking->current) {
        return;
    }
    switch (event->kind) {
    case AIC_LLM_EVENT_TEXT_DELTA:
        take_delta(thinking, event->text);
        break;
    case AIC_LLM_EVENT_REASONING_DELTA:
        be_patient(thinking);
        break;
    case AIC_LLM_EVENT_TOOL_CALL:
        be_patient(thinking);
        thinking->has_tools = true;
        thinking->events.tool(thinking->events.data, event->tool_id, event->tool_name,
                              event->tool_arguments);
        break;
    case AIC_LLM_EVENT_FINISH:
        take_finish(thinking, event);
        break;
    case AIC_LLM_EVENT_ERROR:
        if (event->error) {
            fail_over(thinking, event->error);
        }
        break;
    default:
        break;
    }
}
