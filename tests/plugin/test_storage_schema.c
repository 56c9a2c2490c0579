/* SPDX-License-Identifier: ISC */
/* Migrations, and that the description, the databases and the README say the same. */
#include "storage_kit.h"

#include "sqlcore/change.h"
#include "sqlcore/query.h"
#include "sqlcore/schema.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct steps {
    int count;
    int64_t last;
};

static void note_step(void *data, int64_t version, const char *name)
{
    struct steps *steps = data;
    assert_non_null(name);
    steps->count++;
    steps->last = version;
}

static struct aic_migration status_of(struct kit *kit)
{
    struct aic_migration status = {.size = sizeof(status)};
    assert_int_equal(kit->storage->migration(kit->db, &status, &kit->error), AIC_OK);
    return status;
}

static void every_older_schema_is_brought_up_to_date(struct kit *kit)
{
    int64_t latest = status_of(kit).latest;
    assert_true(latest >= 5);
    for (int version = 0; version < latest; version++) {
        kit_start_at(kit, version);
        if (version > 0) {
            (void)kit_raw(kit, kit_text(kit,
                                        "INSERT INTO calls (call_id, created_at, agent, revision) "
                                        "VALUES ('%s', '2026-01-05T10:00:00.000Z', 'old', 1)",
                                        kit_id(1)));
        }
        struct aic_migration status = status_of(kit);
        assert_int_equal(status.current, version);
        assert_int_equal(status.latest, latest);
        char pending[40];
        (void)snprintf(pending, sizeof(pending), "[{\"version\":%d,\"name\":\"", version + 1);
        assert_true(aic_str_starts(status.pending, pending));
        struct steps steps = {0};
        assert_int_equal(kit->storage->migrate(kit->db, note_step, &steps, &kit->error), AIC_OK);
        assert_int_equal(steps.count, latest - version);
        assert_int_equal(steps.last, latest);
        assert_int_equal(kit_count(kit, "calls", "{\"agent\":\"old\"}"), version > 0);
        kit_put(kit, "messages", kit_id(2), kit_id(1), 1, "{\"content\":\"word\"}");
        assert_int_equal(kit_count(kit, "calls", "{\"text\":\"word\"}"), version > 0);
    }
}

static void a_second_migration_does_nothing(struct kit *kit)
{
    struct steps steps = {0};
    assert_int_equal(kit->storage->migrate(kit->db, note_step, &steps, &kit->error), AIC_OK);
    assert_int_equal(steps.count, 0);
    struct aic_migration status = status_of(kit);
    assert_int_equal(status.current, status.latest);
    assert_true(aic_str_equal(status.pending, "[]"));
}

static void a_newer_schema_is_refused(struct kit *kit)
{
    int64_t latest = status_of(kit).latest;
    (void)kit_raw(kit, kit_text(kit, "INSERT INTO schema_migrations VALUES (%d, 'x', 'y', 'z')",
                                (int)latest + 1));
    assert_int_equal(status_of(kit).current, latest + 1);
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "install a newer aicaller"));
    /* A program that is still running goes on with its own columns. */
    kit_put(kit, "calls", kit_id(1), "", 1, "{}");
}

static void an_altered_migration_is_refused(struct kit *kit)
{
    (void)kit_raw(kit, "UPDATE schema_migrations SET checksum = 'x' WHERE version = 2");
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "migration 2 (search)"));
    (void)kit_raw(kit, "DELETE FROM schema_migrations WHERE version = 2");
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "gap"));
}

static void a_database_of_another_program_is_left_alone(struct kit *kit)
{
    kit_start_empty(kit);
    (void)kit_raw(kit, "CREATE TABLE calls (number INTEGER)");
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "tables of another program"));
    struct aic_migration status = {.size = sizeof(status)};
    assert_int_equal(kit->storage->migration(kit->db, &status, &kit->error), AIC_ERROR_CONFLICT);
}

static void without_a_schema_everything_asks_for_one(struct kit *kit)
{
    kit_start_empty(kit);
    assert_int_equal(status_of(kit).current, 0);
    assert_int_equal(kit_try_query(kit, kit->db, "calls", "{}"), AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "aicaller migrate"));
    struct aic_fact fact = kit_fact("calls", kit_id(1), "", 1, "{}");
    assert_int_equal(kit_append(kit, kit->db, &fact, 1), AIC_ERROR_CONFLICT);
    char identity[64];
    assert_int_equal(kit->storage->identity(kit->db, identity, sizeof(identity), &kit->error),
                     AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "aicaller migrate"));
}

static void the_identity_is_the_databases_own(struct kit *kit)
{
    char first[64];
    char second[64];
    char other[64];
    void *more = kit_connect(kit);
    assert_int_equal(kit->storage->identity(kit->db, first, sizeof(first), &kit->error), AIC_OK);
    assert_int_equal(kit->storage->identity(more, second, sizeof(second), &kit->error), AIC_OK);
    assert_string_equal(first, second);
    assert_int_equal(kit->storage->identity(more, second, 8, &kit->error), AIC_ERROR_TOO_LARGE);
    kit_start_empty(kit);
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_OK);
    assert_int_equal(kit->storage->identity(kit->db, other, sizeof(other), &kit->error), AIC_OK);
    assert_int_equal(strlen(other), strlen(first));
}

struct migrating {
    const struct aic_storage *storage;
    void *db;
    struct steps steps;
    int32_t status;
    pthread_t thread;
};

static void count_step(void *data, int64_t version, const char *name)
{
    (void)version;
    (void)name;
    ((struct steps *)data)->count++;
}

static void *migrate(void *data)
{
    struct migrating *m = data;
    m->status = m->storage->migrate(m->db, count_step, &m->steps, NULL);
    return NULL;
}

static void of_many_who_migrate_one_does(struct kit *kit)
{
    enum { MANY = 4 };
    struct migrating all[MANY];
    kit_start_empty(kit);
    int64_t latest = status_of(kit).latest;
    for (int i = 0; i < MANY; i++) {
        all[i] = (struct migrating){.storage = kit->storage, .db = kit_connect(kit)};
    }
    int applied = 0;
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(pthread_create(&all[i].thread, NULL, migrate, &all[i]), 0);
    }
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(pthread_join(all[i].thread, NULL), 0);
        assert_int_equal(all[i].status, AIC_OK);
        applied += all[i].steps.count;
    }
    assert_int_equal(applied, latest);
}

static const char *expected_columns(struct kit *kit, const struct sql_table *table)
{
    const char *text = "";
    for (uint32_t i = 0; i < table->column_count; i++) {
        text = kit_text(kit, "%s%s%s", text, i ? " " : "", table->columns[i].name);
    }
    return text;
}

/* Whether each word of one text is a word of the other, and the other way round. */
static bool same_words(const char *a, const char *b)
{
    size_t longest = strlen(a) + strlen(b) + 3;
    for (int turn = 0; turn < 2; turn++) {
        char *all = malloc(longest);
        (void)snprintf(all, longest, " %s ", turn ? a : b);
        for (const char *p = turn ? b : a; *p;) {
            char word[80];
            size_t length = strcspn(p, " ");
            (void)snprintf(word, sizeof(word), " %.*s ", (int)length, p);
            if (!strstr(all, word)) {
                print_message("missing:%s\n", word);
                free(all);
                return false;
            }
            p += length + strspn(p + length, " ");
        }
        free(all);
    }
    return true;
}

static void the_databases_have_the_columns_described(struct kit *kit)
{
    bool is_sqlite = strcmp(kit->backend, "sqlite") == 0;
    for (size_t i = 0; i < sql_table_count; i++) {
        const struct sql_table *table = sql_tables[i];
        const char *expected = expected_columns(kit, table);
        if (table->flags & SQL_TABLE_FACTS) {
            expected = kit_text(kit, "%s revision%s", expected,
                                table->flags & SQL_TABLE_MERGES ? " revisions" : "");
        }
        if (strcmp(table->name, "messages") == 0) {
            expected = kit_text(kit, "%s%s", expected, is_sqlite ? " seq" : "");
        }
        const char *sql =
            is_sqlite ? kit_text(kit, "SELECT name FROM pragma_table_info('%s')", table->name)
                      : kit_text(kit,
                                 "SELECT column_name FROM information_schema.columns "
                                 "WHERE table_name = '%s'",
                                 table->name);
        if (!same_words(kit_raw(kit, sql), expected)) {
            fail_msg("table %s: expected %s", table->name, expected);
        }
    }
}

/* The words in code quotes of the cell that follows a table's name in the README. */
static const char *readme_columns(struct kit *kit, const char *readme, const char *table)
{
    const char *row = strstr(readme, kit_text(kit, "\n| `%s` | ", table));
    if (!row) {
        fail_msg("schema/README.md does not name the table %s", table);
    }
    row = row ? strchr(row + 3, '|') : NULL;
    if (!row) {
        return "";
    }
    const char *end = strchr(row, '\n');
    const char *text = "";
    while ((row = strchr(row, '`')) && row < end) {
        size_t length = strcspn(row + 1, "`");
        text = kit_text(kit, "%s%s%.*s", text, *text ? " " : "", (int)length, row + 1);
        row += length + 2;
    }
    return text;
}

static void expect_named(const char *readme, const char *kind, const char *name)
{
    char quoted[100];
    (void)snprintf(quoted, sizeof(quoted), "`%s`", name);
    if (!strstr(readme, quoted)) {
        fail_msg("schema/README.md does not name the %s %s", kind, name);
    }
}

static void the_readme_names_everything(struct kit *kit)
{
    char *readme = kit_read_file(TEST_SOURCE "/schema/README.md", NULL);
    for (size_t i = 0; i < sql_table_count; i++) {
        const char *columns = readme_columns(kit, readme, sql_tables[i]->name);
        if (!same_words(columns, expected_columns(kit, sql_tables[i]))) {
            fail_msg("schema/README.md lists other columns of %s", sql_tables[i]->name);
        }
    }
    for (size_t i = 0; sql_query_at(i); i++) {
        const struct sql_query *query = sql_query_at(i);
        expect_named(readme, "query", query->name);
        for (uint32_t k = 0; k < query->param_count; k++) {
            expect_named(readme, "parameter", query->params[k].name);
        }
    }
    for (size_t i = 0; sql_change_at(i); i++) {
        const struct sql_change *change = sql_change_at(i);
        expect_named(readme, "change", change->name);
        for (uint32_t k = 0; k < change->param_count; k++) {
            expect_named(readme, "parameter", change->params[k].name);
        }
    }
    free(readme);
}

static const struct kit_case cases[] = {
    {"every older schema is brought up to date", every_older_schema_is_brought_up_to_date, NULL},
    {"a second migration does nothing", a_second_migration_does_nothing, NULL},
    {"a newer schema is refused", a_newer_schema_is_refused, NULL},
    {"an altered migration is refused", an_altered_migration_is_refused, NULL},
    {"a database of another program is left alone", a_database_of_another_program_is_left_alone,
     NULL},
    {"without a schema everything asks for one", without_a_schema_everything_asks_for_one, NULL},
    {"the identity is the database's own", the_identity_is_the_databases_own, NULL},
    {"of many who migrate one does", of_many_who_migrate_one_does, NULL},
    {"the databases have the columns described", the_databases_have_the_columns_described, NULL},
    {"the README names everything", the_readme_names_everything, "sqlite"},
};

int main(void)
{
    return kit_main("storage_schema", cases, sizeof(cases) / sizeof(cases[0]));
}
