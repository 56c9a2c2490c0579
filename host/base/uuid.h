/* SPDX-License-Identifier: ISC */
#ifndef BASE_UUID_H
#define BASE_UUID_H
/* UUID version 7 of RFC 9562: 48 bits of milliseconds, the rest random; sorts by time. */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { UUID_TEXT = 37 }; /* with its terminating 0 */

/* Writes the id of wall time `wall_us` with 10 bytes of randomness. */
void uuid7_format(char to[UUID_TEXT], int64_t wall_us, const uint8_t random[10]);
/* A new id from the machine's clock and random source; rises within a process. */
void uuid7_make(char to[UUID_TEXT]);
/* Lower case, with hyphens, of any version. */
bool uuid_valid(struct aic_str text);

#endif
