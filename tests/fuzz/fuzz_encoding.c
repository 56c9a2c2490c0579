/* SPDX-License-Identifier: ISC */
/* Any bytes as Accept-Encoding: it ends, reads nothing beyond them, and finds no gzip where the
 * name is not there. */
#include "web/encoding.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    bool is_taken = encoding_takes_gzip((struct aic_str){(const char *)data, size});
    bool is_named = false;
    for (size_t i = 0; i < size; i++) {
        is_named |= data[i] == '*' || data[i] == 'z' || data[i] == 'Z';
    }
    if (is_taken && !is_named) {
        abort();
    }
    return 0;
}
