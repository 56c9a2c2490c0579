/* SPDX-License-Identifier: ISC */
#include "wav.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* A file in the making. */
struct file {
    char bytes[4096];
    size_t length;
};

static void put(struct file *file, const void *bytes, size_t count)
{
    memcpy(file->bytes + file->length, bytes, count);
    file->length += count;
}

static void put_number(struct file *file, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        file->bytes[file->length++] = (char)(value >> (8 * i));
    }
}

static void put_chunk(struct file *file, const char *id, uint32_t size)
{
    put(file, id, 4);
    put_number(file, size, 4);
}

static void begin(struct file *file, uint32_t riff_size)
{
    file->length = 0;
    put_chunk(file, "RIFF", riff_size);
    put(file, "WAVE", 4);
}

struct kind {
    uint32_t tag;
    uint32_t channels;
    uint32_t rate_hz;
    uint32_t bits;
};

static void put_format(struct file *file, struct kind kind)
{
    uint32_t frame = kind.channels * ((kind.bits + 7) / 8);
    put_chunk(file, "fmt ", 16);
    put_number(file, kind.tag, 2);
    put_number(file, kind.channels, 2);
    put_number(file, kind.rate_hz, 4);
    put_number(file, kind.rate_hz * frame, 4);
    put_number(file, frame, 2);
    put_number(file, kind.bits, 2);
}

static void put_sound(struct file *file, uint32_t said, uint32_t there)
{
    put_chunk(file, "data", said);
    memset(file->bytes + file->length, 0x11, there);
    file->length += there;
}

static void fix_riff_size(struct file *file)
{
    size_t length = file->length;
    file->length = 4;
    put_number(file, (uint32_t)length - 8, 4);
    file->length = length;
}

static struct file simple(struct kind kind, uint32_t bytes)
{
    struct file file;
    begin(&file, 0);
    put_format(&file, kind);
    put_sound(&file, bytes, bytes);
    fix_riff_size(&file);
    return file;
}

static int32_t parse(const struct file *file, struct aic_wav *wav)
{
    return aic_wav_parse((struct aic_str){file->bytes, file->length}, file->length, wav);
}

static void assert_refused(const struct aic_wav *wav, const char *sentence)
{
    struct aic_buf why;
    aic_buf_init(&why, 1000);
    assert_false(aic_wav_is_caller(wav, &why));
    assert_string_equal(aic_buf_view(&why).ptr, sentence);
    aic_buf_finish(&why);
}

static void assert_caller(const struct aic_wav *wav)
{
    struct aic_buf why;
    aic_buf_init(&why, 1000);
    assert_true(aic_wav_is_caller(wav, &why));
    assert_int_equal(why.len, 0);
    aic_buf_finish(&why);
}

static void test_what_a_telephone_speaks_is_a_caller(void **state)
{
    (void)state;

    static const struct {
        struct kind kind;
        uint32_t codec;
    } good[] = {
        {{1, 1, 8000, 16}, AIC_CODEC_PCM_S16LE}, {{1, 1, 16000, 16}, AIC_CODEC_PCM_S16LE},
        {{7, 1, 8000, 8}, AIC_CODEC_MULAW},      {{6, 1, 8000, 8}, AIC_CODEC_ALAW},
        {{7, 1, 16000, 8}, AIC_CODEC_MULAW},
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct file file = simple(good[i].kind, 320);
        struct aic_wav wav;
        assert_int_equal(parse(&file, &wav), AIC_OK);
        assert_caller(&wav);
        assert_int_equal(wav.format.codec, good[i].codec);
        assert_int_equal(wav.format.rate_hz, good[i].kind.rate_hz);
        assert_int_equal(wav.data_offset, 44);
        assert_int_equal(wav.data_bytes, 320);
        assert_false(wav.is_streamed);
    }
}

static void test_other_formats_are_refused_with_the_command_that_converts_them(void **state)
{
    (void)state;

    static const struct {
        struct kind kind;
        const char *sentence;
    } bad[] = {
        {{1, 2, 8000, 16},
         "is 16 bit, stereo, 8000 Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or 16000 "
         "Hz; convert it: sox in.wav -c 1 out.wav"},
        {{1, 1, 44100, 16},
         "is 16 bit, mono, 44100 Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or 16000 "
         "Hz; convert it: sox in.wav -r 8000 out.wav"},
        {{1, 6, 48000, 24},
         "is 24 bit, 6 channels, 48000 Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or "
         "16000 Hz; convert it: sox in.wav -c 1 -r 8000 -e signed-integer -b 16 out.wav"},
        {{3, 1, 8000, 32},
         "is 32 bit floating point, mono, 8000 Hz; a caller is 16 bit (or mu-law, A-law), mono, "
         "8000 or 16000 Hz; convert it: sox in.wav -e signed-integer -b 16 out.wav"},
        {{1, 1, 8000, 8},
         "is 8 bit, mono, 8000 Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or 16000 Hz; "
         "convert it: sox in.wav -e signed-integer -b 16 out.wav"},
        {{2, 1, 8000, 4},
         "is ADPCM, mono, 8000 Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or 16000 Hz; "
         "convert it: sox in.wav -e signed-integer -b 16 out.wav"},
        {{0x55, 1, 8000, 8},
         "is encoded with format 0x0055, mono, 8000 Hz; a caller is 16 bit (or mu-law, A-law), "
         "mono, 8000 or 16000 Hz; convert it: sox in.wav -e signed-integer -b 16 out.wav"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct file file = simple(bad[i].kind, 360);
        struct aic_wav wav;
        assert_int_equal(parse(&file, &wav), AIC_OK);
        assert_refused(&wav, bad[i].sentence);
    }
}

static void put_extensible(struct file *file, uint32_t tag, const char *guid_tail)
{
    put_chunk(file, "fmt ", 40);
    put_number(file, 0xFFFE, 2);
    put_number(file, 1, 2);
    put_number(file, 8000, 4);
    put_number(file, 16000, 4);
    put_number(file, 2, 2);
    put_number(file, 16, 2);
    put_number(file, 22, 2);
    put_number(file, 16, 2);
    put_number(file, 4, 4);
    put_number(file, tag, 2);
    put(file, guid_tail, 14);
}

static void test_the_extensible_format_is_read_through_its_sub_format(void **state)
{
    (void)state;
    struct file file;
    struct aic_wav wav;
    begin(&file, 0);
    put_extensible(&file, 1, "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71");
    put_sound(&file, 100, 100);
    fix_riff_size(&file);
    assert_int_equal(parse(&file, &wav), AIC_OK);
    assert_int_equal(wav.tag, 1);
    assert_int_equal(wav.data_offset, 68);
    assert_caller(&wav);

    begin(&file, 0);
    put_extensible(&file, 1, "somebody's own");
    put_sound(&file, 100, 100);
    fix_riff_size(&file);
    assert_int_equal(parse(&file, &wav), AIC_OK);
    assert_int_equal(wav.tag, 0xFFFE);
    assert_int_equal(wav.format.codec, AIC_CODEC_NONE);
}

static void test_chunks_in_between_are_skipped_with_their_padding(void **state)
{
    (void)state;
    struct file file;
    struct aic_wav wav;
    begin(&file, 0);
    put_chunk(&file, "LIST", 5);
    put(&file, "INFOx\0", 6);
    put_format(&file, (struct kind){1, 1, 8000, 16});
    put_chunk(&file, "bext", 3);
    put(&file, "abc\0", 4);
    put_sound(&file, 8, 8);
    put_chunk(&file, "LIST", 4);
    put(&file, "tail", 4);
    fix_riff_size(&file);
    assert_int_equal(parse(&file, &wav), AIC_OK);
    assert_int_equal(wav.data_bytes, 8);
    assert_memory_equal(file.bytes + wav.data_offset - 8, "data", 4);
    assert_caller(&wav);
}

static void test_a_head_is_enough_when_it_reaches_the_sound(void **state)
{
    (void)state;
    struct file file = simple((struct kind){1, 1, 8000, 16}, 1000);
    struct aic_wav wav;
    uint64_t wanted[] = {12, 20, 36, 44};
    size_t length = 0;
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        assert_int_equal(aic_wav_parse((struct aic_str){file.bytes, length}, file.length, &wav),
                         AIC_ERROR_TOO_LARGE);
        assert_int_equal(wav.need_bytes, wanted[i]);
        length = (size_t)wav.need_bytes;
    }
    assert_int_equal(aic_wav_parse((struct aic_str){file.bytes, length}, file.length, &wav),
                     AIC_OK);
    assert_int_equal(wav.data_bytes, 1000);
}

static void test_sizes_that_a_pipe_left_unset_mean_to_the_end_of_the_file(void **state)
{
    (void)state;
    static const uint32_t sizes[][2] = {
        {0, 0}, {0xFFFFFFFFu, 0xFFFFFFFFu}, {36, 0}, {0x7FFFF024u, 0x7FFFF000u}, {0xFFFFFFFFu, 0}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct file file;
        struct aic_wav wav;
        begin(&file, sizes[i][0]);
        put_format(&file, (struct kind){1, 1, 8000, 16});
        put_sound(&file, sizes[i][1], 321);
        assert_int_equal(parse(&file, &wav), AIC_OK);
        assert_true(wav.is_streamed);
        assert_int_equal(wav.data_bytes, 320);
        assert_int_equal(wav.missing_bytes, 0);
        assert_caller(&wav);
    }
}

static void test_a_file_cut_short_says_how_much_is_missing(void **state)
{
    (void)state;
    struct file file = simple((struct kind){1, 1, 8000, 16}, 1000);
    struct aic_wav wav;
    file.length -= 400;
    assert_int_equal(parse(&file, &wav), AIC_OK);
    assert_int_equal(wav.data_bytes, 600);
    assert_int_equal(wav.missing_bytes, 400);
    assert_refused(&wav, "is cut short: its header promises 1000 bytes of sound, 600 are there; "
                         "copy it again, or keep what is there: sox --ignore-length in.wav "
                         "out.wav");
}

static void test_a_header_cut_anywhere_is_an_error_and_never_a_read_beyond_it(void **state)
{
    (void)state;
    struct file file = simple((struct kind){1, 1, 8000, 16}, 10);
    struct aic_wav wav;
    for (size_t length = 1; length < 44; length++) {
        assert_int_equal(aic_wav_parse((struct aic_str){file.bytes, length}, length, &wav),
                         AIC_ERROR_PROTOCOL);
        assert_int_equal(wav.problem, length < 4 ? AIC_WAV_FOREIGN : AIC_WAV_CUT);
    }
    assert_refused(&wav, "is cut short before its sound begins; copy it again");
}

static void assert_problem(const struct file *file, uint32_t problem, const char *sentence)
{
    struct aic_wav wav;
    assert_int_equal(parse(file, &wav), AIC_ERROR_PROTOCOL);
    assert_int_equal(wav.problem, problem);
    assert_refused(&wav, sentence);
}

static void test_files_without_sound_are_told_apart(void **state)
{
    (void)state;
    struct file file = {.length = 0};
    assert_problem(&file, AIC_WAV_EMPTY, "is empty (0 bytes)");

    file = simple((struct kind){1, 1, 8000, 16}, 0);
    assert_problem(&file, AIC_WAV_NO_SOUND, "holds no sound");
    put_chunk(&file, "LIST", 4);
    put(&file, "tail", 4);
    fix_riff_size(&file);
    assert_problem(&file, AIC_WAV_NO_SOUND, "holds no sound");

    begin(&file, 0);
    put_format(&file, (struct kind){1, 1, 8000, 16});
    fix_riff_size(&file);
    assert_problem(&file, AIC_WAV_NO_SOUND, "holds no sound");

    begin(&file, 0);
    put_sound(&file, 10, 10);
    put_format(&file, (struct kind){1, 1, 8000, 16});
    fix_riff_size(&file);
    assert_problem(&file, AIC_WAV_NO_FORMAT,
                   "has no \"fmt \" chunk before its sound, so nobody can tell what it holds; "
                   "export it again");
}

static void test_a_contradictory_format_is_refused(void **state)
{
    (void)state;
    static const struct kind kinds[] = {{1, 0, 8000, 16}, {1, 1, 0, 16}, {1, 1, 8000, 0}};
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct file file = simple(kinds[i], 10);
        assert_problem(&file, AIC_WAV_BAD_FORMAT,
                       "has a \"fmt \" chunk that contradicts itself; export it again");
    }
    struct file file = simple((struct kind){1, 2, 8000, 16}, 10);
    file.bytes[32] = 2; /* bytes of a frame */
    assert_problem(&file, AIC_WAV_BAD_FORMAT,
                   "has a \"fmt \" chunk that contradicts itself; export it again");
}

static void test_files_of_other_kinds_are_called_by_their_name(void **state)
{
    (void)state;

    static const struct {
        const char *bytes;
        const char *sentence;
    } kinds[] = {
        {"ID3\x04 and so on", "is not a WAV file but an MP3 file; make one: ffmpeg -i FILE -ac 1 "
                              "-ar 8000 out.wav"},
        {"OggS and so on", "is not a WAV file but an Ogg file; make one: ffmpeg -i FILE -ac 1 -ar "
                           "8000 out.wav"},
        {"RF64 and so on", "is not a WAV file but a 64-bit WAV file; make one: ffmpeg -i FILE -ac "
                           "1 -ar 8000 out.wav"},
        {"RIFFxxxxAVI and so on", "is not a WAV file but another RIFF file; make one: ffmpeg -i "
                                  "FILE -ac 1 -ar 8000 out.wav"},
        {"Hello, this is a text", "is not a WAV file"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct file file = {.length = 0};
        put(&file, kinds[i].bytes, strlen(kinds[i].bytes));
        assert_problem(&file, AIC_WAV_FOREIGN, kinds[i].sentence);
    }
}

static void test_written_headers_are_those_that_other_programs_write(void **state)
{
    (void)state;
    /* The heads of files that sox 14.4.2 made, of 800 samples. */
    static const char pcm[] =
        "RIFF\x64\x06\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1F\0\0\x80\x3E\0\0\x02\0\x10\0"
        "data\x40\x06\0\0";
    static const char mulaw[] =
        "RIFF\x52\x03\0\0WAVEfmt \x12\0\0\0\x07\0\x01\0\x40\x1F\0\0\x40\x1F\0\0\x01\0\x08\0\0\0"
        "fact\x04\0\0\0\x20\x03\0\0data\x20\x03\0\0";
    uint8_t header[AIC_WAV_HEADER_MAX];
    struct aic_format format = {AIC_CODEC_PCM_S16LE, 8000, 1, 0};
    assert_int_equal(aic_wav_header(header, format, 1600), sizeof(pcm) - 1);
    assert_memory_equal(header, pcm, sizeof(pcm) - 1);
    format.codec = AIC_CODEC_MULAW;
    assert_int_equal(aic_wav_header(header, format, 800), sizeof(mulaw) - 1);
    assert_memory_equal(header, mulaw, sizeof(mulaw) - 1);
}

static void test_what_is_written_is_read_back_whatever_its_size(void **state)
{
    (void)state;
    static const struct aic_format formats[] = {{AIC_CODEC_PCM_S16LE, 16000, 2, 0},
                                                {AIC_CODEC_MULAW, 8000, 2, 0},
                                                {AIC_CODEC_ALAW, 8000, 1, 0}};
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        uint8_t header[AIC_WAV_HEADER_MAX];
        struct aic_wav wav;
        size_t length = aic_wav_header(header, formats[i], AIC_WAV_UNKNOWN);
        struct aic_str head = {(const char *)header, length};
        assert_int_equal(aic_wav_parse(head, length + 400, &wav), AIC_OK);
        assert_true(wav.is_streamed);
        assert_int_equal(wav.data_bytes, 400);
        /* The final header takes the very place of the first. */
        assert_int_equal(aic_wav_header(header, formats[i], 400), length);
        assert_int_equal(aic_wav_parse(head, length + 400, &wav), AIC_OK);
        assert_false(wav.is_streamed);
        assert_int_equal(wav.data_bytes, 400);
        assert_int_equal(wav.format.codec, formats[i].codec);
        assert_int_equal(wav.channels, formats[i].channels);
        assert_int_equal(wav.rate_hz, formats[i].rate_hz);
        /* More than fits 32 bits. */
        assert_int_equal(aic_wav_header(header, formats[i], UINT64_C(5000000000)), length);
        assert_int_equal(aic_wav_parse(head, length + UINT64_C(5000000000), &wav), AIC_OK);
        assert_int_equal(wav.data_bytes, UINT64_C(5000000000));
    }
    uint8_t header[AIC_WAV_HEADER_MAX];
    assert_int_equal(aic_wav_header(header, (struct aic_format){AIC_CODEC_OPUS, 48000, 1, 0}, 0),
                     0);
    assert_int_equal(aic_wav_header(header, (struct aic_format){AIC_CODEC_MULAW, 8000, 0, 0}, 0),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_telephone_speaks_is_a_caller),
        cmocka_unit_test(test_other_formats_are_refused_with_the_command_that_converts_them),
        cmocka_unit_test(test_the_extensible_format_is_read_through_its_sub_format),
        cmocka_unit_test(test_chunks_in_between_are_skipped_with_their_padding),
        cmocka_unit_test(test_a_head_is_enough_when_it_reaches_the_sound),
        cmocka_unit_test(test_sizes_that_a_pipe_left_unset_mean_to_the_end_of_the_file),
        cmocka_unit_test(test_a_file_cut_short_says_how_much_is_missing),
        cmocka_unit_test(test_a_header_cut_anywhere_is_an_error_and_never_a_read_beyond_it),
        cmocka_unit_test(test_files_without_sound_are_told_apart),
        cmocka_unit_test(test_a_contradictory_format_is_refused),
        cmocka_unit_test(test_files_of_other_kinds_are_called_by_their_name),
        cmocka_unit_test(test_written_headers_are_those_that_other_programs_write),
        cmocka_unit_test(test_what_is_written_is_read_back_whatever_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
