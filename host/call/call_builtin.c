/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "plugin/guard.h"

#include <string.h>

/* The tools that the host itself offers a model. */

static const char transferred[] = "transferred";

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
    /* What the agent says with it is heard first. */
    call->answer.transfer_to = to;
    aic_buf_text(result, "{\"ok\":true}");
    return false;
}

static int32_t hand_over(struct call *call, const char *to)
{
    struct aic_telephony_transfer params = {
        .size = sizeof(params), .request_id = call->epoch, .to = to, .caller_id = ""};
    int32_t status = AIC_ERROR_CLOSED;
    if (call->leg) {
        GUARD(call->leg_provider, "telephony.leg_transfer",
              status = call->leg_provider->telephony.leg_transfer(call->leg, &params));
    }
    call_record_note(call, status == AIC_OK ? "transfer" : "transfer_failed", "to", to);
    if (status == AIC_OK) {
        (void)aic_str_copy(aic_str(transferred), call->end_reason, sizeof(call->end_reason));
    }
    return status;
}

void call_hand_over(struct call *call, const char *to)
{
    if (hand_over(call, to) != AIC_OK) {
        call_apologise(call, "transfer_failed");
    }
}

int32_t call_transfer(struct call *call, struct aic_str to)
{
    if (call->state != CALL_TALKING || !call->leg || strcmp(call->end_reason, transferred) == 0) {
        return AIC_ERROR_CONFLICT;
    }
    if (!can_transfer(call)) {
        return AIC_ERROR_UNSUPPORTED;
    }
    const char *target = transfer_target(call, to);
    if (!target) {
        return AIC_ERROR_DENIED;
    }
    int32_t status = hand_over(call, target);
    if (status == AIC_OK && call->answer.is_active) {
        call_interrupt(call);
    }
    return status;
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

static bool run_pause(struct call *call, const struct aic_json *arguments, struct aic_buf *result)
{
    (void)arguments;
    (void)call_pause_recording(call, true, "model");
    aic_buf_text(result, "{\"ok\":true}");
    return true;
}

static bool run_resume(struct call *call, const struct aic_json *arguments, struct aic_buf *result)
{
    (void)arguments;
    (void)call_pause_recording(call, false, "model");
    aic_buf_text(result, "{\"ok\":true}");
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
    {.name = "pause_recording",
     .description =
         "Stop recording the call while the caller says something that must not be kept, "
         "such as a card number. Use it before you ask for it.",
     .parameters = "{\"type\":\"object\",\"properties\":{}}",
     .is_offered = call_is_recorded,
     .run = run_pause},
    {.name = "resume_recording",
     .description = "Go on recording the call after pause_recording.",
     .parameters = "{\"type\":\"object\",\"properties\":{}}",
     .is_offered = call_is_recorded,
     .run = run_resume},
};

enum { BUILTINS = sizeof(builtins) / sizeof(builtins[0]) };

static bool is_offered(const struct call *call, const struct builtin *builtin)
{
    return tools_allow(&call->agent->tools, builtin->name) && builtin->is_offered(call);
}

void call_builtins_json(const struct call *call, struct aic_json_writer *w)
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (is_offered(call, &builtins[i])) {
            call_tool_json(w, builtins[i].name, builtins[i].description, builtins[i].parameters);
        }
    }
}

bool call_run_builtin(struct call *call, const char *name, const struct aic_json *arguments,
                      struct aic_buf *result, bool *more)
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, name) == 0 && is_offered(call, &builtins[i])) {
            *more = builtins[i].run(call, arguments, result);
            return true;
        }
    }
    return false;
}

bool call_builtin_exists(const char *name)
{
    for (size_t i = 0; i < BUILTINS; i++) {
        if (strcmp(builtins[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}
