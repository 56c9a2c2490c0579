/* SPDX-License-Identifier: ISC */
#include "call/gate_rules.h"

#include "call/number.h"

#include "buf.h"

#include <string.h>

enum { DAYS = 7, ALL_DAYS = 127, PREFIX_DIGITS = 15 };

static bool take_minute(const char **at, int *minute)
{
    const char *c = *at;
    for (int i = 0; i < 5; i++) {
        if (i == 2 ? c[i] != ':' : c[i] < '0' || c[i] > '9') {
            return false;
        }
    }
    int hours = (c[0] - '0') * 10 + (c[1] - '0');
    int minutes = (c[3] - '0') * 10 + (c[4] - '0');
    *minute = hours * 60 + minutes;
    *at = c + 5;
    return minutes < 60 && *minute <= 24 * 60;
}

bool gate_hours_parse(const char *text, struct gate_window *window)
{
    return take_minute(&text, &window->from_minute) && *text++ == '-' &&
           take_minute(&text, &window->until_minute) && *text == '\0' &&
           window->from_minute < window->until_minute;
}

static bool take_day(const char **at, int *day)
{
    static const char *const names[DAYS] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};
    for (int i = 0; i < DAYS; i++) {
        if (strncmp(*at, names[i], 3) == 0) {
            *day = i;
            *at += 3;
            return true;
        }
    }
    return false;
}

bool gate_days_parse(const char *text, unsigned *days)
{
    int first = 0;
    if (!take_day(&text, &first)) {
        return false;
    }
    int last = first;
    if (*text == '-') {
        text++;
        if (!take_day(&text, &last)) {
            return false;
        }
    }
    for (int day = first; *text == '\0'; day = (day + 1) % DAYS) {
        *days |= 1u << day;
        if (day == last) {
            return true;
        }
    }
    return false;
}

static bool is_prefix(const char *text)
{
    size_t digits = strspn(text + 1, "0123456789");
    return text[0] == '+' && text[1] != '0' && digits > 0 && digits <= PREFIX_DIGITS &&
           text[1 + digits] == '\0';
}

static void check_allow(const struct settings *settings, struct config_problems *problems)
{
    for (uint32_t i = 0; i < settings_list_count(settings, "allow"); i++) {
        const char *item = settings_list_item(settings, "allow", i);
        if (strcmp(item, "*") == 0 || is_prefix(item) || number_region_exists(aic_str(item))) {
            continue;
        }
        config_problem_add(problems, settings_pos(settings, "allow"),
                           "\"%s\" is no region such as \"IN\" or \"GB\", no beginning of numbers "
                           "such as \"+4420\", and not \"*\"",
                           item);
    }
}

/* What `settings` says of hours and days; what it does not say stays as it is. */
static void take_window(const struct settings *settings, struct gate_window *window,
                        struct config_problems *problems)
{
    const char *hours = settings_string(settings, "hours");
    if (hours && !gate_hours_parse(hours, window)) {
        config_problem_add(problems, settings_pos(settings, "hours"),
                           "\"%s\" are no hours of a day such as \"09:00-20:00\"", hours);
    }
    unsigned days = 0;
    uint32_t count = settings_list_count(settings, "days");
    for (uint32_t i = 0; i < count; i++) {
        const char *item = settings_list_item(settings, "days", i);
        if (!gate_days_parse(item, &days)) {
            config_problem_add(problems, settings_pos(settings, "days"),
                               "\"%s\" is no day such as \"mon\" or \"mon-fri\"", item);
        }
    }
    window->days = count > 0 ? days : window->days;
}

static bool zone_exists(const char *name)
{
    for (size_t i = 0; i < number_zones(); i++) {
        if (strcmp(number_zone_name(i), name) == 0) {
            return true;
        }
    }
    return false;
}

static void take_region(struct gate_rules *rules, const struct config_node *node,
                        struct config_problems *problems)
{
    const char *name = config_name(node);
    if (!number_region_exists(aic_str(name)) || config_kind(node) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(node),
                           "expected a region such as \"IN\" with a group { hours, days, zone }");
        return;
    }
    if (rules->region_count == GATE_REGIONS) {
        config_problem_add(problems, config_pos(node), "at most %d regions", GATE_REGIONS);
        return;
    }
    struct gate_region *region = &rules->regions[rules->region_count++];
    (void)aic_str_copy(aic_str(name), region->region, sizeof(region->region));
    region->window = rules->window;
    region->settings = settings_check("region", node, &gate_region_table, 1, NULL, 0, problems);
    take_window(region->settings, &region->window, problems);
    region->zone = settings_string(region->settings, "zone");
    if (region->zone && !zone_exists(region->zone)) {
        config_problem_add(problems, settings_pos(region->settings, "zone"),
                           "\"%s\" is no time zone of telephone numbers such as \"Asia/Calcutta\"",
                           region->zone);
    }
}

void gate_rules_load(struct gate_rules *rules, const struct config_node *group,
                     struct config_problems *problems)
{
    static const char *const groups[] = {"regions", NULL};
    *rules = (struct gate_rules){.window = {.days = ALL_DAYS}};
    struct settings *settings =
        settings_check("outbound", group, &gate_table, 1, groups, 0, problems);
    rules->settings = settings;
    check_allow(settings, problems);
    take_window(settings, &rules->window, problems);
    rules->calls_per_second = settings_double(settings, "calls_per_second");
    rules->max_concurrent = settings_int(settings, "max_concurrent");
    rules->max_per_minute = settings_int(settings, "max_per_minute");
    rules->max_per_hour = settings_int(settings, "max_per_hour");
    rules->max_per_day = settings_int(settings, "max_per_day");
    const struct config_node *regions = config_get(group, "regions");
    if (regions && config_kind(regions) != CONFIG_GROUP) {
        config_problem_add(problems, config_pos(regions),
                           "expected a group such as { IN = { hours = \"09:00-20:00\"; }; }");
        return;
    }
    for (size_t i = 0; i < config_count(regions); i++) {
        take_region(rules, config_at(regions, i), problems);
    }
}

void gate_rules_finish(struct gate_rules *rules)
{
    for (size_t i = 0; i < rules->region_count; i++) {
        settings_free(rules->regions[i].settings);
    }
    settings_free(rules->settings);
    *rules = (struct gate_rules){.region_count = 0};
}

bool gate_rules_dial(const struct gate_rules *rules)
{
    return settings_list_count(rules->settings, "allow") > 0;
}

bool gate_rules_allow_region(const struct gate_rules *rules, const char *region)
{
    for (uint32_t i = 0; i < settings_list_count(rules->settings, "allow"); i++) {
        const char *item = settings_list_item(rules->settings, "allow", i);
        if (strcmp(item, "*") == 0 || strcmp(item, region) == 0) {
            return true;
        }
    }
    return false;
}

bool gate_rules_allow_prefix(const struct gate_rules *rules, struct aic_str number)
{
    for (uint32_t i = 0; i < settings_list_count(rules->settings, "allow"); i++) {
        const char *item = settings_list_item(rules->settings, "allow", i);
        if (item[0] == '+' && aic_str_starts(number, item)) {
            return true;
        }
    }
    return false;
}

static const struct gate_region *find_region(const struct gate_rules *rules, const char *region)
{
    for (size_t i = 0; i < rules->region_count; i++) {
        if (strcmp(rules->regions[i].region, region) == 0) {
            return &rules->regions[i];
        }
    }
    return NULL;
}

const struct gate_window *gate_rules_window(const struct gate_rules *rules, const char *region)
{
    const struct gate_region *found = find_region(rules, region);
    return found ? &found->window : &rules->window;
}

const char *gate_rules_zone(const struct gate_rules *rules, const char *region)
{
    const struct gate_region *found = find_region(rules, region);
    return found ? found->zone : NULL;
}

static const struct aic_option options[] = {
    {.name = "allow",
     .type = AIC_OPTION_LIST,
     .help = "Who may be dialled: regions such as \"IN\", beginnings of numbers such as \"+4420\", "
             "or \"*\" for everywhere. Empty: nobody."},
    {.name = "hours",
     .type = AIC_OPTION_STRING,
     .fallback = "08:00-21:00",
     .help = "When, by the clock of whom is called; in all time zones the number may be in."},
    {.name = "days",
     .type = AIC_OPTION_LIST,
     .help = "On which days, such as [ \"mon-fri\", \"sun\" ]. Empty: on all."},
    {.name = "calls_per_second",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .help = "How fast this host dials; further calls wait for their turn up to a minute.",
     .min = 0.01,
     .max = 1000},
    {.name = "max_concurrent",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "10",
     .help = "Dialled calls at the same time, of all hosts on one database.",
     .min = 1,
     .max = 1000000},
    {.name = "max_per_minute",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "10",
     .help = "Dialled calls within any minute, of all hosts on one database.",
     .min = 1,
     .max = 1000000},
    {.name = "max_per_hour",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "60",
     .help = "The same within any hour.",
     .min = 1,
     .max = 1000000},
    {.name = "max_per_day",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "500",
     .help = "The same within any 24 hours.",
     .min = 1,
     .max = 10000000},
};

const struct settings_table gate_table = {.options = options,
                                          .count = sizeof(options) / sizeof(options[0])};

static const struct aic_option region_options[] = {
    {.name = "hours", .type = AIC_OPTION_STRING, .help = "Instead of outbound.hours."},
    {.name = "days", .type = AIC_OPTION_LIST, .help = "Instead of outbound.days."},
    {.name = "zone",
     .type = AIC_OPTION_STRING,
     .help = "The time zone of numbers that do not say where in the region they are, such as "
             "mobile ones in Russia; else all zones of the region count."},
};

const struct settings_table gate_region_table = {
    .options = region_options, .count = sizeof(region_options) / sizeof(region_options[0])};
