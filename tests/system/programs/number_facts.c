/* SPDX-License-Identifier: ISC */
/* Reads numbers, one a line, and tells of each what the table knows: kind, region, type, zones. */
#include "call/number.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    static const char *const kinds[] = {"none", "not_e164", "short", "unknown", "known"};
    char line[256];
    while (fgets(line, sizeof(line), stdin)) {
        struct number number;
        line[strcspn(line, "\n")] = '\0';
        number_parse(&number, aic_str(line));
        (void)printf("%s %s %s", kinds[number.kind], number.region[0] ? number.region : "-",
                     number_type_name(number.type));
        for (size_t i = 0; i < number.zone_count; i++) {
            (void)printf("%c%s", i == 0 ? ' ' : ',', number_zone_name(number.zones[i]));
        }
        (void)printf("\n");
    }
    return 0;
}
