/* SPDX-License-Identifier: ISC */
#include "dialog.h"

#include "match.h"
#include "reply.h"

#include <string.h>

enum { ANSWER_MAX_BYTES = 16 << 10, VALUE_MAX_BYTES = 2000 };

static const float likeness_needed = 0.7F;
static const float likeness_lead = 0.1F; /* over the second best intent */

/* What the functions of one turn share. */
struct dialog {
    const struct script *script;
    struct script_memory *memory;
    const struct script_turn *turn;
    struct script_answer *answer;
    struct script_match match;
    bool failed; /* out of memory */
};

void script_answer_init(struct script_answer *answer)
{
    *answer = (struct script_answer){0};
    aic_buf_init(&answer->text, ANSWER_MAX_BYTES);
}

void script_answer_finish(struct script_answer *answer)
{
    aic_buf_finish(&answer->text);
}

static const struct script_state *state_of(const struct dialog *d)
{
    return &d->script->states[d->memory->state];
}

static struct aic_str value_of(const struct dialog *d, uint32_t name)
{
    return script_reply_value(d->script, d->memory, d->turn->context,
                              aic_str(d->script->names[name].name));
}

static void set_value(struct dialog *d, uint32_t name, struct aic_str value)
{
    d->failed = script_memory_set(d->memory, name, value) != AIC_OK || d->failed;
}

static const char *pick(struct dialog *d, const struct script_texts *texts)
{
    return texts->items[d->memory->told[texts->site]++ % texts->count];
}

/* Says one text; {question} in it is what the present state asks. */
static void tell_text(struct dialog *d, const char *text, bool is_question)
{
    struct aic_buf question;
    aic_buf_init(&question, ANSWER_MAX_BYTES);
    struct script_telling telling = {
        .script = d->script, .memory = d->memory, .context = d->turn->context};
    bool asks = false;
    struct script_piece piece;
    for (const char *p = text; !is_question && script_reply_next(&p, &piece);) {
        asks = asks || (piece.is_name && aic_str_equal(piece.text, "question"));
    }
    if (asks && state_of(d)->say.count > 0) {
        script_reply_put(&question, &telling, pick(d, &state_of(d)->say));
        telling.question = question.data;
    }
    script_reply_put(&d->answer->text, &telling, text);
    d->failed = d->failed || question.failed || d->answer->text.failed;
    aic_buf_finish(&question);
}

static void tell(struct dialog *d, const struct script_texts *texts)
{
    if (texts->count > 0) {
        tell_text(d, pick(d, texts), texts->is_question);
    }
}

static void end_call(struct dialog *d, const struct script_end *end, uint32_t failed)
{
    d->answer->end = *end;
    d->memory->failed = end->action == SCRIPT_ACTION_TRANSFER ? failed : SCRIPT_NONE;
}

/* Where the host has no transfer to offer, the dialogue goes on as after one that failed. */
static bool skips_transfer(const struct dialog *d, const struct script_end *end, uint32_t failed)
{
    return end->action == SCRIPT_ACTION_TRANSFER && d->turn->cannot_transfer &&
           failed != SCRIPT_NONE;
}

/* Goes to a state: passes over questions whose answer is known, says what states on the way say,
 * and stops where the caller is to speak or the call ends. A checked script has no endless way. */
static void enter(struct dialog *d, uint32_t state)
{
    d->memory->misses = 0;
    for (uint32_t hops = 0; state != SCRIPT_NONE && hops <= d->script->state_count; hops++) {
        d->memory->state = state;
        const struct script_state *s = state_of(d);
        bool is_known = s->slot != SCRIPT_NONE && value_of(d, s->slot).len > 0;
        if (is_known) {
            state = s->next;
            continue;
        }
        if (!skips_transfer(d, &s->end, s->next)) {
            tell(d, &s->say);
            if (s->end.action != SCRIPT_ACTION_NONE) {
                end_call(d, &s->end, s->next);
                return;
            }
        }
        if (script_state_waits(s)) {
            return;
        }
        state = s->next;
    }
}

/* Asks again what the present state asks. */
static void ask(struct dialog *d)
{
    tell(d, &state_of(d)->say);
}

/* Looks for a slot in what was said; sets it where it differs. */
static bool take_slot(struct dialog *d, uint32_t slot, bool asked)
{
    struct aic_buf value;
    aic_buf_init(&value, VALUE_MAX_BYTES);
    bool differs = false;
    if (script_match_slot(&d->match, &d->script->slots[slot], asked, &value)) {
        struct aic_str old = value_of(d, slot);
        differs = !aic_str_equal(old, value.data);
        if (differs) {
            set_value(d, slot, aic_buf_view(&value));
        }
    }
    aic_buf_finish(&value);
    return differs;
}

static bool is_cleared(const struct script_rule *rule, uint32_t name)
{
    for (uint32_t i = 0; rule && i < rule->clear_count; i++) {
        if (rule->clear[i] == name) {
            return true;
        }
    }
    return false;
}

/* Takes what else the sentence tells: every slot that is not known yet, the cleared ones of `rule`
 * (NULL = none) excepted. */
static void take_unknown(struct dialog *d, const struct script_rule *rule)
{
    for (uint32_t i = 0; i < d->script->slot_count; i++) {
        if (value_of(d, i).len == 0 && !is_cleared(rule, i)) {
            (void)take_slot(d, i, false);
        }
    }
}

/* A cleared slot may get another value from the very sentence ("no, on Friday"), but not its old
 * one back ("no, not on Wednesday"). */
static void clear(struct dialog *d, const struct script_rule *rule, bool takes)
{
    for (uint32_t i = 0; i < rule->clear_count; i++) {
        uint32_t name = rule->clear[i];
        bool is_slot = name < d->script->slot_count;
        if (!(takes && is_slot && take_slot(d, name, false))) {
            set_value(d, name, (struct aic_str){"", 0});
        }
    }
}

static void repeat(struct dialog *d)
{
    if (d->memory->last) {
        aic_buf_text(&d->answer->text, d->memory->last);
    } else if (d->turn->heard.len > 0) {
        aic_buf_str(&d->answer->text, d->turn->heard);
    } else {
        ask(d);
    }
}

/* `takes`: what was said may fill slots. */
static void apply(struct dialog *d, const struct script_rule *rule, bool takes)
{
    d->memory->misses = 0;
    clear(d, rule, takes);
    if (takes) {
        take_unknown(d, rule);
    }
    for (uint32_t i = 0; i < rule->set_count; i++) {
        set_value(d, rule->set[i].name, aic_str(rule->set[i].value));
    }
    if (rule->end.action == SCRIPT_ACTION_REPEAT) {
        repeat(d);
        return;
    }
    if (skips_transfer(d, &rule->end, rule->next)) {
        enter(d, rule->next);
        return;
    }
    tell(d, &rule->say);
    if (rule->end.action != SCRIPT_ACTION_NONE) {
        end_call(d, &rule->end, rule->next);
    } else if (rule->next != SCRIPT_NONE) {
        enter(d, rule->next);
    }
}

static void miss(struct dialog *d)
{
    if (!script_state_waits(state_of(d))) {
        enter(d, d->memory->state); /* the caller spoke into the goodbye: it is said again */
        return;
    }
    struct script_misses misses = script_misses_of(d->script, state_of(d));
    d->answer->understood = "miss";
    d->memory->misses++;
    if (d->memory->misses >= misses.max) {
        apply(d, misses.then, false);
        return;
    }
    tell_text(d, misses.say.items[(d->memory->misses - 1) % misses.say.count], false);
}

/* The state's intents: those of `on`, then those that it expects. */
static uint32_t state_intent(const struct script_state *state, uint32_t index)
{
    if (index < state->rule_count) {
        return state->rules[index].intent;
    }
    index -= state->rule_count;
    return index < state->expect_count ? state->expect[index] : SCRIPT_NONE;
}

static uint32_t find_global(const struct dialog *d)
{
    for (uint32_t i = 0; i < d->script->intent_count; i++) {
        const struct script_intent *intent = &d->script->intents[i];
        if (intent->is_global && script_match_intent(&d->match, intent)) {
            return i;
        }
    }
    return SCRIPT_NONE;
}

static uint32_t find_own(const struct dialog *d)
{
    for (uint32_t i = 0;; i++) {
        uint32_t intent = state_intent(state_of(d), i);
        if (intent == SCRIPT_NONE || script_match_intent(&d->match, &d->script->intents[intent])) {
            return intent;
        }
    }
}

static bool is_heard(const struct dialog *d, uint32_t intent)
{
    uint32_t own = d->script->intents[intent].is_global ? intent : SCRIPT_NONE;
    for (uint32_t i = 0; own != intent; i++) {
        own = state_intent(state_of(d), i);
        if (own == SCRIPT_NONE) {
            return false;
        }
    }
    return true;
}

/* The intent whose examples are clearly nearest. */
static uint32_t find_alike(const struct dialog *d)
{
    float first = 0;
    float second = 0;
    uint32_t best = SCRIPT_NONE;
    for (uint32_t i = 0; i < d->script->intent_count; i++) {
        if (!is_heard(d, i)) {
            continue;
        }
        float likeness = script_match_likeness(&d->match, &d->script->intents[i]);
        if (likeness > first) {
            second = first;
            first = likeness;
            best = i;
        } else if (likeness > second) {
            second = likeness;
        }
    }
    return first >= likeness_needed && first - second >= likeness_lead ? best : SCRIPT_NONE;
}

static void follow(struct dialog *d, uint32_t intent)
{
    const struct script_intent *understood = &d->script->intents[intent];
    const struct script_rule *rule = script_rule_for(d->script, state_of(d), intent);
    bool is_control = understood->is_global && rule == understood->then;
    d->answer->understood = understood->name;
    apply(d, rule, !is_control);
}

static bool take_corrections(struct dialog *d)
{
    const struct script_state *state = state_of(d);
    bool any = false;
    for (uint32_t i = 0; i < state->takes_count; i++) {
        any = take_slot(d, state->takes[i], false) || any;
    }
    return any;
}

/* The answer to the state's own question, with whatever else came with it. */
static bool take_asked(struct dialog *d)
{
    uint32_t slot = state_of(d)->slot;
    if (slot == SCRIPT_NONE || !take_slot(d, slot, true)) {
        return false;
    }
    take_unknown(d, NULL);
    return true;
}

static void listen(struct dialog *d)
{
    uint32_t intent = find_global(d);
    if (intent != SCRIPT_NONE) {
        follow(d, intent);
        return;
    }
    if (take_corrections(d)) {
        d->answer->understood = "correction";
        take_unknown(d, NULL);
        enter(d, d->memory->state);
        return;
    }
    intent = find_own(d);
    if (intent == SCRIPT_NONE && take_asked(d)) {
        d->answer->understood = "slot";
        enter(d, d->memory->state);
        return;
    }
    intent = intent == SCRIPT_NONE ? find_alike(d) : intent;
    if (intent != SCRIPT_NONE) {
        follow(d, intent);
    } else {
        miss(d);
    }
}

/* Brings the dialogue to its first question without a word: the host has spoken the greeting. */
static void begin(struct dialog *d)
{
    enter(d, d->script->start);
    d->answer->end = (struct script_end){0};
    aic_buf_clear(&d->answer->text);
    memset(d->memory->told, 0, d->script->site_count * sizeof(*d->memory->told));
}

static void go_on(struct dialog *d)
{
    uint32_t failed = d->memory->failed;
    if (d->memory->state == SCRIPT_NONE) {
        enter(d, d->script->start);
    } else if (d->turn->transfer_failed && failed != SCRIPT_NONE) {
        d->memory->failed = SCRIPT_NONE;
        enter(d, failed);
    } else {
        ask(d);
    }
}

static int32_t hear(struct dialog *d)
{
    int32_t status = script_match_init(&d->match, d->script, d->turn->said);
    if (status != AIC_OK) {
        return status;
    }
    if (d->memory->state == SCRIPT_NONE) {
        begin(d);
    }
    d->memory->failed = SCRIPT_NONE;
    listen(d);
    script_match_finish(&d->match);
    return AIC_OK;
}

int32_t script_dialog(const struct script *script, struct script_memory *memory,
                      const struct script_turn *turn, struct script_answer *answer)
{
    struct dialog d = {.script = script, .memory = memory, .turn = turn, .answer = answer};
    if (!turn->spoke) {
        go_on(&d);
    } else if (hear(&d) != AIC_OK) {
        return AIC_ERROR_MEMORY;
    }
    if (answer->text.len == 0 && answer->end.action == SCRIPT_ACTION_NONE) {
        ask(&d);
    }
    if (answer->text.len > 0 &&
        script_memory_set_last(memory, aic_buf_view(&answer->text)) != AIC_OK) {
        return AIC_ERROR_MEMORY;
    }
    return d.failed ? AIC_ERROR_MEMORY : AIC_OK;
}
