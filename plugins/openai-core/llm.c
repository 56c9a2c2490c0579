/* SPDX-License-Identifier: ISC */
/* Role llm: sessions, each with the answers that it asked for. */
#include "answer.h"
#include "probe.h"

#include <stdlib.h>

enum { ANSWERS_MAX = 16 };

static int32_t llm_start(void *self, const struct aic_llm_request *request)
{
    struct openai_llm_session *session = self;
    return session->answers.count < ANSWERS_MAX ? openai_answer_start(session, request)
                                                : (int32_t)AIC_ERROR_BUSY;
}

static int32_t llm_cancel(void *self, uint64_t id)
{
    struct openai_llm_session *session = self;
    struct openai_job *job = openai_jobs_find(&session->answers, id);
    if (!job) {
        return AIC_ERROR_NOT_FOUND;
    }
    openai_answer_cancel(job);
    return AIC_OK;
}

static int32_t llm_open(void *self, const struct aic_llm_open *params,
                        const struct aic_llm_sink *sink, void **to)
{
    (void)params;
    struct openai_llm_session *session = calloc(1, sizeof(*session));
    if (!session) {
        return AIC_ERROR_MEMORY;
    }
    session->provider = self;
    session->sink = sink;
    *to = session;
    return AIC_OK;
}

static void llm_close(void *self)
{
    struct openai_llm_session *session = self;
    if (session) {
        openai_jobs_drop(&session->answers);
        free(session);
    }
}

static int32_t llm_capabilities(void *self, struct aic_llm_caps *caps)
{
    (void)self;
    caps->flags = AIC_LLM_STREAMING | AIC_LLM_TOOLS;
    caps->context_tokens = 0;
    return AIC_OK;
}

static void llm_prewarm(void *self)
{
    openai_provider_warm(self);
}

static void probed(const void *sink, const struct openai_fault *fault)
{
    const struct aic_llm_sink *to = sink;
    struct aic_llm_event event = {.size = sizeof(event), .kind = AIC_LLM_EVENT_FINISH};
    struct aic_error error;
    if (fault) {
        error = openai_fault_error(fault, false);
        event.kind = AIC_LLM_EVENT_ERROR;
        event.error = &error;
    } else {
        event.finish = AIC_LLM_FINISH_STOP;
    }
    to->event(to, &event);
}

static int32_t llm_probe(void *self, const struct aic_llm_sink *sink, void **session)
{
    const struct openai_provider *provider = self;
    int32_t status = llm_open(self, NULL, sink, session);
    if (status == AIC_OK) {
        struct openai_llm_session *s = *session;
        status = openai_probe(provider, &s->answers, provider->settings.chat.model, probed, sink);
        if (status != AIC_OK) {
            llm_close(s);
            *session = NULL;
        }
    }
    return status;
}

const struct aic_llm *openai_llm(void)
{
    static const struct aic_llm table = {
        .size = sizeof(table),
        .capabilities = llm_capabilities,
        .open = llm_open,
        .start = llm_start,
        .cancel = llm_cancel,
        .close = llm_close,
        .prewarm = llm_prewarm,
        .probe = llm_probe,
    };
    return &table;
}
