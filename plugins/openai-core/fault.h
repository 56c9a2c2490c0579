/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_FAULT_H
#define OPENAI_FAULT_H
/*
 * What went wrong, in the host's words: from a status, headers and a body to category, scope and
 * advice. Pure.
 */
#include "head.h"
#include "protocol.h"

#include <aicaller/error.h>

enum { OPENAI_CODE_BYTES = 64, OPENAI_MESSAGE_BYTES = 400 };

/* An error that owns its texts. */
struct openai_fault {
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    int32_t http_status;
    int64_t retry_after_ms;
    char code[OPENAI_CODE_BYTES];
    char message[OPENAI_MESSAGE_BYTES];
    char request_id[OPENAI_ID_BYTES];
};

/* An error of our own finding; it concerns one request. */
void openai_fault_set(struct openai_fault *fault, uint32_t category, uint32_t retry,
                      const char *message);
/* An error that the HTTP service told. */
void openai_fault_of_network(struct openai_fault *fault, const struct aic_error *error);
/* An answer with a status other than 2xx. */
void openai_fault_of_answer(struct openai_fault *fault, const struct openai_head *head,
                            struct aic_str body);
/* An error within an answer that had begun well. */
void openai_fault_of_problem(struct openai_fault *fault, const struct openai_problem *problem);

/* Blots out a secret that a server has put into its text. */
void openai_fault_hide(struct openai_fault *fault, const char *secret);
/* Blots out what was said in the call, wherever 8 bytes or more of it stand in the text: servers
 * like to repeat what they refuse, and messages are logged. */
void openai_fault_hide_words(struct openai_fault *fault, struct aic_str words);
/* The same as the host wants to see it; borrows the texts. */
struct aic_error openai_fault_error(const struct openai_fault *fault, bool output_started);

#endif
