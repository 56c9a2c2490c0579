/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/uuid.h"
#include "call/number.h"
#include "call/recordings.h"
#include "call/spool_erase.h"
#include "cli/direct.h"
#include "io/control_client.h"

#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * Everything of a number, or of a call, for ever. The storage comes first, in one transaction: when
 * it can not do it nothing else is touched. What is still on its way there is told by a tombstone
 * that it is not wanted any more.
 */

enum { MAX_ANSWER = 32 << 20, TIMEOUT_MS = 10000, PAGE = 200, MAX_REASON = 1000, SLICES = 10000 };

struct erasure {
    struct direct *direct;
    const struct conf *conf;
    const char *number;  /* NULL: one call */
    const char *call_id; /* NULL: a number */
    char (*call_ids)[UUID_TEXT];
    size_t count;
    struct aic_json *receipt;
    uint64_t deleted;   /* files */
    uint64_t elsewhere; /* files that are not here */
    uint64_t stuck;     /* files that can not be deleted */
    uint64_t spooled;   /* facts */
};

static struct aic_json *ask(struct erasure *e, bool is_change, const char *name,
                            struct aic_str params)
{
    struct aic_buf rows;
    aic_buf_init(&rows, MAX_ANSWER);
    struct aic_json *root = direct_ask(e->direct, is_change, name, params, &rows)
                                ? aic_json_parse(aic_buf_view(&rows), MAX_ANSWER)
                                : NULL;
    aic_buf_finish(&rows);
    return root;
}

static bool is_about(const struct erasure *e, const struct aic_json *call)
{
    return e->number ? aic_str_equal(aic_json_get_text(call, "from"), e->number) ||
                           aic_str_equal(aic_json_get_text(call, "to"), e->number)
                     : aic_str_equal(aic_json_get_text(call, "call_id"), e->call_id);
}

/* A call that goes on would go on to be written down. */
static bool is_live(const struct erasure *e)
{
    struct control *control = NULL;
    struct aic_buf answer;
    int32_t status = AIC_OK;
    bool found = false;
    const struct control_question question = {
        .call_id = "", .kind = "calls.list", .body = AIC_STR(""), .timeout_ms = TIMEOUT_MS};
    if (control_open(e->conf->setup->state_dir, &control) != AIC_OK) {
        return false;
    }
    aic_buf_init(&answer, MAX_ANSWER);
    if (control_request(control, &question, &status, &answer) != AIC_OK || status != AIC_OK) {
        (void)fprintf(stderr, "aicaller erase: the running server does not say which calls go on; "
                              "try again\n");
        found = true;
    } else {
        struct aic_json *calls = aic_json_parse(aic_buf_view(&answer), MAX_ANSWER);
        for (size_t i = 0; i < aic_json_count(calls) && !found; i++) {
            const struct aic_json *call = aic_json_at(calls, i);
            struct aic_str id = aic_json_get_text(call, "call_id");
            found = is_about(e, call);
            if (found) {
                (void)fprintf(stderr,
                              "aicaller erase: call %.*s goes on; end it first: aicaller hangup "
                              "%.*s\n",
                              (int)id.len, id.ptr, (int)id.len, id.ptr);
            }
        }
        aic_json_free(calls);
    }
    aic_buf_finish(&answer);
    control_close(control);
    return found;
}

static bool keep_ids(struct erasure *e, const struct aic_json *rows)
{
    size_t more = aic_json_count(rows);
    char(*grown)[UUID_TEXT] = realloc(e->call_ids, (e->count + more + 1) * sizeof(*grown));
    if (!grown) {
        return false;
    }
    e->call_ids = grown;
    for (size_t i = 0; i < more; i++) {
        (void)aic_str_copy(aic_json_get_text(aic_json_at(rows, i), "call_id"),
                           e->call_ids[e->count++], UUID_TEXT);
    }
    return true;
}

/* The calls that the storage knows. */
static bool find_calls(struct erasure *e)
{
    size_t found = PAGE;
    if (e->call_id) {
        e->call_ids = malloc(sizeof(*e->call_ids));
        e->count = e->call_ids ? 1 : 0;
        return e->call_ids && aic_str_copy(aic_str(e->call_id), e->call_ids[0], UUID_TEXT);
    }
    for (int page = 1; found == PAGE; page++) {
        char params[128];
        (void)snprintf(params, sizeof(params), "{\"number\":\"%s\",\"per_page\":%d,\"page\":%d}",
                       e->number, (int)PAGE, page);
        struct aic_json *rows = ask(e, false, "calls", aic_str(params));
        found = aic_json_count(rows);
        bool is_kept = rows && keep_ids(e, rows);
        aic_json_free(rows);
        if (!is_kept) {
            return false;
        }
    }
    return true;
}

static bool is_confirmed(const struct erasure *e, const struct cli_args *args)
{
    if (cli_value(&command_erase, args, "yes")) {
        return true;
    }
    (void)fprintf(stderr,
                  "Everything of %s is deleted for ever: %zu calls with their transcripts and "
                  "recordings.\n",
                  e->number ? e->number : e->call_id, e->count);
    if (isatty(STDIN_FILENO)) {
        char answer[16] = "";
        (void)fprintf(stderr, "Type \"yes\": ");
        if (fgets(answer, sizeof(answer), stdin) && strcmp(answer, "yes\n") == 0) {
            return true;
        }
    }
    (void)fprintf(stderr, "Nothing was erased; --yes does it.\n");
    return false;
}

static bool erase_storage(struct erasure *e, const struct cli_args *args)
{
    const char *reason = cli_value(&command_erase, args, "reason");
    const char *confirm = cli_value(&command_erase, args, "confirm-calls");
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 8192);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, e->number ? "number" : "call_id", e->number ? e->number : e->call_id);
    aic_json_member_text(&w, "actor", "command line");
    if (reason) {
        aic_json_member_text(&w, "reason", reason);
    }
    if (confirm) {
        aic_json_member_int(&w, "confirm_calls", strtoll(confirm, NULL, 10));
    }
    aic_json_close(&w, '}');
    e->receipt = ask(e, true, "erase", aic_buf_view(&params));
    aic_buf_finish(&params);
    return e->receipt != NULL;
}

static void delete_files(struct erasure *e)
{
    const struct aic_json *files = aic_json_get(aic_json_at(e->receipt, 0), "files");
    char folder[4096];
    (void)snprintf(folder, sizeof(folder), "%s/recordings", e->conf->setup->state_dir);
    for (size_t i = 0; i < aic_json_count(files); i++) {
        struct aic_str path = aic_json_text(aic_json_at(files, i));
        char name[RECORDINGS_NAME];
        int32_t status =
            recordings_name(path, name) ? recordings_delete(folder, name) : AIC_ERROR_NOT_FOUND;
        e->deleted += status == AIC_OK;
        e->elsewhere += status == AIC_ERROR_NOT_FOUND;
        e->stuck += status == AIC_ERROR_IO;
        if (status != AIC_OK) {
            (void)fprintf(stderr, "aicaller erase: %.*s %s\n", (int)path.len, path.ptr,
                          status == AIC_ERROR_IO ? "can not be deleted"
                                                 : "is not in this host's folder of recordings");
        }
    }
}

/* Files that other hosts of a fleet have are deleted by those, as long as the receipt is open. */
static bool close_receipt(struct erasure *e)
{
    bool is_shared = e->direct->provider->storage_caps.flags & AIC_STORAGE_SHARED;
    char params[96];
    if (e->stuck > 0 || (is_shared && e->elsewhere > 0)) {
        return true;
    }
    struct aic_str id = aic_json_get_text(aic_json_at(e->receipt, 0), "erasure_id");
    (void)snprintf(params, sizeof(params), "{\"erasure_id\":\"%.*s\"}", (int)id.len, id.ptr);
    struct aic_json *answer = ask(e, true, "erase.done", aic_str(params));
    aic_json_free(answer);
    return answer != NULL;
}

/* Until the words have left the files of the database, too. */
static void tidy(struct erasure *e)
{
    bool more = true;
    for (int i = 0; more && i < SLICES; i++) {
        struct aic_json *answer = ask(e, true, "maintain", AIC_STR("{}"));
        more = aic_json_get_bool(aic_json_at(answer, 0), "more", false);
        aic_json_free(answer);
    }
}

static bool erase_spool(struct erasure *e)
{
    char folder[4096];
    char error[4096] = "";
    const struct spool_erase what = {
        .number = e->number, .call_ids = (const char(*)[UUID_TEXT])e->call_ids, .count = e->count};
    (void)snprintf(folder, sizeof(folder), "%s/spool", e->conf->setup->state_dir);
    if (spool_erase(folder, &what, &e->spooled, error, sizeof(error)) != AIC_OK) {
        (void)fprintf(stderr,
                      "aicaller erase: the storage has forgotten it, but not a spool; try again: "
                      "%s\n",
                      error);
        return false;
    }
    return true;
}

static void print_receipt(const struct erasure *e, bool as_json)
{
    const struct aic_json *receipt = aic_json_at(e->receipt, 0);
    struct aic_str id = aic_json_get_text(receipt, "erasure_id");
    struct aic_str at = aic_json_get_text(receipt, "at");
    struct aic_str counts = aic_json_print(aic_json_get(receipt, "counts"));
    if (as_json) {
        (void)printf("{\"erasure_id\":\"%.*s\",\"at\":\"%.*s\",\"calls\":%" PRId64
                     ",\"counts\":%.*s,\"files\":{\"deleted\":%" PRIu64 ",\"not_here\":%" PRIu64
                     ",\"failed\":%" PRIu64 "},\"spooled\":%" PRIu64 "}\n",
                     (int)id.len, id.ptr, (int)at.len, at.ptr,
                     aic_json_get_int(receipt, "calls", 0), (int)counts.len, counts.ptr, e->deleted,
                     e->elsewhere, e->stuck, e->spooled);
        return;
    }
    (void)printf("receipt %.*s of %.*s\n  rows: %.*s\n  recordings deleted: %" PRIu64 "\n",
                 (int)id.len, id.ptr, (int)at.len, at.ptr, (int)counts.len, counts.ptr, e->deleted);
}

static int run_erasure(struct erasure *e, const struct cli_args *args)
{
    if (is_live(e) || !direct_prepare(e->direct) || !find_calls(e) || !is_confirmed(e, args) ||
        !erase_storage(e, args)) {
        return EXIT_FAILED;
    }
    bool is_clean = erase_spool(e);
    delete_files(e);
    is_clean = close_receipt(e) && is_clean && e->stuck == 0;
    tidy(e);
    print_receipt(e, cli_value(&command_erase, args, "json") != NULL);
    return is_clean ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct conf *conf, const struct cli_args *args)
{
    struct direct direct;
    const char *word = args->words[0];
    struct erasure e = {.direct = &direct,
                        .conf = conf,
                        .number = word[0] == '+' ? word : NULL,
                        .call_id = word[0] == '+' ? NULL : word};
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    int status = run_erasure(&e, args);
    aic_json_free(e.receipt);
    free(e.call_ids);
    direct_close(&direct);
    return status;
}

static int run(const struct cli_args *args)
{
    const char *word = args->words[0];
    const char *reason = cli_value(&command_erase, args, "reason");
    struct number number = {.kind = NUMBER_KNOWN};
    if (word[0] == '+') {
        number_parse(&number, aic_str(word));
    }
    if (number.kind == NUMBER_NOT_E164 || (word[0] != '+' && !uuid_valid(aic_str(word)))) {
        (void)fprintf(stderr, "aicaller erase: expected a number with its country, as "
                              "+14155550123, or the id of a call\n");
        return EXIT_USAGE;
    }
    if (reason && strlen(reason) > MAX_REASON) {
        (void)fprintf(stderr, "aicaller erase: --reason has at most 1000 bytes\n");
        return EXIT_USAGE;
    }
    return direct_command(cli_value(&command_erase, args, "config"), run_with, args);
}

const struct cli_command command_erase = {
    .name = "erase",
    .words = "NUMBER|CALL_ID",
    .least_words = 1,
    .most_words = 1,
    .summary = "delete everything of a number, or of a call, for ever",
    .more = "Calls, transcripts, recordings and jobs go; the do-not-call list keeps a hash of the\n"
            "number, so that it is not called again. The receipt is kept in the database.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"yes", 'y', NULL, "do not ask"},
                {"reason", 0, "TEXT", "why, for the receipt; without names"},
                {"confirm-calls", 0, "COUNT", "of a number with more than 1000 calls: how many"},
                {"json", 0, NULL, "the receipt as JSON"}},
    .run = run,
};
