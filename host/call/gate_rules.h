/* SPDX-License-Identifier: ISC */
#ifndef CALL_GATE_RULES_H
#define CALL_GATE_RULES_H
/*
 * Who may be dialled, when, and how often: the group "outbound" of the configuration and what
 * limits.max_cost_per_day says.
 */
#include "base/settings.h"

enum { GATE_REGIONS = 64 };

/* When people may be called, by the clock where they are. */
struct gate_window {
    int from_minute;
    int until_minute; /* the first in which nobody is called any more; 1440 = midnight */
    unsigned days;    /* bit 0 = Monday */
};

/* What is different for a region. */
struct gate_region {
    char region[4];
    struct gate_window window;
    const char *zone; /* of numbers that do not say where they are; NULL = all of the region */
    struct settings *settings;
};

struct gate_rules {
    struct settings *settings;
    struct gate_window window;
    struct gate_region regions[GATE_REGIONS];
    size_t region_count;
    double calls_per_second;
    int64_t max_concurrent;
    int64_t max_per_minute;
    int64_t max_per_hour;
    int64_t max_per_day;
    double max_cost_per_call; /* what is set aside for a call; 0 = no limit */
    double max_cost_per_day;  /* 0 = no limit */
};

/* Tables for checking and for docs/configuration.md. */
extern const struct settings_table gate_table;
extern const struct settings_table gate_region_table;

/* Reads the group "outbound"; the costs are set by who knows them. Usable only without errors. */
void gate_rules_load(struct gate_rules *rules, const struct config_node *group,
                     struct config_problems *problems);
void gate_rules_finish(struct gate_rules *rules);

/* Whether anybody may be dialled at all. */
bool gate_rules_dial(const struct gate_rules *rules);
/* Whether a region is on the list, or everywhere is. */
bool gate_rules_allow_region(const struct gate_rules *rules, const char *region);
/* Whether the list has a beginning of this number. */
bool gate_rules_allow_prefix(const struct gate_rules *rules, struct aic_str number);
const struct gate_window *gate_rules_window(const struct gate_rules *rules, const char *region);
/* The zone that stands for the region; NULL. */
const char *gate_rules_zone(const struct gate_rules *rules, const char *region);

/* "09:00-20:00"; false if it is none. */
bool gate_hours_parse(const char *text, struct gate_window *window);
/* "mon", "mon-fri"; adds to `days`. */
bool gate_days_parse(const char *text, unsigned *days);

#endif
