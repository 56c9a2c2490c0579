/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "cli/conf.h"
#include "cli/config_reference.h"
#include "cli/config_show.h"

#include <stdio.h>
#include <string.h>

enum { MAX_TEXT = 16 << 20 };

static int run(const struct cli_args *args)
{
    if (strcmp(args->words[0], "reference") == 0) {
        return config_reference_print();
    }
    if (strcmp(args->words[0], "show") != 0) {
        (void)fprintf(stderr, "aicaller config: expected \"show\" or \"reference\"\n");
        return EXIT_USAGE;
    }
    struct config_problems problems = {.list = NULL};
    struct conf *conf = conf_load(cli_value(&command_config, args, "config"), &problems);
    int status = conf_tell(&problems, false);
    config_problems_finish(&problems);
    if (conf) {
        struct aic_buf text;
        aic_buf_init(&text, MAX_TEXT);
        config_show_text(conf, cli_value(&command_config, args, "resolved") != NULL, &text);
        (void)fputs(text.data ? text.data : "", stdout);
        aic_buf_finish(&text);
    }
    conf_free(conf);
    return conf ? status : EXIT_BAD_CONFIG;
}

const struct cli_command command_config = {
    .name = "config",
    .words = "show | reference",
    .least_words = 1,
    .most_words = 1,
    .summary = "the configuration as understood, secrets masked; or all keys there are",
    .options = {{"config", 'c', "FILE", "the configuration"},
                {"resolved", 0, NULL, "with references replaced; secrets stay masked"}},
    .run = run,
};
