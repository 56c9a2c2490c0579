/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_VALUE_H
#define SQLCORE_VALUE_H
/*
 * One value of a column, and its ways in from JSON and out to it. Text is always well-formed UTF-8
 * without NUL; a time is always the 24 characters "2026-11-22T12:17:03.250Z", which sort as text.
 */
#include "buf.h"
#include "json.h"

#include <stdbool.h>

enum {
    SQL_NULL = 0,
    SQL_TEXT = 1,
    SQL_INT = 2,
    SQL_REAL = 3,
    SQL_BOOL = 4,
    SQL_TIME = 5,
    SQL_UUID = 6, /* lower case with hyphens */
    SQL_JSON = 7  /* JSON text */
};

struct sql_value {
    uint32_t type;
    uint32_t reserved;

    union {
        int64_t integer; /* SQL_INT, SQL_BOOL */
        double real;
    };
    struct aic_str text; /* all others */
};

/* Memory that is freed all at once. */
struct sql_arena {
    struct sql_block *blocks;
};

enum { SQL_TIME_TEXT = 24, SQL_UUID_TEXT = 36 };

void *sql_arena_take(struct sql_arena *arena, size_t bytes);
/* A terminated copy; ptr is NULL when out of memory. */
struct aic_str sql_arena_copy(struct sql_arena *arena, struct aic_str text);
void sql_arena_finish(struct sql_arena *arena);

static inline struct sql_value sql_null(void)
{
    return (struct sql_value){.type = SQL_NULL};
}

static inline struct sql_value sql_int(int64_t integer)
{
    return (struct sql_value){.type = SQL_INT, .integer = integer};
}

static inline struct sql_value sql_text(struct aic_str text)
{
    return (struct sql_value){.type = SQL_TEXT, .text = text};
}

static inline struct sql_value sql_time(struct aic_str text)
{
    return (struct sql_value){.type = SQL_TIME, .text = text};
}

static inline struct sql_value sql_uuid(struct aic_str text)
{
    return (struct sql_value){.type = SQL_UUID, .text = text};
}

/*
 * Reads a JSON value as `type`; text beyond `max_bytes` is cut at a character. New memory comes
 * from the arena, the rest is borrowed from the document. Returns NULL, or what was expected
 * ("a whole number") when the value is of another kind, or "memory".
 */
const char *sql_value_read(struct sql_value *to, uint32_t type, size_t max_bytes,
                           const struct aic_json *from, struct sql_arena *arena);
/* A total order within a type, so that of two values the same one is always the greater. */
int sql_value_compare(const struct sql_value *a, const struct sql_value *b);
void sql_value_write(struct aic_json_writer *w, uint32_t type, const struct sql_value *value);

bool sql_uuid_valid(struct aic_str text);
/* Milliseconds of the time inside a UUID version 7; -1 for any other. */
int64_t sql_uuid_time_ms(struct aic_str uuid);
/* The smallest UUID of version 7 of that millisecond, for use as a bound. */
void sql_uuid_bound(char to[SQL_UUID_TEXT + 1], int64_t ms);

/* RFC 3339 with any offset and fraction, or a plain date; years 1970 to 9999. */
bool sql_time_read(struct aic_str text, int64_t *ms);
/* Times outside of the years 1970 to 9999 become the nearest one inside. */
void sql_time_write(char to[SQL_TIME_TEXT + 1], int64_t ms);

#endif
