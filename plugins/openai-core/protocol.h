/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_PROTOCOL_H
#define OPENAI_PROTOCOL_H
/*
 * The common parts of answers: errors in all the shapes that servers give them, usage, finish
 * reasons, the list of models. Pure.
 */
#include "json.h"

#include <aicaller/usage.h>

/* An error as the server told it; the texts are borrowed from the document. */
struct openai_problem {
    int32_t status; /* told in the body; 0 = not told */
    struct aic_str code;
    struct aic_str type;
    struct aic_str message;
};

/*
 * Looks for an error in a document. `is_answer`: the answer has a status that says that there is
 * one, so that shapes count as well which a good answer might have. False: there is none.
 */
bool openai_problem_read(const struct aic_json *root, bool is_answer,
                         struct openai_problem *problem);

/* Reads a "usage" object; false where there is none. */
bool openai_usage_read(const struct aic_json *node, struct aic_usage *usage);

/* AIC_LLM_FINISH_... of a finish_reason that is not empty. */
uint32_t openai_finish_of(struct aic_str reason);

/*
 * Whether the answer of GET /models lists `model`; its first names are appended to `names`, with
 * commas. AIC_ERROR_PROTOCOL: this is no list of models. AIC_ERROR_NOT_FOUND: not in the list.
 */
int32_t openai_models_find(struct aic_str body, const char *model, struct aic_buf *names);

#endif
