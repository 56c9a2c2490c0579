/* SPDX-License-Identifier: ISC */
#include "call/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 64 * 1024, MAX_POINTS = 65536 };

/* How long a voice takes for a byte of text, where nothing better is known. */
static const int64_t us_per_byte = 65000;

void ledger_init(struct ledger *ledger)
{
    *ledger = (struct ledger){.points = NULL};
    aic_buf_init(&ledger->text, MAX_TEXT);
}

void ledger_finish(struct ledger *ledger)
{
    aic_buf_finish(&ledger->text);
    free(ledger->points);
    ledger->points = NULL;
    ledger->count = 0;
    ledger->cap = 0;
}

void ledger_reset(struct ledger *ledger)
{
    aic_buf_clear(&ledger->text);
    ledger->count = 0;
    ledger->align_at = 0;
}

size_t ledger_add(struct ledger *ledger, struct aic_str sentence)
{
    if (ledger->text.len > 0) {
        aic_buf_char(&ledger->text, ' ');
    }
    aic_buf_str(&ledger->text, sentence);
    return ledger->text.len;
}

static bool make_room(struct ledger *ledger)
{
    if (ledger->count < ledger->cap) {
        return true;
    }
    size_t cap = ledger->cap ? ledger->cap * 2 : 64;
    if (cap > MAX_POINTS) {
        return false;
    }
    struct ledger_point *points = realloc(ledger->points, cap * sizeof(*points));
    if (!points) {
        return false;
    }
    ledger->points = points;
    ledger->cap = cap;
    return true;
}

void ledger_point(struct ledger *ledger, size_t text_end, int64_t audio_end_us)
{
    if (text_end > ledger->text.len) {
        text_end = ledger->text.len;
    }
    if (ledger->count > 0) {
        struct ledger_point *last = &ledger->points[ledger->count - 1];
        if (text_end < last->text_end || audio_end_us < last->audio_end_us) {
            return;
        }
        if (text_end == last->text_end) {
            last->audio_end_us = audio_end_us;
            return;
        }
    }
    if (make_room(ledger)) {
        ledger->points[ledger->count++] = (struct ledger_point){text_end, audio_end_us};
    }
}

void ledger_align(struct ledger *ledger, struct aic_str piece, int64_t audio_end_us)
{
    struct aic_str text = aic_buf_view(&ledger->text);
    while (piece.len > 0 && piece.ptr[0] == ' ') {
        piece.ptr++;
        piece.len--;
    }
    while (piece.len > 0 && piece.ptr[piece.len - 1] == ' ') {
        piece.len--;
    }
    if (piece.len == 0) {
        return;
    }

    /* Voices report normalised words now and then; what is not found nearby is passed over. */
    enum { NEARBY = 64 };

    size_t limit = ledger->align_at + NEARBY < text.len ? ledger->align_at + NEARBY : text.len;
    for (size_t at = ledger->align_at; at + piece.len <= text.len && at <= limit; at++) {
        if (memcmp(text.ptr + at, piece.ptr, piece.len) == 0) {
            ledger->align_at = at + piece.len;
            ledger_point(ledger, ledger->align_at, audio_end_us);
            return;
        }
    }
}

/* The largest end of a word that is not beyond `at`. */
static size_t whole_words(struct aic_str text, size_t from, size_t at)
{
    if (at >= text.len) {
        return text.len;
    }
    while (at > from && text.ptr[at] != ' ') {
        at--;
    }
    return at;
}

size_t ledger_heard(const struct ledger *ledger, int64_t played_us)
{
    struct ledger_point before = {0, 0};
    size_t next = 0;
    while (next < ledger->count && ledger->points[next].audio_end_us <= played_us) {
        before = ledger->points[next++];
    }
    struct aic_str text = aic_buf_view(&ledger->text);
    int64_t into_us = played_us - before.audio_end_us;
    if (into_us <= 0) {
        return before.text_end;
    }
    int64_t bytes = into_us / us_per_byte;
    if (next < ledger->count) {
        struct ledger_point after = ledger->points[next];
        bytes = into_us * (int64_t)(after.text_end - before.text_end) /
                (after.audio_end_us - before.audio_end_us);
    }
    size_t end = before.text_end + (size_t)bytes;
    return whole_words(text, before.text_end, end);
}

struct ledger_point ledger_before(const struct ledger *ledger, size_t text_end)
{
    struct ledger_point found = {0, 0};
    for (size_t i = 0; i < ledger->count && ledger->points[i].text_end <= text_end; i++) {
        found = ledger->points[i];
    }
    return found;
}

void ledger_rewind(struct ledger *ledger, size_t text_end)
{
    while (ledger->count > 0 && ledger->points[ledger->count - 1].text_end > text_end) {
        ledger->count--;
    }
    ledger->align_at = text_end;
}
