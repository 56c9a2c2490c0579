/* SPDX-License-Identifier: ISC */
#include "rest.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_REQUESTS = 1000,
    MAX_RUNNING = 40,
    MAX_ATTEMPTS = 4,
    ANSWER_MAX_BYTES = 256 << 10,
    MAX_HEADERS = 3,
    FIRST_PAUSE_MS = 100,
    LONGEST_PAUSE_MS = 3000,
    LONGEST_RETRY_AFTER_S = 30,
    HTTP_BUSY = 429,
    CONNECT_MS = 5000
};

static const int64_t patience_us = INT64_C(30000000);

struct twilio_request {
    struct twilio_provider *provider;
    struct twilio_request *next;
    const char *method;
    char *url;
    char *form;
    bool is_once;
    void (*done)(void *data, const struct twilio_answer *answer);
    void *data;
    struct aic_http *http;   /* while it is out */
    struct aic_timer *timer; /* while it pauses */
    int attempts;
    int64_t begun_us;
    /* Of the last attempt. */
    int32_t status;
    int64_t retry_after_s; /* -1: not told */
    char date[64];
    char request_id[64];
    struct aic_json *body;
};

static void run_next(struct twilio_provider *provider);

static void unlink_request(struct twilio_request *request)
{
    struct twilio_request **at = &request->provider->requests;
    while (*at != request) {
        at = &(*at)->next;
    }
    *at = request->next;
    request->provider->request_count--;
}

/* Frees a request that is in no list and not out. */
static void free_request(struct twilio_request *request)
{
    request->provider->timer->stop(request->provider->host, request->timer);
    aic_json_free(request->body);
    free(request->url);
    free(request->form);
    free(request);
}

static void finish(struct twilio_request *request, const struct twilio_problem *problem,
                   bool is_unknown)
{
    struct twilio_provider *provider = request->provider;
    struct twilio_answer answer = {.body = problem ? NULL : request->body,
                                   .problem = problem,
                                   .is_unknown = is_unknown,
                                   .date = aic_str(request->date)};
    unlink_request(request);
    request->done(request->data, &answer);
    free_request(request);
    run_next(provider);
}

static void on_pause_over(void *data)
{
    struct twilio_request *request = data;
    request->timer = NULL;
    run_next(request->provider);
}

/* What it asked for waits first, then somewhere between nothing and twice as long as before. */
static void pause_request(struct twilio_request *request)
{
    struct twilio_provider *provider = request->provider;
    int64_t most_ms = (int64_t)FIRST_PAUSE_MS << request->attempts;
    most_ms = most_ms < LONGEST_PAUSE_MS ? most_ms : LONGEST_PAUSE_MS;
    int64_t until_us = twilio_now(provider) + twilio_random_below(provider, most_ms * 1000);
    if (request->retry_after_s > 0) {
        provider->not_before_us = until_us + request->retry_after_s * 1000000;
        until_us = provider->not_before_us;
    }
    provider->counters.repeats++;
    (void)provider->timer->start(provider->host, until_us, on_pause_over, request, &request->timer);
}

/* The request never left this machine. */
static bool was_not_sent(const struct aic_error *error)
{
    static const char *const codes[] = {"address", "resolve", "connect", "connect_timeout", "tls"};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (aic_str_equal(error->code, codes[i])) {
            return true;
        }
    }
    return false;
}

static bool is_passing(const struct aic_error *error)
{
    return error->category == AIC_CATEGORY_SERVER || error->category == AIC_CATEGORY_OVERLOADED ||
           error->category == AIC_CATEGORY_TIMEOUT || error->category == AIC_CATEGORY_NETWORK;
}

/*
 * An attempt failed. Twilio refuses with 429 before it does anything, so that is always safe to
 * repeat; of other failures nobody knows what was done, unless nothing was sent.
 */
static void fail(struct twilio_request *request, struct twilio_problem *problem)
{
    const struct aic_error *error = &problem->error;
    bool was_refused = request->status >= 300 && request->status < 500;
    bool is_unknown = !was_refused && !(request->status == 0 && was_not_sent(error));
    bool may_repeat =
        request->status == HTTP_BUSY || (is_passing(error) && (!is_unknown || !request->is_once));
    int64_t waited_us = twilio_now(request->provider) - request->begun_us;
    if (request->retry_after_s >= 0) {
        problem->error.retry = AIC_RETRY_AFTER;
        problem->error.retry_after_ms = request->retry_after_s * 1000;
    } else if (error->retry == AIC_RETRY_AFTER) {
        problem->error.retry_after_ms = LONGEST_PAUSE_MS;
    }
    if (may_repeat && request->attempts < MAX_ATTEMPTS && waited_us < patience_us &&
        request->retry_after_s <= LONGEST_RETRY_AFTER_S) {
        pause_request(request);
        run_next(request->provider);
        return;
    }
    finish(request, problem, is_unknown);
}

static void on_answer(struct twilio_request *request)
{
    struct twilio_problem problem;
    bool is_good = request->status >= 200 && request->status < 300;
    if (is_good && aic_json_is_object(request->body)) {
        finish(request, NULL, false);
        return;
    }
    twilio_problem_read(&problem, request->status, request->body, aic_str(request->request_id));
    if (is_good) {
        twilio_problem_make(&problem, AIC_CATEGORY_PROTOCOL,
                            "Twilio's answer is not what its documentation says");
        problem.error.http_status = request->status;
    }
    fail(request, &problem);
}

static void take_headers(struct twilio_request *request, const struct aic_http_event *event)
{
    const char *at = (const char *)event->headers;
    request->status = event->status;
    for (uint32_t i = 0; i < event->header_count; i++, at += event->header_size) {
        const struct aic_header *header = (const struct aic_header *)(const void *)at;
        if (aic_str_equal_nocase(header->name, "retry-after")) {
            char text[16];
            char *rest = NULL;
            (void)aic_str_copy(header->value, text, sizeof(text));
            long seconds = strtol(text, &rest, 10);
            request->retry_after_s = rest != text && *rest == '\0' && seconds >= 0 ? seconds : -1;
        } else if (aic_str_equal_nocase(header->name, "date")) {
            (void)aic_str_copy(header->value, request->date, sizeof(request->date));
        } else if (aic_str_equal_nocase(header->name, "twilio-request-id")) {
            (void)aic_str_copy(header->value, request->request_id, sizeof(request->request_id));
        }
    }
}

static void on_http(void *data, const struct aic_http_event *event)
{
    struct twilio_request *request = data;
    if (event->kind == AIC_HTTP_EVENT_HEADERS) {
        take_headers(request, event);
    } else if (event->kind == AIC_HTTP_EVENT_DATA) {
        aic_json_free(request->body);
        request->body = aic_json_parse(event->data, ANSWER_MAX_BYTES);
    } else if (event->kind == AIC_HTTP_EVENT_DONE) {
        request->http = NULL;
        request->provider->running--;
        on_answer(request);
    } else if (event->kind == AIC_HTTP_EVENT_ERROR) {
        struct twilio_problem problem;
        request->http = NULL;
        request->provider->running--;
        /* Without a whole answer a status says nothing. */
        request->status = 0;
        twilio_problem_copy(&problem, "Twilio can not be reached: ", event->error);
        fail(request, &problem);
    }
}

static int32_t send_request(struct twilio_request *request)
{
    const struct twilio_provider *provider = request->provider;
    struct aic_header headers[MAX_HEADERS] = {
        {AIC_STR("authorization"), aic_str(provider->settings.authorization)},
        {AIC_STR("accept"), AIC_STR("application/json")},
    };
    uint32_t count = 2;
    if (strcmp(request->method, "POST") == 0) {
        headers[count++] = (struct aic_header){AIC_STR("content-type"),
                                               AIC_STR("application/x-www-form-urlencoded")};
    }
    aic_json_free(request->body);
    request->body = NULL;
    request->status = 0;
    request->retry_after_s = -1;
    request->date[0] = '\0';
    request->request_id[0] = '\0';
    request->attempts++;
    const struct aic_http_request params = {
        .size = sizeof(params),
        .flags = AIC_HTTP_WHOLE | (request->is_once ? AIC_HTTP_ONCE : 0u),
        .method = request->method,
        .url = request->url,
        .headers = headers,
        .header_count = count,
        .header_size = sizeof(headers[0]),
        .body = aic_str(request->form),
        .connect_ms = CONNECT_MS,
        .first_byte_ms = provider->settings.timeout_ms,
        .total_ms = provider->settings.timeout_ms,
        .max_bytes = ANSWER_MAX_BYTES,
    };
    return provider->http->start(provider->host, &params, on_http, request, &request->http);
}

static void on_start_failed(void *data)
{
    struct twilio_request *request = data;
    struct twilio_problem problem;
    request->timer = NULL;
    twilio_problem_make(&problem, AIC_CATEGORY_INTERNAL, "the request could not be sent");
    finish(request, &problem, false);
}

static bool may_run(const struct twilio_request *request)
{
    return !request->http && !request->timer;
}

/* Sends what waits, in its order, as far as there is room. */
static void run_next(struct twilio_provider *provider)
{
    for (struct twilio_request *request = provider->requests;
         request && provider->running < MAX_RUNNING; request = request->next) {
        if (!may_run(request)) {
            continue;
        }
        int64_t now_us = twilio_now(provider);
        if (now_us < provider->not_before_us) {
            (void)provider->timer->start(provider->host, provider->not_before_us, on_pause_over,
                                         request, &request->timer);
            continue;
        }
        if (send_request(request) == AIC_OK) {
            provider->running++;
        } else {
            (void)provider->timer->start(provider->host, now_us, on_start_failed, request,
                                         &request->timer);
        }
    }
}

int32_t twilio_rest_start(struct twilio_provider *provider, const struct twilio_ask *ask,
                          struct twilio_request **request)
{
    struct aic_buf url;
    if (provider->request_count >= MAX_REQUESTS) {
        return AIC_ERROR_BUSY;
    }
    struct twilio_request *made = calloc(1, sizeof(*made));
    if (!made) {
        return AIC_ERROR_MEMORY;
    }
    aic_buf_init(&url, TWILIO_TEXT_MAX_BYTES);
    aic_buf_text(&url, provider->settings.base);
    aic_buf_str(&url, ask->path);
    made->provider = provider;
    made->method = ask->method;
    made->url = aic_buf_detach(&url);
    made->form = aic_str_dup(ask->form);
    made->is_once = ask->is_once;
    made->done = ask->done;
    made->data = ask->data;
    made->begun_us = twilio_now(provider);
    if (!made->url || !made->form) {
        free_request(made);
        return AIC_ERROR_MEMORY;
    }
    struct twilio_request **end = &provider->requests;
    while (*end) {
        end = &(*end)->next;
    }
    *end = made;
    provider->request_count++;
    provider->counters.requests++;
    *request = made;
    run_next(provider);
    return AIC_OK;
}

void twilio_rest_cancel(struct twilio_request *request)
{
    if (!request) {
        return;
    }
    struct twilio_provider *provider = request->provider;
    if (request->http) {
        provider->http->cancel(provider->host, request->http);
        provider->running--;
    }
    unlink_request(request);
    free_request(request);
}

void twilio_rest_stop(struct twilio_provider *provider)
{
    for (struct twilio_request *request = provider->requests, *next = NULL; request;
         request = next) {
        next = request->next;
        twilio_rest_cancel(request);
    }
}
