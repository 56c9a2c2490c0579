/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "plugin/storage.h"
#include "web/call_wish.h"
#include "web/idempotency.h"
#include "web/place_trace.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * POST /calls/make-call/: the body is read, a key of idempotency is taken in the storage, the
 * context is fetched, then calls_dial asks the gate and the carrier. Only a request that came as
 * far as the carrier keeps its key: any other may be sent again.
 */

enum { ANSWER_BYTES = 4096, PARAMS_BYTES = 8192, ACTOR = 128 };

struct making {
    struct making *next;
    struct web *web; /* NULL: it is gone */
    struct aic_exchange *exchange;
    struct call_wish wish;
    struct place_trace trace;
    struct context *fetching;
    struct aic_buf context;
    struct aic_buf context_event; /* detail of the event that tells of it */
    bool has_context;
    char idempotency[IDEMPOTENCY_NAME]; /* "" = none */
    char fingerprint[IDEMPOTENCY_FINGERPRINT];
    char actor[ACTOR];
    /* The answer, while the storage takes it down. */
    int32_t status;
    bool is_placed; /* the carrier was asked */
    char call_id[UUID_TEXT];
    struct aic_buf answer;
    struct problem problem; /* unless status is 201 */
    char reason[48];
    char detail[512];
};

static void end(struct making *m)
{
    struct making **at = m->web ? &m->web->making : NULL;
    while (at && *at != m) {
        at = &(*at)->next;
    }
    if (at) {
        *at = m->next;
    }
    context_cancel(m->fetching);
    call_wish_finish(&m->wish);
    aic_buf_finish(&m->context);
    aic_buf_finish(&m->context_event);
    aic_buf_finish(&m->answer);
    free(m);
}

static void refuse(struct making *m, int32_t status, const char *type, const char *detail)
{
    (void)reply_problem(m->exchange, status, type, detail);
    end(m);
}

static bool is_too_late(struct making *m)
{
    if (!m->web) {
        refuse(m, 503, "draining", "The server is stopping.");
        return true;
    }
    return false;
}

static void change(struct making *m, const char *name, const struct aic_buf *params,
                   storage_reply reply)
{
    storage_change(m->web->settings.storage, name, aic_buf_view(params), reply, reply ? m : NULL);
}

/* The end: what there is to say is said. */

static void write_answer(const struct making *m, struct aic_buf *to, const char *call_sid)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", m->call_id);
    aic_json_member_text(&w, "call_sid", call_sid);
    aic_json_member_text(&w, "status", "queued");
    aic_json_close(&w, '}');
}

static void say(struct making *m)
{
    if (m->web) {
        place_trace_end(&m->trace, m->call_id, m->status, m->status == 201 ? NULL : m->reason,
                        sched_wall(m->web->settings.sched));
    }
    if (m->status == 201) {
        (void)reply_json(m->exchange, 201, aic_buf_view(&m->answer));
    } else {
        (void)reply_with(m->exchange, &m->problem);
    }
    end(m);
}

static void answer_is_kept(void *data, int32_t status, struct aic_str rows,
                           const struct aic_error *error)
{
    /* Kept or not, the call was made; without its key the same request would make another one only
     * after the lease, and is told then that nobody knows. */
    (void)status;
    (void)rows;
    (void)error;
    say(data);
}

/* Writes the answer down under the key, so that the same request gets it again. */
static void keep_answer(struct making *m)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, PARAMS_BYTES);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key", m->idempotency);
    aic_json_member_int(&w, "status", m->status);
    aic_json_member_text(&w, "call_id", m->call_id);
    aic_json_member(&w, "response", aic_buf_view(&m->answer));
    aic_json_close(&w, '}');
    change(m, "idempotency.finish", &params, answer_is_kept);
    aic_buf_finish(&params);
}

/* Nobody was called: the same request may be sent again. */
static void release_key(struct making *m)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 1024);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key", m->idempotency);
    aic_json_close(&w, '}');
    change(m, "idempotency.release", &params, NULL);
    aic_buf_finish(&params);
}

static void conclude(struct making *m)
{
    if (!m->web || !m->idempotency[0]) {
        say(m);
    } else if (m->is_placed) {
        keep_answer(m);
    } else {
        release_key(m);
        say(m);
    }
}

/* Concludes with a problem, whose texts are copied. */
static void fail(struct making *m, const struct problem *problem)
{
    m->status = problem->status;
    m->problem = *problem;
    (void)aic_str_copy(aic_str(problem->detail), m->detail, sizeof(m->detail));
    m->problem.detail = m->detail;
    if (problem->reason) {
        (void)aic_str_copy(aic_str(problem->reason), m->reason, sizeof(m->reason));
        m->problem.reason = m->reason;
    }
    m->problem.call_id = m->call_id[0] ? m->call_id : NULL;
    conclude(m);
}

/* Dialling */

static void tell_failure(struct making *m, const struct calls_dial_result *result)
{
    static const struct {
        int32_t code;
        int32_t status;
        const char *type;
    } meanings[] = {
        {AIC_ERROR_DENIED, 403, "not-allowed"}, {AIC_ERROR_BUSY, 429, "limit"},
        {AIC_ERROR_NOT_FOUND, 404, "no-agent"}, {AIC_ERROR_UNSUPPORTED, 422, "no-carrier"},
        {AIC_ERROR_INVALID, 422, "carrier"},    {AIC_ERROR_IO, 502, "carrier"},
        {AIC_ERROR_CLOSED, 503, "not-now"},
    };

    const char *type = "not-now";
    int32_t status = 503;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == result->status) {
            status = meanings[i].status;
            type = meanings[i].type;
        }
    }
    int64_t wait_ms = status == 503 && result->retry_after_ms <= 0 ? 1000 : result->retry_after_ms;
    fail(m, &(struct problem){.status = status,
                              .type = type,
                              .reason = result->reason,
                              .detail = result->error ? result->error : "It cannot be placed now.",
                              .retry_after_s = (wait_ms + 999) / 1000});
}

/* So that the call is found in the traces: its trace is not the one that its id would make. */
static void record_trace(const struct making *m)
{
    struct aic_buf detail;
    aic_buf_init(&detail, 128);
    place_trace_describe(&m->trace, &detail);
    if (detail.len > 0) {
        calls_record_event(m->web->settings.calls, m->call_id, "trace", aic_buf_view(&detail));
    }
    aic_buf_finish(&detail);
}

static void dialled(void *data, const struct calls_dial_result *result)
{
    struct making *m = data;
    if (result->call_id && result->call_id[0]) {
        (void)aic_str_copy(aic_str(result->call_id), m->call_id, sizeof(m->call_id));
    }
    if (m->web && m->call_id[0] && m->context_event.len > 0) {
        calls_record_event(m->web->settings.calls, m->call_id,
                           m->has_context ? "context" : "context_failed",
                           aic_buf_view(&m->context_event));
    }
    if (m->web && m->call_id[0]) {
        record_trace(m);
    }
    m->is_placed = result->status == AIC_OK || result->status == AIC_ERROR_IO ||
                   (result->reason && strcmp(result->reason, "canceled") == 0);
    write_answer(m, &m->answer, result->call_sid);
    if (result->status == AIC_OK) {
        m->status = 201;
        conclude(m);
    } else {
        tell_failure(m, result);
    }
}

static void dial(struct making *m)
{
    char parent[TRACE_PARENT_TEXT];
    place_trace_call_parent(&m->trace, parent);
    const struct calls_dial params = {.to = m->wish.to,
                                      .agent = m->wish.agent,
                                      .prompt = m->wish.prompt,
                                      .context = aic_buf_view(&m->context),
                                      .context_url = aic_str(m->wish.context_url),
                                      .variables = AIC_STR(""),
                                      .metadata = aic_str(m->wish.metadata),
                                      .traceparent = parent,
                                      .actor = m->actor};
    calls_dial(m->web->settings.calls, &params, dialled, m);
}

/* The context */

static const char *explain_refusal(const char *reason)
{
    if (strcmp(reason, "address") == 0) {
        return "\"context_url\" leads to an address that may not be asked: one that is private, "
               "or http where https is needed. The operator may allow it in "
               "security.private_allow.";
    }
    if (strcmp(reason, "resolve") == 0) {
        return "The host of \"context_url\" has no address.";
    }
    return "\"context_url\" is not a URL that can be asked.";
}

static void context_came(void *data, const struct context_result *result)
{
    struct making *m = data;
    m->fetching = NULL;
    if (m->web) {
        place_trace_context(&m->trace, result, sched_wall(m->web->settings.sched));
    }
    if (result->outcome == CONTEXT_REFUSED) {
        fail(m, &(struct problem){.status = 422,
                                  .type = "context-url",
                                  .detail = explain_refusal(result->reason),
                                  .reason = result->reason,
                                  .field = "context_url"});
        return;
    }
    m->has_context = result->outcome == CONTEXT_FETCHED;
    aic_buf_str(&m->context, result->text);
    context_describe(result, &m->context_event);
    dial(m);
}

static void fetch_context(struct making *m)
{
    const struct web_settings *settings = &m->web->settings;
    if (!m->wish.context_url) {
        dial(m);
        return;
    }
    struct aic_header headers[CONTEXT_HEADERS + 1];
    char parent[TRACE_PARENT_TEXT];
    uint32_t count = m->wish.header_count;
    bool has_own = false;
    for (uint32_t i = 0; i < count; i++) {
        headers[i] = m->wish.headers[i];
        has_own = has_own || aic_str_equal_nocase(headers[i].name, "traceparent");
    }
    place_trace_context_parent(&m->trace, parent);
    if (parent[0] && !has_own) {
        headers[count++] = (struct aic_header){AIC_STR("traceparent"), aic_str(parent)};
    }
    const struct context_request wish = {
        .url = m->wish.context_url, .headers = headers, .header_count = count};
    m->fetching = context_fetch(settings->fetch, settings->sched, &wish, context_came, m);
    if (!m->fetching) {
        fail(m, &(struct problem){
                    .status = 503, .type = "memory", .detail = "Out of memory; try again."});
    }
}

/* Idempotency */

static void replay(struct making *m, const struct aic_json *row)
{
    struct aic_str response = aic_json_get_text(row, "response");
    int32_t status = (int32_t)aic_json_get_int(row, "status", 0);
    if (status == 201) {
        (void)reply_json(m->exchange, status, response);
        end(m);
        return;
    }
    /* A call was placed and failed at the carrier. */
    struct aic_json *answer = aic_json_parse(response, 0);
    (void)aic_str_copy(aic_json_get_text(answer, "call_id"), m->call_id, sizeof(m->call_id));
    aic_json_free(answer);
    (void)reply_with(m->exchange,
                     &(struct problem){.status = status >= 400 ? status : 502,
                                       .type = "carrier",
                                       .detail = "The call of this Idempotency-Key failed.",
                                       .call_id = m->call_id});
    end(m);
}

static void begun(void *data, int32_t status, struct aic_str rows, const struct aic_error *error)
{
    struct making *m = data;
    (void)error;
    if (is_too_late(m)) {
        return;
    }
    if (status != AIC_OK) {
        refuse(m, 503, "storage",
               "The storage does not answer now, so nothing can be dialled. Try again.");
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    const struct aic_json *row = aic_json_at(root, 0);
    switch (idempotency_judge(row)) {
    case IDEMPOTENCY_FIRST:
        fetch_context(m);
        break;
    case IDEMPOTENCY_DONE:
        replay(m, row);
        break;
    case IDEMPOTENCY_OTHER:
        refuse(m, 422, "idempotency-other",
               "This Idempotency-Key was used with another body. Take a new key for a new call.");
        break;
    case IDEMPOTENCY_RUNNING:
        (void)reply_with(m->exchange,
                         &(struct problem){.status = 409,
                                           .type = "idempotency-running",
                                           .detail = "The first request with this Idempotency-Key "
                                                     "is not answered yet.",
                                           .retry_after_s = 5});
        end(m);
        break;
    case IDEMPOTENCY_LOST:
        refuse(m, 409, "idempotency-lost",
               "The first request with this Idempotency-Key was cut off, and it may have dialled: "
               "look into the call history, and take a new key for a new call.");
        break;
    default:
        refuse(m, 503, "storage", "The storage gave an answer that makes no sense.");
        break;
    }
    aic_json_free(root);
}

static void begin_once(struct making *m)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 1024);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "key", m->idempotency);
    aic_json_member_text(&w, "fingerprint", m->fingerprint);
    aic_json_close(&w, '}');
    change(m, "idempotency.begin", &params, begun);
    aic_buf_finish(&params);
}

/* The request */

static bool read_idempotency(struct making *m, const struct visit *visit)
{
    struct aic_str key = server_header(visit->exchange, "idempotency-key");
    if (!server_has_header(visit->exchange, "idempotency-key")) {
        return true;
    }
    if (!idempotency_key_is_good(key)) {
        (void)reply_problem(visit->exchange, 400, "idempotency-key",
                            "Idempotency-Key must have 1 to 255 visible ASCII characters.");
        return false;
    }
    if (!m->web->settings.storage) {
        (void)reply_problem(visit->exchange, 503, "storage",
                            "Idempotency-Key needs a storage, and none is configured.");
        return false;
    }
    idempotency_name(m->idempotency, visit->key ? visit->key->id : "", key);
    idempotency_fingerprint(m->fingerprint, m->wish.root);
    return true;
}

static bool read_request(struct making *m, const struct visit *visit)
{
    struct call_wish_problem problem;
    struct aic_json *body = reply_parse_body(visit->exchange, visit->request);
    if (!body) {
        return false;
    }
    if (!call_wish_read(&m->wish, body, &problem)) {
        (void)reply_with(visit->exchange,
                         &(struct problem){.status = 422,
                                           .type = "bad-field",
                                           .detail = problem.detail,
                                           .field = problem.field[0] ? problem.field : NULL});
        return false;
    }
    if (!agents_find(m->web->settings.agents, m->wish.agent)) {
        (void)reply_with(visit->exchange,
                         &(struct problem){.status = 404,
                                           .type = "no-agent",
                                           .detail = "There is no agent of this name.",
                                           .field = "agent"});
        return false;
    }
    return read_idempotency(m, visit);
}

static int32_t post_make_call(struct web *web, const struct visit *visit)
{
    struct making *m = calloc(1, sizeof(*m));
    if (!m) {
        return reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    }
    m->web = web;
    m->exchange = visit->exchange;
    m->next = web->making;
    web->making = m;
    char id[UUID_TEXT];
    uuid7_make(id);
    place_trace_begin(&m->trace, web->settings.traces,
                      server_header(visit->exchange, "traceparent"), id,
                      sched_wall(web->settings.sched));
    aic_buf_init(&m->context, CONTEXT_MAX_BYTES);
    aic_buf_init(&m->context_event, 1024);
    aic_buf_init(&m->answer, ANSWER_BYTES);
    (void)snprintf(m->actor, sizeof(m->actor), "%s%s", visit->key ? "api key " : "api",
                   visit->key ? visit->key->name : "");
    if (!read_request(m, visit)) {
        end(m);
    } else if (m->idempotency[0]) {
        begin_once(m);
    } else {
        fetch_context(m);
    }
    return AIC_OK;
}

void make_call_routes(struct web *web)
{
    web_route(web, AIC_METHOD_POST, "/calls/make-call/",
              &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_make_call});
}

void make_call_end(struct web *web)
{
    struct making *next = NULL;
    for (struct making *m = web->making; m; m = next) {
        next = m->next;
        m->web = NULL;
        if (m->fetching) {
            refuse(m, 503, "draining", "The server is stopping.");
        }
    }
    web->making = NULL;
}
