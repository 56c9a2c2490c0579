/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/timefmt.h"
#include "base/uuid.h"
#include "call/number.h"
#include "call/recordings.h"
#include "cli/direct.h"

#include "json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* All that is stored about a number, for whoever it belongs to: one document, and its recordings.
 */

enum { MAX_ROW = 32 << 20, COPY_BYTES = 64 << 10, TABLE = 64 };

struct export_run {
    struct direct *direct;
    const char *number;
    const char *state_dir;
    FILE *to;
    int folder; /* where recordings go; -1: nowhere */
    char table[TABLE];
    uint64_t rows;
    uint64_t files;
    uint64_t missing;
    bool failed;
};

static int64_t wall_us(void)
{
    return (int64_t)time(NULL) * 1000000;
}

static bool copy(int from, int to)
{
    char piece[COPY_BYTES];
    ssize_t got = read(from, piece, sizeof(piece));
    while (got > 0) {
        for (ssize_t at = 0; at < got;) {
            ssize_t written = write(to, piece + at, (size_t)(got - at));
            if (written <= 0) {
                return false;
            }
            at += written;
        }
        got = read(from, piece, sizeof(piece));
    }
    return got == 0;
}

static void take_recording(struct export_run *run, struct aic_str path)
{
    char folder[4096];
    char name[RECORDINGS_NAME];
    (void)snprintf(folder, sizeof(folder), "%s/recordings", run->state_dir);
    int from = recordings_name(path, name) ? recordings_open(folder, name) : AIC_ERROR_NOT_FOUND;
    if (from < 0) {
        run->missing++;
        (void)fprintf(stderr, "aicaller export: %.*s can not be read here\n", (int)path.len,
                      path.ptr);
        return;
    }
    int to = openat(run->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool is_copied = to >= 0 && copy(from, to);
    if (to >= 0 && close(to) != 0) {
        is_copied = false;
    }
    (void)close(from);
    run->files += is_copied;
    if (!is_copied) {
        run->failed = true;
        (void)fprintf(stderr, "aicaller export: %s: %s\n", name, strerror(errno));
    }
}

/* Rows come table by table. */
static int32_t take_row(void *data, struct aic_str text)
{
    struct export_run *run = data;
    struct aic_json *root = aic_json_parse(text, MAX_ROW);
    const struct aic_json *row = aic_json_get(root, "row");
    struct aic_str table = aic_json_get_text(root, "table");
    if (!row) {
        run->failed = true;
        aic_json_free(root);
        return AIC_ERROR_PROTOCOL;
    }
    if (!aic_str_equal(table, run->table)) {
        (void)fprintf(run->to, "%s\n\"%.*s\":[", run->table[0] ? "]," : "", (int)table.len,
                      table.ptr);
        (void)aic_str_copy(table, run->table, sizeof(run->table));
    } else {
        (void)fputs(",", run->to);
    }
    struct aic_str printed = aic_json_print(row);
    (void)fputs("\n", run->to);
    (void)fwrite(printed.ptr, 1, printed.len, run->to);
    run->rows++;
    if (run->folder >= 0 && strcmp(run->table, "recordings") == 0) {
        take_recording(run, aic_json_get_text(row, "path"));
    }
    aic_json_free(root);
    return ferror(run->to) ? AIC_ERROR_IO : AIC_OK;
}

/* That somebody took it is part of what is stored. */
static bool write_audit(const struct export_run *run)
{
    const struct provider *provider = run->direct->provider;
    struct aic_append_result result = {.size = sizeof(result)};
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    char id[UUID_TEXT];
    char at[TIME_TEXT];
    char columns[512];
    uuid7_make(id);
    time_format(at, wall_us());
    (void)snprintf(columns, sizeof(columns),
                   "{\"at\":\"%s\",\"actor\":\"command line\",\"action\":\"export\","
                   "\"object\":\"number\",\"outcome\":\"allowed\",\"number\":\"%s\"}",
                   at, run->number);
    const struct aic_fact fact = {.size = sizeof(fact),
                                  .table = AIC_STR("audit"),
                                  .id = aic_str(id),
                                  .call_id = AIC_STR(""),
                                  .revision = 1,
                                  .columns = aic_str(columns)};
    int32_t status =
        provider->storage.append(provider->self, &fact, 1, sizeof(fact), &result, &error);
    if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller export: %.*s\n", (int)error.message.len, error.message.ptr);
    }
    return status == AIC_OK && result.rejection_count == 0;
}

static bool write_document(struct export_run *run)
{
    const struct provider *provider = run->direct->provider;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    char at[TIME_TEXT];
    char params[64];
    time_format(at, wall_us());
    (void)snprintf(params, sizeof(params), "{\"number\":\"%s\"}", run->number);
    (void)fprintf(run->to, "{\"number\":\"%s\",\"exported_at\":\"%s\",\"tables\":{", run->number,
                  at);
    int32_t status =
        provider->storage.query(provider->self, "export", aic_str(params), take_row, run, &error);
    (void)fprintf(run->to, "%s}}\n", run->table[0] ? "]" : "");
    if (status != AIC_OK) {
        (void)fprintf(stderr, "aicaller export: %.*s\n", (int)error.message.len, error.message.ptr);
    }
    bool is_written = fflush(run->to) == 0 && !ferror(run->to);
    if (!is_written) {
        (void)fprintf(stderr, "aicaller export: %s\n", strerror(errno));
    }
    return status == AIC_OK && is_written && !run->failed;
}

/* A folder that did not exist before: nothing is overwritten, and nobody else can look. */
static bool make_folder(struct export_run *run, const char *folder)
{
    char path[4096];
    int length = snprintf(path, sizeof(path), "%s/recordings", folder);
    if (length < 0 || (size_t)length >= sizeof(path) || mkdir(folder, S_IRWXU) != 0 ||
        mkdir(path, S_IRWXU) != 0) {
        (void)fprintf(stderr, "aicaller export: %s: %s\n", folder, strerror(errno));
        return false;
    }
    run->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)snprintf(path, sizeof(path), "%s/data.json", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    run->to = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (run->folder < 0 || !run->to) {
        (void)fprintf(stderr, "aicaller export: %s: %s\n", path, strerror(errno));
        return false;
    }
    return true;
}

static int run_export(struct export_run *run, const char *folder)
{
    if (!direct_prepare(run->direct) || !write_audit(run) ||
        (folder && !make_folder(run, folder)) || !write_document(run)) {
        return EXIT_FAILED;
    }
    (void)fprintf(stderr, "%llu rows", (unsigned long long)run->rows);
    if (folder) {
        (void)fprintf(stderr, " and %llu recordings in %s", (unsigned long long)run->files, folder);
    }
    (void)fprintf(stderr, "\n");
    return run->missing == 0 ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct conf *conf, const struct cli_args *args)
{
    struct direct direct;
    struct export_run run = {.direct = &direct,
                             .number = args->words[0],
                             .state_dir = conf->setup->state_dir,
                             .to = stdout,
                             .folder = -1};
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    int status = run_export(&run, cli_value(&command_export, args, "output"));
    if (run.to && run.to != stdout && fclose(run.to) != 0) {
        (void)fprintf(stderr, "aicaller export: %s\n", strerror(errno));
        status = EXIT_FAILED;
    }
    if (run.folder >= 0) {
        (void)close(run.folder);
    }
    direct_close(&direct);
    return status;
}

static int run(const struct cli_args *args)
{
    struct number number;
    number_parse(&number, aic_str(args->words[0]));
    if (number.kind == NUMBER_NOT_E164) {
        (void)fprintf(stderr, "aicaller export: a number is written with its country, as "
                              "+14155550123\n");
        return EXIT_USAGE;
    }
    return direct_command(cli_value(&command_export, args, "config"), run_with, args);
}

const struct cli_command command_export = {
    .name = "export",
    .words = "NUMBER",
    .least_words = 1,
    .most_words = 1,
    .summary = "all that is stored about a number, as JSON",
    .more = "With -o it goes into a new folder, together with the recordings.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"output", 'o', "FOLDER", "a new folder [standard output, without recordings]"}},
    .run = run,
};
