/* SPDX-License-Identifier: ISC */
#include "io/master_answer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const int fds[] = {20, 21, 22};

static void fill(struct master_check *check)
{
    memset(check, 0, sizeof(*check));
    check->is_good = true;
    check->problems = AIC_STR("");
    check->settings = (struct master_settings){.listen = "127.0.0.1",
                                               .port = 8000,
                                               .workers = 2,
                                               .drain_timeout_ms = 3600000,
                                               .heartbeat_limit_ms = 5000,
                                               .state_dir = "/var/lib/aicaller",
                                               .log_format = 2,
                                               .log_level = 3};
    check->plugin_count = 2;
    (void)aic_str_copy(AIC_STR("flite.so"), check->plugins[0].name, MASTER_PATH);
    (void)aic_str_copy(AIC_STR("/opt/own.so"), check->plugins[1].name, MASTER_PATH);
}

static struct aic_buf packed(const struct master_check *check)
{
    struct aic_buf bytes;
    aic_buf_init(&bytes, MASTER_ANSWER_BYTES);
    master_answer_pack(check, &bytes);
    assert_false(bytes.failed);
    return bytes;
}

struct scene {
    struct master_check check;
    struct master_answer answer;
};

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct scene));
    return *state ? 0 : -1;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

static struct master_check *check_of(void **state)
{
    return &((struct scene *)*state)->check;
}

static struct master_answer *answer_of(void **state)
{
    return &((struct scene *)*state)->answer;
}

static void a_good_answer_comes_back_with_settings_and_files(void **state)
{
    struct master_answer *answer = answer_of(state);
    fill(check_of(state));
    struct aic_buf bytes = packed(check_of(state));
    assert_null(master_answer_parse(aic_buf_view(&bytes), fds, 3, answer));
    const struct master_settings *settings = &answer->check.settings;
    assert_true(answer->check.is_good);
    assert_string_equal(settings->listen, "127.0.0.1");
    assert_string_equal(settings->state_dir, "/var/lib/aicaller");
    assert_int_equal(settings->port, 8000);
    assert_int_equal(settings->workers, 2);
    assert_int_equal(settings->drain_timeout_ms, 3600000);
    assert_int_equal(settings->log_format, 2);
    assert_int_equal(settings->log_level, 3);
    assert_int_equal(answer->check.config_fd, 20);
    assert_int_equal(answer->check.plugin_count, 2);
    assert_string_equal(answer->check.plugins[1].name, "/opt/own.so");
    assert_int_equal(answer->check.plugins[1].fd, 22);
    assert_int_equal(answer->state_format, MASTER_STATE_FORMAT);
    aic_buf_finish(&bytes);
}

static void a_refusal_needs_no_settings_and_keeps_its_problems(void **state)
{
    struct master_answer *answer = answer_of(state);
    check_of(state)->problems = AIC_STR("file:1:2: no\n");
    struct aic_buf bytes = packed(check_of(state));
    assert_null(master_answer_parse(aic_buf_view(&bytes), NULL, 0, answer));
    assert_false(answer->check.is_good);
    assert_int_equal(answer->check.problems.len, 13);
    aic_buf_finish(&bytes);
}

static void problems_without_end_are_cut(void **state)
{
    struct master_answer *answer = answer_of(state);
    size_t length = MASTER_PROBLEM_BYTES + 1000;
    char *text = malloc(length);
    memset(text, 'x', length);
    check_of(state)->problems = (struct aic_str){text, length};
    struct aic_buf bytes = packed(check_of(state));
    assert_null(master_answer_parse(aic_buf_view(&bytes), NULL, 0, answer));
    assert_int_equal(answer->check.problems.len, MASTER_PROBLEM_BYTES);
    aic_buf_finish(&bytes);
    free(text);
}

static void every_prefix_of_an_answer_is_refused(void **state)
{
    struct master_answer *answer = answer_of(state);
    fill(check_of(state));
    struct aic_buf bytes = packed(check_of(state));
    for (size_t length = 0; length < bytes.len; length++) {
        char *part = malloc(length + 1);
        memcpy(part, bytes.data, length);
        assert_non_null(master_answer_parse((struct aic_str){part, length}, fds, 3, answer));
        free(part);
    }
    aic_buf_finish(&bytes);
}

static void an_answer_with_too_few_or_too_many_files_is_refused(void **state)
{
    struct master_answer *answer = answer_of(state);
    fill(check_of(state));
    struct aic_buf bytes = packed(check_of(state));
    assert_string_equal(master_answer_parse(aic_buf_view(&bytes), fds, 2, answer),
                        "the answer came without its files");
    check_of(state)->plugin_count = 1;
    aic_buf_finish(&bytes);
    bytes = packed(check_of(state));
    assert_non_null(master_answer_parse(aic_buf_view(&bytes), fds, 3, answer));
    aic_buf_finish(&bytes);
}

static void settings_out_of_range_are_refused_by_name(void **state)
{
    struct master_answer *answer = answer_of(state);
    fill(check_of(state));
    check_of(state)->settings.workers = MASTER_WORKERS + 1;
    struct aic_buf bytes = packed(check_of(state));
    const char *why = master_answer_parse(aic_buf_view(&bytes), fds, 3, answer);
    assert_non_null(strstr(why, "server.workers"));
    aic_buf_finish(&bytes);
}

static void unknown_items_of_a_newer_program_are_ignored(void **state)
{
    struct master_answer *answer = answer_of(state);
    struct aic_buf bytes;
    aic_buf_init(&bytes, MASTER_ANSWER_BYTES);
    pack_str(&bytes, 4000, AIC_STR("from the future"));
    master_answer_pack(check_of(state), &bytes);
    assert_null(master_answer_parse(aic_buf_view(&bytes), NULL, 0, answer));
    aic_buf_finish(&bytes);
}

static void what_a_worker_is_born_with_comes_back(void **state)
{
    (void)state;
    static struct master_worker worker;
    static struct master_worker read;
    int config_fd;
    worker = (struct master_worker){.worker = 127,
                                    .generation = 1 << 20,
                                    .spool = "1-2.spool",
                                    .state_dir = "/s",
                                    .link_fd = 5,
                                    .shm_fd = 6,
                                    .listen_fds = {7, 8},
                                    .listen_count = 2,
                                    .plugins = {{.name = "a.so", .fd = 9}},
                                    .plugin_count = 1};
    struct aic_buf bytes;
    aic_buf_init(&bytes, MASTER_ANSWER_BYTES);
    master_worker_pack(&worker, 10, &bytes);
    assert_int_equal(master_worker_parse(aic_buf_view(&bytes), &read, &config_fd), AIC_OK);
    assert_memory_equal(&read, &worker, sizeof(read));
    assert_int_equal(config_fd, 10);
    worker.worker = 128;
    aic_buf_clear(&bytes);
    master_worker_pack(&worker, 10, &bytes);
    assert_int_equal(master_worker_parse(aic_buf_view(&bytes), &read, &config_fd),
                     AIC_ERROR_PROTOCOL);
    aic_buf_finish(&bytes);
}

#define answer_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        answer_test(a_good_answer_comes_back_with_settings_and_files),
        answer_test(a_refusal_needs_no_settings_and_keeps_its_problems),
        answer_test(problems_without_end_are_cut),
        answer_test(every_prefix_of_an_answer_is_refused),
        answer_test(an_answer_with_too_few_or_too_many_files_is_refused),
        answer_test(settings_out_of_range_are_refused_by_name),
        answer_test(unknown_items_of_a_newer_program_are_ignored),
        answer_test(what_a_worker_is_born_with_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
