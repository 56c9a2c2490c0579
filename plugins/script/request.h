/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_REQUEST_H
#define SCRIPT_REQUEST_H
/* Reads a request of the host: where the dialogue stood, and what happened since. */
#include "dialog.h"

#include <aicaller/llm.h>

struct script_request {
    struct aic_json *messages;
    struct aic_json *context;
    struct aic_buf said;
    struct aic_str state; /* the provider_state to go on from; empty = none */
    bool is_over;         /* a tool was run and succeeded: there is nothing left to say */
    struct script_turn turn;
};

/* AIC_ERROR_INVALID where the request is not what llm.h says. */
int32_t script_request_init(struct script_request *request, const struct aic_llm_request *from);
/* Accepts a zeroed request. */
void script_request_finish(struct script_request *request);

#endif
