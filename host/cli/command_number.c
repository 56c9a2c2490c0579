/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/log.h"
#include "cli/carrier.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A carrier's telephone numbers: which there are, where they lead, and to lead one here. */

enum { MAX_ANSWER = 256 * 1024, MAX_PAGES = 100 };

enum verb { LIST = 0, SHOW = 1, SET = 2 };

struct wish {
    enum verb verb;
    const char *number; /* "" = the provider's own */
    bool as_json;
    bool is_sure;
    bool detaches;
};

static bool option(const struct cli_args *args, const char *name)
{
    return cli_value(&command_number, args, name) != NULL;
}

/* "number", "number +1555...", "number list", "number show [PHONE]", "number set [PHONE]". */
static bool take_wish(const struct cli_args *args, struct wish *wish)
{
    static const char *const verbs[] = {"list", "show", "set"};
    *wish = (struct wish){.verb = args->word_count > 0 ? SET : SHOW,
                          .number = "",
                          .as_json = option(args, "json"),
                          .is_sure = option(args, "yes"),
                          .detaches = option(args, "detach")};
    size_t used = 0;
    for (size_t i = 0; args->word_count > 0 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(args->words[0], verbs[i]) == 0) {
            wish->verb = (enum verb)i;
            used = 1;
        }
    }
    if (args->word_count > used) {
        wish->number = args->words[used++];
    }
    return args->word_count <= used && (wish->verb != LIST || !wish->number[0]) &&
           (!wish->number[0] || wish->number[0] == '+');
}

static void complain(const char *why)
{
    (void)fprintf(stderr, "aicaller number: %s\n", why);
}

/* The answer as a document; NULL after saying why there is none. */
static struct aic_json *ask(struct carrier *carrier, const char *verb, const struct aic_buf *params)
{
    struct aic_buf answer;
    char why[CARRIER_WHY] = "";
    aic_buf_init(&answer, MAX_ANSWER);
    struct aic_json *root = NULL;
    if (carrier_ask(carrier, verb, aic_buf_view(params), &answer, why) != AIC_OK) {
        complain(why);
    } else {
        root = aic_json_parse(aic_buf_view(&answer), MAX_ANSWER);
        if (!root) {
            complain("the carrier's plugin answers with nonsense");
        }
    }
    aic_buf_finish(&answer);
    return root;
}

static struct aic_json *ask_number(struct carrier *carrier, const char *verb,
                                   const struct wish *wish)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 4096);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "number", wish->number);
    aic_json_member_bool(&w, "detach", wish->detaches);
    aic_json_close(&w, '}');
    struct aic_json *root = ask(carrier, verb, &params);
    aic_buf_finish(&params);
    return root;
}

static void print_text(const char *name, struct aic_str text)
{
    if (text.len > 0) {
        (void)printf("  %-16s %.*s\n", name, (int)text.len, text.ptr);
    }
}

static void print_number(const struct aic_json *root)
{
    const struct aic_json *wanted = aic_json_get(root, "wanted");
    struct aic_str number = aic_json_get_text(root, "number");
    (void)printf("%.*s\n", (int)number.len, number.ptr);
    print_text("name", aic_json_get_text(root, "friendly_name"));
    print_text("application", aic_json_get_text(root, "voice_application_sid"));
    print_text("trunk", aic_json_get_text(root, "trunk_sid"));
    print_text("rings at", aic_json_get_text(root, "voice_url"));
    print_text("reports to", aic_json_get_text(root, "status_callback"));
    if (aic_json_get_bool(root, "is_set", false)) {
        (void)printf("  leads to this server\n");
    } else {
        print_text("to ring at", aic_json_get_text(wanted, "voice_url"));
        print_text("to report to", aic_json_get_text(wanted, "status_callback"));
    }
}

static void print_json(const struct aic_json *root)
{
    struct aic_str text = aic_json_print(root);
    (void)printf("%.*s\n", (int)text.len, text.ptr);
}

static int show(struct carrier *carrier, const struct wish *wish)
{
    struct aic_json *root = ask_number(carrier, "number.show", wish);
    if (root) {
        (wish->as_json ? print_json : print_number)(root);
    }
    int status = root ? EXIT_GOOD : EXIT_FAILED;
    aic_json_free(root);
    return status;
}

/* Whether the person at the terminal says yes; without one nobody does. */
static bool confirm(void)
{
    char line[16] = "";
    if (!isatty(STDIN_FILENO)) {
        complain("nothing was changed; add --yes to change it");
        return false;
    }
    (void)printf("Change it? [y/N] ");
    (void)fflush(stdout);
    return fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y');
}

static int set(struct carrier *carrier, const struct wish *wish)
{
    struct aic_json *is = ask_number(carrier, "number.show", wish);
    struct aic_json *done = NULL;
    bool is_set = aic_json_get_bool(is, "is_set", false);
    if (is && (!wish->as_json || is_set)) {
        (wish->as_json ? print_json : print_number)(is);
    }
    if (is && !is_set && (wish->is_sure || confirm())) {
        done = ask_number(carrier, "number.set", wish);
    }
    bool is_good = is_set || aic_json_get_bool(done, "is_set", false);
    if (done && wish->as_json) {
        print_json(done);
    } else if (done && is_good) {
        (void)printf("changed\n");
    }
    if (done && !is_good) {
        complain("the carrier took it, but the number still leads elsewhere");
    }
    aic_json_free(is);
    aic_json_free(done);
    return is_good ? EXIT_GOOD : EXIT_FAILED;
}

static void print_row(const struct aic_json *number)
{
    struct aic_str phone = aic_json_get_text(number, "number");
    struct aic_str url = aic_json_get_text(number, "voice_url");
    bool is_bound = aic_json_get_text(number, "voice_application_sid").len > 0 ||
                    aic_json_get_text(number, "trunk_sid").len > 0;
    const char *where = aic_json_get_bool(number, "is_set", false) ? "this server"
                        : is_bound                                 ? "an application or trunk"
                                                                   : "";
    (void)printf("%-16.*s  %s", (int)phone.len, phone.ptr, where);
    if (where[0] == '\0') {
        (void)printf("%.*s", (int)url.len, url.ptr);
    }
    (void)printf("\n");
}

/* Adds a page's numbers, and writes what to ask for the next; false when there is none. */
static bool add_page(const struct aic_json *page, struct aic_buf *all, struct aic_buf *params)
{
    const struct aic_json *numbers = aic_json_get(page, "numbers");
    struct aic_str next = aic_json_get_text(page, "next");
    struct aic_json_writer w;
    for (size_t i = 0; i < aic_json_count(numbers); i++) {
        (void)aic_buf_text(all, all->len > 1 ? "," : "");
        (void)aic_buf_str(all, aic_json_print(aic_json_at(numbers, i)));
    }
    aic_buf_clear(params);
    aic_json_writer_init(&w, params);
    aic_json_open(&w, '{');
    aic_json_member(&w, "page", next);
    aic_json_close(&w, '}');
    return next.len > 0;
}

/* All numbers as one document; NULL after saying why there is none. */
static struct aic_json *ask_all(struct carrier *carrier)
{
    struct aic_buf all;
    struct aic_buf params;
    bool has_more = true;
    bool is_good = true;
    aic_buf_init(&all, MAX_ANSWER);
    aic_buf_init(&params, 4096);
    (void)aic_buf_char(&all, '[');
    (void)aic_buf_text(&params, "{}");
    for (int i = 0; i < MAX_PAGES && has_more; i++) {
        struct aic_json *page = ask(carrier, "number.list", &params);
        is_good = page != NULL;
        has_more = is_good && add_page(page, &all, &params);
        aic_json_free(page);
    }
    (void)aic_buf_char(&all, ']');
    struct aic_json *root = is_good ? aic_json_parse(aic_buf_view(&all), MAX_ANSWER) : NULL;
    if (is_good && !root) {
        complain("that are too many numbers to list");
    }
    aic_buf_finish(&params);
    aic_buf_finish(&all);
    return root;
}

static int list(struct carrier *carrier, const struct wish *wish)
{
    struct aic_json *all = ask_all(carrier);
    if (all && wish->as_json) {
        print_json(all);
    }
    for (size_t i = 0; !wish->as_json && i < aic_json_count(all); i++) {
        print_row(aic_json_at(all, i));
    }
    int status = all ? EXIT_GOOD : EXIT_FAILED;
    aic_json_free(all);
    return status;
}

static int act(struct conf *conf, const struct wish *wish, const char *provider)
{
    static int (*const actions[])(struct carrier * carrier, const struct wish *wish) = {list, show,
                                                                                        set};
    const struct setup_provider *setup = carrier_find(conf, provider);
    struct net net;
    struct carrier carrier;
    char why[CARRIER_WHY] = "";
    if (!setup) {
        complain(provider ? "no agent has a carrier of this name under telephony"
                          : "no agent has a carrier with numbers under telephony");
        return EXIT_FAILED;
    }
    if (!net_open(&net, conf)) {
        complain("out of memory");
        return EXIT_FAILED;
    }
    int status = EXIT_FAILED;
    if (carrier_open(&carrier, &net, conf, setup, why) == AIC_OK) {
        status = actions[wish->verb](&carrier, wish);
        carrier_close(&carrier);
    } else {
        complain(why);
    }
    net_close(&net);
    return status;
}

static int run(const struct cli_args *args)
{
    struct wish wish;
    const char *env = cli_value(&command_number, args, "env");
    if (!take_wish(args, &wish)) {
        (void)fprintf(stderr, "aicaller number: expected list, show or set, and a number such as "
                              "+15551234567\nTry \"aicaller number --help\".\n");
        return EXIT_USAGE;
    }
    if (env && conf_read_env(env) != 0) {
        return EXIT_FAILED;
    }
    log_setup(LOG_FORMAT_AUTO, AIC_LOG_ERROR);
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_number, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (conf) {
        status = act(conf, &wish, cli_value(&command_number, args, "provider"));
    }
    conf_free(conf);
    return status;
}

const struct cli_command command_number = {
    .name = "number",
    .words = "[list|show|set] [PHONE]",
    .least_words = 0,
    .most_words = 2,
    .summary = "point a carrier's number at this server",
    .more =
        "list    the account's numbers and where they lead\n"
        "show    where one leads, and where it would; PHONE is the provider's `from` by default\n"
        "set     show it, ask, and lead it to server.public_url; a PHONE alone means the same",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"env", 0, "FILE", "NAME=value lines for env: values"},
                {"provider", 0, "NAME", "which carrier; the first of the agents otherwise"},
                {"detach", 0, NULL, "take the number out of its application or trunk"},
                {"yes", 'y', NULL, "do not ask"},
                {"json", 0, NULL, "as JSON"}},
    .run = run,
};
