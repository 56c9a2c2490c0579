/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_PROVIDER_H
#define DEEPGRAM_PROVIDER_H
/* A provider: what the operator said, and the roles. */
#include "json.h"
#include "speech-core/services.h"

/* Texts are borrowed from the host's configuration, which outlives the provider. */
struct deepgram_settings {
    const char *url;
    const char *api_key;
    const char *model;
    const char *voice;
    const char *language; /* NULL = the agent's */
    int64_t endpointing_ms;
    int64_t utterance_end_ms;
    int64_t eot_timeout_ms;
    double eot_threshold;
    double eager_eot_threshold; /* 0 = no eager ends */
    double speed;               /* 0 = the voice's own */
    bool smart_format;
    bool mip_opt_out;
    int64_t timeout_ms;
};

struct deepgram_line;

struct deepgram_provider {
    struct speech_services services;
    const struct aic_config *config; /* for the list "keyterms" */
    struct deepgram_settings settings;
    struct aic_json *extra;
    struct aic_buf authorization;  /* "Token ..." */
    struct deepgram_line *leaving; /* closed, but their sockets are not yet */
    bool is_flux;
};

int32_t deepgram_provider_create(const struct aic_host *host, const struct aic_config *config,
                                 void **self);
void deepgram_provider_destroy(void *self);

const struct aic_stt *deepgram_stt(void);
const struct aic_tts *deepgram_tts(void);

#endif
