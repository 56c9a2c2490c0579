/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_TWILIO_SETUP_H
#define PLUGIN_TWILIO_SETUP_H
/*
 * The Twilio plugin on a fake host: a carrier that signs what it sends, and a host that writes down
 * what it is told, a line for each event.
 */
#include "fake_host.h"
#include "twilio/signature.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_twilio(void);

enum { SECOND = 1000000, MS = 1000 };

#define KEY     "aicaller_test_token_0123456789ab"
#define PUBLIC  "https://voice.example.com"
#define WSS     "wss://voice.example.com"
#define ACCOUNT "AC00000000000000000000000000000001"
#define SID     "CA00000000000000000000000000000002"
#define STREAM  "MZ00000000000000000000000000000003"
#define CALL_ID "0190aaaa-0000-7000-8000-000000000001"
#define TOKEN   "the.one-time_token"
#define CALLS   "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT "/Calls"
#define OURS    "+15005550006"
#define THEIRS  "+15551230001"

#define INBOUND_FORM                                                                               \
    "AccountSid=" ACCOUNT "&ApiVersion=2010-04-01&CallSid=" SID                                    \
    "&CallStatus=ringing&Direction=inbound&From=%2B15551230001&To=%2B15005550006"
#define START_WITH(token)                                                                          \
    "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"start\":{\"accountSid\":\"" ACCOUNT           \
    "\",\"streamSid\":\"" STREAM "\",\"callSid\":\"" SID "\",\"tracks\":[\"inbound\"],"            \
    "\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,\"channels\":1},"         \
    "\"customParameters\":{" token "}},\"streamSid\":\"" STREAM "\"}"
#define START                START_WITH("\"token\":\"" TOKEN "\",\"call\":\"" CALL_ID "\"")
#define FROM_US(event, rest) "{\"event\":\"" event "\",\"streamSid\":\"" STREAM "\"" rest "}\n"

/* What the host does with an offer, and with a leg. */
enum decision { ACCEPT, REJECT, LATER };

enum arrival { ATTACH, REFUSE, IGNORE };

struct setup {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_telephony *tel;
    void *self;
    struct aic_exchange exchange;
    struct aic_ws *ws;
    struct aic_telephony_sink provider_sink;
    struct aic_telephony_sink leg_sink;
    enum decision decision;
    uint32_t reason;
    enum arrival arrival;
    bool closes_at_stop; /* closes the leg inside MEDIA_STOP */
    void *offer;
    void *leg;
    struct aic_buf told;
    struct aic_buf sound; /* the caller's */
    int64_t sound_at_us;  /* where its last piece began */
};

static inline void tell_error(struct setup *s, const struct aic_error *error)
{
    aic_buf_printf(&s->told, "category=%u retry=%u after=%lld %.*s", error->category, error->retry,
                   (long long)error->retry_after_ms, (int)error->message.len, error->message.ptr);
}

static inline void tell_number(struct aic_buf *to, const char *name, int64_t value, bool is_told)
{
    if (is_told) {
        aic_buf_printf(to, " %s%" PRId64, name, value);
    }
}

static inline void decide(struct setup *s, const struct aic_telephony_event *e)
{
    const struct aic_telephony_accept accept = {
        .size = sizeof(accept), .call_id = CALL_ID, .token = TOKEN};
    s->offer = e->offer;
    if (s->decision == ACCEPT) {
        assert_int_equal(s->tel->accept(s->self, e->offer, &accept), AIC_OK);
    } else if (s->decision == REJECT) {
        assert_int_equal(s->tel->reject(s->self, e->offer, s->reason), AIC_OK);
    }
}

static inline void take_leg(struct setup *s, const struct aic_telephony_event *e)
{
    s->leg = e->leg;
    assert_int_equal(e->format_in.codec, AIC_CODEC_MULAW);
    assert_int_equal(e->format_out.rate_hz, 8000);
    if (s->arrival == ATTACH) {
        assert_int_equal(s->tel->leg_attach(s->leg, &s->leg_sink), AIC_OK);
    } else if (s->arrival == REFUSE) {
        s->tel->leg_close(s->leg);
        s->leg = NULL;
    }
}

static inline void on_provider_event(const struct aic_telephony_sink *sink,
                                     const struct aic_telephony_event *e)
{
    static const char *const names[] = {"none",      "offer",       "dialed",
                                        "status",    "start",       "answered_by",
                                        "recording", "transferred", "result"};
    struct setup *s = sink->impl;
    struct aic_buf *to = &s->told;
    aic_buf_text(to, e->kind < 9 ? names[e->kind] : "error");
    tell_number(to, "#", (int64_t)e->request_id, e->request_id != 0);
    tell_number(to, "kind=", e->offer_kind, e->offer_kind != 0);
    tell_number(to, "direction=", e->direction, e->direction != 0);
    tell_number(to, "status=", e->status, e->status != 0);
    tell_number(to, "who=", e->answered_by, e->answered_by != 0);
    tell_number(to, "seq=", e->sequence, e->sequence >= 0);
    tell_number(to, "s=", e->duration_s, e->duration_s >= 0);

    const struct {
        const char *name;
        struct aic_str text;
    } texts[] = {{"sid", e->provider_call_id},
                 {"call", e->call_id},
                 {"token", e->token},
                 {"from", e->from},
                 {"to", e->to},
                 {"url", e->url},
                 {"ext", e->ext}};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].text.len > 0) {
            aic_buf_printf(to, " %s=%.*s", texts[i].name, (int)texts[i].text.len,
                           texts[i].text.ptr);
        }
    }
    if (e->error) {
        aic_buf_char(to, ' ');
        tell_error(s, e->error);
    }
    aic_buf_char(to, '\n');
    if (e->kind == AIC_TEL_EVENT_OFFER) {
        decide(s, e);
    } else if (e->kind == AIC_TEL_EVENT_MEDIA_START) {
        take_leg(s, e);
    }
}

static inline void on_leg_event(const struct aic_telephony_sink *sink,
                                const struct aic_telephony_event *e)
{
    struct setup *s = sink->impl;
    switch (e->kind) {
    case AIC_TEL_EVENT_AUDIO:
        aic_buf_add(&s->sound, e->audio->data, e->audio->bytes);
        s->sound_at_us = e->audio->time_us;
        break;
    case AIC_TEL_EVENT_DTMF:
        aic_buf_printf(&s->told, "key %.*s\n", (int)e->digits.len, e->digits.ptr);
        break;
    case AIC_TEL_EVENT_MARK:
        aic_buf_printf(&s->told, "mark %" PRIu64 " %s\n", e->mark_id,
                       e->mark_flags == AIC_MARK_PLAYED ? "played" : "cleared");
        break;
    case AIC_TEL_EVENT_MEDIA_STOP:
        aic_buf_printf(&s->told, "stop %u\n", e->cause);
        if (s->closes_at_stop) {
            s->tel->leg_close(s->leg);
            s->leg = NULL;
        }
        break;
    case AIC_TEL_EVENT_ERROR:
        aic_buf_printf(&s->told, "leg error #%llu ", (unsigned long long)e->request_id);
        tell_error(s, e->error);
        aic_buf_char(&s->told, '\n');
        break;
    default:
        fail_msg("event %u", e->kind);
    }
}

static inline void begin_with(struct setup *s, const struct fake_setting *more)
{
    struct fake_setting settings[12] = {
        {"account_sid", ACCOUNT}, {"auth_token", KEY}, {"from", OURS}};
    for (size_t i = 0; more && more[i].name; i++) {
        settings[3 + i] = more[i];
    }
    *s = (struct setup){.v = vsched_create(1)};
    aic_buf_init(&s->told, 1 << 16);
    aic_buf_init(&s->sound, 1 << 20);
    s->fake = fake_host_create(s->v);
    fake_route_set_public_url(s->fake, PUBLIC);
    const struct aic_plugin *plugin = aicaller_plugin_twilio();
    assert_int_equal(fake_provider_create(s->fake, plugin, settings, &s->self), AIC_OK);
    s->tel = plugin->get_interface(AIC_TELEPHONY);
    s->provider_sink = (struct aic_telephony_sink){
        .size = sizeof(s->provider_sink), .impl = s, .event = on_provider_event};
    s->leg_sink =
        (struct aic_telephony_sink){.size = sizeof(s->leg_sink), .impl = s, .event = on_leg_event};
    assert_int_equal(s->tel->start(s->self, &s->provider_sink), AIC_OK);
}

static inline void begin(struct setup *s)
{
    begin_with(s, NULL);
}

static inline void end(struct setup *s)
{
    s->tel->leg_close(s->leg);
    s->tel->stop(s->self);
    aicaller_plugin_twilio()->destroy(s->self);
    fake_exchange_finish(&s->exchange);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
    aic_buf_finish(&s->told);
    aic_buf_finish(&s->sound);
}

/* What the host was told since the last time. */
static inline void assert_told(struct setup *s, const char *lines)
{
    assert_string_equal(s->told.len > 0 ? s->told.data : "", lines);
    aic_buf_clear(&s->told);
}

/* Signs as Twilio does; `url` with its query. */
static inline void sign(char to[TWILIO_SIGNATURE_CHARS + 1], const char *url, const char *body)
{
    struct twilio_form form;
    struct aic_buf text;
    aic_buf_init(&text, 1 << 16);
    aic_buf_text(&text, url);
    assert_int_equal(twilio_form_parse(aic_str(body), &form), AIC_OK);
    twilio_form_join(&text, &form);
    twilio_form_finish(&form);
    twilio_signature_make(to, KEY, aic_buf_view(&text));
    aic_buf_finish(&text);
}

/* A request with any signature; NULL = none. */
static inline int post_as(struct setup *s, const char *path, const char *query, const char *body,
                          const char *signature)
{
    const struct aic_header headers[] = {
        {AIC_STR("content-type"), AIC_STR("application/x-www-form-urlencoded; charset=UTF-8")},
        {AIC_STR("x-twilio-signature"), aic_str(signature)}};
    fake_exchange_finish(&s->exchange);
    fake_route_request(s->fake, AIC_METHOD_POST, path, query, headers, signature ? 2 : 1,
                       aic_str(body), &s->exchange);
    return s->exchange.answered ? s->exchange.status : 0;
}

/* A request of Twilio; its status, 0 while it is not answered. */
static inline int post(struct setup *s, const char *path, const char *query, const char *body)
{
    char signature[TWILIO_SIGNATURE_CHARS + 1];
    char url[2048];
    (void)snprintf(url, sizeof(url), PUBLIC "%s%s%s", path, query ? "?" : "", query ? query : "");
    sign(signature, url, body);
    return post_as(s, path, query, body, signature);
}

static inline const char *answer_of(struct setup *s)
{
    return s->exchange.body.len > 0 ? s->exchange.body.data : "";
}

/* Opens a media socket; signed for `url`, NULL = not at all. */
static inline struct aic_ws *upgrade_as(struct setup *s, const char *url)
{
    char signature[TWILIO_SIGNATURE_CHARS + 1];
    sign(signature, url ? url : "", "");
    const struct aic_header header = {AIC_STR("x-twilio-signature"), aic_str(signature)};
    fake_exchange_finish(&s->exchange);
    s->ws = fake_route_upgrade(s->fake, "/media-stream/", &header, url ? 1 : 0, &s->exchange);
    return s->ws;
}

/* A call whose stream has started. */
static inline void begin_call_with(struct setup *s, const struct fake_setting *more)
{
    begin_with(s, more);
    assert_non_null(upgrade_as(s, WSS "/media-stream/"));
    fake_ws_text(s->ws, "{\"event\":\"connected\",\"protocol\":\"Call\",\"version\":\"1.0.0\"}");
    fake_ws_text(s->ws, START);
    assert_told(s, "start sid=" SID " call=" CALL_ID " token=" TOKEN "\n");
}

static inline void begin_call(struct setup *s)
{
    begin_call_with(s, NULL);
}

static inline void assert_said(struct setup *s, const char *messages)
{
    char *sent = fake_ws_take_text(s->ws);
    assert_string_equal(sent, messages);
    free(sent);
}

/* The request that the plugin has out, which must be this. */
static inline struct aic_http *pending(struct setup *s, const char *method, const char *url)
{
    struct aic_http *request = fake_http_pending(s->fake);
    assert_non_null(request);
    assert_string_equal(request->method, method);
    assert_string_equal(request->url, url);
    return request;
}

static inline void assert_no_request(struct setup *s)
{
    assert_null(fake_http_pending(s->fake));
}

#endif
