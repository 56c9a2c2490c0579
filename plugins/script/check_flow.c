/* SPDX-License-Identifier: ISC */
#include "script_check.h"

#include "buf.h"

#include <stdlib.h>

/* Calls `visit` for each rule that may come into force while a state listens, the one for misses
 * excepted; stops when it returns true, and returns that. */
static bool any_rule(const struct script *script, const struct script_state *state,
                     bool (*visit)(void *data, const struct script_rule *rule), void *data)
{
    if (!script_state_waits(state)) {
        return false;
    }
    for (uint32_t i = 0; i < state->rule_count; i++) {
        if (visit(data, &state->rules[i])) {
            return true;
        }
    }
    for (uint32_t i = 0; i < state->expect_count; i++) {
        if (visit(data, script_rule_for(script, state, state->expect[i]))) {
            return true;
        }
    }
    for (uint32_t i = 0; i < script->intent_count; i++) {
        if (script->intents[i].is_global && visit(data, script_rule_for(script, state, i))) {
            return true;
        }
    }
    return false;
}

struct reach {
    const struct script *script;
    bool *reached;
    bool grew;
};

static bool reach_state(struct reach *reach, uint32_t state)
{
    if (state != SCRIPT_NONE && !reach->reached[state]) {
        reach->reached[state] = true;
        reach->grew = true;
    }
    return false;
}

static bool reach_next(void *data, const struct script_rule *rule)
{
    return reach_state(data, rule->next);
}

static void check_reached(const struct script *script, struct script_problems *problems,
                          bool *reached)
{
    struct reach reach = {.script = script, .reached = reached};
    reach_state(&reach, script->start);
    while (reach.grew) {
        reach.grew = false;
        for (uint32_t i = 0; i < script->state_count; i++) {
            const struct script_state *state = &script->states[i];
            if (!reached[i]) {
                continue;
            }
            reach_state(&reach, state->next);
            (void)any_rule(script, state, reach_next, &reach);
            if (script_state_waits(state)) {
                reach_state(&reach, script_misses_of(script, state).then->next);
            }
        }
    }
    for (uint32_t i = 0; i < script->state_count; i++) {
        if (!reached[i]) {
            script_problem(problems, script->states[i].line,
                           "state \"%s\" is never reached: no next leads to it",
                           script->states[i].name);
        }
    }
}

/* Follows `next` of states alone: a circle of them has no caller in it, since a state that asks
 * for a slot is passed over once the slot is known. */
static void check_circles(const struct script *script, struct script_problems *problems)
{
    for (uint32_t i = 0; i < script->state_count; i++) {
        struct aic_buf way;
        aic_buf_init(&way, 400);
        bool is_first = true; /* of its circle, so that it is told once */
        uint32_t at = i;
        uint32_t steps = 0;
        do {
            aic_buf_printf(&way, "%s -> ", script->states[at].name);
            is_first = is_first && at >= i;
            at = script->states[at].next;
            steps++;
        } while (at != SCRIPT_NONE && at != i && steps <= script->state_count);
        if (at == i && is_first) {
            struct aic_str text = aic_buf_view(&way);
            script_problem(problems, script->states[i].line,
                           "a loop of states without the caller: %.*s%s", (int)text.len, text.ptr,
                           script->states[i].name);
        }
        aic_buf_finish(&way);
    }
}

static bool ends(const struct script_end *end)
{
    return end->action == SCRIPT_ACTION_HANGUP || end->action == SCRIPT_ACTION_TRANSFER;
}

static bool leads_to_end(void *data, const struct script_rule *rule)
{
    const bool *can_end = data;
    return ends(&rule->end) || (rule->next != SCRIPT_NONE && can_end[rule->next]);
}

/* Not being understood does not count as a way to end a call. */
static void check_ends(const struct script *script, struct script_problems *problems, bool *can_end)
{
    bool grew = true;
    while (grew) {
        grew = false;
        for (uint32_t i = 0; i < script->state_count; i++) {
            const struct script_state *state = &script->states[i];
            if (can_end[i]) {
                continue;
            }
            can_end[i] = ends(&state->end) ||
                         (state->next != SCRIPT_NONE && can_end[state->next]) ||
                         any_rule(script, state, leads_to_end, can_end);
            grew = grew || can_end[i];
        }
    }
    for (uint32_t i = 0; i < script->state_count; i++) {
        if (!can_end[i]) {
            script_problem(problems, script->states[i].line,
                           "from state \"%s\" there is no way to end the call: no rule leads to "
                           "action = \"hangup\" or \"transfer\"",
                           script->states[i].name);
        }
    }
}

static void warn_of_unused(const struct script *script, struct script_problems *problems)
{
    for (uint32_t i = 0; i < script->intent_count; i++) {
        bool used = script->intents[i].is_global;
        for (uint32_t s = 0; s < script->state_count && !used; s++) {
            const struct script_state *state = &script->states[s];
            for (uint32_t k = 0; k < state->rule_count; k++) {
                used = used || state->rules[k].intent == i;
            }
            for (uint32_t k = 0; k < state->expect_count; k++) {
                used = used || state->expect[k] == i;
            }
        }
        if (!used) {
            script_warning(problems, script->intents[i].line, "no state listens for intent \"%s\"",
                           script->intents[i].name);
        }
    }
}

void script_check_flow(const struct script *script, struct script_problems *problems)
{
    bool *marks = calloc(2 * (size_t)script->state_count + 1, sizeof(*marks));
    if (!marks) {
        script_problem(problems, 0, "out of memory");
        return;
    }
    check_circles(script, problems);
    check_reached(script, problems, marks);
    check_ends(script, problems, marks + script->state_count);
    warn_of_unused(script, problems);
    free(marks);
}
