/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_PROBLEM_H
#define DEEPGRAM_PROBLEM_H
/* Deepgram's refusals, close codes and error messages in the host's words. Pure. */
#include "speech-core/fault.h"

#include <aicaller/websocket.h>

/* A socket that ended, or was never opened. */
void deepgram_problem_of_close(struct speech_fault *fault, const struct aic_ws_event *event);
/* An answer with a status other than 2xx. */
void deepgram_problem_of_answer(struct speech_fault *fault, int32_t status, struct aic_str body);
/* An error message within a session. */
void deepgram_problem_of_message(struct speech_fault *fault, struct aic_str code,
                                 struct aic_str description);

#endif
