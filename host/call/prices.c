/* SPDX-License-Identifier: ISC */
#include "call/prices.h"

#include "plugin/setup.h"

#include <stddef.h>
#include <string.h>

/* A key of the table, the amount it is the price of, and how many of it one price buys. */
static const struct {
    const char *key;
    size_t offset;
    double per;
} items[] = {
    {"request", offsetof(struct aic_usage, requests), 1},
    {"audio_in_minute", offsetof(struct aic_usage, audio_in_us), 60e6},
    {"audio_out_minute", offsetof(struct aic_usage, audio_out_us), 60e6},
    {"chars_thousand", offsetof(struct aic_usage, chars_billed), 1e3},
    {"credits_thousand", offsetof(struct aic_usage, credits), 1e3},
    {"tokens_out_million", offsetof(struct aic_usage, tokens_out), 1e6},
    {"tokens_cache_write_million", offsetof(struct aic_usage, tokens_cache_write), 1e6},
    {"tokens_audio_in_million", offsetof(struct aic_usage, tokens_audio_in), 1e6},
    {"tokens_audio_out_million", offsetof(struct aic_usage, tokens_audio_out), 1e6},
};

#define PRICE(key, text)                                                                           \
    {                                                                                              \
        .name = (key), .type = AIC_OPTION_FLOAT, .flags = AIC_OPTION_RANGE, .help = (text),        \
        .min = 0, .max = 1e6                                                                       \
    }

static const struct aic_option options[] = {
    PRICE("request", "A request."),
    PRICE("connection_minute", "A minute of a call or of an open connection."),
    {.name = "connection_step",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .help = "Connections are charged in steps of this length: 60s where each begun minute counts.",
     .min = 0,
     .max = 3600000},
    PRICE("audio_in_minute", "A minute of the caller's sound, recognised."),
    PRICE("audio_out_minute", "A minute of speech, made."),
    PRICE("chars_thousand", "A thousand characters, spoken."),
    PRICE("credits_thousand", "A thousand of the vendor's credits."),
    PRICE("tokens_in_million", "A million tokens of input."),
    PRICE("tokens_in_cached_million",
          "A million tokens of input that the vendor had in its cache; else as other input."),
    PRICE("tokens_out_million", "A million tokens of output."),
    PRICE("tokens_cache_write_million", "A million tokens, written to the vendor's cache."),
    PRICE("tokens_audio_in_million", "A million tokens of sound, heard."),
    PRICE("tokens_audio_out_million", "A million tokens of sound, spoken."),
};

const struct settings_table price_table = {options, sizeof(options) / sizeof(options[0]), 0};

static bool is_provider(const struct setup *setup, const char *name, const char **near)
{
    const char *names[PRICES_MAX + 1] = {NULL};
    size_t count = 0;
    for (size_t i = 0; i < setup->provider_count; i++) {
        if (strcmp(setup->providers[i]->name, name) == 0) {
            return true;
        }
        if (count < PRICES_MAX) {
            names[count++] = setup->providers[i]->name;
        }
    }
    *near = config_nearest(name, names);
    return false;
}

void prices_load(struct prices *prices, const struct config_node *group, const struct setup *setup,
                 struct config_problems *problems)
{
    *prices = (struct prices){.count = 0};
    for (size_t i = 0; i < config_count(group); i++) {
        const struct config_node *node = config_at(group, i);
        const char *near = NULL;
        if (config_kind(node) != CONFIG_GROUP || prices->count == PRICES_MAX) {
            config_problem_add(problems, config_pos(node), "prices of \"%s\" must be a group",
                               config_name(node) ? config_name(node) : "");
            continue;
        }
        if (!is_provider(setup, config_name(node), &near)) {
            config_problem_add(problems, config_pos(node), "no provider \"%s\"%s%s%s",
                               config_name(node), near ? "; did you mean \"" : "", near ? near : "",
                               near ? "\"?" : "");
            continue;
        }
        struct price *price = &prices->list[prices->count++];
        price->provider = config_name(node);
        price->settings = settings_check("prices", node, &price_table, 1, NULL, 0, problems);
    }
}

void prices_finish(struct prices *prices)
{
    for (size_t i = 0; i < prices->count; i++) {
        settings_free(prices->list[i].settings);
    }
    prices->count = 0;
}

static const struct settings *find(const struct prices *prices, const char *provider)
{
    for (size_t i = 0; i < prices->count; i++) {
        if (strcmp(prices->list[i].provider, provider) == 0) {
            return prices->list[i].settings;
        }
    }
    return NULL;
}

bool prices_have(const struct prices *prices, const char *provider)
{
    return find(prices, provider) != NULL;
}

static int64_t amount_of(const struct aic_usage *usage, size_t offset)
{
    int64_t amount = 0;
    memcpy(&amount, (const char *)usage + offset, sizeof(amount));
    return amount;
}

static double price_of_connection(const struct settings *s, int64_t connection_us)
{
    int64_t step_us = settings_int(s, "connection_step") * 1000;
    if (step_us > 0) {
        connection_us = (connection_us + step_us - 1) / step_us * step_us;
    }
    return settings_double(s, "connection_minute") * (double)connection_us / 60e6;
}

double prices_of(const struct prices *prices, const char *provider, const struct aic_usage *usage)
{
    const struct settings *s = find(prices, provider);
    if (!s) {
        return 0;
    }
    double sum = price_of_connection(s, usage->connection_us);
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        sum += settings_double(s, items[i].key) * (double)amount_of(usage, items[i].offset) /
               items[i].per;
    }
    double fresh = settings_double(s, "tokens_in_million");
    double cached = settings_has(s, "tokens_in_cached_million")
                        ? settings_double(s, "tokens_in_cached_million")
                        : fresh;
    sum += fresh * (double)(usage->tokens_in - usage->tokens_in_cached) / 1e6;
    sum += cached * (double)usage->tokens_in_cached / 1e6;
    return sum;
}

void usage_add_difference(struct aic_usage *sum, const struct aic_usage *now,
                          const struct aic_usage *before)
{
    size_t end = offsetof(struct aic_usage, tokens_audio_out) + sizeof(int64_t);
    for (size_t at = offsetof(struct aic_usage, requests); at < end; at += sizeof(int64_t)) {
        int64_t more = amount_of(now, at) - (before ? amount_of(before, at) : 0);
        int64_t total = amount_of(sum, at) + (more < 0 ? amount_of(now, at) : more);
        memcpy((char *)sum + at, &total, sizeof(total));
    }
}
