/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/direct.h"
#include "cli/new_password.h"

#include "base/uuid.h"
#include "io/control_client.h"
#include "web/password.h"

#include "json.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

/* The people who may log in to the admin pages. Works on the storage itself, so that the first of
 * them can be made. */

enum { TIMEOUT_MS = 5000, MAX_PARAMS = 4096, MAX_ANSWER = 4096 };

struct job {
    const struct cli_args *args;
    const struct conf *conf;
    struct direct direct;
    const char *name;
    const char *role;
    bool as_json;
};

static const char *option(const struct cli_args *args, const char *name)
{
    return cli_value(&command_user, args, name);
}

/* A running server asks for users and sessions again; without one there is nothing to do. */
static void tell_server(const struct conf *conf)
{
    struct control *control = NULL;
    if (control_open(conf->setup->state_dir, &control) != AIC_OK) {
        return;
    }
    struct aic_buf answer;
    int32_t status = AIC_OK;
    const struct control_question question = {
        .call_id = "", .kind = "users.changed", .body = AIC_STR("{}"), .timeout_ms = TIMEOUT_MS};
    aic_buf_init(&answer, MAX_ANSWER);
    if (control_request(control, &question, &status, &answer) != AIC_OK || status != AIC_OK) {
        (void)fprintf(stderr, "aicaller user: the running server will know it within 5 s\n");
    }
    aic_buf_finish(&answer);
    control_close(control);
}

/* Makes a change, whose answer has to say `done`: true. */
static bool change(struct job *job, const char *name, const struct aic_buf *params,
                   const char *done, const char *otherwise)
{
    struct aic_buf rows;
    aic_buf_init(&rows, MAX_ANSWER);
    bool is_asked = direct_ask(&job->direct, true, name, aic_buf_view(params), &rows);
    struct aic_json *root = is_asked ? aic_json_parse(aic_buf_view(&rows), 0) : NULL;
    const struct aic_json *row = aic_json_at(root, 0);
    bool is_done = aic_json_get_bool(row, done, false);
    if (is_asked && aic_json_get_bool(row, "last_admin", false)) {
        (void)fprintf(stderr,
                      "aicaller user: \"%s\" is the last enabled admin; make another first\n",
                      job->name);
    } else if (is_asked && !is_done) {
        (void)fprintf(stderr, "aicaller user: there is %s \"%s\"\n", otherwise, job->name);
    }
    aic_json_free(root);
    aic_buf_finish(&rows);
    if (is_done) {
        tell_server(job->conf);
    }
    return is_done;
}

static void begin(struct job *job, struct aic_buf *params, struct aic_json_writer *w)
{
    aic_buf_init(params, MAX_PARAMS);
    aic_json_writer_init(w, params);
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", job->name);
}

/* The password as asked for; its hash is written, and it itself told where it was made here. */
static bool put_password(struct job *job, struct aic_json_writer *w, char made[PASSWORD_MADE])
{
    char hash[PASSWORD_HASH];
    const struct new_password wish = {.file = option(job->args, "password-file"),
                                      .is_made = option(job->args, "generate") != NULL};
    if (!new_password_hash(&wish, hash, made)) {
        return false;
    }
    aic_json_member_text(w, "password_hash", hash);
    return true;
}

static void tell_made(const struct job *job, const char *made)
{
    if (made[0]) {
        if (job->as_json) {
            (void)printf("{\"name\":\"%s\",\"password\":\"%s\"}\n", job->name, made);
        } else {
            (void)printf("%s\n", made);
        }
        (void)fprintf(stderr, "This is the only time the password is shown.\n");
    }
}

static bool add(struct job *job)
{
    struct aic_buf params;
    struct aic_json_writer w;
    char made[PASSWORD_MADE];
    char id[UUID_TEXT];
    uuid7_make(id);
    begin(job, &params, &w);
    aic_json_member_text(&w, "user_id", id);
    aic_json_member_text(&w, "role", job->role ? job->role : "viewer");
    bool is_done = put_password(job, &w, made);
    aic_json_close(&w, '}');
    is_done = is_done && change(job, "user.add", &params, "added", "already a user");
    aic_buf_finish(&params);
    if (is_done) {
        tell_made(job, made);
    }
    return is_done;
}

static bool set_password(struct job *job)
{
    struct aic_buf params;
    struct aic_json_writer w;
    char made[PASSWORD_MADE];
    begin(job, &params, &w);
    bool is_done = put_password(job, &w, made);
    aic_json_close(&w, '}');
    is_done = is_done && change(job, "user.set", &params, "changed", "no user");
    aic_buf_finish(&params);
    if (is_done) {
        tell_made(job, made);
    }
    return is_done;
}

static bool set(struct job *job)
{
    struct aic_buf params;
    struct aic_json_writer w;
    begin(job, &params, &w);
    aic_json_member_bool(&w, "keep_admin", true);
    if (job->role) {
        aic_json_member_text(&w, "role", job->role);
    }
    if (option(job->args, "disable") || option(job->args, "enable")) {
        aic_json_member_bool(&w, "disabled", option(job->args, "disable") != NULL);
    }
    aic_json_close(&w, '}');
    bool is_done = change(job, "user.set", &params, "changed", "no user");
    aic_buf_finish(&params);
    return is_done;
}

static bool delete_user(struct job *job)
{
    struct aic_buf params;
    struct aic_json_writer w;
    begin(job, &params, &w);
    aic_json_member_bool(&w, "keep_admin", true);
    aic_json_close(&w, '}');
    bool is_done = change(job, "user.delete", &params, "deleted", "no user");
    aic_buf_finish(&params);
    return is_done;
}

static void print_user(const struct aic_json *row)
{
    static const char *const columns[] = {"name", "role", "created_at", "last_login_at",
                                          "locked_until"};
    static const int widths[] = {20, 9, 24, 24, 24};
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        struct aic_str text = aic_json_get_text(row, columns[i]);
        text = text.len > 0 ? text : AIC_STR("-");
        (void)printf("%-*.*s  ", widths[i], (int)text.len, text.ptr);
    }
    (void)printf("%s\n", aic_json_get_bool(row, "disabled", false) ? "disabled" : "");
}

static bool list(struct job *job)
{
    struct aic_json *users = direct_list(&job->direct, "users", AIC_STR(""), "name");
    if (!users) {
        return false;
    }
    if (job->as_json) {
        struct aic_str text = aic_json_print(users);
        (void)printf("%.*s\n", (int)text.len, text.ptr);
    }
    for (size_t i = 0; !job->as_json && i < aic_json_count(users); i++) {
        print_user(aic_json_at(users, i));
    }
    if (!job->as_json && aic_json_count(users) == 0) {
        (void)fprintf(stderr,
                      "no users; \"aicaller user add NAME --role admin\" makes the first\n");
    }
    aic_json_free(users);
    return true;
}

static const struct {
    const char *verb;
    size_t words;
    bool (*run)(struct job *job);
    const char *options; /* it takes beside -c and --json */
} verbs[] = {{"add", 2, add, "role password-file generate"},
             {"list", 1, list, ""},
             {"set", 2, set, "role disable enable unlock"},
             {"delete", 2, delete_user, ""},
             {"password", 2, set_password, "password-file generate"}};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

/* Whether what was given makes sense together; says why not. */
static bool check_options(const struct job *job, size_t verb)
{
    static const char *const names[] = {"role",    "password-file", "generate",
                                        "disable", "enable",        "unlock"};
    size_t given = 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool is_given = option(job->args, names[i]) != NULL;
        given += is_given;
        if (is_given && !strstr(verbs[verb].options, names[i])) {
            (void)fprintf(stderr, "aicaller user: --%s is not for \"%s\"\n", names[i],
                          verbs[verb].verb);
            return false;
        }
    }
    const char *problem = NULL;
    if (verbs[verb].words == 2) {
        problem = user_name_problem(aic_str(job->name));
    }
    if (job->role && !user_role_scopes(aic_str(job->role))) {
        problem = "--role is viewer, operator or admin";
    } else if (strcmp(verbs[verb].verb, "set") == 0 && given == 0) {
        problem = "expected --role, --disable, --enable or --unlock";
    } else if ((option(job->args, "disable") && option(job->args, "enable")) ||
               (option(job->args, "password-file") && option(job->args, "generate"))) {
        problem = "these two options exclude each other";
    }
    if (problem) {
        (void)fprintf(stderr, "aicaller user: %s\n", problem);
    }
    return !problem;
}

static int run_verb(struct job *job, size_t verb)
{
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(option(job->args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (!conf) {
        return status;
    }
    job->conf = conf;
    status = EXIT_FAILED;
    if (direct_open(&job->direct, conf)) {
        if (direct_prepare(&job->direct) && verbs[verb].run(job)) {
            status = EXIT_GOOD;
        }
        direct_close(&job->direct);
    }
    conf_free(conf);
    return status;
}

static int run(const struct cli_args *args)
{
    struct job job = {.args = args,
                      .name = args->word_count > 1 ? args->words[1] : "",
                      .role = option(args, "role"),
                      .as_json = option(args, "json") != NULL};
    size_t verb = 0;
    while (verb < VERBS && strcmp(verbs[verb].verb, args->words[0]) != 0) {
        verb++;
    }
    if (verb == VERBS || args->word_count != verbs[verb].words) {
        (void)fprintf(stderr, "aicaller user: expected add NAME, list, set NAME, delete NAME or "
                              "password NAME\n");
        return EXIT_USAGE;
    }
    return check_options(&job, verb) ? run_verb(&job, verb) : EXIT_USAGE;
}

const struct cli_command command_user = {
    .name = "user",
    .words = "add NAME | list | set NAME | delete NAME | password NAME",
    .least_words = 1,
    .most_words = 2,
    .summary = "the people who may log in to the admin pages",
    .more = "A viewer looks at calls, with numbers masked; an operator also ends, transfers and "
            "places\ncalls; an admin does everything. Whoever is changed is signed out at once.",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"role", 0, "ROLE", "viewer, operator or admin [add: viewer]"},
                {"password-file", 0, "FILE", "read the password there; - is standard input"},
                {"generate", 0, NULL, "make a password and print it"},
                {"disable", 0, NULL, "the user can not log in"},
                {"enable", 0, NULL, "the user can log in again"},
                {"unlock", 0, NULL, "end a lock after wrong passwords"},
                {"json", 0, NULL, "the answer as JSON"}},
    .run = run,
};
