/* SPDX-License-Identifier: ISC */
#include "problem.h"

#include "utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct meaning {
    int64_t code; /* Twilio's, or an HTTP status */
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    const char *hint; /* what an operator can do; NULL = nothing more than Twilio says */
};

enum {
    HTTP_SERVER_ERROR = 500,
    REQUEST = AIC_SCOPE_REQUEST,
    PROVIDER = AIC_SCOPE_PROVIDER,
    NEVER = AIC_RETRY_NEVER,
    FALL_BACK = AIC_RETRY_FALL_BACK
};

static const struct meaning codes[] = {
    {20003, AIC_CATEGORY_AUTH, PROVIDER, FALL_BACK, "check account_sid and auth_token"},
    {20005, AIC_CATEGORY_PERMISSION, PROVIDER, FALL_BACK, "the account is not active"},
    {20006, AIC_CATEGORY_PERMISSION, PROVIDER, FALL_BACK, NULL},
    {20008, AIC_CATEGORY_PERMISSION, PROVIDER, FALL_BACK, "these are test credentials"},
    {20403, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, NULL},
    {20404, AIC_CATEGORY_NOT_FOUND, REQUEST, NEVER, NULL},
    {20429, AIC_CATEGORY_CONCURRENCY, PROVIDER, AIC_RETRY_AFTER, NULL},
    {20500, AIC_CATEGORY_SERVER, REQUEST, AIC_RETRY_NONE, NULL},
    {20503, AIC_CATEGORY_OVERLOADED, PROVIDER, AIC_RETRY_NONE, NULL},
    {21202, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, "a premium number"},
    {21203, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, "allow the country in Voice Geo Permissions"},
    {21205, AIC_CATEGORY_BAD_REQUEST, PROVIDER, FALL_BACK, "check server.public_url"},
    {21210, AIC_CATEGORY_PERMISSION, PROVIDER, FALL_BACK,
     "from must be a number of the account or a verified one"},
    {21212, AIC_CATEGORY_BAD_REQUEST, PROVIDER, FALL_BACK, "check from"},
    {21213, AIC_CATEGORY_BAD_REQUEST, PROVIDER, FALL_BACK, "set from"},
    {21214, AIC_CATEGORY_NOT_FOUND, REQUEST, NEVER, NULL},
    {21215, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, "allow the country in Voice Geo Permissions"},
    {21216, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, "Twilio blocks this number"},
    {21219, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, "a trial account calls verified numbers only"},
};

static const struct meaning statuses[] = {
    {400, AIC_CATEGORY_BAD_REQUEST, REQUEST, NEVER, NULL},
    {401, AIC_CATEGORY_AUTH, PROVIDER, FALL_BACK, "check account_sid and auth_token"},
    {402, AIC_CATEGORY_QUOTA, PROVIDER, FALL_BACK, NULL},
    {403, AIC_CATEGORY_PERMISSION, REQUEST, NEVER, NULL},
    {404, AIC_CATEGORY_NOT_FOUND, REQUEST, NEVER, NULL},
    {408, AIC_CATEGORY_TIMEOUT, REQUEST, AIC_RETRY_NONE, NULL},
    {429, AIC_CATEGORY_CONCURRENCY, PROVIDER, AIC_RETRY_AFTER, NULL},
    {503, AIC_CATEGORY_OVERLOADED, PROVIDER, AIC_RETRY_NONE, NULL},
};

static const struct meaning *find(const struct meaning *list, size_t count, int64_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].code == code) {
            return &list[i];
        }
    }
    return NULL;
}

static struct meaning meaning_of(int64_t code, int32_t http_status)
{
    const struct meaning *known = find(codes, sizeof(codes) / sizeof(codes[0]), code);
    if (!known) {
        known = find(statuses, sizeof(statuses) / sizeof(statuses[0]), http_status);
    }
    if (known) {
        return *known;
    }
    if (http_status >= HTTP_SERVER_ERROR) {
        return (struct meaning){code, AIC_CATEGORY_SERVER, REQUEST, AIC_RETRY_NONE, NULL};
    }
    bool is_refusal = http_status >= 400;
    return (struct meaning){code, is_refusal ? AIC_CATEGORY_BAD_REQUEST : AIC_CATEGORY_PROTOCOL,
                            REQUEST, NEVER, NULL};
}

/* Text of the network for people: without control characters, and not endless. */
static void add_clean(struct aic_buf *to, struct aic_str text, size_t max)
{
    size_t length = aic_utf8_cut(text, max);
    for (size_t i = 0; i < length; i++) {
        aic_buf_char(to, (unsigned char)text.ptr[i] < ' ' ? ' ' : text.ptr[i]);
    }
}

/* A copy, cut to fit between two characters. */
static struct aic_str copy_text(struct aic_str text, char *to, size_t bytes)
{
    (void)aic_str_copy((struct aic_str){text.ptr, aic_utf8_cut(text, bytes - 1)}, to, bytes);
    return aic_str(to);
}

static void set_message(struct twilio_problem *problem, const struct aic_buf *text)
{
    (void)aic_str_copy(aic_buf_view(text), problem->message, sizeof(problem->message));
    problem->error.message = aic_str(problem->message);
}

static void write_message(struct twilio_problem *problem, const struct aic_json *body,
                          const char *hint)
{
    enum { SENTENCE_BYTES = 240, ADDRESS_BYTES = 100 };

    struct aic_buf text;
    struct aic_str sentence = aic_json_get_text(body, "message");
    struct aic_str more = aic_json_get_text(body, "more_info");
    sentence = sentence.len > 0 ? sentence : aic_json_get_text(body, "detail");
    sentence = sentence.len > 0 ? sentence : aic_json_get_text(body, "title");
    aic_buf_init(&text, sizeof(problem->message) - 1);
    aic_buf_text(&text, "Twilio: ");
    if (sentence.len > 0) {
        add_clean(&text, sentence, SENTENCE_BYTES);
    } else {
        aic_buf_printf(&text, "HTTP status %" PRId32, problem->error.http_status);
    }
    if (problem->code > 0) {
        aic_buf_printf(&text, " (%" PRId64 ")", problem->code);
    }
    if (hint) {
        aic_buf_printf(&text, "; %s", hint);
    }
    if (aic_str_starts(more, "https://www.twilio.com/") && more.len <= ADDRESS_BYTES) {
        aic_buf_text(&text, "; see ");
        add_clean(&text, more, ADDRESS_BYTES);
    }
    set_message(problem, &text);
    aic_buf_finish(&text);
}

void twilio_problem_read(struct twilio_problem *problem, int32_t http_status,
                         const struct aic_json *body, struct aic_str request_id)
{
    *problem = (struct twilio_problem){.code = aic_json_get_int(body, "code", 0)};
    struct meaning meaning = meaning_of(problem->code, http_status);
    problem->error = (struct aic_error){.size = sizeof(problem->error),
                                        .category = meaning.category,
                                        .scope = meaning.scope,
                                        .retry = meaning.retry,
                                        .http_status = http_status};
    if (problem->code > 0) {
        (void)snprintf(problem->code_text, sizeof(problem->code_text), "%" PRId64, problem->code);
        problem->error.code = aic_str(problem->code_text);
    }
    if (aic_utf8_valid(request_id)) {
        problem->error.request_id =
            copy_text(request_id, problem->request_id, sizeof(problem->request_id));
    }
    write_message(problem, body, meaning.hint);
}

void twilio_problem_copy(struct twilio_problem *problem, const char *prefix,
                         const struct aic_error *error)
{
    *problem = (struct twilio_problem){.error = *error};
    problem->error.size = sizeof(problem->error);
    struct aic_buf text;
    aic_buf_init(&text, sizeof(problem->message) - 1);
    aic_buf_text(&text, prefix);
    add_clean(&text, error->message, sizeof(problem->message) - 1 - text.len);
    set_message(problem, &text);
    aic_buf_finish(&text);
    problem->error.code = copy_text(error->code, problem->code_text, sizeof(problem->code_text));
    problem->error.request_id =
        copy_text(error->request_id, problem->request_id, sizeof(problem->request_id));
}

void twilio_problem_make(struct twilio_problem *problem, uint32_t category, const char *message)
{
    *problem = (struct twilio_problem){.error = {.size = sizeof(problem->error),
                                                 .category = category,
                                                 .scope = AIC_SCOPE_REQUEST,
                                                 .retry = AIC_RETRY_NEVER}};
    (void)aic_str_copy(aic_str(message), problem->message, sizeof(problem->message));
    problem->error.message = aic_str(problem->message);
}

bool twilio_problem_is_over(const struct twilio_problem *problem)
{
    return problem->code == TWILIO_CODE_INVALID_STATE || problem->code == TWILIO_CODE_NOT_FOUND ||
           (problem->code == 0 && problem->error.http_status == 404);
}
