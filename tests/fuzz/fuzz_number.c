/* SPDX-License-Identifier: ISC */
#include "call/number.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is dialled: a known number is E.164, has a region and a type, and zones that exist. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct number number;
    number_parse(&number, (struct aic_str){(const char *)data, size});
    if (number.kind == NUMBER_NONE || number.zone_count > NUMBER_ZONES) {
        abort();
    }
    if (number.kind == NUMBER_KNOWN &&
        (size < 8 || size > 16 || data[0] != '+' || !number.region[0] ||
         number.type == NUMBER_TYPE_NONE || number.country_code == 0)) {
        abort();
    }
    for (size_t i = 0; i < number.zone_count; i++) {
        if (!number_zone_name(number.zones[i])[0]) {
            abort();
        }
    }
    return 0;
}
