/* SPDX-License-Identifier: ISC */
#include "call/gate_private.h"

#include "buf.h"

#include <stdlib.h>

/* An answer where there is no storage: not from inside. */
struct absence {
    storage_reply reply;
    void *data;
};

static void tell_absence(void *data)
{
    struct absence *absence = data;
    const struct aic_error error = {.size = sizeof(error),
                                    .category = AIC_CATEGORY_NETWORK,
                                    .message = AIC_STR("there is no storage")};
    absence->reply(absence->data, AIC_ERROR_UNSUPPORTED, AIC_STR("[]"), &error);
    free(absence);
}

static void miss(struct gate_lines *lines, storage_reply reply, void *data)
{
    struct absence *absence = reply ? malloc(sizeof(*absence)) : NULL;
    if (absence) {
        *absence = (struct absence){reply, data};
        if (sched_post(lines->sched, tell_absence, absence) != AIC_OK) {
            free(absence);
        }
    }
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    struct gate_lines *lines = data;
    if (lines->storage) {
        storage_query(lines->storage, name, params, reply, reply_data);
    } else {
        miss(lines, reply, reply_data);
    }
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct gate_lines *lines = data;
    if (lines->storage) {
        storage_change(lines->storage, name, params, reply, reply_data);
    } else {
        miss(lines, reply, reply_data);
    }
}

static void take_turn(void *data, int64_t window_ms, link_reply reply, void *reply_data)
{
    const struct gate_lines *lines = data;
    const struct link_bucket bucket = {
        .name = "outbound.turn", .amount = 1, .limit = 1, .window_ms = window_ms};
    link_take(lines->link, &bucket, reply, reply_data);
}

struct gate_ports gate_lines_ports(struct gate_lines *lines)
{
    return (struct gate_ports){
        .query = query, .change = change, .take_turn = take_turn, .data = lines};
}
