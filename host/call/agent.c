/* SPDX-License-Identifier: ISC */
#include "call/agent.h"

#include "call/call.h"
#include "call/recorder_opus.h"

#include "plugin/guard.h"
#include "plugin/setup.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_HINTS = 8192 };

static const char *const default_reprompts[] = {"Are you still there?",
                                                "I can not hear you. Is anybody there?", NULL};
static const char *const default_fillers[] = {"One moment, please.", "Just a second.", NULL};
static const char *const default_unclear[] = {
    "Sorry, I did not catch that. Could you say it again?",
    "I did not understand. Please repeat that.", NULL};
static const char *const none[] = {NULL};

/* A list option as a NULL-terminated array; `fallback` where it is empty. */
static const char *const *take_list(const struct settings *settings, const char *name,
                                    const char *const *fallback)
{
    uint32_t count = settings_list_count(settings, name);
    if (count == 0) {
        return fallback;
    }
    const char **list = calloc((size_t)count + 1, sizeof(*list));
    if (!list) {
        return fallback;
    }
    for (uint32_t i = 0; i < count; i++) {
        list[i] = settings_list_item(settings, name, i);
    }
    return list;
}

static void free_list(const char *const *list)
{
    if (list && list != default_reprompts && list != default_unclear && list != default_fillers &&
        list != none) {
        union {
            const char *const *given;
            void *memory;
        } cast = {.given = list};

        free(cast.memory);
    }
}

static int64_t ms_of(const struct settings *settings, const char *name)
{
    return settings_int(settings, name) * 1000;
}

static void take_texts(struct agent *agent)
{
    const struct settings *s = agent->settings;
    agent->prompt = settings_string(s, "prompt");
    agent->greeting = settings_string(s, "greeting");
    agent->farewell = settings_string(s, "farewell");
    agent->opt_out = settings_string(s, "opt_out");
    agent->apology = settings_string(s, "apology");
    agent->language = settings_string(s, "language");
    agent->voice = settings_string(s, "voice");
    agent->numbers = take_list(s, "numbers", none);
    agent->goodbyes = take_list(s, "goodbye", none);
    agent->reprompts = take_list(s, "reprompt", default_reprompts);
    agent->unclear = take_list(s, "unclear", default_unclear);
    agent->fillers = take_list(s, "filler", default_fillers);
    agent->transfers = take_list(s, "transfer", none);
}

static void take_numbers(struct agent *agent)
{
    const struct settings *turn = agent->turn;
    agent->max_duration_us = ms_of(agent->settings, "max_duration");
    agent->min_confidence = settings_double(agent->settings, "min_confidence");
    agent->memory_tokens = settings_int(agent->settings, "memory_tokens");
    agent->record = settings_bool(agent->settings, "record");
    agent->filler_after_us = ms_of(agent->settings, "filler_after");
    agent->reprompt_after_us = ms_of(agent->silence, "reprompt_after_ms");
    agent->reprompt_limit = settings_int(agent->silence, "reprompts");
    agent->turn_settings = (struct turn_settings){
        .endpointing_min_us = ms_of(turn, "endpointing_min_ms"),
        .endpointing_max_us = ms_of(turn, "endpointing_max_ms"),
        .interrupt_min_us = ms_of(turn, "interrupt_min_ms"),
        .interrupt_min_words = settings_int(turn, "interrupt_min_words"),
        .resume_after_us = ms_of(turn, "resume_after_ms"),
        .early_answer = settings_bool(turn, "early_answer"),
    };
}

static enum consent consent_named(const char *name)
{
    return strcmp(name, "ask") == 0        ? CONSENT_ASK
           : strcmp(name, "announce") == 0 ? CONSENT_ANNOUNCE
                                           : CONSENT_NONE;
}

/* People hear of it in the first words of the call. */
static void announce(struct agent *agent, const char *notice)
{
    static const char *const usual[] = {[CONSENT_ANNOUNCE] = "This call is recorded.",
                                        [CONSENT_ASK] = "May this call be recorded?"};

    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    aic_buf_text(&text, agent->greeting);
    aic_buf_text(&text, agent->greeting[0] ? " " : "");
    aic_buf_text(&text, notice[0] ? notice : usual[agent->recording.consent]);
    agent->announced = aic_buf_detach(&text);
    agent->greeting = agent->announced ? agent->announced : agent->greeting;
}

static void take_recording(struct agent *agent, struct config_problems *problems)
{
    const struct settings *s = agent->recorded;
    agent->recording = (struct recording_rules){
        .consent = consent_named(settings_string(s, "consent")),
        .is_opus = strcmp(settings_string(s, "format"), "opus") == 0,
        .max_us = ms_of(s, "max_duration"),
        .max_bytes = (uint64_t)settings_int(s, "max_size"),
        .min_free_bytes = settings_int(s, "min_free"),
    };
    if (agent->recording.is_opus && !recorder_opus_exists()) {
        config_problem_add(problems, settings_pos(s, "format"),
                           "this program was built without Opus; use \"wav\"");
    }
    if (agent->record && agent->recording.consent != CONSENT_NONE) {
        announce(agent, settings_string(s, "notice"));
    }
}

static void use_providers(struct agent *agent, struct setup *setup, const char *role,
                          struct config_problems *problems)
{
    uint32_t count = settings_list_count(agent->settings, role);
    struct config_pos pos = settings_pos(agent->settings, role);
    if (count > CHAIN_MAX) {
        config_problem_add(problems, pos, "%s names %u providers, at most %d are possible", role,
                           count, CHAIN_MAX);
    }
    for (uint32_t i = 0; i < count; i++) {
        (void)setup_use(setup, settings_list_item(agent->settings, role, i), role, pos, problems);
    }
}

static void check(struct agent *agent, struct setup *setup, struct config_problems *problems)
{
    static const char *const roles[] = {"telephony", "stt", "llm", "tts", NULL};
    for (size_t i = 0; roles[i]; i++) {
        use_providers(agent, setup, roles[i], problems);
    }
    if (settings_list_count(agent->settings, "llm") == 0) {
        config_problem_add(problems, agent->pos, "agent \"%s\" needs llm = [ \"NAME\" ]",
                           agent->name);
    }
    if (agent->turn_settings.endpointing_max_us < agent->turn_settings.endpointing_min_us) {
        config_problem_add(problems, settings_pos(agent->turn, "endpointing_max_ms"),
                           "endpointing_max_ms is less than endpointing_min_ms");
    }
}

static void check_tool_names(const struct config_node *list, struct config_problems *problems)
{
    for (size_t i = 0; i < config_count(list); i++) {
        const char *name = config_string(config_at(list, i));
        if (name && !call_builtin_exists(name)) {
            config_problem_add(problems, config_pos(config_at(list, i)),
                               "no tool \"%s\"; the host's own are end_call, transfer, "
                               "send_digits, pause_recording and resume_recording",
                               name);
        }
    }
}

static struct agent *load_agent(const struct config_node *node, struct setup *setup,
                                struct config_problems *problems)
{
    static const char *const groups[] = {"turn", "silence", "recording", "tools", NULL};
    struct agent *agent = calloc(1, sizeof(*agent));
    if (!agent || !(agent->name = strdup(config_name(node)))) {
        free(agent);
        return NULL;
    }
    char what[160];
    (void)snprintf(what, sizeof(what), "agent \"%s\"", agent->name);
    agent->pos = config_pos(node);
    agent->settings = settings_check(what, node, &agent_table, 1, groups, 0, problems);
    agent->turn =
        settings_check("turn", config_get(node, "turn"), &agent_turn_table, 1, NULL, 0, problems);
    agent->silence = settings_check("silence", config_get(node, "silence"), &agent_silence_table, 1,
                                    NULL, 0, problems);
    agent->recorded = settings_check("recording", config_get(node, "recording"),
                                     &agent_recording_table, 1, NULL, 0, problems);
    tools_load(&agent->tools, config_get(node, "tools"), problems);
    check_tool_names(config_get(node, "tools"), problems);
    take_texts(agent);
    take_numbers(agent);
    take_recording(agent, problems);
    check(agent, setup, problems);
    return agent;
}

void agents_load(struct agents *agents, const struct config_node *group, struct setup *setup,
                 struct config_problems *problems)
{
    *agents = (struct agents){.list = NULL};
    size_t count = config_count(group);
    if (config_kind(group) != CONFIG_GROUP || count == 0) {
        struct config_pos pos = config_pos(group ? group : config_root(setup->config));
        config_problem_add(problems, pos,
                           "no agent: add agents = { default = { llm = [ ... ]; ... }; };");
        return;
    }
    agents->list = calloc(count, sizeof(*agents->list));
    for (size_t i = 0; agents->list && i < count; i++) {
        const struct config_node *node = config_at(group, i);
        if (config_kind(node) != CONFIG_GROUP) {
            config_problem_add(problems, config_pos(node), "agent \"%s\" must be a group",
                               config_name(node));
            continue;
        }
        struct agent *agent = load_agent(node, setup, problems);
        if (agent) {
            agents->list[agents->count++] = agent;
        }
    }
}

static int32_t bind_role(struct agent *agent, const char *role, struct chain *chain,
                         agents_finder find, void *data)
{
    uint32_t count = settings_list_count(agent->settings, role);
    for (uint32_t i = 0; i < count && i < CHAIN_MAX; i++) {
        struct provider *provider = find(data, settings_list_item(agent->settings, role, i));
        if (!provider) {
            return AIC_ERROR_NOT_FOUND;
        }
        chain->providers[chain->count++] = provider;
    }
    return AIC_OK;
}

static void add_hint(void *data, struct aic_str phrase)
{
    struct agent *agent = data;
    if (agent->hint_count == MAX_HINTS) {
        return;
    }
    struct aic_str *hints = realloc(agent->hints, (agent->hint_count + 1) * sizeof(*agent->hints));
    char *copy = hints ? aic_str_dup(phrase) : NULL;
    if (hints) {
        agent->hints = hints;
    }
    if (copy) {
        agent->hints[agent->hint_count++] = (struct aic_str){copy, phrase.len};
    }
}

static void gather_hints(struct agent *agent)
{
    for (uint32_t i = 0; i < settings_list_count(agent->settings, "hints"); i++) {
        add_hint(agent, aic_str(settings_list_item(agent->settings, "hints", i)));
    }
    for (size_t i = 0; i < agent->llm.count; i++) {
        struct provider *provider = agent->llm.providers[i];
        if (provider->llm.phrases) {
            (void)provider->llm.phrases(provider->self, add_hint, agent);
        }
    }
}

int32_t agents_bind(struct agents *agents, bool with_telephony, agents_finder find, void *data)
{
    for (size_t i = 0; i < agents->count; i++) {
        struct agent *agent = agents->list[i];
        int32_t status = bind_role(agent, "stt", &agent->stt, find, data);
        if (status == AIC_OK && with_telephony) {
            status = bind_role(agent, "telephony", &agent->telephony, find, data);
        }
        if (status == AIC_OK) {
            status = bind_role(agent, "llm", &agent->llm, find, data);
        }
        if (status == AIC_OK) {
            status = bind_role(agent, "tts", &agent->tts, find, data);
        }
        if (status != AIC_OK) {
            return status;
        }
        gather_hints(agent);
    }
    return AIC_OK;
}

void agent_prewarm(const struct agent *agent)
{
    struct provider *stt = agent->stt.count > 0 ? agent->stt.providers[0] : NULL;
    struct provider *llm = agent->llm.count > 0 ? agent->llm.providers[0] : NULL;
    struct provider *tts = agent->tts.count > 0 ? agent->tts.providers[0] : NULL;
    if (stt && stt->stt.prewarm) {
        GUARD(stt, "stt.prewarm", stt->stt.prewarm(stt->self));
    }
    if (llm && llm->llm.prewarm) {
        GUARD(llm, "llm.prewarm", llm->llm.prewarm(llm->self));
    }
    if (tts && tts->tts.prewarm) {
        GUARD(tts, "tts.prewarm", tts->tts.prewarm(tts->self));
    }
}

static void free_agent(struct agent *agent)
{
    free_list(agent->numbers);
    free_list(agent->goodbyes);
    free_list(agent->reprompts);
    free_list(agent->unclear);
    free_list(agent->fillers);
    free_list(agent->transfers);
    for (uint32_t i = 0; i < agent->hint_count; i++) {
        union {
            const char *given;
            void *memory;
        } cast = {.given = agent->hints[i].ptr};

        free(cast.memory);
    }
    free(agent->hints);
    settings_free(agent->settings);
    settings_free(agent->turn);
    settings_free(agent->silence);
    settings_free(agent->recorded);
    free(agent->announced);
    tools_finish(&agent->tools);
    free(agent->name);
    free(agent);
}

void agents_finish(struct agents *agents)
{
    for (size_t i = 0; i < agents->count; i++) {
        free_agent(agents->list[i]);
    }
    free(agents->list);
    *agents = (struct agents){.list = NULL};
}

struct agent *agents_find(const struct agents *agents, const char *name)
{
    for (size_t i = 0; i < agents->count; i++) {
        if (strcmp(agents->list[i]->name, name ? name : "default") == 0) {
            return agents->list[i];
        }
    }
    return !name && agents->count == 1 ? agents->list[0] : NULL;
}

struct agent *agents_for_number(const struct agents *agents, struct aic_str number)
{
    for (size_t i = 0; i < agents->count; i++) {
        for (const char *const *own = agents->list[i]->numbers; *own; own++) {
            if (aic_str_equal(number, *own)) {
                return agents->list[i];
            }
        }
    }
    return agents_find(agents, NULL);
}
