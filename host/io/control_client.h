/* SPDX-License-Identifier: ISC */
#ifndef IO_CONTROL_CLIENT_H
#define IO_CONTROL_CLIENT_H
/*
 * The command line's end of the control socket. Blocks, with a deadline each time.
 */
#include "buf.h"

struct control;

/* AIC_ERROR_NOT_FOUND: no server runs there; AIC_ERROR_DENIED: it is not ours to talk to. */
int32_t control_open(const char *state_dir, struct control **control);
/* Accepts NULL. */
void control_close(struct control *control);

/*
 * Asks the owner of `call_id`, or with "" the master or any worker, and waits. Returns 0 when an
 * answer came: then `*status` is what the other side said and `answer` its body (JSON, appended to
 * a buffer of the caller's size). Else AIC_ERROR_TIMEOUT, AIC_ERROR_CLOSED, AIC_ERROR_TOO_LARGE.
 */
struct control_question {
    const char *call_id;
    const char *kind;
    struct aic_str body;
    int64_t timeout_ms;
};

int32_t control_request(struct control *control, const struct control_question *question,
                        int32_t *status, struct aic_buf *answer);

/* From now on messages come whose topic begins with `prefix`; "" = all. */
int32_t control_subscribe(struct control *control, const char *prefix);

struct control_message {
    const char *topic; /* borrowed until the next call, as the body */
    struct aic_str body;
    int64_t lost; /* so many before it did not fit, because we read too slowly */
};

/* AIC_ERROR_TIMEOUT: none came; AIC_ERROR_CLOSED: the server has ended. */
int32_t control_next(struct control *control, int64_t timeout_ms, struct control_message *message);

#endif
