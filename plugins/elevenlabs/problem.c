/* SPDX-License-Identifier: ISC */
#include "problem.h"

#include "json.h"

#include <string.h>
#include <strings.h>

#define BUSY_TEXT "ElevenLabs is short of capacity"

static const struct {
    const char *code;
    struct speech_verdict verdict;
} codes[] = {
    {"invalid_api_key",
     {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
      "ElevenLabs refuses the key: look at api_key"}},
    {"missing_permissions",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
      "the key lacks the permission for text to speech"}},
    {"detected_unusual_activity",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"quota_exceeded",
     {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
      "the account has no credits left"}},
    {"insufficient_credits",
     {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
      "the account has no credits left"}},
    {"payment_required", {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"paid_plan_required",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"only_for_creator+", {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"feature_not_available",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"voice_access_denied",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"model_access_denied",
     {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"voice_not_found", {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"model_not_found", {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
    {"max_character_limit_exceeded",
     {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER, NULL}},
    {"concurrent_limit_exceeded",
     {AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NONE, NULL}},
    {"too_many_concurrent_requests",
     {AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NONE, NULL}},
    {"max_contexts_exceeded",
     {AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
    {"rate_limit_exceeded", {AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_SESSION, AIC_RETRY_NONE, NULL}},
    {"system_busy", {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, BUSY_TEXT}},
    {"input_timeout_exceeded",
     {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
};

static bool verdict_of_code(struct aic_str code, struct speech_verdict *verdict)
{
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (aic_str_equal_nocase(code, codes[i].code)) {
            *verdict = codes[i].verdict;
            return true;
        }
    }
    return false;
}

/* Close code 1008 stands for anything; only the words of its reason tell what it is. */
static bool verdict_of_words(const char *text, struct speech_verdict *verdict)
{
    static const struct {
        const char *words;
        const char *code;
    } words[] = {{"quota", "quota_exceeded"},
                 {"credits", "quota_exceeded"},
                 {"api key", "invalid_api_key"},
                 {"api_key", "invalid_api_key"},
                 {"concurrent", "concurrent_limit_exceeded"},
                 {"text input within the timeout", "input_timeout_exceeded"},
                 {"inactivity", "input_timeout_exceeded"},
                 {"high traffic", "system_busy"},
                 {"voice_id", "voice_not_found"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcasestr(text, words[i].words)) {
            return verdict_of_code(aic_str(words[i].code), verdict);
        }
    }
    return false;
}

/* The first of: the code, the older code, the status. */
static struct speech_verdict judge(struct aic_str code, struct aic_str legacy, int32_t status)
{
    struct speech_verdict verdict;
    if (verdict_of_code(code, &verdict) || verdict_of_code(legacy, &verdict)) {
        return verdict;
    }
    return speech_verdict_of_status(status);
}

/* A list says what is wrong with each member; the first is told. */
static struct aic_str message_of(const struct aic_json *detail)
{
    if (aic_json_is_string(detail)) {
        return aic_json_text(detail);
    }
    return aic_json_is_array(detail) ? aic_json_get_text(aic_json_at(detail, 0), "msg")
                                     : aic_json_get_text(detail, "message");
}

void eleven_problem_of_answer(struct speech_fault *fault, int32_t status, struct aic_str body)
{
    struct aic_json *root = aic_json_parse(body, 0);
    const struct aic_json *detail = aic_json_get(root, "detail");
    struct aic_str code = aic_json_get_text(detail, "code");
    struct aic_str legacy = aic_json_get_text(detail, "status");
    struct speech_verdict verdict = judge(code, legacy, status);
    /* Some bodies have a general code and say it exactly in the older member. */
    struct speech_verdict exact;
    if (code.len > 0 && verdict_of_code(legacy, &exact) &&
        (status == 401 || !verdict_of_code(code, &exact))) {
        (void)verdict_of_code(legacy, &verdict);
    }
    *fault = (struct speech_fault){.http_status = status};
    speech_fault_copy(fault->code, sizeof(fault->code), code.len > 0 ? code : legacy);
    speech_fault_copy(fault->message, sizeof(fault->message), message_of(detail));
    speech_fault_copy(fault->request_id, sizeof(fault->request_id),
                      aic_json_get_text(detail, "request_id"));
    speech_fault_set(fault, &verdict);
    aic_json_free(root);
}

void eleven_problem_of_message(struct speech_fault *fault, struct aic_str code,
                               struct aic_str description)
{
    struct speech_verdict verdict = {AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION,
                                     "ElevenLabs reports an error"};
    *fault = (struct speech_fault){.retry_after_ms = 0};
    speech_fault_copy(fault->code, sizeof(fault->code), code);
    speech_fault_copy(fault->message, sizeof(fault->message), description);
    if (!verdict_of_code(code, &verdict) && !verdict_of_words(fault->message, &verdict) &&
        strncmp(fault->code, "invalid", 7) == 0) {
        verdict = (struct speech_verdict){AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_SESSION,
                                          AIC_RETRY_FALL_BACK, NULL};
    }
    speech_fault_set(fault, &verdict);
}

static struct speech_verdict verdict_of_close(int32_t code)
{
    switch (code) {
    case 1003:
    case 1007:
    case 1008:
    case 1009:
        return (struct speech_verdict){AIC_CATEGORY_PROTOCOL, AIC_SCOPE_SESSION,
                                       AIC_RETRY_FALL_BACK, "ElevenLabs refused what it was sent"};
    case 1011:
    case 1012:
    case 1013:
        return (struct speech_verdict){AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION,
                                       AIC_RETRY_NEW_SESSION, "ElevenLabs ended the connection"};
    default:
        return (struct speech_verdict){AIC_CATEGORY_NETWORK, AIC_SCOPE_SESSION,
                                       AIC_RETRY_NEW_SESSION, "the connection broke"};
    }
}

void eleven_problem_of_close(struct speech_fault *fault, const struct aic_ws_event *event)
{
    struct speech_verdict verdict;
    if (event->http_status != 0) {
        verdict = speech_verdict_of_status(event->http_status);
        *fault = (struct speech_fault){.http_status = event->http_status};
        speech_fault_set(fault, &verdict);
        return;
    }
    bool is_of_network = event->error && event->close_reason.len == 0 &&
                         (event->close_code == 1006 || event->close_code == 0);
    if (is_of_network) {
        speech_fault_of_network(fault, event->error);
        return;
    }
    *fault = (struct speech_fault){.close_code = event->close_code};
    speech_fault_copy(fault->message, sizeof(fault->message), event->close_reason);
    if (!verdict_of_words(fault->message, &verdict)) {
        verdict = verdict_of_close(event->close_code);
    }
    speech_fault_set(fault, &verdict);
}
