/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_PROTOCOL_H
#define ELEVENLABS_PROTOCOL_H
/*
 * What the socket with several contexts says. Pure. Names that documentation and service spell in
 * two ways are read in both.
 */
#include "json.h"

/* A message holds up to a whole sentence's sound. */
enum { ELEVEN_MESSAGE_MAX_BYTES = 16 << 20 };

/* Texts lie in the document. */
struct eleven_message {
    struct aic_json *root;
    uint64_t context;     /* 0 = none, or none of ours */
    struct aic_str audio; /* base64; empty = none */
    struct aic_str error; /* the vendor's code; empty = no error */
    struct aic_str description;
    const struct aic_json *alignment;
    int32_t code;       /* of an error */
    bool is_final;      /* the context is over */
    bool is_flush_done; /* all sound of one flush has come */
};

/* AIC_ERROR_PROTOCOL for what is no message; nothing is to be finished then. */
int32_t eleven_message_read(struct aic_str text, struct eleven_message *message);
void eleven_message_finish(struct eleven_message *message);

/* One character of an alignment; its times are relative to the message's sound. */
struct eleven_char {
    struct aic_str text;
    int64_t start_us;
    int64_t duration_us;
};

/* The number of characters whose times are known. */
size_t eleven_alignment_count(const struct aic_json *alignment);
struct eleven_char eleven_alignment_at(const struct aic_json *alignment, size_t index);

/* A whole number in a header; -1 where there is none. */
int64_t eleven_number(struct aic_str text);
/* Whether a content type can be sound. */
bool eleven_type_is_sound(struct aic_str type);

#endif
