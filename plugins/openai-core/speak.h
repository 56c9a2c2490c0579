/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_SPEAK_H
#define OPENAI_SPEAK_H
/* An utterance of the voice: one request, whose answer is streamed sound. */
#include "job.h"

enum { OPENAI_SPEECH_MAX_BYTES = 4096 /* of an utterance's text: what OpenAI takes */ };

struct openai_tts_session {
    const struct openai_provider *provider;
    const struct aic_tts_sink *sink;
    char *voice;
    struct openai_jobs utterances;
};

/* Begins one; it is a job of the session until its end. */
int32_t openai_utterance_begin(struct openai_tts_session *session, uint64_t id);
int32_t openai_utterance_add(struct openai_job *job, struct aic_str text);
/* The text is complete: has it spoken. */
int32_t openai_utterance_send(struct openai_job *job);
/* Stops it; CANCELLED follows. */
int32_t openai_utterance_cancel(struct openai_job *job);

#endif
