/* SPDX-License-Identifier: ISC */
#include "storage_kit.h"

#include "json.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "storage_server.h"

#ifdef HAVE_PLUGIN_sqlite
extern const struct aic_plugin *aicaller_plugin_sqlite(void);
#endif
#ifdef HAVE_PLUGIN_pgsql
extern const struct aic_plugin *aicaller_plugin_pgsql(void);
#endif

enum { MAX_CASES = 100, ROWS_MAX = 256 << 20 };

struct kit_instance {
    struct kit_instance *next;
    struct vsched *v;
    struct fake_host *fake;
    struct fake_setting settings[3];
    void *self;
};

/* Texts of a case, freed at its end. */
struct kept {
    struct kept *next;
    char text[];
};

struct running {
    const struct kit_case *what;
    const char *backend;
};

static struct kept *kept_texts;

const char *kit_text(struct kit *kit, const char *format, ...)
{
    (void)kit;
    va_list args;
    va_start(args, format);
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    struct kept *kept = malloc(sizeof(*kept) + (size_t)length + 1);
    if (!kept) {
        abort();
    }
    (void)vsnprintf(kept->text, (size_t)length + 1, format, again);
    va_end(again);
    kept->next = kept_texts;
    kept_texts = kept;
    return kept->text;
}

const char *kit_id(unsigned n)
{
    /* 2026-01-05T10:00:00Z is 0x19b8d996900 milliseconds after the epoch. */
    uint64_t ms = UINT64_C(0x19b8d996900) + n;
    return kit_text(NULL, "%08x-%04x-7000-8000-%012x", (unsigned)(ms >> 16),
                    (unsigned)(ms & 0xffff), n);
}

static const struct aic_plugin *plugin_of(const char *backend)
{
#ifdef HAVE_PLUGIN_sqlite
    if (strcmp(backend, "sqlite") == 0) {
        return aicaller_plugin_sqlite();
    }
#endif
#ifdef HAVE_PLUGIN_pgsql
    if (strcmp(backend, "pgsql") == 0) {
        return aicaller_plugin_pgsql();
    }
#endif
    return NULL;
}

void *kit_connect(struct kit *kit)
{
    struct kit_instance *instance = calloc(1, sizeof(*instance));
    assert_non_null(instance);
    instance->v = vsched_create(1);
    instance->fake = fake_host_create(instance->v);
    bool is_file = strcmp(kit->backend, "sqlite") == 0;
    instance->settings[0] = (struct fake_setting){is_file ? "path" : "url", kit->place};
    if (is_file) {
        instance->settings[1] = (struct fake_setting){"sync", "normal"};
    }
    assert_int_equal(
        fake_provider_create(instance->fake, kit->plugin, instance->settings, &instance->self),
        AIC_OK);
    instance->next = kit->instances;
    kit->instances = instance;
    return instance->self;
}

void kit_disconnect(struct kit *kit)
{
    while (kit->instances) {
        struct kit_instance *instance = kit->instances;
        kit->instances = instance->next;
        kit->storage->close(instance->self);
        kit->plugin->destroy(instance->self);
        fake_host_destroy(instance->fake);
        vsched_destroy(instance->v);
        free(instance);
    }
    kit->db = NULL;
}

const char *kit_log(struct kit *kit, void *db)
{
    struct kit_instance *instance = kit->instances;
    while (instance->self != db) {
        instance = instance->next;
    }
    const char *log = fake_log(instance->fake);
    return log ? log : "";
}

void kit_start_empty(struct kit *kit)
{
    static unsigned number;
    kit_disconnect(kit);
    number++;
    if (strcmp(kit->backend, "sqlite") == 0) {
        (void)snprintf(kit->place, sizeof(kit->place), "%s/case%u.db", kit->folder, number);
    } else {
        storage_server_create(number, kit->place, sizeof(kit->place));
    }
    kit->db = kit_connect(kit);
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *walk)
{
    (void)about;
    (void)type;
    (void)walk;
    return remove(path);
}

static void run_case(void **state)
{
    const struct running *running = *state;
    struct kit kit = {.backend = running->backend, .plugin = plugin_of(running->backend)};
    if (!kit.plugin || (strcmp(kit.backend, "pgsql") == 0 && !storage_server_start())) {
        print_message("%s is not there; skipped\n", kit.backend);
        skip();
        return;
    }
    kit.storage = kit.plugin->get_interface(AIC_STORAGE);
    kit.error.size = sizeof(kit.error);
    aic_buf_init(&kit.rows, ROWS_MAX);
    /* Memory, where there is such a folder: these cases are not about the disk. */
    (void)snprintf(kit.folder, sizeof(kit.folder), "%s/aicaller-storage-XXXXXX",
                   access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(kit.folder));
    kit_start_empty(&kit);
    assert_int_equal(kit.storage->migrate(kit.db, NULL, NULL, &kit.error), AIC_OK);
    running->what->run(&kit);
    kit_disconnect(&kit);
    (void)nftw(kit.folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    aic_buf_finish(&kit.rows);
    free(kit.reason);
    while (kept_texts) {
        struct kept *next = kept_texts->next;
        free(kept_texts);
        kept_texts = next;
    }
}

int kit_main(const char *suite, const struct kit_case *cases, size_t count)
{
    static const char *const backends[] = {"sqlite", "pgsql"};
    static struct running running[MAX_CASES];
    static struct CMUnitTest tests[MAX_CASES];
    static char names[MAX_CASES][200];
    size_t used = 0;
    for (size_t b = 0; b < 2; b++) {
        for (size_t i = 0; i < count && used < MAX_CASES; i++) {
            if (cases[i].only && strcmp(cases[i].only, backends[b]) != 0) {
                continue;
            }
            running[used] = (struct running){&cases[i], backends[b]};
            (void)snprintf(names[used], sizeof(names[used]), "%s: %s", backends[b],
                           cases[i].sentence);
            tests[used] = (struct CMUnitTest){
                .name = names[used], .test_func = run_case, .initial_state = &running[used]};
            used++;
        }
    }
    int failed = _cmocka_run_group_tests(suite, tests, used, NULL, NULL);
    storage_server_stop();
    return failed;
}

struct aic_fact kit_fact(const char *table, const char *id, const char *call_id, uint64_t revision,
                         const char *columns)
{
    return (struct aic_fact){.size = sizeof(struct aic_fact),
                             .table = aic_str(table),
                             .id = aic_str(id),
                             .call_id = aic_str(call_id),
                             .revision = revision,
                             .columns = aic_str(columns)};
}

int32_t kit_append(struct kit *kit, void *db, const struct aic_fact *facts, uint32_t count)
{
    struct aic_append_result result = {.size = sizeof(result)};
    int32_t status = kit->storage->append(db, facts, count, sizeof(*facts), &result, &kit->error);
    free(kit->reason);
    kit->reason = NULL;
    kit->rejections = result.rejection_count;
    if (result.rejection_count > 0) {
        kit->reason = aic_str_dup(result.rejections[0].reason);
        kit->rejected = result.rejections[0].index;
    }
    return status;
}

static void expect_ok(struct kit *kit, int32_t status, const char *what)
{
    if (status != AIC_OK) {
        fail_msg("%s: status %d, %.*s", what, status, (int)kit->error.message.len,
                 kit->error.message.ptr);
    }
}

void kit_put(struct kit *kit, const char *table, const char *id, const char *call_id,
             uint64_t revision, const char *columns)
{
    struct aic_fact fact = kit_fact(table, id, call_id, revision, columns);
    expect_ok(kit, kit_append(kit, kit->db, &fact, 1), table);
    if (kit->rejections > 0) {
        fail_msg("%s was rejected: %s", table, kit->reason);
    }
}

static int32_t take_row(void *data, struct aic_str row)
{
    struct kit *kit = data;
    /* Every row must be JSON by itself. */
    struct aic_json *json = aic_json_parse(row, 16 << 20);
    assert_true(aic_json_is_object(json));
    aic_json_free(json);
    aic_buf_str(&kit->rows, row);
    aic_buf_char(&kit->rows, '\n');
    return 0;
}

static const char *rows_of(const struct kit *kit)
{
    return kit->rows.len ? kit->rows.data : "";
}

int32_t kit_try_query(struct kit *kit, void *db, const char *name, const char *params)
{
    aic_buf_clear(&kit->rows);
    return kit->storage->query(db, name, aic_str(params), take_row, kit, &kit->error);
}

int32_t kit_try_change(struct kit *kit, void *db, const char *name, const char *params)
{
    aic_buf_clear(&kit->rows);
    return kit->storage->change(db, name, aic_str(params), take_row, kit, &kit->error);
}

const char *kit_query(struct kit *kit, void *db, const char *name, const char *params)
{
    expect_ok(kit, kit_try_query(kit, db, name, params), name);
    return rows_of(kit);
}

size_t kit_count(struct kit *kit, const char *name, const char *params)
{
    size_t count = 0;
    for (const char *p = kit_query(kit, kit->db, name, params); *p; p++) {
        count += *p == '\n';
    }
    return count;
}

const char *kit_change(struct kit *kit, void *db, const char *name, const char *params)
{
    expect_ok(kit, kit_try_change(kit, db, name, params), name);
    return rows_of(kit);
}

bool kit_error_says(const struct kit *kit, const char *text)
{
    char message[600];
    (void)aic_str_copy(kit->error.message, message, sizeof(message));
    bool says = strstr(message, text) != NULL;
    if (!says) {
        print_message("the error says: %s\n", message);
    }
    return says;
}
