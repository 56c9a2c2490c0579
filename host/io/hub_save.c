/* SPDX-License-Identifier: ISC */
/* The hub's way through an upgrade of the program: lines, requests and the board as bytes. */
#include "io/hub_private.h"
#include "io/pack.h"
#include "io/spawn.h"

/* Tags of items; values are never reused. */
enum {
    PACK_END = 201,
    PACK_WAITING = 202,
    PACK_PENDING = 203,
    PACK_LISTENER = 204,
    PACK_LAST_ID = 205,
    FIELD_NUMBER = 1,
    FIELD_FD = 2,
    FIELD_IS_OPEN = 3,
    FIELD_IS_SUBSCRIBED = 4,
    FIELD_TOPIC = 5,
    FIELD_BYTES = 6,
    FIELD_ID = 7,
    FIELD_FROM = 8,
    FIELD_FROM_ID = 9,
    FIELD_TO = 10,
    FIELD_DEADLINE = 11,
    FIELDS = 12
};

struct saving {
    struct aic_buf *to;
    struct aic_buf item;
    int end;
};

static void save_item(struct saving *saving, uint32_t tag)
{
    pack_str(saving->to, tag, aic_buf_view(&saving->item));
    saving->to->failed |= saving->item.failed;
    aic_buf_clear(&saving->item);
}

static void save_waiting(void *data, struct aic_str bytes)
{
    struct saving *saving = data;
    pack_int(&saving->item, FIELD_NUMBER, saving->end);
    pack_str(&saving->item, FIELD_BYTES, bytes);
    save_item(saving, PACK_WAITING);
}

static void save_end(struct saving *saving, const struct hub_end *end)
{
    pack_int(&saving->item, FIELD_NUMBER, saving->end);
    pack_int(&saving->item, FIELD_FD, end->peer.fd);
    pack_int(&saving->item, FIELD_IS_OPEN, end->is_open);
    pack_int(&saving->item, FIELD_IS_SUBSCRIBED, end->is_subscribed);
    pack_str(&saving->item, FIELD_TOPIC, aic_str(end->topic));
    save_item(saving, PACK_END);
    spawn_keep(end->peer.fd);
    peer_each_waiting(&end->peer, save_waiting, saving);
}

static void save_pending(struct saving *saving, const struct hub_pending *pending)
{
    pack_int(&saving->item, FIELD_ID, (int64_t)pending->id);
    pack_int(&saving->item, FIELD_FROM, pending->from);
    pack_int(&saving->item, FIELD_FROM_ID, (int64_t)pending->from_id);
    pack_int(&saving->item, FIELD_TO, pending->to);
    pack_int(&saving->item, FIELD_DEADLINE, pending->deadline_us);
    save_item(saving, PACK_PENDING);
}

void hub_save(const struct hub *hub, struct aic_buf *to)
{
    struct saving saving = {.to = to};
    aic_buf_init(&saving.item, FRAME_MAX_BYTES + 256);
    for (int end = 0; end < HUB_ENDS; end++) {
        saving.end = end;
        if (hub->ends[end].is_used && !hub->ends[end].is_ended) {
            save_end(&saving, &hub->ends[end]);
        }
    }
    for (const struct hub_pending *pending = hub->pending; pending; pending = pending->next) {
        save_pending(&saving, pending);
    }
    aic_buf_finish(&saving.item);
    pack_int(to, PACK_LAST_ID, (int64_t)hub->last_id);
    pack_int(to, PACK_LISTENER, hub->listen_fd);
    spawn_keep(hub->listen_fd);
    board_save(hub->board, to);
}

struct fields {
    int64_t number[FIELDS];
    struct pack_item text[FIELDS];
};

static bool load_fields(struct aic_str from, struct fields *fields)
{
    struct pack_item item;
    int32_t status;
    *fields = (struct fields){.number = {0}};
    while ((status = pack_next(&from, &item)) == 1) {
        if (item.tag < FIELDS) {
            fields->number[item.tag] = item.number;
            fields->text[item.tag] = item;
        }
    }
    int64_t end = fields->number[FIELD_NUMBER];
    return status == 0 && end >= 0 && end < HUB_ENDS;
}

static void load_end(struct hub *hub, const struct fields *fields)
{
    int number = (int)fields->number[FIELD_NUMBER];
    if (hub_add_end(hub, number, (int)fields->number[FIELD_FD]) != AIC_OK) {
        return;
    }
    struct hub_end *end = &hub->ends[number];
    end->is_open = fields->number[FIELD_IS_OPEN] != 0;
    end->is_subscribed = fields->number[FIELD_IS_SUBSCRIBED] != 0;
    /* Workers were told so before. */
    hub->is_watched = hub->is_watched || end->is_subscribed;
    (void)pack_copy(&fields->text[FIELD_TOPIC], end->topic, sizeof(end->topic));
}

static void load_waiting(struct hub *hub, const struct fields *fields)
{
    struct hub_end *end = &hub->ends[fields->number[FIELD_NUMBER]];
    if (end->is_used) {
        (void)peer_queue(&end->peer, fields->text[FIELD_BYTES].text);
        hub_watch_room(hub, (int)fields->number[FIELD_NUMBER]);
    }
}

void hub_load(struct hub *hub, const struct pack_item *item, int (*admit)(int fd))
{
    struct fields fields;
    if (item->tag == PACK_LAST_ID) {
        hub->last_id = (uint64_t)item->number;
    } else if (item->tag == PACK_LISTENER) {
        (void)hub_listen(hub, (int)item->number, admit);
    } else if (item->tag == PACK_END && load_fields(item->text, &fields)) {
        load_end(hub, &fields);
    } else if (item->tag == PACK_WAITING && load_fields(item->text, &fields)) {
        load_waiting(hub, &fields);
    } else if (item->tag == PACK_PENDING && load_fields(item->text, &fields)) {
        hub_add_pending(hub,
                        &(struct hub_pending){.id = (uint64_t)fields.number[FIELD_ID],
                                              .from = (int)fields.number[FIELD_FROM],
                                              .from_id = (uint64_t)fields.number[FIELD_FROM_ID],
                                              .to = (int)fields.number[FIELD_TO],
                                              .deadline_us = fields.number[FIELD_DEADLINE]});
    } else {
        board_load(hub->board, item);
    }
}
