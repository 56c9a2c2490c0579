/* SPDX-License-Identifier: ISC */
#include "phrases.h"

#include "buf.h"

#include <string.h>

enum { PHRASE_MAX_BYTES = 400, COUNT_MAX = 1000000000 };

struct phrases {
    const struct script *script;
    uint64_t counts[SCRIPT_MAX_LISTS]; /* ways to say each list */
    uint64_t quota;                    /* phrases of one pattern */
    uint32_t given;
    uint32_t max;
    void (*add)(void *data, struct aic_str phrase);
    void *data;
};

static bool has_digit(const char *text)
{
    return text[strcspn(text, "0123456789")] != '\0';
}

static uint64_t capped(uint64_t count)
{
    return count < COUNT_MAX ? count : COUNT_MAX;
}

/* In how many ways a pattern can be said; 0 where it is written in digits. */
static uint64_t ways(const struct phrases *p, const struct script_pattern *pattern)
{
    uint64_t count = has_digit(pattern->text) ? 0 : 1;
    for (uint32_t i = 0; i < pattern->count; i++) {
        if (pattern->parts[i].word == SCRIPT_NONE) {
            count = capped(count * p->counts[pattern->parts[i].list]);
        }
    }
    return count;
}

static void count_lists(struct phrases *p)
{
    for (uint32_t i = 0; i < p->script->list_count; i++) {
        uint32_t number = p->script->list_order[i];
        const struct script_list *list = &p->script->lists[number];
        for (uint32_t e = 0; e < list->count; e++) {
            p->counts[number] = capped(p->counts[number] + ways(p, &list->entries[e].say));
        }
    }
}

static void put_list(const struct phrases *p, uint32_t number, uint64_t way, struct aic_buf *to);

/* Writes way `way` of a pattern: its text, each {list} replaced. */
// NOLINTNEXTLINE(misc-no-recursion): as deep as lists refer to each other, never in a circle
static void put_pattern(const struct phrases *p, const struct script_pattern *pattern, uint64_t way,
                        struct aic_buf *to)
{
    const char *at = pattern->text;
    for (uint32_t i = 0; i < pattern->count; i++) {
        if (pattern->parts[i].word != SCRIPT_NONE) {
            continue;
        }
        size_t plain = strcspn(at, "{");
        uint64_t count = p->counts[pattern->parts[i].list];
        aic_buf_add(to, at, plain);
        at += plain;
        at += strcspn(at, "}");
        at += *at == '}';
        put_list(p, pattern->parts[i].list, way % count, to);
        way /= count;
    }
    aic_buf_text(to, at);
}

// NOLINTNEXTLINE(misc-no-recursion): see put_pattern
static void put_list(const struct phrases *p, uint32_t number, uint64_t way, struct aic_buf *to)
{
    const struct script_list *list = &p->script->lists[number];
    for (uint32_t e = 0; e < list->count; e++) {
        uint64_t count = ways(p, &list->entries[e].say);
        if (way < count) {
            put_pattern(p, &list->entries[e].say, way, to);
            return;
        }
        way -= count;
    }
}

static uint64_t common_divisor(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* A step that visits all of `count` places before it comes back to the first, and spreads any
 * number of visits evenly: near the golden section, with no divisor in common. */
static uint64_t step_of(uint64_t count)
{
    uint64_t step = count * 618 / 1000;
    while (step > 1 && common_divisor(step, count) != 1) {
        step--;
    }
    return step > 0 ? step : 1;
}

/* Patterns begin at different places, so that several with the same lists complete each other. */
static void give(struct phrases *p, const struct script_pattern *pattern)
{
    uint64_t count = ways(p, pattern);
    uint64_t wanted = count < p->quota ? count : p->quota;
    uint64_t step = step_of(count);
    uint64_t first = p->given;
    for (uint64_t i = 0; i < wanted && p->given < p->max; i++) {
        struct aic_buf phrase;
        aic_buf_init(&phrase, PHRASE_MAX_BYTES);
        put_pattern(p, pattern, (first + i) % count * step % count, &phrase);
        if (!phrase.failed && phrase.len > 0) {
            p->add(p->data, aic_buf_view(&phrase));
            p->given++;
        }
        aic_buf_finish(&phrase);
    }
}

static void each_of(struct phrases *p, const struct script_patterns *patterns,
                    void (*visit)(struct phrases *p, const struct script_pattern *pattern))
{
    for (uint32_t i = 0; i < patterns->count; i++) {
        visit(p, &patterns->items[i]);
    }
}

static void each_of_list(struct phrases *p, uint32_t number,
                         void (*visit)(struct phrases *p, const struct script_pattern *pattern))
{
    for (uint32_t i = 0; number != SCRIPT_NONE && i < p->script->lists[number].count; i++) {
        visit(p, &p->script->lists[number].entries[i].say);
    }
}

static void each_pattern(struct phrases *p,
                         void (*visit)(struct phrases *p, const struct script_pattern *pattern))
{
    for (uint32_t i = 0; i < p->script->intent_count; i++) {
        each_of(p, &p->script->intents[i].any, visit);
        each_of(p, &p->script->intents[i].all, visit);
        each_of(p, &p->script->intents[i].examples, visit);
    }
    for (uint32_t i = 0; i < p->script->slot_count; i++) {
        each_of(p, &p->script->slots[i].examples, visit);
        each_of_list(p, p->script->slots[i].list, visit);
        each_of_list(p, p->script->slots[i].asked, visit);
    }
}

/* Counts what the quota lets through, in `given`. */
static void count_given(struct phrases *p, const struct script_pattern *pattern)
{
    uint64_t count = ways(p, pattern);
    p->given = (uint32_t)capped(p->given + (count < p->quota ? count : p->quota));
}

/* The largest quota with which all patterns together stay within the limit. */
static void find_quota(struct phrases *p)
{
    uint64_t low = 1;
    uint64_t high = p->max > 1 ? p->max : 1;
    while (low < high) {
        p->quota = (low + high + 1) / 2;
        p->given = 0;
        each_pattern(p, count_given);
        if (p->given <= p->max) {
            low = p->quota;
        } else {
            high = p->quota - 1;
        }
    }
    p->quota = low;
    p->given = 0;
}

uint32_t script_phrases(const struct script *script, uint32_t max,
                        void (*add)(void *data, struct aic_str phrase), void *data)
{
    struct phrases p = {.script = script, .max = max, .add = add, .data = data};
    count_lists(&p);
    find_quota(&p);
    each_pattern(&p, give);
    return p.given;
}
