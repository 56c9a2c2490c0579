/* SPDX-License-Identifier: ISC */
#include "load/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAID_BYTES = 16 << 20, ANSWER_BYTES = 1 << 20 };

void traces_init(struct traces *traces, const struct plan *plan)
{
    size_t calls = (size_t)plan->calls;
    size_t turns = calls * (size_t)plan->turns;
    *traces = (struct traces){.plan = *plan};
    traces->list = calloc(turns, sizeof(*traces->list));
    traces->said = calloc(calls, sizeof(*traces->said));
    traces->heard = calloc(calls, sizeof(*traces->heard));
    if (!traces->list || !traces->said || !traces->heard) {
        pump_die("out of memory");
    }
    for (size_t i = 0; i < calls; i++) {
        aic_buf_init(&traces->said[i], SAID_BYTES);
        aic_buf_init(&traces->heard[i], SAID_BYTES);
    }
    for (size_t i = 0; i < turns; i++) {
        aic_buf_init(&traces->list[i].spoken, ANSWER_BYTES);
        aic_buf_init(&traces->list[i].arrived, ANSWER_BYTES);
    }
}

void traces_finish(struct traces *traces)
{
    size_t calls = (size_t)traces->plan.calls;
    for (size_t i = 0; i < calls; i++) {
        aic_buf_finish(&traces->said[i]);
        aic_buf_finish(&traces->heard[i]);
    }
    for (size_t i = 0; i < calls * (size_t)traces->plan.turns; i++) {
        aic_buf_finish(&traces->list[i].spoken);
        aic_buf_finish(&traces->list[i].arrived);
    }
    free(traces->list);
    free(traces->said);
    free(traces->heard);
    free(traces->late_us);
}

struct trace *traces_find(struct traces *traces, int call, int turn)
{
    bool is_there =
        call >= 0 && call < traces->plan.calls && turn >= 0 && turn < traces->plan.turns;
    return is_there ? &traces->list[(size_t)call * (size_t)traces->plan.turns + (size_t)turn]
                    : NULL;
}

void traces_late(void *data, int64_t late_us)
{
    struct traces *traces = data;
    if (traces->late_count == traces->late_capacity) {
        traces->late_capacity = traces->late_capacity ? traces->late_capacity * 2 : 65536;
        traces->late_us =
            realloc(traces->late_us, traces->late_capacity * sizeof(*traces->late_us));
        if (!traces->late_us) {
            pump_die("out of memory");
        }
    }
    traces->late_us[traces->late_count++] = late_us;
}

/* splitmix64 */
static uint64_t mix(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

/* The loudest sixteenth of mu-law has four bits to spare, of which nobody hears. */
enum { NIBBLES = 6 };

void sound_voice(uint8_t frame[SOUND_FRAME], int call, int turn, int number)
{
    uint64_t seed = ((uint64_t)call << 40) | ((uint64_t)turn << 20) | (uint64_t)number;
    const int nibbles[NIBBLES] = {call >> 8, call >> 4, call, turn >> 4, turn, number};
    uint64_t bits = 0;
    for (int i = 0; i < SOUND_FRAME; i++) {
        if (i % 16 == 0) {
            bits = mix(seed * 16 + (uint64_t)(i / 16));
        }
        int nibble = i < NIBBLES ? nibbles[i] : (int)(bits >> (i % 16 * 4));
        frame[i] = (uint8_t)((i / 10 % 2 ? 0x80 : 0) | (nibble & 0x0f));
    }
}

void sound_quiet(uint8_t frame[SOUND_FRAME], uint64_t number)
{
    static const uint8_t least[4] = {0xff, 0xfe, 0x7f, 0x7e};
    uint64_t bits = 0;
    for (int i = 0; i < SOUND_FRAME; i++) {
        if (i % 32 == 0) {
            bits = mix(number * 8 + (uint64_t)(i / 32));
        }
        frame[i] = least[(bits >> (i % 32 * 2)) & 3];
    }
}

bool sound_is_voice(const uint8_t *frame)
{
    return (frame[0] & 0x70) == 0 && (frame[1] & 0x70) == 0 && (frame[2] & 0x70) == 0;
}

void sound_read(const uint8_t *frame, int *call, int *turn)
{
    *call = (frame[0] & 0x0f) << 8 | (frame[1] & 0x0f) << 4 | (frame[2] & 0x0f);
    *turn = (frame[3] & 0x0f) << 4 | (frame[4] & 0x0f);
}

bool words_read(struct aic_str text, int *call, int *turn)
{
    static const char mark[] = "call ";
    for (size_t at = text.len; at-- > 0;) {
        if (text.len - at > sizeof(mark) && memcmp(text.ptr + at, mark, sizeof(mark) - 1) == 0) {
            char words[32];
            struct aic_str rest = {text.ptr + at, text.len - at};
            (void)aic_str_copy(rest, words, sizeof(words));
            /* NOLINTNEXTLINE(cert-err34-c): what is too long is no call that there is. */
            if (sscanf(words, "call %4d turn %3d", call, turn) == 2) {
                return true;
            }
        }
    }
    return false;
}
