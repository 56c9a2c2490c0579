/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_PROVIDER_H
#define ELEVENLABS_PROVIDER_H
/* A provider: what the operator said, and the role. */
#include "request.h"
#include "speech-core/services.h"

struct eleven_provider {
    struct speech_services services;
    struct eleven_settings settings;
    struct aic_json *extra; /* that settings.extra is */
    bool is_socket;         /* the transport that was asked for */
    int64_t timeout_ms;
    const char *api_key;
};

int32_t eleven_provider_create(const struct aic_host *host, const struct aic_config *config,
                               void **self);
void eleven_provider_destroy(void *self);

const struct aic_tts *eleven_tts(void);

#endif
