/* SPDX-License-Identifier: ISC */
#ifndef FAKES_CALL_RIG_H
#define FAKES_CALL_RIG_H
/*
 * Everything that a whole call in virtual time needs: providers made of the fake vendor, an agent,
 * and a journal that keeps the facts.
 */
#include "call/gate.h"
#include "fake_fetch.h"
#include "fake_vendor.h"
#include "vsched.h"

enum { RIG_FACTS = 512 };

struct rig_fact {
    char table[24];
    char id[UUID_TEXT];
    uint64_t revision;
    char *columns; /* the newest revision's, merged is nothing: as written */
};

struct rig {
    struct vsched *v;
    struct plugin_env env;
    struct journal journal;
    struct call_env call_env;
    struct fake_fetch fetch;
    struct agent agent;
    struct provider *main;  /* stt, llm, tts and line of the agent */
    struct provider *spare; /* the next of stt, llm and tts; NULL */
    struct fake_vendor *vendor;
    struct fake_vendor *reserve;
    struct call *call;
    struct fake_line *line;
    struct rig_fact facts[RIG_FACTS];
    size_t fact_count;
    char *last_reply; /* of typed calls */
    struct gate_rules rules;
    struct gate *gate;
    struct aic_buf changes; /* that the gate asked of the storage, a line each */
    bool has_ended;
};

struct rig_settings {
    uint32_t stt_flags;
    uint32_t llm_flags;
    uint32_t line_flags;
    bool aligns;
    bool streams_in;
    bool with_spare;
    bool is_text;
    bool is_outbound;
    bool has_gate;              /* one that lets nobody be dialled, for what calls tell it */
    const char *recordings_dir; /* NULL: nothing is recorded */
    /* Adds to call_env before the call is made; may be NULL. */
    void (*prepare)(struct rig *rig, void *data);
    void *data;
};

/* Makes a rig with delays of 50 ms (stt), 100 ms (llm), 20 ms a token and 60 ms (tts). */
struct rig *rig_create(const struct rig_settings *settings);
void rig_destroy(struct rig *rig);
/* Begins the call with these speeches of the caller. */
void rig_begin(struct rig *rig, const struct fake_speech *speeches, size_t count);
/* Adds what the recogniser will hear and what the model will say. */
void rig_hears(struct rig *rig, const char *text);
void rig_says(struct rig *rig, const char *text);
void rig_run(struct rig *rig, int64_t ms);
/* The newest columns of the n-th fact of a table, by order of first appearance; NULL. */
const char *rig_fact(const struct rig *rig, const char *table, size_t n);
size_t rig_count(const struct rig *rig, const char *table);
/* Whether an event of a type was recorded. */
bool rig_has_event(const struct rig *rig, const char *type);
/* A text member of the n-th fact of a table; "" if absent. Valid until the next call. */
const char *rig_text(const struct rig *rig, const char *table, size_t n, const char *key);
int64_t rig_int(const struct rig *rig, const char *table, size_t n, const char *key);

#endif
