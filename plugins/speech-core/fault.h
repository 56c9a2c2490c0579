/* SPDX-License-Identifier: ISC */
#ifndef SPEECH_FAULT_H
#define SPEECH_FAULT_H
/* What went wrong, in the host's words, with texts of its own. Pure. */
#include "buf.h"

#include <aicaller/error.h>

enum { SPEECH_CODE_BYTES = 64, SPEECH_MESSAGE_BYTES = 300, SPEECH_ID_BYTES = 80 };

struct speech_fault {
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    int32_t http_status;
    int32_t close_code;
    int64_t retry_after_ms;
    char code[SPEECH_CODE_BYTES];
    char message[SPEECH_MESSAGE_BYTES];
    char request_id[SPEECH_ID_BYTES];
};

/* A verdict: what a word or a status of the vendor means. */
struct speech_verdict {
    uint32_t category;
    uint32_t scope;
    uint32_t retry;
    const char *message; /* what to do, where the vendor's words do not say; NULL */
};

void speech_fault_set(struct speech_fault *fault, const struct speech_verdict *verdict);
/* An error of our own finding. */
void speech_fault_say(struct speech_fault *fault, uint32_t category, uint32_t retry,
                      const char *message);
/* What a status other than 2xx means with any vendor. */
struct speech_verdict speech_verdict_of_status(int32_t status);
/* An error that the HTTP or WebSocket service told. */
void speech_fault_of_network(struct speech_fault *fault, const struct aic_error *error);

/* Copies what a stranger wrote: valid UTF-8 on one line, cut to fit. */
void speech_fault_copy(char *to, size_t bytes, struct aic_str text);
/* Blots out a secret that a vendor has put into its message or code. */
void speech_fault_hide(struct speech_fault *fault, const char *secret);
/* The same as the host wants to see it; borrows the texts. */
struct aic_error speech_fault_error(const struct speech_fault *fault, bool output_started);

#endif
