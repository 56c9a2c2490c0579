/* SPDX-License-Identifier: ISC */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>

enum { NAMES_MAX_BYTES = 2048 };

/* Of no request, so that none can be mistaken for a probe. */
static const uint64_t NO_ID = UINT64_MAX;

struct probe {
    struct openai_job job; /* first: a probe is its job */
    const char *model;
    openai_probed probed;
    const void *sink;
};

static void tell(struct probe *probe, const struct openai_fault *fault)
{
    probe->job.is_ended = true;
    probe->probed(probe->sink, fault);
}

/* Looks for the model in the list; whether all is well. */
static bool judge(const struct probe *probe, struct openai_fault *fault)
{
    struct aic_buf names;
    aic_buf_init(&names, NAMES_MAX_BYTES);
    struct aic_str body = aic_buf_view(&probe->job.body);
    const char *model = probe->model ? probe->model : "";
    int32_t status = openai_models_find(body, model, &names);
    if (status == AIC_ERROR_PROTOCOL) {
        openai_fault_set(fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_FALL_BACK,
                         "the answer of /models is no list of models: is url the base address?");
    } else if (status != AIC_OK && model[0]) {
        openai_fault_set(fault, AIC_CATEGORY_NOT_FOUND, AIC_RETRY_FALL_BACK, "");
        (void)snprintf(fault->message, sizeof(fault->message),
                       "the server has no model \"%s\"; it has: %s", model,
                       names.len > 0 ? names.data : "none");
    } else {
        status = AIC_OK;
    }
    fault->scope = AIC_SCOPE_PROVIDER;
    aic_buf_finish(&names);
    return status == AIC_OK;
}

static void take(struct openai_job *job, const struct aic_http_event *event)
{
    struct probe *probe = (struct probe *)job;
    struct openai_fault fault;
    if (event->kind == AIC_HTTP_EVENT_DATA && openai_job_is_good(job)) {
        (void)aic_buf_str(&job->body, event->data);
    } else if (event->kind == AIC_HTTP_EVENT_DONE && openai_job_is_good(job)) {
        tell(probe, judge(probe, &fault) ? NULL : &fault);
    } else if (event->kind == AIC_HTTP_EVENT_DONE || event->kind == AIC_HTTP_EVENT_ERROR) {
        openai_job_fault(job, event, &fault);
        tell(probe, &fault);
    }
}

static void destroy_probe(struct openai_job *job)
{
    free(job);
}

int32_t openai_probe(const struct openai_provider *provider, struct openai_jobs *jobs,
                     const char *model, openai_probed probed, const void *sink)
{
    struct probe *probe = calloc(1, sizeof(*probe));
    if (!probe) {
        return AIC_ERROR_MEMORY;
    }
    probe->job.take = take;
    probe->job.destroy = destroy_probe;
    probe->model = model;
    probe->probed = probed;
    probe->sink = sink;
    openai_job_init(&probe->job, provider, jobs, NO_ID);
    const struct openai_send params = {.method = "GET",
                                       .path = "/models",
                                       .flags = AIC_HTTP_WHOLE,
                                       .first_byte_ms = provider->settings.timeout_ms,
                                       .total_ms = OPENAI_WAIT_MS};
    int32_t status = openai_job_send(&probe->job, &params);
    if (status != AIC_OK) {
        openai_job_drop(&probe->job);
    }
    return status;
}
