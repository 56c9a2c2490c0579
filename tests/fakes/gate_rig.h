/* SPDX-License-Identifier: ISC */
#ifndef FAKES_GATE_RIG_H
#define FAKES_GATE_RIG_H
/*
 * A gate in virtual time, before a real SQLite database that can be told to fail or to hang, and
 * with a journal that keeps what it is given.
 */
#include "call/gate.h"
#include "plugin/provider.h"
#include "vsched.h"

#include "buf.h"

enum { GATE_RIG_ANSWERS = 32 };

struct gate_rig {
    struct vsched *v;
    struct sched *sched;
    struct plugin_env env;
    char place[64];
    struct config *config;
    struct gate_rules rules;
    struct provider *database;
    bool storage_is_down; /* answers with an error */
    bool storage_hangs;   /* answers when `late` is called */
    storage_reply late;   /* the answer that is held back */
    void *late_data;
    char late_name[32];
    char *late_params;
    int64_t next_turn_us;
    struct journal journal;
    struct aic_buf facts; /* a line each: table, columns */
    int durable;
    bool journal_is_full;
    struct gate *gate;
    /* What it answered. */
    size_t answers;
    struct gate_verdict verdicts[GATE_RIG_ANSWERS];
    int64_t answered_us[GATE_RIG_ANSWERS];
};

/* `conf` is a configuration with the group "outbound"; `zones` a folder, NULL = the system's. Wall
 * time begins on Monday, 2026-01-05 at 10:00 UTC. */
struct gate_rig *gate_rig_create(const char *conf, const char *zones);
void gate_rig_destroy(struct gate_rig *rig);
/* Asks for a call. */
struct gate_check *gate_rig_pass(struct gate_rig *rig, int call, const char *to);
/* The same, and lets the answer come: the reason of the refusal, "" for none. */
const char *gate_rig_verdict(struct gate_rig *rig, int call, const char *to);
/* The id of a call; valid until the next. */
const char *gate_rig_id(int call);
/* A change in the database, whatever the storage does otherwise. */
void gate_rig_change(struct gate_rig *rig, const char *name, const char *params);
/* Lets the answer come that the storage holds back. */
void gate_rig_let_go(struct gate_rig *rig);

#endif
