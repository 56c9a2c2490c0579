/* SPDX-License-Identifier: ISC */
#ifndef CALL_GATE_PRIVATE_H
#define CALL_GATE_PRIVATE_H
/*
 * Inside of the gate. Its files: gate.c (a check from its first question to the verdict),
 * gate_limits.c (a call's share of all limits), gate_record.c (audit and events), gate_lines.c (the
 * ports of a server), gate_decide.c (the judgement), gate_rules.c (the configuration).
 */
#include "base/uuid.h"
#include "call/gate.h"
#include "call/zones.h"

struct gate {
    struct gate_settings settings;
    struct zones *zones; /* NULL when nobody may be dialled */
    struct gate_check *checks;
    uint64_t refusals[GATE_REASONS];
};

/* Whose answer a check waits for. */
enum gate_wait {
    GATE_WAIT_NONE = 0,
    GATE_WAIT_TIMER = 1, /* can be stopped */
    GATE_WAIT_LIST = 2,  /* these come in any case */
    GATE_WAIT_TURN = 3,
    GATE_WAIT_SHARE = 4,
    GATE_WAIT_AUDIT = 5
};

struct gate_check {
    struct gate_check *next;
    struct gate *gate; /* NULL once dropped: it only waits to be freed */
    struct sched *sched;
    struct gate_ports ports;
    gate_done done;
    void *data;
    char call_id[UUID_TEXT];
    char *to;
    char *agent;
    char *actor;
    int64_t limit_ms;
    int64_t began_us;
    struct gate_facts facts;
    struct gate_verdict verdict;
    enum gate_wait waits;
    struct sched_timer *timer;
    bool has_turn;
    bool has_share;
};

/* gate_limits.c */
/* Sets the call's share of all limits aside. */
void gate_reserve(struct gate_check *check, storage_reply reply);
/* Takes the storage's answer into the facts. */
void gate_take_share(struct gate_check *check, int32_t status, struct aic_str rows);
void gate_give_back(const struct gate_ports *ports, const char *call_id);

/* gate_record.c */
void gate_record_event(struct gate_check *check);
/* `done` may be NULL; else the fact is synced first. */
void gate_record_audit(struct gate_check *check, void (*done)(void *data, int32_t status));

#endif
