/* SPDX-License-Identifier: ISC */
#include "base/audio.h"

#include "g711.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PI 3.14159265358979323846

static struct aic_format format_of(uint32_t codec, uint32_t rate_hz)
{
    return (struct aic_format){.codec = codec, .rate_hz = rate_hz, .channels = 1};
}

static struct aic_format pcm(uint32_t rate_hz)
{
    return format_of(AIC_CODEC_PCM_S16LE, rate_hz);
}

/* A sound as bytes of 16 bit PCM. */
struct sound {
    uint8_t *data;
    size_t bytes;
};

static double sine_at(double hz, uint32_t rate_hz, size_t index)
{
    return 8000 * sin(2 * PI * hz * (double)index / rate_hz);
}

static struct sound sine(double hz, uint32_t rate_hz, size_t samples)
{
    struct sound sound = {malloc(samples * 2 + 1), samples * 2};
    assert_non_null(sound.data);
    for (size_t i = 0; i < samples; i++) {
        int16_t sample = (int16_t)lrint(sine_at(hz, rate_hz, i));
        sound.data[2 * i] = (uint8_t)((uint16_t)sample & 0xFF);
        sound.data[2 * i + 1] = (uint8_t)((uint16_t)sample >> 8);
    }
    return sound;
}

static int16_t sample_of(struct sound sound, size_t index)
{
    return (int16_t)(sound.data[2 * index] | sound.data[2 * index + 1] << 8);
}

/* Passes a sound through in blocks of `block` bytes, with a flush at its end. */
static struct sound pass(struct audio_converter *converter, struct sound in, size_t block)
{
    struct sound out = {malloc(in.bytes * 8 + 64), 0};
    assert_non_null(out.data);
    for (size_t at = 0; at < in.bytes; at += block) {
        size_t bytes = in.bytes - at < block ? in.bytes - at : block;
        const uint8_t *made = NULL;
        size_t made_bytes = 0;
        bool is_last = at + bytes == in.bytes;
        assert_int_equal(audio_convert(converter, in.data + at, bytes, is_last, &made, &made_bytes),
                         AIC_OK);
        assert_true(out.bytes + made_bytes <= in.bytes * 8 + 64);
        memcpy(out.data + out.bytes, made, made_bytes);
        out.bytes += made_bytes;
    }
    return out;
}

static struct sound converted(struct aic_format from, struct aic_format to, struct sound in,
                              size_t block)
{
    struct audio_converter *converter = audio_converter_create(from, to);
    assert_non_null(converter);
    struct sound out = pass(converter, in, block);
    audio_converter_destroy(converter);
    return out;
}

/* The largest distance to the true sine, leaving out 10 ms at both ends. */
static double largest_error(struct sound sound, double hz, uint32_t rate_hz)
{
    double largest = 0;
    size_t edge = rate_hz / 100;
    for (size_t i = edge; i + edge < sound.bytes / 2; i++) {
        double error = fabs(sample_of(sound, i) - sine_at(hz, rate_hz, i));
        largest = error > largest ? error : largest;
    }
    return largest;
}

static void test_a_sine_keeps_its_level_and_its_place_up_and_down(void **state)
{
    (void)state;
    struct sound in = sine(440, 8000, 8000);
    struct sound up = converted(pcm(8000), pcm(16000), in, 320);
    assert_int_equal(up.bytes, in.bytes * 2);
    struct sound down = converted(pcm(16000), pcm(8000), up, 640);
    assert_int_equal(down.bytes, in.bytes);

    double before = audio_level_dbfs(pcm(8000), in.data, in.bytes);
    double after = audio_level_dbfs(pcm(8000), down.data, down.bytes);
    assert_true(fabs(before - after) < 0.5);
    /* A seam or a shift by one sample of 8 kHz would be more than 2000 of the 8000. */
    assert_true(largest_error(up, 440, 16000) < 80);
    assert_true(largest_error(down, 440, 8000) < 80);
    free(in.data);
    free(up.data);
    free(down.data);
}

static void test_the_length_of_a_block_makes_no_difference(void **state)
{
    (void)state;
    struct sound in = sine(1000, 8000, 4001);
    struct sound whole = converted(pcm(8000), pcm(16000), in, in.bytes);
    static const size_t blocks[] = {1, 2, 3, 7, 320, 641, 3999};
    for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
        struct sound parts = converted(pcm(8000), pcm(16000), in, blocks[i]);
        assert_int_equal(parts.bytes, whole.bytes);
        assert_memory_equal(parts.data, whole.data, whole.bytes);
        free(parts.data);
    }
    free(whole.data);
    free(in.data);
}

static void test_every_pair_of_rates_keeps_duration_and_tone(void **state)
{
    (void)state;
    static const uint32_t rates[] = {8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000};
    for (size_t i = 0; i < 8; i++) {
        for (size_t j = 0; j < 8; j++) {
            struct sound in = sine(440, rates[i], rates[i] / 2);
            struct sound out = converted(pcm(rates[i]), pcm(rates[j]), in, 321);
            double exact = (double)(rates[i] / 2) * rates[j] / rates[i];
            assert_true(fabs((double)out.bytes / 2 - exact) <= 1);
            assert_true(largest_error(out, 440, rates[j]) < 80);
            free(in.data);
            free(out.data);
        }
    }
}

static void test_what_would_fold_back_is_filtered_out(void **state)
{
    (void)state;
    struct sound in = sine(6000, 16000, 16000);
    struct sound out = converted(pcm(16000), pcm(8000), in, 640);
    double before = audio_level_dbfs(pcm(16000), in.data, in.bytes);
    double after = audio_level_dbfs(pcm(8000), out.data + 400, out.bytes - 800);
    assert_true(before - after > 50);
    free(in.data);
    free(out.data);
}

static void test_speech_band_edges_pass_nearly_whole(void **state)
{
    (void)state;
    static const double tones[] = {300, 2000, 3400};
    for (size_t i = 0; i < 3; i++) {
        struct sound in = sine(tones[i], 8000, 8000);
        struct sound up = converted(pcm(8000), pcm(16000), in, 320);
        struct sound down = converted(pcm(16000), pcm(8000), up, 640);
        double before = audio_level_dbfs(pcm(8000), in.data, in.bytes);
        double after = audio_level_dbfs(pcm(8000), down.data, down.bytes);
        assert_true(fabs(before - after) < 0.5);
        free(in.data);
        free(up.data);
        free(down.data);
    }
}

static void test_a_flushed_converter_starts_anew(void **state)
{
    (void)state;
    struct sound in = sine(440, 8000, 1600);
    struct audio_converter *converter = audio_converter_create(pcm(8000), pcm(24000));
    assert_non_null(converter);
    struct sound first = pass(converter, in, 320);
    struct sound second = pass(converter, in, 320);
    assert_int_equal(first.bytes, second.bytes);
    assert_memory_equal(first.data, second.data, first.bytes);
    const uint8_t *made = NULL;
    size_t bytes = 7;
    assert_int_equal(audio_convert(converter, NULL, 0, true, &made, &bytes), AIC_OK);
    assert_int_equal(bytes, 0);
    audio_converter_destroy(converter);
    free(first.data);
    free(second.data);
    free(in.data);
}

static void test_only_the_delay_of_the_filter_waits_for_the_flush(void **state)
{
    (void)state;
    struct sound in = sine(440, 8000, 160);
    struct audio_converter *converter = audio_converter_create(pcm(8000), pcm(16000));
    const uint8_t *made = NULL;
    size_t bytes = 0;
    assert_int_equal(audio_convert(converter, in.data, in.bytes, false, &made, &bytes), AIC_OK);
    int64_t late_us = 20000 - audio_duration_us(pcm(16000), bytes);
    assert_in_range(late_us, 0, 6000);
    audio_converter_destroy(converter);
    free(in.data);
}

static void test_equal_formats_pass_the_same_bytes(void **state)
{
    (void)state;
    struct aic_format wire = format_of(AIC_CODEC_MULAW, 8000);
    struct aic_format framed = wire;
    framed.frame_bytes = 160;
    uint8_t data[161];
    const uint8_t *made = NULL;
    size_t bytes = 0;
    struct audio_converter *converter = audio_converter_create(wire, framed);
    assert_non_null(converter);
    assert_int_equal(audio_convert(converter, data, 161, true, &made, &bytes), AIC_OK);
    assert_ptr_equal(made, data);
    assert_int_equal(bytes, 161);
    audio_converter_destroy(converter);

    struct aic_format opus = format_of(AIC_CODEC_OPUS, 48000);
    converter = audio_converter_create(opus, opus);
    assert_non_null(converter);
    assert_int_equal(audio_convert(converter, data, 5, false, &made, &bytes), AIC_OK);
    assert_ptr_equal(made, data);
    audio_converter_destroy(converter);
}

static void test_companded_sound_is_decoded_and_encoded(void **state)
{
    (void)state;
    uint8_t codes[256];
    for (int i = 0; i < 256; i++) {
        codes[i] = (uint8_t)i;
    }
    struct sound in = {codes, sizeof(codes)};
    struct aic_format mulaw = format_of(AIC_CODEC_MULAW, 8000);
    struct sound linear = converted(mulaw, pcm(8000), in, 100);
    assert_int_equal(linear.bytes, 512);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(sample_of(linear, i), aic_mulaw_to_linear((uint8_t)i));
    }
    struct sound alaw = converted(mulaw, format_of(AIC_CODEC_ALAW, 8000), in, 256);
    struct sound back = converted(pcm(8000), mulaw, linear, 33);
    for (size_t i = 0; i < 256; i++) {
        assert_int_equal(alaw.data[i], aic_alaw_from_linear(aic_mulaw_to_linear((uint8_t)i)));
        /* 0x7F is a second zero. */
        assert_int_equal(back.data[i], i == 0x7F ? 0xFF : i);
    }
    free(linear.data);
    free(alaw.data);
    free(back.data);
}

static void test_mulaw_becomes_wide_band_and_returns(void **state)
{
    (void)state;
    struct sound in = sine(440, 8000, 8000);
    struct aic_format mulaw = format_of(AIC_CODEC_MULAW, 8000);
    struct sound wire = converted(pcm(8000), mulaw, in, 320);
    struct sound wide = converted(mulaw, pcm(16000), wire, 160);
    struct sound back = converted(pcm(16000), mulaw, wide, 640);
    assert_int_equal(wide.bytes, 32000);
    assert_int_equal(back.bytes, 8000);
    double before = audio_level_dbfs(mulaw, wire.data, wire.bytes);
    double after = audio_level_dbfs(mulaw, back.data, back.bytes);
    assert_true(fabs(before - after) < 0.5);
    free(in.data);
    free(wire.data);
    free(wide.data);
    free(back.data);
}

static void test_what_can_not_be_converted_is_refused(void **state)
{
    (void)state;
    struct aic_format good = pcm(8000);
    struct aic_format stereo = pcm(16000);
    stereo.channels = 2;
    assert_null(audio_converter_create(good, stereo));
    assert_null(audio_converter_create(stereo, good));
    assert_null(audio_converter_create(good, pcm(7999)));
    assert_null(audio_converter_create(good, pcm(48001)));
    assert_null(audio_converter_create(pcm(0), good));
    assert_null(audio_converter_create(good, format_of(AIC_CODEC_MP3, 8000)));
    assert_null(audio_converter_create(format_of(AIC_CODEC_PCM_F32LE, 8000), good));
    assert_null(audio_converter_create((struct aic_format){.codec = 0}, (struct aic_format){0}));
    audio_converter_destroy(NULL);
}

static void test_a_block_beyond_all_measure_is_refused(void **state)
{
    (void)state;
    struct audio_converter *converter = audio_converter_create(pcm(8000), pcm(16000));
    const uint8_t *made = NULL;
    size_t bytes = 0;
    uint8_t data[2] = {0, 0};
    assert_int_equal(audio_convert(converter, data, SIZE_MAX, false, &made, &bytes),
                     AIC_ERROR_TOO_LARGE);
    assert_int_equal(bytes, 0);
    assert_int_equal(audio_convert(converter, data, 2, false, &made, &bytes), AIC_OK);
    audio_converter_destroy(converter);
}

static void test_bytes_and_durations_agree(void **state)
{
    (void)state;
    struct aic_format mulaw = format_of(AIC_CODEC_MULAW, 8000);
    struct aic_format stereo = pcm(44100);
    stereo.channels = 2;
    assert_int_equal(audio_sample_bytes(mulaw), 1);
    assert_int_equal(audio_sample_bytes(stereo), 4);
    assert_int_equal(audio_sample_bytes(format_of(AIC_CODEC_PCM_F32LE, 8000)), 4);
    assert_int_equal(audio_sample_bytes(format_of(AIC_CODEC_OPUS, 48000)), 0);
    assert_int_equal(audio_duration_us(mulaw, 160), 20000);
    assert_int_equal(audio_duration_us(stereo, 44100 * 4), 1000000);
    assert_int_equal(audio_duration_us(stereo, 7), 22);
    assert_int_equal(audio_duration_us(format_of(AIC_CODEC_MP3, 8000), 160), 0);
    assert_int_equal(audio_duration_us(pcm(0), 160), 0);
    assert_int_equal(audio_bytes_for_us(mulaw, 20000), 160);
    assert_int_equal(audio_bytes_for_us(pcm(16000), 20000), 640);
    assert_int_equal(audio_bytes_for_us(pcm(16000), 62), 0);
    assert_int_equal(audio_bytes_for_us(pcm(16000), -5), 0);
    /* A year of sound is no overflow. */
    assert_int_equal(audio_bytes_for_us(pcm(48000), INT64_C(31536000000000)),
                     UINT64_C(3027456000000));
    assert_int_equal(audio_duration_us(pcm(48000), (size_t)UINT64_C(3027456000000)),
                     INT64_C(31536000000000));
}

static void test_silence_is_silent_in_each_codec(void **state)
{
    (void)state;
    static const uint32_t codecs[] = {AIC_CODEC_PCM_S16LE, AIC_CODEC_PCM_F32LE, AIC_CODEC_MULAW,
                                      AIC_CODEC_ALAW};
    static const uint8_t values[] = {0, 0, 0xFF, 0xD5};
    for (size_t i = 0; i < 4; i++) {
        uint8_t data[160];
        struct aic_format format = format_of(codecs[i], 8000);
        audio_silence(format, data, sizeof(data));
        assert_int_equal(data[0], values[i]);
        assert_int_equal(data[159], values[i]);
        assert_true(audio_level_dbfs(format, data, sizeof(data)) == -100);
    }
    assert_true(audio_level_dbfs(pcm(8000), NULL, 0) == -100);
}

static void test_levels_are_those_of_the_wave_without_its_mean(void **state)
{
    (void)state;
    struct sound in = sine(500, 8000, 8000);
    double expected = 20 * log10(8000 / 32768.0) - 10 * log10(2);
    assert_true(fabs(audio_level_dbfs(pcm(8000), in.data, in.bytes) - expected) < 0.01);
    for (size_t i = 0; i < in.bytes / 2; i++) {
        int16_t sample = (int16_t)(sample_of(in, i) + 5000);
        in.data[2 * i] = (uint8_t)((uint16_t)sample & 0xFF);
        in.data[2 * i + 1] = (uint8_t)((uint16_t)sample >> 8);
    }
    assert_true(fabs(audio_level_dbfs(pcm(8000), in.data, in.bytes) - expected) < 0.01);
    free(in.data);

    float wave[4] = {0.5f, -0.5f, 0.5f, -0.5f};
    assert_true(
        fabs(audio_level_dbfs(format_of(AIC_CODEC_PCM_F32LE, 8000), (uint8_t *)wave, sizeof(wave)) -
             20 * log10(0.5)) < 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_sine_keeps_its_level_and_its_place_up_and_down),
        cmocka_unit_test(test_the_length_of_a_block_makes_no_difference),
        cmocka_unit_test(test_every_pair_of_rates_keeps_duration_and_tone),
        cmocka_unit_test(test_what_would_fold_back_is_filtered_out),
        cmocka_unit_test(test_speech_band_edges_pass_nearly_whole),
        cmocka_unit_test(test_a_flushed_converter_starts_anew),
        cmocka_unit_test(test_only_the_delay_of_the_filter_waits_for_the_flush),
        cmocka_unit_test(test_equal_formats_pass_the_same_bytes),
        cmocka_unit_test(test_companded_sound_is_decoded_and_encoded),
        cmocka_unit_test(test_mulaw_becomes_wide_band_and_returns),
        cmocka_unit_test(test_what_can_not_be_converted_is_refused),
        cmocka_unit_test(test_a_block_beyond_all_measure_is_refused),
        cmocka_unit_test(test_bytes_and_durations_agree),
        cmocka_unit_test(test_silence_is_silent_in_each_codec),
        cmocka_unit_test(test_levels_are_those_of_the_wave_without_its_mean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
