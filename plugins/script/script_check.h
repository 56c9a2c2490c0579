/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_SCRIPT_CHECK_H
#define SCRIPT_SCRIPT_CHECK_H
/*
 * What a script must be beyond its form: every part has a use and every reply words, the dialogue
 * never runs in a circle by itself, each state can be reached, and from each the call can end.
 * Works on a script whose names are all resolved; fills what depends on the whole of it
 * (list_order, weights).
 */
#include "problems.h"
#include "script.h"

void script_check(struct script *script, struct script_problems *problems);

/* The part about the ways through the states; called by the former. */
void script_check_flow(const struct script *script, struct script_problems *problems);

#endif
