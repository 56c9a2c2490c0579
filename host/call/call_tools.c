/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"
#include "plugin/guard.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_JSON = 256 * 1024 };

/* A tool that the host itself offers. */
struct builtin {
    const char *name;
    const char *description;
    const char *parameters; /* JSON Schema */
    bool (*is_offered)(const struct call *call);
    /* Runs it: appends the result for the model. Returns whether the model has to go on. */
    bool (*run)(struct call *call, const struct aic_json *arguments, struct aic_buf *result);
};

static bool always(const struct call *call)
{
    (void)call;
    return true;
}

static bool can_transfer(const struct call *call)
{
    return call->leg_provider && call->agent->transfers[0] &&
           (call->leg_provider->telephony_caps.flags & AIC_TEL_TRANSFER) &&
           call->leg_provider->telephony.leg_transfer;
}

static bool can_send_digits(const struct call *call)
{
    return call->leg_provider && (call->leg_provider->telephony_caps.flags & AIC_TEL_DTMF_OUT) &&
           call->leg_provider->telephony.leg_digits;
}

static bool run_end_call(struct call *call, const struct aic_json *arguments,
                         struct aic_buf *result)
{
    struct aic_str reason = aic_json_get_text(arguments, "reason");
    call->answer.ends_call = true;
    turn_agent_begins(&call->turn, call->turn.agent_is_protected);
    if (!call->end_reason[0] && reason.len > 0) {
        (void)aic_str_copy(reason, call->end_reason, sizeof(call->end_reason));
    }
    aic_buf_text(result, "{\"ok\":true}");
    return false;
}

static const char *transfer_target(const struct call *call, struct aic_str wanted)
{
    for (size_t i = 0; call->agent->transfers[i]; i++) {
        if (wanted.len == 0 || aic_str_equal(wanted, call->agent->transfers[i])) {
            return call->agent->transfers[i];
        }
    }
    return NULL;
}

static bool run_transfer(struct call *call, const struct aic_json *arguments,
                         struct aic_buf *result)
{
    const char *to = transfer_target(call, aic_json_get_text(arguments, "to"));
    if (!to) {
        aic_buf_text(result, "{\"error\":\"this number is not in the list of transfers\"}");
        return true;
    }
    struct aic_telephony_transfer params = {
        .size = sizeof(params), .request_id = call->epoch, .to = to, .caller_id = ""};
    int32_t status = AIC_OK;
    GUARD(call->leg_provider, "telephony.leg_transfer",
          status = call->leg_provider->telephony.leg_transfer(call->leg, &params));
    if (status != AIC_OK) {
        aic_buf_text(result, "{\"error\":\"the line can not be transferred now\"}");
        return true;
    }
    call_record_note(call, "transfer", "to", to);
    aic_buf_text(result, "{\"ok\":true}");
    return false;
}

static bool run_send_digits(struct call *call, const struct aic_json *arguments,
                            struct aic_buf *result)
{
    struct aic_str digits = aic_json_get_text(arguments, "digits");
    size_t good = digits.len > 0 ? strspn(digits.ptr, "0123456789*#ABCDw") : 0;
    int32_t status = AIC_ERROR_INVALID;
    if (digits.len > 0 && digits.len <= 32 && good == digits.len) {
        GUARD(call->leg_provider, "telephony.leg_digits",
              status = call->leg_provider->telephony.leg_digits(call->leg, digits));
    }
    aic_buf_text(result, status == AIC_OK
                             ? "{\"ok\":true}"
                             : "{\"error\":\"digits must be 1 to 32 of 0-9 * # A-D w\"}");
    return true;
}

static const struct builtin builtins[] = {
    {.name = "end_call",
     .description = "End the call after your last words. Use it when the conversation is over.",
     .parameters = "{\"type\":\"object\",\"properties\":{\"reason\":{\"type\":\"string\"}}}",
     .is_offered = always,
     .run = run_end_call},
    {.name = "transfer",
     .description = "Hand the caller over to a person. Say so before you use it.",
     .parameters = "{\"type\":\"object\",\"properties\":{\"to\":{\"type\":\"string\","
                   "\"description\":\"a number of the list; leave it out for the usual one\"}}}",
     .is_offered = can_transfer,
     .run = run_transfer},
    {.name = "send_digits",
     .description = "Press keys on the telephone, for menus.",
     .parameters = "{\"type\":\"object\",\"properties\":{\"digits\":{\"type\":\"string\"}},"
                   "\"required\":[\"digits\"]}",
     .is_offered = can_send_digits,
     .run = run_send_digits},
};

enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

void call_tools_json(const struct call *call, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    for (size_t i = 0; i < BUILTINS; i++) {
        if (!builtins[i].is_offered(call)) {
            continue;
        }
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "type", "function");
        aic_json_key(&w, "function");
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "name", builtins[i].name);
        aic_json_member_text(&w, "description", builtins[i].description);
        aic_json_member_raw(&w, "parameters", aic_str(builtins[i].parameters));
        aic_json_close(&w, '}');
        aic_json_close(&w, '}');
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

static const struct builtin *find(const struct call *call, const char *name)
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, name) == 0 && builtins[i].is_offered(call)) {
            return &builtins[i];
        }
    }
    return NULL;
}

static bool run_one(struct call *call, const struct tool_request *tool, struct aic_buf *result)
{
    const struct builtin *builtin = tool->name ? find(call, tool->name) : NULL;
    if (!builtin) {
        aic_buf_text(result, "{\"error\":\"there is no such tool\"}");
        return true;
    }
    struct aic_str text =
        tool->arguments && tool->arguments[0] ? aic_str(tool->arguments) : AIC_STR("{}");
    struct aic_json *arguments = aic_json_parse(text, 0);
    if (!aic_json_is_object(arguments)) {
        aic_json_free(arguments);
        aic_buf_text(result, "{\"error\":\"the arguments are not a JSON object\"}");
        return true;
    }
    bool more = builtin->run(call, arguments, result);
    aic_json_free(arguments);
    return more;
}

static void add_result(struct call *call, const struct tool_request *tool, struct aic_str result)
{
    uint8_t random[10];
    call_random(call, random);
    struct dialog_message *message = dialog_add(&call->dialog, DIALOG_TOOL, call->turn_number,
                                                result, sched_wall(call->env.sched), random);
    if (message) {
        (void)dialog_set(&message->tool_id, aic_str(tool->id));
        call_record_message(call, message, false);
    }
    call_record_note(call, "tool", "name", tool->name);
}

void call_run_tools(struct call *call)
{
    if (call->answer.tool_count == 0) {
        call_after_tools(call, false);
        return;
    }
    note_calls(call);
    bool more = false;
    for (size_t i = 0; i < call->answer.tool_count; i++) {
        struct aic_buf result;
        aic_buf_init(&result, MAX_JSON);
        more = run_one(call, &call->answer.tools[i], &result) || more;
        add_result(call, &call->answer.tools[i], aic_buf_view(&result));
        aic_buf_finish(&result);
    }
    call_forget_tools(call);
    call_after_tools(call, more && !call->answer.ends_call);
}
