/* SPDX-License-Identifier: ISC */
#include "call/fetch.h"

#include "io/http_client.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

enum { ERROR_CODE = 32 };

struct fetch_http {
    struct fetch fetch;
    struct http_client *client;
    struct http_rules any;
    struct http_rules text;
};

struct fetching {
    struct fetch_http *owner;
    struct aic_http *request;
    int32_t status;
    struct aic_buf body;
    fetch_done done;
    void *data;
};

static void finish(struct fetching *f, const struct fetch_answer *answer)
{
    f->done(f->data, answer);
    aic_buf_finish(&f->body);
    free(f);
}

static void take_event(void *data, const struct aic_http_event *event)
{
    struct fetching *f = data;
    char code[ERROR_CODE];
    switch (event->kind) {
    case AIC_HTTP_EVENT_HEADERS:
        f->status = event->status;
        break;
    case AIC_HTTP_EVENT_DATA:
        aic_buf_str(&f->body, event->data);
        break;
    case AIC_HTTP_EVENT_DONE:
        finish(f, &(struct fetch_answer){.status = f->status, .body = aic_buf_view(&f->body)});
        break;
    case AIC_HTTP_EVENT_ERROR:
        (void)aic_str_copy(event->error ? event->error->code : AIC_STR("network"), code,
                           sizeof(code));
        finish(f, &(struct fetch_answer){.status = f->status, .error = code, .body = AIC_STR("")});
        break;
    default:
        break;
    }
}

static int32_t start(struct fetch *fetch, const struct fetch_request *request, fetch_done done,
                     void *data, void **handle)
{
    struct fetch_http *owner = (struct fetch_http *)fetch;
    struct fetching *f = calloc(1, sizeof(*f));
    if (!f) {
        return AIC_ERROR_MEMORY;
    }
    f->owner = owner;
    f->done = done;
    f->data = data;
    aic_buf_init(&f->body, (size_t)request->max_bytes + 1);
    int64_t connect_ms = request->timeout_ms < 2000 ? request->timeout_ms : 2000;
    const struct aic_http_request params = {
        .size = sizeof(params),
        .flags = AIC_HTTP_WHOLE | (request->only_once ? AIC_HTTP_ONCE : 0),
        .method = request->method,
        .url = request->url,
        .headers = request->headers,
        .header_count = request->header_count,
        .header_size = sizeof(struct aic_header),
        .body = request->body,
        .connect_ms = connect_ms,
        .first_byte_ms = request->timeout_ms,
        .idle_ms = request->timeout_ms,
        .total_ms = request->timeout_ms,
        .max_bytes = request->max_bytes,
    };
    const struct http_rules *rules = request->text_only ? &owner->text : &owner->any;
    int32_t status = http_client_start(owner->client, &params, rules, take_event, f, &f->request);
    if (status != AIC_OK) {
        aic_buf_finish(&f->body);
        free(f);
        return status;
    }
    *handle = f;
    return AIC_OK;
}

static void cancel(struct fetch *fetch, void *handle)
{
    struct fetch_http *owner = (struct fetch_http *)fetch;
    struct fetching *f = handle;
    if (f) {
        http_client_cancel(owner->client, f->request);
        aic_buf_finish(&f->body);
        free(f);
    }
}

static const struct fetch_ops ops = {.start = start, .cancel = cancel};

struct fetch *fetch_http_create(struct http_client *client, const char *const *private_allow)
{
    struct fetch_http *owner = calloc(1, sizeof(*owner));
    if (!owner) {
        return NULL;
    }
    owner->fetch.ops = &ops;
    owner->client = client;
    owner->any = (struct http_rules){
        .public_only = true, .plain_to_loopback_only = true, .allow = private_allow};
    owner->text = owner->any;
    owner->text.require_type_a = "application/json";
    owner->text.require_type_b = "text/";
    return &owner->fetch;
}

struct fetch *fetch_http_create_open(struct http_client *client)
{
    struct fetch_http *owner = calloc(1, sizeof(*owner));
    if (!owner) {
        return NULL;
    }
    owner->fetch.ops = &ops;
    owner->client = client;
    return &owner->fetch;
}

void fetch_http_destroy(struct fetch *fetch)
{
    free(fetch);
}
