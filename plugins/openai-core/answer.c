/* SPDX-License-Identifier: ISC */
#include "answer.h"

#include "stream.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REQUEST_MAX_BYTES = 4 << 20,
    WORDS_MAX_BYTES = 32 * 1024, /* of the conversation's end */
    BETWEEN_MS = 5000,           /* two pieces of an answer */
    USAGE_MS = 500,              /* the end of an answer, and the usage that may follow it */
    MARGIN_MS = 1000,            /* our own patience ends first: it knows what was waited for */
    BYTES_PER_TOKEN = 4,
    MADE_UP_BYTES = 48 /* the id of a tool call */
};

struct answer {
    struct openai_job job; /* first: an answer is its job */
    const struct aic_llm_sink *sink;
    struct openai_stream stream;
    struct aic_buf words; /* of the conversation: may not get into a message */
    size_t request_bytes;
};

static struct answer *of(struct openai_job *job)
{
    return (struct answer *)job;
}

static void emit(struct answer *answer, uint32_t kind, struct aic_llm_event event)
{
    event.size = sizeof(event);
    event.kind = kind;
    event.id = answer->job.id;
    answer->sink->event(answer->sink, &event);
}

/* The same, unless the host has dropped the answer meanwhile. */
static void tell(struct answer *answer, uint32_t kind, struct aic_llm_event event)
{
    if (openai_job_is_live(&answer->job)) {
        emit(answer, kind, event);
    }
}

static void tell_text(void *data, struct aic_str text)
{
    tell(data, AIC_LLM_EVENT_TEXT_DELTA, (struct aic_llm_event){.text = text});
}

static void tell_thought(void *data, struct aic_str text)
{
    tell(data, AIC_LLM_EVENT_REASONING_DELTA, (struct aic_llm_event){.text = text});
}

static void tell_rate(struct answer *answer, const char *bucket, const struct openai_rate *rate)
{
    if (openai_rate_is_told(rate)) {
        const struct aic_rate_info info = {.size = sizeof(info),
                                           .bucket = aic_str(bucket),
                                           .limit = rate->limit,
                                           .remaining = rate->remaining,
                                           .reset_ms = rate->reset_ms};
        tell(answer, AIC_LLM_EVENT_RATE_INFO, (struct aic_llm_event){.rate = &info});
    }
}

static void tell_head(struct answer *answer)
{
    const struct openai_head *head = &answer->job.head;
    tell_rate(answer, "requests", &head->requests);
    tell_rate(answer, "tokens", &head->tokens);
    if (openai_job_is_good(&answer->job)) {
        tell(answer, AIC_LLM_EVENT_STARTED,
             (struct aic_llm_event){.vendor_id = aic_str(head->request_id),
                                    .ttfb_us = answer->job.ttfb_us});
    }
}

static bool has_begun(const struct answer *answer)
{
    const struct openai_stream *stream = &answer->stream;
    return stream->text_bytes > 0 || stream->thought_bytes > 0 || stream->tools.count > 0;
}

/* What the server has not told of the usage is estimated; of an answer that never began, nothing.
 */
static bool measure(const struct answer *answer, struct aic_usage *usage)
{
    *usage = answer->stream.usage;
    if (usage->size > 0) {
        return true;
    }
    size_t bytes = answer->stream.text_bytes + answer->stream.thought_bytes;
    *usage = (struct aic_usage){
        .size = sizeof(*usage),
        .flags = AIC_USAGE_ESTIMATED,
        .requests = 1,
        .tokens_in = (int64_t)(answer->request_bytes / BYTES_PER_TOKEN),
        .tokens_out = (int64_t)((bytes + BYTES_PER_TOKEN - 1) / BYTES_PER_TOKEN),
        .tokens_reasoning = (int64_t)(answer->stream.thought_bytes / BYTES_PER_TOKEN),
    };
    return has_begun(answer) || answer->stream.finish != AIC_LLM_FINISH_NONE;
}

static void tell_usage(struct answer *answer)
{
    struct aic_usage usage;
    if (measure(answer, &usage)) {
        tell(answer, AIC_LLM_EVENT_USAGE, (struct aic_llm_event){.usage = &usage});
    }
}

/* Tells the last event. The exchange may still run to its end, so that its connection can be used
 * again; then it ends the job. */
static void tell_last(struct answer *answer, uint32_t kind, struct aic_llm_event event)
{
    struct openai_job *job = &answer->job;
    if (!openai_job_is_live(job)) {
        return;
    }
    openai_job_stop_waiting(job);
    job->is_ended = true;
    emit(answer, kind, event);
    if (job->jobs && !job->http) {
        openai_job_drop(job);
    }
}

static void fail(struct answer *answer, const struct openai_fault *fault)
{
    struct openai_fault told = *fault;
    openai_fault_hide(&told, answer->job.provider->settings.api_key);
    openai_fault_hide_words(&told, aic_buf_view(&answer->words));
    struct aic_error error = openai_fault_error(&told, answer->stream.text_bytes > 0);
    tell_usage(answer);
    tell_last(answer, AIC_LLM_EVENT_ERROR, (struct aic_llm_event){.error = &error});
}

/* The id of a call; one is made up where the server gives none. */
static struct aic_str id_of_tool(const struct answer *answer, uint32_t number, char *made_up)
{
    struct aic_str id = aic_buf_view(&answer->stream.tools.calls[number].id);
    if (id.len > 0) {
        return id;
    }
    (void)snprintf(made_up, MADE_UP_BYTES, "call_%" PRIu64 "_%" PRIu32, answer->job.id, number);
    return aic_str(made_up);
}

static void tell_tool(struct answer *answer, uint32_t number)
{
    const struct openai_tool *call = &answer->stream.tools.calls[number];
    char made_up[MADE_UP_BYTES];
    struct aic_str arguments = aic_buf_view(&call->arguments);
    tell(answer, AIC_LLM_EVENT_TOOL_CALL,
         (struct aic_llm_event){.tool_index = number,
                                .tool_id = id_of_tool(answer, number, made_up),
                                .tool_name = aic_buf_view(&call->name),
                                .tool_arguments = arguments.len > 0 ? arguments : AIC_STR("{}")});
}

/* The answer has come to its end, one way or the other. */
static void conclude(struct answer *answer)
{
    struct openai_stream *stream = &answer->stream;
    openai_stream_end(stream);
    if (stream->has_failed) {
        (void)aic_str_copy(aic_str(answer->job.head.request_id), stream->fault.request_id,
                           sizeof(stream->fault.request_id));
        fail(answer, &stream->fault);
        return;
    }
    for (uint32_t i = 0; i < stream->tools.count; i++) {
        tell_tool(answer, i);
    }
    tell_usage(answer);
    tell_last(answer, AIC_LLM_EVENT_FINISH, (struct aic_llm_event){.finish = stream->finish});
}

static void no_usage_follows(struct openai_job *job)
{
    conclude(of(job));
}

static void out_of_patience(struct openai_job *job)
{
    struct answer *answer = of(job);
    struct openai_fault fault;
    openai_job_cut(job);
    openai_fault_set(&fault, AIC_CATEGORY_TIMEOUT, AIC_RETRY_NOW,
                     has_begun(answer) ? "the answer paused for too long"
                                       : "the model did not begin to answer in time");
    fail(answer, &fault);
}

static void be_patient(struct answer *answer, int64_t ms)
{
    if (openai_job_is_live(&answer->job)) {
        (void)openai_job_wait(&answer->job, ms, out_of_patience);
    }
}

static void take_sse(struct answer *answer, struct aic_str name, struct aic_str data)
{
    struct openai_stream *stream = &answer->stream;
    openai_stream_push(stream, name, data);
    if (stream->has_failed || stream->is_endless) {
        openai_job_cut(&answer->job);
    }
    if (stream->has_failed || stream->is_done) {
        conclude(answer);
    } else if (stream->finish != AIC_LLM_FINISH_NONE) {
        if (openai_job_is_live(&answer->job)) {
            (void)openai_job_wait(&answer->job, USAGE_MS, no_usage_follows);
        }
    } else if (stream->has_moved) {
        be_patient(answer, BETWEEN_MS);
    }
}

/* The server does not stream: the answer is one document, or is not one at all. */
static void take_whole(struct answer *answer)
{
    struct openai_job *job = &answer->job;
    if (job->body.len > 0 && job->body.data[0] == '{' && !job->body.failed) {
        openai_stream_push(&answer->stream, AIC_STR(""), aic_buf_view(&job->body));
    } else if (job->body.len > 0) {
        struct openai_fault fault;
        openai_fault_set(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_FALL_BACK,
                         "this is no chat completion: url has to be the base address, as in "
                         "\"https://api.example.com/v1\"");
        fault.scope = AIC_SCOPE_PROVIDER;
        fail(answer, &fault);
        return;
    }
    conclude(answer);
}

/* The exchange is over. */
static void take_end(struct answer *answer, const struct aic_http_event *event)
{
    struct openai_job *job = &answer->job;
    struct openai_fault fault;
    bool is_complete = answer->stream.finish != AIC_LLM_FINISH_NONE;
    if (job->is_ended) {
        openai_job_drop(job);
    } else if (event->kind == AIC_HTTP_EVENT_ERROR && is_complete) {
        conclude(answer);
    } else if (event->kind == AIC_HTTP_EVENT_ERROR || !openai_job_is_good(job)) {
        openai_job_fault(job, event, &fault);
        fail(answer, &fault);
    } else {
        take_whole(answer);
    }
}

static void take(struct openai_job *job, const struct aic_http_event *event)
{
    struct answer *answer = of(job);
    switch (event->kind) {
    case AIC_HTTP_EVENT_HEADERS:
        tell_head(answer);
        break;
    case AIC_HTTP_EVENT_SSE:
        if (!job->is_ended) {
            take_sse(answer, event->name, event->data);
        }
        break;
    case AIC_HTTP_EVENT_DATA:
        if (openai_job_is_good(job)) {
            (void)aic_buf_str(&job->body, event->data);
        }
        break;
    case AIC_HTTP_EVENT_DONE:
    case AIC_HTTP_EVENT_ERROR:
        take_end(answer, event);
        break;
    default:
        break;
    }
}

static void destroy_answer(struct openai_job *job)
{
    struct answer *answer = of(job);
    openai_stream_finish(&answer->stream);
    aic_buf_finish(&answer->words);
    free(answer);
}

static struct answer *answer_create(struct openai_llm_session *session, uint64_t id)
{
    struct answer *answer = calloc(1, sizeof(*answer));
    if (!answer) {
        return NULL;
    }
    const struct openai_think_sink sink = {
        .data = answer, .text = tell_text, .thought = tell_thought};
    answer->job.take = take;
    answer->job.destroy = destroy_answer;
    answer->sink = session->sink;
    aic_buf_init(&answer->words, WORDS_MAX_BYTES);
    openai_job_init(&answer->job, session->provider, &session->answers, id);
    openai_stream_init(&answer->stream, session->provider->settings.reasoning_field, &sink);
    return answer;
}

static int32_t send_question(struct answer *answer, struct aic_str body)
{
    int64_t timeout_ms = answer->job.provider->settings.timeout_ms;
    const struct openai_send params = {.method = "POST",
                                       .path = "/chat/completions",
                                       .type = "application/json",
                                       .body = body,
                                       .flags = AIC_HTTP_SSE,
                                       .first_byte_ms = timeout_ms + MARGIN_MS,
                                       .idle_ms = BETWEEN_MS + MARGIN_MS,
                                       .total_ms = timeout_ms + OPENAI_WAIT_MS};
    answer->request_bytes = body.len;
    int32_t status = openai_job_send(&answer->job, &params);
    if (status == AIC_OK) {
        status = openai_job_wait(&answer->job, timeout_ms, out_of_patience);
    }
    return status;
}

int32_t openai_answer_start(struct openai_llm_session *session,
                            const struct aic_llm_request *request)
{
    struct aic_buf body;
    aic_buf_init(&body, REQUEST_MAX_BYTES);
    int32_t status = openai_chat_write(&session->provider->settings.chat, request, &body);
    struct answer *answer = status == AIC_OK ? answer_create(session, request->id) : NULL;
    if (answer) {
        openai_chat_words(request->messages, &answer->words);
        status = send_question(answer, aic_buf_view(&body));
        if (status != AIC_OK) {
            openai_job_drop(&answer->job);
        }
    } else if (status == AIC_OK) {
        status = AIC_ERROR_MEMORY;
    }
    aic_buf_finish(&body);
    return status;
}

/* What was made until now is paid for. */
static void tell_cancelled(struct openai_job *job)
{
    struct answer *answer = of(job);
    struct aic_usage usage;
    if (measure(answer, &usage)) {
        emit(answer, AIC_LLM_EVENT_USAGE, (struct aic_llm_event){.usage = &usage});
    }
    if (job->jobs) {
        openai_job_drop(job);
    }
}

void openai_answer_cancel(struct openai_job *job)
{
    job->is_ended = true;
    openai_job_cut(job);
    if (!has_begun(of(job)) || openai_job_wait(job, 0, tell_cancelled) != AIC_OK) {
        openai_job_drop(job);
    }
}
