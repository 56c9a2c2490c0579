/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_ANSWER_H
#define OPENAI_ANSWER_H
/* An answer of the language model: a streamed chat completion, told to the host as events. */
#include "job.h"

struct openai_llm_session {
    const struct openai_provider *provider;
    const struct aic_llm_sink *sink;
    struct openai_jobs answers;
};

/* Asks; the answer is a job of the session until its end. */
int32_t openai_answer_start(struct openai_llm_session *session,
                            const struct aic_llm_request *request);
/* Drops an answer that has not ended. Of what was made until now the usage is still told. */
void openai_answer_cancel(struct openai_job *job);

#endif
