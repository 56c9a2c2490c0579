/* SPDX-License-Identifier: ISC */
#include "call/retention.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "base/uuid.h"
#include "call/recordings.h"
#include "plugin/storage.h"

#include "buf.h"
#include "json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    PARAMS = 512,
    LEASE_MS = 300000,
    SLICE = 500,
    CALLS_SLICE = 50, /* each with all that is its own */
    ERASURES = 100,
    FILES_AT_ONCE = 10000,
    TIDY_SLICES = 100,
    OWNER = 96
};

static const char *const classes[RETENTION_CLASSES] = {
    "recordings", "messages", "events",      "turns", "usage",    "calls",
    "consents",   "audit",    "do_not_call", "work",  "erasures",
};
static const int64_t first_us = 60 * INT64_C(1000000);
/* Between two slices others have the database. */
static const int64_t pause_us = 20000;
/* A host that was away for longer finds its files of an erasure by their age alone. */
static const int64_t erasure_open_us = 30 * INT64_C(86400000000);

struct retention {
    struct retention_settings settings;
    struct sched_lane *lane;
    struct sched_timer *timer;
    char owner[OWNER];
    char job[UUID_TEXT];
    int64_t attempt;
    size_t step; /* the class that is being looked at */
    int tidied;
    uint64_t rows;          /* of this run */
    struct aic_json *files; /* of the slice, whose files are being deleted; or erasures */
    uint64_t deleted;       /* of the lane's work */
    uint64_t not_here;
    uint64_t stuck;
    bool has_more;
    bool is_stopping;
};

static void run_class(void *data);
static void run(void *data);

static int64_t keep_us(const struct retention *r, const char *class)
{
    for (uint32_t i = 0; i < RETENTION_CLASSES; i++) {
        if (strcmp(retention_table.options[i].name, class) == 0) {
            return r->settings.rules->keep_us[i];
        }
    }
    return 0;
}

static void later(struct retention *r, int64_t in_us, void (*what)(void *data))
{
    r->timer = sched_timer_start(r->settings.sched, sched_now(r->settings.sched) + in_us, what, r);
}

static void rest(struct retention *r)
{
    aic_json_free(r->files);
    r->files = NULL;
    later(r, r->settings.rules->every_us, run);
}

/* False when it is over: the answer is of no use to anybody. */
static bool is_good(struct retention *r, int32_t status, const struct aic_error *error)
{
    if (r->is_stopping) {
        return false;
    }
    if (status != AIC_OK) {
        log_warn("retention", "the storage does not delete now; later again",
                 LOG_T("reason", error ? error->message : AIC_STR("")));
        rest(r);
        return false;
    }
    return true;
}

/* Files: those that the storage names, and what is old in the folder. */

static void delete_one(struct retention *r, struct aic_str path)
{
    char name[RECORDINGS_NAME];
    int32_t status = recordings_name(path, name)
                         ? recordings_delete(r->settings.recordings_dir, name)
                         : AIC_ERROR_NOT_FOUND;
    r->deleted += status == AIC_OK;
    r->not_here += status == AIC_ERROR_NOT_FOUND;
    r->stuck += status == AIC_ERROR_IO;
}

static void delete_files(void *data)
{
    struct retention *r = data;
    r->deleted = r->not_here = r->stuck = 0;
    for (size_t i = 0; i < aic_json_count(r->files); i++) {
        delete_one(r, aic_json_text(aic_json_at(r->files, i)));
    }
}

static void count_files(struct retention *r)
{
    metrics_count(METRICS_RETENTION + 1, r->deleted);
    if (r->stuck > 0) {
        log_error("retention", "recordings can not be deleted",
                  LOG_S("folder", r->settings.recordings_dir), LOG_I("files", r->stuck));
    }
}

static void sweep(void *data)
{
    struct retention *r = data;
    int64_t recordings_us = keep_us(r, "recordings");
    int64_t calls_us = keep_us(r, "calls");
    int64_t keep =
        recordings_us > 0 && (calls_us == 0 || recordings_us < calls_us) ? recordings_us : calls_us;
    r->stuck = 0;
    r->deleted = 0;
    if (keep > 0) {
        int32_t status = recordings_delete_older(r->settings.recordings_dir,
                                                 sched_wall(r->settings.sched) - keep,
                                                 FILES_AT_ONCE, &r->deleted);
        r->stuck = status != AIC_OK;
    }
}

static void is_swept(void *data, int32_t status)
{
    struct retention *r = data;
    if (!r->is_stopping) {
        if (status == AIC_OK) {
            count_files(r);
        }
        rest(r);
    }
}

/* Files of erasures that are still open. */

static void is_closed(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    (void)data;
    (void)rows;
    if (status != AIC_OK) {
        log_warn("retention", "an erasure can not be closed now",
                 LOG_T("reason", error ? error->message : AIC_STR("")));
    }
}

/* Closed are those that are old; until then another host may have some of the files. */
static void close_old(struct retention *r)
{
    int64_t now_us = sched_wall(r->settings.sched);
    for (size_t i = 0; i < aic_json_count(r->files); i++) {
        const struct aic_json *erasure = aic_json_at(r->files, i);
        struct aic_str id = aic_json_get_text(erasure, "erasure_id");
        int64_t at_us = now_us;
        if (time_parse(aic_json_get_text(erasure, "at"), &at_us) &&
            now_us - at_us > erasure_open_us) {
            char params[PARAMS];
            (void)snprintf(params, sizeof(params), "{\"erasure_id\":\"%.*s\"}", (int)id.len,
                           id.ptr);
            storage_change(r->settings.storage, "erase.done", aic_str(params), is_closed, r);
        }
    }
}

static void delete_erased(void *data)
{
    struct retention *r = data;
    r->deleted = r->not_here = r->stuck = 0;
    for (size_t i = 0; i < aic_json_count(r->files); i++) {
        const struct aic_json *files = aic_json_get(aic_json_at(r->files, i), "files");
        for (size_t k = 0; k < aic_json_count(files); k++) {
            delete_one(r, aic_json_text(aic_json_at(files, k)));
        }
    }
}

static void are_erased(void *data, int32_t status)
{
    struct retention *r = data;
    if (r->is_stopping) {
        return;
    }
    if (status == AIC_OK) {
        count_files(r);
        close_old(r);
    }
    if (sched_lane_run(r->settings.sched, r->lane, sweep, is_swept, r) != AIC_OK) {
        rest(r);
    }
}

static void erasures_came(void *data, int32_t status, struct aic_str rows,
                          const struct aic_error *error)
{
    struct retention *r = data;
    if (!is_good(r, status, error)) {
        return;
    }
    aic_json_free(r->files);
    r->files = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    if (sched_lane_run(r->settings.sched, r->lane, delete_erased, are_erased, r) != AIC_OK) {
        rest(r);
    }
}

static void look_at_erasures(struct retention *r)
{
    char params[PARAMS];
    (void)snprintf(params, sizeof(params), "{\"active\":true,\"limit\":%d}", (int)ERASURES);
    storage_query(r->settings.storage, "erasures", aic_str(params), erasures_came, r);
}

/* Rows, class by class and slice by slice. */

static void is_complete(void *data, int32_t status, struct aic_str rows,
                        const struct aic_error *error)
{
    struct retention *r = data;
    (void)rows;
    if (is_good(r, status, error)) {
        look_at_erasures(r);
    }
}

static void ask_holder(struct retention *r, const char *change, const char *more,
                       storage_reply reply)
{
    char params[PARAMS];
    (void)snprintf(params, sizeof(params),
                   "{\"job_id\":\"%s\",\"owner\":\"%s\",\"attempt\":%" PRId64 ",%s}", r->job,
                   r->owner, r->attempt, more);
    storage_change(r->settings.storage, change, aic_str(params), reply, r);
}

static void finish(struct retention *r)
{
    char result[96];
    (void)snprintf(result, sizeof(result), "\"state\":\"done\",\"result\":{\"rows\":%" PRIu64 "}",
                   r->rows);
    if (r->rows > 0) {
        log_info("retention", "what was too old is deleted", LOG_I("rows", r->rows));
    }
    ask_holder(r, "job.complete", result, is_complete);
}

static void is_tidied(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct retention *r = data;
    if (!is_good(r, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    bool has_more = aic_json_get_bool(aic_json_at(root, 0), "more", false);
    aic_json_free(root);
    if (has_more && ++r->tidied < TIDY_SLICES) {
        later(r, pause_us, run_class);
    } else {
        finish(r);
    }
}

static void next_class(struct retention *r)
{
    if (!r->has_more) {
        r->step++;
    }
    later(r, pause_us, run_class);
}

static void is_extended(void *data, int32_t status, struct aic_str rows,
                        const struct aic_error *error)
{
    struct retention *r = data;
    if (!is_good(r, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    bool is_held = aic_json_get_bool(aic_json_at(root, 0), "held", false);
    aic_json_free(root);
    if (is_held) {
        next_class(r);
    } else {
        rest(r); /* somebody else goes on with it */
    }
}

static void extend(struct retention *r)
{
    char more[48];
    (void)snprintf(more, sizeof(more), "\"lease_ms\":%d", (int)LEASE_MS);
    ask_holder(r, "job.extend", more, is_extended);
}

static void files_are_deleted(void *data, int32_t status)
{
    struct retention *r = data;
    if (!r->is_stopping) {
        if (status == AIC_OK) {
            count_files(r);
        }
        extend(r);
    }
}

static void slice_is_deleted(void *data, int32_t status, struct aic_str rows,
                             const struct aic_error *error)
{
    struct retention *r = data;
    if (!is_good(r, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    const struct aic_json *answer = aic_json_at(root, 0);
    int64_t deleted = aic_json_get_int(answer, "deleted", 0);
    struct aic_str files = aic_json_print(aic_json_get(answer, "files"));
    r->has_more = aic_json_get_bool(answer, "more", false);
    r->rows += (uint64_t)deleted;
    metrics_count(METRICS_RETENTION, (uint64_t)deleted);
    aic_json_free(r->files);
    r->files = aic_json_parse(files, STORAGE_MAX_ROWS_BYTES);
    aic_json_free(root);
    if (aic_json_count(r->files) > 0 &&
        sched_lane_run(r->settings.sched, r->lane, delete_files, files_are_deleted, r) == AIC_OK) {
        return;
    }
    if (deleted > 0) {
        extend(r);
    } else {
        next_class(r);
    }
}

static void run_class(void *data)
{
    struct retention *r = data;
    char at[TIME_TEXT];
    char params[PARAMS];
    r->timer = NULL;
    while (r->step < RETENTION_CLASSES && keep_us(r, classes[r->step]) == 0) {
        r->step++;
    }
    if (r->step == RETENTION_CLASSES) {
        storage_change(r->settings.storage, "maintain", AIC_STR("{}"), is_tidied, r);
        return;
    }
    const char *class = classes[r->step];
    int limit = strcmp(class, "calls") == 0 ? CALLS_SLICE : SLICE;
    time_format(at, sched_wall(r->settings.sched) - keep_us(r, class));
    (void)snprintf(params, sizeof(params), "{\"class\":\"%s\",\"before\":\"%s\",\"limit\":%d}",
                   class, at, limit);
    storage_change(r->settings.storage, "retention", aic_str(params), slice_is_deleted, r);
}

static void is_claimed(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error)
{
    struct retention *r = data;
    if (!is_good(r, status, error)) {
        return;
    }
    struct aic_json *root = aic_json_parse(rows, 0);
    const struct aic_json *job = aic_json_get(aic_json_at(root, 0), "job");
    bool is_ours =
        aic_str_copy(aic_json_get_text(job, "job_id"), r->job, sizeof(r->job)) && r->job[0] != '\0';
    r->attempt = aic_json_get_int(job, "attempts", 0);
    aic_json_free(root);
    if (!is_ours) {
        look_at_erasures(r);
        return;
    }
    r->step = 0;
    r->rows = 0;
    r->tidied = 0;
    r->has_more = false;
    later(r, 0, run_class);
}

static void is_added(void *data, int32_t status, struct aic_str rows, const struct aic_error *error)
{
    struct retention *r = data;
    (void)rows;
    if (is_good(r, status, error)) {
        char params[PARAMS];
        (void)snprintf(params, sizeof(params),
                       "{\"kind\":\"retention\",\"owner\":\"%s\",\"lease_ms\":%d}", r->owner,
                       (int)LEASE_MS);
        storage_change(r->settings.storage, "job.claim", aic_str(params), is_claimed, r);
    }
}

/* All hosts add the same job; one of them gets it. */
static void run(void *data)
{
    struct retention *r = data;
    char id[UUID_TEXT];
    char params[PARAMS];
    r->timer = NULL;
    uuid7_make(id);
    (void)snprintf(params, sizeof(params),
                   "{\"job_id\":\"%s\",\"kind\":\"retention\",\"dedupe_key\":\"retention %" PRId64
                   "\"}",
                   id, sched_wall(r->settings.sched) / r->settings.rules->every_us);
    storage_change(r->settings.storage, "job.add", aic_str(params), is_added, r);
}

struct retention *retention_create(const struct retention_settings *settings)
{
    struct retention *r = calloc(1, sizeof(*r));
    char host[64] = "";
    if (!r) {
        return NULL;
    }
    r->settings = *settings;
    r->lane = sched_lane_open(settings->sched);
    if (!r->lane) {
        free(r);
        return NULL;
    }
    (void)gethostname(host, sizeof(host) - 1);
    host[strcspn(host, "\"\\")] = '\0';
    (void)snprintf(r->owner, sizeof(r->owner), "%s %ld", host, (long)getpid());
    int64_t every_us = settings->rules->every_us;
    later(r, every_us < first_us ? every_us : first_us, run);
    return r;
}

void retention_stop(struct retention *r)
{
    if (r) {
        r->is_stopping = true;
        sched_timer_stop(r->settings.sched, r->timer);
        r->timer = NULL;
    }
}

static void free_retention(void *data)
{
    struct retention *r = data;
    aic_json_free(r->files);
    free(r);
}

void retention_destroy(struct retention *r)
{
    if (r) {
        retention_stop(r);
        sched_lane_close(r->settings.sched, r->lane, free_retention, r);
    }
}
