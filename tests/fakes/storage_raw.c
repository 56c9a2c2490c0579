/* SPDX-License-Identifier: ISC */
/* Ways into a database that go past the plugin. */
#include "storage_kit.h"
#include "storage_server.h"

#include <glob.h>
#include <setjmp.h>
#include <sodium.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifdef HAVE_PLUGIN_sqlite
#include <sqlite3.h>

static int take_first(void *data, int count, char **values, char **names)
{
    (void)names;
    struct aic_buf *to = data;
    if (count > 0) {
        aic_buf_printf(to, "%s%s", to->len ? " " : "", values[0] ? values[0] : "NULL");
    }
    return 0;
}

static void run_in_file(const char *path, const char *sql, struct aic_buf *to)
{
    sqlite3 *db = NULL;
    char *problem = NULL;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, take_first, to, &problem) != SQLITE_OK) {
        fail_msg("%s", problem);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}
#else
static void run_in_file(const char *path, const char *sql, struct aic_buf *to)
{
    (void)path;
    (void)sql;
    (void)to;
    fail();
}
#endif

static void run_in_server(struct kit *kit, const char *sql, struct aic_buf *to)
{
    char path[400];
    (void)snprintf(path, sizeof(path), "%s/statement.sql", kit->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fputs(sql, file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    const char *name = strrchr(kit->place, '/') + 1;
    char answer[4096];
    storage_server_ask(kit_text(kit, "run %s %s", name, path), answer, sizeof(answer));
    if (strncmp(answer, "failed: ", 8) == 0) {
        fail_msg("%s", answer);
    }
    aic_buf_text(to, answer);
}

const char *kit_raw(struct kit *kit, const char *sql)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 1 << 20);
    if (strcmp(kit->backend, "sqlite") == 0) {
        run_in_file(kit->place, sql, &buf);
    } else {
        run_in_server(kit, sql, &buf);
    }
    const char *text = kit_text(kit, "%s", buf.len ? buf.data : "");
    aic_buf_finish(&buf);
    return text;
}

char *kit_read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct aic_buf buf;
    aic_buf_init(&buf, 16 << 20);
    char part[4096];
    size_t got = 0;
    while ((got = fread(part, 1, sizeof(part), file)) > 0) {
        aic_buf_add(&buf, part, got);
    }
    assert_int_equal(fclose(file), 0);
    if (bytes) {
        *bytes = buf.len;
    }
    return aic_buf_detach(&buf);
}

static void apply(struct kit *kit, const char *path, int version)
{
    size_t bytes = 0;
    char *text = kit_read_file(path, &bytes);
    unsigned char hash[16];
    char sum[33];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, bytes, NULL, 0);
    (void)sodium_bin2hex(sum, sizeof(sum), hash, sizeof(hash));
    const char *name = strrchr(path, '/') + 5;
    (void)kit_raw(kit, text);
    (void)kit_raw(kit, kit_text(kit,
                                "INSERT INTO schema_migrations VALUES (%d, '%.*s', '%s', "
                                "'2026-01-01T00:00:00.000Z')",
                                version, (int)(strlen(name) - 4), name, sum));
    free(text);
}

void kit_start_at(struct kit *kit, int version)
{
    glob_t found;
    kit_start_empty(kit);
    const char *pattern = kit_text(kit, "%s/schema/%s/*.sql", TEST_SOURCE, kit->backend);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    if (version > 0) {
        (void)kit_raw(kit, "CREATE TABLE schema_migrations (version BIGINT NOT NULL PRIMARY KEY, "
                           "name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)");
    }
    for (int i = 0; i < version; i++) {
        apply(kit, found.gl_pathv[i], i + 1);
    }
    globfree(&found);
}
