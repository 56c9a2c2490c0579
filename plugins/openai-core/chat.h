/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_CHAT_H
#define OPENAI_CHAT_H
/* The body of a request for a chat completion. Pure. */
#include "json.h"

#include <aicaller/llm.h>

struct openai_chat_settings {
    const char *model;            /* NULL or empty: the server has only one */
    const char *max_tokens_field; /* "max_tokens" or "max_completion_tokens" */
    const char *reasoning_effort; /* NULL = do not say */
    bool hides_reasoning;         /* ask for thoughts not to be sent at all */
    bool asks_for_usage;
    double temperature;           /* negative = do not say */
    int64_t max_tokens;           /* 0 = do not say */
    const struct aic_json *extra; /* further members; they win over ours */
};

/*
 * Writes the body. AIC_ERROR_INVALID: messages or tools of the request are not the JSON that they
 * have to be; AIC_ERROR_TOO_LARGE: over the bound of `to`.
 */
int32_t openai_chat_write(const struct openai_chat_settings *settings,
                          const struct aic_llm_request *request, struct aic_buf *to);
/* Appends what was said in the conversation, without the system's part; where that is more than
 * `to` holds, the latest. */
void openai_chat_words(struct aic_str messages, struct aic_buf *to);
/* The member of `extra` that may not be there, because it is the host's; NULL if all is well. */
const char *openai_chat_extra_problem(const struct aic_json *extra);

#endif
