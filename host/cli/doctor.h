/* SPDX-License-Identifier: ISC */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H
/*
 * What stops calls from working, found one by one. Each finding has a state, what was looked at,
 * what was seen, and what to do. Nothing is contacted but what the configuration names.
 */
#include "cli/conf.h"
#include "cli/place.h"

enum finding_state { FINDING_OK = 0, FINDING_WARN = 1, FINDING_FAIL = 2 };

struct finding {
    enum finding_state state;
    const char *what; /* "disk", "clock" ...; static text */
    char *seen;
    char *remedy; /* NULL = none needed */
};

enum { FINDINGS_MAX = 256 };

struct doctor {
    struct finding list[FINDINGS_MAX];
    size_t count;
    size_t warnings;
    size_t failures;
    bool has_server;   /* one runs on this configuration's state folder */
    char instance[32]; /* which; "" = it does not say */
};

/* Add a finding. */
void doctor_ok(struct doctor *doctor, const char *what, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A warning or a failure. */
void doctor_bad(struct doctor *doctor, enum finding_state state, const char *what,
                const char *remedy, const char *format, ...) __attribute__((format(printf, 5, 6)));
void doctor_finish(struct doctor *doctor);

/* doctor_local.c: this machine. */
void doctor_look_here(struct doctor *doctor, const struct place *place);
/* The same with the whole configuration at hand. */
void doctor_look_at_conf(struct doctor *doctor, const struct conf *conf, const struct place *place);
/* doctor_network.c: vendors, the public address, the carriers' numbers. */
void doctor_look_outside(struct doctor *doctor, struct conf *conf);

#endif
