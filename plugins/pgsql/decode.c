/* SPDX-License-Identifier: ISC */
#include "pgsql.h"

#include <stdio.h>
#include <string.h>

/* Object ids of types that are the same in every database (pg_type.dat). */
enum {
    TYPE_BOOL = 16,
    TYPE_INT8 = 20,
    TYPE_INT2 = 21,
    TYPE_INT4 = 23,
    TYPE_TEXT = 25,
    TYPE_JSON = 114,
    TYPE_FLOAT8 = 701,
    TYPE_VARCHAR = 1043,
    TYPE_TIMESTAMPTZ = 1184,
    TYPE_VOID = 2278,
    TYPE_UUID = 2950
};

static const int64_t EPOCH_2000_MS = 946684800000;

static uint64_t big_endian(struct aic_str bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes.len; i++) {
        number = number << 8 | (unsigned char)bytes.ptr[i];
    }
    return number;
}

static bool decode_integer(struct aic_str bytes, size_t width, struct sql_value *value)
{
    uint64_t number = big_endian(bytes);
    if (width == 2) {
        *value = sql_int((int16_t)(uint16_t)number);
    } else if (width == 4) {
        *value = sql_int((int32_t)(uint32_t)number);
    } else {
        *value = sql_int((int64_t)number);
    }
    return bytes.len == width;
}

static bool decode_real(struct aic_str bytes, struct sql_value *value)
{
    uint64_t number = big_endian(bytes);
    *value = (struct sql_value){.type = SQL_REAL};
    memcpy(&value->real, &number, sizeof(number));
    return bytes.len == sizeof(number);
}

/* Microseconds since the year 2000; the ends of the range stand for infinity. */
static bool decode_time(struct aic_str bytes, char *scratch, struct sql_value *value)
{
    int64_t us = (int64_t)big_endian(bytes);
    int64_t ms = us / 1000 - (us % 1000 < 0);
    bool is_finite = us != INT64_MAX && us != INT64_MIN;
    sql_time_write(scratch, is_finite ? ms + EPOCH_2000_MS : us < 0 ? 0 : INT64_MAX);
    *value = sql_time((struct aic_str){scratch, SQL_TIME_TEXT});
    return bytes.len == sizeof(us);
}

static bool decode_uuid(struct aic_str bytes, char *scratch, struct sql_value *value)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;
    for (size_t i = 0; i < 16 && i < bytes.len; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            scratch[used++] = '-';
        }
        scratch[used++] = digits[(unsigned char)bytes.ptr[i] >> 4];
        scratch[used++] = digits[(unsigned char)bytes.ptr[i] & 15];
    }
    *value = sql_uuid((struct aic_str){scratch, used});
    return bytes.len == 16;
}

bool pgsql_decode(uint32_t type, struct aic_str bytes, char scratch[PGSQL_SCRATCH],
                  struct sql_value *value)
{
    switch (type) {
    case TYPE_BOOL:
        *value = (struct sql_value){.type = SQL_BOOL, .integer = bytes.len && bytes.ptr[0]};
        return bytes.len == 1;
    case TYPE_INT2:
        return decode_integer(bytes, 2, value);
    case TYPE_INT4:
        return decode_integer(bytes, 4, value);
    case TYPE_INT8:
        return decode_integer(bytes, 8, value);
    case TYPE_FLOAT8:
        return decode_real(bytes, value);
    case TYPE_TIMESTAMPTZ:
        return decode_time(bytes, scratch, value);
    case TYPE_UUID:
        return decode_uuid(bytes, scratch, value);
    case TYPE_TEXT:
    case TYPE_VARCHAR:
    case TYPE_JSON:
        *value = sql_text(bytes);
        return true;
    case TYPE_VOID:
        *value = sql_null();
        return true;
    default:
        return false;
    }
}
