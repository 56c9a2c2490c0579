/* SPDX-License-Identifier: ISC */
#ifndef CALL_GATE_DECIDE_H
#define CALL_GATE_DECIDE_H
/*
 * Whether somebody may be dialled now. Pure: facts go in, a verdict comes out; who gathers the
 * facts is gate.c. What is not known is a refusal.
 */
#include "call/gate_rules.h"
#include "call/number.h"
#include "call/zone.h"

enum gate_reason {
    GATE_ALLOWED = 0,
    GATE_NOT_CONFIGURED = 1,
    GATE_NUMBER_INVALID = 2,
    GATE_NUMBER_SHORT = 3,
    GATE_NUMBER_UNKNOWN = 4,
    GATE_NUMBER_TYPE = 5,
    GATE_DESTINATION = 6,
    GATE_DISCLOSURE = 7,
    GATE_ZONE_UNKNOWN = 8,
    GATE_HOURS = 9,
    GATE_DO_NOT_CALL = 10,
    GATE_STORAGE = 11,
    GATE_PER_MINUTE = 12,
    GATE_PER_HOUR = 13,
    GATE_PER_DAY = 14,
    GATE_CONCURRENT = 15,
    GATE_COST = 16,
    GATE_QUEUE = 17, /* its turn did not come in time */
    GATE_REASONS = 18
};

enum gate_answer { GATE_NOT_ASKED = 0, GATE_CLEAR = 1, GATE_OBJECTION = 2, GATE_NO_ANSWER = 3 };

/* The clock of one place where the callee may be. */
struct gate_clock {
    const char *zone;
    struct zone_time time;
    bool is_known;
};

struct gate_facts {
    struct aic_str to;
    struct number number;
    bool has_greeting; /* the agent says first who it is */
    struct gate_clock clocks[NUMBER_ZONES];
    size_t clock_count;
    enum gate_answer do_not_call;
    enum gate_answer reserved; /* room under all limits */
    enum gate_reason over;     /* which limit objects */
    int64_t retry_after_ms;    /* until it does not object any more; 0 = unknown */
    bool is_late;              /* its turn to be dialled did not come */
    bool is_final;             /* what was not asked is a refusal */
};

struct gate_verdict {
    enum gate_reason reason;
    int64_t retry_after_ms;
    char text[256]; /* a sentence for people; no number in it */
};

void gate_decide(const struct gate_rules *rules, const struct gate_facts *facts,
                 struct gate_verdict *verdict);
/* "do_not_call" ...; "" for GATE_ALLOWED. */
const char *gate_reason_name(enum gate_reason reason);
/* How calls_dial answers it. */
int32_t gate_reason_status(enum gate_reason reason);

#endif
