/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CALLS = 1000, WHY_MAX_BYTES = 2000 };

static const char prefix[] = "wav:";

static int32_t capabilities(void *self, struct aic_telephony_caps *caps)
{
    static const struct aic_format formats[] = {
        {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1},
        {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1},
        {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
        {.codec = AIC_CODEC_MULAW, .rate_hz = 16000, .channels = 1},
        {.codec = AIC_CODEC_ALAW, .rate_hz = 8000, .channels = 1},
        {.codec = AIC_CODEC_ALAW, .rate_hz = 16000, .channels = 1},
    };
    (void)self;
    struct aic_telephony_caps ours = {
        .size = caps->size,
        .flags = AIC_TEL_DIAL | AIC_TEL_NO_ECHO,
        .formats_out = formats,
        .format_count = sizeof(formats) / sizeof(formats[0]),
        .format_size = sizeof(formats[0]),
    };
    /* An older host may know less of them. */
    memcpy(caps, &ours, caps->size < sizeof(ours) ? caps->size : sizeof(ours));
    return AIC_OK;
}

static int32_t start(void *self, const struct aic_telephony_sink *sink)
{
    struct wav_provider *provider = self;
    if (provider->lane_in_use) {
        return AIC_ERROR_INVALID;
    }
    int32_t status = provider->pool->lane_open(provider->host, &provider->lane);
    if (status != AIC_OK) {
        return status;
    }
    provider->lane_in_use = true;
    provider->sink = sink;
    return AIC_OK;
}

void wav_provider_free(struct wav_provider *provider)
{
    if (!provider->is_destroyed || provider->lane_in_use) {
        return;
    }
    free(provider->folder);
    free(provider);
}

static void on_lane_closed(void *data)
{
    struct wav_provider *provider = data;
    provider->lane_in_use = false;
    wav_provider_free(provider);
}

static void stop(void *self)
{
    struct wav_provider *provider = self;
    if (!provider->sink) {
        return;
    }
    provider->sink = NULL;
    provider->timer->stop(provider->host, provider->result_timer);
    provider->result_timer = NULL;
    while (provider->results) {
        struct wav_result *result = provider->results;
        provider->results = result->next;
        free(result);
    }
    for (struct wav_call *call = provider->calls, *next = NULL; call; call = next) {
        next = call->next;
        if (call->phase == WAV_LOADING) {
            call->is_forgotten = true;
        } else {
            wav_call_free(call);
        }
    }
    provider->pool->lane_close(provider->host, provider->lane, on_lane_closed, provider);
    provider->lane = NULL;
}

static void load(void *data)
{
    struct wav_call *call = data;
    if (!aic_str_starts(aic_str(call->to), prefix)) {
        aic_buf_text(&call->why, "a caller's file is dialled as wav:PATH");
        call->load_status = AIC_ERROR_INVALID;
        return;
    }
    call->load_status = wav_file_load(call->provider->folder, call->to + sizeof(prefix) - 1,
                                      &call->file, &call->why);
}

static uint32_t category_of(int32_t status)
{
    switch (status) {
    case AIC_ERROR_NOT_FOUND:
        return AIC_CATEGORY_NOT_FOUND;
    case AIC_ERROR_DENIED:
        return AIC_CATEGORY_PERMISSION;
    case AIC_ERROR_MEMORY:
    case AIC_ERROR_IO:
        return AIC_CATEGORY_SERVER;
    default:
        return AIC_CATEGORY_BAD_REQUEST;
    }
}

static void tell_load_error(struct wav_call *call)
{
    const struct aic_telephony_sink *sink = call->provider->sink;
    struct aic_error error = {.size = sizeof(error),
                              .category = category_of(call->load_status),
                              .scope = AIC_SCOPE_REQUEST,
                              .retry = AIC_RETRY_NEVER,
                              .message = aic_buf_view(&call->why)};
    struct aic_telephony_event event = {.size = sizeof(event),
                                        .kind = AIC_TEL_EVENT_ERROR,
                                        .request_id = call->request_id,
                                        .call_id = aic_str(call->call_id),
                                        .to = aic_str(call->to),
                                        .sequence = -1,
                                        .duration_s = -1,
                                        .error = &error};
    sink->event(sink, &event);
}

static void on_loaded(void *data, int32_t status)
{
    struct wav_call *call = data;
    if (call->is_forgotten || status != AIC_OK) {
        wav_call_free(call);
        return;
    }
    if (call->load_status == AIC_OK) {
        wav_call_answer(call);
        return;
    }
    tell_load_error(call);
    wav_call_free(call);
}

static struct wav_call *find_call(const struct wav_provider *provider, struct aic_str id,
                                  struct aic_str call_id)
{
    for (struct wav_call *call = provider->calls; call; call = call->next) {
        if (aic_str_equal(id, call->id) || aic_str_equal(call_id, call->call_id)) {
            return call;
        }
    }
    return NULL;
}

static struct wav_call *create_call(struct wav_provider *provider,
                                    const struct aic_telephony_dial *params)
{
    struct wav_call *call = calloc(1, sizeof(*call));
    if (!call) {
        return NULL;
    }
    call->provider = provider;
    call->call_id = aic_str_dup(aic_str(params->call_id));
    call->token = aic_str_dup(aic_str(params->token));
    call->to = aic_str_dup(aic_str(params->to));
    call->request_id = params->request_id;
    call->limit_us = params->limit_ms * 1000;
    aic_buf_init(&call->why, WHY_MAX_BYTES);
    uint64_t random = 0;
    provider->clock->random(provider->host, &random, sizeof(random));
    (void)snprintf(call->id, sizeof(call->id), "wav-%016llx", (unsigned long long)random);
    call->next = provider->calls;
    provider->calls = call;
    provider->call_count++;
    if (!call->call_id || !call->token || !call->to) {
        wav_call_free(call);
        return NULL;
    }
    return call;
}

static int32_t dial(void *self, const struct aic_telephony_dial *params)
{
    struct wav_provider *provider = self;
    if (!provider->sink) {
        return AIC_ERROR_CLOSED;
    }
    if (!params->call_id || !params->token || !params->to) {
        return AIC_ERROR_INVALID;
    }
    if (find_call(provider, (struct aic_str){"", 0}, aic_str(params->call_id))) {
        return AIC_ERROR_CONFLICT;
    }
    if (provider->call_count >= MAX_CALLS) {
        return AIC_ERROR_BUSY;
    }
    struct wav_call *call = create_call(provider, params);
    if (!call) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = provider->pool->run(provider->host, provider->lane, load, on_loaded, call);
    if (status != AIC_OK) {
        wav_call_free(call);
    }
    return status;
}

static void on_results(void *data)
{
    struct wav_provider *provider = data;
    provider->result_timer = NULL;
    struct wav_result *results = provider->results;
    provider->results = NULL;
    while (results) {
        struct wav_result *result = results;
        results = result->next;
        struct aic_telephony_event event = {.size = sizeof(event),
                                            .kind = AIC_TEL_EVENT_RESULT,
                                            .request_id = result->request_id,
                                            .sequence = -1,
                                            .duration_s = -1};
        provider->sink->event(provider->sink, &event);
        free(result);
    }
}

static int32_t hangup(void *self, uint64_t request_id, struct aic_str provider_call_id)
{
    struct wav_provider *provider = self;
    if (!provider->sink) {
        return AIC_ERROR_CLOSED;
    }
    struct wav_result *result = malloc(sizeof(*result));
    if (!result) {
        return AIC_ERROR_MEMORY;
    }
    *result = (struct wav_result){.next = provider->results, .request_id = request_id};
    provider->results = result;
    if (!provider->result_timer) {
        (void)provider->timer->start(provider->host, provider->clock->now_us(provider->host),
                                     on_results, provider, &provider->result_timer);
    }
    struct wav_call *call = find_call(provider, provider_call_id, (struct aic_str){"", 0});
    if (call) {
        wav_call_end(call, AIC_LEG_END_HOST);
    }
    return AIC_OK;
}

const struct aic_telephony wav_telephony = {
    .size = sizeof(wav_telephony),
    .capabilities = capabilities,
    .start = start,
    .stop = stop,
    .leg_attach = wav_leg_attach,
    .leg_send = wav_leg_send,
    .leg_hangup = wav_leg_hangup,
    .leg_close = wav_leg_close,
    .dial = dial,
    .hangup = hangup,
};
