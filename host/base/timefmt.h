/* SPDX-License-Identifier: ISC */
#ifndef BASE_TIMEFMT_H
#define BASE_TIMEFMT_H
/* Wall time as text: RFC 3339 in UTC with milliseconds, "2026-11-22T12:17:03.250Z". */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { TIME_TEXT = 25 }; /* with its terminating 0 */

void time_format(char to[TIME_TEXT], int64_t wall_us);
/* Parses RFC 3339 with any offset and fraction, or a plain date; false if it is none. */
bool time_parse(struct aic_str text, int64_t *wall_us);

#endif
