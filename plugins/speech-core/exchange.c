/* SPDX-License-Identifier: ISC */
#include "exchange.h"

#include <string.h>

enum { REFUSAL_MAX_BYTES = 64 * 1024 };

void speech_exchange_init(struct speech_exchange *exchange, const struct speech_services *services,
                          const struct speech_exchange_events *events)
{
    *exchange = (struct speech_exchange){.services = services, .events = *events};
    aic_buf_init(&exchange->refusal, REFUSAL_MAX_BYTES);
}

bool speech_exchange_is_good(const struct speech_exchange *exchange)
{
    return exchange->status >= 200 && exchange->status <= 299;
}

static void take_headers(struct speech_exchange *exchange, const struct aic_http_event *event)
{
    const struct speech_exchange_events *events = &exchange->events;
    exchange->status = event->status;
    for (uint32_t i = 0; events->header && i < event->header_count; i++) {
        struct aic_header header;
        memcpy(&header, (const char *)event->headers + (size_t)i * event->header_size,
               sizeof(header));
        events->header(events->data, header.name, header.value);
    }
    if (events->begun) {
        events->begun(events->data);
    }
}

static void take_bytes(struct speech_exchange *exchange, struct aic_str bytes)
{
    const struct speech_exchange_events *events = &exchange->events;
    if (!speech_exchange_is_good(exchange)) {
        /* Over the bound its beginning still tells something. */
        (void)aic_buf_str(&exchange->refusal, bytes);
    } else if (events->bytes) {
        events->bytes(events->data, bytes);
    }
}

static void on_http(void *data, const struct aic_http_event *event)
{
    struct speech_exchange *exchange = data;
    const struct speech_exchange_events *events = &exchange->events;
    switch (event->kind) {
    case AIC_HTTP_EVENT_HEADERS:
        take_headers(exchange, event);
        break;
    case AIC_HTTP_EVENT_DATA:
        take_bytes(exchange, event->data);
        break;
    case AIC_HTTP_EVENT_DONE:
    case AIC_HTTP_EVENT_ERROR:
        exchange->http = NULL;
        events->ended(events->data, event->kind == AIC_HTTP_EVENT_ERROR ? event->error : NULL);
        break;
    default:
        break;
    }
}

int32_t speech_exchange_start(struct speech_exchange *exchange,
                              const struct aic_http_request *request)
{
    const struct speech_services *services = exchange->services;
    exchange->status = 0;
    aic_buf_clear(&exchange->refusal);
    if (!services->http) {
        return AIC_ERROR_UNSUPPORTED;
    }
    return services->http->start(services->host, request, on_http, exchange, &exchange->http);
}

void speech_exchange_finish(struct speech_exchange *exchange)
{
    struct aic_http *http = exchange->http;
    exchange->http = NULL;
    if (http) {
        exchange->services->http->cancel(exchange->services->host, http);
    }
    aic_buf_finish(&exchange->refusal);
}
