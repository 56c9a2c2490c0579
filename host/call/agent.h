/* SPDX-License-Identifier: ISC */
#ifndef CALL_AGENT_H
#define CALL_AGENT_H
/*
 * An agent as the configuration describes it: what it says, how it takes turns, and which providers
 * it asks, in order. Texts live as long as the agent.
 */
#include "base/settings.h"
#include "call/tool.h"
#include "call/turn.h"
#include "plugin/chain.h"

struct setup;

/* Whether people are told of a recording. */
enum consent { CONSENT_NONE = 0, CONSENT_ANNOUNCE = 1, CONSENT_ASK = 2 };

struct recording_rules {
    enum consent consent;
    bool is_opus;
    int64_t max_us;     /* 0 = no limit */
    uint64_t max_bytes; /* 0 likewise */
    int64_t min_free_bytes;
};

struct agent {
    char *name;
    struct settings *settings;
    struct settings *turn;
    struct settings *silence;
    struct settings *recorded;
    char *announced; /* the greeting with what is said of the recording; NULL */
    struct config_pos pos;
    /* Of each role; the providers are filled in by agents_bind. */
    struct chain telephony;
    struct chain stt;
    struct chain llm;
    struct chain tts;
    const char *prompt;
    const char *greeting; /* "" = the model speaks first */
    const char *farewell;
    const char *apology; /* said when something is broken */
    const char *opt_out; /* said to who wants no more calls */
    const char *language;
    const char *voice;
    const char *const *numbers; /* NULL-terminated, as the following */
    const char *const *goodbyes;
    const char *const *reprompts;
    const char *const *unclear;   /* said when the recogniser was not sure */
    const char *const *fillers;   /* said when an answer takes its time */
    const char *const *transfers; /* where callers may be handed over to */
    struct aic_str *hints;        /* from the configuration and from scripts */
    uint32_t hint_count;
    struct tools tools;
    struct turn_settings turn_settings;
    int64_t max_duration_us;
    int64_t filler_after_us; /* 0 = never */
    int64_t reprompt_after_us;
    int64_t reprompt_limit;
    int64_t memory_tokens;
    double min_confidence;
    bool record;
    struct recording_rules recording;
};

struct agents {
    struct agent **list;
    size_t count;
};

/* Tables for checking and for docs/configuration.md. */
extern const struct settings_table agent_table;
extern const struct settings_table agent_turn_table;
extern const struct settings_table agent_silence_table;
extern const struct settings_table agent_recording_table;

/*
 * Reads the group "agents". Every provider an agent names is marked as used in `setup`; one that
 * does not exist, or does not play the role, is a problem. `agents` is usable only without errors.
 */
void agents_load(struct agents *agents, const struct config_node *group, struct setup *setup,
                 struct config_problems *problems);
struct provider;
typedef struct provider *(*agents_finder)(void *data, const char *name);
/* Fills the chains from created providers, and the hints from scripts. `with_telephony`: also the
 * lines, which need a server. */
int32_t agents_bind(struct agents *agents, bool with_telephony, agents_finder find, void *data);
void agents_finish(struct agents *agents);
/* A call is about to begin: its providers open their connections. */
void agent_prewarm(const struct agent *agent);

/* By name; NULL = "default", or the only one there is. */
struct agent *agents_find(const struct agents *agents, const char *name);
/* The one that answers calls to a number. */
struct agent *agents_for_number(const struct agents *agents, struct aic_str number);

#endif
