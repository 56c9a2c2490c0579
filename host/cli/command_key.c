/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/direct.h"

#include "base/uuid.h"
#include "io/control_client.h"
#include "web/key_record.h"
#include "web/keyring.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* API keys: made here and shown once; what is kept of them is a hash. */

enum { MAX_NAME = API_KEY_NAME - 1, TIMEOUT_MS = 5000 };

/* A running server asks for its keys again; without one there is nothing to do. */
static void tell_server(const struct conf *conf)
{
    struct control *control = NULL;
    if (control_open(conf->setup->state_dir, &control) != AIC_OK) {
        return;
    }
    struct aic_buf answer;
    int32_t status = AIC_OK;
    const struct control_question question = {
        .call_id = "", .kind = "keys.changed", .body = AIC_STR("{}"), .timeout_ms = TIMEOUT_MS};
    aic_buf_init(&answer, 1024);
    if (control_request(control, &question, &status, &answer) != AIC_OK || status != AIC_OK) {
        (void)fprintf(stderr, "aicaller key: the running server will know it within %lld s\n",
                      (long long)(KEYRING_FRESH_US / 1000000));
    }
    aic_buf_finish(&answer);
    control_close(control);
}

static bool is_active(const struct aic_json *row)
{
    struct api_key key;
    return keyring_read(row, (int64_t)time(NULL) * 1000000, &key);
}

static struct aic_json *read_keys(struct direct *direct)
{
    return direct_list(direct, "api_keys", AIC_STR(""), "key_id");
}

/* The id of the usable key of a name; false when there is none. */
static bool find_key(const struct aic_json *keys, const char *name, char id[UUID_TEXT])
{
    for (size_t i = 0; i < aic_json_count(keys); i++) {
        const struct aic_json *row = aic_json_at(keys, i);
        if (is_active(row) && aic_str_equal(aic_json_get_text(row, "name"), name)) {
            return aic_str_copy(aic_json_get_text(row, "key_id"), id, UUID_TEXT);
        }
    }
    return false;
}

/* "read,call" as bits; NONE when there is a word that is no scope. */
static uint32_t parse_scopes(const char *text)
{
    uint32_t scopes = API_SCOPE_NONE;
    while (*text) {
        size_t length = strcspn(text, ",");
        uint32_t scope = api_scope_find((struct aic_str){text, length});
        if (scope == API_SCOPE_NONE) {
            return API_SCOPE_NONE;
        }
        scopes |= scope;
        text += length + (text[length] == ',');
    }
    return scopes;
}

/* What `key add` was given. */
struct wish {
    const char *name;
    uint32_t scopes;
    int64_t per_minute; /* 0 = the usual */
    int64_t expires_ms; /* 0 = never */
};

static bool read_wish(const struct cli_args *args, struct wish *wish)
{
    const char *scopes = cli_value(&command_key, args, "scope");
    const char *expires = cli_value(&command_key, args, "expires");
    const char *limit = cli_value(&command_key, args, "per-minute");
    char *rest = NULL;
    *wish = (struct wish){.name = args->words[1],
                          .scopes = scopes ? parse_scopes(scopes) : API_SCOPE_READ | API_SCOPE_CALL,
                          .per_minute = limit ? strtoll(limit, &rest, 10) : 0};
    if (wish->name[0] == '\0' || strlen(wish->name) > MAX_NAME) {
        (void)fprintf(stderr, "aicaller key: a name has 1 to %d bytes\n", (int)MAX_NAME);
        return false;
    }
    if (wish->scopes == API_SCOPE_NONE) {
        (void)fprintf(stderr,
                      "aicaller key: --scope is a list of \"read\", \"call\" and \"admin\"\n");
        return false;
    }
    if (limit && (*rest != '\0' || wish->per_minute < 1 || wish->per_minute > KEY_PER_MINUTE_MAX)) {
        (void)fprintf(stderr, "aicaller key: --per-minute is a number from 1 to 1000000\n");
        return false;
    }
    if (expires &&
        (!settings_parse_duration(expires, &wish->expires_ms) || wish->expires_ms <= 0)) {
        (void)fprintf(stderr, "aicaller key: --expires is a time such as \"720h\"\n");
        return false;
    }
    return true;
}

static int add(struct direct *direct, const struct conf *conf, const struct wish *wish,
               bool as_json)
{
    uint8_t random[API_KEY_RANDOM];
    char key[API_KEY_TEXT];
    char id[UUID_TEXT];
    struct aic_json *keys = read_keys(direct);
    bool is_taken = find_key(keys, wish->name, id);
    bool is_known = keys != NULL;
    aic_json_free(keys);
    if (is_taken) {
        (void)fprintf(stderr, "aicaller key: there is a key \"%s\" already; remove it first\n",
                      wish->name);
        return EXIT_FAILED;
    }
    if (!is_known || getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random)) {
        return EXIT_FAILED;
    }
    struct aic_buf params;
    struct aic_buf rows;
    aic_buf_init(&params, 4096);
    aic_buf_init(&rows, 4096);
    api_key_make(key, random);
    const struct key_record record = {
        .name = wish->name,
        .scopes = wish->scopes,
        .per_minute = wish->per_minute,
        .expires_wall_us =
            wish->expires_ms > 0 ? ((int64_t)time(NULL) * 1000 + wish->expires_ms) * 1000 : 0};
    key_record_write(&params, &record, key, id);
    bool is_added = direct_ask(direct, true, "api_key.add", aic_buf_view(&params), &rows);
    aic_buf_finish(&rows);
    aic_buf_finish(&params);
    if (!is_added) {
        return EXIT_FAILED;
    }
    (void)printf(as_json ? "{\"key\":\"%s\"}\n" : "%s\n", key);
    (void)fprintf(stderr, "This is the only time the key is shown. Use it as:\n"
                          "    Authorization: Bearer KEY\n");
    tell_server(conf);
    return EXIT_GOOD;
}

static void print_key(const struct aic_json *row)
{
    static const char *const columns[] = {"name", "prefix", "created_at", "used_at", "expires_at"};
    static const int widths[] = {20, 12, 24, 24, 24};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct aic_str text = aic_json_get_text(row, columns[i]);
        text = text.len > 0 ? text : AIC_STR("-");
        (void)printf("%-*.*s  ", widths[i], (int)text.len, text.ptr);
    }
    const struct aic_json *scopes = aic_json_get(row, "scopes");
    for (size_t i = 0; i < aic_json_count(scopes); i++) {
        struct aic_str scope = aic_json_text(aic_json_at(scopes, i));
        (void)printf("%s%.*s", i > 0 ? "," : "", (int)scope.len, scope.ptr);
    }
    (void)printf("\n");
}

static int list(struct direct *direct, bool as_json)
{
    struct aic_json *keys = read_keys(direct);
    if (!keys) {
        return EXIT_FAILED;
    }
    size_t shown = 0;
    (void)printf("%s", as_json ? "[" : "");
    for (size_t i = 0; i < aic_json_count(keys); i++) {
        const struct aic_json *row = aic_json_at(keys, i);
        if (!is_active(row)) {
            continue;
        }
        if (as_json) {
            struct aic_str text = aic_json_print(row);
            (void)printf("%s%.*s", shown > 0 ? "," : "", (int)text.len, text.ptr);
        } else {
            print_key(row);
        }
        shown++;
    }
    (void)printf("%s", as_json ? "]\n" : "");
    if (shown == 0 && !as_json) {
        (void)fprintf(stderr, "no API keys; the API answers this machine alone\n");
    }
    aic_json_free(keys);
    return EXIT_GOOD;
}

static int remove_key(struct direct *direct, const struct conf *conf, const char *name)
{
    char id[UUID_TEXT];
    char params[64];
    struct aic_json *keys = read_keys(direct);
    bool is_found = find_key(keys, name, id);
    aic_json_free(keys);
    if (!is_found) {
        (void)fprintf(stderr, "aicaller key: there is no key \"%s\"\n", name);
        return EXIT_FAILED;
    }
    struct aic_buf rows;
    aic_buf_init(&rows, 4096);
    (void)snprintf(params, sizeof(params), "{\"key_id\":\"%s\"}", id);
    bool is_removed = direct_ask(direct, true, "api_key.revoke", aic_str(params), &rows);
    aic_buf_finish(&rows);
    if (is_removed) {
        tell_server(conf);
    }
    return is_removed ? EXIT_GOOD : EXIT_FAILED;
}

static int run_with(const struct conf *conf, const struct cli_args *args, const struct wish *wish)
{
    struct direct direct;
    bool as_json = cli_value(&command_key, args, "json") != NULL;
    int status = EXIT_FAILED;
    if (!direct_open(&direct, conf)) {
        return EXIT_FAILED;
    }
    if (direct_prepare(&direct)) {
        status = wish->name                            ? add(&direct, conf, wish, as_json)
                 : strcmp(args->words[0], "list") == 0 ? list(&direct, as_json)
                                                       : remove_key(&direct, conf, args->words[1]);
    }
    direct_close(&direct);
    return status;
}

static int run(const struct cli_args *args)
{
    const char *verb = args->words[0];
    struct wish wish = {.name = NULL};
    bool is_list = strcmp(verb, "list") == 0;
    bool is_add = strcmp(verb, "add") == 0;
    if ((!is_list && !is_add && strcmp(verb, "remove") != 0) ||
        args->word_count != (is_list ? 1 : 2)) {
        (void)fprintf(stderr, "aicaller key: expected add NAME, list or remove NAME\n");
        return EXIT_USAGE;
    }
    if (is_add && !read_wish(args, &wish)) {
        return EXIT_USAGE;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_key, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (conf) {
        status = run_with(conf, args, &wish);
    }
    conf_free(conf);
    return status;
}

const struct cli_command command_key = {
    .name = "key",
    .words = "add NAME | list | remove NAME",
    .least_words = 1,
    .most_words = 2,
    .summary = "API keys, for everybody but this machine itself",
    .more = "A key that is added is printed once, on standard output. A removed key is refused at "
            "once\nby a running server.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"scope", 0, "LIST", "what it may do: read, call, admin [read,call]"},
                {"expires", 0, "TIME", "it ends after this time, such as 720h [never]"},
                {"per-minute", 0, "NUMBER", "requests a minute [limits.requests_per_key]"},
                {"json", 0, NULL, "the answer as JSON"}},
    .run = run,
};
