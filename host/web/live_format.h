/* SPDX-License-Identifier: ISC */
#ifndef WEB_LIVE_FORMAT_H
#define WEB_LIVE_FORMAT_H
/*
 * What viewers of live calls read: news of calls as server-sent events, lists of calls as JSON.
 * Pure.
 */
#include "buf.h"
#include "json.h"

/* News, understood. Borrows from `body`. */
struct live_news {
    const char *event; /* "started", "message" ... */
    const struct aic_json *body;
    uint64_t number;
    const char *call_id;
    int64_t at_wall_us;
    /* It is what is being said, as far as it is known: the next of these replaces it. */
    bool is_partial;
    bool is_agents; /* which of the two speaks, of a partial one */
};

/* Understands the body of news; false when it is nothing for viewers. */
bool live_understand(const struct aic_json *body, struct live_news *news);
/* Appends the event, with its blank line; `hides_numbers` as in struct visit. */
void live_write_event(struct aic_buf *to, const struct live_news *news, bool hides_numbers);

/* Whether an item of link_list_calls is a call: an invitation is none before somebody comes. */
bool live_is_call(const struct aic_json *item);
/* Appends {"calls": [...]} of the list of link_list_calls; `call_id` "" = all of them. */
void live_write_list(struct aic_buf *to, const struct aic_json *list, const char *call_id,
                     bool hides_numbers);

#endif
