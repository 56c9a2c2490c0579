/* SPDX-License-Identifier: ISC */
#ifndef CALL_GATE_H
#define CALL_GATE_H
/*
 * The gate that every call to a real person passes just before it is dialled: gathers the facts,
 * lets gate_decide judge, and sets the call's share of all limits aside in the storage, so that
 * they hold for all workers and hosts. Each judgement becomes an audit fact, each refusal an event.
 *
 * A call's share is known by the call's id: any worker may settle it. One that nobody settles is
 * free again when the longest call would have ended.
 */
#include "base/sched.h"
#include "call/gate_decide.h"
#include "call/journal.h"
#include "io/link.h"
#include "plugin/storage.h"

struct gate;
struct gate_check;

/* Whom the gate asks. Each answers once, never from inside. */
struct gate_ports {
    /* As storage_query and storage_change. */
    void (*query)(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data);
    void (*change)(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data);
    /* As link_take: one dial of this host per `window_ms`. */
    void (*take_turn)(void *data, int64_t window_ms, link_reply reply, void *reply_data);
    void *data;
};

struct gate_settings {
    struct sched *sched;
    struct journal *journal; /* may be NULL */
    const struct gate_rules *rules;
    const char *zone_folder; /* "/usr/share/zoneinfo" */
    struct gate_ports ports;
};

/* Reads the time zones when anybody may be dialled. NULL without memory. */
struct gate *gate_create(const struct gate_settings *settings);
/* No check is answered after this. Accepts NULL. */
void gate_destroy(struct gate *gate);

struct gate_request {
    const char *call_id; /* a UUID */
    const char *to;
    const char *agent;
    const char *actor; /* who asks; NULL = unknown */
    bool has_greeting;
    int64_t limit_ms; /* the call lasts no longer */
};

typedef void (*gate_done)(void *data, const struct gate_verdict *verdict);

/* Everything is copied. `done` comes once, never from inside, unless the check is dropped. NULL
 * without memory. */
struct gate_check *gate_pass(struct gate *gate, const struct gate_request *request, gate_done done,
                             void *data);
/* Nobody waits for it any more; what it has set aside is given back. Accepts NULL. */
void gate_drop(struct gate_check *check);

/* The call was not dialled after all: nothing counts it. */
void gate_release(struct gate *gate, const char *call_id);
/* The call is over and has cost this much. */
void gate_settle(struct gate *gate, const char *call_id, double cost);
/* Somebody asked in a call not to be called any more: durable at once, also with the storage down.
 */
void gate_opt_out(struct gate *gate, const char *call_id, const char *number);
/* How often this gate has refused for a reason. */
uint64_t gate_refusals(const struct gate *gate, enum gate_reason reason);

/* The ports of a server; `storage` may be NULL: then nothing is dialled. Borrows both. */
struct gate_lines {
    struct sched *sched;
    struct storage *storage;
    struct link *link;
};

struct gate_ports gate_lines_ports(struct gate_lines *lines);

#endif
