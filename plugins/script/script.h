/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_SCRIPT_H
#define SCRIPT_SCRIPT_H
/*
 * A dialogue as it stands in memory: read-only once loaded. Everything is allocated from the
 * script and lives until script_destroy; names refer to each other by index, SCRIPT_NONE is "none".
 */
#include <aicaller/abi.h>
#include <regex.h>
#include <stdbool.h>

enum {
    SCRIPT_MAX_LISTS = 256,
    SCRIPT_MAX_NAMES = 256,
    SCRIPT_MAX_STATES = 500,
    SCRIPT_MAX_INTENTS = 500,
    SCRIPT_MAX_PARTS = 24,  /* words and lists in one pattern */
    SCRIPT_MAX_TEXT = 600,  /* bytes of one reply */
    SCRIPT_MAX_VALUE = 200, /* bytes of one slot or variable */
    SCRIPT_MAX_MISSES = 10
};

#define SCRIPT_NONE UINT32_MAX

enum {
    SCRIPT_ACTION_NONE = 0,
    SCRIPT_ACTION_HANGUP = 1,
    SCRIPT_ACTION_TRANSFER = 2,
    SCRIPT_ACTION_REPEAT = 3
};

/* Alternatives of one reply, told in turn. `site` numbers all of a script's replies. */
struct script_texts {
    struct script_texts *following; /* all replies of the script, in order of loading */
    const char **items;
    uint32_t count;
    uint32_t site;
    int line;
    bool is_question; /* what a state says; {question} would refer to itself there */
};

/* One element of a pattern: a word, or any entry of a list where `word` is SCRIPT_NONE. */
struct script_part {
    uint32_t word;
    uint32_t list;
};

/* Words to be found one after the other; `text` is as written in the file. */
struct script_pattern {
    const char *text;
    struct script_part *parts;
    uint32_t count;
    int line;
};

struct script_patterns {
    struct script_pattern *items;
    uint32_t count;
};

/* A word list's entry. `value` is a text with {list} in it: what a slot is set to. */
struct script_entry {
    struct script_pattern say;
    const char *value;
};

struct script_list {
    const char *name;
    struct script_entry *entries;
    uint32_t count;
    int line;
};

/* A slot, a variable, or the target of a `set`. Slots come first, in the order of the file. */
struct script_name {
    const char *name;
    const char *initial; /* NULL = empty */
};

struct script_slot {
    const char *name;
    uint32_t list;  /* where its words are found in any sentence */
    uint32_t asked; /* further words that count when a state asks for it */
    regex_t *regex;
    uint32_t group; /* of the regex */
    struct script_patterns examples;
    int line;
};

struct script_set {
    uint32_t name;
    const char *value;
};

struct script_end {
    uint32_t action;
    const char *reason;
    const char *to;
};

/* What happens when something was understood. */
struct script_rule {
    uint32_t intent;
    uint32_t next;
    struct script_texts say;
    struct script_end end;
    struct script_set *set;
    uint32_t set_count;
    uint32_t *clear; /* names */
    uint32_t clear_count;
    int line;
};

struct script_misses {
    struct script_texts say;
    uint32_t max; /* 0 = as the script's */
    struct script_rule *then;
    int line;
};

struct script_intent {
    const char *name;
    bool is_global;
    struct script_patterns any;
    struct script_patterns all;
    struct script_patterns none;
    struct script_patterns examples;
    regex_t *regex;
    struct script_rule *then;
    int line;
};

struct script_state {
    const char *name;
    struct script_texts say;
    uint32_t slot;
    uint32_t next;
    uint32_t *takes; /* slots */
    uint32_t takes_count;
    struct script_rule *rules; /* of `on` */
    uint32_t rule_count;
    uint32_t *expect; /* intents */
    uint32_t expect_count;
    struct script_misses misses;
    struct script_end end;
    int line;
};

struct script_block;
struct script_regex;

struct script {
    struct script_list *lists;
    uint32_t list_count;
    struct script_slot *slots;
    uint32_t slot_count;
    struct script_intent *intents;
    uint32_t intent_count;
    struct script_state *states;
    uint32_t state_count;
    struct script_name *names;
    uint32_t name_count;
    uint32_t start;
    struct script_misses misses;
    struct script_texts *texts; /* every reply */
    uint32_t site_count;
    uint32_t *list_order; /* each list after those that it refers to */

    /* Every word of every pattern has a number, so that matching compares numbers. */
    const char **words;
    float *weights; /* 1 / number of intents that use the word in an example */
    uint32_t word_count;
    uint32_t word_cap;
    uint32_t *word_table;
    uint32_t table_size;

    struct script_block *blocks;
    struct script_regex *regexes;
    bool out_of_memory; /* some allocation failed: the script is not to be used */
};

struct script *script_create(void);
/* Accepts NULL. */
void script_destroy(struct script *script);

/* Zeroed memory that lives as long as the script; NULL (and out_of_memory) where there is none. */
void *script_alloc(struct script *script, size_t count, size_t size);
/* A terminated copy. */
const char *script_copy(struct script *script, struct aic_str text);
/* A place for a compiled expression that script_destroy frees; NULL when out of memory. The caller
 * sets *compiled once regcomp has succeeded. */
regex_t *script_regex_add(struct script *script, bool **compiled);

/* The number of a folded word; the first form adds unknown ones. SCRIPT_NONE = not there. */
uint32_t script_word_add(struct script *script, struct aic_str word);
uint32_t script_word_find(const struct script *script, struct aic_str word);

/* A slot's or variable's index. */
uint32_t script_name_find(const struct script *script, struct aic_str name);

/* The rule that a state has for an intent: its own, else the intent's `then`, else NULL. */
const struct script_rule *script_rule_for(const struct script *script,
                                          const struct script_state *state, uint32_t intent);
/* The misses in force: a state's own keys go before the script's. */
struct script_misses script_misses_of(const struct script *script,
                                      const struct script_state *state);
/* True if the state stops and listens; else it says its text and goes on or ends. */
bool script_state_waits(const struct script_state *state);

#endif
