/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_MEDIA_H
#define AIC_LIB_MEDIA_H
/*
 * Media messages of carriers whose WebSockets carry sound as base64 in JSON: a scanner for what
 * comes fifty times a second for each call, and an encoder. Neither allocates per message.
 */
#include "buf.h"

/* A media message; the texts lie in what was scanned. */
struct aic_media_message {
    struct aic_str stream;  /* "streamSid", "stream_id" or "streamId"; empty when absent */
    struct aic_str track;   /* empty when absent */
    struct aic_str payload; /* base64 that nobody has looked into yet */
    int64_t sequence;       /* "sequenceNumber" or "sequence_number"; -1 when absent */
    int64_t chunk;          /* -1 when absent */
    int64_t timestamp_ms;   /* -1 when absent */
};

/*
 * Reads a media message in its canonical form: one object with "event":"media" and one object
 * "media" in it; everything else in both is a string without escapes or a whole number; all of it
 * is ASCII, on one line; no name that counts is there twice. For anything else it returns false,
 * which says nothing about the message: ask the JSON parser.
 */
bool aic_media_scan(struct aic_str text, struct aic_media_message *message);

/* Appends a message: `prefix`, the bytes as base64, `suffix`. */
int32_t aic_media_write(struct aic_buf *to, struct aic_str prefix, const void *bytes, size_t count,
                        struct aic_str suffix);

#endif
