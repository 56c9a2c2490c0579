/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/uuid.h"
#include "call/webhook.h"
#include "cli/direct.h"
#include "cli/webhook_try.h"

#include "base64.h"
#include "json.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

/* What was told to other systems, and what was not. */

enum { MAX_ANSWER = 16 << 20, SECRET_BYTES = 32, LATEST = 100 };

static int print_secret(void)
{
    uint8_t key[SECRET_BYTES];
    char text[AIC_BASE64_ENCODED(SECRET_BYTES) + 1] = "";
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        (void)fprintf(stderr, "aicaller webhook: the system gives no random bytes\n");
        return EXIT_FAILED;
    }
    text[aic_base64_encode(text, key, sizeof(key))] = '\0';
    (void)printf("whsec_%s\n", text);
    return EXIT_GOOD;
}

/* A question to the storage; its answer, or NULL after saying what went wrong. */
static struct aic_json *ask(struct direct *direct, bool is_change, const char *name,
                            struct aic_str params)
{
    struct aic_buf rows;
    aic_buf_init(&rows, MAX_ANSWER);
    struct aic_json *root = direct_ask(direct, is_change, name, params, &rows)
                                ? aic_json_parse(aic_buf_view(&rows), MAX_ANSWER)
                                : NULL;
    aic_buf_finish(&rows);
    return root;
}

static void print_cell(struct aic_str text, int width)
{
    text = text.len > 0 ? text : AIC_STR("-");
    (void)printf("%-*.*s%s", width, (int)text.len, text.ptr, width > 0 ? "  " : "\n");
}

static void print_job(const struct webhook_endpoint *endpoint, const struct aic_json *job)
{
    print_cell(aic_json_get_text(job, "job_id"), 36);
    print_cell(aic_json_get_text(job, "created_at"), 24);
    print_cell(aic_str(endpoint->name), 12);
    print_cell(aic_json_get_text(aic_json_get(job, "note"), "event"), 16);
    print_cell(aic_json_get_text(job, "state"), 7);
    (void)printf("%2d  ", (int)aic_json_get_int(job, "attempts", 0));
    print_cell(aic_json_get_text(job, "last_error"), 0);
}

/* The latest deliveries of each endpoint. */
static int list(struct direct *direct, const struct conf *conf, bool as_json)
{
    struct aic_buf all;
    aic_buf_init(&all, MAX_ANSWER);
    int status = EXIT_GOOD;
    for (size_t i = 0; i < conf->webhooks.count && status == EXIT_GOOD; i++) {
        const struct webhook_endpoint *endpoint = &conf->webhooks.list[i];
        char params[160];
        (void)snprintf(params, sizeof(params), "{\"kind\":\"%s\",\"limit\":%d}", endpoint->kind,
                       LATEST);
        struct aic_json *jobs = ask(direct, false, "jobs", aic_str(params));
        status = jobs ? EXIT_GOOD : EXIT_FAILED;
        for (size_t k = 0; k < aic_json_count(jobs); k++) {
            const struct aic_json *job = aic_json_at(jobs, k);
            if (as_json) {
                aic_buf_text(&all, all.len > 0 ? "," : "");
                aic_buf_str(&all, aic_json_print(job));
            } else {
                print_job(endpoint, job);
            }
        }
        aic_json_free(jobs);
    }
    if (as_json) {
        (void)printf("[%.*s]\n", (int)all.len, all.len > 0 ? all.data : "");
    }
    aic_buf_finish(&all);
    return status;
}

/* The same event once more, with the id that receivers know. */
static void write_copy(const struct aic_json *job, const char *id, struct aic_buf *to)
{
    static const char *const kept[] = {"kind", "payload"};
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "job_id", id);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        aic_json_key(&w, kept[i]);
        aic_json_put_node(&w, aic_json_get(job, kept[i]));
    }
    if (aic_json_get_text(job, "call_id").len > 0) {
        aic_json_member(&w, "call_id", aic_json_get_text(job, "call_id"));
    }
    aic_json_close(&w, '}');
}

static int redeliver(struct direct *direct, const char *job_id)
{
    char params[96];
    char id[UUID_TEXT];
    struct aic_buf copy;
    if (!uuid_valid(aic_str(job_id))) {
        (void)fprintf(stderr, "aicaller webhook: %s is no id; see aicaller webhook list\n", job_id);
        return EXIT_USAGE;
    }
    (void)snprintf(params, sizeof(params), "{\"job_id\":\"%s\"}", job_id);
    struct aic_json *jobs = ask(direct, false, "job", aic_str(params));
    const struct aic_json *job = aic_json_at(jobs, 0);
    if (!jobs || !aic_str_starts(aic_json_get_text(job, "kind"), "webhook:")) {
        (void)fprintf(stderr, "aicaller webhook: there is no delivery of this id\n");
        aic_json_free(jobs);
        return EXIT_FAILED;
    }
    aic_buf_init(&copy, MAX_ANSWER);
    uuid7_make(id);
    write_copy(job, id, &copy);
    struct aic_json *added = ask(direct, true, "job.add", aic_buf_view(&copy));
    aic_buf_finish(&copy);
    aic_json_free(jobs);
    if (added) {
        (void)printf("%s\n", id);
    }
    aic_json_free(added);
    return added ? EXIT_GOOD : EXIT_FAILED;
}

static int try(const struct conf *conf, const char *name)
{
    const struct webhook_endpoint *endpoint = webhook_conf_find(&conf->webhooks, name);
    struct webhook_try_result result;
    if (!endpoint) {
        (void)fprintf(stderr, "aicaller webhook: there is no webhooks.%s in %s\n", name,
                      conf->name);
        return EXIT_FAILED;
    }
    webhook_try(conf, endpoint, &result);
    if (result.http_status > 0) {
        (void)printf("%s answered %d", name, (int)result.http_status);
        (void)(result.took_ms >= 0 ? printf(" after %lld ms\n", (long long)result.took_ms)
                                   : printf("\n"));
    } else {
        (void)fprintf(stderr, "aicaller webhook: %s was not reached: %s\n", name, result.error);
    }
    return result.http_status >= 200 && result.http_status <= 299 ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct conf *conf, const struct cli_args *args)
{
    const char *verb = args->words[0];
    if (strcmp(verb, "test") == 0) {
        return try(conf, args->words[1]);
    }
    struct direct direct;
    int status = EXIT_FAILED;
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    if (direct_prepare(&direct)) {
        bool as_json = cli_value(&command_webhook, args, "json") != NULL;
        status = strcmp(verb, "list") == 0 ? list(&direct, conf, as_json)
                                           : redeliver(&direct, args->words[1]);
    }
    direct_close(&direct);
    return status;
}

static bool is_understood(const struct cli_args *args)
{
    static const struct {
        const char *verb;
        size_t words;
    } verbs[] = {{"secret", 1}, {"list", 1}, {"redeliver", 2}, {"test", 2}};

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(args->words[0], verbs[i].verb) == 0) {
            return args->word_count == verbs[i].words;
        }
    }
    return false;
}

static int run(const struct cli_args *args)
{
    if (!is_understood(args)) {
        (void)fprintf(stderr,
                      "aicaller webhook: expected list, redeliver ID, test NAME or secret\n");
        return EXIT_USAGE;
    }
    if (strcmp(args->words[0], "secret") == 0) {
        return print_secret();
    }
    return direct_command(cli_value(&command_webhook, args, "config"), run_with, args);
}

const struct cli_command command_webhook = {
    .name = "webhook",
    .words = "list | redeliver ID | test NAME | secret",
    .least_words = 1,
    .most_words = 2,
    .summary = "what was told to other systems; try one; make a secret",
    .more =
        "list prints the latest deliveries of each endpoint: id, time, endpoint, event, state,\n"
        "tries and the last error. redeliver sends one once more, by a running server. test\n"
        "sends an event \"webhook.test\" at once.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"json", 0, NULL, "the list as JSON"}},
    .run = run,
};
