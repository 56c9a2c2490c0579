/* SPDX-License-Identifier: ISC */
#ifndef CLI_CLI_H
#define CLI_CLI_H
/*
 * The command line: what a command is, and the arguments it gets. Data goes to standard output, all
 * else to standard error.
 */
#include <stdbool.h>
#include <stddef.h>

enum { EXIT_GOOD = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_BAD_CONFIG = 78 };

enum { CLI_OPTIONS = 12, CLI_WORDS = 16 };

struct cli_option {
    const char *name;  /* long, without dashes */
    char letter;       /* 0 = none */
    const char *value; /* what its value is called in the help; NULL = a switch */
    const char *help;
};

/* What was given. */
struct cli_args {
    const char *values[CLI_OPTIONS]; /* by index in the command's options; a switch is "" */
    const char *words[CLI_WORDS];    /* what is no option */
    size_t word_count;
};

struct cli_command {
    const char *name;
    const char *words; /* for the help, such as "WAV" or "[ID]" */
    size_t least_words;
    size_t most_words;
    const char *summary;
    const char *more; /* further help; NULL */
    struct cli_option options[CLI_OPTIONS];
    int (*run)(const struct cli_args *args);
};

/* Value of an option by its name in the command, NULL when it was not given. */
const char *cli_value(const struct cli_command *command, const struct cli_args *args,
                      const char *name);

extern const struct cli_command command_serve;
extern const struct cli_command command_check;
extern const struct cli_command command_talk;
extern const struct cli_command command_console;
extern const struct cli_command command_call;
extern const struct cli_command command_calls;
extern const struct cli_command command_show;
extern const struct cli_command command_hangup;
extern const struct cli_command command_tail;
extern const struct cli_command command_top;
extern const struct cli_command command_plugins;
extern const struct cli_command command_migrate;
extern const struct cli_command command_config;
extern const struct cli_command command_key;
extern const struct cli_command command_dnc;
extern const struct cli_command command_erase;
extern const struct cli_command command_export;
extern const struct cli_command command_doctor;
extern const struct cli_command command_number;
extern const struct cli_command command_tunnel;
extern const struct cli_command command_user;
extern const struct cli_command command_version;
extern const struct cli_command command_webhook;

/* The server's children, see io/master.h. */
int check_child_run(int argc, char **argv);
int worker_run(int argc, char **argv);

#endif
