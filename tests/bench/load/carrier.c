/* SPDX-License-Identifier: ISC */
#include "load/carrier.h"

#include "base64.h"
#include "load/hooks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MARKS = 256, MARK_BYTES = 64, PAYLOAD_BYTES = 1 << 18, MESSAGE_BYTES = 4096 };

static const int64_t apart_us = 100000; /* between the begins of two calls */
static const int64_t patience_us = 8 * INT64_C(1000000);
/* For what the server still has to say to the vendors. */
static const int64_t goodbye_us = 500000;
static const int64_t listens_us = 700000; /* to the agent, before an interruption */

enum phase {
    PHASE_NEW,
    PHASE_GREETED, /* the agent says its first words */
    PHASE_PAUSES,  /* before it speaks */
    PHASE_SPEAKS,
    PHASE_WAITS,   /* for the answer */
    PHASE_LISTENS, /* to the answer */
    PHASE_OVER
};

struct caller {
    struct carrier *carrier;
    int number;
    enum phase phase;
    int turn;
    struct line *hook; /* the request about it that is under way */
    struct line *media;
    struct hook_stream stream;
    char sid[40];
    char stream_sid[40];
    struct pump_timer ticks;
    int64_t next_us; /* when the phase is over */
    int64_t speech_end_us;
    uint64_t frames; /* sent */
    uint64_t messages;
    int voiced; /* frames of this turn */
    /* The sound that waits to be heard, in bytes since the stream began. */
    uint64_t received;
    uint64_t played;

    struct {
        uint64_t at;
        char name[MARK_BYTES];
    } marks[MARKS];

    size_t mark_count;
    int64_t quiet_since_us;
};

static struct plan *plan_of(const struct caller *caller)
{
    return &caller->carrier->traces->plan;
}

static struct trace *trace_of(const struct caller *caller)
{
    return traces_find(caller->carrier->traces, caller->number, caller->turn);
}

static void send_json(struct caller *caller, struct aic_buf *m)
{
    if (caller->media) {
        line_send_text(caller->media, aic_buf_view(m));
    }
    aic_buf_finish(m);
}

static void end_call(struct caller *caller, bool is_good)
{
    struct carrier *carrier = caller->carrier;
    if (caller->phase == PHASE_OVER) {
        return;
    }
    caller->phase = PHASE_OVER;
    pump_stop(carrier->pump, &caller->ticks);
    carrier->failed += !is_good;
    if (caller->media) {
        struct aic_buf m;
        aic_buf_init(&m, MESSAGE_BYTES);
        aic_buf_printf(&m,
                       "{\"event\":\"stop\",\"sequenceNumber\":\"%llu\",\"streamSid\":\"%s\","
                       "\"stop\":{\"accountSid\":\"" HOOK_ACCOUNT "\",\"callSid\":\"%s\"}}",
                       (unsigned long long)++caller->messages, caller->stream_sid, caller->sid);
        send_json(caller, &m);
        struct line *media = caller->media;
        caller->media = NULL;
        line_close(media, 1000);
    }
    if (++carrier->over == plan_of(caller)->calls) {
        pump_set(carrier->pump, &carrier->end, pump_now_us() + goodbye_us);
    }
}

/* Sound and marks from the agent */

static void return_marks(struct caller *caller, bool all)
{
    size_t count = 0;
    while (count < caller->mark_count && (all || caller->marks[count].at <= caller->played)) {
        struct aic_buf m;
        aic_buf_init(&m, MESSAGE_BYTES);
        aic_buf_printf(&m,
                       "{\"event\":\"mark\",\"sequenceNumber\":\"%llu\",\"streamSid\":\"%s\","
                       "\"mark\":{\"name\":\"%s\"}}",
                       (unsigned long long)++caller->messages, caller->stream_sid,
                       caller->marks[count].name);
        send_json(caller, &m);
        count++;
    }
    caller->mark_count -= count;
    memmove(caller->marks, caller->marks + count, caller->mark_count * sizeof(caller->marks[0]));
}

static void take_media(struct caller *caller, struct aic_str payload, int64_t now_us)
{
    static uint8_t bytes[PAYLOAD_BYTES];
    struct trace *trace = trace_of(caller);
    int64_t count =
        payload.len < PAYLOAD_BYTES ? aic_base64_decode(bytes, payload.ptr, payload.len) : -1;
    if (count < SOUND_FRAME) {
        caller->carrier->traces->strange++;
        return;
    }
    caller->received += (uint64_t)count;
    if (caller->phase == PHASE_WAITS && sound_is_voice(bytes)) {
        int call = -1;
        int turn = -1;
        sound_read(bytes, &call, &turn);
        if (call == caller->number && turn == caller->turn) {
            trace->reached_us = now_us;
            caller->phase = PHASE_LISTENS;
            caller->next_us = now_us + listens_us + caller->number % 16 * 13000;
        } else {
            caller->carrier->traces->strange++;
        }
    }
    if (caller->phase == PHASE_LISTENS) {
        aic_buf_add(&trace->arrived, bytes, (size_t)count);
    }
}

static void take_clear(struct caller *caller, int64_t now_us)
{
    struct trace *trace = trace_of(caller);
    if (caller->phase == PHASE_SPEAKS && trace->is_barge && trace->cleared_us == 0) {
        trace->cleared_us = now_us;
    }
    caller->played = caller->received;
    return_marks(caller, true);
}

static void take_mark(struct caller *caller, struct aic_str message)
{
    struct aic_json *root = aic_json_parse(message, 0);
    struct aic_str name = aic_json_get_text(aic_json_get(root, "mark"), "name");
    if (caller->mark_count < MARKS && name.len > 0 && name.len < MARK_BYTES) {
        caller->marks[caller->mark_count].at = caller->received;
        (void)aic_str_copy(name, caller->marks[caller->mark_count++].name, MARK_BYTES);
    } else {
        caller->carrier->traces->strange++;
    }
    aic_json_free(root);
}

static bool has(struct aic_str text, const char *part)
{
    return memmem(text.ptr, text.len, part, strlen(part)) != NULL;
}

static void on_message(void *data, struct line *line, bool is_text, struct aic_str message)
{
    struct caller *caller = data;
    int64_t now_us = pump_now_us();
    struct aic_str head = {message.ptr, message.len < 100 ? message.len : 100};
    const char *payload = memmem(message.ptr, message.len, "\"payload\":\"", 11);
    (void)line;
    if (is_text && payload && has(head, "\"event\":\"media\"")) {
        const char *from = payload + 11;
        const char *to = memchr(from, '"', (size_t)(message.ptr + message.len - from));
        take_media(caller, (struct aic_str){from, to ? (size_t)(to - from) : 0}, now_us);
    } else if (is_text && has(head, "\"event\":\"clear\"")) {
        take_clear(caller, now_us);
    } else if (is_text && has(head, "\"event\":\"mark\"")) {
        take_mark(caller, message);
    } else {
        caller->carrier->traces->strange++;
    }
}

/* The caller */

static void begin_speech(struct caller *caller, int64_t now_us)
{
    struct trace *trace = trace_of(caller);
    const struct plan *plan = plan_of(caller);
    trace->is_barge = caller->phase == PHASE_LISTENS;
    /* Every other interruption is known from the recogniser first. */
    trace->by_recogniser = (caller->number + caller->turn / 2) % 2 == 0;
    caller->phase = PHASE_SPEAKS;
    caller->voiced = 0;
    caller->speech_end_us = now_us + plan->speech_us;
}

static bool answer_is_heard(struct caller *caller)
{
    const struct trace *trace = trace_of(caller);
    return trace->spoken.len > 0 && trace->arrived.len >= trace->spoken.len &&
           caller->played >= caller->received;
}

static bool is_interrupting_next(const struct caller *caller)
{
    int every = plan_of(caller)->barge_every;
    return every > 0 && (caller->turn + 1) % every == 0 &&
           caller->turn + 1 < plan_of(caller)->turns;
}

static void next_turn(struct caller *caller, int64_t now_us)
{
    if (caller->turn + 1 == plan_of(caller)->turns) {
        end_call(caller, true);
        return;
    }
    caller->turn++;
    caller->phase = PHASE_PAUSES;
    caller->next_us = now_us + 500000 + (caller->number * 37 + caller->turn * 11) % 50 * 10000;
}

static void give_up(struct caller *caller, int64_t now_us)
{
    (void)fprintf(stderr, "load_bench: call %d: no answer to turn %d\n", caller->number,
                  caller->turn);
    next_turn(caller, now_us);
}

static void live(struct caller *caller, int64_t now_us)
{
    bool is_quiet = caller->received > 0 && caller->played >= caller->received;
    caller->quiet_since_us = is_quiet && caller->quiet_since_us ? caller->quiet_since_us : now_us;
    switch (caller->phase) {
    case PHASE_GREETED:
        if (is_quiet && now_us - caller->quiet_since_us > 600000) {
            caller->phase = PHASE_PAUSES;
            caller->next_us = now_us + 300000 + caller->number * 37 % 50 * 10000;
        } else if (now_us > caller->next_us) {
            end_call(caller, false);
        }
        return;
    case PHASE_PAUSES:
        if (now_us >= caller->next_us) {
            begin_speech(caller, now_us);
        }
        return;
    case PHASE_WAITS:
        if (now_us > caller->next_us) {
            give_up(caller, now_us);
        }
        return;
    case PHASE_LISTENS:
        if (is_interrupting_next(caller) && now_us >= caller->next_us) {
            trace_of(caller)->is_cut = true;
            caller->turn++;
            begin_speech(caller, now_us);
        } else if (answer_is_heard(caller)) {
            next_turn(caller, now_us);
        } else if (now_us > caller->next_us + patience_us) {
            give_up(caller, now_us);
        }
        return;
    default:
        return;
    }
}

static void make_frame(struct caller *caller, uint8_t frame[SOUND_FRAME])
{
    if (caller->phase == PHASE_SPEAKS) {
        sound_voice(frame, caller->number, caller->turn, caller->voiced);
    } else {
        sound_quiet(frame, caller->frames + (uint64_t)caller->number * 1000000);
    }
}

/* The times of a frame count from before it is sent: whatever sending takes is the server's. */
static void note_frame(struct caller *caller, int64_t now_us)
{
    struct trace *trace = trace_of(caller);
    if (caller->phase != PHASE_SPEAKS) {
        return;
    }
    caller->voiced++;
    trace->began_us = trace->began_us ? trace->began_us : now_us;
    if (caller->voiced == VAD_FRAMES) {
        trace->vad_us = now_us;
    }
    if (now_us + SOUND_FRAME_US > caller->speech_end_us) {
        trace->stopped_us = now_us;
        caller->phase = PHASE_WAITS;
        caller->next_us = now_us + patience_us;
    }
}

static void send_frame(struct caller *caller, const uint8_t frame[SOUND_FRAME])
{
    struct aic_buf m;
    char payload[AIC_BASE64_ENCODED(SOUND_FRAME)];
    aic_base64_encode(payload, frame, SOUND_FRAME);
    aic_buf_init(&m, MESSAGE_BYTES);
    aic_buf_printf(&m,
                   "{\"event\":\"media\",\"sequenceNumber\":\"%llu\",\"streamSid\":\"%s\","
                   "\"media\":{\"track\":\"inbound\",\"chunk\":\"%llu\",\"timestamp\":\"%llu\","
                   "\"payload\":\"%.*s\"}}",
                   (unsigned long long)++caller->messages, caller->stream_sid,
                   (unsigned long long)caller->frames + 1, (unsigned long long)caller->frames * 20,
                   (int)sizeof(payload), payload);
    caller->frames++;
    send_json(caller, &m);
}

static void on_tick(void *data)
{
    struct caller *caller = data;
    int64_t now_us = pump_now_us();
    uint8_t frame[SOUND_FRAME];
    if (caller->played < caller->received) {
        uint64_t left = caller->received - caller->played;
        caller->played += left < SOUND_FRAME ? left : SOUND_FRAME;
        return_marks(caller, false);
    } else if (caller->mark_count > 0) {
        return_marks(caller, false);
    }
    live(caller, now_us);
    if (caller->phase == PHASE_OVER) {
        return;
    }
    make_frame(caller, frame);
    aic_buf_add(&caller->carrier->traces->said[caller->number], frame, sizeof(frame));
    note_frame(caller, now_us);
    send_frame(caller, frame);
    pump_set(caller->carrier->pump, &caller->ticks, caller->ticks.at_us + SOUND_FRAME_US);
}

/* Begin and end of the stream */

static void on_opened(void *data, struct line *line)
{
    struct caller *caller = data;
    struct aic_buf m;
    caller->media = line;
    aic_buf_init(&m, MESSAGE_BYTES);
    aic_buf_text(&m, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    send_json(caller, &m);
    aic_buf_init(&m, MESSAGE_BYTES);
    hook_start(&caller->stream, caller->sid, caller->stream_sid, &m);
    caller->messages = 1;
    send_json(caller, &m);
    caller->phase = PHASE_GREETED;
    caller->next_us = pump_now_us() + 3 * patience_us;
    caller->ticks.fire = on_tick;
    pump_set(caller->carrier->pump, &caller->ticks, pump_now_us() + SOUND_FRAME_US);
}

static void on_media_closed(void *data, struct line *line)
{
    struct caller *caller = data;
    (void)line;
    caller->media = NULL;
    end_call(caller, false);
}

static void on_refused(void *data, struct line *line, int32_t status, struct aic_str body)
{
    struct caller *caller = data;
    (void)fprintf(stderr, "load_bench: call %d: refused with %d: %.*s\n", caller->number,
                  (int)status, (int)body.len, body.ptr);
    line_drop(line);
    end_call(caller, false);
}

static void on_instructions(void *data, struct line *line, int32_t status, struct aic_str body)
{
    static const struct line_events events = {.answered = on_refused,
                                              .opened = on_opened,
                                              .message = on_message,
                                              .closed = on_media_closed};
    struct caller *caller = data;
    const struct plan *plan = plan_of(caller);
    caller->hook = NULL;
    if (status != 200 || !hook_stream_read(body, plan->public_url, &caller->stream)) {
        on_refused(caller, line, status, body);
        return;
    }
    struct aic_buf request;
    aic_buf_init(&request, MESSAGE_BYTES);
    hook_upgrade(plan, &caller->stream, &request);
    line_ask(caller->carrier->pump, plan->server_port, aic_buf_view(&request), &events, caller);
    aic_buf_finish(&request);
    line_drop(line);
}

static void on_hook_closed(void *data, struct line *line)
{
    (void)line;
    end_call(data, false);
}

static void on_ring(void *data)
{
    static const struct line_events events = {.answered = on_instructions,
                                              .closed = on_hook_closed};
    struct caller *caller = data;
    struct aic_buf request;
    aic_buf_init(&request, MESSAGE_BYTES);
    hook_inbound(plan_of(caller), caller->number, caller->sid, &request);
    caller->hook = line_ask(caller->carrier->pump, plan_of(caller)->server_port,
                            aic_buf_view(&request), &events, caller);
    aic_buf_finish(&request);
}

static void on_end(void *data)
{
    struct pump *pump = data;
    pump->is_over = true;
}

void carrier_open(struct carrier *carrier, struct pump *pump, struct traces *traces)
{
    *carrier =
        (struct carrier){.pump = pump, .traces = traces, .end = {.fire = on_end, .data = pump}};
    carrier->callers = calloc((size_t)traces->plan.calls, sizeof(*carrier->callers));
    if (!carrier->callers) {
        pump_die("out of memory");
    }
}

void carrier_begin(struct carrier *carrier)
{
    int64_t now_us = pump_now_us();
    int count = carrier->traces->plan.calls;
    for (int i = 0; i < count; i++) {
        struct caller *caller = &carrier->callers[i];
        caller->carrier = carrier;
        caller->number = i;
        caller->ticks = (struct pump_timer){.fire = on_ring, .data = caller};
        (void)snprintf(caller->sid, sizeof(caller->sid), "CA%032d", i + 1);
        (void)snprintf(caller->stream_sid, sizeof(caller->stream_sid), "MZ%032d", i + 1);
        /* Frames of all calls spread over the 20 ms. */
        pump_set(carrier->pump, &caller->ticks,
                 now_us + i * (apart_us + SOUND_FRAME_US / (count + 1)));
    }
}

void carrier_hung_up(void *data, struct aic_str path)
{
    struct carrier *carrier = data;
    for (int i = 0; i < carrier->traces->plan.calls; i++) {
        if (carrier->callers[i].carrier && has(path, carrier->callers[i].sid)) {
            end_call(&carrier->callers[i], false);
        }
    }
}

void carrier_close(struct carrier *carrier)
{
    free(carrier->callers);
}
