/* SPDX-License-Identifier: ISC */
#include "plugin/registry.h"

#include <aicaller/stt.h>
#include <aicaller/tts.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct aic_plugin *open_odd(const char *name, char error[REGISTRY_ERROR_TEXT])
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/tests/odd/%s.so", TEST_BUILD, name);
    error[0] = '\0';
    return registry_open(path, error);
}

static void test_a_good_plugin_is_opened_once(void **state)
{
    (void)state;
    char error[REGISTRY_ERROR_TEXT];
    const struct aic_plugin *plugin = open_odd("right", error);
    assert_non_null(plugin);
    assert_string_equal(plugin->id, "odd");
    assert_true(registry_provides(plugin, AIC_TTS));
    assert_false(registry_provides(plugin, AIC_STT));
    assert_ptr_equal(open_odd("right", error), plugin);
}

static void test_a_descriptor_that_is_wrong_is_refused_with_a_reason(void **state)
{
    (void)state;

    static const struct {
        const char *name;
        const char *reason;
    } cases[] = {
        {"major", "rebuild it"},
        {"tiny", "4 bytes"},
        {"short", "bytes long, at least"},
        {"nothing", "returned nothing"},
        {"nameless", "lacks id"},
        {"counts", "impossible counts"},
        {"entry", "has no function aicaller_plugin"},
        {"not-there", "No such file"},
    };

    char error[REGISTRY_ERROR_TEXT];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_null(open_odd(cases[i].name, error));
        if (!strstr(error, cases[i].reason)) {
            fail_msg("%s: '%s' does not say '%s'", cases[i].name, error, cases[i].reason);
        }
        /* A second try is no different. */
        assert_null(open_odd(cases[i].name, error));
    }
}

static void test_a_longer_descriptor_is_a_newer_plugin_and_is_taken(void **state)
{
    (void)state;
    char error[REGISTRY_ERROR_TEXT];
    const struct aic_plugin *plugin = open_odd("long", error);
    assert_non_null(plugin);
    assert_int_equal(plugin->size, sizeof(struct aic_plugin));
}

static void write_file(const char *path, const char *text, mode_t mode)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    (void)fputs(text, file);
    (void)fclose(file);
    assert_int_equal(chmod(path, mode), 0);
}

static void test_what_is_no_shared_object_is_not_given_to_the_loader(void **state)
{
    (void)state;
    char folder[] = "/tmp/aicaller-test-XXXXXX";
    char path[128];
    char error[REGISTRY_ERROR_TEXT];
    assert_non_null(mkdtemp(folder));

    (void)snprintf(path, sizeof(path), "%s/text.so", folder);
    write_file(path, "this is not a shared object\n", 0644);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "not a shared object"));
    (void)unlink(path);

    (void)snprintf(path, sizeof(path), "%s/empty.so", folder);
    write_file(path, "", 0644);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "not a shared object"));
    (void)unlink(path);

    /* Right head, nothing behind it. */
    (void)snprintf(path, sizeof(path), "%s/cut.so", folder);
    char copy[256];
    (void)snprintf(copy, sizeof(copy), "%s/tests/odd/right.so", TEST_BUILD);
    FILE *from = fopen(copy, "r");
    FILE *to = fopen(path, "w");
    char bytes[600];
    assert_int_equal(fread(bytes, 1, sizeof(bytes), from), sizeof(bytes));
    assert_int_equal(fwrite(bytes, 1, sizeof(bytes), to), sizeof(bytes));
    (void)fclose(from);
    (void)fclose(to);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "cut short"));
    (void)unlink(path);

    (void)snprintf(path, sizeof(path), "%s/folder.so", folder);
    assert_int_equal(mkdir(path, 0755), 0);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "not a regular file"));
    (void)rmdir(path);

    /* A pipe without a writer must not hold us up. */
    (void)snprintf(path, sizeof(path), "%s/pipe.so", folder);
    assert_int_equal(mkfifo(path, 0644), 0);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "not a regular file"));
    (void)unlink(path);

    (void)snprintf(path, sizeof(path), "%s/open.so", folder);
    write_file(path, "\177ELF", 0646);
    assert_null(registry_open(path, error));
    assert_non_null(strstr(error, "written by everybody"));
    (void)unlink(path);
    (void)rmdir(folder);
}

static void test_a_pinned_file_is_read_from_its_descriptor(void **state)
{
    (void)state;
    char error[REGISTRY_ERROR_TEXT];
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/tests/odd/right.so", TEST_BUILD);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    /* The file has another name, or is gone: the descriptor counts. */
    assert_int_equal(registry_pin("/nowhere/odd.so", fd), AIC_OK);
    const struct aic_plugin *plugin = registry_open("/nowhere/odd.so", error);
    assert_non_null(plugin);
    assert_string_equal(plugin->id, "odd");
    assert_int_equal(registry_descriptor("/nowhere/odd.so"), fd);
}

static void test_a_linked_in_descriptor_passes_the_same_checks(void **state)
{
    (void)state;
    char error[REGISTRY_ERROR_TEXT];
    const struct aic_plugin empty = {.size = sizeof(empty), .abi_major = AIC_ABI_MAJOR};
    assert_null(registry_adopt(&empty, error));
    assert_non_null(strstr(error, "lacks id"));
    assert_null(registry_adopt(NULL, error));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_plugin_is_opened_once),
        cmocka_unit_test(test_a_descriptor_that_is_wrong_is_refused_with_a_reason),
        cmocka_unit_test(test_a_longer_descriptor_is_a_newer_plugin_and_is_taken),
        cmocka_unit_test(test_what_is_no_shared_object_is_not_given_to_the_loader),
        cmocka_unit_test(test_a_pinned_file_is_read_from_its_descriptor),
        cmocka_unit_test(test_a_linked_in_descriptor_passes_the_same_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
