/* SPDX-License-Identifier: ISC */
#include "sqlcore/value.h"

#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 65536 };

struct sql_block {
    struct sql_block *next;
    size_t used;
    size_t bytes;
    _Alignas(max_align_t) char data[];
};

void *sql_arena_take(struct sql_arena *arena, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    struct sql_block *block = arena->blocks;
    if (!block || block->bytes - block->used < bytes) {
        size_t room = bytes > BLOCK_BYTES / 4 ? bytes : BLOCK_BYTES;
        struct sql_block *fresh = malloc(sizeof(*fresh) + room);
        if (!fresh) {
            return NULL;
        }
        fresh->used = 0;
        fresh->bytes = room;
        if (block && room != BLOCK_BYTES) {
            /* A block of one large thing goes behind the one that still has room. */
            fresh->next = block->next;
            block->next = fresh;
        } else {
            fresh->next = block;
            arena->blocks = fresh;
        }
        block = fresh;
    }
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

struct aic_str sql_arena_copy(struct sql_arena *arena, struct aic_str text)
{
    char *copy = sql_arena_take(arena, text.len + 1);
    if (!copy) {
        return (struct aic_str){NULL, 0};
    }
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    return (struct aic_str){copy, text.len};
}

void sql_arena_finish(struct sql_arena *arena)
{
    while (arena->blocks) {
        struct sql_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}

/* Text of a JSON string: what no database takes is replaced, what is too long is cut. */
static const char *read_text(struct sql_value *to, size_t max_bytes, struct aic_str text,
                             struct sql_arena *arena)
{
    text.len = aic_utf8_cut(text, max_bytes);
    if (text.len > 0 && memchr(text.ptr, '\0', text.len)) {
        struct aic_buf clean;
        aic_buf_init(&clean, text.len * 3 + 1);
        aic_utf8_clean(&clean, text);
        text = sql_arena_copy(arena, aic_buf_view(&clean));
        bool failed = clean.failed || !text.ptr;
        aic_buf_finish(&clean);
        if (failed) {
            return "memory";
        }
    }
    *to = sql_text(text);
    return NULL;
}

/* JSON inside of a column may hold NUL as an escape, which PostgreSQL would never give back. */
static const char *read_json(struct sql_value *to, size_t max_bytes, const struct aic_json *from,
                             struct sql_arena *arena)
{
    struct aic_buf buf;
    aic_buf_init(&buf, max_bytes);
    struct aic_json_writer w;
    aic_json_writer_init(&w, &buf);
    aic_json_put_node(&w, from);
    static const char nul[] = "\\u0000";
    for (char *p = buf.failed ? NULL : strstr(buf.data, nul); p; p = strstr(p, nul)) {
        size_t slashes = 0;
        while (p - slashes > buf.data && p[-1 - (ptrdiff_t)slashes] == '\\') {
            slashes++;
        }
        if (slashes % 2 == 0) {
            memcpy(p, "\\ufffd", 6);
        }
        p += 6;
    }
    struct aic_str text = sql_arena_copy(arena, aic_buf_view(&buf));
    const char *problem = buf.failed ? "less" : text.ptr ? NULL : "memory";
    aic_buf_finish(&buf);
    *to = (struct sql_value){.type = SQL_JSON, .text = text};
    return problem;
}

static const char *read_time(struct sql_value *to, const struct aic_json *from,
                             struct sql_arena *arena)
{
    int64_t ms = 0;
    if (!aic_json_is_string(from) || !sql_time_read(aic_json_text(from), &ms)) {
        return "a time such as \"2026-11-22T12:17:03.250Z\"";
    }
    char *text = sql_arena_take(arena, SQL_TIME_TEXT + 1);
    if (!text) {
        return "memory";
    }
    sql_time_write(text, ms);
    *to = sql_time((struct aic_str){text, SQL_TIME_TEXT});
    return NULL;
}

static const char *read_uuid(struct sql_value *to, const struct aic_json *from,
                             struct sql_arena *arena)
{
    struct aic_str text = sql_arena_copy(arena, aic_json_text(from));
    if (!text.ptr) {
        return "memory";
    }
    char *p = (char *)(uintptr_t)text.ptr;
    for (size_t i = 0; i < text.len; i++) {
        p[i] = p[i] >= 'A' && p[i] <= 'F' ? (char)(p[i] + 32) : p[i];
    }
    if (!aic_json_is_string(from) || !sql_uuid_valid(text)) {
        return "a UUID";
    }
    *to = sql_uuid(text);
    return NULL;
}

static const char *read_number(struct sql_value *to, uint32_t type, const struct aic_json *from)
{
    double real = aic_json_double(from, (double)NAN);
    if (!aic_json_is_number(from) || !isfinite(real)) {
        return type == SQL_INT ? "a whole number" : "a number";
    }
    if (type == SQL_REAL) {
        *to = (struct sql_value){.type = SQL_REAL, .real = real + 0.0};
        return NULL;
    }
    int64_t integer = aic_json_int(from, 0);
    if (integer != aic_json_int(from, 1) || floor(real) != real || fabs(real) > 9.2e18) {
        return "a whole number";
    }
    *to = sql_int(integer);
    return NULL;
}

const char *sql_value_read(struct sql_value *to, uint32_t type, size_t max_bytes,
                           const struct aic_json *from, struct sql_arena *arena)
{
    *to = sql_null();
    switch (type) {
    case SQL_TEXT:
        return aic_json_is_string(from) ? read_text(to, max_bytes, aic_json_text(from), arena)
                                        : "a text";
    case SQL_JSON:
        return read_json(to, max_bytes, from, arena);
    case SQL_TIME:
        return read_time(to, from, arena);
    case SQL_UUID:
        return read_uuid(to, from, arena);
    case SQL_BOOL:
        if (!aic_json_is_bool(from)) {
            return "true or false";
        }
        *to = (struct sql_value){.type = SQL_BOOL, .integer = aic_json_bool(from, false)};
        return NULL;
    default:
        return read_number(to, type, from);
    }
}

int sql_value_compare(const struct sql_value *a, const struct sql_value *b)
{
    if (a->type != b->type) {
        return a->type < b->type ? -1 : 1;
    }
    if (a->type == SQL_REAL) {
        return (a->real > b->real) - (a->real < b->real);
    }
    if (a->type == SQL_INT || a->type == SQL_BOOL) {
        return (a->integer > b->integer) - (a->integer < b->integer);
    }
    size_t common = a->text.len < b->text.len ? a->text.len : b->text.len;
    int order = common ? memcmp(a->text.ptr, b->text.ptr, common) : 0;
    return order ? order : (a->text.len > b->text.len) - (a->text.len < b->text.len);
}

void sql_value_write(struct aic_json_writer *w, uint32_t type, const struct sql_value *value)
{
    if (value->type == SQL_NULL) {
        aic_json_put_null(w);
        return;
    }
    switch (type) {
    case SQL_INT:
        aic_json_put_int(w, value->integer);
        break;
    case SQL_REAL:
        aic_json_put_double(w, value->type == SQL_REAL ? value->real : (double)value->integer);
        break;
    case SQL_BOOL:
        aic_json_put_bool(w, value->integer != 0);
        break;
    case SQL_JSON:
        aic_json_put_raw(w, value->text);
        break;
    default:
        aic_json_put(w, value->text);
    }
}
