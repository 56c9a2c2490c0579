/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

void held_begin(struct held *held, struct web *web, struct aic_exchange *exchange)
{
    *held = (struct held){.next = web->held, .web = web, .exchange = exchange};
    web->held = held;
}

bool held_end(struct held *held)
{
    if (!held->web) {
        return false;
    }
    struct held **at = &held->web->held;
    while (*at != held) {
        at = &(*at)->next;
    }
    *at = held->next;
    return true;
}

void held_end_all(struct web *web)
{
    while (web->held) {
        struct held *held = web->held;
        web->held = held->next;
        held->web = NULL;
        (void)reply_problem(held->exchange, 503, "draining", "The server is stopping.");
    }
}
