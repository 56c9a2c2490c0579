/* SPDX-License-Identifier: ISC */
#include "script_check.h"

#include "buf.h"
#include "reply.h"

#include <stdlib.h>
#include <string.h>

/* The first list within `list` that has no place in the order yet, and the line; else NONE. */
static uint32_t unplaced(const struct script_list *list, const bool *placed, int *line)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct script_pattern *say = &list->entries[i].say;
        for (uint32_t k = 0; k < say->count; k++) {
            if (say->parts[k].list != SCRIPT_NONE && !placed[say->parts[k].list]) {
                *line = say->line;
                return say->parts[k].list;
            }
        }
    }
    return SCRIPT_NONE;
}

/* Orders the lists so that each stands behind all that it refers to. */
static void order_lists(struct script *script, struct script_problems *problems)
{
    bool placed[SCRIPT_MAX_LISTS] = {false};
    uint32_t count = 0;
    int line = 0;
    script->list_order = script_alloc(script, script->list_count, sizeof(*script->list_order));
    for (bool grew = script->list_order != NULL; grew;) {
        grew = false;
        for (uint32_t i = 0; i < script->list_count; i++) {
            if (!placed[i] && unplaced(&script->lists[i], placed, &line) == SCRIPT_NONE) {
                placed[i] = true;
                script->list_order[count++] = i;
                grew = true;
            }
        }
    }
    for (uint32_t i = 0; i < script->list_count; i++) {
        if (!placed[i]) {
            uint32_t inner = unplaced(&script->lists[i], placed, &line);
            script_problem(problems, line,
                           "word list \"%s\" refers to \"%s\", and that leads back in a circle",
                           script->lists[i].name, script->lists[inner].name);
        }
    }
}

static bool refers_to(const struct script *script, const struct script_pattern *pattern,
                      struct aic_str name)
{
    for (uint32_t i = 0; i < pattern->count; i++) {
        uint32_t list = pattern->parts[i].list;
        if (list != SCRIPT_NONE && aic_str_equal(name, script->lists[list].name)) {
            return true;
        }
    }
    return false;
}

/* A value may only take up what its phrase has. */
static void check_entry(const struct script *script, const struct script_entry *entry,
                        struct script_problems *problems)
{
    const char *p = entry->value;
    struct script_piece piece;
    if (p[strspn(p, " \t")] == '\0') {
        script_problem(problems, entry->say.line, "an empty value");
    }
    while (script_reply_next(&p, &piece)) {
        if (piece.is_broken) {
            script_problem(problems, entry->say.line, "value: a brace without its other half");
        } else if (piece.is_name && !refers_to(script, &entry->say, piece.text)) {
            script_problem(problems, entry->say.line, "value: {%.*s} does not stand in \"%s\"",
                           (int)piece.text.len, piece.text.ptr, entry->say.text);
        }
    }
}

static void check_lists(const struct script *script, struct script_problems *problems)
{
    for (uint32_t i = 0; i < script->list_count; i++) {
        for (uint32_t k = 0; k < script->lists[i].count; k++) {
            check_entry(script, &script->lists[i].entries[k], problems);
        }
    }
}

static void check_end(const struct script_end *end, int line, struct script_problems *problems)
{
    if (end->reason && end->action != SCRIPT_ACTION_HANGUP) {
        script_problem(problems, line, "reason goes with action = \"hangup\" only");
    }
    if (end->to && end->action != SCRIPT_ACTION_TRANSFER) {
        script_problem(problems, line, "to goes with action = \"transfer\" only");
    }
}

static void check_rule(const struct script_rule *rule, struct script_problems *problems)
{
    uint32_t action = rule->end.action;
    bool speaks = rule->say.count > 0;
    bool goes = rule->next != SCRIPT_NONE;
    check_end(&rule->end, rule->line, problems);
    if (action == SCRIPT_ACTION_REPEAT && (speaks || goes)) {
        script_problem(problems, rule->line,
                       "action = \"repeat\" says the last reply again: say and next do not go "
                       "with it");
    } else if (action == SCRIPT_ACTION_HANGUP && goes) {
        script_problem(problems, rule->line, "nothing comes after \"hangup\": take out next");
    } else if ((action == SCRIPT_ACTION_HANGUP || action == SCRIPT_ACTION_TRANSFER) && !speaks) {
        script_problem(problems, rule->line, "an empty reply: say something before the call ends");
    } else if (action == SCRIPT_ACTION_NONE && !speaks && !goes) {
        script_problem(problems, rule->line, "an empty reply: a rule needs say, next or action");
    }
}

static void check_misses(const struct script *script, struct script_problems *problems)
{
    const struct script_misses *misses = &script->misses;
    if (misses->say.count == 0 || !misses->then || misses->max == 0) {
        script_problem(problems, misses->line,
                       "a script needs misses = { max = 3; say = [ ... ]; then = { ... }; }: what "
                       "to say when nothing was understood, how often, and what then");
    }
    for (uint32_t i = 0; i <= script->state_count; i++) {
        const struct script_rule *then =
            i < script->state_count ? script->states[i].misses.then : misses->then;
        if (!then) {
            continue;
        }
        check_rule(then, problems);
        if (then->next == SCRIPT_NONE &&
            (then->end.action == SCRIPT_ACTION_NONE || then->end.action == SCRIPT_ACTION_REPEAT)) {
            script_problem(problems, then->line,
                           "after too many misses something else must come: next, hangup or "
                           "transfer");
        }
    }
}

static void check_intents(const struct script *script, struct script_problems *problems)
{
    for (uint32_t i = 0; i < script->intent_count; i++) {
        const struct script_intent *intent = &script->intents[i];
        if (intent->any.count == 0 && intent->all.count == 0 && intent->examples.count == 0 &&
            !intent->regex) {
            script_problem(problems, intent->line,
                           "intent \"%s\" can never be heard: it needs any, all, regex or examples",
                           intent->name);
        }
        if (intent->is_global && !intent->then) {
            script_problem(problems, intent->line, "the global intent \"%s\" needs then = { ... }",
                           intent->name);
        }
        if (intent->then) {
            check_rule(intent->then, problems);
        }
    }
}

static void check_expect(const struct script *script, const struct script_state *state,
                         struct script_problems *problems)
{
    for (uint32_t i = 0; i < state->expect_count; i++) {
        const struct script_intent *intent = &script->intents[state->expect[i]];
        if (!intent->then) {
            script_problem(problems, state->line,
                           "state \"%s\" expects \"%s\", which has no then: give it one, or put "
                           "it into on",
                           state->name, intent->name);
        }
    }
}

static void check_state(const struct script *script, const struct script_state *state,
                        struct script_problems *problems)
{
    bool listens = state->slot != SCRIPT_NONE || state->rule_count > 0 || state->expect_count > 0;
    bool ends = state->end.action != SCRIPT_ACTION_NONE;
    bool goes = state->next != SCRIPT_NONE;
    check_end(&state->end, state->line, problems);
    check_expect(script, state, problems);
    for (uint32_t i = 0; i < state->rule_count; i++) {
        check_rule(&state->rules[i], problems);
    }
    if (state->say.count == 0 && (listens || ends || !goes)) {
        script_problem(problems, state->line, "an empty reply: state \"%s\" needs say",
                       state->name);
    }
    if (state->end.action == SCRIPT_ACTION_REPEAT) {
        script_problem(problems, state->line, "a state's action is \"hangup\" or \"transfer\"");
    } else if (ends && listens) {
        script_problem(problems, state->line,
                       "state \"%s\" ends the call: slot, on and expect do not go with it",
                       state->name);
    } else if (state->end.action == SCRIPT_ACTION_HANGUP && goes) {
        script_problem(problems, state->line, "nothing comes after \"hangup\": take out next");
    } else if (state->slot != SCRIPT_NONE && !goes) {
        script_problem(problems, state->line,
                       "state \"%s\" asks for %s: next must say where to go with the answer",
                       state->name, script->slots[state->slot].name);
    } else if (state->slot == SCRIPT_NONE && listens && goes) {
        script_problem(problems, state->line,
                       "state \"%s\" has next without slot: put next into the rules of on",
                       state->name);
    } else if (!listens && !ends && !goes) {
        script_problem(problems, state->line,
                       "state \"%s\" goes nowhere: it needs on, expect, slot, next or action",
                       state->name);
    }
}

static bool has_letters(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) {
            return true;
        }
    }
    return false;
}

static void report_unknown(const struct script *script, struct aic_str name, int line,
                           struct script_problems *problems)
{
    static const char *const others[] = {"question", "from", "to", "direction"};
    char wrong[64];
    char hint[80];
    struct script_guess guess;
    (void)aic_str_copy(name, wrong, sizeof(wrong));
    script_guess_init(&guess, wrong);
    for (uint32_t i = 0; i < script->name_count; i++) {
        script_guess_try(&guess, script->names[i].name);
    }
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        script_guess_try(&guess, others[i]);
    }
    script_problem(problems, line, "unknown variable {%s}%s", wrong,
                   script_guess_text(&guess, hint, sizeof(hint)));
}

/* True if this piece has words whatever the caller said. */
static bool check_piece(const struct script *script, const struct script_texts *texts,
                        const struct script_piece *piece, struct script_problems *problems)
{
    if (piece->is_broken) {
        script_problem(problems, texts->line, "a brace without its other half");
        return true;
    }
    if (!piece->is_name) {
        return has_letters(piece->text);
    }
    if (aic_str_equal(piece->text, "question")) {
        if (texts->is_question) {
            script_problem(problems, texts->line, "{question} would be this text itself");
        }
        return true;
    }
    uint32_t name = script_name_find(script, piece->text);
    if (name != SCRIPT_NONE) {
        const char *initial = script->names[name].initial;
        return has_letters(piece->fallback) || (initial && has_letters(aic_str(initial)));
    }
    if (!aic_str_equal(piece->text, "from") && !aic_str_equal(piece->text, "to") &&
        !aic_str_equal(piece->text, "direction")) {
        report_unknown(script, piece->text, texts->line, problems);
        return true;
    }
    return has_letters(piece->fallback);
}

static void check_texts(const struct script *script, struct script_problems *problems)
{
    for (const struct script_texts *texts = script->texts; texts; texts = texts->following) {
        for (uint32_t i = 0; i < texts->count; i++) {
            const char *p = texts->items[i];
            struct script_piece piece;
            bool speaks = false;
            while (script_reply_next(&p, &piece)) {
                speaks = check_piece(script, texts, &piece, problems) || speaks;
            }
            if (!speaks) {
                script_problem(problems, texts->line,
                               "\"%s\" is an empty reply when its variables are: add words, or a "
                               "fallback as in {name|you}",
                               texts->items[i]);
            }
        }
    }
}

/* Counts in `uses` the words of an intent's examples, each once; `last` remembers by whom a word
 * was counted last. */
static void count_words(const struct script_intent *intent, uint32_t mark, uint32_t *last,
                        uint32_t *uses)
{
    for (uint32_t e = 0; e < intent->examples.count; e++) {
        const struct script_pattern *example = &intent->examples.items[e];
        for (uint32_t k = 0; k < example->count; k++) {
            uint32_t word = example->parts[k].word;
            if (word != SCRIPT_NONE && last[word] != mark) {
                last[word] = mark;
                uses[word]++;
            }
        }
    }
}

/* A word counts the less, the more intents use it in their examples. */
static void weigh_words(struct script *script)
{
    uint32_t *last = calloc(script->word_count + 1, sizeof(*last));
    uint32_t *uses = calloc(script->word_count + 1, sizeof(*uses));
    if (last && uses) {
        for (uint32_t i = 0; i < script->intent_count; i++) {
            count_words(&script->intents[i], i + 1, last, uses);
        }
        for (uint32_t w = 0; w < script->word_count; w++) {
            script->weights[w] = uses[w] > 1 ? 1.0F / (float)uses[w] : 1.0F;
        }
    } else {
        script->out_of_memory = true;
    }
    free(last);
    free(uses);
}

void script_check(struct script *script, struct script_problems *problems)
{
    order_lists(script, problems);
    check_lists(script, problems);
    check_misses(script, problems);
    check_intents(script, problems);
    for (uint32_t i = 0; i < script->state_count; i++) {
        check_state(script, &script->states[i], problems);
    }
    check_texts(script, problems);
    if (problems->count == 0) {
        script_check_flow(script, problems);
    }
    weigh_words(script);
}
