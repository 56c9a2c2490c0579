/* SPDX-License-Identifier: ISC */
#include "request.h"

enum { SAID_MAX_BYTES = 2 * AIC_JSON_MAX_BYTES };

static bool has_role(const struct aic_json *message, const char *role)
{
    return aic_str_equal(aic_json_get_text(message, "role"), role);
}

/* The newest place where this provider's state was stored. */
static void find_state(struct script_request *request)
{
    for (size_t i = aic_json_count(request->messages); i > 0; i--) {
        const struct aic_json *message = aic_json_at(request->messages, i - 1);
        if (!has_role(message, "assistant")) {
            continue;
        }
        if (request->turn.heard.len == 0) {
            request->turn.heard = aic_json_get_text(message, "content");
        }
        request->state = aic_json_get_text(message, "provider_state");
        if (request->state.len > 0) {
            return;
        }
    }
}

/* All that the caller said since somebody else spoke; it may have come in pieces. */
static void find_said(struct script_request *request)
{
    size_t first = aic_json_count(request->messages);
    while (first > 0 && (has_role(aic_json_at(request->messages, first - 1), "user") ||
                         has_role(aic_json_at(request->messages, first - 1), "system"))) {
        first--;
    }
    for (size_t i = first; i < aic_json_count(request->messages); i++) {
        const struct aic_json *message = aic_json_at(request->messages, i);
        if (has_role(message, "user")) {
            request->turn.spoke = true;
            aic_buf_str(&request->said, aic_json_get_text(message, "content"));
            aic_buf_char(&request->said, ' ');
        }
    }
    request->turn.said = aic_buf_view(&request->said);
}

/* The outcome of end_call or transfer, when that is the last thing that happened. An error is told
 * by a member "error" or by "ok": false. */
static void find_outcome(struct script_request *request)
{
    size_t count = aic_json_count(request->messages);
    const struct aic_json *last = count > 0 ? aic_json_at(request->messages, count - 1) : NULL;
    if (!has_role(last, "tool")) {
        return;
    }
    struct aic_json *outcome = aic_json_parse(aic_json_get_text(last, "content"), 0);
    request->turn.transfer_failed =
        aic_json_get(outcome, "error") || !aic_json_get_bool(outcome, "ok", true);
    request->is_over = !request->turn.transfer_failed;
    aic_json_free(outcome);
}

static bool offers(const struct aic_json *tools, const char *name)
{
    for (size_t i = 0; i < aic_json_count(tools); i++) {
        const struct aic_json *function = aic_json_get(aic_json_at(tools, i), "function");
        if (aic_str_equal(aic_json_get_text(function, "name"), name)) {
            return true;
        }
    }
    return false;
}

int32_t script_request_init(struct script_request *request, const struct aic_llm_request *from)
{
    *request = (struct script_request){0};
    aic_buf_init(&request->said, SAID_MAX_BYTES);
    request->messages = aic_json_parse(from->messages, 0);
    if (!aic_json_is_array(request->messages)) {
        script_request_finish(request);
        return AIC_ERROR_INVALID;
    }
    request->context = aic_json_parse(from->context, 0);
    request->turn.context = request->context;
    struct aic_json *tools = aic_json_parse(from->tools, 0);
    request->turn.cannot_transfer = aic_json_count(tools) > 0 && !offers(tools, "transfer");
    aic_json_free(tools);
    find_state(request);
    find_said(request);
    find_outcome(request);
    return AIC_OK;
}

void script_request_finish(struct script_request *request)
{
    aic_json_free(request->messages);
    aic_json_free(request->context);
    aic_buf_finish(&request->said);
    *request = (struct script_request){0};
}
