/* SPDX-License-Identifier: ISC */
#include "sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void drop(struct cached *cached)
{
    (void)sqlite3_finalize(cached->statement);
    free(cached->text);
    *cached = (struct cached){0};
}

void sqlite_drop_statements(struct sqlite_storage *s)
{
    for (size_t i = 0; i < SQLITE_CACHED; i++) {
        drop(&s->cached[i]);
    }
}

/* Values are bound by their place, so $1 must be the first variable, $2 the second ... */
static bool is_in_order(sqlite3_stmt *statement)
{
    int count = sqlite3_bind_parameter_count(statement);
    for (int i = 1; i <= count; i++) {
        char expected[16];
        (void)snprintf(expected, sizeof(expected), "$%d", i);
        const char *name = sqlite3_bind_parameter_name(statement, i);
        if (!name || strcmp(name, expected) != 0) {
            return false;
        }
    }
    return true;
}

int32_t sqlite_prepare(struct sqlite_storage *s, struct aic_str text, sqlite3_stmt **statement)
{
    struct cached *oldest = &s->cached[0];
    for (size_t i = 0; i < SQLITE_CACHED; i++) {
        struct cached *cached = &s->cached[i];
        if (cached->statement && cached->bytes == text.len &&
            memcmp(cached->text, text.ptr, text.len) == 0) {
            cached->used = ++s->uses;
            *statement = cached->statement;
            return AIC_OK;
        }
        oldest = cached->used < oldest->used ? cached : oldest;
    }
    drop(oldest);
    int code = sqlite3_prepare_v3(s->db, text.ptr, (int)text.len, SQLITE_PREPARE_PERSISTENT,
                                  &oldest->statement, NULL);
    if (code != SQLITE_OK) {
        drop(oldest);
        return sqlite_problem(s, code);
    }
    oldest->text = aic_str_dup(text);
    oldest->bytes = text.len;
    oldest->used = ++s->uses;
    if (!oldest->text || !is_in_order(oldest->statement)) {
        bool is_memory = !oldest->text;
        drop(oldest);
        return sql_fail(&s->core, is_memory ? AIC_ERROR_MEMORY : AIC_ERROR_INTERNAL,
                        AIC_CATEGORY_INTERNAL,
                        is_memory ? "out of memory"
                                  : "the values of a statement are not in "
                                    "order");
    }
    *statement = oldest->statement;
    return AIC_OK;
}
