/* SPDX-License-Identifier: ISC */
#include "wav/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* A folder for callers, and beside it another whose name begins alike. */
struct tree {
    char base[40];
    char folder[64];
    char beside[64];
};

static const char *in(const char *folder, const char *name)
{
    static char path[200];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static void write_file(const char *path, const void *bytes, size_t count)
{
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}

static void write_wav(const char *path, uint32_t channels)
{
    uint8_t content[AIC_WAV_HEADER_MAX + 320] = {0};
    struct aic_format format = {AIC_CODEC_PCM_S16LE, 8000, channels, 0};
    size_t header = aic_wav_header(content, format, 320);
    memset(content + header, 'x', 320);
    write_file(path, content, header + 320);
}

static int make(void **state)
{
    static struct tree tree;
    tree = (struct tree){.base = "/tmp/aicaller-wav-XXXXXX"};
    assert_non_null(mkdtemp(tree.base));
    (void)snprintf(tree.folder, sizeof(tree.folder), "%s/callers", tree.base);
    (void)snprintf(tree.beside, sizeof(tree.beside), "%s/callers-private", tree.base);
    assert_int_equal(mkdir(tree.folder, 0700), 0);
    assert_int_equal(mkdir(tree.beside, 0700), 0);
    assert_int_equal(mkdir(in(tree.folder, "sub"), 0700), 0);
    write_wav(in(tree.folder, "sub/a.wav"), 1);
    write_wav(in(tree.beside, "secret.wav"), 1);
    *state = &tree;
    return 0;
}

static int unmake(void **state)
{
    const struct tree *tree = *state;
    assert_int_equal(remove(in(tree->folder, "sub/a.wav")), 0);
    assert_int_equal(remove(in(tree->folder, "sub")), 0);
    assert_int_equal(remove(in(tree->beside, "secret.wav")), 0);
    assert_int_equal(remove(tree->folder), 0);
    assert_int_equal(remove(tree->beside), 0);
    assert_int_equal(remove(tree->base), 0);
    return 0;
}

static void assert_loads(const char *folder, const char *path)
{
    struct wav_file file;
    struct aic_buf why;
    aic_buf_init(&why, 1000);
    assert_int_equal(wav_file_load(folder, path, &file, &why), AIC_OK);
    struct aic_str sound = wav_file_sound(&file);
    assert_int_equal(sound.len, 320);
    assert_int_equal(sound.ptr[0], 'x');
    assert_int_equal(sound.ptr[319], 'x');
    wav_file_finish(&file);
    aic_buf_finish(&why);
}

static void assert_refused(const char *folder, const char *path, int32_t status, const char *words)
{
    struct wav_file file;
    struct aic_buf why;
    aic_buf_init(&why, 1000);
    int32_t got = wav_file_load(folder, path, &file, &why);
    if (got != status || !strstr(aic_buf_view(&why).ptr, words)) {
        fail_msg("status %d: %s", got, aic_buf_view(&why).ptr);
    }
    assert_null(file.bytes);
    aic_buf_finish(&why);
}

static void test_without_a_folder_any_path_is_good(void **state)
{
    const struct tree *tree = *state;
    assert_loads(NULL, in(tree->folder, "sub/a.wav"));
    assert_loads(NULL, in(tree->folder, "../callers-private/secret.wav"));
}

static void test_paths_below_the_folder_work_relative_and_absolute(void **state)
{
    const struct tree *tree = *state;
    char slash[80];
    assert_loads(tree->folder, "sub/a.wav");
    assert_loads(tree->folder, "./sub//a.wav");
    assert_loads(tree->folder, in(tree->folder, "sub/a.wav"));
    (void)snprintf(slash, sizeof(slash), "%s//", tree->folder);
    assert_loads(slash, in(tree->folder, "sub/a.wav"));
    assert_loads(slash, "sub/a.wav");
    assert_loads("/", in(tree->folder, "sub/a.wav"));
}

static void test_no_path_leads_out_of_the_folder(void **state)
{
    const struct tree *tree = *state;
    static const char *const ways[] = {"..",
                                       "../callers-private/secret.wav",
                                       "./..//callers-private/secret.wav",
                                       "sub/../../callers-private/secret.wav",
                                       "sub/../sub/a.wav",
                                       "/etc/passwd"};
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        assert_refused(tree->folder, ways[i], AIC_ERROR_DENIED, "is outside the folder");
    }
    assert_refused(tree->folder, in(tree->beside, "secret.wav"), AIC_ERROR_DENIED, "is outside");
    assert_refused(tree->folder, in(tree->folder, "../callers-private/secret.wav"),
                   AIC_ERROR_DENIED, "is outside");
}

static void test_symbolic_links_below_the_folder_are_not_followed(void **state)
{
    const struct tree *tree = *state;
    char link[100];
    char folder_link[100];
    (void)snprintf(link, sizeof(link), "%s/link.wav", tree->folder);
    (void)snprintf(folder_link, sizeof(folder_link), "%s/out", tree->folder);
    assert_int_equal(symlink(in(tree->beside, "secret.wav"), link), 0);
    assert_int_equal(symlink(tree->beside, folder_link), 0);
    assert_refused(tree->folder, "link.wav", AIC_ERROR_DENIED, "is a symbolic link");
    assert_refused(tree->folder, "out/secret.wav", AIC_ERROR_NOT_FOUND,
                   "part of its path is a file or a symbolic link");
    /* The folder itself is the operator's and may be one. */
    assert_loads(folder_link, "secret.wav");
    assert_int_equal(remove(link), 0);
    assert_int_equal(remove(folder_link), 0);
}

static void test_what_is_no_file_is_refused_and_holds_nobody_up(void **state)
{
    const struct tree *tree = *state;
    const char *pipe = in(tree->folder, "pipe.wav");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_refused(NULL, pipe, AIC_ERROR_INVALID, "is not a file");
    assert_refused(tree->folder, "pipe.wav", AIC_ERROR_INVALID, "is not a file");
    assert_int_equal(remove(in(tree->folder, "pipe.wav")), 0);
    assert_refused(tree->folder, "sub", AIC_ERROR_INVALID, "is not a file");
    assert_refused(tree->folder, ".", AIC_ERROR_INVALID, "is not a file");
    assert_refused(NULL, "/dev/zero", AIC_ERROR_INVALID, "is not a file");
    assert_refused(tree->folder, "", AIC_ERROR_NOT_FOUND, "does not exist");
    assert_refused(NULL, "", AIC_ERROR_NOT_FOUND, "does not exist");
    assert_refused(tree->folder, "other.wav", AIC_ERROR_NOT_FOUND, "\"other.wav\" does not exist");
    assert_refused("/no/such/folder", "a.wav", AIC_ERROR_NOT_FOUND, "does not exist");
}

static void test_a_name_of_any_length_is_refused_politely(void **state)
{
    const struct tree *tree = *state;
    char name[5000];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct wav_file file;
    struct aic_buf why;
    aic_buf_init(&why, 100);
    assert_int_equal(wav_file_load(tree->folder, name, &file, &why), AIC_ERROR_IO);
    assert_int_equal(wav_file_load(NULL, name, &file, &why), AIC_ERROR_IO);
    aic_buf_finish(&why);
}

static void test_ten_megabytes_are_the_limit(void **state)
{
    const struct tree *tree = *state;
    const char *path = in(tree->folder, "big.wav");
    write_wav(path, 1);
    assert_int_equal(truncate(path, WAV_FILE_MAX_BYTES), 0);
    assert_loads(NULL, path);
    assert_int_equal(truncate(path, WAV_FILE_MAX_BYTES + 1), 0);
    assert_refused(NULL, path, AIC_ERROR_TOO_LARGE,
                   "has 10485761 bytes; a caller may have 10485760");
    assert_int_equal(remove(path), 0);
}

static void test_a_file_that_is_no_caller_says_what_it_is(void **state)
{
    const struct tree *tree = *state;
    const char *path = in(tree->folder, "b.wav");
    write_wav(path, 2);
    assert_refused(NULL, path, AIC_ERROR_PROTOCOL,
                   "b.wav\" is 16 bit, stereo, 8000 Hz; a caller is");
    write_file(path, "", 0);
    assert_refused(NULL, path, AIC_ERROR_PROTOCOL, "b.wav\" is empty (0 bytes)");
    write_file(path, "Hello", 5);
    assert_refused(NULL, path, AIC_ERROR_PROTOCOL, "b.wav\" is not a WAV file");
    assert_int_equal(remove(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_a_folder_any_path_is_good),
        cmocka_unit_test(test_paths_below_the_folder_work_relative_and_absolute),
        cmocka_unit_test(test_no_path_leads_out_of_the_folder),
        cmocka_unit_test(test_symbolic_links_below_the_folder_are_not_followed),
        cmocka_unit_test(test_what_is_no_file_is_refused_and_holds_nobody_up),
        cmocka_unit_test(test_a_name_of_any_length_is_refused_politely),
        cmocka_unit_test(test_ten_megabytes_are_the_limit),
        cmocka_unit_test(test_a_file_that_is_no_caller_says_what_it_is),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
