/* SPDX-License-Identifier: ISC */
#include "call/context.h"

#include "buf.h"
#include "json.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

struct context {
    struct fetch *fetch;
    struct sched *sched;
    void *request;             /* NULL: it was not sent, */
    struct sched_timer *timer; /* which is told in a moment */
    bool is_bad_url;
    int64_t begun_us;
    context_done done;
    void *data;
};

static void finish(struct context *context, struct context_result result)
{
    result.took_ms = (sched_now(context->sched) - context->begun_us) / 1000;
    context->done(context->data, &result);
    free(context);
}

static void was_not_sent(void *data)
{
    struct context *context = data;
    finish(context, (struct context_result){.outcome = context->is_bad_url ? CONTEXT_REFUSED
                                                                           : CONTEXT_FAILED,
                                            .reason = context->is_bad_url ? "url" : "internal",
                                            .text = AIC_STR("")});
}

/* Text for people: no control characters but white space. */
static bool is_text(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < ' ' && c != '\n' && c != '\r' && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return aic_utf8_valid(text);
}

/* What the codes of the HTTP client come to. */
static struct context_result judge_error(const char *code)
{
    static const struct {
        const char *code;
        enum context_outcome outcome;
        const char *reason;
    } meanings[] = {
        {"address", CONTEXT_REFUSED, "address"},
        {"resolve", CONTEXT_REFUSED, "resolve"},
        {"connect_timeout", CONTEXT_FAILED, "timeout"},
        {"first_byte_timeout", CONTEXT_FAILED, "timeout"},
        {"idle_timeout", CONTEXT_FAILED, "timeout"},
        {"total_timeout", CONTEXT_FAILED, "timeout"},
        {"too_large", CONTEXT_FAILED, "too_large"},
        {"content_type", CONTEXT_FAILED, "content_type"},
        {"connect", CONTEXT_FAILED, "connect"},
        {"tls", CONTEXT_FAILED, "tls"},
    };

    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (strcmp(meanings[i].code, code) == 0) {
            return (struct context_result){.outcome = meanings[i].outcome,
                                           .reason = meanings[i].reason};
        }
    }
    return (struct context_result){.outcome = CONTEXT_FAILED, .reason = "network"};
}

static void answered(void *data, const struct fetch_answer *answer)
{
    struct context_result result = {.outcome = CONTEXT_FETCHED, .reason = ""};
    if (answer->error) {
        result = judge_error(answer->error);
    } else if (answer->status < 200 || answer->status > 299) {
        result = (struct context_result){.outcome = CONTEXT_FAILED, .reason = "http_status"};
    } else if (!is_text(answer->body)) {
        result = (struct context_result){.outcome = CONTEXT_FAILED, .reason = "not_text"};
    }
    result.http_status = answer->status;
    result.text = result.outcome == CONTEXT_FETCHED ? answer->body : AIC_STR("");
    finish(data, result);
}

struct context *context_fetch(struct fetch *fetch, struct sched *sched,
                              const struct context_request *wish, context_done done, void *data)
{
    struct context *context = calloc(1, sizeof(*context));
    if (!context) {
        return NULL;
    }
    *context = (struct context){
        .fetch = fetch, .sched = sched, .begun_us = sched_now(sched), .done = done, .data = data};
    const struct fetch_request request = {.method = "GET",
                                          .url = wish->url,
                                          .headers = wish->headers,
                                          .header_count = wish->header_count,
                                          .body = AIC_STR(""),
                                          .timeout_ms = CONTEXT_TIMEOUT_MS,
                                          .max_bytes = CONTEXT_MAX_BYTES,
                                          .text_only = true};
    int32_t status = fetch->ops->start(fetch, &request, answered, context, &context->request);
    if (status == AIC_OK) {
        return context;
    }
    context->request = NULL;
    context->is_bad_url = status == AIC_ERROR_INVALID || status == AIC_ERROR_UNSUPPORTED;
    context->timer = sched_timer_start(sched, context->begun_us, was_not_sent, context);
    if (!context->timer) {
        free(context);
        return NULL;
    }
    return context;
}

void context_cancel(struct context *context)
{
    if (context) {
        if (context->request) {
            context->fetch->ops->cancel(context->fetch, context->request);
        }
        sched_timer_stop(context->sched, context->timer);
        free(context);
    }
}

void context_describe(const struct context_result *result, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    if (result->outcome == CONTEXT_FETCHED) {
        aic_json_member_int(&w, "bytes", (int64_t)result->text.len);
    } else {
        aic_json_member_text(&w, "reason", result->reason);
    }
    if (result->http_status > 0) {
        aic_json_member_int(&w, "http_status", result->http_status);
    }
    aic_json_member_int(&w, "took_ms", result->took_ms);
    aic_json_close(&w, '}');
}
