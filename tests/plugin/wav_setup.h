/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_WAV_SETUP_H
#define PLUGIN_WAV_SETUP_H
/* The wav plugin on a fake host, files for it, and a host that takes its events. */
#include "fake_host.h"

#include "wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

const struct aic_plugin *aicaller_plugin_wav(void);

enum { MAX_STATUSES = 8, SECOND = 1000000 };

/* What the host would do: attaches to every leg, and writes down what it is told. */
struct setup {
    char folder[64];
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_telephony *tel;
    void *self;
    struct aic_telephony_sink provider_sink;
    struct aic_telephony_sink leg_sink;
    void *leg;
    bool refuses;       /* closes the leg instead of attaching */
    bool ignores;       /* neither attaches nor closes */
    int hangs_up_after; /* audio blocks; 0 = never */
    bool closes_then;   /* closes the leg at that block instead */
    char id[32];
    char error[600];
    uint32_t error_category;
    uint64_t request_id;
    char token[32];
    char call_id[40];
    int dialed;
    int media_starts;
    int media_stops;
    uint32_t cause;
    uint32_t statuses[MAX_STATUSES];
    int64_t sequences[MAX_STATUSES];
    int status_count;
    int64_t duration_s;
    int results;
    int64_t media_start_us;
    struct aic_format format;
    struct aic_buf audio;
    int blocks;
    int64_t worst_offset_us; /* of a block's arrival from its exact time */
};

static inline int64_t now_us(const struct setup *s)
{
    return sched_now(vsched_sched(s->v));
}

static inline void on_media_start(struct setup *s, const struct aic_telephony_event *event)
{
    s->media_starts++;
    s->leg = event->leg;
    s->media_start_us = now_us(s);
    s->format = event->format_in;
    aic_str_copy(event->token, s->token, sizeof(s->token));
    aic_str_copy(event->call_id, s->call_id, sizeof(s->call_id));
    if (s->refuses) {
        s->tel->leg_close(s->leg);
        s->leg = NULL;
    } else if (!s->ignores) {
        assert_int_equal(s->tel->leg_attach(s->leg, &s->leg_sink), AIC_OK);
    }
}

static inline void on_provider_event(const struct aic_telephony_sink *sink,
                                     const struct aic_telephony_event *event)
{
    struct setup *s = sink->impl;
    switch (event->kind) {
    case AIC_TEL_EVENT_DIALED:
        s->dialed++;
        s->request_id = event->request_id;
        aic_str_copy(event->provider_call_id, s->id, sizeof(s->id));
        break;
    case AIC_TEL_EVENT_STATUS:
        assert_true(s->status_count < MAX_STATUSES);
        assert_true(aic_str_equal(event->provider_call_id, s->id));
        s->sequences[s->status_count] = event->sequence;
        s->statuses[s->status_count++] = event->status;
        s->duration_s = event->duration_s;
        break;
    case AIC_TEL_EVENT_MEDIA_START:
        on_media_start(s, event);
        break;
    case AIC_TEL_EVENT_ERROR:
        s->request_id = event->request_id;
        s->error_category = event->error->category;
        aic_str_copy(event->error->message, s->error, sizeof(s->error));
        break;
    case AIC_TEL_EVENT_RESULT:
        s->results++;
        s->request_id = event->request_id;
        break;
    default:
        fail_msg("event %u is none of a provider's", event->kind);
    }
}

static inline void on_leg_event(const struct aic_telephony_sink *sink,
                                const struct aic_telephony_event *event)
{
    struct setup *s = sink->impl;
    assert_ptr_equal(event->leg, s->leg);
    if (event->kind == AIC_TEL_EVENT_MEDIA_STOP) {
        s->media_stops++;
        s->cause = event->cause;
        return;
    }
    assert_int_equal(event->kind, AIC_TEL_EVENT_AUDIO);
    assert_int_equal(s->media_stops, 0);
    assert_int_equal(event->audio->time_us, (int64_t)s->blocks * 20000);
    s->blocks++;
    int64_t offset_us = now_us(s) - s->media_start_us - (int64_t)s->blocks * 20000;
    if (llabs(offset_us) > s->worst_offset_us) {
        s->worst_offset_us = llabs(offset_us);
    }
    assert_int_equal(aic_buf_add(&s->audio, event->audio->data, event->audio->bytes), AIC_OK);
    if (s->blocks == s->hangs_up_after && s->closes_then) {
        s->tel->leg_close(s->leg);
        s->leg = NULL;
    } else if (s->blocks == s->hangs_up_after) {
        assert_int_equal(s->tel->leg_hangup(s->leg), AIC_OK);
    }
}

static inline void begin(struct setup *s, const struct fake_setting *settings)
{
    *s = (struct setup){.folder = "/tmp/aicaller-wav-XXXXXX"};
    assert_non_null(mkdtemp(s->folder));
    s->v = vsched_create(1);
    s->fake = fake_host_create(s->v);
    const struct aic_plugin *plugin = aicaller_plugin_wav();
    assert_int_equal(fake_provider_create(s->fake, plugin, settings, &s->self), AIC_OK);
    s->tel = plugin->get_interface(AIC_TELEPHONY);
    s->provider_sink = (struct aic_telephony_sink){
        .size = sizeof(s->provider_sink), .impl = s, .event = on_provider_event};
    s->leg_sink =
        (struct aic_telephony_sink){.size = sizeof(s->leg_sink), .impl = s, .event = on_leg_event};
    aic_buf_init(&s->audio, 16u << 20);
    assert_int_equal(s->tel->start(s->self, &s->provider_sink), AIC_OK);
}

static inline void end(struct setup *s)
{
    if (s->leg) {
        s->tel->leg_close(s->leg);
    }
    s->tel->stop(s->self);
    aicaller_plugin_wav()->destroy(s->self);
    vsched_run(s->v, 0);
    fake_host_destroy(s->fake);
    vsched_destroy(s->v);
    aic_buf_finish(&s->audio);
    (void)rmdir(s->folder);
}

static inline void path_in(const struct setup *s, const char *name, char *path, size_t bytes)
{
    (void)snprintf(path, bytes, "%s/%s", s->folder, name);
}

static inline void write_file(const struct setup *s, const char *name, const void *bytes,
                              size_t count)
{
    char path[200];
    path_in(s, name, path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static inline void remove_file(const struct setup *s, const char *name)
{
    char path[200];
    path_in(s, name, path, sizeof(path));
    assert_int_equal(remove(path), 0);
}

/* Writes a file whose sound counts up, so that a lost or doubled byte shows. */
static inline void write_caller(const struct setup *s, const char *name, struct aic_format format,
                                size_t bytes)
{
    uint8_t *content = malloc(AIC_WAV_HEADER_MAX + bytes);
    assert_non_null(content);
    size_t header = aic_wav_header(content, format, bytes);
    for (size_t i = 0; i < bytes; i++) {
        content[header + i] = (uint8_t)(i * 7 + i / 256);
    }
    write_file(s, name, content, header + bytes);
    free(content);
}

static inline int32_t dial(struct setup *s, const char *to)
{
    struct aic_telephony_dial params = {.size = sizeof(params),
                                        .request_id = 77,
                                        .call_id = "0190-call",
                                        .token = "the.token",
                                        .to = to,
                                        .from = ""};
    return s->tel->dial(s->self, &params);
}

static inline int32_t dial_file(struct setup *s, const char *name)
{
    char to[300];
    (void)snprintf(to, sizeof(to), "wav:%s/%s", s->folder, name);
    return dial(s, to);
}

static const struct aic_format narrow = {AIC_CODEC_PCM_S16LE, 8000, 1, 0};

/* A caller who speaks for ten seconds. */
static inline void dial_long(struct setup *s)
{
    write_caller(s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(s, "a.wav"), AIC_OK);
}

/* The same, a second into its call. */
static inline void begin_call(struct setup *s)
{
    begin(s, NULL);
    dial_long(s);
    vsched_run(s->v, SECOND);
}

static inline void assert_completed_once(const struct setup *s)
{
    assert_int_equal(s->status_count, 3);
    assert_int_equal(s->statuses[0], AIC_CALL_RINGING);
    assert_int_equal(s->statuses[1], AIC_CALL_IN_PROGRESS);
    assert_int_equal(s->statuses[2], AIC_CALL_COMPLETED);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->sequences[i], i);
    }
}

#endif
