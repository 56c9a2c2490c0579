/* SPDX-License-Identifier: ISC */
#include "call/retention.h"

#define CLASS(class, text, usual)                                                                  \
    {                                                                                              \
        .name = (class), .type = AIC_OPTION_DURATION, .flags = AIC_OPTION_RANGE,                   \
        .fallback = (usual), .help = (text), .min = 0, .max = 3.2e12                               \
    }

/* The classes come first, as in retention_rules.keep_us; retention.c finds them by name. */
static const struct aic_option options[] = {
    CLASS("recordings", "Recordings, with their files, from when they began.", "0"),
    CLASS("messages", "What was said.", "0"),
    CLASS("events", "What happened in calls.", "0"),
    CLASS("turns", "Latencies.", "0"),
    CLASS("usage", "What providers were used for, and cost.", "0"),
    CLASS("calls", "Calls, with all that belongs to them, recordings too.", "0"),
    CLASS("consents", "Consents that were given.", "0"),
    CLASS("do_not_call", "Entries that were removed; others stay for ever.", "0"),
    CLASS("audit", "Who did what.", "0"),
    CLASS("erasures", "Receipts of erasures.", "0"),
    CLASS("work",
          "Jobs, reservations, answers to repeated requests, tokens and sessions that are "
          "over.",
          "7d"),
    {.name = "every",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1h",
     .help = "How often it is looked.",
     .min = 1000,
     .max = 86400000},
};

const struct settings_table retention_table = {.options = options,
                                               .count = sizeof(options) / sizeof(options[0])};

_Static_assert(sizeof(options) / sizeof(options[0]) == RETENTION_CLASSES + 1,
               "a class for each place in the rules, and `every`");

void retention_load(struct retention_rules *rules, const struct settings *settings,
                    struct config_problems *problems)
{
    static const int64_t hour_ms = 3600000;
    rules->every_us = settings_int(settings, "every") * 1000;
    for (size_t i = 0; i < RETENTION_CLASSES; i++) {
        int64_t keep_ms = settings_int(settings, options[i].name);
        rules->keep_us[i] = keep_ms * 1000;
        if (keep_ms > 0 && keep_ms < hour_ms) {
            /* A plain number is milliseconds: 30 would delete everything. */
            config_problem_add(problems, settings_pos(settings, options[i].name),
                               "%s is less than an hour: write days as \"30d\", or 0 for ever",
                               options[i].name);
        }
    }
}
