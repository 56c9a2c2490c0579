/* SPDX-License-Identifier: ISC */
#include "fault.h"

#include "utf8.h"

#include <stdio.h>
#include <string.h>

struct verdict {
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
};

static struct verdict verdict_of_status(int32_t status)
{
    static const struct {
        int32_t status;
        struct verdict verdict;
    } verdicts[] = {
        {401, {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {402, {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {403, {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {404, {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {405, {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {408, {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_REQUEST, AIC_RETRY_NOW}},
        {409, {AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NOW}},
        {422, {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NOW}},
        {429, {AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_NONE}},
        {498, {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {499, {AIC_CATEGORY_CANCELLED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {503, {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {504, {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {529, {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (verdicts[i].status == status) {
            return verdicts[i].verdict;
        }
    }
    if (status >= 400 && status <= 499) {
        return (struct verdict){AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER};
    }
    if (status >= 300 && status <= 399) {
        return (struct verdict){AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK};
    }
    return (struct verdict){AIC_CATEGORY_SERVER, AIC_SCOPE_REQUEST, AIC_RETRY_NONE};
}

/* Codes and types that say more than the status, or stand alone within a stream. */
static bool verdict_of_word(struct aic_str word, struct verdict *verdict)
{
    static const struct {
        const char *word;
        struct verdict verdict;
    } verdicts[] = {
        {"invalid_api_key", {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"authentication_error", {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"account_deactivated", {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"insufficient_quota", {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"billing_not_active", {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"billing_hard_limit_reached",
         {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"model_not_found", {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"model_decommissioned", {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK}},
        {"rate_limit_exceeded", {AIC_CATEGORY_RATE_LIMIT, AIC_SCOPE_PROVIDER, AIC_RETRY_NONE}},
        {"context_length_exceeded", {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER}},
        {"exceed_context_size_error",
         {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER}},
        {"json_validate_failed", {AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER}},
        {"tool_use_failed", {AIC_CATEGORY_TOOL_FORMAT, AIC_SCOPE_REQUEST, AIC_RETRY_NOW}},
        {"content_filter", {AIC_CATEGORY_CONTENT_FILTER, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER}},
        {"content_policy_violation",
         {AIC_CATEGORY_CONTENT_FILTER, AIC_SCOPE_REQUEST, AIC_RETRY_NEVER}},
        {"capacity_exceeded", {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {"service_unavailable", {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {"overloaded_error", {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
        {"unavailable_error", {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_REQUEST, AIC_RETRY_NONE}},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (aic_str_equal_nocase(word, verdicts[i].word)) {
            *verdict = verdicts[i].verdict;
            return true;
        }
    }
    return false;
}

static void set_verdict(struct openai_fault *fault, struct verdict verdict)
{
    fault->category = verdict.category;
    fault->scope = verdict.scope;
    fault->retry = verdict.retry;
}

/* Copies what a stranger wrote: valid UTF-8 on one line, cut to fit. */
static void copy_clean(char *to, size_t bytes, struct aic_str text)
{
    struct aic_buf clean;
    aic_buf_init(&clean, bytes * 3);
    text.len = text.len < bytes ? text.len : bytes;
    aic_utf8_clean(&clean, text);
    for (size_t i = 0; i < clean.len; i++) {
        clean.data[i] =
            (unsigned char)clean.data[i] < ' ' || clean.data[i] == 0x7F ? ' ' : clean.data[i];
    }
    size_t length = aic_utf8_cut(aic_buf_view(&clean), bytes - 1);
    (void)aic_str_copy((struct aic_str){clean.data, length}, to, bytes);
    aic_buf_finish(&clean);
}

static void append(struct openai_fault *fault, const char *text)
{
    size_t used = strlen(fault->message);
    (void)snprintf(fault->message + used, sizeof(fault->message) - used, "%s", text);
}

/* Too large a request stays so, whatever the bucket is called that it would not fit into. */
static void judge(struct openai_fault *fault, const struct openai_problem *problem, int32_t status)
{
    struct verdict verdict = verdict_of_status(status);
    if (status != 413 && !verdict_of_word(problem->code, &verdict)) {
        (void)verdict_of_word(problem->type, &verdict);
    }
    set_verdict(fault, verdict);
    fault->http_status = status;
    copy_clean(fault->code, sizeof(fault->code),
               problem->code.len > 0 ? problem->code : problem->type);
    copy_clean(fault->message, sizeof(fault->message), problem->message);
}

/* "... Please try again in 2m59.56s." */
static int64_t wait_in_message(const char *message)
{
    static const char phrase[] = "try again in ";
    const char *at = strstr(message, phrase);
    return at ? openai_duration_ms(aic_str(at + sizeof(phrase) - 1)) : -1;
}

static bool may_be_repeated(const struct openai_fault *fault)
{
    return fault->retry == AIC_RETRY_NONE || fault->retry == AIC_RETRY_NOW;
}

static void advise(struct openai_fault *fault, int64_t after_ms, int32_t should_retry)
{
    if (after_ms < 0 && fault->category == AIC_CATEGORY_RATE_LIMIT) {
        after_ms = wait_in_message(fault->message);
    }
    if (may_be_repeated(fault) && should_retry < 0) {
        fault->retry = AIC_RETRY_NEVER;
    } else if (may_be_repeated(fault) && after_ms >= 0) {
        fault->retry = AIC_RETRY_AFTER;
        fault->retry_after_ms = after_ms;
    } else if (fault->retry == AIC_RETRY_NEVER && should_retry > 0) {
        fault->retry = AIC_RETRY_NOW;
    }
}

/* Whether a server says that it does not take a parameter at all, in one of their many ways. */
static bool is_about_a_stranger(const struct openai_fault *fault)
{
    static const char *const words[] = {"nsupported",  "not support",     "not permitted",
                                        "nrecognized", "nknown",          "not allowed",
                                        "unexpected",  "extra_forbidden", "nrecognised"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(fault->message, words[i])) {
            return true;
        }
    }
    return strcmp(fault->code, "unsupported_parameter") == 0;
}

/* Servers differ in what they take: names the setting for the parameter that this one refuses,
 * which is the first that it mentions. */
static void name_setting(struct openai_fault *fault)
{
    static const struct {
        const char *parameter;
        const char *advice;
    } settings[] = {
        {"max_tokens", " (set max_tokens_field = \"max_completion_tokens\")"},
        {"max_completion_tokens", " (set max_tokens_field = \"max_tokens\")"},
        {"stream_options", " (set usage_mode = \"none\")"},
        {"reasoning_effort", " (look at reasoning_effort)"},
        {"temperature", " (leave temperature out)"},
        {"response_format", " (look at stt_format and tts_format)"},
    };

    const char *first = NULL;
    const char *advice = NULL;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        const char *at = strstr(fault->message, settings[i].parameter);
        if (at && (!first || at < first)) {
            first = at;
            advice = settings[i].advice;
        }
    }
    if (advice && is_about_a_stranger(fault)) {
        size_t room = sizeof(fault->message) - 1 - strlen(advice);
        fault->message[aic_utf8_cut(aic_str(fault->message), room)] = '\0';
        append(fault, advice);
    }
}

/* Says what to do where the server's own words do not. */
static void explain(struct openai_fault *fault, bool is_told)
{
    if (fault->category == AIC_CATEGORY_AUTH) {
        /* Servers like to repeat a part of the key that they refuse. */
        fault->message[0] = '\0';
        append(fault, "the server refuses the key: look at api_key");
    } else if (fault->http_status >= 300 && fault->http_status <= 399) {
        fault->message[0] = '\0';
        append(fault, "the server redirects: write the address that it leads to as url");
    } else if (fault->category == AIC_CATEGORY_NOT_FOUND && is_told) {
        append(fault, " (the server's /models lists the models that it has)");
    } else if (fault->category == AIC_CATEGORY_NOT_FOUND) {
        append(fault, "there is nothing at this address: url has to be the base, as in "
                      "\"https://api.example.com/v1\"");
    } else if (fault->category == AIC_CATEGORY_BAD_REQUEST && is_told) {
        name_setting(fault);
    } else if (!is_told && fault->http_status == 0) {
        append(fault, "the server broke the answer off and does not say why");
    } else if (!is_told) {
        (void)snprintf(fault->message, sizeof(fault->message),
                       "the server answers with status %d and does not say why",
                       (int)fault->http_status);
    }
}

void openai_fault_set(struct openai_fault *fault, uint32_t category, uint32_t retry,
                      const char *message)
{
    *fault =
        (struct openai_fault){.category = category, .scope = AIC_SCOPE_REQUEST, .retry = retry};
    append(fault, message);
}

void openai_fault_of_network(struct openai_fault *fault, const struct aic_error *error)
{
    *fault = (struct openai_fault){.category = error->category,
                                   .scope = error->scope ? error->scope : AIC_SCOPE_REQUEST,
                                   .retry = error->retry,
                                   .retry_after_ms = error->retry_after_ms,
                                   .http_status = error->http_status};
    copy_clean(fault->code, sizeof(fault->code), error->code);
    copy_clean(fault->message, sizeof(fault->message), error->message);
}

void openai_fault_of_answer(struct openai_fault *fault, const struct openai_head *head,
                            struct aic_str body)
{
    struct openai_problem problem;
    struct aic_json *root = aic_json_parse(body, 0);
    bool is_told = openai_problem_read(root, true, &problem) && problem.message.len > 0;
    *fault = (struct openai_fault){.retry_after_ms = 0};
    judge(fault, &problem, head->status);
    explain(fault, is_told);
    advise(fault, head->retry_after_ms, head->should_retry);
    (void)aic_str_copy(aic_str(head->request_id), fault->request_id, sizeof(fault->request_id));
    aic_json_free(root);
}

void openai_fault_of_problem(struct openai_fault *fault, const struct openai_problem *problem)
{
    *fault = (struct openai_fault){.retry_after_ms = 0};
    judge(fault, problem, problem->status);
    if (fault->category == AIC_CATEGORY_AUTH || problem->message.len == 0) {
        explain(fault, false);
    }
    advise(fault, -1, 0);
}

/* Blots out a secret whose end was cut off with the end of the message. */
static void hide_cut(struct openai_fault *fault, const char *secret, size_t length)
{
    enum { TELLING = 4 };

    size_t used = strlen(fault->message);
    for (size_t part = length < used ? length : used; part >= TELLING; part--) {
        char *tail = fault->message + used - part;
        if (memcmp(tail, secret, part) == 0) {
            memset(tail, '*', part);
            return;
        }
    }
}

void openai_fault_hide(struct openai_fault *fault, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    char *at = length > 0 ? strstr(fault->message, secret) : NULL;
    while (at) {
        memset(at, '*', length);
        at = strstr(at + length, secret);
    }
    hide_cut(fault, secret, length);
}

/* How many bytes at the front of a text stand in the words as well; 0 where it is a chance. */
static size_t same_bytes(const char *text, struct aic_str words)
{
    enum { TELLING = 8 };

    size_t left = strlen(text);
    size_t same = TELLING;
    if (left < TELLING || !memmem(words.ptr, words.len, text, TELLING)) {
        return 0;
    }
    while (same < left && memmem(words.ptr, words.len, text, same + 1)) {
        same++;
    }
    while (((unsigned char)text[same] & 0xC0) == 0x80) {
        same++;
    }
    return same;
}

void openai_fault_hide_words(struct openai_fault *fault, struct aic_str words)
{
    for (char *at = fault->message; *at && words.len > 0;) {
        size_t same = ((unsigned char)*at & 0xC0) == 0x80 ? 0 : same_bytes(at, words);
        memset(at, '*', same);
        at += same > 0 ? same : 1;
    }
}

struct aic_error openai_fault_error(const struct openai_fault *fault, bool output_started)
{
    return (struct aic_error){
        .size = sizeof(struct aic_error),
        .category = fault->category,
        .scope = fault->scope,
        .retry = fault->retry,
        .retry_after_ms = fault->retry_after_ms,
        .http_status = fault->http_status,
        .output_started = output_started,
        .code = aic_str(fault->code),
        .message = aic_str(fault->message),
        .request_id = aic_str(fault->request_id),
    };
}
