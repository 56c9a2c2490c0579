/* SPDX-License-Identifier: ISC */
#ifndef WEB_PASSWORD_DESK_H
#define WEB_PASSWORD_DESK_H
/*
 * Passwords are checked one at a time in a worker, on a pool thread, because each takes 64 MiB and
 * a tenth of a second. Few wait; more are turned away.
 */
#include "web/password.h"

struct password_desk;
struct sched;

enum { PASSWORD_DESK_QUEUE = 8 };

/* NULL without memory. */
struct password_desk *password_desk_create(struct sched *sched);
/* Replies still come, with AIC_ERROR_CLOSED. Accepts NULL. */
void password_desk_destroy(struct password_desk *desk);

/* AIC_OK; AIC_ERROR_DENIED: it is the wrong one; AIC_ERROR_CLOSED. `hash` is the new one's, where
 * one was made. Never from inside. */
typedef void (*password_reply)(void *data, int32_t status, const char *hash);

struct password_task {
    const char *hash;      /* checked first against this; NULL: not at all; "" is never right */
    struct aic_str given;  /* what is checked */
    struct aic_str wanted; /* then this one's hash is made; empty: of none */
};

/* Copies everything. AIC_ERROR_BUSY: too many wait, and there is no reply. */
int32_t password_desk_run(struct password_desk *desk, const struct password_task *task,
                          password_reply reply, void *data);

#endif
