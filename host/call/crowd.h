/* SPDX-License-Identifier: ISC */
#ifndef CALL_CROWD_H
#define CALL_CROWD_H
/*
 * Whether too many calls with one person live at the same time on this host: with one telephone
 * number at the other end, whoever called whom. Only numbers that somebody can have are counted, so
 * that those who withhold theirs do not count as one.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct calls;
struct crowd;

/* Comes once, not from inside of crowd_ask, unless dropped before. */
typedef void (*crowd_reply)(void *data, bool is_crowded);

/* Asks about the number of a call that is among the live ones already; NULL where there is no limit
 * for it, or no memory. Without an answer of the master the call is let through. */
struct crowd *crowd_ask(const struct calls *calls, const char *number, crowd_reply reply,
                        void *data);
/* Accepts NULL. */
void crowd_drop(struct crowd *crowd);
/* How many of a list of live calls (link_list_calls) are with a number. */
int64_t crowd_count(struct aic_str list, const char *number);

#endif
