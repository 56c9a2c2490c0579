/* SPDX-License-Identifier: ISC */
#ifndef CALL_TURN_H
#define CALL_TURN_H
/*
 * Decides who may speak: when the caller's turn is over, when the agent has to pause, give way or
 * go on. Pure: voice events, transcripts and times go in, actions come out, for the call to carry
 * out.
 *
 * End of turn: when the recogniser says so, or by silence of at least `endpointing_min_us` once the
 * words are final, at the latest after `endpointing_max_us`. A recogniser with NATIVE_TURNS knows
 * better than silence: there only the last counts beside its own word.
 * Interruption in two stages: the first sign of voice pauses the agent; enough voice or words
 * confirm it; else the agent goes on from the same sample.
 */
#include "buf.h"
#include "call/vad.h"

#include <aicaller/stt.h>

struct turn_settings {
    int64_t endpointing_min_us;
    int64_t endpointing_max_us;
    int64_t interrupt_min_us;
    int64_t interrupt_min_words;
    int64_t resume_after_us;
    bool early_answer;
    uint32_t stt_flags; /* AIC_STT_... of the recogniser in use */
};

/* What to do, in this order. */
enum {
    TURN_UTTERANCE_BEGIN = 1u << 0, /* tell the recogniser: utterance turn->utterance_id begins */
    TURN_UTTERANCE_END = 1u << 1,   /* ... and ends */
    TURN_FINALIZE = 1u << 2,        /* hasten what is pending */
    TURN_PAUSE = 1u << 3,           /* hold the agent's sound */
    TURN_RESUME = 1u << 4,          /* it was nothing: go on from the same sample */
    TURN_INTERRUPT = 1u << 5,       /* the caller has the floor: drop the agent's answer */
    TURN_EAGER = 1u << 6,           /* think ahead on turn_text() */
    TURN_EAGER_CANCEL = 1u << 7,    /* the caller goes on: throw that away */
    TURN_ANSWER = 1u << 8 /* the turn is over: answer turn_text(), then turn_begin_next() */
};

struct turn {
    struct turn_settings settings;
    struct aic_buf before;  /* words that nothing replaces: of an answer that was taken back, of
                             * what the recogniser holds for an earlier turn */
    struct aic_buf text;    /* finished words of this turn */
    struct aic_buf partial; /* words that may still change */
    struct aic_buf whole;   /* all three; made by turn_text */
    uint64_t text_id;       /* the recogniser's turn that `text` is of, where it sends it whole */
    uint64_t utterance_id;
    int64_t speech_started_us;
    int64_t last_voice_us;
    int64_t paused_us;
    int64_t waiting_since_us; /* for words to become final */
    float confidence;         /* of the worst final segment; -1 unknown */
    bool agent_is_active;     /* thinking or speaking */
    bool agent_is_protected;  /* may not be interrupted now */
    int64_t settled_us;       /* words up to here are final */
    bool has_voice;           /* somebody spoke in this turn */
    bool is_speech;
    bool utterance_is_open;
    bool is_waiting;
    bool is_paused;
    bool is_eager;
};

void turn_init(struct turn *turn, const struct turn_settings *settings);
void turn_finish(struct turn *turn);

/* The voice detector's event for the frame that ends now; called for every frame, so that it is
 * the clock as well. */
uint32_t turn_voice(struct turn *turn, enum vad_event event, const struct vad *vad, int64_t now_us);
/* An event of the recogniser. */
uint32_t turn_hear(struct turn *turn, const struct aic_stt_event *event, int64_t now_us);
/* Another recogniser takes over, which has been given all sound that has not become words. */
uint32_t turn_hears_with(struct turn *turn, uint32_t stt_flags, int64_t now_us);
/* The agent begins to think or speak; `is_protected`: what it says must be heard. */
void turn_agent_begins(struct turn *turn, bool is_protected);
/* What must be heard was heard. */
void turn_agent_unprotect(struct turn *turn);
/* The agent has finished and was heard. */
uint32_t turn_agent_done(struct turn *turn, int64_t now_us);
/* The caller's words so far; borrowed until the next call. */
struct aic_str turn_text(struct turn *turn);
/* Puts words in front of this turn: an answer to them was taken back. */
void turn_prepend(struct turn *turn, struct aic_str text);
/* The turn was answered or dropped; what follows is the next one. */
void turn_begin_next(struct turn *turn);
/* Whether the caller has neither spoken nor is speaking since the agent was done. */
bool turn_is_quiet(const struct turn *turn);

#endif
