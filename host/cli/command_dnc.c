/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "call/number.h"
#include "cli/direct.h"

#include "json.h"

#include <stdio.h>
#include <string.h>

/* The numbers that are not dialled. Each dial asks the storage, so that a running server knows at
 * once. */

enum { MAX_ANSWER = 64 * 1024, MAX_REASON = 500 };

static void print_entry(const struct aic_json *row)
{
    static const char *const columns[] = {"number", "added_at", "source", "added_by", "reason"};
    static const int widths[] = {17, 24, 10, 14, 0};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct aic_str text = aic_json_get_text(row, columns[i]);
        text = text.len > 0 ? text : AIC_STR("-");
        (void)printf("%-*.*s%s", widths[i], (int)text.len, text.ptr, widths[i] > 0 ? "  " : "");
    }
    (void)printf("\n");
}

static int list(struct direct *direct, bool as_json)
{
    struct aic_json *rows =
        direct_list(direct, "do_not_call", AIC_STR("\"active\":true"), "entry_id");
    if (!rows) {
        return EXIT_FAILED;
    }
    if (as_json) {
        struct aic_str text = aic_json_print(rows);
        (void)printf("%.*s\n", (int)text.len, text.ptr);
    }
    for (size_t i = 0; !as_json && i < aic_json_count(rows); i++) {
        print_entry(aic_json_at(rows, i));
    }
    if (aic_json_count(rows) == 0 && !as_json) {
        (void)fprintf(stderr, "no number is on the do-not-call list\n");
    }
    aic_json_free(rows);
    return EXIT_GOOD;
}

/* A change of the list; its answer, or NULL after saying what went wrong. */
static struct aic_json *change(struct direct *direct, const char *name, struct aic_str params)
{
    struct aic_buf rows;
    aic_buf_init(&rows, MAX_ANSWER);
    struct aic_json *root = direct_ask(direct, true, name, params, &rows)
                                ? aic_json_parse(aic_buf_view(&rows), MAX_ANSWER)
                                : NULL;
    aic_buf_finish(&rows);
    return root;
}

static void print_change(const char *number, const char *key, bool value)
{
    (void)printf("{\"number\":\"%s\",\"%s\":%s}\n", number, key, value ? "true" : "false");
}

static int add(struct direct *direct, const struct cli_args *args, bool as_json)
{
    const char *number = args->words[1];
    const char *reason = cli_value(&command_dnc, args, "reason");
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 4096);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "number", number);
    aic_json_member_text(&w, "source", "operator");
    aic_json_member_text(&w, "added_by", "command line");
    if (reason) {
        aic_json_member_text(&w, "reason", reason);
    }
    aic_json_close(&w, '}');
    struct aic_json *answer = change(direct, "do_not_call.add", aic_buf_view(&params));
    aic_buf_finish(&params);
    if (!answer) {
        return EXIT_FAILED;
    }
    bool is_added = aic_json_get_bool(aic_json_at(answer, 0), "added", false);
    if (as_json) {
        print_change(number, "added", is_added);
    } else {
        (void)printf(is_added ? "%s is not called any more\n" : "%s was on the list already\n",
                     number);
    }
    aic_json_free(answer);
    return EXIT_GOOD;
}

static int remove_entry(struct direct *direct, const char *number, bool as_json)
{
    char params[128];
    (void)snprintf(params, sizeof(params), "{\"number\":\"%s\",\"removed_by\":\"command line\"}",
                   number);
    struct aic_json *answer = change(direct, "do_not_call.remove", aic_str(params));
    if (!answer) {
        return EXIT_FAILED;
    }
    bool is_removed = aic_json_get_int(aic_json_at(answer, 0), "removed", 0) > 0;
    aic_json_free(answer);
    if (as_json) {
        print_change(number, "removed", is_removed);
    } else if (is_removed) {
        (void)printf("%s may be called again\n", number);
    }
    if (!is_removed) {
        (void)fprintf(stderr, "aicaller dnc: %s is not on the list\n", number);
    }
    return is_removed ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct conf *conf, const struct cli_args *args)
{
    struct direct direct;
    bool as_json = cli_value(&command_dnc, args, "json") != NULL;
    const char *verb = args->words[0];
    int status = EXIT_FAILED;
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    if (direct_prepare(&direct)) {
        status = strcmp(verb, "list") == 0  ? list(&direct, as_json)
                 : strcmp(verb, "add") == 0 ? add(&direct, args, as_json)
                                            : remove_entry(&direct, args->words[1], as_json);
    }
    direct_close(&direct);
    return status;
}

/* What is wrong with the words; NULL if nothing. */
static const char *find_fault(const struct cli_args *args)
{
    const char *verb = args->words[0];
    const char *reason = cli_value(&command_dnc, args, "reason");
    bool is_list = strcmp(verb, "list") == 0;
    bool is_add = strcmp(verb, "add") == 0;
    if ((!is_list && !is_add && strcmp(verb, "remove") != 0) ||
        args->word_count != (is_list ? 1 : 2)) {
        return "expected list, add NUMBER or remove NUMBER";
    }
    if (reason && (!is_add || strlen(reason) > MAX_REASON)) {
        return "--reason is for add, and has at most 500 bytes";
    }
    struct number number = {.kind = NUMBER_KNOWN};
    if (!is_list) {
        number_parse(&number, aic_str(args->words[1]));
    }
    return number.kind == NUMBER_NOT_E164 ? "a number is written with its country, as +14155550123"
                                          : NULL;
}

static int run(const struct cli_args *args)
{
    const char *fault = find_fault(args);
    if (fault) {
        (void)fprintf(stderr, "aicaller dnc: %s\n", fault);
        return EXIT_USAGE;
    }
    return direct_command(cli_value(&command_dnc, args, "config"), run_with, args);
}

const struct cli_command command_dnc = {
    .name = "dnc",
    .words = "list | add NUMBER | remove NUMBER",
    .least_words = 1,
    .most_words = 2,
    .summary = "the do-not-call list: numbers that are not dialled",
    .more = "A running server heeds a change from the next dial on.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"reason", 0, "TEXT", "why a number is added"},
                {"json", 0, NULL, "the answer as JSON"}},
    .run = run,
};
