/* SPDX-License-Identifier: ISC */
#include "call/zone.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a zone's file holds: a clock shows a day of the week and a minute of the day. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t times[] = {-86400 * 365, 0,          951782400,
                                    1790000000,   4102444800, 32503680000};
    static struct zone zone;
    if (zone_parse(&zone, data, size) != AIC_OK &&
        zone_rule_parse(&zone.rule, (struct aic_str){(const char *)data, size}) == AIC_OK) {
        zone = (struct zone){.rule = zone.rule, .has_rule = true};
    }
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct zone_time time = zone_time(&zone, times[i]);
        if (time.weekday < 0 || time.weekday > 6 || time.minute < 0 || time.minute >= 1440) {
            abort();
        }
    }
    return 0;
}
