/* SPDX-License-Identifier: ISC */
#include "fake_fetch.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct fake_request {
    struct fake_fetch *owner;
    struct fake_answer answer;
    struct sched_timer *timer;
    fetch_done done;
    void *data;
};

static void is_due(void *data)
{
    struct fake_request *request = data;
    const struct fetch_answer answer = {
        .status = request->answer.status,
        .body = aic_str(request->answer.body ? request->answer.body : ""),
        .error = request->answer.error};
    request->owner->running--;
    request->done(request->data, &answer);
    free(request);
}

static int32_t start(struct fetch *fetch, const struct fetch_request *asked, fetch_done done,
                     void *data, void **handle)
{
    struct fake_fetch *fake = (struct fake_fetch *)fetch;
    if (fake->asked >= FAKE_FETCHES || fake->answers[fake->asked].is_refused) {
        fake->asked++;
        return AIC_ERROR_INVALID;
    }
    struct fake_request *request = calloc(1, sizeof(*request));
    request->owner = fake;
    request->answer = fake->answers[fake->asked++];
    request->done = done;
    request->data = data;
    request->timer = sched_timer_start(
        fake->sched, sched_now(fake->sched) + request->answer.delay_us, is_due, request);
    (void)snprintf(fake->method, sizeof(fake->method), "%s", asked->method);
    (void)snprintf(fake->url, sizeof(fake->url), "%s", asked->url);
    (void)snprintf(fake->body, sizeof(fake->body), "%.*s", (int)asked->body.len,
                   asked->body.ptr ? asked->body.ptr : "");
    fake->headers[0] = '\0';
    for (uint32_t i = 0; i < asked->header_count; i++) {
        size_t used = strlen(fake->headers);
        (void)snprintf(fake->headers + used, sizeof(fake->headers) - used, "%.*s: %.*s\n",
                       (int)asked->headers[i].name.len, asked->headers[i].name.ptr,
                       (int)asked->headers[i].value.len, asked->headers[i].value.ptr);
    }
    fake->timeout_ms = asked->timeout_ms;
    fake->running++;
    *handle = request;
    return AIC_OK;
}

static void cancel(struct fetch *fetch, void *handle)
{
    struct fake_fetch *fake = (struct fake_fetch *)fetch;
    struct fake_request *request = handle;
    sched_timer_stop(fake->sched, request->timer);
    fake->running--;
    fake->cancelled++;
    free(request);
}

void fake_fetch_init(struct fake_fetch *fake, struct sched *sched)
{
    static const struct fetch_ops ops = {.start = start, .cancel = cancel};
    memset(fake, 0, sizeof(*fake));
    fake->fetch.ops = &ops;
    fake->sched = sched;
}
