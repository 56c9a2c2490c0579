/* SPDX-License-Identifier: ISC */
#include "call/zone.h"

#include <string.h>

enum { HEADER_BYTES = 44, TYPE_BYTES = 6, MOST_ITEMS = 65536 };

/* What RFC 8536 allows: a bit more than a day either way. */
enum { LEAST_OFFSET_S = -89999, MOST_OFFSET_S = 93599 };

struct header {
    uint8_t version;
    size_t is_utc;
    size_t is_standard;
    size_t leaps;
    size_t times;
    size_t types;
    size_t chars;
};

static uint64_t big_endian(const uint8_t *bytes, size_t count)
{
    uint64_t value = 0;
    for (size_t i = 0; i < count; i++) {
        value = value << 8 | bytes[i];
    }
    return value;
}

static int32_t read_header(struct header *header, const uint8_t *bytes, size_t count)
{
    if (count < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0) {
        return AIC_ERROR_PROTOCOL;
    }
    size_t *const counts[] = {&header->is_utc, &header->is_standard, &header->leaps,
                              &header->times,  &header->types,       &header->chars};
    header->version = bytes[4];
    for (size_t i = 0; i < 6; i++) {
        *counts[i] = (size_t)big_endian(bytes + 20 + 4 * i, 4);
        if (*counts[i] > MOST_ITEMS) {
            return AIC_ERROR_PROTOCOL;
        }
    }
    return AIC_OK;
}

static size_t block_bytes(const struct header *header, size_t time_bytes)
{
    return header->times * (time_bytes + 1) + header->types * TYPE_BYTES + header->chars +
           header->leaps * (time_bytes + 4) + header->is_standard + header->is_utc;
}

static bool take_offset(const uint8_t *types, size_t type, int32_t *offset_s)
{
    uint32_t value = (uint32_t)big_endian(types + type * TYPE_BYTES, 4);
    memcpy(offset_s, &value, sizeof(value));
    return *offset_s >= LEAST_OFFSET_S && *offset_s <= MOST_OFFSET_S;
}

static int32_t take_times(struct zone *zone, const struct header *header, const uint8_t *block)
{
    const uint8_t *indexes = block + header->times * 8;
    const uint8_t *types = indexes + header->times;
    int64_t last_s = INT64_MIN;
    if (header->types == 0 || !take_offset(types, 0, &zone->before_s)) {
        return AIC_ERROR_PROTOCOL;
    }
    for (size_t i = 0; i < header->times; i++) {
        uint64_t value = big_endian(block + i * 8, 8);
        int64_t at_s;
        int32_t offset_s = 0;
        memcpy(&at_s, &value, sizeof(value));
        if (indexes[i] >= header->types || (i > 0 && at_s <= last_s) ||
            !take_offset(types, indexes[i], &offset_s)) {
            return AIC_ERROR_PROTOCOL;
        }
        last_s = at_s;
        if (i + ZONE_TRANSITIONS < header->times) {
            zone->before_s = offset_s;
            continue;
        }
        zone->at_s[zone->count] = at_s;
        zone->offset_s[zone->count++] = offset_s;
    }
    return AIC_OK;
}

/* A newline, the rule for the time to come or nothing, a newline. */
static int32_t take_footer(struct zone *zone, const uint8_t *bytes, size_t count)
{
    const uint8_t *end = count > 1 ? memchr(bytes + 1, '\n', count - 1) : NULL;
    if (!end || bytes[0] != '\n') {
        return AIC_ERROR_PROTOCOL;
    }
    struct aic_str text = {(const char *)bytes + 1, (size_t)(end - bytes - 1)};
    zone->has_rule = text.len > 0;
    return zone->has_rule ? zone_rule_parse(&zone->rule, text) : AIC_OK;
}

int32_t zone_parse(struct zone *zone, const uint8_t *bytes, size_t count)
{
    struct header header;
    memset(zone, 0, sizeof(*zone));
    int32_t status = read_header(&header, bytes, count);
    if (status != AIC_OK) {
        return status;
    }
    if (header.version < '2') {
        return AIC_ERROR_UNSUPPORTED;
    }
    /* The first block is for readers that know 32 bits only. */
    size_t skip = HEADER_BYTES + block_bytes(&header, 4);
    if (skip > count) {
        return AIC_ERROR_PROTOCOL;
    }
    bytes += skip;
    count -= skip;
    status = read_header(&header, bytes, count);
    if (status != AIC_OK) {
        return status;
    }
    bytes += HEADER_BYTES;
    count -= HEADER_BYTES;
    size_t block = block_bytes(&header, 8);
    if (block > count) {
        return AIC_ERROR_PROTOCOL;
    }
    status = take_times(zone, &header, bytes);
    return status == AIC_OK ? take_footer(zone, bytes + block, count - block) : status;
}

int32_t zone_offset_s(const struct zone *zone, int64_t utc_s)
{
    if (zone->count > 0 && utc_s < zone->at_s[0]) {
        return zone->before_s;
    }
    bool is_after = zone->count == 0 || utc_s >= zone->at_s[zone->count - 1];
    if (is_after && zone->has_rule) {
        return zone_rule_offset_s(&zone->rule, utc_s);
    }
    int32_t offset_s = zone->before_s;
    for (size_t i = 0; i < zone->count && zone->at_s[i] <= utc_s; i++) {
        offset_s = zone->offset_s[i];
    }
    return offset_s;
}

struct zone_time zone_time(const struct zone *zone, int64_t utc_s)
{
    enum { DAY_S = 86400 };

    int64_t local_s = utc_s + zone_offset_s(zone, utc_s);
    int64_t second = (local_s % DAY_S + DAY_S) % DAY_S;
    int64_t day = (local_s - second) / DAY_S;
    /* The first day of 1970 was a Thursday. */
    return (struct zone_time){.weekday = (int)((day % 7 + 7 + 3) % 7),
                              .minute = (int)(second / 60)};
}
