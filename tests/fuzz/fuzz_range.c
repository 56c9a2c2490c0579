/* SPDX-License-Identifier: ISC */
/* Whatever a client writes, the answer lies within the file. The first two bytes are its size. */
#include "web/range.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct range range;
    if (size < 2) {
        return 0;
    }
    uint64_t bytes = (uint64_t)data[0] << 8 | data[1];
    struct aic_str text = {(const char *)data + 2, size - 2};
    enum range_kind kind = range_parse(text, bytes, &range);
    bool is_inside = range.first <= bytes && range.count <= bytes - range.first;
    if (kind < RANGE_WHOLE || kind > RANGE_OUTSIDE || (kind != RANGE_OUTSIDE && !is_inside) ||
        (kind == RANGE_PART && range.count == 0) || (kind == RANGE_WHOLE && range.count != bytes)) {
        abort();
    }
    (void)range_is_known(text, "\"1-2-3\"");
    (void)range_is_current(text, "\"1-2-3\"");
    return 0;
}
