/* SPDX-License-Identifier: ISC */
#include "g711.h"
#include "sphinx/frontend.h"
#include "sphinx/ring.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct aic_format pcm_8k = {AIC_CODEC_PCM_S16LE, 8000, 1, 0};
static const struct aic_format pcm_16k = {AIC_CODEC_PCM_S16LE, 16000, 1, 0};
static const struct aic_format mulaw_8k = {AIC_CODEC_MULAW, 8000, 1, 0};

enum { SECONDS = 3, MAX_SAMPLES = 16000 * SECONDS + 1000 };

struct output {
    int16_t samples[MAX_SAMPLES];
    size_t count;
};

static int32_t take(void *data, const int16_t *samples, size_t count)
{
    struct output *out = data;
    assert_true(out->count + count <= MAX_SAMPLES);
    memcpy(out->samples + out->count, samples, count * sizeof(*samples));
    out->count += count;
    return AIC_OK;
}

/* 0.5 s of silence, then a tone, in blocks of odd sizes. */
static void run(struct sphinx_frontend *frontend, struct aic_format format, double amplitude,
                size_t block, struct output *out)
{
    size_t total = (size_t)format.rate_hz * SECONDS;
    int16_t *sound = calloc(total, sizeof(*sound));
    uint8_t *coded = calloc(total, 2);
    size_t unit = format.codec == AIC_CODEC_MULAW ? 1 : 2;
    for (size_t i = format.rate_hz / 2; i < total; i++) {
        sound[i] = (int16_t)(amplitude * sin(0.3 * (double)i));
    }
    if (unit == 1) {
        aic_mulaw_encode(coded, sound, total);
    } else {
        memcpy(coded, sound, total * 2);
    }
    out->count = 0;
    sphinx_frontend_begin(frontend);
    for (size_t at = 0; at < total; at += block) {
        size_t count = total - at < block ? total - at : block;
        assert_int_equal(sphinx_frontend_push(frontend, coded + at * unit, count * unit, take, out),
                         AIC_OK);
    }
    assert_int_equal(sphinx_frontend_end(frontend, take, out), AIC_OK);
    free(sound);
    free(coded);
}

static double rms(const struct output *out, size_t from, size_t to)
{
    double energy = 0;
    for (size_t i = from; i < to; i++) {
        energy += (double)out->samples[i] * out->samples[i];
    }
    return sqrt(energy / (double)(to - from));
}

static void test_loud_and_quiet_callers_come_out_alike(void **state)
{
    (void)state;
    static struct output out;
    static const double amplitudes[] = {500, 4000, 30000};
    for (size_t i = 0; i < 3; i++) {
        struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_8k);
        run(frontend, pcm_8k, amplitudes[i], 160, &out);
        assert_true(fabs(rms(&out, 24000, 40000) - 8231) < 250);
        sphinx_frontend_destroy(frontend);
    }
}

static void test_a_faint_noise_lies_under_silence(void **state)
{
    (void)state;
    static struct output out;
    struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_16k);
    run(frontend, pcm_16k, 3000, 320, &out);
    double level = rms(&out, 1000, 7000);
    assert_true(level > 15 && level < 20);
    sphinx_frontend_destroy(frontend);
}

/* How strong a frequency is in a second of sound, as an amplitude. */
static double amplitude_at(const int16_t *samples, double hz)
{
    double real = 0;
    double imaginary = 0;
    for (int i = 0; i < 16000; i++) {
        double angle = 2 * acos(-1.0) * hz * i / 16000;
        real += samples[i] * cos(angle);
        imaginary += samples[i] * sin(angle);
    }
    return hypot(real, imaginary) / 8000;
}

/* The share of a tone of `hz` on the telephone that is found at 8000 - hz. */
static double mirrored_share(double hz)
{
    static struct output out;
    static int16_t tone[8000 * 2];
    struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_8k);
    for (int i = 0; i < 8000 * 2; i++) {
        tone[i] = (int16_t)(3000 * sin(2 * acos(-1.0) * hz * i / 8000));
    }
    out.count = 0;
    sphinx_frontend_begin(frontend);
    assert_int_equal(
        sphinx_frontend_push(frontend, (const uint8_t *)tone, sizeof(tone), take, &out), AIC_OK);
    assert_int_equal(sphinx_frontend_end(frontend, take, &out), AIC_OK);
    sphinx_frontend_destroy(frontend);
    return amplitude_at(out.samples + 12000, 8000 - hz) / amplitude_at(out.samples + 12000, hz);
}

static void test_hissing_sounds_reach_beyond_the_telephone_s_band_and_vowels_do_not(void **state)
{
    (void)state;
    assert_true(mirrored_share(3200) > 0.8);
    assert_true(mirrored_share(2000) > mirrored_share(1000));
    assert_true(mirrored_share(500) < 0.1);
}

static void test_every_format_becomes_16_khz_without_loss(void **state)
{
    (void)state;
    static struct output out;
    static const struct aic_format *const formats[] = {&pcm_8k, &mulaw_8k, &pcm_16k};
    for (size_t i = 0; i < 3; i++) {
        struct sphinx_frontend *frontend = sphinx_frontend_create(*formats[i]);
        run(frontend, *formats[i], 3000, 160, &out);
        assert_true(llabs((long long)out.count - 16000 * SECONDS) < 200);
        sphinx_frontend_destroy(frontend);
    }
}

static void test_the_size_of_blocks_does_not_matter(void **state)
{
    (void)state;
    static struct output a;
    static struct output b;
    struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_8k);
    run(frontend, pcm_8k, 3000, 160, &a);
    sphinx_frontend_destroy(frontend);
    frontend = sphinx_frontend_create(pcm_8k);
    run(frontend, pcm_8k, 3000, 8000, &b);
    assert_int_equal(a.count, b.count);
    assert_memory_equal(a.samples, b.samples, a.count * sizeof(a.samples[0]));
    sphinx_frontend_destroy(frontend);
}

static void test_odd_blocks_and_short_utterances_are_fine(void **state)
{
    (void)state;
    static struct output out;
    struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_8k);
    run(frontend, pcm_8k, 3000, 37, &out);
    assert_true(llabs((long long)out.count - 16000 * SECONDS) < 200);
    uint8_t few[64] = {0};
    out.count = 0;
    sphinx_frontend_begin(frontend);
    assert_int_equal(sphinx_frontend_push(frontend, few, 64, take, &out), AIC_OK);
    assert_int_equal(out.count, 0);
    assert_int_equal(sphinx_frontend_end(frontend, take, &out), AIC_OK);
    assert_in_range(out.count, 32, 200);
    out.count = 0;
    sphinx_frontend_begin(frontend);
    assert_int_equal(sphinx_frontend_end(frontend, take, &out), AIC_OK);
    assert_in_range(out.count, 0, 200);
    sphinx_frontend_destroy(frontend);
    sphinx_frontend_destroy(NULL);
}

static int32_t refuse(void *data, const int16_t *samples, size_t count)
{
    (void)data;
    (void)samples;
    (void)count;
    return AIC_ERROR_INTERNAL;
}

static void test_a_failure_of_the_taker_comes_back(void **state)
{
    (void)state;
    struct sphinx_frontend *frontend = sphinx_frontend_create(pcm_8k);
    uint8_t *sound = calloc(1, 32000);
    assert_int_equal(sphinx_frontend_push(frontend, sound, 32000, refuse, NULL),
                     AIC_ERROR_INTERNAL);
    free(sound);
    sphinx_frontend_destroy(frontend);
}

static void push_numbers(struct sphinx_ring *ring, uint8_t from, uint8_t to, int64_t time_us)
{
    uint8_t block[256];
    for (int i = from; i < to; i++) {
        block[i - from] = (uint8_t)i;
    }
    sphinx_ring_push(ring, block, (size_t)(to - from), time_us);
}

static void test_the_ring_gives_back_what_was_last(void **state)
{
    (void)state;
    struct sphinx_ring ring;
    uint8_t back[100];
    assert_true(sphinx_ring_init(&ring, mulaw_8k, 10000)); /* 80 samples */
    assert_int_equal(sphinx_ring_since(&ring, 0), 0);
    push_numbers(&ring, 0, 60, 0);
    assert_int_equal(sphinx_ring_since(&ring, 2500), 40);
    push_numbers(&ring, 60, 100, -1);
    assert_int_equal(ring.end_us, 12500);
    assert_int_equal(sphinx_ring_since(&ring, 0), 80);
    assert_int_equal(sphinx_ring_since(&ring, 10000), 20);
    assert_int_equal(sphinx_ring_since(&ring, 99999), 0);
    sphinx_ring_copy(&ring, 80, back);
    assert_int_equal(back[0], 20);
    assert_int_equal(back[79], 99);
    push_numbers(&ring, 0, 200, -1); /* more than it holds */
    sphinx_ring_copy(&ring, 80, back);
    assert_int_equal(back[0], 120);
    assert_int_equal(back[79], 199);
    sphinx_ring_finish(&ring);
}

static void test_the_ring_follows_the_host_s_clock(void **state)
{
    (void)state;
    struct sphinx_ring ring;
    uint8_t block[320] = {0};
    assert_true(sphinx_ring_init(&ring, pcm_16k, 1000000));
    sphinx_ring_push(&ring, block, sizeof(block), 0);
    assert_int_equal(ring.end_us, 10000);
    sphinx_ring_push(&ring, block, sizeof(block), 5000000);
    assert_int_equal(ring.end_us, 5010000);
    assert_int_equal(sphinx_ring_since(&ring, 5005000), 160);
    assert_int_equal(sphinx_ring_since(&ring, 0), 640);
    sphinx_ring_finish(&ring);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loud_and_quiet_callers_come_out_alike),
        cmocka_unit_test(test_a_faint_noise_lies_under_silence),
        cmocka_unit_test(test_hissing_sounds_reach_beyond_the_telephone_s_band_and_vowels_do_not),
        cmocka_unit_test(test_every_format_becomes_16_khz_without_loss),
        cmocka_unit_test(test_the_size_of_blocks_does_not_matter),
        cmocka_unit_test(test_odd_blocks_and_short_utterances_are_fine),
        cmocka_unit_test(test_a_failure_of_the_taker_comes_back),
        cmocka_unit_test(test_the_ring_gives_back_what_was_last),
        cmocka_unit_test(test_the_ring_follows_the_host_s_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
