/* SPDX-License-Identifier: ISC */
#include "sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LONGEST_NAP_MS = 20, WAL_LIMIT = 64 << 20 };

struct meaning {
    int code;
    int32_t status;
    uint32_t category;
    const char *advice;
};

static const struct meaning meanings[] = {
    {SQLITE_FULL, AIC_ERROR_IO, AIC_CATEGORY_QUOTA, "the disk is full: make room"},
    {SQLITE_READONLY, AIC_ERROR_IO, AIC_CATEGORY_PERMISSION,
     "the file or its folder is read-only for this user"},
    {SQLITE_PERM, AIC_ERROR_IO, AIC_CATEGORY_PERMISSION, "this user may not open the file"},
    {SQLITE_AUTH, AIC_ERROR_IO, AIC_CATEGORY_PERMISSION, "this user may not open the file"},
    {SQLITE_CANTOPEN, AIC_ERROR_IO, AIC_CATEGORY_PERMISSION,
     "the file can not be opened: does its folder exist, and may this user write there?"},
    {SQLITE_BUSY, AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED,
     "another process held the database for too long"},
    {SQLITE_LOCKED, AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED, "a table is locked"},
    {SQLITE_CORRUPT, AIC_ERROR_IO, AIC_CATEGORY_INTERNAL,
     "the file is damaged: stop the server, keep the file, and restore a backup or rescue the "
     "rows with the command line tool: sqlite3 FILE .recover"},
    {SQLITE_NOTADB, AIC_ERROR_IO, AIC_CATEGORY_INTERNAL, "the file is no SQLite database"},
    {SQLITE_NOMEM, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory"},
    {SQLITE_INTERRUPT, AIC_ERROR_CANCELLED, AIC_CATEGORY_CANCELLED, "interrupted"},
    {SQLITE_IOERR, AIC_ERROR_IO, AIC_CATEGORY_SERVER, "the disk reports an error"},
    {SQLITE_CONSTRAINT, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, "the values are refused"},
    {SQLITE_MISMATCH, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, "a value has a wrong type"},
    {SQLITE_TOOBIG, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, "a value is too large"},
};

/* SQLite's own text may hold values of rows, so only its name of the error is told. */
int32_t sqlite_problem(struct sqlite_storage *s, int code)
{
    int primary = code & 0xff;
    if (primary == SQLITE_BUSY && atomic_load(&s->is_interrupted)) {
        primary = SQLITE_INTERRUPT;
    }
    struct meaning meaning = {0, AIC_ERROR_INTERNAL, AIC_CATEGORY_INTERNAL, NULL};
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].code == primary) {
            meaning = meanings[i];
        }
    }
    int32_t status = AIC_OK;
    if (meaning.advice) {
        status =
            sql_fail(&s->core, meaning.status, meaning.category, "%s: %s", s->path, meaning.advice);
    } else {
        const char *text = s->db ? sqlite3_errmsg(s->db) : sqlite3_errstr(code);
        bool is_schema = s->db && strstr(text, "no such table");
        status =
            sql_fail(&s->core, is_schema ? AIC_ERROR_CONFLICT : meaning.status, meaning.category,
                     "%s: %s%s", s->path, text, is_schema ? "; run \"aicaller migrate\"" : "");
    }
    s->core.problem.is_data = meaning.status == AIC_ERROR_INVALID;
    struct aic_buf name;
    aic_buf_init(&name, sizeof(s->core.problem.code) - 1);
    aic_buf_printf(&name, "SQLITE %d", code);
    (void)aic_str_copy(aic_buf_view(&name), s->core.problem.code, sizeof(s->core.problem.code));
    aic_buf_finish(&name);
    return status;
}

/*
 * Waits for a lock in small naps, so that an interrupt ends the wait. The naps are counted rather
 * than a clock asked, because time may stand still in a test.
 */
static int wait_for_lock(void *data, int count)
{
    struct sqlite_storage *s = data;
    if (count == 0) {
        s->waited_ms = 0;
    }
    if (s->waited_ms >= s->timeout_ms || atomic_load(&s->is_interrupted)) {
        return 0;
    }
    int64_t nap_ms = count < LONGEST_NAP_MS ? count + 1 : LONGEST_NAP_MS;
    struct timespec nap = {.tv_nsec = (long)(nap_ms * 1000000)};
    (void)nanosleep(&nap, NULL);
    s->waited_ms += nap_ms;
    return 1;
}

static int32_t refuse_file(struct sqlite_storage *s, int problem)
{
    bool is_forbidden = problem == EACCES || problem == EROFS || problem == EPERM;
    return sql_fail(&s->core, AIC_ERROR_IO,
                    problem == ENOSPC ? AIC_CATEGORY_QUOTA
                    : is_forbidden    ? AIC_CATEGORY_PERMISSION
                                      : AIC_CATEGORY_NOT_FOUND,
                    "%s: %s", s->path, strerror(problem));
}

/*
 * Makes the file before SQLite does, so that nobody else can read it for a moment. One that is
 * there is not opened: to close it again would take away the locks that other connections of this
 * process have on it, and the next program that leaves the database would remove its log.
 */
static int32_t make_file(struct sqlite_storage *s)
{
    struct stat found;
    if (stat(s->path, &found) != 0) {
        int fd = open(s->path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (fd < 0) {
            return refuse_file(s, errno);
        }
        (void)close(fd);
        return AIC_OK;
    }
    if (S_ISDIR(found.st_mode)) {
        return refuse_file(s, EISDIR);
    }
    if (!S_ISREG(found.st_mode)) {
        return sql_fail(&s->core, AIC_ERROR_CONFIG, AIC_CATEGORY_BAD_REQUEST,
                        "%s: this is no regular file", s->path);
    }
    if (access(s->path, R_OK | W_OK) != 0) {
        return refuse_file(s, errno);
    }
    if (found.st_mode & (S_IRWXG | S_IRWXO)) {
        sqlcore_log(&s->core, AIC_LOG_WARN,
                    "%s: others than its owner can read or write it; chmod 600 mends that",
                    s->path);
    }
    return AIC_OK;
}

static int take_number(void *data, int count, char **values, char **names)
{
    (void)names;
    *(long *)data = count > 0 && values[0] ? strtol(values[0], NULL, 10) : 0;
    return 0;
}

/* Of a new file only: it is what takes the write lock, and another may have it for long. */
static int configure_new(struct sqlite_storage *s)
{
    long pages = 0;
    int code = sqlite3_exec(s->db, "PRAGMA page_count", take_number, &pages, NULL);
    if (code == SQLITE_OK && pages == 0) {
        code = sqlite3_exec(s->db, "PRAGMA auto_vacuum = INCREMENTAL", NULL, NULL, NULL);
    }
    return code == SQLITE_OK ? sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL)
                             : code;
}

static int configure(struct sqlite_storage *s)
{
    char text[300];
    int length = snprintf(text, sizeof(text),
                          "PRAGMA synchronous = %s; PRAGMA cache_size = -%lld;"
                          "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = ON;"
                          "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = %d;",
                          s->is_full_sync ? "FULL" : "NORMAL", (long long)(s->cache_bytes / 1024),
                          WAL_LIMIT);
    int code = configure_new(s);
    bool fits = length > 0 && (size_t)length < sizeof(text);
    code = code == SQLITE_OK && !fits ? SQLITE_NOMEM : code;
    return code == SQLITE_OK ? sqlite3_exec(s->db, text, NULL, NULL, NULL) : code;
}

int32_t sqlite_connect(struct sqlite_storage *s)
{
    atomic_store(&s->is_interrupted, false);
    if (s->db) {
        return AIC_OK;
    }
    int32_t status = s->is_read_only ? AIC_OK : make_file(s);
    if (status) {
        return status;
    }
    sqlite3 *db = NULL;
    int mode = s->is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
    int code =
        sqlite3_open_v2(s->path, &db, mode | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);
    (void)pthread_mutex_lock(&s->guard);
    s->db = db;
    (void)pthread_mutex_unlock(&s->guard);
    if (code == SQLITE_OK) {
        (void)sqlite3_busy_handler(db, wait_for_lock, s);
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        code = s->is_read_only ? SQLITE_OK : configure(s);
    }
    if (code != SQLITE_OK) {
        status = sqlite_problem(s, code);
        sqlite_disconnect(s);
    }
    return status;
}

void sqlite_disconnect(struct sqlite_storage *s)
{
    sqlite_drop_statements(s);
    (void)pthread_mutex_lock(&s->guard);
    sqlite3 *db = s->db;
    s->db = NULL;
    (void)pthread_mutex_unlock(&s->guard);
    (void)sqlite3_close_v2(db);
}
