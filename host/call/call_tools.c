/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_JSON = 256 * 1024, MAX_ROUNDS = 6, MAX_PER_CALL = 60 };

void call_tool_json(struct aic_json_writer *w, const char *name, const char *description,
                    const char *parameters)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "type", "function");
    aic_json_key(w, "function");
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", name);
    aic_json_member_text(w, "description", description);
    aic_json_member_raw(w, "parameters", aic_str(parameters));
    aic_json_close(w, '}');
    aic_json_close(w, '}');
}

void call_tools_json(const struct call *call, struct aic_buf *to)
{
    const struct tools *tools = &call->agent->tools;
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    call_builtins_json(call, &w);
    for (size_t i = 0; i < tools->count && call->env.fetch; i++) {
        call_tool_json(&w, tools->list[i]->name, tools->list[i]->description,
                       tools->list[i]->parameters);
    }
    aic_json_close(&w, ']');
}

void call_take_tool(struct call *call, struct aic_str id, struct aic_str name,
                    struct aic_str arguments)
{
    struct answer *answer = &call->answer;
    if (answer->tool_count == CALL_TOOLS) {
        log_warn("call", "too many tool calls in one answer", LOG_S("call", call->id));
        return;
    }
    struct tool_request *tool = &answer->tools[answer->tool_count];
    tool->id = aic_str_dup(id);
    tool->name = aic_str_dup(name);
    tool->arguments = aic_str_dup(arguments);
    answer->tool_count++;
}

void call_forget_tools(struct call *call)
{
    for (size_t i = 0; i < call->answer.tool_count; i++) {
        free(call->answer.tools[i].id);
        free(call->answer.tools[i].name);
        free(call->answer.tools[i].arguments);
    }
    call->answer.tool_count = 0;
}

/* The agent's message gets its calls, as the model is to see them again. */
static void note_calls(struct call *call)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, MAX_JSON);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '[');
    for (size_t i = 0; i < call->answer.tool_count; i++) {
        const struct tool_request *tool = &call->answer.tools[i];
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "id", tool->id);
        aic_json_member_text(&w, "type", "function");
        aic_json_key(&w, "function");
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "name", tool->name);
        aic_json_member_text(&w, "arguments", tool->arguments);
        aic_json_close(&w, '}');
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    if (call->answer.message != CALL_NO_MESSAGE) {
        (void)dialog_set(&call->dialog.messages[call->answer.message].tool_calls,
                         aic_buf_view(&buf));
    }
    aic_buf_finish(&buf);
}

/* Results. */

static void add_result(struct call *call, const char *id, const char *name, struct aic_str result)
{
    uint8_t random[10];
    call_random(call, random);
    struct dialog_message *message = dialog_add(&call->dialog, DIALOG_TOOL, call->turn_number,
                                                result, sched_wall(call->env.sched), random);
    if (message) {
        (void)dialog_set(&message->tool_id, aic_str(id));
        (void)dialog_set(&message->tool_name, aic_str(name));
        call_record_message(call, message, false);
    }
}

/* What a tool did, for the record: not its arguments or answer, which are in the transcript. */
static void record_run(struct call *call, const char *name, bool is_good, int64_t took_us,
                       bool is_late)
{
    struct aic_buf detail;
    struct aic_json_writer w;
    aic_buf_init(&detail, 1024);
    aic_json_writer_init(&w, &detail);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "name", name);
    aic_json_member_bool(&w, "ok", is_good);
    aic_json_member_int(&w, "ms", took_us / 1000);
    if (is_late) {
        aic_json_member_bool(&w, "late", true);
    }
    aic_json_close(&w, '}');
    call_record_event(call, "tool", aic_buf_view(&detail));
    aic_buf_finish(&detail);
}

/* Requests under way. */

static void unlist(struct tool_run *run)
{
    struct tool_run **at = &run->call->tool_runs;
    while (*at != run) {
        at = &(*at)->next;
    }
    *at = run->next;
}

static void free_run(struct tool_run *run)
{
    free(run->id);
    free(run);
}

static void go_on_if_complete(struct call *call)
{
    if (call->answer.tools_running == 0) {
        call_after_tools(call, call->answer.tools_want_more && !call->answer.ends_call);
    }
}

static void tool_answered(void *data, const struct fetch_answer *answer)
{
    struct tool_run *run = data;
    struct call *call = run->call;
    bool is_current = call->answer.is_active && run->epoch == call->answer.epoch;
    bool is_good = !answer->error && answer->status >= 200 && answer->status < 300;
    unlist(run);
    call_trace_tool_end(call, run, answer->status, answer->error);
    record_run(call, run->tool->name, is_good, sched_now(call->env.sched) - run->began_us,
               !is_current);
    if (is_current) {
        struct aic_buf result;
        aic_buf_init(&result, MAX_JSON);
        tool_result(answer->status, answer->body, answer->error, &result);
        add_result(call, run->id, run->tool->name, aic_buf_view(&result));
        aic_buf_finish(&result);
        call->answer.tools_running--;
        go_on_if_complete(call);
    }
    free_run(run);
}

static int32_t start_run(struct call *call, const struct tool *tool, const struct aic_json *given,
                         struct tool_run *run)
{
    struct aic_buf url;
    struct aic_buf body;
    struct aic_header headers[TOOL_HEADERS + 3];
    char parent[TRACE_PARENT_TEXT];
    uint32_t count = 0;
    aic_buf_init(&url, 8192);
    aic_buf_init(&body, MAX_JSON);
    tool_request(tool, given, &url, &body);
    for (; count < tool->header_count; count++) {
        headers[count] = tool->headers[count];
    }
    headers[count++] = (struct aic_header){AIC_STR("X-Call-Id"), aic_str(call->id)};
    call_trace_tool_begin(call, run, parent);
    if (parent[0]) {
        headers[count++] = (struct aic_header){AIC_STR("traceparent"), aic_str(parent)};
    }
    if (body.len > 0) {
        headers[count++] =
            (struct aic_header){AIC_STR("Content-Type"), AIC_STR("application/json")};
    }
    const struct fetch_request request = {.method = tool->method,
                                          .url = url.data,
                                          .headers = headers,
                                          .header_count = count,
                                          .body = aic_buf_view(&body),
                                          .timeout_ms = tool->timeout_ms,
                                          .max_bytes = MAX_JSON,
                                          .only_once = strcmp(tool->method, "GET") != 0};
    int32_t status = url.failed || body.failed
                         ? AIC_ERROR_TOO_LARGE
                         : call->env.fetch->ops->start(call->env.fetch, &request, tool_answered,
                                                       run, &run->handle);
    aic_buf_finish(&url);
    aic_buf_finish(&body);
    return status;
}

/* Asks a tool's server; false with a reason in `result` when it can not be asked. */
static bool ask(struct call *call, const struct tool_request *request, const struct tool *tool,
                const struct aic_json *arguments, struct aic_buf *result)
{
    struct tool_run *run = calloc(1, sizeof(*run));
    if (!run || !(run->id = strdup(request->id))) {
        free(run);
        aic_buf_text(result, "{\"error\":\"out of memory\"}");
        return false;
    }
    run->call = call;
    run->tool = tool;
    run->epoch = call->answer.epoch;
    run->turn_epoch = run->epoch;
    run->began_us = sched_now(call->env.sched);
    if (start_run(call, tool, arguments, run) != AIC_OK) {
        free_run(run);
        aic_buf_text(result, "{\"error\":\"these arguments make no address\"}");
        return false;
    }
    run->next = call->tool_runs;
    call->tool_runs = run;
    call->answer.tools_running++;
    return true;
}

static void refuse(struct aic_buf *result, struct aic_str why)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, result);
    aic_json_open(&w, '{');
    aic_json_member(&w, "error", why);
    aic_json_close(&w, '}');
}

/* Runs a request, or begins to. Returns false while its result is still to come. */
static bool run_one(struct call *call, const struct tool_request *request, struct aic_buf *result,
                    bool *more)
{
    const struct tool *tool =
        call->env.fetch ? tools_find(&call->agent->tools, request->name) : NULL;
    struct aic_str text = request->arguments[0] ? aic_str(request->arguments) : AIC_STR("{}");
    struct aic_json *arguments = aic_json_parse(text, 0);
    bool is_done = true;
    *more = true;
    if (!aic_json_is_object(arguments)) {
        refuse(result, AIC_STR("the arguments are not a JSON object"));
    } else if (call->tool_calls++ >= MAX_PER_CALL) {
        refuse(result, AIC_STR("too many tool calls in this call"));
    } else if (tool) {
        struct aic_buf why;
        aic_buf_init(&why, 4096);
        if (tool_check(tool, arguments, &why)) {
            is_done = !ask(call, request, tool, arguments, result);
        } else {
            refuse(result, aic_buf_view(&why));
        }
        aic_buf_finish(&why);
    } else if (!call_run_builtin(call, request->name, arguments, result, more)) {
        refuse(result, AIC_STR("there is no such tool"));
    }
    aic_json_free(arguments);
    return is_done;
}

void call_run_tools(struct call *call)
{
    struct answer *answer = &call->answer;
    if (answer->tool_count == 0) {
        call_after_tools(call, false);
        return;
    }
    note_calls(call);
    if (++answer->tool_rounds > MAX_ROUNDS) {
        log_warn("call", "the model asks for tools without end", LOG_S("call", call->id));
        call_forget_tools(call);
        call_cut_answer(call);
        call_apologise(call, "tool_loop");
        return;
    }
    answer->tools_want_more = false;
    for (size_t i = 0; i < answer->tool_count; i++) {
        const struct tool_request *request = &answer->tools[i];
        struct aic_buf result;
        bool more = true;
        aic_buf_init(&result, MAX_JSON);
        if (run_one(call, request, &result, &more)) {
            add_result(call, request->id, request->name, aic_buf_view(&result));
            record_run(call, request->name, !strstr(result.data, "\"error\""), 0, false);
        }
        answer->tools_want_more = answer->tools_want_more || more;
        aic_buf_finish(&result);
    }
    call_forget_tools(call);
    if (answer->tools_running > 0) {
        call_expect_answer(call);
    }
    go_on_if_complete(call);
}

void call_abandon_tools(struct call *call)
{
    for (struct tool_run *run = call->tool_runs; run; run = run->next) {
        if (run->epoch == call->answer.epoch && call->answer.tools_running > 0) {
            add_result(call, run->id, run->tool->name,
                       AIC_STR("{\"error\":\"the caller interrupted; what became of it is not "
                               "known\"}"));
            call->answer.tools_running--;
            run->epoch = 0;
        }
    }
}

void call_cancel_tools(struct call *call)
{
    while (call->tool_runs) {
        struct tool_run *run = call->tool_runs;
        call->tool_runs = run->next;
        call->env.fetch->ops->cancel(call->env.fetch, run->handle);
        free_run(run);
    }
}
