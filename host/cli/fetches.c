/* SPDX-License-Identifier: ISC */
#include "cli/fetches.h"

#include "cli/net.h"
#include "io/http_client.h"
#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOTAL_MS = 8000 };

struct fetch {
    struct net *net;
    struct fetched *to;
    size_t *pending;
    struct aic_http *request;
};

static void ended(struct fetch *fetch)
{
    fetch->request = NULL;
    if (--*fetch->pending == 0) {
        loop_stop(fetch->net->loop);
    }
}

static void take_headers(struct fetch *fetch, const struct aic_http_event *event)
{
    const char *at = (const char *)event->headers;
    fetch->to->status = event->status;
    fetch->to->wall_us = sched_wall(fetch->net->sched);
    fetch->to->took_ms = event->ttfb_us / 1000;
    for (uint32_t i = 0; i < event->header_count; i++, at += event->header_size) {
        const struct aic_header *header = (const struct aic_header *)(const void *)at;
        if (aic_str_equal_nocase(header->name, "date")) {
            (void)aic_str_copy(header->value, fetch->to->date, sizeof(fetch->to->date));
        } else if (aic_str_equal_nocase(header->name, "location")) {
            (void)aic_str_copy(header->value, fetch->to->location, sizeof(fetch->to->location));
        }
    }
}

static void take(void *data, const struct aic_http_event *event)
{
    struct fetch *fetch = data;
    struct fetched *to = fetch->to;
    if (event->kind == AIC_HTTP_EVENT_HEADERS) {
        take_headers(fetch, event);
    } else if (event->kind == AIC_HTTP_EVENT_DATA) {
        (void)aic_buf_str(&to->body, event->data);
    } else if (event->kind == AIC_HTTP_EVENT_DONE) {
        ended(fetch);
    } else if (event->kind == AIC_HTTP_EVENT_ERROR) {
        (void)aic_str_copy(event->error->code, to->code, sizeof(to->code));
        (void)snprintf(to->message, sizeof(to->message), "%.*s", (int)event->error->message.len,
                       event->error->message.ptr);
        ended(fetch);
    }
}

void fetches_run(struct net *net, struct fetched *list, size_t count, bool is_vendor)
{
    const struct http_rules rules = {.plain_to_loopback_only = is_vendor};
    struct fetch *fetches = calloc(count + 1, sizeof(*fetches));
    size_t pending = 1;
    for (size_t i = 0; fetches && i < count; i++) {
        const struct aic_http_request request = {.size = sizeof(request),
                                                 .method = "GET",
                                                 .flags = AIC_HTTP_WHOLE,
                                                 .url = list[i].url,
                                                 .total_ms = TOTAL_MS,
                                                 .max_bytes = FETCH_BODY_MAX};
        fetches[i] = (struct fetch){net, &list[i], &pending, NULL};
        aic_buf_init(&list[i].body, FETCH_BODY_MAX);
        int32_t status =
            http_client_start(net->http, &request, &rules, take, &fetches[i], &fetches[i].request);
        pending += status == AIC_OK;
        if (status != AIC_OK) {
            (void)snprintf(list[i].code, sizeof(list[i].code), "address");
            (void)snprintf(list[i].message, sizeof(list[i].message), "this is no address");
        }
    }
    if (--pending > 0) {
        loop_run(net->loop);
    }
    free(fetches);
}

void fetches_finish(struct fetched *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        aic_buf_finish(&list[i].body);
    }
}
