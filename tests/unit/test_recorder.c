/* SPDX-License-Identifier: ISC */
#include "call/recorder.h"

#include "vsched.h"
#include "wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
    bool is_done;
};

static void begin(struct scene *s)
{
    *s = (struct scene){.vsched = vsched_create(1)};
    (void)snprintf(s->path, sizeof(s->path), "/tmp/aicaller-recorder-XXXXXX");
    int fd = mkstemp(s->path);
    assert_true(fd >= 0);
    close(fd);
    s->recorder = recorder_create(vsched_sched(s->vsched), s->path, line, line);
    assert_non_null(s->recorder);
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
    assert_int_equal(s.result.status, AIC_OK);
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
    s.recorder = recorder_create(vsched_sched(s.vsched), "/nowhere/at/all.wav", line, line);
    assert_non_null(s.recorder);
    for (int i = 0; i < 200; i++) {
        speak(&s, recorder_caller, 1);
        vsched_run(s.vsched, 20000);
    }
    recorder_finish(s.recorder, done, &s);
    vsched_run(s.vsched, 1000000);
    assert_true(s.is_done);
    assert_int_equal(s.result.status, AIC_ERROR_IO);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_caller_left_and_agent_right_on_the_callers_clock),
        cmocka_unit_test(test_what_was_taken_back_is_not_in_the_recording),
        cmocka_unit_test(test_a_pause_is_silence_of_the_same_length),
        cmocka_unit_test(test_a_bad_path_ends_the_recording_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
