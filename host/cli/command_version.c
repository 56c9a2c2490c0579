/* SPDX-License-Identifier: ISC */
#include "cli/cli.h"

#include "buf.h"
#include "json.h"

#include <aicaller/abi.h>
#include <stdio.h>

static int run(const struct cli_args *args)
{
    if (!cli_value(&command_version, args, "json")) {
        (void)printf("aicaller %s\nplugin ABI %u.%u\n", AICALLER_VERSION, AIC_ABI_MAJOR,
                     AIC_ABI_MINOR);
        return EXIT_GOOD;
    }
    (void)printf("{\"version\":\"%s\",\"abi\":\"%u.%u\"}\n", AICALLER_VERSION, AIC_ABI_MAJOR,
                 AIC_ABI_MINOR);
    return EXIT_GOOD;
}

const struct cli_command command_version = {
    .name = "version",
    .words = "",
    .summary = "version and plugin ABI",
    .options = {{"json", 0, NULL, "as a JSON object"}},
    .run = run,
};
