/* SPDX-License-Identifier: ISC */
/* Figures of all traces, as JSON. */
#include "load/trace.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HASH_BYTES = 32 };

struct sample {
    int64_t *list;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int64_t at_share(const struct sample *sample, double share)
{
    size_t index = (size_t)((double)sample->count * share);
    index = index < sample->count ? index : sample->count - 1;
    return sample->count > 0 ? sample->list[index] : -1;
}

static void put_sample(struct aic_json_writer *w, const char *name, struct sample *sample)
{
    if (sample->count > 0) {
        qsort(sample->list, sample->count, sizeof(sample->list[0]), compare);
    }
    aic_json_key(w, name);
    aic_json_open(w, '{');
    aic_json_member_int(w, "count", (int64_t)sample->count);
    aic_json_member_double(w, "median_ms", (double)at_share(sample, 0.5) / 1000);
    aic_json_member_double(w, "p90_ms", (double)at_share(sample, 0.9) / 1000);
    aic_json_member_double(w, "p99_ms", (double)at_share(sample, 0.99) / 1000);
    aic_json_member_double(w, "max_ms", (double)at_share(sample, 1) / 1000);
    aic_json_close(w, '}');
}

/* One figure of each turn; negative: the turn has none. */
typedef int64_t (*figure_of)(const struct traces *traces, const struct trace *t);

static int64_t gap(const struct traces *traces, const struct trace *t)
{
    (void)traces;
    return t->reached_us && t->stopped_us ? t->reached_us - t->stopped_us : -1;
}

static int64_t to_recogniser(const struct traces *traces, const struct trace *t)
{
    (void)traces;
    return t->heard_us && t->reached_us ? t->heard_us - t->stopped_us : -1;
}

static int64_t to_model(const struct traces *traces, const struct trace *t)
{
    bool is_eager = traces->plan.eager_us > 0;
    return t->reached_us && t->asked_us >= t->final_us && !is_eager ? t->asked_us - t->final_us
                                                                    : -1;
}

static int64_t to_voice(const struct traces *traces, const struct trace *t)
{
    (void)traces;
    return t->reached_us && t->token_us ? t->text_us - t->token_us : -1;
}

static int64_t to_carrier(const struct traces *traces, const struct trace *t)
{
    int64_t ready_us = t->sound_us;
    if (traces->plan.eager_us > 0 && t->final_us > ready_us) {
        ready_us = t->final_us;
    }
    return t->reached_us && ready_us ? t->reached_us - ready_us : -1;
}

static int64_t own(const struct traces *traces, const struct trace *t)
{
    int64_t sum = to_recogniser(traces, t) + to_voice(traces, t) + to_carrier(traces, t);
    int64_t model = to_model(traces, t);
    return t->reached_us && model >= 0 ? sum + model : -1;
}

static int64_t barge(const struct trace *t, bool by_recogniser)
{
    int64_t from_us = by_recogniser ? t->started_us : t->vad_us;
    bool counts = t->is_barge && t->cleared_us && t->by_recogniser == by_recogniser;
    return counts && t->cleared_us >= from_us ? t->cleared_us - from_us : -1;
}

static int64_t barge_recogniser(const struct traces *traces, const struct trace *t)
{
    (void)traces;
    return barge(t, true);
}

static int64_t barge_vad(const struct traces *traces, const struct trace *t)
{
    (void)traces;
    return barge(t, false);
}

static void put_measure(struct aic_json_writer *w, const struct traces *traces, const char *name,
                        figure_of figure_of_turn)
{
    size_t turns = (size_t)traces->plan.calls * (size_t)traces->plan.turns;
    struct sample sample = {.list = calloc(turns, sizeof(int64_t))};
    if (!sample.list) {
        pump_die("out of memory");
    }
    for (size_t i = 0; i < turns; i++) {
        int64_t figure = figure_of_turn(traces, &traces->list[i]);
        if (figure >= 0) {
            sample.list[sample.count++] = figure;
        }
    }
    put_sample(w, name, &sample);
    free(sample.list);
}

static void hash(struct aic_str bytes, uint8_t to[HASH_BYTES])
{
    unsigned length = 0;
    memset(to, 0, HASH_BYTES);
    if (EVP_Digest(bytes.ptr, bytes.len, to, &length, EVP_sha256(), NULL) != 1) {
        pump_die("no SHA-256");
    }
}

static bool same(struct aic_str a, struct aic_str b, char hex[HASH_BYTES * 2 + 1])
{
    uint8_t x[HASH_BYTES];
    uint8_t y[HASH_BYTES];
    hash(a, x);
    hash(b, y);
    for (size_t i = 0; i < HASH_BYTES; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", x[i]);
    }
    return memcmp(x, y, HASH_BYTES) == 0;
}

/* Where the first word is. */
static size_t first_voice(const struct aic_buf *sound)
{
    size_t at = 0;
    while (at + SOUND_FRAME <= sound->len && !sound_is_voice((const uint8_t *)sound->data + at)) {
        at += SOUND_FRAME;
    }
    return at;
}

/* All that the recogniser got from the first word on, against what the carrier sent. */
static void put_inbound(struct aic_json_writer *w, const struct traces *traces)
{
    int equal = 0;
    int64_t bytes = 0;
    char hex[HASH_BYTES * 2 + 1] = "";
    for (int i = 0; i < traces->plan.calls; i++) {
        const struct aic_buf *said = &traces->said[i];
        const struct aic_buf *heard = &traces->heard[i];
        size_t from = first_voice(said);
        size_t to = first_voice(heard);
        size_t count = said->len - from < heard->len - to ? said->len - from : heard->len - to;
        struct aic_str out = {said->data + from, count};
        struct aic_str in = {heard->data + to, count};
        if (count > 0 && same(out, in, hex)) {
            equal++;
            bytes += (int64_t)count;
        }
    }
    aic_json_key(w, "inbound");
    aic_json_open(w, '{');
    aic_json_member_int(w, "calls_equal", equal);
    aic_json_member_int(w, "bytes", bytes);
    aic_json_member_text(w, "last_sha256", hex);
    aic_json_close(w, '}');
}

static void put_outbound(struct aic_json_writer *w, const struct traces *traces)
{
    int equal = 0;
    int whole = 0;
    int64_t bytes = 0;
    char hex[HASH_BYTES * 2 + 1] = "";
    for (int i = 0; i < traces->plan.calls * traces->plan.turns; i++) {
        const struct trace *t = &traces->list[i];
        if (t->is_cut || t->reached_us == 0) {
            continue;
        }
        whole++;
        if (same(aic_buf_view(&t->spoken), aic_buf_view(&t->arrived), hex)) {
            equal++;
            bytes += (int64_t)t->spoken.len;
        }
    }
    aic_json_key(w, "outbound");
    aic_json_open(w, '{');
    aic_json_member_int(w, "answers", whole);
    aic_json_member_int(w, "answers_equal", equal);
    aic_json_member_int(w, "bytes", bytes);
    aic_json_member_text(w, "last_sha256", hex);
    aic_json_close(w, '}');
}

static void put_counts(struct aic_json_writer *w, const struct traces *traces)
{
    int begun = 0;
    int answered = 0;
    int barges = 0;
    int cleared = 0;
    for (int i = 0; i < traces->plan.calls * traces->plan.turns; i++) {
        const struct trace *t = &traces->list[i];
        begun += t->stopped_us > 0;
        answered += t->reached_us > 0;
        barges += t->is_barge;
        cleared += t->is_barge && t->cleared_us > 0;
    }
    aic_json_member_int(w, "turns", begun);
    aic_json_member_int(w, "answered", answered);
    aic_json_member_int(w, "interruptions", barges);
    aic_json_member_int(w, "cleared", cleared);
    aic_json_member_int(w, "strange", (int64_t)traces->strange);
    aic_json_member_int(w, "requests", (int64_t)traces->requests);
}

void traces_report(struct traces *traces, struct aic_json_writer *w)
{
    struct sample late = {traces->late_us, traces->late_count};
    put_counts(w, traces);
    put_measure(w, traces, "gap", gap);
    put_measure(w, traces, "own", own);
    put_measure(w, traces, "to_recogniser", to_recogniser);
    put_measure(w, traces, "to_model", to_model);
    put_measure(w, traces, "to_voice", to_voice);
    put_measure(w, traces, "to_carrier", to_carrier);
    put_measure(w, traces, "barge_recogniser", barge_recogniser);
    put_measure(w, traces, "barge_vad", barge_vad);
    put_sample(w, "timers_late", &late);
    put_inbound(w, traces);
    put_outbound(w, traces);
}
