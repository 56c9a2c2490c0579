/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_PROTOCOL_H
#define DEEPGRAM_PROTOCOL_H
/*
 * The messages of Deepgram's recognisers: /v1/listen (Nova) and /v2/listen (Flux). Pure. Unknown
 * kinds and members are passed over; a known kind that lacks what makes it one is an error.
 */
#include "json.h"

#include <aicaller/stt.h>

enum deepgram_kind {
    DEEPGRAM_OTHER,
    DEEPGRAM_RESULTS,
    DEEPGRAM_SPEECH_STARTED,
    DEEPGRAM_UTTERANCE_END,
    DEEPGRAM_METADATA,
    DEEPGRAM_CONFIGURED,
    DEEPGRAM_CONFIGURE_REFUSED,
    DEEPGRAM_ERROR,
    DEEPGRAM_CONNECTED,
    DEEPGRAM_TURN
};

/* What a Flux turn does. */
enum deepgram_turn {
    DEEPGRAM_TURN_OTHER,
    DEEPGRAM_TURN_START,
    DEEPGRAM_TURN_UPDATE,
    DEEPGRAM_TURN_EAGER_END,
    DEEPGRAM_TURN_RESUMED,
    DEEPGRAM_TURN_END
};

/* Times are those of the stream, -1 where the vendor knows none. Texts lie in the document. */
struct deepgram_message {
    struct aic_json *root;
    const struct aic_json *words;
    enum deepgram_kind kind;
    enum deepgram_turn turn;
    struct aic_str text;
    struct aic_str language;
    struct aic_str request_id;
    struct aic_str code;        /* of an error */
    struct aic_str description; /* of an error */
    float confidence;           /* of the text; -1 unknown */
    float end_confidence;       /* that the turn is over; -1 unknown */
    int64_t start_us;           /* UTTERANCE_END: -1; others: begin of what was heard */
    int64_t end_us;             /* UTTERANCE_END: end of the last word */
    bool is_final;
    bool speech_final;
    bool from_finalize;
};

/* AIC_ERROR_PROTOCOL for what is no message; nothing is to be finished then. */
int32_t deepgram_message_read(struct aic_str text, struct deepgram_message *message);
void deepgram_message_finish(struct deepgram_message *message);
/* Writes the words, `offset_us` later than in the stream; returns how many. */
uint32_t deepgram_message_words(const struct deepgram_message *message, int64_t offset_us,
                                struct aic_stt_word *to, uint32_t max);

/* Writes the message that replaces the keyterms. */
void deepgram_configure_write(struct aic_buf *to, const struct aic_str *keyterms, uint32_t count);

#endif
