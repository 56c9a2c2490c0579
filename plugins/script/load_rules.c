/* SPDX-License-Identifier: ISC */
#include "load_rules.h"

#include "buf.h"

#include <string.h>

static const struct script_key intent_keys[] = {
    {"global", SCRIPT_KEY_BOOL}, {"any", SCRIPT_KEY_TEXTS},
    {"all", SCRIPT_KEY_TEXTS},   {"not", SCRIPT_KEY_TEXTS},
    {"regex", SCRIPT_KEY_TEXT},  {"examples", SCRIPT_KEY_TEXTS},
    {"then", SCRIPT_KEY_GROUP},  {NULL, 0},
};

static const struct script_key rule_keys[] = {
    {"say", SCRIPT_KEY_TEXTS},   {"next", SCRIPT_KEY_TEXT},
    {"action", SCRIPT_KEY_TEXT}, {"reason", SCRIPT_KEY_TEXT},
    {"to", SCRIPT_KEY_TEXT},     {"set", SCRIPT_KEY_GROUP},
    {"clear", SCRIPT_KEY_TEXTS}, {NULL, 0},
};

static const struct script_key misses_keys[] = {
    {"say", SCRIPT_KEY_TEXTS}, {"max", SCRIPT_KEY_NUMBER}, {"then", SCRIPT_KEY_GROUP}, {NULL, 0}};

static const struct script_key state_keys[] = {
    {"say", SCRIPT_KEY_TEXTS},
    {"slot", SCRIPT_KEY_TEXT},
    {"takes", SCRIPT_KEY_TEXTS},
    {"next", SCRIPT_KEY_TEXT},
    {"on", SCRIPT_KEY_GROUP},
    {"expect", SCRIPT_KEY_TEXTS},
    {"misses", SCRIPT_KEY_GROUP},
    {"action", SCRIPT_KEY_TEXT},
    {"reason", SCRIPT_KEY_TEXT},
    {"to", SCRIPT_KEY_TEXT},
    {NULL, 0},
};

static int line_of(const config_setting_t *setting)
{
    return (int)config_setting_source_line(setting);
}

static uint32_t length_of(const config_setting_t *section)
{
    return section ? (uint32_t)config_setting_length(section) : 0;
}

/* A text that goes into a tool call. */
static const char *read_argument(struct script_reader *r, const config_setting_t *group,
                                 const char *key)
{
    const char *text = script_read_text(r, group, key);
    if (text && strlen(text) > SCRIPT_MAX_VALUE) {
        script_problem(r->problems, line_of(group), "%s has more than %d bytes", key,
                       SCRIPT_MAX_VALUE);
    }
    return text;
}

static void load_end(struct script_reader *r, const config_setting_t *group, struct script_end *end)
{
    static const char *const actions[] = {
        [SCRIPT_ACTION_NONE] = "none",
        [SCRIPT_ACTION_HANGUP] = "hangup",
        [SCRIPT_ACTION_TRANSFER] = "transfer",
        [SCRIPT_ACTION_REPEAT] = "repeat",
    };
    const char *action = script_read_text(r, group, "action");
    end->reason = read_argument(r, group, "reason");
    end->to = read_argument(r, group, "to");
    if (!action) {
        return;
    }
    struct script_guess guess;
    char hint[80];
    script_guess_init(&guess, action);
    for (uint32_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i], action) == 0) {
            end->action = i;
            return;
        }
        script_guess_try(&guess, actions[i]);
    }
    script_problem(r->problems, line_of(config_setting_get_member(group, "action")),
                   "unknown action \"%s\" (hangup, transfer, repeat or none)%s", action,
                   script_guess_text(&guess, hint, sizeof(hint)));
}

static uint32_t find_name(struct script_reader *r, const char *name, int line)
{
    uint32_t found = script_name_find(r->script, aic_str(name));
    if (found == SCRIPT_NONE) {
        struct script_guess guess;
        char hint[80];
        script_guess_init(&guess, name);
        for (uint32_t i = 0; i < r->script->name_count; i++) {
            script_guess_try(&guess, r->script->names[i].name);
        }
        script_problem(r->problems, line, "\"%s\" is neither a slot nor a variable%s", name,
                       script_guess_text(&guess, hint, sizeof(hint)));
    }
    return found;
}

static void load_sets(struct script_reader *r, const config_setting_t *group,
                      struct script_rule *rule)
{
    const config_setting_t *set = config_setting_get_member(group, "set");
    uint32_t count = set && config_setting_is_group(set) ? length_of(set) : 0;
    rule->set = script_alloc(r->script, count, sizeof(*rule->set));
    for (uint32_t i = 0; rule->set && i < count; i++) {
        const config_setting_t *value = config_setting_get_elem(set, i);
        uint32_t name = find_name(r, config_setting_name(value), line_of(value));
        const char *text = script_read_value(r, value);
        if (name != SCRIPT_NONE && text) {
            rule->set[rule->set_count++] = (struct script_set){.name = name, .value = text};
        }
    }
}

static void load_clears(struct script_reader *r, const config_setting_t *group,
                        struct script_rule *rule)
{
    const config_setting_t *clear = config_setting_get_member(group, "clear");
    uint32_t count = script_read_count(clear);
    rule->clear = script_alloc(r->script, count, sizeof(*rule->clear));
    for (uint32_t i = 0; rule->clear && i < count; i++) {
        int line = 0;
        const char *text = script_read_item(clear, i, &line);
        uint32_t name = text ? find_name(r, text, line) : SCRIPT_NONE;
        if (name != SCRIPT_NONE) {
            rule->clear[rule->clear_count++] = name;
        }
    }
}

static void load_rule(struct script_reader *r, const config_setting_t *group,
                      struct script_rule *rule)
{
    rule->intent = rule->next = SCRIPT_NONE;
    rule->line = line_of(group);
    if (!config_setting_is_group(group)) {
        script_problem(r->problems, rule->line, "%s must be a group { ... }",
                       config_setting_name(group));
        return;
    }
    (void)script_read_keys(r, group, "a rule", rule_keys);
    script_read_reply(r, group, "say", &rule->say);
    rule->next = script_read_name(r, group, "next", r->states, "state");
    load_end(r, group, &rule->end);
    load_sets(r, group, rule);
    load_clears(r, group, rule);
}

/* A group's `then`, or NULL. */
static struct script_rule *load_then(struct script_reader *r, const config_setting_t *group)
{
    const config_setting_t *then = config_setting_get_member(group, "then");
    struct script_rule *rule = then ? script_alloc(r->script, 1, sizeof(*rule)) : NULL;
    if (rule) {
        load_rule(r, then, rule);
    }
    return rule;
}

static void load_intent(struct script_reader *r, const config_setting_t *group,
                        struct script_intent *intent)
{
    (void)script_read_keys(r, group, "an intent", intent_keys);
    intent->is_global = script_read_bool(group, "global");
    script_read_patterns(r, group, "any", &intent->any);
    script_read_patterns(r, group, "all", &intent->all);
    script_read_patterns(r, group, "not", &intent->none);
    script_read_patterns(r, group, "examples", &intent->examples);
    intent->regex = script_read_regex(r, group, "regex");
    intent->then = load_then(r, group);
}

void script_load_intents(struct script_reader *r)
{
    struct script *script = r->script;
    uint32_t count = length_of(r->intents);
    if (count > SCRIPT_MAX_INTENTS) {
        script_problem(r->problems, line_of(r->intents), "more than %d intents",
                       SCRIPT_MAX_INTENTS);
        return;
    }
    script->intents = script_alloc(script, count, sizeof(*script->intents));
    for (uint32_t i = 0; script->intents && i < count; i++) {
        struct script_intent *intent = &script->intents[script->intent_count++];
        const config_setting_t *group = script_read_named(r, r->intents, i, &intent->name);
        intent->line = line_of(group);
        if (group && config_setting_is_group(group)) {
            load_intent(r, group, intent);
        } else {
            script_problem(r->problems, intent->line, "intent \"%s\" must be a group { ... }",
                           intent->name);
        }
    }
}

void script_load_misses(struct script_reader *r, const config_setting_t *group,
                        struct script_misses *misses)
{
    const config_setting_t *setting = config_setting_get_member(group, "misses");
    if (!setting || !config_setting_is_group(setting)) {
        return;
    }
    misses->line = line_of(setting);
    (void)script_read_keys(r, setting, "misses", misses_keys);
    script_read_reply(r, setting, "say", &misses->say);
    misses->max = script_read_number(r, setting, "max", 1, SCRIPT_MAX_MISSES, 0);
    misses->then = load_then(r, setting);
}

static void load_on(struct script_reader *r, const config_setting_t *group,
                    struct script_state *state)
{
    const config_setting_t *on = config_setting_get_member(group, "on");
    uint32_t count = on && config_setting_is_group(on) ? length_of(on) : 0;
    state->rules = script_alloc(r->script, count, sizeof(*state->rules));
    for (uint32_t i = 0; state->rules && i < count; i++) {
        const config_setting_t *setting = config_setting_get_elem(on, i);
        struct script_rule *rule = &state->rules[state->rule_count++];
        load_rule(r, setting, rule);
        rule->intent = script_read_reference(r, r->intents, "intent", config_setting_name(setting),
                                             line_of(setting));
    }
}

static void load_state(struct script_reader *r, const config_setting_t *group,
                       struct script_state *state)
{
    (void)script_read_keys(r, group, "a state", state_keys);
    script_read_reply(r, group, "say", &state->say);
    state->say.is_question = true;
    state->slot = script_read_name(r, group, "slot", r->slots, "slot");
    state->next = script_read_name(r, group, "next", r->states, "state");
    state->takes = script_read_names(r, group, "takes", r->slots, "slot", &state->takes_count);
    state->expect =
        script_read_names(r, group, "expect", r->intents, "intent", &state->expect_count);
    load_on(r, group, state);
    script_load_misses(r, group, &state->misses);
    load_end(r, group, &state->end);
}

void script_load_states(struct script_reader *r)
{
    struct script *script = r->script;
    uint32_t count = length_of(r->states);
    if (count > SCRIPT_MAX_STATES) {
        script_problem(r->problems, line_of(r->states), "more than %d states", SCRIPT_MAX_STATES);
        return;
    }
    script->states = script_alloc(script, count, sizeof(*script->states));
    for (uint32_t i = 0; script->states && i < count; i++) {
        struct script_state *state = &script->states[script->state_count++];
        const config_setting_t *group = script_read_named(r, r->states, i, &state->name);
        state->line = line_of(group);
        state->slot = state->next = SCRIPT_NONE;
        if (group && config_setting_is_group(group)) {
            load_state(r, group, state);
        } else {
            script_problem(r->problems, state->line, "state \"%s\" must be a group { ... }",
                           state->name);
        }
    }
}
