/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_BROWSER_SETUP_H
#define PLUGIN_BROWSER_SETUP_H
/* The browser plugin on a fake host, and a host that answers its events. */
#include "fake_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_browser(void);

enum { SECOND = 1000000, FRAME_BYTES = 640 };

#define PATH  "/carriers/browser/media"
#define START "{\"type\":\"start\",\"token\":\"the.token\",\"call_id\":\"0190-call\"}"

static const struct aic_format format = {AIC_CODEC_PCM_S16LE, 16000, 1, 0};

/* What the host would do at a MEDIA_START. */
enum answer { ATTACH, CLOSE, IGNORE, CLOSE_WITH_A_WORD, ATTACH_AND_HANG_UP };

struct setup {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_telephony *tel;
    void *self;
    struct aic_exchange exchange;
    struct aic_ws *ws;
    struct aic_telephony_sink provider_sink;
    struct aic_telephony_sink leg_sink;
    enum answer answer;
    bool closes_at_audio; /* closes the leg inside the next AUDIO event */
    void *leg;
    int media_starts;
    char token[32];
    char call_id[32];
    char ext[64];
    int media_stops;
    uint32_t cause;
    int statuses;
    uint32_t status;
    int64_t duration_s;
    size_t audio_bytes;
    int64_t audio_end_us;
    uint64_t mark_id;
    uint32_t mark_flags;
    int marks;
    char text[100];
    int texts;
    char digits[40];
};

static inline void on_provider_event(const struct aic_telephony_sink *sink,
                                     const struct aic_telephony_event *event)
{
    struct setup *s = sink->impl;
    if (event->kind == AIC_TEL_EVENT_STATUS) {
        s->statuses++;
        s->status = event->status;
        s->duration_s = event->duration_s;
        assert_true(aic_str_equal(event->call_id, "0190-call"));
        return;
    }
    assert_int_equal(event->kind, AIC_TEL_EVENT_MEDIA_START);
    assert_int_equal(event->direction, AIC_DIRECTION_INBOUND);
    assert_int_equal(event->format_in.rate_hz, 16000);
    s->media_starts++;
    aic_str_copy(event->token, s->token, sizeof(s->token));
    aic_str_copy(event->call_id, s->call_id, sizeof(s->call_id));
    aic_str_copy(event->ext, s->ext, sizeof(s->ext));
    s->leg = event->leg;
    if (s->answer == CLOSE_WITH_A_WORD) {
        assert_int_equal(s->tel->leg_notify(s->leg, AIC_STR("{\"type\":\"error\"}")), AIC_OK);
    }
    if (s->answer == CLOSE || s->answer == CLOSE_WITH_A_WORD) {
        s->tel->leg_close(s->leg);
        s->leg = NULL;
    } else if (s->answer != IGNORE) {
        assert_int_equal(s->tel->leg_attach(s->leg, &s->leg_sink), AIC_OK);
    }
    if (s->answer == ATTACH_AND_HANG_UP) {
        assert_int_equal(s->tel->leg_hangup(s->leg), AIC_OK);
    }
}

static inline void on_audio(struct setup *s, const struct aic_audio *audio)
{
    assert_int_equal(audio->time_us, s->audio_end_us);
    s->audio_bytes += audio->bytes;
    s->audio_end_us = (int64_t)s->audio_bytes * 1000000 / 32000;
    if (s->closes_at_audio) {
        s->tel->leg_close(s->leg);
        s->leg = NULL;
    }
}

static inline void on_leg_event(const struct aic_telephony_sink *sink,
                                const struct aic_telephony_event *event)
{
    struct setup *s = sink->impl;
    size_t length = strlen(s->digits);
    assert_int_equal(s->media_stops, 0);
    switch (event->kind) {
    case AIC_TEL_EVENT_AUDIO:
        on_audio(s, event->audio);
        break;
    case AIC_TEL_EVENT_MARK:
        s->marks++;
        s->mark_id = event->mark_id;
        s->mark_flags = event->mark_flags;
        break;
    case AIC_TEL_EVENT_TEXT:
        s->texts++;
        aic_str_copy(event->text, s->text, sizeof(s->text));
        break;
    case AIC_TEL_EVENT_DTMF:
        aic_str_copy(event->digits, s->digits + length, sizeof(s->digits) - length);
        break;
    case AIC_TEL_EVENT_MEDIA_STOP:
        s->media_stops++;
        s->cause = event->cause;
        break;
    default:
        fail_msg("event %u", event->kind);
    }
}

static inline void begin(struct setup *s)
{
    *s = (struct setup){.v = vsched_create(1)};
    s->fake = fake_host_create(s->v);
    const struct aic_plugin *plugin = aicaller_plugin_browser();
    assert_int_equal(fake_provider_create(s->fake, plugin, NULL, &s->self), AIC_OK);
    s->tel = plugin->get_interface(AIC_TELEPHONY);
    s->provider_sink = (struct aic_telephony_sink){
        .size = sizeof(s->provider_sink), .impl = s, .event = on_provider_event};
    s->leg_sink =
        (struct aic_telephony_sink){.size = sizeof(s->leg_sink), .impl = s, .event = on_leg_event};
    assert_int_equal(s->tel->start(s->self, &s->provider_sink), AIC_OK);
}

static inline void end(struct setup *s)
{
    s->tel->leg_close(s->leg);
    s->tel->stop(s->self);
    aicaller_plugin_browser()->destroy(s->self);
    fake_exchange_finish(&s->exchange);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
}

static inline void upgrade(struct setup *s)
{
    fake_exchange_finish(&s->exchange);
    s->ws = fake_route_upgrade(s->fake, PATH, NULL, 0, &s->exchange);
    assert_non_null(s->ws);
}

/* A call in which both sides have taken the leg. */
static inline void begin_call(struct setup *s)
{
    begin(s);
    upgrade(s);
    fake_ws_text(s->ws, START);
    assert_int_equal(s->media_starts, 1);
}

static inline void assert_said(struct aic_ws *ws, const char *text)
{
    char *sent = fake_ws_take_text(ws);
    assert_string_equal(sent, text);
    free(sent);
}

static inline void speak(struct setup *s, size_t frames)
{
    static const uint8_t frame[FRAME_BYTES];
    for (size_t i = 0; i < frames; i++) {
        fake_ws_binary(s->ws, frame, sizeof(frame));
    }
}

#endif
