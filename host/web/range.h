/* SPDX-License-Identifier: ISC */
#ifndef WEB_RANGE_H
#define WEB_RANGE_H
/* Which bytes of a file a request wants, and whether it has them already (RFC 9110, 8.8.3, 13, 14).
 * Pure. */
#include "buf.h"

#include <stdbool.h>
#include <stdint.h>

enum range_kind {
    RANGE_WHOLE =
        1, /* no range, or one that has to be passed over: several, other units, nonsense */
    RANGE_PART = 2,
    RANGE_OUTSIDE = 3 /* 416 */
};

struct range {
    uint64_t first;
    uint64_t count;
};

/* `header` is the value of Range, empty without one. Sets `range` for RANGE_WHOLE, too. */
enum range_kind range_parse(struct aic_str header, uint64_t size, struct range *range);
/* Whether If-Range, empty without one, lets a range be answered: it has to be this very `tag`. */
bool range_is_current(struct aic_str if_range, const char *tag);
/* Whether If-None-Match names the tag, weak or strong, or "*". */
bool range_is_known(struct aic_str if_none_match, const char *tag);

#endif
