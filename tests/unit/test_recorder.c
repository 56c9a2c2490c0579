/* SPDX-License-Identifier: ISC */
#include "call/recorder.h"
#include "call/recorder_opus.h"

#include "vsched.h"
#include "wav.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

enum { FRAME = 160, HEADER = 44 };

static const struct aic_format line = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1};

struct scene {
    struct vsched *vsched;
    char path[64];
    struct recorder *recorder;
    struct recorder_result result;
    enum recorder_end stopped;
    bool is_done;
};

static void begin(struct scene *s)
{
    *s = (struct scene){.vsched = vsched_create(1)};
    (void)snprintf(s->path, sizeof(s->path), "/tmp/aicaller-recorder-XXXXXX");
    int fd = mkstemp(s->path);
    assert_true(fd >= 0);
    close(fd);
    const struct recorder_settings settings = {.path = s->path, .caller = line, .agent = line};
    s->recorder = recorder_create(vsched_sched(s->vsched), &settings, NULL, NULL);
    assert_non_null(s->recorder);
}

static void stopped(void *data, enum recorder_end why)
{
    struct scene *s = data;
    assert_int_equal(s->stopped, RECORDER_WHOLE);
    s->stopped = why;
}

static void done(void *data, const struct recorder_result *result)
{
    struct scene *s = data;
    s->result = *result;
    s->is_done = true;
}

/* Completes the file and reads it back; returns its frames of two samples. */
static size_t finish(struct scene *s, int16_t *frames, size_t most)
{
    recorder_finish(s->recorder, done, s);
    vsched_run(s->vsched, 1000000);
    assert_true(s->is_done);
    FILE *file = fopen(s->path, "rb");
    assert_non_null(file);
    uint8_t header[HEADER];
    assert_int_equal(fread(header, 1, HEADER, file), HEADER);
    assert_memory_equal(header, "RIFF", 4);
    size_t count = fread(frames, 4, most, file);
    (void)fclose(file);
    uint32_t stated = (uint32_t)header[40] | (uint32_t)header[41] << 8 |
                      (uint32_t)header[42] << 16 | (uint32_t)header[43] << 24;
    assert_int_equal(stated, count * 4);
    assert_int_equal(s->result.bytes, count * 4);
    return count;
}

static void end(struct scene *s)
{
    (void)unlink(s->path);
    vsched_destroy(s->vsched);
}

static void speak(struct scene *s, void (*to)(struct recorder *, const uint8_t *, size_t),
                  int16_t value)
{
    int16_t samples[FRAME];
    for (size_t i = 0; i < FRAME; i++) {
        samples[i] = value;
    }
    to(s->recorder, (const uint8_t *)samples, sizeof(samples));
}

static void test_caller_left_and_agent_right_on_the_callers_clock(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    speak(&s, recorder_caller, 100);
    speak(&s, recorder_agent, 7);
    speak(&s, recorder_agent, 8);
    speak(&s, recorder_caller, 101);
    speak(&s, recorder_caller, 102);
    speak(&s, recorder_caller, 103);
    int16_t frames[2 * 8 * FRAME];
    assert_int_equal(finish(&s, frames, sizeof(frames) / 4), 4 * FRAME);
    const int16_t left[] = {100, 101, 102, 103};
    const int16_t right[] = {0, 7, 8, 0};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(frames[2 * (i * FRAME + 5)], left[i]);
        assert_int_equal(frames[2 * (i * FRAME + 5) + 1], right[i]);
    }
    assert_int_equal(s.result.end, RECORDER_WHOLE);
    assert_int_equal(s.result.duration_us, 80000);
    end(&s);
}

static void test_what_was_taken_back_is_not_in_the_recording(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    speak(&s, recorder_agent, 7);
    speak(&s, recorder_agent, 7);
    speak(&s, recorder_caller, 1);
    recorder_agent_clear(s.recorder);
    speak(&s, recorder_caller, 2);
    int16_t frames[2 * 8 * FRAME];
    assert_int_equal(finish(&s, frames, sizeof(frames) / 4), 2 * FRAME);
    assert_int_equal(frames[1], 7);
    assert_int_equal(frames[2 * FRAME + 1], 0);
    end(&s);
}

static void test_a_pause_is_silence_of_the_same_length(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    speak(&s, recorder_caller, 1);
    recorder_pause(s.recorder, true);
    speak(&s, recorder_agent, 7);
    speak(&s, recorder_caller, 4242);
    recorder_pause(s.recorder, false);
    speak(&s, recorder_caller, 3);
    int16_t frames[2 * 8 * FRAME];
    assert_int_equal(finish(&s, frames, sizeof(frames) / 4), 3 * FRAME);
    for (size_t i = 2 * FRAME; i < 4 * FRAME; i++) {
        assert_int_equal(frames[i], 0);
    }
    assert_int_equal(frames[4 * FRAME], 3);
    end(&s);
}

static void test_a_bad_path_ends_the_recording_and_nothing_else(void **state)
{
    (void)state;
    struct scene s;
    begin(&s);
    recorder_finish(s.recorder, NULL, NULL);
    vsched_run(s.vsched, 1000000);
    const struct recorder_settings settings = {
        .path = "/nowhere/at/all.wav", .caller = line, .agent = line};
    s.recorder = recorder_create(vsched_sched(s.vsched), &settings, stopped, &s);
    assert_non_null(s.recorder);
    for (int i = 0; i < 200; i++) {
        speak(&s, recorder_caller, 1);
        vsched_run(s.vsched, 20000);
    }
    recorder_finish(s.recorder, done, &s);
    vsched_run(s.vsched, 1000000);
    assert_true(s.is_done);
    assert_int_equal(s.result.end, RECORDER_DISK_ERROR);
    assert_int_equal(s.stopped, RECORDER_DISK_ERROR);
    end(&s);
}

static void begin_with(struct scene *s, struct recorder_settings settings)
{
    begin(s);
    recorder_finish(s->recorder, NULL, NULL);
    vsched_run(s->vsched, 1000000);
    settings.path = s->path;
    settings.caller = line;
    settings.agent = line;
    s->recorder = recorder_create(vsched_sched(s->vsched), &settings, stopped, s);
    assert_non_null(s->recorder);
}

static void speak_for(struct scene *s, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 20) {
        speak(s, recorder_caller, 1);
        vsched_run(s->vsched, 20000);
    }
}

static void test_a_limit_ends_the_recording_at_its_sample(void **state)
{
    (void)state;
    static int16_t frames[2 * 8000 * 5];
    struct scene s;
    begin_with(&s, (struct recorder_settings){.max_us = 2505000});
    speak_for(&s, 4000);
    assert_int_equal(s.stopped, RECORDER_MAX_DURATION);
    assert_int_equal(finish(&s, frames, sizeof(frames) / 4), 2505 * 8);
    assert_int_equal(s.result.end, RECORDER_MAX_DURATION);
    end(&s);
    begin_with(&s, (struct recorder_settings){.max_bytes = 64000});
    speak_for(&s, 4000);
    assert_int_equal(s.stopped, RECORDER_MAX_SIZE);
    assert_int_equal(finish(&s, frames, sizeof(frames) / 4), 16000);
    end(&s);
}

static void test_without_room_on_the_disk_nothing_is_begun(void **state)
{
    (void)state;
    struct scene s;
    begin_with(&s, (struct recorder_settings){.min_free_bytes = INT64_MAX});
    speak_for(&s, 1500);
    assert_int_equal(s.stopped, RECORDER_DISK_FULL);
    recorder_finish(s.recorder, done, &s);
    vsched_run(s.vsched, 1000000);
    assert_int_equal(s.result.bytes, 0);
    assert_int_not_equal(access(s.path, F_OK), 0);
    end(&s);
}

/* A limit of the process stands in for the end of the disk. */
static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_a_full_disk_leaves_a_file_that_can_be_played(void **state)
{
    (void)state;
    static int16_t frames[2 * 8000 * 5];
    struct scene s;
    begin_with(&s, (struct recorder_settings){.max_us = 0});
    speak_for(&s, 1500);
    limit_files(50001);
    speak_for(&s, 2500);
    assert_int_equal(s.stopped, RECORDER_DISK_FULL);
    size_t whole = finish(&s, frames, sizeof(frames) / 4);
    limit_files(RLIM_INFINITY);
    assert_int_equal(whole, (50001 - HEADER) / 4);
    assert_int_equal(s.result.end, RECORDER_DISK_FULL);
    end(&s);
}

struct decoded {
    uint64_t frames;
    double power[2];
};

static void take_decoded(void *data, const uint8_t *bytes, size_t count, uint64_t total)
{
    struct decoded *decoded = data;
    (void)total;
    for (size_t at = 0; at + 4 <= count; at += 4) {
        int16_t frame[2];
        memcpy(frame, bytes + at, sizeof(frame));
        decoded->power[0] += (double)frame[0] * frame[0];
        decoded->power[1] += (double)frame[1] * frame[1];
        decoded->frames++;
    }
}

static void speak_tone(struct scene *s, int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 20) {
        int16_t samples[FRAME];
        for (int i = 0; i < FRAME; i++) {
            samples[i] = (int16_t)((at / 20 * FRAME + i) % 20 < 10 ? 8000 : -8000);
        }
        recorder_caller(s->recorder, (const uint8_t *)samples, sizeof(samples));
        vsched_run(s->vsched, 20000);
    }
}

static void decode(const struct scene *s, struct decoded *decoded)
{
    int fd = open(s->path, O_RDONLY);
    assert_true(fd >= 0);
    *decoded = (struct decoded){.frames = 0};
    assert_int_equal(recorder_opus_read(fd, take_decoded, decoded), AIC_OK);
    close(fd);
}

static void test_opus_keeps_length_and_sides(void **state)
{
    (void)state;
    struct scene s;
    struct decoded decoded;
    if (!recorder_opus_exists()) {
        skip();
    }
    begin_with(&s, (struct recorder_settings){.is_opus = true});
    speak_tone(&s, 5000);
    recorder_finish(s.recorder, done, &s);
    vsched_run(s.vsched, 1000000);
    assert_int_equal(s.result.end, RECORDER_WHOLE);
    assert_int_equal(s.result.duration_us, 5000000);
    assert_in_range(s.result.bytes, 3000, 60000);
    decode(&s, &decoded);
    assert_int_equal(decoded.frames, 5 * 48000);
    assert_true(decoded.power[0] > 100 * decoded.power[1]);
    end(&s);
}

static void test_opus_on_a_full_disk_can_be_played_so_far(void **state)
{
    (void)state;
    struct scene s;
    struct decoded decoded;
    if (!recorder_opus_exists()) {
        skip();
    }
    begin_with(&s, (struct recorder_settings){.is_opus = true});
    limit_files(16000);
    speak_tone(&s, 10000);
    recorder_finish(s.recorder, done, &s);
    vsched_run(s.vsched, 1000000);
    limit_files(RLIM_INFINITY);
    assert_int_equal(s.result.end, RECORDER_DISK_FULL);
    decode(&s, &decoded);
    assert_in_range(decoded.frames, 48000, 9 * 48000);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caller_left_and_agent_right_on_the_callers_clock),
        cmocka_unit_test(test_what_was_taken_back_is_not_in_the_recording),
        cmocka_unit_test(test_a_pause_is_silence_of_the_same_length),
        cmocka_unit_test(test_a_bad_path_ends_the_recording_and_nothing_else),
        cmocka_unit_test(test_a_limit_ends_the_recording_at_its_sample),
        cmocka_unit_test(test_without_room_on_the_disk_nothing_is_begun),
        cmocka_unit_test(test_a_full_disk_leaves_a_file_that_can_be_played),
        cmocka_unit_test(test_opus_keeps_length_and_sides),
        cmocka_unit_test(test_opus_on_a_full_disk_can_be_played_so_far),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
