/* SPDX-License-Identifier: ISC */
#ifndef CALL_LEDGER_H
#define CALL_LEDGER_H
/*
 * Which words of an answer belong to which of its sound, so that history and transcript can hold
 * what the caller heard. Pure. Points tie a place in the text to a time in the audio: ends of
 * sentences always, ends of words where the voice tells them; between two points words are counted
 * off in proportion.
 */
#include "buf.h"

struct ledger_point {
    size_t text_end;      /* bytes of the text that are spoken ... */
    int64_t audio_end_us; /* ... when this much of the answer's audio has been played */
};

struct ledger {
    struct aic_buf text; /* all sentences given to the voice, one space between */
    struct ledger_point *points;
    size_t count;
    size_t cap;
    size_t align_at; /* where the next aligned word is looked for */
};

void ledger_init(struct ledger *ledger);
void ledger_finish(struct ledger *ledger);
/* Begins a new answer. */
void ledger_reset(struct ledger *ledger);
/* Adds a sentence; returns where it ends in the text. */
size_t ledger_add(struct ledger *ledger, struct aic_str sentence);
/* All text up to `text_end` is spoken within the first `audio_end_us` of audio. Points come in
 * rising order; one that falls back is dropped. */
void ledger_point(struct ledger *ledger, size_t text_end, int64_t audio_end_us);
/* A word or character of the text, in order, and when its sound ends. */
void ledger_align(struct ledger *ledger, struct aic_str piece, int64_t audio_end_us);
/* Length of the text that was heard when `played_us` of the audio were played, in whole words. */
size_t ledger_heard(const struct ledger *ledger, int64_t played_us);
/* The last end of a sentence or word at or before `text_end`: text and audio; zeros if none. */
struct ledger_point ledger_before(const struct ledger *ledger, size_t text_end);
/* Forgets points beyond `text_end`: that text will be spoken again. */
void ledger_rewind(struct ledger *ledger, size_t text_end);

#endif
