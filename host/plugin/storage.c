/* SPDX-License-Identifier: ISC */
#include "plugin/storage.h"

#include "base/log.h"
#include "plugin/guard.h"

#include "buf.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { ERROR_TEXT = 512 };

struct question {
    struct question *next;
    char *name;
    char *params;
    bool is_change;
    storage_reply reply;
    void *data;
    /* The answer. */
    int32_t status;
    struct aic_buf rows;
    struct aic_error error;
    char error_text[ERROR_TEXT];
};

struct storage {
    struct provider *provider;
    struct sched *sched;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct question *first; /* under the lock, as all that follows */
    struct question **last;
    size_t waiting;
    bool is_busy;
    bool is_ending;
};

static void free_question(struct question *q)
{
    aic_buf_finish(&q->rows);
    free(q->name);
    free(q->params);
    free(q);
}

static void answer(void *data)
{
    struct question *q = data;
    if (q->reply) {
        struct aic_str rows = q->rows.len > 0 ? aic_buf_view(&q->rows) : AIC_STR("[]");
        q->reply(q->data, q->status, rows, q->status == AIC_OK ? NULL : &q->error);
    }
    free_question(q);
}

static void give_back(struct storage *storage, struct question *q)
{
    if (sched_post(storage->sched, answer, q) != AIC_OK) {
        free_question(q);
    }
}

static int32_t take_row(void *data, struct aic_str row)
{
    struct question *q = data;
    aic_buf_char(&q->rows, q->rows.len == 0 ? '[' : ',');
    aic_buf_str(&q->rows, row);
    return q->rows.failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}

/* The plugin's texts live until its next operation; the answer lives longer. */
static void keep_error(struct question *q, const struct aic_error *error)
{
    q->error = *error;
    (void)aic_str_copy(error->message, q->error_text, sizeof(q->error_text));
    q->error.message = aic_str(q->error_text);
    q->error.code = AIC_STR("");
    q->error.request_id = AIC_STR("");
}

static void ask(struct storage *storage, struct question *q)
{
    const struct aic_storage *table = &storage->provider->storage;
    void *self = storage->provider->self;
    struct aic_error error = {.size = sizeof(error), .message = AIC_STR("")};
    q->status = q->is_change ? table->change(self, q->name, aic_str(q->params), take_row, q, &error)
                             : table->query(self, q->name, aic_str(q->params), take_row, q, &error);
    if (q->rows.failed) {
        q->status = AIC_ERROR_TOO_LARGE;
        error.message = AIC_STR("the answer is too large");
    }
    if (q->rows.len > 0) {
        aic_buf_char(&q->rows, ']');
    }
    if (q->status != AIC_OK) {
        keep_error(q, &error);
    }
}

static void *work(void *data)
{
    struct storage *storage = data;
    struct guard guard;
    guard_mark(&guard, storage->provider->name, "storage thread");
    (void)pthread_mutex_lock(&storage->lock);
    for (;;) {
        while (!storage->first && !storage->is_ending) {
            (void)pthread_cond_wait(&storage->wake, &storage->lock);
        }
        struct question *q = storage->first;
        if (!q) {
            break;
        }
        storage->first = q->next;
        storage->last = q->next ? storage->last : &storage->first;
        storage->waiting--;
        bool asks = !storage->is_ending;
        storage->is_busy = asks;
        (void)pthread_mutex_unlock(&storage->lock);
        q->status = AIC_ERROR_CANCELLED;
        if (asks) {
            ask(storage, q);
        }
        give_back(storage, q);
        (void)pthread_mutex_lock(&storage->lock);
        storage->is_busy = false;
    }
    (void)pthread_mutex_unlock(&storage->lock);
    storage->provider->storage.close(storage->provider->self);
    guard_unmark(&guard);
    return NULL;
}

struct storage *storage_create(struct provider *provider)
{
    struct storage *storage = calloc(1, sizeof(*storage));
    if (!storage) {
        provider_destroy(provider);
        return NULL;
    }
    storage->provider = provider;
    storage->sched = provider->env->sched;
    storage->last = &storage->first;
    (void)pthread_mutex_init(&storage->lock, NULL);
    (void)pthread_cond_init(&storage->wake, NULL);
    if (pthread_create(&storage->thread, NULL, work, storage) != 0) {
        log_error(provider->name, "no thread for the storage", LOG_S("plugin", provider->name));
        provider_destroy(provider);
        free(storage);
        return NULL;
    }
    return storage;
}

void storage_destroy(struct storage *storage)
{
    if (!storage) {
        return;
    }
    (void)pthread_mutex_lock(&storage->lock);
    storage->is_ending = true;
    if (storage->is_busy) {
        storage->provider->storage.interrupt(storage->provider->self);
    }
    (void)pthread_cond_signal(&storage->wake);
    (void)pthread_mutex_unlock(&storage->lock);
    (void)pthread_join(storage->thread, NULL);
    (void)pthread_cond_destroy(&storage->wake);
    (void)pthread_mutex_destroy(&storage->lock);
    provider_destroy(storage->provider);
    free(storage);
}

struct provider *storage_provider(const struct storage *storage)
{
    return storage->provider;
}

static struct question *new_question(const char *name, struct aic_str params, storage_reply reply,
                                     void *data)
{
    struct question *q = calloc(1, sizeof(*q));
    if (!q) {
        return NULL;
    }
    q->reply = reply;
    q->data = data;
    q->name = strdup(name);
    q->params = aic_str_dup(params.len > 0 ? params : AIC_STR("{}"));
    aic_buf_init(&q->rows, STORAGE_MAX_ROWS_BYTES);
    if (!q->name || !q->params) {
        free_question(q);
        return NULL;
    }
    return q;
}

static void enqueue(struct storage *storage, bool is_change, const char *name,
                    struct aic_str params, storage_reply reply, void *data)
{
    struct question *q = new_question(name, params, reply, data);
    if (!q) {
        return;
    }
    q->is_change = is_change;
    (void)pthread_mutex_lock(&storage->lock);
    bool is_full = storage->waiting >= STORAGE_QUEUE || storage->is_ending;
    if (!is_full) {
        *storage->last = q;
        storage->last = &q->next;
        storage->waiting++;
        (void)pthread_cond_signal(&storage->wake);
    }
    (void)pthread_mutex_unlock(&storage->lock);
    if (is_full) {
        q->status = AIC_ERROR_BUSY;
        q->error = (struct aic_error){.size = sizeof(q->error),
                                      .category = AIC_CATEGORY_OVERLOADED,
                                      .message = AIC_STR("too many questions wait already")};
        give_back(storage, q);
    }
}

void storage_query(struct storage *storage, const char *name, struct aic_str params,
                   storage_reply reply, void *data)
{
    enqueue(storage, false, name, params, reply, data);
}

void storage_change(struct storage *storage, const char *name, struct aic_str params,
                    storage_reply reply, void *data)
{
    enqueue(storage, true, name, params, reply, data);
}
