/* SPDX-License-Identifier: ISC */
#include "match.h"

#include "expression.h"
#include "fold.h"

#include <stdlib.h>
#include <string.h>

enum {
    STARTS = SCRIPT_MATCH_WORDS + 1,
    SHORTEST_EXAMPLE = 3,
    FOLDED_MAX_BYTES = SCRIPT_MATCH_BYTES * 20 /* one character can become eighteen */
};

static uint64_t bit(uint32_t place)
{
    return (uint64_t)1 << place;
}

static uint64_t *ends_at(const struct script_match *match, uint32_t list, uint32_t start)
{
    return &match->ends[(size_t)list * STARTS + start];
}

/* Where one part may end when it begins at any of the places in `from`. */
static uint64_t advance(const struct script_match *match, const struct script_part *part,
                        uint64_t from)
{
    uint64_t to = 0;
    while (from) {
        uint32_t place = (uint32_t)__builtin_ctzll(from);
        from &= from - 1;
        if (part->word != SCRIPT_NONE) {
            if (place < match->count && match->words[place] == part->word) {
                to |= bit(place + 1);
            }
        } else {
            to |= *ends_at(match, part->list, place);
        }
    }
    return to;
}

/* Where a whole pattern may end when it begins at one of the places in `from`. */
static uint64_t run(const struct script_match *match, const struct script_pattern *pattern,
                    uint64_t from)
{
    for (uint32_t i = 0; i < pattern->count && from; i++) {
        from = advance(match, &pattern->parts[i], from);
    }
    return from;
}

static void find_lists(struct script_match *match)
{
    const struct script *script = match->script;
    for (uint32_t i = 0; i < script->list_count; i++) {
        uint32_t number = script->list_order[i];
        const struct script_list *list = &script->lists[number];
        for (uint32_t start = 0; start < match->count; start++) {
            uint64_t ends = 0;
            for (uint32_t e = 0; e < list->count; e++) {
                ends |= run(match, &list->entries[e].say, bit(start));
            }
            *ends_at(match, number, start) = ends;
        }
    }
}

/* Keeps the last words of a text that has too many. */
static void take_words(struct script_match *match)
{
    struct aic_str rest = aic_buf_view(&match->folded);
    uint32_t total = 0;
    for (struct aic_str word = script_fold_next(&rest); word.len > 0;
         word = script_fold_next(&rest)) {
        total++;
    }
    uint32_t skip = total > SCRIPT_MATCH_WORDS ? total - SCRIPT_MATCH_WORDS : 0;
    size_t dropped = 0;
    rest = aic_buf_view(&match->folded);
    for (uint32_t i = 0; i < total; i++) {
        struct aic_str word = script_fold_next(&rest);
        if (i < skip) {
            dropped = match->folded.len - rest.len;
        } else {
            match->words[match->count++] = script_word_find(match->script, word);
        }
    }
    aic_buf_drop(&match->folded, dropped);
}

int32_t script_match_init(struct script_match *match, const struct script *script,
                          struct aic_str said)
{
    *match = (struct script_match){.script = script};
    if (said.len > SCRIPT_MATCH_BYTES) {
        said.ptr += said.len - SCRIPT_MATCH_BYTES;
        said.len = SCRIPT_MATCH_BYTES;
    }
    aic_buf_init(&match->folded, FOLDED_MAX_BYTES);
    script_fold(&match->folded, said);
    match->ends = calloc((size_t)script->list_count * STARTS + 1, sizeof(*match->ends));
    if (!match->ends || match->folded.failed) {
        script_match_finish(match);
        return AIC_ERROR_MEMORY;
    }
    take_words(match);
    find_lists(match);
    return AIC_OK;
}

void script_match_finish(struct script_match *match)
{
    aic_buf_finish(&match->folded);
    free(match->ends);
    match->ends = NULL;
    match->count = 0;
}

static bool is_said(const struct script_match *match, const struct script_pattern *pattern)
{
    uint64_t anywhere = match->count == 0 ? 0 : bit(match->count) - 1;
    return run(match, pattern, anywhere) != 0;
}

static uint32_t count_said(const struct script_match *match, const struct script_patterns *patterns)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < patterns->count; i++) {
        count += is_said(match, &patterns->items[i]);
    }
    return count;
}

static bool fits(const struct script_match *match, const regex_t *regex, regmatch_t *groups)
{
    const char *text = match->folded.data ? match->folded.data : "";
    return regexec(regex, text, groups ? SCRIPT_GROUPS_MAX + 1 : 0, groups, 0) == 0;
}

bool script_match_intent(const struct script_match *match, const struct script_intent *intent)
{
    if (match->count == 0 || count_said(match, &intent->none) > 0) {
        return false;
    }
    if (count_said(match, &intent->examples) > 0) {
        return true;
    }
    if (intent->any.count == 0 && intent->all.count == 0 && !intent->regex) {
        return false;
    }
    return (intent->any.count == 0 || count_said(match, &intent->any) > 0) &&
           count_said(match, &intent->all) == intent->all.count &&
           (!intent->regex || fits(match, intent->regex, NULL));
}

static float weight_of(const struct script_match *match, const struct script_part *part)
{
    return part->word == SCRIPT_NONE ? 1.0F : match->script->weights[part->word];
}

/*
 * The share, by weight, of a pattern's parts that were said in their order. best[p] is the most
 * that the parts so far can have collected when the next one begins at place p or later.
 */
static float share_said(const struct script_match *match, const struct script_pattern *pattern)
{
    float best[STARTS] = {0};
    float total = 0;
    for (uint32_t i = 0; i < pattern->count; i++) {
        const struct script_part *part = &pattern->parts[i];
        float weight = weight_of(match, part);
        float with[STARTS];
        memcpy(with, best, sizeof(with));
        for (uint32_t place = 0; place < match->count; place++) {
            uint64_t ends = advance(match, part, bit(place));
            if (ends) {
                uint32_t end = (uint32_t)__builtin_ctzll(ends);
                float sum = best[place] + weight;
                with[end] = with[end] > sum ? with[end] : sum;
            }
        }
        for (uint32_t place = 1; place <= match->count; place++) {
            with[place] = with[place] > with[place - 1] ? with[place] : with[place - 1];
        }
        memcpy(best, with, sizeof(with));
        total += weight;
    }
    return total > 0 ? best[match->count] / total : 0;
}

float script_match_likeness(const struct script_match *match, const struct script_intent *intent)
{
    float most = 0;
    if (match->count == 0 || count_said(match, &intent->none) > 0) {
        return 0;
    }
    for (uint32_t i = 0; i < intent->examples.count; i++) {
        const struct script_pattern *example = &intent->examples.items[i];
        if (example->count >= SHORTEST_EXAMPLE) {
            float share = share_said(match, example);
            most = share > most ? share : most;
        }
    }
    return most;
}

struct span {
    uint32_t list;
    uint32_t start;
    uint32_t end;
};

static void put_value(const struct script_match *match, struct span span, struct aic_buf *value);

/* The places where a pattern's parts begin and end when all of it lies between start and end. */
static bool split(const struct script_match *match, const struct script_pattern *pattern,
                  struct span span, uint32_t *places)
{
    uint64_t reach[SCRIPT_MAX_PARTS + 1];
    reach[0] = bit(span.start);
    for (uint32_t i = 0; i < pattern->count; i++) {
        reach[i + 1] = advance(match, &pattern->parts[i], reach[i]);
    }
    if (!(reach[pattern->count] & bit(span.end))) {
        return false;
    }
    places[pattern->count] = span.end;
    for (uint32_t i = pattern->count; i > 0; i--) {
        uint64_t from = reach[i - 1];
        uint32_t place = (uint32_t)__builtin_ctzll(from);
        while (!(advance(match, &pattern->parts[i - 1], bit(place)) & bit(places[i]))) {
            from &= from - 1;
            place = (uint32_t)__builtin_ctzll(from);
        }
        places[i - 1] = place;
    }
    return true;
}

/* The pattern's part number `nth` (from 0) that is list `name`; the last one where there are
 * fewer. */
static uint32_t part_named(const struct script_match *match, const struct script_pattern *pattern,
                           struct aic_str name, uint32_t nth)
{
    uint32_t found = SCRIPT_NONE;
    for (uint32_t i = 0; i < pattern->count; i++) {
        uint32_t list = pattern->parts[i].list;
        if (list != SCRIPT_NONE && aic_str_equal(name, match->script->lists[list].name)) {
            found = i;
            if (nth-- == 0) {
                break;
            }
        }
    }
    return found;
}

/* Counts how often "{name}" stands in the text before `at`. */
static uint32_t count_before(const char *text, const char *at, struct aic_str name)
{
    uint32_t count = 0;
    for (const char *p = text; (p = memchr(p, '{', (size_t)(at - p))) != NULL; p++) {
        count += strncmp(p + 1, name.ptr, name.len) == 0 && p[1 + name.len] == '}';
    }
    return count;
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as lists refer to each other, never in a circle
static void put_entry(const struct script_match *match, const struct script_entry *entry,
                      const uint32_t *places, struct aic_buf *value)
{
    const char *p = entry->value;
    while (*p && !value->failed) {
        size_t plain = strcspn(p, "{");
        aic_buf_add(value, p, plain);
        p += plain;
        const char *close = *p ? strchr(p, '}') : NULL;
        if (!close) {
            return;
        }
        struct aic_str name = {p + 1, (size_t)(close - p - 1)};
        uint32_t part = part_named(match, &entry->say, name, count_before(entry->value, p, name));
        if (part != SCRIPT_NONE) {
            struct span inner = {entry->say.parts[part].list, places[part], places[part + 1]};
            put_value(match, inner, value);
        }
        p = close + 1;
    }
}

// NOLINTNEXTLINE(misc-no-recursion): see put_entry
static void put_value(const struct script_match *match, struct span span, struct aic_buf *value)
{
    const struct script_list *list = &match->script->lists[span.list];
    uint32_t places[SCRIPT_MAX_PARTS + 1];
    for (uint32_t i = 0; i < list->count; i++) {
        if (split(match, &list->entries[i].say, span, places)) {
            put_entry(match, &list->entries[i], places, value);
            return;
        }
    }
}

static void find_span(const struct script_match *match, uint32_t list, struct span *best)
{
    for (uint32_t start = 0; list != SCRIPT_NONE && start < match->count; start++) {
        uint64_t ends = *ends_at(match, list, start);
        if (ends) {
            uint32_t end = 63u - (uint32_t)__builtin_clzll(ends);
            if (best->list == SCRIPT_NONE || end - start >= best->end - best->start) {
                *best = (struct span){list, start, end};
            }
        }
    }
}

static bool put_group(const struct script_match *match, const struct script_slot *slot,
                      struct aic_buf *value)
{
    regmatch_t groups[SCRIPT_GROUPS_MAX + 1];
    if (!slot->regex || match->count == 0 || !fits(match, slot->regex, groups) ||
        groups[slot->group].rm_so < 0 || groups[slot->group].rm_so == groups[slot->group].rm_eo) {
        return false;
    }
    regmatch_t group = groups[slot->group];
    aic_buf_add(value, match->folded.data + group.rm_so, (size_t)(group.rm_eo - group.rm_so));
    return true;
}

bool script_match_slot(const struct script_match *match, const struct script_slot *slot, bool asked,
                       struct aic_buf *value)
{
    struct span best = {.list = SCRIPT_NONE};
    if (asked) {
        find_span(match, slot->asked, &best);
    }
    find_span(match, slot->list, &best);
    if (best.list == SCRIPT_NONE) {
        return put_group(match, slot, value);
    }
    size_t before = value->len;
    put_value(match, best, value);
    return value->len > before;
}
