/* SPDX-License-Identifier: ISC */
#include "problem.h"

#include "json.h"

#include <string.h>

static bool verdict_of_code(struct aic_str code, struct speech_verdict *verdict)
{
    static const struct {
        const char *code;
        struct speech_verdict verdict;
    } verdicts[] = {
        {"INVALID_AUTH",
         {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
          "Deepgram refuses the key: look at api_key"}},
        {"INSUFFICIENT_PERMISSIONS",
         {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
          "the key's project may not use this model"}},
        {"ASR_PAYMENT_REQUIRED",
         {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK,
          "the project has no credit left"}},
        {"PROJECT_NOT_FOUND",
         {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NULL}},
        {"TOO_MANY_REQUESTS",
         {AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NONE,
          "more streams at the same time than the project may have"}},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (aic_str_equal_nocase(code, verdicts[i].code)) {
            *verdict = verdicts[i].verdict;
            return true;
        }
    }
    return false;
}

/* The reason's first word, such as "NET-0001", and what it means. */
static bool verdict_of_reason(struct aic_str reason, struct speech_verdict *verdict)
{
    static const struct {
        const char *code;
        struct speech_verdict verdict;
    } verdicts[] = {
        {"DATA-0000",
         {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_SESSION, AIC_RETRY_FALL_BACK,
          "Deepgram could not decode the sound as what it was declared"}},
        {"NET-0000",
         {AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION,
          "Deepgram had no result in its time"}},
        {"NET-0001",
         {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION,
          "no sound reached Deepgram for ten seconds"}},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (aic_str_starts(reason, verdicts[i].code)) {
            *verdict = verdicts[i].verdict;
            return true;
        }
    }
    return false;
}

static struct speech_verdict verdict_of_close(int32_t code)
{
    switch (code) {
    case 1003:
    case 1007:
    case 1008:
    case 1009:
        return (struct speech_verdict){AIC_CATEGORY_PROTOCOL, AIC_SCOPE_SESSION,
                                       AIC_RETRY_FALL_BACK, "Deepgram refused what it was sent"};
    case 1011:
    case 1012:
    case 1013:
        return (struct speech_verdict){AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION,
                                       AIC_RETRY_NEW_SESSION, "Deepgram ended the connection"};
    default:
        return (struct speech_verdict){AIC_CATEGORY_NETWORK, AIC_SCOPE_SESSION,
                                       AIC_RETRY_NEW_SESSION, "the connection to Deepgram broke"};
    }
}

static void judge_close(struct speech_fault *fault, const struct aic_ws_event *event)
{
    struct speech_verdict verdict;
    *fault = (struct speech_fault){.close_code = event->close_code};
    speech_fault_copy(fault->code, sizeof(fault->code), event->close_reason);
    if (!verdict_of_reason(event->close_reason, &verdict)) {
        verdict = verdict_of_close(event->close_code);
    }
    speech_fault_set(fault, &verdict);
}

static void judge_refusal(struct speech_fault *fault, const struct aic_ws_event *event)
{
    struct speech_verdict verdict = speech_verdict_of_status(event->http_status);
    *fault = (struct speech_fault){.http_status = event->http_status};
    if (event->error) {
        speech_fault_copy(fault->message, sizeof(fault->message), event->error->message);
    }
    speech_fault_set(fault, &verdict);
}

void deepgram_problem_of_close(struct speech_fault *fault, const struct aic_ws_event *event)
{
    bool is_of_network = event->error && event->close_reason.len == 0 &&
                         (event->close_code == 1006 || event->close_code == 0);
    if (event->http_status != 0) {
        judge_refusal(fault, event);
    } else if (is_of_network) {
        speech_fault_of_network(fault, event->error);
    } else {
        judge_close(fault, event);
    }
}

/* Two forms are in use, and one page has a third name for the code. */
static struct aic_str first_text(const struct aic_json *root, const char *const *names)
{
    struct aic_str text = {"", 0};
    for (size_t i = 0; names[i] && text.len == 0; i++) {
        text = aic_json_get_text(root, names[i]);
    }
    return text;
}

void deepgram_problem_of_answer(struct speech_fault *fault, int32_t status, struct aic_str body)
{
    static const char *const codes[] = {"err_code", "error_code", "category", NULL};
    static const char *const messages[] = {"err_msg", "message", "details", NULL};
    struct aic_json *root = aic_json_parse(body, 0);
    struct speech_verdict verdict;
    *fault = (struct speech_fault){.http_status = status};
    speech_fault_copy(fault->code, sizeof(fault->code), first_text(root, codes));
    speech_fault_copy(fault->message, sizeof(fault->message), first_text(root, messages));
    speech_fault_copy(fault->request_id, sizeof(fault->request_id),
                      aic_json_get_text(root, "request_id"));
    if (!verdict_of_code(aic_str(fault->code), &verdict)) {
        verdict = speech_verdict_of_status(status);
    }
    speech_fault_set(fault, &verdict);
    aic_json_free(root);
}

void deepgram_problem_of_message(struct speech_fault *fault, struct aic_str code,
                                 struct aic_str description)
{
    struct speech_verdict verdict = {AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION,
                                     "Deepgram reports an error"};
    *fault = (struct speech_fault){.retry_after_ms = 0};
    speech_fault_copy(fault->code, sizeof(fault->code), code);
    speech_fault_copy(fault->message, sizeof(fault->message), description);
    (void)verdict_of_reason(code, &verdict);
    (void)verdict_of_code(code, &verdict);
    speech_fault_set(fault, &verdict);
}
