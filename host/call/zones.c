/* SPDX-License-Identifier: ISC */
#include "call/zones.h"

#include "call/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES = 64 * 1024, PATH_BYTES = 512 };

struct zones {
    size_t count;
    size_t missing;

    struct {
        struct zone zone;
        bool is_known;
    } list[];
};

static bool read_zone(const char *folder, const char *name, uint8_t *bytes, struct zone *zone)
{
    char path[PATH_BYTES];
    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path)) {
        return false;
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    size_t count = fread(bytes, 1, FILE_BYTES, file);
    (void)fclose(file);
    return zone_parse(zone, bytes, count) == AIC_OK;
}

struct zones *zones_load(const char *folder)
{
    size_t count = number_zones();
    struct zones *zones = calloc(1, sizeof(*zones) + count * sizeof(zones->list[0]));
    uint8_t *bytes = malloc(FILE_BYTES);
    if (!zones || !bytes) {
        free(zones);
        free(bytes);
        return NULL;
    }
    zones->count = count;
    for (size_t i = 0; i < count; i++) {
        zones->list[i].is_known =
            read_zone(folder, number_zone_name(i), bytes, &zones->list[i].zone);
        zones->missing += !zones->list[i].is_known;
    }
    free(bytes);
    return zones;
}

void zones_destroy(struct zones *zones)
{
    free(zones);
}

const struct zone *zones_get(const struct zones *zones, size_t zone)
{
    return zone < zones->count && zones->list[zone].is_known ? &zones->list[zone].zone : NULL;
}

const struct zone *zones_find(const struct zones *zones, const char *name)
{
    for (size_t i = 0; i < zones->count; i++) {
        if (strcmp(number_zone_name(i), name) == 0) {
            return zones_get(zones, i);
        }
    }
    return NULL;
}

size_t zones_missing(const struct zones *zones)
{
    return zones->missing;
}
