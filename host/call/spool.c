/* SPDX-License-Identifier: ISC */
#include "call/spool.h"

#include "base/log.h"
#include "call/spool_mover.h"

#include "buf.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { GROUP_MS = 50, MAX_MEMORY = 64 << 20, DISK_RETRY_MS = 1000 };

/* A fact on its way to the file; its texts lie behind it. */
struct item {
    struct item *next;
    struct spool *spool;
    struct aic_fact fact;
    size_t bytes;
    bool is_durable;
    int32_t status;
    void (*done)(void *data, int32_t status);
    void *data;
};

struct spool {
    struct journal journal;
    struct sched *sched;
    char path[SPOOL_PATH];
    struct spool_file *file; /* of the writer thread */
    struct spool_mover *mover;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct item *first; /* under the lock, as all that follows */
    struct item **last;
    size_t bytes;
    uint64_t dropped;
    bool has_durable;
    bool is_ending;
    bool disk_is_bad;
};

static void tell_done(void *data)
{
    struct item *item = data;
    item->done(item->data, item->status);
    free(item);
}

static void finish_item(struct spool *spool, struct item *item, int32_t status)
{
    item->status = status;
    if (!item->done || sched_post(spool->sched, tell_done, item) != AIC_OK) {
        free(item);
    }
}

static struct aic_str put(char **at, struct aic_str text)
{
    struct aic_str copy = {*at, text.len};
    if (text.len > 0) {
        memcpy(*at, text.ptr, text.len);
    }
    *at += text.len;
    return copy;
}

static struct item *new_item(struct spool *spool, const struct journal_fact *fact)
{
    struct aic_str table = aic_str(fact->table);
    struct aic_str id = aic_str(fact->id);
    struct aic_str call = aic_str(fact->call_id);
    size_t bytes = sizeof(struct item) + table.len + id.len + call.len + fact->columns.len;
    struct item *item = malloc(bytes);
    if (!item) {
        return NULL;
    }
    char *at = (char *)(item + 1);
    *item = (struct item){.spool = spool, .bytes = bytes};
    item->fact = (struct aic_fact){.size = sizeof(item->fact),
                                   .table = put(&at, table),
                                   .id = put(&at, id),
                                   .call_id = put(&at, call),
                                   .revision = fact->revision,
                                   .columns = put(&at, fact->columns)};
    return item;
}

static void write_fact(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                       void (*done)(void *data, int32_t status), void *data)
{
    struct spool *spool = (struct spool *)journal;
    struct item *item = new_item(spool, fact);
    (void)pthread_mutex_lock(&spool->lock);
    if (!item || spool->bytes + item->bytes > MAX_MEMORY || spool->is_ending) {
        bool is_first = spool->dropped++ == 0;
        (void)pthread_mutex_unlock(&spool->lock);
        if (is_first) {
            log_error("spool", "a fact is lost, and so may be more: there is no room in memory",
                      LOG_S("table", fact->table));
        }
        if (item) {
            item->done = done;
            item->data = data;
            finish_item(spool, item, AIC_ERROR_TOO_LARGE);
        }
        return;
    }
    item->is_durable = is_durable;
    item->done = done;
    item->data = data;
    *spool->last = item;
    spool->last = &item->next;
    spool->bytes += item->bytes;
    spool->has_durable = spool->has_durable || is_durable;
    if (is_durable || spool->first == item) {
        (void)pthread_cond_signal(&spool->wake);
    }
    (void)pthread_mutex_unlock(&spool->lock);
}

/* Writes a list of facts as one transaction. */
static int32_t write_items(struct spool *spool, const struct item *items, bool is_synced)
{
    int32_t status = spool_file_begin(spool->file, is_synced);
    for (const struct item *item = items; item && status == AIC_OK; item = item->next) {
        status = spool_file_add(spool->file, &item->fact);
    }
    if (status == AIC_OK) {
        status = spool_file_commit(spool->file);
    }
    if (status != AIC_OK) {
        spool_file_rollback(spool->file);
    }
    return status;
}

static struct timespec in_ms(int64_t ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + ms % 1000 * 1000000;
    at.tv_sec += (time_t)(ms / 1000 + ns / 1000000000);
    at.tv_nsec = (long)(ns % 1000000000);
    return at;
}

/* Waits under the lock until something should be written: at once when it is durable, else when a
 * group has gathered for a while. */
static void wait_for_work(struct spool *spool)
{
    while (!spool->first && !spool->is_ending) {
        (void)pthread_cond_wait(&spool->wake, &spool->lock);
    }
    if (spool->is_ending || (spool->has_durable && !spool->disk_is_bad)) {
        return;
    }
    struct timespec until = in_ms(spool->disk_is_bad ? DISK_RETRY_MS : GROUP_MS);
    int status = 0;
    while (status == 0 && !spool->is_ending && (!spool->has_durable || spool->disk_is_bad)) {
        status = pthread_cond_timedwait(&spool->wake, &spool->lock, &until);
    }
}

static void take_back(struct spool *spool, struct item *items, struct item **items_last)
{
    *items_last = spool->first;
    spool->last = spool->first ? spool->last : items_last;
    spool->first = items;
    for (const struct item *item = items; item; item = item->next) {
        spool->has_durable = spool->has_durable || item->is_durable;
    }
}

static void complain_about_disk(struct spool *spool, bool is_bad)
{
    if (is_bad && !spool->disk_is_bad) {
        log_error("spool", "facts can not be written and wait in memory",
                  LOG_S("file", spool->path), LOG_S("reason", spool_file_error(spool->file)));
    } else if (!is_bad && spool->disk_is_bad) {
        log_info("spool", "facts can be written again", LOG_S("file", spool->path));
    }
    spool->disk_is_bad = is_bad;
}

static void *write_loop(void *data)
{
    struct spool *spool = data;
    (void)pthread_mutex_lock(&spool->lock);
    for (;;) {
        wait_for_work(spool);
        if (!spool->first) {
            break;
        }
        struct item *items = spool->first;
        struct item **items_last = spool->last;
        bool is_synced = spool->has_durable;
        bool is_last_chance = spool->is_ending;
        spool->first = NULL;
        spool->last = &spool->first;
        spool->has_durable = false;
        (void)pthread_mutex_unlock(&spool->lock);
        int32_t status = write_items(spool, items, is_synced);
        (void)pthread_mutex_lock(&spool->lock);
        complain_about_disk(spool, status != AIC_OK);
        if (status != AIC_OK && !is_last_chance) {
            take_back(spool, items, items_last);
            continue;
        }
        while (items) {
            struct item *next = items->next;
            spool->bytes -= items->bytes;
            spool->dropped += status != AIC_OK;
            finish_item(spool, items, status);
            items = next;
        }
        spool_mover_wake(spool->mover);
    }
    (void)pthread_mutex_unlock(&spool->lock);
    return NULL;
}

static bool make_folder(const char *folder, char *error, size_t error_bytes)
{
    if (mkdir(folder, S_IRWXU) != 0 && errno != EEXIST) {
        (void)snprintf(error, error_bytes, "%s: %s", folder, strerror(errno));
        return false;
    }
    return true;
}

static void init_threads(struct spool *spool)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&spool->lock, NULL);
    (void)pthread_cond_init(&spool->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

struct spool *spool_create(struct sched *sched, const char *folder, const char *name,
                           struct provider *storage, char *error, size_t error_bytes)
{
    struct spool *spool = calloc(1, sizeof(*spool));
    if (!spool || !make_folder(folder, error, error_bytes)) {
        provider_destroy(storage);
        free(spool);
        return NULL;
    }
    spool->journal.write = write_fact;
    spool->sched = sched;
    spool->last = &spool->first;
    (void)snprintf(spool->path, sizeof(spool->path), "%s/%s.db", folder, name);
    init_threads(spool);
    spool->file = spool_file_open(spool->path, true, error, error_bytes);
    if (!spool->file) {
        provider_destroy(storage);
    } else {
        spool->mover = spool_mover_create(folder, spool->path, storage, error, error_bytes);
    }
    if (!spool->mover || pthread_create(&spool->thread, NULL, write_loop, spool) != 0) {
        spool_mover_destroy(spool->mover, 0);
        spool_file_close(spool->file);
        free(spool);
        return NULL;
    }
    return spool;
}

void spool_destroy(struct spool *spool, int64_t grace_ms)
{
    if (!spool) {
        return;
    }
    (void)pthread_mutex_lock(&spool->lock);
    spool->is_ending = true;
    (void)pthread_cond_signal(&spool->wake);
    (void)pthread_mutex_unlock(&spool->lock);
    (void)pthread_join(spool->thread, NULL);
    if (spool->dropped > 0) {
        log_error("spool", "facts were lost: neither disk nor memory had room for them",
                  LOG_I("facts", spool->dropped), LOG_S("file", spool->path));
    }
    spool_mover_destroy(spool->mover, grace_ms);
    if (spool_file_is_empty(spool->file)) {
        spool_file_unlink(spool->path);
    }
    spool_file_close(spool->file);
    (void)pthread_cond_destroy(&spool->wake);
    (void)pthread_mutex_destroy(&spool->lock);
    free(spool);
}

struct journal *spool_journal(struct spool *spool)
{
    return &spool->journal;
}

int32_t spool_adopt(struct spool *spool, const char *name)
{
    return spool_mover_adopt(spool->mover, name);
}

void spool_status(struct spool *spool, struct spool_status *status)
{
    *status = (struct spool_status){.waiting = 0};
    spool_mover_status(spool->mover, status);
    (void)pthread_mutex_lock(&spool->lock);
    status->in_memory = spool->bytes;
    status->dropped = spool->dropped;
    status->disk_is_bad = spool->disk_is_bad;
    (void)pthread_mutex_unlock(&spool->lock);
}
