/* SPDX-License-Identifier: ISC */
/* ElevenLabs: the socket with several contexts, and requests. */
#include "base64.h"
#include "json.h"
#include "load/vendors.h"

#include <stdio.h>
#include <stdlib.h>

/* Of sound in one message, half a second. */
enum { PIECE_BYTES = 4000, CONTEXTS = 8, NAME_BYTES = 48 };

/* What is to be spoken next. */
struct utterance {
    struct voice *voice;
    struct pump_timer timer;
    char name[NAME_BYTES]; /* "" = free */
    bool has_text;
    bool is_closed;
    struct trace *trace;
    int call;
    int turn;
};

struct voice {
    struct vendors *vendors;
    struct line *line;
    struct utterance list[CONTEXTS];
};

/* The sound of an answer, whole. */
static void make_sound(struct traces *traces, int call, int turn, struct aic_buf *to)
{
    int64_t frames = traces->plan.answer_us / SOUND_FRAME_US;
    for (int64_t i = 0; i < frames; i++) {
        uint8_t frame[SOUND_FRAME];
        sound_voice(frame, call, turn, (int)i);
        aic_buf_add(to, frame, sizeof(frame));
    }
}

static void note_sound(struct trace *trace, struct aic_str sound)
{
    if (trace) {
        trace->sound_us = pump_now_us();
        aic_buf_str(&trace->spoken, sound);
    }
}

static void send_piece(struct utterance *u, const char *bytes, size_t count)
{
    struct aic_buf m;
    char text[AIC_BASE64_ENCODED(PIECE_BYTES)];
    size_t length = aic_base64_encode(text, bytes, count);
    aic_buf_init(&m, 65536);
    aic_buf_text(&m, "{\"audio\":\"");
    aic_buf_add(&m, text, length);
    aic_buf_printf(&m, "\",\"contextId\":\"%s\",\"isFinal\":null}", u->name);
    line_send_text(u->voice->line, aic_buf_view(&m));
    aic_buf_finish(&m);
}

static void finish(struct utterance *u)
{
    char m[128];
    int length =
        snprintf(m, sizeof(m), "{\"audio\":null,\"contextId\":\"%s\",\"isFinal\":true}", u->name);
    u->name[0] = '\0';
    line_send_text(u->voice->line, (struct aic_str){m, (size_t)length});
}

static void on_time(void *data)
{
    struct utterance *u = data;
    struct aic_buf sound;
    aic_buf_init(&sound, 1 << 20);
    make_sound(u->voice->vendors->traces, u->call, u->turn, &sound);
    note_sound(u->trace, aic_buf_view(&sound));
    for (size_t at = 0; at < sound.len; at += PIECE_BYTES) {
        size_t left = sound.len - at;
        send_piece(u, sound.data + at, left < PIECE_BYTES ? left : PIECE_BYTES);
    }
    aic_buf_finish(&sound);
    u->has_text = false;
    if (u->is_closed) {
        finish(u);
    }
}

static struct utterance *find(struct voice *voice, struct aic_str name)
{
    struct utterance *found = NULL;
    for (size_t i = 0; i < CONTEXTS; i++) {
        struct utterance *u = &voice->list[i];
        if (u->name[0] && aic_str_equal(name, u->name)) {
            return u;
        }
        found = !found && !u->name[0] ? u : found;
    }
    if (found) {
        *found = (struct utterance){.voice = voice, .call = 0xfff};
        found->timer = (struct pump_timer){.fire = on_time, .data = found};
        (void)aic_str_copy(name, found->name, sizeof(found->name));
    }
    return found;
}

static bool is_blank(struct aic_str text)
{
    return text.len == 0 || (text.len == 1 && text.ptr[0] == ' ');
}

/* Text whose owner does not show is a sentence that the server has spoken ahead of time. */
static void take_text(struct utterance *u, struct aic_str text, int64_t now_us)
{
    struct traces *traces = u->voice->vendors->traces;
    if (is_blank(text)) {
        return;
    }
    if (words_read(text, &u->call, &u->turn)) {
        u->trace = traces_find(traces, u->call, u->turn);
    }
    if (u->trace) {
        u->trace->text_us = now_us;
    }
    u->has_text = true;
    pump_set(u->voice->vendors->pump, &u->timer, now_us + traces->plan.sound_us);
}

static void on_message(void *data, struct line *line, bool is_text, struct aic_str message)
{
    struct voice *voice = data;
    int64_t now_us = pump_now_us();
    struct aic_json *root = is_text ? aic_json_parse(message, 0) : NULL;
    if (aic_json_get_bool(root, "close_socket", false)) {
        line_close(line, 1000);
    }
    struct aic_str name = aic_json_get_text(root, "context_id");
    struct utterance *u = name.len > 0 ? find(voice, name) : NULL;
    if (u) {
        take_text(u, aic_json_get_text(root, "text"), now_us);
        u->is_closed = u->is_closed || aic_json_get_bool(root, "close_context", false);
    }
    if (u && u->is_closed && !u->has_text) {
        finish(u);
    }
    aic_json_free(root);
}

static void on_closed(void *data, struct line *line)
{
    struct voice *voice = data;
    (void)line;
    for (size_t i = 0; i < CONTEXTS; i++) {
        pump_stop(voice->vendors->pump, &voice->list[i].timer);
    }
    free(voice);
}

static struct voice *create(struct vendors *vendors, struct line *line)
{
    struct voice *voice = calloc(1, sizeof(*voice));
    if (!voice) {
        pump_die("out of memory");
    }
    voice->vendors = vendors;
    voice->line = line;
    return voice;
}

void voice_begin(struct vendors *vendors, struct line *line, const struct http_head *head)
{
    static const struct line_events events = {.message = on_message, .closed = on_closed};
    line_own(line, &events, create(vendors, line));
    line_upgrade(line, head);
}

static void on_request_time(void *data)
{
    struct utterance *u = data;
    struct aic_buf sound;
    struct aic_buf answer;
    aic_buf_init(&sound, 1 << 20);
    aic_buf_init(&answer, 2 << 20);
    make_sound(u->voice->vendors->traces, u->call, u->turn, &sound);
    note_sound(u->trace, aic_buf_view(&sound));
    aic_buf_printf(&answer,
                   "HTTP/1.1 200 OK\r\nContent-Type: audio/basic\r\nContent-Length: %zu\r\n\r\n",
                   sound.len);
    aic_buf_str(&answer, aic_buf_view(&sound));
    line_send(u->voice->line, aic_buf_view(&answer));
    aic_buf_finish(&answer);
    aic_buf_finish(&sound);
}

static void on_requests_closed(void *data, struct line *line)
{
    on_closed(data, line);
}

void voice_ask(struct vendors *vendors, struct line *line, struct aic_str body)
{
    static const struct line_events events = {.closed = on_requests_closed};
    struct voice *voice = line_data(line, &events);
    if (!voice) {
        voice = create(vendors, line);
        line_own(line, &events, voice);
    }
    struct aic_json *root = aic_json_parse(body, 0);
    struct utterance *u = find(voice, AIC_STR("request"));
    u->timer.fire = on_request_time;
    u->call = 0xfff;
    u->trace = NULL;
    take_text(u, aic_json_get_text(root, "text"), pump_now_us());
    aic_json_free(root);
}
