/* SPDX-License-Identifier: ISC */
/* Transcripts and how far they are believed, the sound of a leg, the sound of a voice. */
#include "openai-core/recording.h"
#include "openai-core/sound.h"
#include "openai-core/transcript.h"

#include "wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Transcripts */

static void check_text(const char *body, const char *prompt, const char *text)
{
    struct openai_transcript transcript;
    assert_int_equal(openai_transcript_read(aic_str(body), aic_str(prompt), &transcript), AIC_OK);
    assert_string_equal(transcript.text.len > 0 ? transcript.text.data : "", text);
    openai_transcript_finish(&transcript);
}

static float certainty(const char *body)
{
    struct openai_transcript transcript;
    assert_int_equal(openai_transcript_read(aic_str(body), AIC_STR(""), &transcript), AIC_OK);
    openai_transcript_finish(&transcript);
    return transcript.confidence;
}

#define SEGMENT(text, end, logprob, silence, compression)                                          \
    "{\"start\":0,\"end\":" end ",\"text\":\" " text "\",\"avg_logprob\":" logprob                 \
    ",\"no_speech_prob\":" silence ",\"compression_ratio\":" compression "}"
#define VERBOSE(segments)                                                                          \
    "{\"task\":\"transcribe\",\"language\":\"english\",\"duration\":2.5,\"text\":\"whole\","       \
    "\"segments\":[" segments "]}"

static void test_the_plain_form_is_a_text_without_certainty(void **state)
{
    (void)state;
    check_text("{\"text\":\" On Tuesday. \\n\"}", "", "On Tuesday.");
    assert_true(certainty("{\"text\":\"On Tuesday.\"}") < 0);
    struct openai_transcript transcript;
    assert_int_equal(
        openai_transcript_read(AIC_STR("{\"text\":\"Oui.\",\"language\":\"fr\",\"x_groq\":{\"id\":"
                                       "\"req_5\"}}"),
                               AIC_STR(""), &transcript),
        AIC_OK);
    assert_string_equal(transcript.language, "fr");
    assert_string_equal(transcript.id, "req_5");
    openai_transcript_finish(&transcript);
}

static void test_certainty_is_weighed_over_the_segments(void **state)
{
    (void)state;
    static const char body[] = VERBOSE(SEGMENT("On", "1", "-0.1", "0.01", "1.0") "," SEGMENT(
        "Tuesday.", "3", "-0.5", "0.01", "1.1"));
    check_text(body, "", "On Tuesday.");
    float confidence = certainty(body);
    assert_true(confidence > 0.669F && confidence < 0.671F); /* exp(-0.4) */
    assert_true(certainty(VERBOSE(SEGMENT("x", "0", "0.5", "0", "1"))) <= 1.0F);
}

static void test_what_was_made_up_in_silence_is_left_out(void **state)
{
    (void)state;
    static const char thanks[] =
        VERBOSE(SEGMENT("Thank you for watching!", "2", "-1.2", "0.92", "0.9"));
    check_text(thanks, "", "");
    assert_true(certainty(thanks) < 0);
    /* Either sign alone is not enough: people do mumble. */
    check_text(VERBOSE(SEGMENT("Tuesday", "2", "-1.2", "0.3", "0.9")), "", "Tuesday");
    check_text(VERBOSE(SEGMENT("Tuesday", "2", "-0.3", "0.92", "0.9")), "", "Tuesday");
    check_text(VERBOSE(SEGMENT("Tuesday", "1", "-0.3", "0.1", "0.9") "," SEGMENT("you", "2", "-1.5",
                                                                                 "0.99", "0.5")),
               "", "Tuesday");
}

static void test_text_in_circles_is_not_believed(void **state)
{
    (void)state;
    assert_true(certainty(VERBOSE(SEGMENT("no no no no", "2", "-0.05", "0.1", "9.5"))) < 0.2F);
}

static void test_a_prompt_that_comes_back_is_not_speech(void **state)
{
    (void)state;
    check_text("{\"text\":\"Example Clinic, cardiology\"}", "Example Clinic, cardiology", "");
    check_text("{\"text\":\"cardiology\"}", "Example Clinic, cardiology", "cardiology");
    check_text("{\"text\":\"\"}", "", "");
}

static void test_other_answers_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "", "{}", "[]", "hello", "{\"text\":5}", "<html>", "{\"text\":\"cut"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct openai_transcript transcript;
        assert_int_equal(openai_transcript_read(aic_str(bad[i]), AIC_STR(""), &transcript),
                         AIC_ERROR_PROTOCOL);
        openai_transcript_finish(&transcript);
    }
}

/* Recordings; a sample's value is its number. */

static const struct aic_format narrow = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 8000, .channels = 1};

static int32_t record(struct openai_recording *recording, int64_t time_us, int16_t first,
                      size_t count)
{
    int16_t samples[1600];
    for (size_t i = 0; i < count; i++) {
        samples[i] = (int16_t)(first + (int16_t)i);
    }
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = narrow,
                              .data = (const uint8_t *)samples,
                              .bytes = count * 2,
                              .time_us = time_us};
    return openai_recording_push(recording, &audio);
}

static void assert_view(const struct openai_recording *recording, int64_t from_us, int64_t to_us,
                        int16_t first, size_t count)
{
    struct aic_str view = openai_recording_view(recording, from_us, to_us);
    assert_int_equal(view.len, count * 2);
    int16_t sample = -1;
    if (count > 0) {
        memcpy(&sample, view.ptr, sizeof(sample));
        assert_int_equal(sample, first);
    }
}

static void test_an_utterance_is_cut_out_by_media_time(void **state)
{
    (void)state;
    struct openai_recording recording;
    openai_recording_init(&recording, narrow, 1000000);
    assert_int_equal(record(&recording, 0, 0, 800), AIC_OK);
    assert_int_equal(record(&recording, 100000, 800, 800), AIC_OK);
    assert_view(&recording, 0, 200000, 0, 1600);
    assert_view(&recording, 50000, 150000, 400, 800);
    assert_view(&recording, -1000000, 10000, 0, 80);
    assert_view(&recording, 190000, 900000, 1520, 80);
    assert_view(&recording, 150000, 100000, 0, 0);
    openai_recording_forget(&recording, 100000);
    assert_view(&recording, 0, 200000, 800, 800);
    /* A block without a time follows the one before; a gap moves what lies behind it. */
    assert_int_equal(record(&recording, -1, 1600, 80), AIC_OK);
    assert_int_equal(recording.end_us, 210000);
    assert_int_equal(record(&recording, 500000, 0, 80), AIC_OK);
    assert_view(&recording, 500000, 510000, 0, 80);
    openai_recording_finish(&recording);
}

static void test_a_recording_has_a_bound_and_forgets(void **state)
{
    (void)state;
    struct openai_recording recording;
    openai_recording_init(&recording, narrow, 1000000);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(record(&recording, -1, 0, 1600), AIC_OK);
    }
    assert_int_equal(record(&recording, -1, 0, 1), AIC_ERROR_TOO_LARGE);
    assert_int_equal(recording.end_us, 1000000);
    openai_recording_age(&recording, 900000);
    assert_int_equal(recording.sound.len, 16000);
    openai_recording_age(&recording, 400000);
    assert_int_equal(openai_recording_us(&recording, recording.sound.len), 400000);
    openai_recording_finish(&recording);
}

/* The voice. */

struct played {
    struct aic_buf sound;
    bool is_whole; /* samples only */
};

static void play(void *data, struct aic_str samples)
{
    struct played *played = data;
    played->is_whole = played->is_whole && samples.len % 2 == 0 && samples.len > 0;
    aic_buf_str(&played->sound, samples);
}

static const struct aic_format wide = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1};

/* Plays a body in pieces; returns the status, and what was played. */
static int32_t play_body(struct aic_str body, size_t step, struct played *played, char *problem)
{
    struct openai_sound sound;
    int32_t status = AIC_OK;
    openai_sound_init(&sound, wide);
    *played = (struct played){.is_whole = true};
    aic_buf_init(&played->sound, 1 << 20);
    for (size_t at = 0; at < body.len && status == AIC_OK; at += step) {
        size_t part = body.len - at < step ? body.len - at : step;
        status = openai_sound_push(&sound, (struct aic_str){body.ptr + at, part}, play, played);
    }
    if (status == AIC_OK) {
        status = openai_sound_end(&sound, play, played);
    }
    (void)aic_str_copy(aic_str(sound.problem), problem, 200);
    openai_sound_finish(&sound);
    return status;
}

static void check_sound(struct aic_str body, struct aic_str want)
{
    static const size_t steps[] = {1, 2, 3, 7, 45, 5000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct played played;
        char problem[200];
        assert_int_equal(play_body(body, steps[i], &played, problem), AIC_OK);
        assert_true(played.is_whole);
        assert_int_equal(played.sound.len, want.len);
        assert_memory_equal(played.sound.data ? played.sound.data : "", want.ptr, want.len);
        aic_buf_finish(&played.sound);
    }
}

static void check_problem(struct aic_str body, const char *want)
{
    struct played played;
    char problem[200];
    assert_int_equal(play_body(body, 100, &played, problem), AIC_ERROR_UNSUPPORTED);
    assert_int_equal(played.sound.len, 0);
    assert_non_null(strstr(problem, want));
    aic_buf_finish(&played.sound);
}

static void test_raw_sound_is_played_in_whole_samples(void **state)
{
    (void)state;
    check_sound((struct aic_str){"\x01\x02\x03\x04\x05\x06", 6},
                (struct aic_str){"\x01\x02\x03\x04\x05\x06", 6});
    check_sound((struct aic_str){"\xff\xfb\xff\xfb\xff", 5},
                (struct aic_str){"\xff\xfb\xff\xfb", 4});
    check_sound((struct aic_str){"\x01\x02", 2}, (struct aic_str){"\x01\x02", 2});
    check_sound((struct aic_str){"R", 1}, (struct aic_str){"", 0});
    check_sound((struct aic_str){"", 0}, (struct aic_str){"", 0});
}

static void add_wav(struct aic_buf *to, struct aic_format format, uint64_t bytes, const char *tail)
{
    uint8_t head[AIC_WAV_HEADER_MAX];
    aic_buf_init(to, 10000);
    aic_buf_add(to, head, aic_wav_header(head, format, bytes));
    aic_buf_text(to, tail);
}

static void test_the_header_of_a_wav_file_is_not_heard(void **state)
{
    (void)state;
    struct aic_buf body;
    add_wav(&body, wide, AIC_WAV_UNKNOWN, "abcdef");
    check_sound(aic_buf_view(&body), AIC_STR("abcdef"));
    aic_buf_finish(&body);
    /* Nor is what stands behind the sound. */
    add_wav(&body, wide, 6, "abcdefLIST\4");
    check_sound(aic_buf_view(&body), AIC_STR("abcdef"));
    aic_buf_finish(&body);
}

static void test_sound_of_another_kind_is_refused_with_advice(void **state)
{
    (void)state;
    struct aic_format format = wide;
    struct aic_buf body;
    format.rate_hz = 22050;
    add_wav(&body, format, 6, "abcdef");
    check_problem(aic_buf_view(&body), "set sample_rate = 22050");
    aic_buf_finish(&body);
    format = wide;
    format.channels = 2;
    add_wav(&body, format, 8, "abcdefgh");
    check_problem(aic_buf_view(&body), "a WAV file of another kind");
    aic_buf_finish(&body);
    format = (struct aic_format){.codec = AIC_CODEC_MULAW, .rate_hz = 24000, .channels = 1};
    add_wav(&body, format, 6, "abcdef");
    check_problem(aic_buf_view(&body), "another kind");
    aic_buf_finish(&body);
    check_problem(AIC_STR("ID3\4tag"), "compressed sound");
    check_problem(AIC_STR("OggSxxxx"), "tts_format");
    check_problem(AIC_STR("RIFF\4\1\1\1WA"), "WAV file");
    aic_buf_init(&body, 10000);
    aic_buf_str(&body, (struct aic_str){"RIFF\xff\xff\xff\x7fWAVEjunk\xff\xff\0\0", 20});
    while (body.len < 6000) {
        aic_buf_text(&body, "junk");
    }
    check_problem(aic_buf_view(&body), "a broken WAV file");
    aic_buf_finish(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_plain_form_is_a_text_without_certainty),
        cmocka_unit_test(test_certainty_is_weighed_over_the_segments),
        cmocka_unit_test(test_what_was_made_up_in_silence_is_left_out),
        cmocka_unit_test(test_text_in_circles_is_not_believed),
        cmocka_unit_test(test_a_prompt_that_comes_back_is_not_speech),
        cmocka_unit_test(test_other_answers_are_refused),
        cmocka_unit_test(test_an_utterance_is_cut_out_by_media_time),
        cmocka_unit_test(test_a_recording_has_a_bound_and_forgets),
        cmocka_unit_test(test_raw_sound_is_played_in_whole_samples),
        cmocka_unit_test(test_the_header_of_a_wav_file_is_not_heard),
        cmocka_unit_test(test_sound_of_another_kind_is_refused_with_advice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
