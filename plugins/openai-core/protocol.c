/* SPDX-License-Identifier: ISC */
#include "protocol.h"

#include <aicaller/llm.h>

enum { NAMES_SHOWN = 8, MODEL_MAX_BYTES = 200 };

static bool is_status(int64_t value)
{
    return value >= 400 && value <= 599;
}

/* A code is a word, or the HTTP status once more. */
static void take_code(const struct aic_json *node, struct openai_problem *problem)
{
    if (aic_json_is_number(node)) {
        int64_t value = aic_json_int(node, 0);
        problem->status = is_status(value) ? (int32_t)value : problem->status;
    } else {
        problem->code = aic_json_text(node);
    }
}

static void take_object(const struct aic_json *error, struct openai_problem *problem)
{
    int64_t status = aic_json_get_int(error, "status_code", 0);
    problem->status = is_status(status) ? (int32_t)status : 0;
    problem->type = aic_json_get_text(error, "type");
    problem->message = aic_json_get_text(error, "message");
    take_code(aic_json_get(error, "code"), problem);
}

/* The error in {"detail": "..."} or {"detail": [{"msg": "..."}]}. */
static bool take_detail(const struct aic_json *detail, struct openai_problem *problem)
{
    problem->message = aic_json_text(detail);
    if (problem->message.len == 0) {
        problem->message = aic_json_get_text(aic_json_at(detail, 0), "msg");
    }
    return problem->message.len > 0;
}

bool openai_problem_read(const struct aic_json *root, bool is_answer,
                         struct openai_problem *problem)
{
    *problem = (struct openai_problem){.code = {"", 0}, .type = {"", 0}, .message = {"", 0}};
    if (aic_json_is_array(root)) {
        root = aic_json_at(root, 0);
    }
    const struct aic_json *error = aic_json_get(root, "error");
    if (aic_json_is_object(error)) {
        take_object(error, problem);
        return true;
    }
    struct aic_str stopped = aic_json_text(aic_json_path(root, "x_groq", "error", NULL));
    if (aic_json_is_string(error) || stopped.len > 0) {
        problem->message = stopped.len > 0 ? stopped : aic_json_text(error);
        return true;
    }
    if (aic_json_is_object(root) &&
        (is_answer || aic_str_equal(aic_json_get_text(root, "object"), "error"))) {
        take_object(root, problem);
        return problem->message.len > 0 || take_detail(aic_json_get(root, "detail"), problem);
    }
    return false;
}

static int64_t amount(const struct aic_json *node, const char *key)
{
    int64_t value = aic_json_get_int(node, key, 0);
    return value > 0 ? value : 0;
}

bool openai_usage_read(const struct aic_json *node, struct aic_usage *usage)
{
    if (!aic_json_is_object(node)) {
        return false;
    }
    const struct aic_json *in = aic_json_get(node, "prompt_tokens_details");
    const struct aic_json *out = aic_json_get(node, "completion_tokens_details");
    *usage = (struct aic_usage){
        .size = sizeof(*usage),
        .requests = 1,
        .tokens_in = amount(node, "prompt_tokens"),
        .tokens_in_cached = amount(in, "cached_tokens"),
        .tokens_audio_in = amount(in, "audio_tokens"),
        .tokens_out = amount(node, "completion_tokens"),
        .tokens_reasoning = amount(out, "reasoning_tokens"),
        .tokens_audio_out = amount(out, "audio_tokens"),
    };
    return true;
}

uint32_t openai_finish_of(struct aic_str reason)
{
    static const struct {
        const char *reason;
        uint32_t finish;
    } reasons[] = {
        {"length", AIC_LLM_FINISH_LENGTH},
        {"max_tokens", AIC_LLM_FINISH_LENGTH},
        {"tool_calls", AIC_LLM_FINISH_TOOL_CALLS},
        {"function_call", AIC_LLM_FINISH_TOOL_CALLS},
        {"content_filter", AIC_LLM_FINISH_CONTENT_FILTER},
        {"refusal", AIC_LLM_FINISH_REFUSAL},
    };

    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        if (aic_str_equal(reason, reasons[i].reason)) {
            return reasons[i].finish;
        }
    }
    return AIC_LLM_FINISH_STOP; /* servers have many words for it */
}

/* "llama3.2" is also what a server calls "llama3.2:latest". */
static bool is_model(struct aic_str id, const char *model)
{
    struct aic_str wanted = aic_str(model);
    return aic_str_starts(id, model) && (id.len == wanted.len || id.ptr[wanted.len] == ':');
}

int32_t openai_models_find(struct aic_str body, const char *model, struct aic_buf *names)
{
    struct aic_json *root = aic_json_parse(body, 0);
    const struct aic_json *list = aic_json_get(root, "data");
    int32_t status = aic_json_is_array(list) ? AIC_ERROR_NOT_FOUND : AIC_ERROR_PROTOCOL;
    for (size_t i = 0; i < aic_json_count(list) && status == AIC_ERROR_NOT_FOUND; i++) {
        struct aic_str id = aic_json_get_text(aic_json_at(list, i), "id");
        if (is_model(id, model)) {
            status = AIC_OK;
        } else if (i < NAMES_SHOWN && id.len > 0 && id.len <= MODEL_MAX_BYTES) {
            aic_buf_text(names, names->len > 0 ? ", " : "");
            aic_buf_str(names, id);
        }
    }
    aic_json_free(root);
    return status;
}
