/* SPDX-License-Identifier: ISC */
#include "call/spool_mover.h"

#include "base/log.h"
#include "plugin/guard.h"

#include "buf.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { IDENTITY = 128, RETRY_MIN_MS = 200, RETRY_MAX_MS = 5000, IDLE_MS = 1000 };

struct spool_mover {
    struct provider *storage;
    char folder[SPOOL_PATH];
    char path[SPOOL_PATH];
    struct spool_file *file; /* second handle on the worker's own file */
    struct spool_batch batch;
    char identity[IDENTITY];
    int64_t retry_ms;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_woken; /* under the lock, as all that follows */
    bool is_ending;
    bool looks_for_orphans;
    int64_t end_by_ms;
    struct spool_status status;
};

static int64_t wall_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note_down(struct spool_mover *mover, const struct aic_error *error)
{
    (void)pthread_mutex_lock(&mover->lock);
    bool is_new = mover->status.storage_down_us == 0;
    if (is_new) {
        mover->status.storage_down_us = wall_us();
    }
    (void)pthread_mutex_unlock(&mover->lock);
    if (is_new) {
        log_warn("spool", "the storage takes no facts; they wait in the spool",
                 LOG_S("storage", mover->storage->name),
                 LOG_S("category", error_category_name(error->category)),
                 LOG_T("reason", error->message));
    }
    mover->retry_ms = mover->retry_ms ? mover->retry_ms * 2 : RETRY_MIN_MS;
    mover->retry_ms = mover->retry_ms < RETRY_MAX_MS ? mover->retry_ms : RETRY_MAX_MS;
}

static void note_up(struct spool_mover *mover, uint64_t moved, uint64_t rejected)
{
    (void)pthread_mutex_lock(&mover->lock);
    bool was_down = mover->status.storage_down_us != 0;
    mover->status.storage_down_us = 0;
    mover->status.moved += moved;
    mover->status.rejected += rejected;
    (void)pthread_mutex_unlock(&mover->lock);
    mover->retry_ms = 0;
    if (was_down) {
        log_info("spool", "the storage takes facts again", LOG_S("storage", mover->storage->name));
    }
}

/* The storage's name for itself, asked once. */
static bool know_identity(struct spool_mover *mover)
{
    if (mover->identity[0]) {
        return true;
    }
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    const struct aic_storage *table = &mover->storage->storage;
    if (table->identity(mover->storage->self, mover->identity, sizeof(mover->identity), &error) !=
        AIC_OK) {
        mover->identity[0] = '\0';
        note_down(mover, &error);
        return false;
    }
    return true;
}

static bool is_meant_for_us(struct spool_mover *mover, struct spool_file *file, const char *path)
{
    bool is_same = false;
    if (spool_file_stamp(file, mover->identity, &is_same) != AIC_OK) {
        return false;
    }
    if (!is_same) {
        log_error("spool", "these facts are meant for another database and stay where they are",
                  LOG_S("file", path), LOG_S("storage", mover->storage->name));
    }
    return is_same;
}

static int32_t settle(struct spool_mover *mover, struct spool_file *file,
                      const struct aic_append_result *result)
{
    const struct spool_batch *batch = &mover->batch;
    int32_t status = spool_file_begin(file, false);
    for (uint32_t i = 0; i < result->rejection_count && status == AIC_OK; i++) {
        struct aic_fact_rejection rejection;
        memcpy(&rejection, (const char *)result->rejections + (size_t)i * result->rejection_size,
               sizeof(rejection));
        if (rejection.index < batch->count) {
            log_error("spool", "the storage will never take a fact; it is set aside",
                      LOG_T("table", batch->facts[rejection.index].table),
                      LOG_T("id", batch->facts[rejection.index].id),
                      LOG_T("reason", rejection.reason));
            status = spool_file_set_aside(file, batch->rows[rejection.index], rejection.reason);
        }
    }
    if (status == AIC_OK) {
        status = spool_file_remove(file, batch->rows[batch->count - 1]);
    }
    if (status == AIC_OK) {
        status = spool_file_commit(file);
    }
    if (status != AIC_OK) {
        spool_file_rollback(file);
    }
    return status;
}

enum moved { MOVED_NOTHING = 0, MOVED_SOME = 1, MOVED_FAILED = 2 };

/* Carries one batch. A crash between the two writes only makes the storage see it twice. */
static enum moved move_batch(struct spool_mover *mover, struct spool_file *file, const char *path)
{
    if (spool_file_read(file, &mover->batch) != AIC_OK) {
        spool_batch_finish(&mover->batch);
        return MOVED_FAILED;
    }
    uint32_t count = mover->batch.count;
    if (count == 0) {
        return MOVED_NOTHING;
    }
    enum moved moved = MOVED_FAILED;
    if (know_identity(mover) && is_meant_for_us(mover, file, path)) {
        struct aic_append_result result = {.size = sizeof(result)};
        struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
        int32_t status =
            mover->storage->storage.append(mover->storage->self, mover->batch.facts, count,
                                           sizeof(struct aic_fact), &result, &error);
        if (status != AIC_OK) {
            note_down(mover, &error);
        } else if (settle(mover, file, &result) == AIC_OK) {
            note_up(mover, count - result.rejection_count, result.rejection_count);
            moved = MOVED_SOME;
        }
    }
    spool_batch_finish(&mover->batch);
    return moved;
}

static bool ends_with(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t tail = strlen(ending);
    return length > tail && strcmp(name + length - tail, ending) == 0;
}

/* Empties the file of a process that is gone; false when the storage has to come back first. */
static bool adopt_file(struct spool_mover *mover, const char *path)
{
    char error[256];
    struct spool_file *file = spool_file_open(path, true, error, sizeof(error));
    if (!file) {
        return true; /* in use: its process lives */
    }
    enum moved moved = MOVED_SOME;
    while (moved == MOVED_SOME) {
        moved = move_batch(mover, file, path);
    }
    bool is_empty = moved == MOVED_NOTHING && spool_file_is_empty(file);
    if (is_empty) {
        log_info("spool", "emptied what another process left", LOG_S("file", path));
    }
    spool_file_close(file);
    if (is_empty) {
        spool_file_unlink(path);
    }
    return moved != MOVED_FAILED;
}

static bool adopt_orphans(struct spool_mover *mover)
{
    DIR *folder = opendir(mover->folder);
    bool is_done = true;
    for (struct dirent *entry = folder ? readdir(folder) : NULL; entry && is_done;
         entry = readdir(folder)) {
        char path[SPOOL_PATH + 256];
        (void)snprintf(path, sizeof(path), "%s/%s", mover->folder, entry->d_name);
        if (ends_with(entry->d_name, ".db") && strcmp(path, mover->path) != 0) {
            is_done = adopt_file(mover, path);
        }
    }
    if (folder) {
        (void)closedir(folder);
    }
    return is_done;
}

static void count_waiting(struct spool_mover *mover)
{
    uint64_t waiting = 0;
    if (spool_file_count(mover->file, &waiting) == AIC_OK) {
        (void)pthread_mutex_lock(&mover->lock);
        mover->status.waiting = waiting;
        (void)pthread_mutex_unlock(&mover->lock);
    }
}

/* Sleeps until there is something to do; false when it is time to end. */
static bool wait_for_work(struct spool_mover *mover, bool has_failed)
{
    int64_t wait_ms = has_failed && mover->retry_ms ? mover->retry_ms : IDLE_MS;
    (void)pthread_mutex_lock(&mover->lock);
    struct timespec until;
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    int64_t ns = until.tv_nsec + wait_ms % 1000 * 1000000;
    until.tv_sec += (time_t)(wait_ms / 1000 + ns / 1000000000);
    until.tv_nsec = (long)(ns % 1000000000);
    int status = 0;
    while (status == 0 && !mover->is_ending && (!mover->is_woken || has_failed)) {
        status = pthread_cond_timedwait(&mover->wake, &mover->lock, &until);
    }
    mover->is_woken = false;
    bool goes_on = !mover->is_ending || (!has_failed && clock_ms() < mover->end_by_ms);
    (void)pthread_mutex_unlock(&mover->lock);
    return goes_on;
}

static void *move_loop(void *data)
{
    struct spool_mover *mover = data;
    bool goes_on = true;
    struct guard guard;
    guard_mark(&guard, mover->storage->name, "spool thread");
    while (goes_on) {
        (void)pthread_mutex_lock(&mover->lock);
        bool looks = mover->looks_for_orphans;
        mover->looks_for_orphans = false;
        (void)pthread_mutex_unlock(&mover->lock);
        enum moved moved = move_batch(mover, mover->file, mover->path);
        if (moved == MOVED_SOME) {
            continue;
        }
        if (looks && !adopt_orphans(mover)) {
            (void)pthread_mutex_lock(&mover->lock);
            mover->looks_for_orphans = true;
            (void)pthread_mutex_unlock(&mover->lock);
            moved = MOVED_FAILED;
        }
        (void)pthread_mutex_lock(&mover->lock);
        bool is_done = mover->is_ending && moved == MOVED_NOTHING;
        (void)pthread_mutex_unlock(&mover->lock);
        count_waiting(mover);
        goes_on = !is_done && wait_for_work(mover, moved == MOVED_FAILED);
    }
    mover->storage->storage.close(mover->storage->self);
    guard_unmark(&guard);
    return NULL;
}

static void init_threads(struct spool_mover *mover)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&mover->lock, NULL);
    (void)pthread_cond_init(&mover->wake, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

struct spool_mover *spool_mover_create(const char *folder, const char *path,
                                       struct provider *storage, char *error, size_t error_bytes)
{
    struct spool_mover *mover = calloc(1, sizeof(*mover));
    if (!mover) {
        provider_destroy(storage);
        return NULL;
    }
    mover->storage = storage;
    mover->looks_for_orphans = true;
    (void)snprintf(mover->folder, sizeof(mover->folder), "%s", folder);
    (void)snprintf(mover->path, sizeof(mover->path), "%s", path);
    init_threads(mover);
    mover->file = spool_file_open(path, false, error, error_bytes);
    if (!mover->file || (storage && pthread_create(&mover->thread, NULL, move_loop, mover) != 0)) {
        spool_file_close(mover->file);
        provider_destroy(storage);
        free(mover);
        return NULL;
    }
    return mover;
}

void spool_mover_destroy(struct spool_mover *mover, int64_t grace_ms)
{
    if (!mover) {
        return;
    }
    if (mover->storage) {
        (void)pthread_mutex_lock(&mover->lock);
        mover->is_ending = true;
        mover->end_by_ms = clock_ms() + grace_ms;
        (void)pthread_cond_signal(&mover->wake);
        (void)pthread_mutex_unlock(&mover->lock);
        struct timespec by;
        (void)clock_gettime(CLOCK_REALTIME, &by);
        by.tv_sec += (time_t)(grace_ms / 1000);
        if (pthread_timedjoin_np(mover->thread, NULL, &by) != 0) {
            mover->storage->storage.interrupt(mover->storage->self);
            (void)pthread_join(mover->thread, NULL);
        }
        provider_destroy(mover->storage);
    }
    spool_file_close(mover->file);
    (void)pthread_cond_destroy(&mover->wake);
    (void)pthread_mutex_destroy(&mover->lock);
    free(mover);
}

void spool_mover_wake(struct spool_mover *mover)
{
    (void)pthread_mutex_lock(&mover->lock);
    mover->is_woken = true;
    (void)pthread_cond_signal(&mover->wake);
    (void)pthread_mutex_unlock(&mover->lock);
}

int32_t spool_mover_adopt(struct spool_mover *mover, const char *name)
{
    char path[SPOOL_PATH + 256];
    (void)snprintf(path, sizeof(path), "%s/%s", mover->folder, name);
    if (strchr(name, '/') || access(path, F_OK) != 0) {
        return AIC_ERROR_NOT_FOUND;
    }
    (void)pthread_mutex_lock(&mover->lock);
    mover->looks_for_orphans = true;
    mover->is_woken = true;
    (void)pthread_cond_signal(&mover->wake);
    (void)pthread_mutex_unlock(&mover->lock);
    return AIC_OK;
}

void spool_mover_status(struct spool_mover *mover, struct spool_status *status)
{
    (void)pthread_mutex_lock(&mover->lock);
    *status = mover->status;
    (void)pthread_mutex_unlock(&mover->lock);
}
