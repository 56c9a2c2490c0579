/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "base/config.h"
#include "cli/cores.h"
#include "io/master.h"
#include "plugin/guard.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct cli_command *const commands[] = {
    &command_serve,   &command_check,   &command_talk,    &command_console, &command_call,
    &command_calls,   &command_show,    &command_hangup,  &command_tail,    &command_top,
    &command_plugins, &command_migrate, &command_config,  &command_key,     &command_user,
    &command_dnc,     &command_erase,   &command_export,  &command_doctor,  &command_number,
    &command_tunnel,  &command_webhook, &command_version,
};

enum { COMMANDS = sizeof(commands) / sizeof(commands[0]) };

const char *cli_value(const struct cli_command *command, const struct cli_args *args,
                      const char *name)
{
    for (size_t i = 0; i < CLI_OPTIONS && command->options[i].name; i++) {
        if (strcmp(command->options[i].name, name) == 0) {
            return args->values[i];
        }
    }
    abort();
}

static void print_usage(FILE *to)
{
    (void)fputs("Usage: aicaller COMMAND [OPTION]...\n\n"
                "Makes and answers phone calls, and holds a spoken conversation.\n\nCommands:\n",
                to);
    for (size_t i = 0; i < COMMANDS; i++) {
        (void)fprintf(to, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
    }
    (void)fputs("\n\"aicaller COMMAND --help\" tells more. To begin: aicaller talk FILE.wav, or "
                "aicaller serve.\n",
                to);
}

static void print_help(const struct cli_command *command)
{
    (void)printf("Usage: aicaller %s [OPTION]...%s%s\n\n%s\n", command->name,
                 command->words[0] ? " " : "", command->words, command->summary);
    if (command->more) {
        (void)printf("\n%s\n", command->more);
    }
    (void)printf("\nOptions:\n");
    for (size_t i = 0; i < CLI_OPTIONS && command->options[i].name; i++) {
        const struct cli_option *option = &command->options[i];
        char letter[4] = {'-', option->letter, ',', '\0'};
        char text[64];
        (void)snprintf(text, sizeof(text), "%s --%s%s%s", option->letter ? letter : "   ",
                       option->name, option->value ? " " : "", option->value ? option->value : "");
        (void)printf("  %-26s %s\n", text, option->help);
    }
    (void)printf("  %-26s %s\n", "-h, --help", "this text");
}

/* The options of a command in the form of getopt_long. */
static void make_table(const struct cli_command *command, struct option *table, char *letters)
{
    size_t count = 0;
    *letters++ = 'h';
    for (; count < CLI_OPTIONS && command->options[count].name; count++) {
        const struct cli_option *option = &command->options[count];
        table[count] = (struct option){.name = option->name,
                                       .has_arg = option->value ? required_argument : no_argument,
                                       .val = (int)(256 + count)};
        if (option->letter) {
            *letters++ = option->letter;
            if (option->value) {
                *letters++ = ':';
            }
        }
    }
    table[count] = (struct option){.name = "help", .val = 'h'};
    table[count + 1] = (struct option){.name = NULL};
    *letters = '\0';
}

static int index_of(const struct cli_command *command, int found)
{
    if (found >= 256) {
        return found - 256;
    }
    for (int i = 0; i < CLI_OPTIONS && command->options[i].name; i++) {
        if (command->options[i].letter == found) {
            return i;
        }
    }
    return -1;
}

/* Returns whether the command may run; *status is the exit status otherwise. */
static bool parse(const struct cli_command *command, int argc, char **argv, struct cli_args *args,
                  int *status)
{
    struct option table[CLI_OPTIONS + 2];
    char letters[2 * CLI_OPTIONS + 2];
    make_table(command, table, letters);
    int found = getopt_long(argc, argv, letters, table, NULL);
    for (; found != -1; found = getopt_long(argc, argv, letters, table, NULL)) {
        int index = index_of(command, found);
        if (found == 'h') {
            print_help(command);
            *status = EXIT_GOOD;
            return false;
        }
        if (index < 0) {
            (void)fprintf(stderr, "Try \"aicaller %s --help\".\n", command->name);
            *status = EXIT_USAGE;
            return false;
        }
        args->values[index] = optarg ? optarg : "";
    }
    for (; optind < argc && args->word_count < CLI_WORDS; optind++) {
        args->words[args->word_count++] = argv[optind];
    }
    if (optind < argc || args->word_count < command->least_words ||
        args->word_count > command->most_words) {
        (void)fprintf(stderr, "aicaller %s: expected %s\nTry \"aicaller %s --help\".\n",
                      command->name, command->words[0] ? command->words : "no further words",
                      command->name);
        *status = EXIT_USAGE;
        return false;
    }
    return true;
}

static int complain(const char *word)
{
    const char *names[COMMANDS + 1] = {NULL};
    for (size_t i = 0; i < COMMANDS; i++) {
        names[i] = commands[i]->name;
    }
    const char *near = config_nearest(word, names);
    (void)fprintf(stderr, "aicaller: no command \"%s\"%s%s%s\nTry \"aicaller --help\".\n", word,
                  near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN);
    guard_report_crashes();
    cores_forbid();
    const char *word = argc > 1 ? argv[1] : "--help";
    if (strcmp(word, MASTER_CHECK_WORD) == 0) {
        return check_child_run(argc - 1, argv + 1);
    }
    if (strcmp(word, MASTER_WORKER_WORD) == 0) {
        return worker_run(argc - 1, argv + 1);
    }
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0) {
        print_usage(argc > 1 ? stdout : stderr);
        return argc > 1 ? EXIT_GOOD : EXIT_USAGE;
    }
    if (strcmp(word, "--version") == 0) {
        word = "version";
    }
    for (size_t i = 0; i < COMMANDS; i++) {
        if (strcmp(commands[i]->name, word) == 0) {
            struct cli_args args = {.word_count = 0};
            int status = EXIT_USAGE;
            return parse(commands[i], argc - 1, argv + 1, &args, &status) ? commands[i]->run(&args)
                                                                          : status;
        }
    }
    return complain(word);
}
