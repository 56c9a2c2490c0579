/* SPDX-License-Identifier: ISC */
#ifndef CALL_ZONES_H
#define CALL_ZONES_H
/*
 * The time zones that telephone numbers may be in, read once from the system's files. Reading
 * blocks: it is for the time before the loop turns.
 */
#include "call/zone.h"

struct zones;

/* NULL only without memory; zones whose files are missing or bad are unknown. */
struct zones *zones_load(const char *folder);
/* Accepts NULL. */
void zones_destroy(struct zones *zones);
/* By the index that call/number.h gives; NULL where it is unknown. */
const struct zone *zones_get(const struct zones *zones, size_t zone);
/* By its name. */
const struct zone *zones_find(const struct zones *zones, const char *name);
/* How many are unknown. */
size_t zones_missing(const struct zones *zones);

#endif
