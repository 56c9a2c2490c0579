/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_PROBLEM_H
#define ELEVENLABS_PROBLEM_H
/* ElevenLabs' refusals, error messages and closes in the host's words. Pure. */
#include "speech-core/fault.h"

#include <aicaller/websocket.h>

/* An answer with a status other than 2xx. Its body has the new or the old envelope, a bare text, or
 * a list of what is not valid. */
void eleven_problem_of_answer(struct speech_fault *fault, int32_t status, struct aic_str body);
/* An error message on the socket. */
void eleven_problem_of_message(struct speech_fault *fault, struct aic_str code,
                               struct aic_str description);
/* A socket that ended, or was never opened. */
void eleven_problem_of_close(struct speech_fault *fault, const struct aic_ws_event *event);

#endif
