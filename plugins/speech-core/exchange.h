/* SPDX-License-Identifier: ISC */
#ifndef SPEECH_EXCHANGE_H
#define SPEECH_EXCHANGE_H
/*
 * One HTTP request to a vendor and its streamed answer. The body of a refusal is gathered. After an
 * event the exchange does not touch itself, so that its owner may be gone by then.
 */
#include "services.h"

/* All but `ended` may be NULL. */
struct speech_exchange_events {
    void *data;
    /* One header of the answer; no event may be told from here. */
    void (*header)(void *data, struct aic_str name, struct aic_str value);
    /* All headers are there. */
    void (*begun)(void *data);
    /* The next bytes of a good answer. */
    void (*bytes)(void *data, struct aic_str bytes);
    /* The end; `error` is the network's, or NULL: then status and body tell. */
    void (*ended)(void *data, const struct aic_error *error);
};

struct speech_exchange {
    const struct speech_services *services;
    struct speech_exchange_events events;
    struct aic_http *http; /* NULL when nothing is under way */
    int32_t status;
    struct aic_buf refusal; /* the body of an answer that is not 2xx */
};

void speech_exchange_init(struct speech_exchange *exchange, const struct speech_services *services,
                          const struct speech_exchange_events *events);
int32_t speech_exchange_start(struct speech_exchange *exchange,
                              const struct aic_http_request *request);
/* Breaks it off; nothing is told after this. */
void speech_exchange_finish(struct speech_exchange *exchange);
bool speech_exchange_is_good(const struct speech_exchange *exchange);

#endif
