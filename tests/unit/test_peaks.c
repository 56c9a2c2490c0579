/* SPDX-License-Identifier: ISC */
#include "web/peaks.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 8000, TEXT = 1 << 20 };

static const struct aic_format stereo = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = RATE, .channels = 2};

static void add(struct peaks *peaks, int16_t left, int16_t right, size_t frames)
{
    int16_t frame[2] = {left, right};
    for (size_t i = 0; i < frames; i++) {
        peaks_add(peaks, (const uint8_t *)frame, sizeof(frame));
    }
}

static void test_each_point_is_the_loudest_sample_of_its_time(void **state)
{
    (void)state;
    struct peaks peaks;
    struct aic_buf text;
    aic_buf_init(&text, TEXT);
    assert_int_equal(peaks_init(&peaks, stereo, RATE, 20), AIC_OK);
    add(&peaks, 100, 0, RATE / 20 - 1);
    add(&peaks, -32768, 0, 1);
    add(&peaks, 0, 16384, RATE / 20);
    add(&peaks, 0, -3277, 10); /* a point that is not full */
    peaks_write(&peaks, &text);
    assert_string_equal(text.data, "{\"rate\":20,\"channels\":2,\"duration_s\":0.10125,"
                                   "\"peaks\":[[1,0,0],[0,0.5,0.1]]}");
    peaks_finish(&peaks);
    aic_buf_finish(&text);
}

static void test_a_long_recording_has_coarser_points(void **state)
{
    (void)state;
    struct peaks peaks;
    struct aic_buf text;
    uint64_t frames = (uint64_t)RATE * 3600;
    aic_buf_init(&text, TEXT);
    assert_int_equal(peaks_init(&peaks, stereo, frames, 100), AIC_OK);
    add(&peaks, 1, 1, (size_t)frames);
    peaks_write(&peaks, &text);
    struct aic_json *root = aic_json_parse(aic_buf_view(&text), TEXT);
    assert_true(aic_json_get_double(root, "rate", 0) < 10.01);
    size_t points = aic_json_count(aic_json_at(aic_json_get(root, "peaks"), 1));
    assert_in_range(points, PEAKS_POINTS - 100, PEAKS_POINTS);
    assert_true(aic_json_get_double(root, "duration_s", 0) == 3600.0);
    aic_json_free(root);
    peaks_finish(&peaks);
    aic_buf_finish(&text);
}

static void test_nothing_is_no_points(void **state)
{
    (void)state;
    struct peaks peaks;
    struct aic_buf text;
    aic_buf_init(&text, TEXT);
    assert_int_equal(peaks_init(&peaks, stereo, 0, 20), AIC_OK);
    peaks_add(&peaks, (const uint8_t *)"abc", 3);
    peaks_write(&peaks, &text);
    assert_non_null(strstr(text.data, "\"peaks\":[[],[]]"));
    peaks_finish(&peaks);
    aic_buf_finish(&text);
}

static void test_other_formats_are_refused(void **state)
{
    (void)state;
    struct peaks peaks;
    struct aic_format format = stereo;
    format.channels = 3;
    assert_int_equal(peaks_init(&peaks, format, 1, 20), AIC_ERROR_UNSUPPORTED);
    peaks_finish(&peaks);
    format = stereo;
    format.codec = AIC_CODEC_MULAW;
    assert_int_equal(peaks_init(&peaks, format, 1, 20), AIC_ERROR_UNSUPPORTED);
    peaks_finish(&peaks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_point_is_the_loudest_sample_of_its_time),
        cmocka_unit_test(test_a_long_recording_has_coarser_points),
        cmocka_unit_test(test_nothing_is_no_points),
        cmocka_unit_test(test_other_formats_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
