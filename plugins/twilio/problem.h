/* SPDX-License-Identifier: ISC */
#ifndef TWILIO_PROBLEM_H
#define TWILIO_PROBLEM_H
/*
 * What a refusal of Twilio's REST API means. Its own code decides, the HTTP status where there is
 * none. Both shapes of its answers are read: code, message and more_info, and those of RFC 9457. No
 * I/O, no clock.
 */
#include "json.h"

#include <aicaller/error.h>

/* Not to be copied: the error's texts lie in the struct itself. */
struct twilio_problem {
    struct aic_error error;
    int64_t code; /* Twilio's; 0 = none */
    char code_text[24];
    char message[512];
    char request_id[64];
};

enum {
    TWILIO_CODE_NOT_FOUND = 20404,
    TWILIO_CODE_INVALID_STATE = 21220 /* the call is not in progress */
};

/* Reads an answer that is not 2xx. `body` may be NULL, `request_id` empty. */
void twilio_problem_read(struct twilio_problem *problem, int32_t http_status,
                         const struct aic_json *body, struct aic_str request_id);
/* A copy of an error, with `prefix` before its message. */
void twilio_problem_copy(struct twilio_problem *problem, const char *prefix,
                         const struct aic_error *error);
/* One of ours. */
void twilio_problem_make(struct twilio_problem *problem, uint32_t category, const char *message);

/* The request was about a call that is over, or was not there at all. */
bool twilio_problem_is_over(const struct twilio_problem *problem);

#endif
