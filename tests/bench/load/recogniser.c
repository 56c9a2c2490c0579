/* SPDX-License-Identifier: ISC */
/* Deepgram: Nova over /v1/listen and Flux over /v2/listen, one socket. */
#include "load/vendors.h"

#include <stdlib.h>

enum { MESSAGE_BYTES = 4096 };

static const int64_t interim_us = 500000;
/* When it tells of speech after the server's own detector could know. */
static const int64_t late_start_us = 400000;

struct recogniser {
    struct vendors *vendors;
    struct line *line;
    struct pump_timer starts;
    struct pump_timer updates;
    struct pump_timer guesses;
    struct pump_timer ends;
    struct trace *trace; /* of the turn that is spoken; NULL: nobody speaks */
    bool is_silent;      /* within the turn */
    int call;
    int turn;
    int turn_index;
    int sequence;
    uint64_t bytes; /* of sound */
    uint64_t begun; /* where speech began */
};

static double seconds(uint64_t bytes)
{
    return (double)bytes / 8000;
}

static bool is_flux(const struct recogniser *r)
{
    return r->vendors->traces->plan.kind == KIND_FLUX;
}

static void say(struct recogniser *r, struct aic_buf *message)
{
    line_send_text(r->line, aic_buf_view(message));
    aic_buf_finish(message);
}

static void tell_turn(struct recogniser *r, const char *event, const char *words)
{
    struct aic_buf m;
    aic_buf_init(&m, MESSAGE_BYTES);
    aic_buf_printf(&m,
                   "{\"type\":\"TurnInfo\",\"request_id\":\"00000000-0000-0000-0000-000000000001\","
                   "\"sequence_id\":%d,\"event\":\"%s\",\"turn_index\":%d,"
                   "\"audio_window_start\":%.3f,\"audio_window_end\":%.3f,\"words\":[],"
                   "\"end_of_turn_confidence\":0.8,\"transcript\":\"",
                   ++r->sequence, event, r->turn_index, seconds(r->begun), seconds(r->bytes));
    if (words) {
        aic_buf_printf(&m, "%s call %d turn %d", words, r->call, r->turn);
    }
    aic_buf_text(&m, "\"}");
    say(r, &m);
}

static void tell_results(struct recogniser *r, bool is_final, bool is_asked_for, const char *words)
{
    struct aic_buf m;
    const char *final = is_final ? "true" : "false";
    aic_buf_init(&m, MESSAGE_BYTES);
    aic_buf_printf(&m,
                   "{\"type\":\"Results\",\"channel_index\":[0,1],\"start\":%.3f,"
                   "\"duration\":%.3f,\"is_final\":%s,\"speech_final\":%s,\"from_finalize\":%s,"
                   "\"channel\":{\"alternatives\":[{\"confidence\":0.99,\"words\":[],"
                   "\"transcript\":\"",
                   seconds(r->begun), seconds(r->bytes - r->begun), final,
                   is_final && words ? "true" : "false", is_asked_for ? "true" : "false");
    if (words) {
        aic_buf_printf(&m, "%s call %d turn %d", words, r->call, r->turn);
    }
    aic_buf_text(&m, "\"}]},\"metadata\":{\"request_id\":"
                     "\"00000000-0000-0000-0000-000000000001\"}}");
    say(r, &m);
}

static void on_start(void *data)
{
    struct recogniser *r = data;
    r->trace->started_us = pump_now_us();
    if (is_flux(r)) {
        tell_turn(r, "StartOfTurn", NULL);
        return;
    }
    struct aic_buf m;
    aic_buf_init(&m, MESSAGE_BYTES);
    aic_buf_printf(&m, "{\"type\":\"SpeechStarted\",\"channel\":[0,1],\"timestamp\":%.3f}",
                   seconds(r->begun));
    say(r, &m);
}

static void on_update(void *data)
{
    struct recogniser *r = data;
    if (is_flux(r)) {
        tell_turn(r, "Update", "I speak of");
    } else {
        tell_results(r, false, false, "I speak of");
    }
}

static void on_guess(void *data)
{
    tell_turn(data, "EagerEndOfTurn", "I speak of");
}

static void end_turn(struct recogniser *r, bool is_asked_for)
{
    if (!r->trace) {
        return;
    }
    r->trace->final_us = pump_now_us();
    r->trace = NULL;
    pump_stop(r->vendors->pump, &r->starts);
    pump_stop(r->vendors->pump, &r->updates);
    pump_stop(r->vendors->pump, &r->guesses);
    pump_stop(r->vendors->pump, &r->ends);
    if (is_flux(r)) {
        tell_turn(r, "EndOfTurn", "I speak of");
        r->turn_index++;
    } else {
        tell_results(r, true, is_asked_for, "I speak of");
    }
}

static void on_end(void *data)
{
    end_turn(data, false);
}

static void begin_turn(struct recogniser *r, const uint8_t *frame, int64_t now_us)
{
    struct pump *pump = r->vendors->pump;
    sound_read(frame, &r->call, &r->turn);
    r->trace = traces_find(r->vendors->traces, r->call, r->turn);
    r->begun = r->bytes;
    if (!r->trace) {
        r->vendors->traces->strange++;
        return;
    }
    pump_set(pump, &r->starts, r->trace->by_recogniser ? now_us : now_us + late_start_us);
    pump_set(pump, &r->updates, now_us + interim_us);
}

/* Silence is what ends a turn: sound that is late is none. */
static void take_silence(struct recogniser *r)
{
    struct pump *pump = r->vendors->pump;
    const struct plan *plan = &r->vendors->traces->plan;
    pump_set(pump, &r->ends, r->trace->heard_us + plan->final_us);
    if (is_flux(r) && plan->eager_us > 0) {
        pump_set(pump, &r->guesses, r->trace->heard_us + plan->eager_us);
    }
    r->is_silent = true;
}

static void take_frame(struct recogniser *r, const uint8_t *frame, int64_t now_us)
{
    bool is_voice = sound_is_voice(frame);
    if (is_voice && !r->trace) {
        begin_turn(r, frame, now_us);
    }
    r->bytes += SOUND_FRAME;
    if (is_voice && r->trace) {
        r->trace->heard_us = now_us;
        r->is_silent = false;
    } else if (r->trace && !r->is_silent) {
        take_silence(r);
    }
}

/* Sound comes in whole frames, because the carrier sends whole frames and nobody cuts them. */
static void take_sound(struct recogniser *r, struct aic_str sound)
{
    int64_t now_us = pump_now_us();
    const uint8_t *bytes = (const uint8_t *)sound.ptr;
    struct traces *traces = r->vendors->traces;
    if (sound.len % SOUND_FRAME != 0) {
        traces->strange++;
    }
    for (size_t at = 0; at + SOUND_FRAME <= sound.len; at += SOUND_FRAME) {
        take_frame(r, bytes + at, now_us);
    }
    /* Whose line it is shows in the first word; what came before is silence of a known length. */
    if (r->call >= 0 && r->call < traces->plan.calls) {
        struct aic_buf *heard = &traces->heard[r->call];
        size_t missing = heard->len == 0 ? (size_t)r->bytes - sound.len : 0;
        for (size_t i = 0; i < missing; i++) {
            aic_buf_char(heard, (char)0xff);
        }
        aic_buf_str(heard, sound);
    }
}

static void on_message(void *data, struct line *line, bool is_text, struct aic_str message)
{
    struct recogniser *r = data;
    if (!is_text) {
        take_sound(r, message);
    } else if (aic_str_starts(message, "{\"type\":\"CloseStream\"")) {
        line_close(line, is_flux(r) ? 0 : 1000);
    } else if (aic_str_starts(message, "{\"type\":\"Finalize\"")) {
        if (r->trace) {
            end_turn(r, true);
        } else {
            tell_results(r, true, true, NULL);
        }
    } else if (aic_str_starts(message, "{\"type\":\"ForceEndTurn\"")) {
        end_turn(r, true);
    }
}

static void on_closed(void *data, struct line *line)
{
    struct recogniser *r = data;
    (void)line;
    pump_stop(r->vendors->pump, &r->starts);
    pump_stop(r->vendors->pump, &r->updates);
    pump_stop(r->vendors->pump, &r->guesses);
    pump_stop(r->vendors->pump, &r->ends);
    free(r);
}

void recogniser_begin(struct vendors *vendors, struct line *line, const struct http_head *head)
{
    static const struct line_events events = {.message = on_message, .closed = on_closed};
    struct recogniser *r = calloc(1, sizeof(*r));
    if (!r) {
        pump_die("out of memory");
    }
    *r = (struct recogniser){.vendors = vendors, .line = line, .call = -1};
    r->starts = (struct pump_timer){.fire = on_start, .data = r};
    r->updates = (struct pump_timer){.fire = on_update, .data = r};
    r->guesses = (struct pump_timer){.fire = on_guess, .data = r};
    r->ends = (struct pump_timer){.fire = on_end, .data = r};
    line_own(line, &events, r);
    line_upgrade(line, head);
    if (is_flux(r)) {
        line_send_text(line, AIC_STR("{\"type\":\"Connected\",\"request_id\":"
                                     "\"00000000-0000-0000-0000-000000000001\","
                                     "\"sequence_id\":0}"));
    }
}
