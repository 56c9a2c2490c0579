/* SPDX-License-Identifier: ISC */
#include "script.h"

#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 << 10, WORDS_MAX = 200000 };

struct script_block {
    struct script_block *next;
    size_t used;
    size_t size;
    max_align_t data[];
};

struct script_regex {
    struct script_regex *next;
    regex_t regex;
    bool compiled;
};

struct script *script_create(void)
{
    return calloc(1, sizeof(struct script));
}

void script_destroy(struct script *script)
{
    if (!script) {
        return;
    }
    while (script->regexes) {
        struct script_regex *regex = script->regexes;
        script->regexes = regex->next;
        if (regex->compiled) {
            regfree(&regex->regex);
        }
        free(regex);
    }
    while (script->blocks) {
        struct script_block *block = script->blocks;
        script->blocks = block->next;
        free(block);
    }
    free(script->words);
    free(script->weights);
    free(script->word_table);
    free(script);
}

void *script_alloc(struct script *script, size_t count, size_t size)
{
    size_t align = sizeof(max_align_t);
    if (size > 0 && count > (SIZE_MAX / 2 - align) / size) {
        script->out_of_memory = true;
        return NULL;
    }
    size_t bytes = (count * size + align - 1) / align * align;
    struct script_block *block = script->blocks;
    if (!block || block->size - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = calloc(1, sizeof(*block) + room);
        if (!block) {
            script->out_of_memory = true;
            return NULL;
        }
        block->size = room;
        block->next = script->blocks;
        script->blocks = block;
    }
    char *memory = (char *)block->data + block->used;
    block->used += bytes;
    return memory;
}

const char *script_copy(struct script *script, struct aic_str text)
{
    char *copy = script_alloc(script, text.len + 1, 1);
    if (copy && text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

regex_t *script_regex_add(struct script *script, bool **compiled)
{
    struct script_regex *regex = calloc(1, sizeof(*regex));
    if (!regex) {
        script->out_of_memory = true;
        return NULL;
    }
    regex->next = script->regexes;
    script->regexes = regex;
    *compiled = &regex->compiled;
    return &regex->regex;
}

static uint32_t hash(struct aic_str word)
{
    uint32_t h = 2166136261u;
    for (size_t i = 0; i < word.len; i++) {
        h = (h ^ (unsigned char)word.ptr[i]) * 16777619u;
    }
    return h;
}

static bool same(const char *known, struct aic_str word)
{
    return strncmp(known, word.ptr, word.len) == 0 && known[word.len] == '\0';
}

/* The table's place for a word: its own, or the free one where it would go. */
static uint32_t place_of(const struct script *script, struct aic_str word)
{
    uint32_t mask = script->table_size - 1;
    uint32_t at = hash(word) & mask;
    while (script->word_table[at] != SCRIPT_NONE &&
           !same(script->words[script->word_table[at]], word)) {
        at = (at + 1) & mask;
    }
    return at;
}

uint32_t script_word_find(const struct script *script, struct aic_str word)
{
    return script->table_size == 0 ? SCRIPT_NONE : script->word_table[place_of(script, word)];
}

/* Doubles what holds the words, and spreads them over the new table. */
static int32_t grow_words(struct script *script)
{
    uint32_t cap = script->word_cap ? script->word_cap * 2 : 256;
    uint32_t table_size = cap * 2;
    const char **words = realloc(script->words, cap * sizeof(*words));
    if (words) {
        script->words = words;
    }
    float *weights = realloc(script->weights, cap * sizeof(*weights));
    if (weights) {
        script->weights = weights;
    }
    uint32_t *table = malloc(table_size * sizeof(*table));
    if (!words || !weights || !table) {
        free(table);
        return AIC_ERROR_MEMORY;
    }
    memset(table, 0xff, table_size * sizeof(*table));
    free(script->word_table);
    script->word_table = table;
    script->table_size = table_size;
    script->word_cap = cap;
    for (uint32_t i = 0; i < script->word_count; i++) {
        struct aic_str word = {script->words[i], strlen(script->words[i])};
        table[place_of(script, word)] = i;
    }
    return AIC_OK;
}

uint32_t script_word_add(struct script *script, struct aic_str word)
{
    uint32_t found = script_word_find(script, word);
    if (found != SCRIPT_NONE) {
        return found;
    }
    bool full = script->word_count == script->word_cap;
    if (script->word_count >= WORDS_MAX || (full && grow_words(script) != AIC_OK)) {
        script->out_of_memory = true;
        return SCRIPT_NONE;
    }
    const char *copy = script_copy(script, word);
    if (!copy) {
        return SCRIPT_NONE;
    }
    uint32_t number = script->word_count++;
    script->words[number] = copy;
    script->weights[number] = 1;
    script->word_table[place_of(script, word)] = number;
    return number;
}

uint32_t script_name_find(const struct script *script, struct aic_str name)
{
    for (uint32_t i = 0; i < script->name_count; i++) {
        if (same(script->names[i].name, name)) {
            return i;
        }
    }
    return SCRIPT_NONE;
}

const struct script_rule *script_rule_for(const struct script *script,
                                          const struct script_state *state, uint32_t intent)
{
    for (uint32_t i = 0; i < state->rule_count; i++) {
        if (state->rules[i].intent == intent) {
            return &state->rules[i];
        }
    }
    return script->intents[intent].then;
}

struct script_misses script_misses_of(const struct script *script, const struct script_state *state)
{
    struct script_misses misses = state->misses;
    if (misses.say.count == 0) {
        misses.say = script->misses.say;
    }
    if (misses.max == 0) {
        misses.max = script->misses.max;
    }
    if (!misses.then) {
        misses.then = script->misses.then;
    }
    return misses;
}

bool script_state_waits(const struct script_state *state)
{
    return state->end.action == SCRIPT_ACTION_NONE &&
           (state->slot != SCRIPT_NONE || state->rule_count > 0 || state->expect_count > 0);
}
