/* SPDX-License-Identifier: ISC */
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

static int64_t now_us(const struct setup *s)
{
    return sched_now(vsched_sched(s->v));
}

static void on_media_start(struct setup *s, const struct aic_telephony_event *event)
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
        assert_int_equal(s->tel->leg_attach(s->leg, &s->leg_sink), AIC_ERROR_INVALID);
    }
}

static void on_provider_event(const struct aic_telephony_sink *sink,
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

static void on_leg_event(const struct aic_telephony_sink *sink,
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

static void begin(struct setup *s, const struct fake_setting *settings)
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

static void end(struct setup *s)
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

static void path_in(const struct setup *s, const char *name, char *path, size_t bytes)
{
    (void)snprintf(path, bytes, "%s/%s", s->folder, name);
}

static void write_file(const struct setup *s, const char *name, const void *bytes, size_t count)
{
    char path[200];
    path_in(s, name, path, sizeof(path));
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void remove_file(const struct setup *s, const char *name)
{
    char path[200];
    path_in(s, name, path, sizeof(path));
    assert_int_equal(remove(path), 0);
}

/* Writes a file whose sound counts up, so that a lost or doubled byte shows. */
static void write_caller(const struct setup *s, const char *name, struct aic_format format,
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

static int32_t dial(struct setup *s, const char *to)
{
    struct aic_telephony_dial params = {.size = sizeof(params),
                                        .request_id = 77,
                                        .call_id = "0190-call",
                                        .token = "the.token",
                                        .to = to,
                                        .from = ""};
    return s->tel->dial(s->self, &params);
}

static int32_t dial_file(struct setup *s, const char *name)
{
    char to[300];
    (void)snprintf(to, sizeof(to), "wav:%s/%s", s->folder, name);
    return dial(s, to);
}

static const struct aic_format narrow = {AIC_CODEC_PCM_S16LE, 8000, 1, 0};

static void assert_completed_once(const struct setup *s)
{
    assert_int_equal(s->status_count, 3);
    assert_int_equal(s->statuses[0], AIC_CALL_RINGING);
    assert_int_equal(s->statuses[1], AIC_CALL_IN_PROGRESS);
    assert_int_equal(s->statuses[2], AIC_CALL_COMPLETED);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(s->sequences[i], i);
    }
}

static void test_a_file_is_a_call_from_dialling_to_hanging_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 16000 * 3 + 100);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    assert_int_equal(s.dialed, 0);
    vsched_run(s.v, 60 * SECOND);
    remove_file(&s, "a.wav");
    assert_int_equal(s.dialed, 1);
    assert_int_equal(s.request_id, 77);
    assert_string_equal(s.token, "the.token");
    assert_string_equal(s.call_id, "0190-call");
    assert_int_equal(s.format.codec, AIC_CODEC_PCM_S16LE);
    assert_int_equal(s.format.rate_hz, 8000);
    assert_int_equal(s.media_starts, 1);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_CALLER);
    assert_completed_once(&s);
    /* 3.00625 s of sound, 10 s of silence, and up to the next whole block. */
    assert_int_equal(s.duration_s, 13);
    assert_int_equal(s.blocks, 651);
    assert_non_null(strstr(fake_log(s.fake), "sent_blocks=651 late_blocks=0 worst_late_ms=0"));
    end(&s);
}

static void test_every_sample_arrives_once_in_blocks_that_never_drift(void **state)
{
    (void)state;

    static const struct {
        struct aic_format format;
        size_t block_bytes;
        uint8_t silence;
    } cases[] = {{{AIC_CODEC_PCM_S16LE, 8000, 1, 0}, 320, 0},
                 {{AIC_CODEC_PCM_S16LE, 16000, 1, 0}, 640, 0},
                 {{AIC_CODEC_MULAW, 8000, 1, 0}, 160, 0xFF},
                 {{AIC_CODEC_ALAW, 8000, 1, 0}, 160, 0xD5}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct setup s;
        begin(&s, NULL);
        size_t bytes = cases[i].block_bytes * 1500 + 50;
        write_caller(&s, "a.wav", cases[i].format, bytes);
        assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
        vsched_run(s.v, 31 * SECOND);
        remove_file(&s, "a.wav");
        assert_int_equal(s.blocks, 1550);
        assert_int_equal(s.worst_offset_us, 0);
        assert_int_equal(s.audio.len, cases[i].block_bytes * 1550);
        for (size_t at = 0; at < s.audio.len; at++) {
            uint8_t wanted = at < bytes ? (uint8_t)(at * 7 + at / 256) : cases[i].silence;
            if ((uint8_t)s.audio.data[at] != wanted) {
                fail_msg("byte %zu of format %zu", at, i);
            }
        }
        end(&s);
    }
}

static struct aic_audio sound(const uint8_t *bytes, size_t count)
{
    return (struct aic_audio){.size = sizeof(struct aic_audio),
                              .format = narrow,
                              .data = bytes,
                              .bytes = count,
                              .time_us = -1};
}

static void test_the_caller_listens_until_the_agent_has_been_quiet(void **state)
{
    (void)state;
    static const uint8_t loud[3200] = {1, 2, 3};
    static const uint8_t quiet[3200];
    struct setup s;
    begin(&s, (const struct fake_setting[]){{"after_end", "2s"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 16000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 2500000);
    struct aic_audio audio = sound(loud, sizeof(loud));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    }
    /* The agent's words last a second, to 3.5 s; digital silence after them is no word. */
    vsched_run(s.v, 2 * SECOND);
    audio = sound(quiet, sizeof(quiet));
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, 990000);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, 20000);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_CALLER);
    assert_non_null(strstr(fake_log(s.fake), "heard_ms=1200 ended_by=caller"));
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_the_caller_may_hang_up_whatever_the_agent_says(void **state)
{
    (void)state;
    static const uint8_t loud[3200] = {1, 2, 3};
    struct setup s;
    begin(&s, (const struct fake_setting[]){
                  {"after_end", "2s"}, {"wait_for_agent", "false"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 16000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 2900000);
    struct aic_audio audio = sound(loud, sizeof(loud));
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    vsched_run(s.v, 150000);
    assert_int_equal(s.media_stops, 1);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_the_host_hangs_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    s.hangs_up_after = 50;
    write_caller(&s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 5 * SECOND);
    assert_int_equal(s.blocks, 50);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_HOST);
    assert_completed_once(&s);
    assert_int_equal(s.duration_s, 1);
    struct aic_audio audio = sound((const uint8_t *)"xx", 2);
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.status_count, 3);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_leg_closed_inside_an_event_says_no_more_but_the_call_completes(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    s.hangs_up_after = 10;
    s.closes_then = true;
    write_caller(&s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, 5 * SECOND);
    assert_int_equal(s.blocks, 10);
    assert_int_equal(s.media_stops, 0);
    assert_completed_once(&s);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_leg_that_nobody_takes_ends_the_call(void **state)
{
    (void)state;
    for (int ignores = 0; ignores < 2; ignores++) {
        struct setup s;
        begin(&s, NULL);
        s.refuses = !ignores;
        s.ignores = ignores;
        write_caller(&s, "a.wav", narrow, 160000);
        assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
        vsched_run(s.v, SECOND);
        assert_int_equal(s.blocks, 0);
        assert_int_equal(s.media_stops, 0);
        assert_completed_once(&s);
        assert_int_equal(s.duration_s, 0);
        remove_file(&s, "a.wav");
        end(&s);
    }
}

static void test_hangup_by_id_is_answered_also_when_the_call_is_over(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.tel->hangup(s.self, 5, aic_str(s.id)), AIC_OK);
    assert_int_equal(s.results, 0);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.results, 1);
    assert_int_equal(s.request_id, 5);
    assert_int_equal(s.media_stops, 1);
    assert_completed_once(&s);
    assert_int_equal(s.tel->hangup(s.self, 6, aic_str(s.id)), AIC_OK);
    assert_int_equal(s.tel->hangup(s.self, 7, AIC_STR("wav-unknown")), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.results, 3);
    assert_int_equal(s.status_count, 3);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_a_limit_of_the_whole_call_is_kept(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 160000);
    char to[200];
    (void)snprintf(to, sizeof(to), "wav:%s/a.wav", s.folder);
    struct aic_telephony_dial params = {.size = sizeof(params),
                                        .call_id = "c",
                                        .token = "t",
                                        .to = to,
                                        .from = "",
                                        .limit_ms = 1500};
    assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    assert_int_equal(s.tel->dial(s.self, &params), AIC_ERROR_CONFLICT);
    vsched_run(s.v, 3 * SECOND);
    assert_int_equal(s.dialed, 1);
    assert_int_equal(s.blocks, 75);
    assert_int_equal(s.media_stops, 1);
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_after_a_stall_nothing_is_lost_and_the_schedule_is_kept(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.blocks, 50);
    /* The loop does nothing for a second: the next thing it runs is late. */
    vsched_stall(s.v, SECOND);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.blocks, 150);
    for (size_t at = 0; at < s.audio.len; at++) {
        assert_int_equal((uint8_t)s.audio.data[at], (uint8_t)(at * 7 + at / 256));
    }
    s.worst_offset_us = 0;
    vsched_run(s.v, SECOND);
    assert_int_equal(s.worst_offset_us, 0);
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    assert_non_null(strstr(fake_log(s.fake), "late_blocks=48 worst_late_ms=980"));
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_audio_of_another_format_is_refused(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    write_caller(&s, "a.wav", narrow, 160000);
    assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
    vsched_run(s.v, SECOND);
    struct aic_audio audio = sound((const uint8_t *)"abc", 3);
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    audio.bytes = 2;
    audio.format.rate_hz = 16000;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    audio.format = narrow;
    audio.format.codec = AIC_CODEC_MULAW;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    remove_file(&s, "a.wav");
    end(&s);
}

static void assert_refused(struct setup *s, const char *to, uint32_t category, const char *words)
{
    s->error[0] = '\0';
    assert_int_equal(dial(s, to), AIC_OK);
    vsched_run(s->v, SECOND);
    assert_int_equal(s->request_id, 77);
    assert_int_equal(s->dialed, 0);
    assert_int_equal(s->status_count, 0);
    if (!strstr(s->error, words)) {
        fail_msg("\"%s\" says: %s", to, s->error);
    }
    assert_int_equal(s->error_category, category);
}

static void test_a_file_that_is_no_caller_ends_in_a_clear_error(void **state)
{
    (void)state;
    struct setup s;
    char to[200];
    begin(&s, (const struct fake_setting[]){{"folder", "/usr"}, {NULL, NULL}});
    write_caller(&s, "a.wav", narrow, 3200);
    (void)snprintf(to, sizeof(to), "wav:%s/a.wav", s.folder);
    assert_refused(&s, to, AIC_CATEGORY_PERMISSION, "is outside the folder");
    assert_refused(&s, "+14155550100", AIC_CATEGORY_BAD_REQUEST, "dialled as wav:PATH");
    assert_refused(&s, "wav:", AIC_CATEGORY_NOT_FOUND, "does not exist");
    assert_refused(&s, "wav:bin/env", AIC_CATEGORY_BAD_REQUEST, "is not a WAV file");
    remove_file(&s, "a.wav");
    end(&s);
}

static void test_stopping_while_a_file_waits_or_loads_leaves_nothing_behind(void **state)
{
    (void)state;
    for (int is_loading = 0; is_loading < 2; is_loading++) {
        struct setup s;
        begin(&s, NULL);
        vsched_set_pool_cost(s.v, 100000);
        write_caller(&s, "a.wav", narrow, 3200);
        assert_int_equal(dial_file(&s, "a.wav"), AIC_OK);
        assert_int_equal(s.tel->hangup(s.self, 9, AIC_STR("unknown")), AIC_OK);
        if (is_loading) {
            vsched_run(s.v, 50000);
        }
        s.tel->stop(s.self);
        assert_int_equal(dial(&s, "wav:x"), AIC_ERROR_CLOSED);
        assert_int_equal(s.tel->hangup(s.self, 1, AIC_STR("x")), AIC_ERROR_CLOSED);
        vsched_run(s.v, SECOND);
        assert_int_equal(s.dialed, 0);
        assert_int_equal(s.results, is_loading);
        assert_string_equal(s.error, "");
        remove_file(&s, "a.wav");
        end(&s);
    }
}

static void test_capabilities_say_that_the_host_paces_and_hears_no_echo(void **state)
{
    (void)state;
    struct setup s;
    begin(&s, NULL);
    struct aic_telephony_caps caps = {.size = sizeof(caps)};
    assert_int_equal(s.tel->capabilities(s.self, &caps), AIC_OK);
    assert_int_equal(caps.flags, AIC_TEL_DIAL | AIC_TEL_NO_ECHO);
    assert_int_equal(caps.format_count, 6);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_file_is_a_call_from_dialling_to_hanging_up),
        cmocka_unit_test(test_every_sample_arrives_once_in_blocks_that_never_drift),
        cmocka_unit_test(test_the_caller_listens_until_the_agent_has_been_quiet),
        cmocka_unit_test(test_the_caller_may_hang_up_whatever_the_agent_says),
        cmocka_unit_test(test_the_host_hangs_up),
        cmocka_unit_test(test_a_leg_closed_inside_an_event_says_no_more_but_the_call_completes),
        cmocka_unit_test(test_a_leg_that_nobody_takes_ends_the_call),
        cmocka_unit_test(test_hangup_by_id_is_answered_also_when_the_call_is_over),
        cmocka_unit_test(test_a_limit_of_the_whole_call_is_kept),
        cmocka_unit_test(test_after_a_stall_nothing_is_lost_and_the_schedule_is_kept),
        cmocka_unit_test(test_audio_of_another_format_is_refused),
        cmocka_unit_test(test_a_file_that_is_no_caller_ends_in_a_clear_error),
        cmocka_unit_test(test_stopping_while_a_file_waits_or_loads_leaves_nothing_behind),
        cmocka_unit_test(test_capabilities_say_that_the_host_paces_and_hears_no_echo),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
