/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_HEAR_H
#define OPENAI_HEAR_H
/* An utterance of the caller: sent as a WAV file, it becomes words. */
#include "job.h"
#include "recording.h"
#include "transcript.h"

struct openai_stt_session {
    const struct openai_provider *provider;
    const struct aic_stt_sink *sink;
    struct openai_recording recording;
    struct aic_buf prompt;                /* words to expect */
    char language[OPENAI_LANGUAGE_BYTES]; /* empty: the recogniser finds out */
    bool is_open;                         /* an utterance */
    bool is_full;
    bool is_finishing; /* whose last job ends tells CLOSED */
    uint64_t id;       /* of the utterance */
    int64_t begun_us;
    struct openai_jobs jobs;
};

/* Has the sound between two media times recognised; words, end of turn or an error follow. */
int32_t openai_hearing_start(struct openai_stt_session *session, uint64_t id, int64_t begun_us,
                             int64_t ended_us);
/* Tells an event without words, such as READY, as soon as no operation runs. */
int32_t openai_hearing_tell(struct openai_stt_session *session, uint32_t kind);

#endif
