/* SPDX-License-Identifier: ISC */
#include "job.h"

#include <string.h>

void openai_job_init(struct openai_job *job, const struct openai_provider *provider,
                     struct openai_jobs *jobs, uint64_t id)
{
    job->provider = provider;
    job->id = id;
    job->jobs = jobs;
    job->next = jobs->first;
    jobs->first = job;
    jobs->count++;
    openai_head_init(&job->head, 0);
    aic_buf_init(&job->body, OPENAI_BODY_MAX_BYTES);
}

static void release(struct openai_job *job)
{
    aic_buf_finish(&job->body);
    job->destroy(job);
}

static void enter(struct openai_job *job)
{
    job->depth++;
}

static void leave(struct openai_job *job)
{
    job->depth--;
    if (job->depth == 0 && !job->jobs) {
        release(job);
    }
}

void openai_job_drop(struct openai_job *job)
{
    if (!job->jobs) {
        return;
    }
    struct openai_job **at = &job->jobs->first;
    while (*at && *at != job) {
        at = &(*at)->next;
    }
    *at = job->next;
    job->jobs->count--;
    job->jobs = NULL;
    openai_job_cut(job);
    openai_job_stop_waiting(job);
    if (job->depth == 0) {
        release(job);
    }
}

void openai_jobs_drop(struct openai_jobs *jobs)
{
    while (jobs->first) {
        openai_job_drop(jobs->first);
    }
}

struct openai_job *openai_jobs_find(const struct openai_jobs *jobs, uint64_t id)
{
    struct openai_job *job = jobs->first;
    while (job && (job->id != id || job->is_ended)) {
        job = job->next;
    }
    return job;
}

bool openai_job_is_live(const struct openai_job *job)
{
    return job->jobs && !job->is_ended;
}

bool openai_job_is_good(const struct openai_job *job)
{
    return job->head.status >= 200 && job->head.status <= 299;
}

static void take_head(struct openai_job *job, const struct aic_http_event *event)
{
    const struct openai_provider *provider = job->provider;
    int64_t wall_us = provider->clock->wall_us(provider->host);
    openai_head_init(&job->head, event->status);
    job->ttfb_us = event->ttfb_us;
    for (uint32_t i = 0; i < event->header_count; i++) {
        const char *at = (const char *)event->headers + (size_t)i * event->header_size;
        struct aic_header header;
        memcpy(&header, at, sizeof(header));
        openai_head_take(&job->head, header.name, header.value, wall_us);
    }
}

static void on_http(void *data, const struct aic_http_event *event)
{
    struct openai_job *job = data;
    enter(job);
    if (event->kind == AIC_HTTP_EVENT_DONE || event->kind == AIC_HTTP_EVENT_ERROR) {
        job->http = NULL;
    } else if (event->kind == AIC_HTTP_EVENT_HEADERS) {
        take_head(job, event);
    } else if (event->kind == AIC_HTTP_EVENT_DATA && !openai_job_is_good(job)) {
        /* Over the bound its beginning still tells something. */
        (void)aic_buf_str(&job->body, event->data);
    }
    job->take(job, event);
    leave(job);
}

static void on_timer(void *data)
{
    struct openai_job *job = data;
    job->timer = NULL;
    enter(job);
    job->fire(job);
    leave(job);
}

int32_t openai_job_send(struct openai_job *job, const struct openai_send *params)
{
    const struct openai_provider *provider = job->provider;
    if (!provider->http) {
        return AIC_ERROR_UNSUPPORTED;
    }
    struct aic_header headers[OPENAI_HEADERS_MAX + 1];
    uint32_t count = provider->header_count;
    memcpy(headers, provider->headers, sizeof(provider->headers));
    if (params->type) {
        headers[count++] = (struct aic_header){AIC_STR("Content-Type"), aic_str(params->type)};
    }
    struct aic_buf url;
    aic_buf_init(&url, 4096);
    openai_provider_url(provider, params->path, &url);
    struct aic_http_request request = {.size = sizeof(request),
                                       .flags = params->flags,
                                       .method = params->method,
                                       .url = url.data,
                                       .headers = headers,
                                       .header_count = count,
                                       .header_size = sizeof(headers[0]),
                                       .body = params->body,
                                       .first_byte_ms = params->first_byte_ms,
                                       .idle_ms = params->idle_ms,
                                       .total_ms = params->total_ms,
                                       .max_bytes = params->max_bytes};
    int32_t status =
        url.failed ? AIC_ERROR_TOO_LARGE
                   : provider->http->start(provider->host, &request, on_http, job, &job->http);
    aic_buf_finish(&url);
    return status;
}

void openai_job_cut(struct openai_job *job)
{
    struct aic_http *http = job->http;
    job->http = NULL;
    if (http) {
        job->provider->http->cancel(job->provider->host, http);
    }
}

int32_t openai_job_wait(struct openai_job *job, int64_t ms, void (*fire)(struct openai_job *job))
{
    const struct openai_provider *provider = job->provider;
    openai_job_stop_waiting(job);
    job->fire = fire;
    int64_t deadline_us = provider->clock->now_us(provider->host) + ms * 1000;
    return provider->timer->start(provider->host, deadline_us, on_timer, job, &job->timer);
}

void openai_job_stop_waiting(struct openai_job *job)
{
    struct aic_timer *timer = job->timer;
    job->timer = NULL;
    job->provider->timer->stop(job->provider->host, timer);
}

void openai_job_fault(const struct openai_job *job, const struct aic_http_event *event,
                      struct openai_fault *fault)
{
    if (event->kind == AIC_HTTP_EVENT_ERROR) {
        openai_fault_of_network(fault, event->error);
    } else {
        openai_fault_of_answer(fault, &job->head, aic_buf_view(&job->body));
    }
    openai_fault_hide(fault, job->provider->settings.api_key);
}
