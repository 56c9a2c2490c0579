/* SPDX-License-Identifier: ISC */
#include "call_rig.h"

#include "plugin/registry.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const nothing[] = {NULL};
static const char *const reprompts[] = {"Are you there?", "Hello?", NULL};
static const char *const fillers[] = {"One moment, please.", "Just a second.", NULL};
static const char *const unclear[] = {"Pardon?", NULL};
static const char *const transfers[] = {"+15550100", NULL};

static void keep_fact(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                      void (*done)(void *data, int32_t status), void *data)
{
    struct rig *rig = (struct rig *)((char *)journal - offsetof(struct rig, journal));
    (void)is_durable;
    size_t i = 0;
    while (i < rig->fact_count && strcmp(rig->facts[i].id, fact->id) != 0) {
        i++;
    }
    if (i == RIG_FACTS) {
        abort();
    }
    struct rig_fact *kept = &rig->facts[i];
    if (i == rig->fact_count) {
        rig->fact_count++;
        (void)snprintf(kept->table, sizeof(kept->table), "%s", fact->table);
        (void)snprintf(kept->id, sizeof(kept->id), "%s", fact->id);
    } else if (fact->revision <= kept->revision) {
        (void)fprintf(stderr, "rig: %s %s goes back to revision %llu\n", fact->table, fact->id,
                      (unsigned long long)fact->revision);
        abort();
    }
    kept->revision = fact->revision;
    free(kept->columns);
    kept->columns = aic_str_dup(fact->columns);
    if (done) {
        done(data, AIC_OK);
    }
}

static struct provider *make_provider(struct rig *rig, const char *name,
                                      const struct rig_settings *settings)
{
    char error[REGISTRY_ERROR_TEXT];
    char text[512];
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    (void)snprintf(text, sizeof(text),
                   "p = { stt_flags = %u; llm_flags = %u; line_flags = %u; aligns = %d; "
                   "streams_in = %d; };",
                   settings->stt_flags, settings->llm_flags, settings->line_flags, settings->aligns,
                   settings->streams_in);
    const struct aic_plugin *plugin = registry_adopt(fake_vendor_plugin(), error);
    if (!plugin || config_parse("rig", aic_str(text), NULL, &problems, &config) != AIC_OK) {
        abort();
    }
    struct settings_table table = {plugin->options, plugin->option_count, plugin->option_size};
    struct settings *checked =
        settings_check(name, config_get(config_root(config), "p"), &table, 1, NULL, 0, &problems);
    struct provider *provider =
        provider_create(name, plugin, checked, &rig->env, error, sizeof(error));
    if (!provider || problems.errors > 0) {
        (void)fprintf(stderr, "rig: %s\n", error);
        abort();
    }
    config_problems_finish(&problems);
    config_free(config);
    return provider;
}

static void set_times(struct fake_vendor *vendor)
{
    vendor->stt_delay_us = 50000;
    vendor->llm_delay_us = 100000;
    vendor->token_us = 20000;
    vendor->tts_delay_us = 60000;
}

static void make_agent(struct rig *rig)
{
    struct agent *agent = &rig->agent;
    static char name[] = "default";
    *agent = (struct agent){
        .name = name,
        .prompt = "Be brief.",
        .greeting = "Hello, how can I help?",
        .farewell = "Goodbye.",
        .apology = "Sorry, something is broken. Goodbye.",
        .opt_out = "You will not be called again.",
        .language = "en",
        .voice = "",
        .numbers = nothing,
        .goodbyes = nothing,
        .reprompts = reprompts,
        .unclear = unclear,
        .fillers = fillers,
        .transfers = transfers,
        .turn_settings = {.endpointing_min_us = 500000,
                          .endpointing_max_us = 3000000,
                          .interrupt_min_us = 500000,
                          .resume_after_us = 2000000,
                          .early_answer = true},
        .max_duration_us = 600 * INT64_C(1000000),
        .reprompt_after_us = 8000000,
        .reprompt_limit = 2,
        .memory_tokens = 6000,
        .min_confidence = 0.4,
    };
    struct chain *chains[] = {&agent->stt, &agent->llm, &agent->tts};
    for (size_t i = 0; i < 3; i++) {
        chains[i]->providers[chains[i]->count++] = rig->main;
        if (rig->spare) {
            chains[i]->providers[chains[i]->count++] = rig->spare;
        }
    }
}

static void call_replied(void *data, struct call *call, struct aic_str text)
{
    struct rig *rig = data;
    (void)call;
    free(rig->last_reply);
    rig->last_reply = aic_str_dup(text);
}

static void call_ended(void *data, struct call *call)
{
    struct rig *rig = data;
    (void)call;
    rig->has_ended = true;
}

static void note_change(void *data, const char *name, struct aic_str params, storage_reply reply,
                        void *reply_data)
{
    struct rig *rig = data;
    (void)reply;
    (void)reply_data;
    aic_buf_printf(&rig->changes, "%s ", name);
    aic_buf_str(&rig->changes, params);
    aic_buf_char(&rig->changes, '\n');
}

static void make_gate(struct rig *rig)
{
    struct config_problems problems = {.list = NULL};
    gate_rules_load(&rig->rules, NULL, &problems);
    const struct gate_settings settings = {.sched = vsched_sched(rig->v),
                                           .journal = &rig->journal,
                                           .rules = &rig->rules,
                                           .zone_folder = "",
                                           .ports = {.change = note_change, .data = rig}};
    rig->gate = gate_create(&settings);
    config_problems_finish(&problems);
}

struct rig *rig_create(const struct rig_settings *settings)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    rig->v = vsched_create(1);
    rig->env = (struct plugin_env){.sched = vsched_sched(rig->v), .public_url = ""};
    rig->journal.write = keep_fact;
    rig->main = make_provider(rig, "main", settings);
    rig->vendor = fake_vendor_of(rig->main);
    set_times(rig->vendor);
    if (settings->with_spare) {
        rig->spare = make_provider(rig, "spare", settings);
        rig->reserve = fake_vendor_of(rig->spare);
        set_times(rig->reserve);
    }
    make_agent(rig);
    aic_buf_init(&rig->changes, 65536);
    if (settings->has_gate) {
        make_gate(rig);
    }
    fake_fetch_init(&rig->fetch, vsched_sched(rig->v));
    rig->call_env = (struct call_env){.sched = vsched_sched(rig->v),
                                      .journal = &rig->journal,
                                      .gate = rig->gate,
                                      .fetch = &rig->fetch.fetch,
                                      .recordings_dir = settings->recordings_dir};
    if (settings->prepare) {
        settings->prepare(rig, settings->data);
    }
    const struct call_params params = {.agent = &rig->agent,
                                       .direction = settings->is_outbound ? AIC_DIRECTION_OUTBOUND
                                                                          : AIC_DIRECTION_INBOUND,
                                       .from = AIC_STR("+15550111"),
                                       .to = AIC_STR("+15550122"),
                                       .provider = "main",
                                       .is_text = settings->is_text};
    const struct call_hooks hooks = {.replied = call_replied, .ended = call_ended, .data = rig};
    rig->call = call_create(&rig->call_env, &params, &hooks);
    return rig;
}

void rig_destroy(struct rig *rig)
{
    call_destroy(rig->call);
    vsched_run(rig->v, 0);
    provider_destroy(rig->main);
    provider_destroy(rig->spare);
    free(rig->line);
    gate_destroy(rig->gate);
    gate_rules_finish(&rig->rules);
    aic_buf_finish(&rig->changes);
    for (size_t i = 0; i < rig->fact_count; i++) {
        free(rig->facts[i].columns);
    }
    vsched_destroy(rig->v);
    free(rig->last_reply);
    free(rig);
}

void rig_begin(struct rig *rig, const struct fake_speech *speeches, size_t count)
{
    rig->line = fake_line_open(rig->vendor, rig->call, speeches, count);
}

void rig_hears(struct rig *rig, const char *text)
{
    rig->vendor->heard[rig->vendor->heard_count++].text = text;
}

void rig_says(struct rig *rig, const char *text)
{
    rig->vendor->replies[rig->vendor->reply_count++].text = text;
}

void rig_run(struct rig *rig, int64_t ms)
{
    vsched_run(rig->v, ms * 1000);
}

const char *rig_fact(const struct rig *rig, const char *table, size_t n)
{
    for (size_t i = 0; i < rig->fact_count; i++) {
        if (strcmp(rig->facts[i].table, table) == 0 && n-- == 0) {
            return rig->facts[i].columns;
        }
    }
    return NULL;
}

size_t rig_count(const struct rig *rig, const char *table)
{
    size_t count = 0;
    while (rig_fact(rig, table, count)) {
        count++;
    }
    return count;
}

const char *rig_text(const struct rig *rig, const char *table, size_t n, const char *key)
{
    static char text[4096];
    const char *columns = rig_fact(rig, table, n);
    struct aic_json *root = columns ? aic_json_parse(aic_str(columns), 0) : NULL;
    (void)aic_str_copy(aic_json_get_text(root, key), text, sizeof(text));
    aic_json_free(root);
    return text;
}

int64_t rig_int(const struct rig *rig, const char *table, size_t n, const char *key)
{
    const char *columns = rig_fact(rig, table, n);
    struct aic_json *root = columns ? aic_json_parse(aic_str(columns), 0) : NULL;
    int64_t value = aic_json_get_int(root, key, -1);
    aic_json_free(root);
    return value;
}

bool rig_has_event(const struct rig *rig, const char *type)
{
    for (size_t i = 0; i < rig_count(rig, "events"); i++) {
        if (strcmp(rig_text(rig, "events", i, "type"), type) == 0) {
            return true;
        }
    }
    return false;
}
