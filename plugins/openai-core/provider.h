/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_PROVIDER_H
#define OPENAI_PROVIDER_H
/*
 * A provider of this protocol: what the operator said, and the roles. Each plugin reads its own
 * options into the settings and creates a provider of them.
 */
#include "chat.h"

#include <aicaller/aicaller.h>

enum { OPENAI_HEADERS_MAX = 16 };

/* Borrowed from the host's configuration, which outlives the provider. */
struct openai_settings {
    const char *name;           /* of the provider in the configuration */
    const char *url;            /* the base address */
    const char *api_key;        /* NULL = none */
    const char *api_key_header; /* the header that carries the bare key; NULL = Authorization */
    const struct aic_config *config; /* for "headers", a list of "Name: value" */
    int64_t timeout_ms;              /* until a first word, a transcript, a first sound */
    struct openai_chat_settings chat;
    const char *reasoning_field; /* further name of the member with thoughts; NULL */
    const char *extra;           /* JSON, or NULL; so are the next two */

    const char *stt_model;
    const char *stt_format; /* "json" or "verbose_json" */
    const char *stt_extra;
    const char *language; /* NULL = the agent's; "auto" = let the recogniser find out */

    const char *tts_model;  /* NULL: this provider does not speak */
    const char *tts_format; /* "pcm" or "wav" */
    const char *tts_extra;
    uint32_t tts_max_bytes; /* of a text; 0 = OPENAI_SPEECH_MAX_BYTES */
    const char *voice;
    int64_t sample_rate_hz;
};

struct openai_provider {
    const struct aic_host *host;
    const struct aic_http_service *http; /* NULL where a configuration is only checked */
    const struct aic_timer_service *timer;
    const struct aic_clock_service *clock;
    const struct aic_log_service *log;
    struct openai_settings settings; /* `chat.extra` is the next */
    struct aic_json *extra;
    struct aic_json *stt_extra;
    struct aic_json *tts_extra;
    struct aic_buf key;   /* the value of the header that carries the key */
    struct aic_buf base;  /* the address without closing slash and query */
    struct aic_str query; /* "?api-version=..." of the address, or empty */
    struct aic_header headers[OPENAI_HEADERS_MAX];
    uint32_t header_count;
    struct aic_format tts_format;
};

/* Reads the options that both plugins have; the rest is zero. */
void openai_settings_read(struct openai_settings *settings, const struct aic_config *config);
/* Which of two models a role uses: its own, else `model` where its name says that it plays this
 * role, else the fallback. */
const char *openai_settings_model(const struct openai_settings *settings, const char *own,
                                  const char *const *words, const char *fallback);

/* AIC_ERROR_CONFIG after logging what is wrong. */
int32_t openai_provider_create(const struct aic_host *host, const struct openai_settings *settings,
                               void **self);
void openai_provider_destroy(void *self);
/* Writes the address of a path such as "/models". */
void openai_provider_url(const struct openai_provider *provider, const char *path,
                         struct aic_buf *to);

/* Opens a connection ahead of a request. */
void openai_provider_warm(const struct openai_provider *provider);

const struct aic_llm *openai_llm(void);
const struct aic_stt *openai_stt(void);
const struct aic_tts *openai_tts(void);

#endif
