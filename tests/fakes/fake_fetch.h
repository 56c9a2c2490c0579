/* SPDX-License-Identifier: ISC */
#ifndef FAKES_FAKE_FETCH_H
#define FAKES_FAKE_FETCH_H
/* A web for tests: keeps what was asked, and answers after a time as it was told to. */
#include "base/sched.h"
#include "call/fetch.h"

enum { FAKE_FETCHES = 16 };

struct fake_answer {
    int32_t status;
    const char *body;
    const char *error;
    int64_t delay_us;
    bool is_refused; /* already when it is asked */
};

struct fake_fetch {
    struct fetch fetch;
    struct sched *sched;
    struct fake_answer answers[FAKE_FETCHES]; /* in order */
    size_t asked;
    int running;
    int cancelled;
    /* Of the last request. */
    char method[16];
    char url[2048];
    char body[4096];
    char headers[2048]; /* "name: value\n" each */
    int64_t timeout_ms;
};

void fake_fetch_init(struct fake_fetch *fake, struct sched *sched);

#endif
