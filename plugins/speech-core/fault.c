/* SPDX-License-Identifier: ISC */
#include "fault.h"

#include "utf8.h"

#include <string.h>

#define KEY_IS_BAD    "the vendor refuses the key: look at api_key"
#define NO_CREDIT     "the account has no credit left"
#define NOT_ALLOWED   "the key may not do this: look at its permissions and the plan"
#define NOT_THERE     "there is nothing at this address: look at url, model and voice"
#define TOO_MANY      "too many at the same time for the plan"
#define IT_REDIRECTS  "the vendor redirects: write the address that it leads to as url"
#define BAD_REQUEST   "the vendor does not accept the request: look at the settings"
#define VENDOR_FAILED "the vendor failed"

static struct speech_verdict verdict_of_range(int32_t status)
{
    if (status >= 300 && status <= 399) {
        return (struct speech_verdict){AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER,
                                       AIC_RETRY_FALL_BACK, IT_REDIRECTS};
    }
    if (status >= 400 && status <= 499) {
        return (struct speech_verdict){AIC_CATEGORY_BAD_REQUEST, AIC_SCOPE_SESSION,
                                       AIC_RETRY_FALL_BACK, BAD_REQUEST};
    }
    return (struct speech_verdict){AIC_CATEGORY_SERVER, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION,
                                   VENDOR_FAILED};
}

struct speech_verdict speech_verdict_of_status(int32_t status)
{
    static const struct {
        int32_t status;
        struct speech_verdict verdict;
    } verdicts[] = {
        {401, {AIC_CATEGORY_AUTH, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, KEY_IS_BAD}},
        {402, {AIC_CATEGORY_QUOTA, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NO_CREDIT}},
        {403, {AIC_CATEGORY_PERMISSION, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NOT_ALLOWED}},
        {404, {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NOT_THERE}},
        {405, {AIC_CATEGORY_NOT_FOUND, AIC_SCOPE_PROVIDER, AIC_RETRY_FALL_BACK, NOT_THERE}},
        {408, {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
        {429, {AIC_CATEGORY_CONCURRENCY, AIC_SCOPE_SESSION, AIC_RETRY_NONE, TOO_MANY}},
        {499, {AIC_CATEGORY_CANCELLED, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
        {503, {AIC_CATEGORY_OVERLOADED, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
        {504, {AIC_CATEGORY_TIMEOUT, AIC_SCOPE_SESSION, AIC_RETRY_NEW_SESSION, NULL}},
    };

    for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
        if (verdicts[i].status == status) {
            return verdicts[i].verdict;
        }
    }
    return verdict_of_range(status);
}

void speech_fault_set(struct speech_fault *fault, const struct speech_verdict *verdict)
{
    fault->category = verdict->category;
    fault->scope = verdict->scope;
    fault->retry = verdict->retry;
    /* A refusal of the key likes to repeat a part of it. */
    bool is_ours = fault->message[0] == '\0' || verdict->category == AIC_CATEGORY_AUTH;
    if (is_ours && verdict->message) {
        (void)aic_str_copy(aic_str(verdict->message), fault->message, sizeof(fault->message));
    } else if (is_ours) {
        (void)aic_str_copy(AIC_STR(VENDOR_FAILED), fault->message, sizeof(fault->message));
    }
}

void speech_fault_say(struct speech_fault *fault, uint32_t category, uint32_t retry,
                      const char *message)
{
    *fault =
        (struct speech_fault){.category = category, .scope = AIC_SCOPE_SESSION, .retry = retry};
    (void)aic_str_copy(aic_str(message), fault->message, sizeof(fault->message));
}

void speech_fault_of_network(struct speech_fault *fault, const struct aic_error *error)
{
    *fault = (struct speech_fault){.category = error->category,
                                   .scope = error->scope ? error->scope : AIC_SCOPE_SESSION,
                                   .retry = error->retry ? error->retry : AIC_RETRY_NEW_SESSION,
                                   .retry_after_ms = error->retry_after_ms,
                                   .http_status = error->http_status,
                                   .close_code = error->close_code};
    speech_fault_copy(fault->code, sizeof(fault->code), error->code);
    speech_fault_copy(fault->message, sizeof(fault->message), error->message);
    if (fault->message[0] == '\0') {
        (void)aic_str_copy(AIC_STR("the connection broke"), fault->message, sizeof(fault->message));
    }
}

void speech_fault_copy(char *to, size_t bytes, struct aic_str text)
{
    struct aic_buf clean;
    aic_buf_init(&clean, bytes * 3);
    text.len = text.len < bytes ? text.len : bytes;
    aic_utf8_clean(&clean, text);
    for (size_t i = 0; i < clean.len; i++) {
        bool is_control = (unsigned char)clean.data[i] < ' ' || clean.data[i] == 0x7F;
        clean.data[i] = is_control ? ' ' : clean.data[i];
    }
    size_t length = aic_utf8_cut(aic_buf_view(&clean), bytes - 1);
    (void)aic_str_copy((struct aic_str){clean.data, length}, to, bytes);
    aic_buf_finish(&clean);
}

static void hide(char *text, const char *secret, size_t length)
{
    enum { TELLING = 4 };

    for (char *at = strstr(text, secret); at; at = strstr(at + length, secret)) {
        memset(at, '*', length);
    }
    /* Its end may have been cut off with the end of the text. */
    size_t used = strlen(text);
    for (size_t part = length < used ? length : used; part >= TELLING; part--) {
        char *tail = text + used - part;
        if (memcmp(tail, secret, part) == 0) {
            memset(tail, '*', part);
            return;
        }
    }
}

void speech_fault_hide(struct speech_fault *fault, const char *secret)
{
    size_t length = secret ? strlen(secret) : 0;
    if (length > 0) {
        hide(fault->message, secret, length);
        hide(fault->code, secret, length);
    }
}

struct aic_error speech_fault_error(const struct speech_fault *fault, bool output_started)
{
    return (struct aic_error){
        .size = sizeof(struct aic_error),
        .category = fault->category,
        .scope = fault->scope,
        .retry = fault->retry,
        .retry_after_ms = fault->retry_after_ms,
        .http_status = fault->http_status,
        .close_code = fault->close_code,
        .output_started = output_started,
        .code = aic_str(fault->code),
        .message = aic_str(fault->message),
        .request_id = aic_str(fault->request_id),
    };
}
