/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_REQUEST_H
#define ELEVENLABS_REQUEST_H
/* Addresses and bodies of requests for speech. Pure. */
#include "json.h"

#include <aicaller/audio.h>

enum { ELEVEN_URL_MAX_BYTES = 1900, ELEVEN_NO_NUMBER = -1 };

/* Texts are borrowed from the host's configuration. Numbers that are not set are negative. */
struct eleven_settings {
    const char *url;
    const char *model;
    const char *voice;
    const char *language;      /* NULL = the agent's, where the model takes one */
    const char *normalization; /* "auto", "on", "off" */
    double stability;
    double similarity;
    double style;
    double speed;
    bool keeps_logs; /* false: zero retention */
    const struct aic_json *extra;
};

/* What one session asks for. */
struct eleven_request {
    const struct eleven_settings *settings;
    const char *voice;
    const char *language; /* the agent's; "" */
    struct aic_format format;
};

/* The vendor's name of a format, or NULL. */
const char *eleven_format_name(struct aic_format format);
/* What is wrong with the operator's `extra`, or NULL. */
const char *eleven_extra_problem(const struct aic_json *extra);

void eleven_socket_url(const struct eleven_request *request, struct aic_buf *to);
void eleven_stream_url(const struct eleven_request *request, struct aic_buf *to);
void eleven_voice_url(const struct eleven_settings *settings, struct aic_buf *to);
/* The body of a request; `previous` is what was said before, for the melody. */
void eleven_body_write(const struct eleven_request *request, struct aic_str text,
                       struct aic_str previous, struct aic_buf *to);

/* The first message of a context of the socket. */
void eleven_begin_write(const struct eleven_settings *settings, uint64_t context,
                        struct aic_buf *to);
/* A whole piece of text, to be spoken now. */
void eleven_text_write(uint64_t context, struct aic_str text, struct aic_buf *to);
/* Sets the context's clock back. */
void eleven_keep_write(uint64_t context, struct aic_buf *to);
/* No more text; what was flushed is still spoken. */
void eleven_close_write(uint64_t context, struct aic_buf *to);

#endif
