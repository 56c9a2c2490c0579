/* SPDX-License-Identifier: ISC */
/* SQLite and its file: permissions, damage, a full disk, locks, sudden death. */
#include "storage_kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { BATCH = 10 };

/* Another instance for a file, with settings of its own. */
struct alone {
    struct vsched *v;
    struct fake_host *fake;
    struct fake_setting settings[4];
    void *db;
};

static void alone_open(struct kit *kit, struct alone *alone, const char *path, const char *timeout)
{
    *alone = (struct alone){.settings = {{"path", path}, {"timeout", timeout}, {NULL, NULL}}};
    alone->v = vsched_create(1);
    alone->fake = fake_host_create(alone->v);
    assert_int_equal(fake_provider_create(alone->fake, kit->plugin, alone->settings, &alone->db),
                     AIC_OK);
}

static void alone_close(struct kit *kit, struct alone *alone)
{
    kit->plugin->destroy(alone->db);
    fake_host_destroy(alone->fake);
    vsched_destroy(alone->v);
}

static int32_t migrate(struct kit *kit, void *db)
{
    return kit->storage->migrate(db, NULL, NULL, &kit->error);
}

static void expect_mode(const char *path)
{
    struct stat found;
    assert_int_equal(stat(path, &found), 0);
    assert_int_equal(found.st_mode & 0777, 0600);
}

static void nobody_else_can_read_the_files(struct kit *kit)
{
    mode_t before = umask(0);
    const char *path = kit_text(kit, "%s/private.db", kit->folder);
    struct alone alone;
    alone_open(kit, &alone, path, "5s");
    assert_int_equal(migrate(kit, alone.db), AIC_OK);
    expect_mode(path);
    expect_mode(kit_text(kit, "%s-wal", path));
    expect_mode(kit_text(kit, "%s-shm", path));
    kit->storage->close(alone.db);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(kit->storage->open(alone.db, &kit->error), AIC_OK);
    assert_non_null(strstr(fake_log(alone.fake), "chmod 600"));
    alone_close(kit, &alone);
    (void)umask(before);
}

static void write_file(const char *path, const void *data, size_t bytes)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, bytes), (ssize_t)bytes);
    assert_int_equal(close(fd), 0);
}

static void a_file_that_is_no_database_is_refused(struct kit *kit)
{
    static const struct {
        const char *name;
        const char *says;
        int32_t status;
        uint32_t category;
    } bad[] = {
        {"text.db", "is no SQLite database", AIC_ERROR_IO, AIC_CATEGORY_INTERNAL},
        {"folder.db", "Is a directory", AIC_ERROR_IO, AIC_CATEGORY_NOT_FOUND},
        {"absent/x.db", "No such file or directory", AIC_ERROR_IO, AIC_CATEGORY_NOT_FOUND},
    };

    char text[5000];
    memset(text, 'x', sizeof(text));
    write_file(kit_text(kit, "%s/text.db", kit->folder), text, sizeof(text));
    assert_int_equal(mkdir(kit_text(kit, "%s/folder.db", kit->folder), 0700), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct alone alone;
        alone_open(kit, &alone, kit_text(kit, "%s/%s", kit->folder, bad[i].name), "5s");
        for (int again = 0; again < 2; again++) {
            assert_int_equal(kit->storage->open(alone.db, &kit->error), bad[i].status);
            assert_true(kit_error_says(kit, bad[i].says));
            assert_int_equal(kit->error.category, bad[i].category);
        }
        alone_close(kit, &alone);
    }
}

static void fill(struct kit *kit, unsigned calls)
{
    for (unsigned i = 1; i <= calls; i++) {
        kit_put(kit, "calls", kit_id(i), "", 1,
                "{\"system_prompt\":\"a prompt that makes the row a little longer than it was\"}");
        kit_put(kit, "messages", kit_id(1000 + i), kit_id(i), 1, "{\"content\":\"some words\"}");
    }
}

static void a_damaged_file_is_told_from_a_good_one(struct kit *kit)
{
    fill(kit, 300);
    const char *path = kit_text(kit, "%s", kit->place);
    kit_disconnect(kit);
    size_t bytes = 0;
    char *good = kit_read_file(path, &bytes);
    size_t told = 0;
    for (size_t page = 0; page < bytes / 4096; page++) {
        char *bad = malloc(bytes);
        memcpy(bad, good, bytes);
        memset(bad + page * 4096 + 100, 0xaa, 2000);
        write_file(path, bad, bytes);
        free(bad);
        struct alone alone;
        alone_open(kit, &alone, path, "5s");
        int32_t status = kit_try_query(kit, alone.db, "calls", "{\"per_page\":1000}");
        status = status ? status : kit_try_query(kit, alone.db, "calls", "{\"text\":\"words\"}");
        if (status != AIC_OK) {
            told++;
            assert_true(kit_error_says(kit, ".recover") || kit_error_says(kit, "malformed") ||
                        kit_error_says(kit, "no SQLite database"));
        }
        alone_close(kit, &alone);
        (void)unlink(kit_text(kit, "%s-wal", path));
        (void)unlink(kit_text(kit, "%s-shm", path));
    }
    free(good);
    /* Tables and indexes that these queries read fill many pages. */
    assert_in_range(told, 10, bytes / 4096);
}

static void append_batch(struct kit *kit, void *db, unsigned n, int32_t *status)
{
    struct aic_fact facts[BATCH];
    char ids[BATCH][40];
    char columns[4000];
    (void)snprintf(columns, sizeof(columns), "{\"turn\":%u,\"content\":\"%03000u\"}", n, n);
    for (unsigned i = 0; i < BATCH; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "019b8d99-%04x-7000-8000-%012x", n & 0xffff, i);
        facts[i] = kit_fact("messages", ids[i], "019b8d99-0000-7000-8000-000000000000", 1, columns);
    }
    struct aic_append_result result = {.size = sizeof(result)};
    *status = kit->storage->append(db, facts, BATCH, sizeof(facts[0]), &result, &kit->error);
}

/* Every batch is there as a whole or not at all; returns how many are. */
static unsigned count_whole_batches(struct kit *kit)
{
    assert_string_equal(kit_raw(kit, "SELECT count(*) FROM (SELECT turn FROM messages "
                                     "GROUP BY turn HAVING count(*) <> 10)"),
                        "0");
    assert_string_equal(kit_raw(kit, "PRAGMA quick_check"), "ok");
    (void)kit_raw(kit, "INSERT INTO messages_fts (messages_fts) VALUES ('integrity-check')");
    return (unsigned)strtoul(kit_raw(kit, "SELECT count(DISTINCT turn) FROM messages"), NULL, 10);
}

static void what_does_not_fit_is_told_and_nothing_is_torn(struct kit *kit)
{
    struct rlimit before;
    unsigned written = 0;
    int32_t status = AIC_OK;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit small = {.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned n = 1; n <= 200 && status == AIC_OK; n++) {
        append_batch(kit, kit->db, n, &status);
        written += status == AIC_OK;
    }
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(count_whole_batches(kit), written);
    append_batch(kit, kit->db, 500, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(count_whole_batches(kit), written + 1);
}

/* A file system of two megabytes of our own; false where the system does not let us. */
static bool mount_small(const char *folder)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", folder, "tmpfs", 0, "size=2m") == 0;
}

static void a_full_disk_is_told_and_nothing_is_torn(struct kit *kit)
{
    const char *folder = kit_text(kit, "%s/small", kit->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
    if (!mount_small(folder)) {
        print_message("no right to mount a file system; skipped\n");
        return;
    }
    struct alone alone;
    (void)snprintf(kit->place, sizeof(kit->place), "%s/x.db", folder);
    alone_open(kit, &alone, kit->place, "5s");
    assert_int_equal(migrate(kit, alone.db), AIC_OK);
    int32_t status = AIC_OK;
    unsigned written = 0;
    for (unsigned n = 1; n <= 400 && status == AIC_OK; n++) {
        append_batch(kit, alone.db, n, &status);
        written += status == AIC_OK;
    }
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_QUOTA);
    assert_true(kit_error_says(kit, "the disk is full"));
    assert_int_equal(kit_try_query(kit, alone.db, "calls", "{}"), AIC_OK);
    assert_int_equal(mount("none", folder, "tmpfs", MS_REMOUNT, "size=8m"), 0);
    append_batch(kit, alone.db, 500, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(count_whole_batches(kit), written + 1);
    alone_close(kit, &alone);
    assert_int_equal(umount(folder), 0);
}

static void a_file_that_may_not_be_written_is_told(struct kit *kit)
{
    enum { NOBODY = 65534 };

    bool is_root = geteuid() == 0;
    const char *path = kit_text(kit, "%s", kit->place);
    kit_put(kit, "calls", kit_id(1), "", 1, "{}");
    kit_disconnect(kit);
    assert_int_equal(chmod(kit->folder, 0755), 0);
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(is_root ? seteuid(NOBODY) : 0, 0);
    struct alone alone;
    alone_open(kit, &alone, path, "5s");
    int32_t status = kit->storage->open(alone.db, &kit->error);
    uint32_t category = kit->error.category;
    alone_close(kit, &alone);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(category, AIC_CATEGORY_PERMISSION);
}

static void a_lock_is_waited_for_and_then_told(struct kit *kit)
{
    sqlite3 *holder = NULL;
    struct alone alone;
    int32_t status = AIC_OK;
    alone_open(kit, &alone, kit->place, "50ms");
    assert_int_equal(sqlite3_open(kit->place, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    append_batch(kit, alone.db, 1, &status);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_OVERLOADED);
    assert_true(kit_error_says(kit, "another process held the database"));
    /* Reading goes on meanwhile. */
    assert_int_equal(kit_try_query(kit, alone.db, "calls", "{}"), AIC_OK);
    assert_int_equal(sqlite3_exec(holder, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    append_batch(kit, alone.db, 1, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(sqlite3_close(holder), SQLITE_OK);
    alone_close(kit, &alone);
}

struct waiter {
    struct kit *kit;
    void *db;
    int32_t status;
    atomic_bool is_done;
};

static void *wait_for_lock(void *data)
{
    struct waiter *waiter = data;
    struct aic_fact fact = {.size = sizeof(fact),
                            .table = aic_str("calls"),
                            .id = aic_str("019b8d99-0000-7000-8000-000000000000"),
                            .revision = 1};
    struct aic_append_result result = {.size = sizeof(result)};
    waiter->status =
        waiter->kit->storage->append(waiter->db, &fact, 1, sizeof(fact), &result, NULL);
    atomic_store(&waiter->is_done, true);
    return NULL;
}

static void a_wait_for_a_lock_can_be_interrupted(struct kit *kit)
{
    sqlite3 *holder = NULL;
    struct alone alone;
    pthread_t thread;
    alone_open(kit, &alone, kit->place, "10m");
    assert_int_equal(sqlite3_open(kit->place, &holder), SQLITE_OK);
    assert_int_equal(sqlite3_exec(holder, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    struct waiter waiter = {.kit = kit, .db = alone.db};
    assert_int_equal(pthread_create(&thread, NULL, wait_for_lock, &waiter), 0);
    while (!atomic_load(&waiter.is_done)) {
        kit->storage->interrupt(alone.db);
        (void)sched_yield();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(waiter.status, AIC_ERROR_CANCELLED);
    assert_int_equal(sqlite3_close(holder), SQLITE_OK);
    alone_close(kit, &alone);
}

static void append_until_killed(struct kit *kit, unsigned first, int tell)
{
    struct alone alone;
    int32_t status = AIC_OK;
    alone_open(kit, &alone, kit->place, "5s");
    for (unsigned n = first; status == AIC_OK; n++) {
        append_batch(kit, alone.db, n, &status);
        if (status == AIC_OK && write(tell, "x", 1) != 1) {
            break;
        }
    }
    _exit(1);
}

static void sudden_death_loses_no_batch_that_was_acknowledged(struct kit *kit)
{
    unsigned acknowledged = 0;
    kit_disconnect(kit);
    for (unsigned round = 0; round < 15; round++) {
        int tell[2];
        assert_int_equal(pipe(tell), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            append_until_killed(kit, round * 1000, tell[1]);
        }
        assert_int_equal(close(tell[1]), 0);
        /* It dies in the middle of what comes after a number of batches. */
        char x = 0;
        for (unsigned i = 0; i <= round && read(tell[0], &x, 1) == 1; i++) {
            acknowledged++;
        }
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(tell[0], &x, 1) == 1) {
            acknowledged++;
        }
        assert_int_equal(close(tell[0]), 0);
        unsigned whole = count_whole_batches(kit);
        /* One may have been written and not told. */
        assert_in_range(whole, acknowledged, acknowledged + round + 1);
    }
}

static const struct kit_case cases[] = {
    {"nobody else can read the files", nobody_else_can_read_the_files, "sqlite"},
    {"a file that is no database is refused", a_file_that_is_no_database_is_refused, "sqlite"},
    {"a damaged file is told from a good one", a_damaged_file_is_told_from_a_good_one, "sqlite"},
    {"what does not fit is told and nothing is torn", what_does_not_fit_is_told_and_nothing_is_torn,
     "sqlite"},
    {"a full disk is told and nothing is torn", a_full_disk_is_told_and_nothing_is_torn, "sqlite"},
    {"a file that may not be written is told", a_file_that_may_not_be_written_is_told, "sqlite"},
    {"a lock is waited for and then told", a_lock_is_waited_for_and_then_told, "sqlite"},
    {"a wait for a lock can be interrupted", a_wait_for_a_lock_can_be_interrupted, "sqlite"},
    {"sudden death loses no batch that was acknowledged",
     sudden_death_loses_no_batch_that_was_acknowledged, "sqlite"},
};

int main(void)
{
    return kit_main("storage_file", cases, sizeof(cases) / sizeof(cases[0]));
}
