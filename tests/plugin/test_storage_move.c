/* SPDX-License-Identifier: ISC */
/* From one database into another, in both directions. */
#include "storage_kit.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const appended[] = {"calls", "messages", "events",
                                       "turns", "usage",    "recordings"};
static const char *const loaded[] = {"consents", "do_not_call", "audit", "tombstones",
                                     "erasures", "jobs",        "users", "api_keys"};

static void put_things(struct kit *kit)
{
    for (unsigned n = 100; n <= 300; n += 100) {
        const char *call = kit_id(n);
        kit_put(kit, "calls", call, "", 5,
                kit_text(kit,
                         "{\"to_number\":\"+%u\",\"metadata\":{\"a\":[1.5,\"x\"]},"
                         "\"system_prompt\":\"be \\\"kind\\\"\",\"cost\":0.1}",
                         n));
        kit_put(kit, "messages", kit_id(n + 1), call, 2,
                "{\"content\":\"words\",\"interrupted\":false,\"at\":\"2026-01-05T10:00:00Z\"}");
        kit_put(kit, "events", kit_id(n + 2), call, 1, "{\"type\":\"x\",\"detail\":[null,{}]}");
        kit_put(kit, "turns", kit_id(n + 3), call, 1, "{\"llm_ms\":7}");
        kit_put(kit, "usage", kit_id(n + 4), call, 1, "{\"units\":{\"n\":1}}");
        kit_put(kit, "recordings", kit_id(n + 5), call, 1, "{\"path\":\"/r\"}");
        kit_put(kit, "do_not_call", kit_id(n + 6), call, 1,
                kit_text(kit, "{\"number\":\"+%u\"}", n));
        kit_put(kit, "consents", kit_id(n + 7), call, 1, kit_text(kit, "{\"number\":\"+%u\"}", n));
        kit_put(kit, "audit", kit_id(n + 8), call, 1, "{\"action\":\"dial\"}");
    }
    (void)kit_change(
        kit, kit->db, "job.add",
        kit_text(kit, "{\"job_id\":\"%s\",\"kind\":\"dial\",\"payload\":{}}", kit_id(900)));
    (void)kit_change(kit, kit->db, "user.add",
                     kit_text(kit,
                              "{\"user_id\":\"%s\",\"name\":\"ann\",\"role\":\"admin\","
                              "\"password_hash\":\"h\"}",
                              kit_id(901)));
    (void)kit_change(
        kit, kit->db, "api_key.add",
        kit_text(kit, "{\"key_id\":\"%s\",\"name\":\"k\",\"key_hash\":\"h\"}", kit_id(902)));
    (void)kit_change(kit, kit->db, "erase", "{\"number\":\"+200\"}");
}

static const char *dump(struct kit *kit, const char *table)
{
    return kit_text(kit, "%s",
                    kit_query(kit, kit->db, "dump", kit_text(kit, "{\"table\":\"%s\"}", table)));
}

static void append_rows(struct kit *kit, const char *table, const char *rows)
{
    for (const char *row = rows; *row; row = strchr(row, '\n') + 1) {
        struct aic_str text = {row, strcspn(row, "\n")};
        struct aic_json *json = aic_json_parse(text, 0);
        struct aic_buf columns;
        struct aic_json_writer w;
        aic_buf_init(&columns, 1 << 16);
        aic_json_writer_init(&w, &columns);
        /* Everything but the revision, which is the fact's own. */
        const char *end = strstr(row, ",\"revision\":");
        aic_buf_printf(&columns, "%.*s}", (int)(end - row), row);
        const char *id = strchr(strchr(row, ':'), '"') + 1;
        kit_put(kit, table, kit_text(kit, "%.36s", id), "",
                (uint64_t)aic_json_get_int(json, "revision", 0), columns.data);
        aic_buf_finish(&columns);
        aic_json_free(json);
    }
}

static void load_rows(struct kit *kit, const char *table, const char *rows)
{
    const char *list = "";
    for (const char *row = rows; *row; row = strchr(row, '\n') + 1) {
        list = kit_text(kit, "%s%s%.*s", list, *list ? "," : "", (int)strcspn(row, "\n"), row);
    }
    (void)kit_change(kit, kit->db, "load",
                     kit_text(kit, "{\"table\":\"%s\",\"rows\":[%s]}", table, list));
}

static void everything_can_be_moved(struct kit *kit)
{
    enum { A = sizeof(appended) / sizeof(appended[0]), L = sizeof(loaded) / sizeof(loaded[0]) };

    const char *facts[A];
    const char *others[L];
    put_things(kit);
    for (size_t i = 0; i < A; i++) {
        facts[i] = dump(kit, appended[i]);
        assert_true(*facts[i]);
    }
    for (size_t i = 0; i < L; i++) {
        others[i] = dump(kit, loaded[i]);
        assert_true(*others[i]);
    }
    const char *info = strstr(kit_query(kit, kit->db, "database", "{}"), "\"hash_key\"");
    const char *key = kit_text(kit, "%.64s", strstr(info, "\"value\":\"") + 9);

    kit_start_empty(kit);
    assert_int_equal(kit->storage->migrate(kit->db, NULL, NULL, &kit->error), AIC_OK);
    (void)kit_change(kit, kit->db, "database.adopt", kit_text(kit, "{\"hash_key\":\"%s\"}", key));
    for (int twice = 0; twice < 2; twice++) {
        for (size_t i = 0; i < A; i++) {
            append_rows(kit, appended[i], facts[i]);
            assert_string_equal(dump(kit, appended[i]), facts[i]);
        }
        for (size_t i = 0; i < L; i++) {
            load_rows(kit, loaded[i], others[i]);
            assert_string_equal(dump(kit, loaded[i]), others[i]);
        }
    }
    /* Who was erased may still not be called, and stays erased. */
    assert_int_equal(kit_count(kit, "do_not_call", "{\"number\":\"+200\",\"active\":true}"), 1);
    kit_put(kit, "calls", kit_id(250), "", 1,
            "{\"to_number\":\"+200\",\"created_at\":\"2026-01-05T09:00:00Z\"}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 2);
    assert_int_equal(kit_count(kit, "calls", "{\"text\":\"words\"}"), 2);
    assert_int_equal(
        kit_try_change(kit, kit->db, "database.adopt", kit_text(kit, "{\"hash_key\":\"%s\"}", key)),
        AIC_ERROR_CONFLICT);
}

static void a_dump_goes_on_behind_a_row(struct kit *kit)
{
    for (unsigned i = 1; i <= 5; i++) {
        kit_put(kit, "calls", kit_id(i), "", 1, "{}");
    }
    assert_int_equal(kit_count(kit, "dump", "{\"table\":\"calls\",\"limit\":2}"), 2);
    assert_int_equal(
        kit_count(kit, "dump", kit_text(kit, "{\"table\":\"calls\",\"after\":\"%s\"}", kit_id(2))),
        3);
    assert_int_equal(kit_try_query(kit, kit->db, "dump", "{\"table\":\"calls\",\"after\":\"x\"}"),
                     AIC_ERROR_INVALID);
    assert_int_equal(kit_try_query(kit, kit->db, "dump", "{\"table\":\"pg_user\"}"),
                     AIC_ERROR_INVALID);
}

static void every_table_says_how_it_is_moved(struct kit *kit)
{
    const char *rows = kit_text(kit, "%s", kit_query(kit, kit->db, "tables", "{}"));
    assert_non_null(
        strstr(rows, "{\"table\":\"calls\",\"key\":\"call_id\",\"change\":\"append\"}"));
    assert_non_null(strstr(rows, "{\"table\":\"users\",\"key\":\"user_id\",\"change\":\"load\"}"));
    for (const char *row = rows; *row; row = strchr(row, '\n') + 1) {
        const char *name = strchr(row, ':') + 2;
        (void)kit_query(kit, kit->db, "dump",
                        kit_text(kit, "{\"table\":\"%.*s\"}", (int)strcspn(name, "\""), name));
    }
}

/* Our own tables do as well as somebody else's. */
static void foreign_tables_are_read_by_key(struct kit *kit)
{
    for (unsigned i = 1; i <= 3; i++) {
        kit_put(kit, "calls", kit_id(i), "", i, "{\"agent\":\"a\\\"b\"}");
    }
    assert_non_null(strstr(kit_query(kit, kit->db, "foreign.columns", "{}"),
                           "{\"table\":\"calls\",\"column\":\"system_prompt\"}"));
    const char *base = "\"table\":\"calls\",\"columns\":[\"revision\",\"agent\"]";
    assert_string_equal(
        kit_query(kit, kit->db, "foreign.rows",
                  kit_text(kit, "{%s,\"key\":\"revision\",\"after\":\"1\",\"limit\":1}", base)),
        "{\"revision\":\"2\",\"agent\":\"a\\\"b\"}\n");
    assert_int_equal(
        kit_count(kit, "foreign.rows",
                  kit_text(kit, "{%s,\"key\":\"call_id\",\"after\":\"%s\"}", base, kit_id(1))),
        2);
    assert_int_not_equal(
        kit_try_query(kit, kit->db, "foreign.rows",
                      "{\"table\":\"calls\",\"key\":\"call_id\",\"columns\":[\"colour\"]}"),
        AIC_OK);
    assert_int_not_equal(
        kit_try_query(kit, kit->db, "foreign.rows",
                      "{\"table\":\"calls\\\" t; DROP TABLE calls; --\",\"key\":\"call_id\","
                      "\"columns\":[\"call_id\"]}"),
        AIC_OK);
    assert_int_equal(kit_count(kit, "calls", "{}"), 3);
}

static void what_is_loaded_is_checked(struct kit *kit)
{
    static const char *const bad[] = {
        "{\"table\":\"calls\",\"rows\":[]}",
        "{\"table\":\"users\",\"rows\":{}}",
        "{\"table\":\"users\",\"rows\":[1]}",
        "{\"table\":\"users\",\"rows\":[{}]}",
        "{\"table\":\"users\",\"rows\":[{\"colour\":\"red\"}]}",
        "{\"table\":\"users\",\"rows\":[{\"failures\":\"many\"}]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(kit_try_change(kit, kit->db, "load", bad[i]), AIC_ERROR_INVALID);
    }
    /* A row without what every row has is refused by the database, as a whole. */
    assert_int_equal(
        kit_try_change(kit, kit->db, "load", "{\"table\":\"users\",\"rows\":[{\"name\":\"x\"}]}"),
        AIC_ERROR_INVALID);
    assert_int_equal(kit_count(kit, "users", "{}"), 0);
    assert_int_equal(kit_try_change(kit, kit->db, "database.adopt", "{\"hash_key\":\"0123\"}"),
                     AIC_ERROR_INVALID);
}

static const struct kit_case cases[] = {
    {"everything can be moved", everything_can_be_moved, NULL},
    {"a dump goes on behind a row", a_dump_goes_on_behind_a_row, NULL},
    {"every table says how it is moved", every_table_says_how_it_is_moved, NULL},
    {"foreign tables are read by key", foreign_tables_are_read_by_key, NULL},
    {"what is loaded is checked", what_is_loaded_is_checked, NULL},
};

int main(void)
{
    return kit_main("storage_move", cases, sizeof(cases) / sizeof(cases[0]));
}
