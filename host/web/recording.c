/* SPDX-License-Identifier: ISC */
#include "web/recording.h"

#include "call/recordings.h"
#include "plugin/storage.h"
#include "web/audit.h"
#include "web/params.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Finding and opening recordings, and their routes. */

static const char calls_path[] = "/calls/";

static void leave(struct recording_request *r)
{
    struct recording_request **at = r->web ? &r->web->recordings : NULL;
    while (at && *at && *at != r) {
        at = &(*at)->next;
    }
    if (at && *at) {
        *at = r->next;
        r->web->recording_count--;
    }
    r->web = NULL;
}

static void free_request(void *data)
{
    struct recording_request *r = data;
    if (r->fd >= 0) {
        (void)close(r->fd);
    }
    aic_buf_finish(&r->peaks);
    free(r->piece);
    free(r);
}

void recording_end(struct recording_request *r)
{
    leave(r);
    if (r->lane) {
        sched_lane_close(r->sched, r->lane, free_request, r);
    } else {
        free_request(r);
    }
}

void recording_tell(struct recording_request *r, const char *action)
{
    if (r->web) {
        web_audit(
            r->web, r->actor,
            &(struct web_deed){
                .action = action, .object = r->name, .outcome = "allowed", .call_id = r->call_id});
    }
}

static void open_file(void *data)
{
    struct recording_request *r = data;
    struct stat about;
    r->fd = recordings_open(r->folder, r->name);
    r->status = r->fd < 0 ? r->fd : AIC_OK;
    if (r->fd >= 0 && fstat(r->fd, &about) == 0) {
        r->bytes = (uint64_t)about.st_size;
        (void)snprintf(r->tag, sizeof(r->tag), "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "\"",
                       (uint64_t)about.st_ino, r->bytes,
                       (uint64_t)about.st_mtim.tv_sec * 1000000000u +
                           (uint64_t)about.st_mtim.tv_nsec);
    }
}

static void answer_missing(struct recording_request *r)
{
    if (r->status == AIC_ERROR_NOT_FOUND) {
        (void)reply_problem(r->held.exchange, 404, "no-recording-here",
                            "The call was recorded, but there is no such file on this host: it was "
                            "deleted, or another host has it.");
    } else {
        (void)reply_problem(
            r->held.exchange, 503, "recording-unreadable",
            "The file can not be read now; the server's log and its disk say more.");
    }
}

static void file_is_open(void *data, int32_t status)
{
    struct recording_request *r = data;
    if (!r->held.web) {
        recording_end(r);
        return;
    }
    r->status = status == AIC_OK ? r->status : status;
    if (r->status != AIC_OK) {
        (void)held_end(&r->held);
        answer_missing(r);
        recording_end(r);
        return;
    }
    r->opened(r);
}

static void refuse(struct recording_request *r, const char *type, const char *detail)
{
    (void)held_end(&r->held);
    (void)reply_problem(r->held.exchange, 404, type, detail);
    recording_end(r);
}

static void rows_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct recording_request *r = data;
    if (!r->held.web) {
        recording_end(r);
        return;
    }
    if (status != AIC_OK) {
        (void)held_end(&r->held);
        (void)reply_storage_error(r->held.exchange, status, error);
        recording_end(r);
        return;
    }
    struct aic_json *root = aic_json_parse(rows, STORAGE_MAX_ROWS_BYTES);
    const struct aic_json *row = aic_json_at(root, (size_t)r->part - 1);
    bool is_there = row != NULL;
    r->is_opus = aic_str_equal(aic_json_get_text(row, "format"), "opus");
    bool is_ours = is_there && recordings_name(aic_json_get_text(row, "path"), r->name) &&
                   aic_str_starts(aic_str(r->name), r->call_id);
    aic_json_free(root);
    if (!is_there) {
        refuse(r, "no-recording", "There is no recording of this call.");
    } else if (!is_ours) {
        r->status = AIC_ERROR_NOT_FOUND;
        (void)held_end(&r->held);
        answer_missing(r);
        recording_end(r);
    } else if (sched_lane_run(r->sched, r->lane, open_file, file_is_open, r) != AIC_OK) {
        file_is_open(r, AIC_ERROR_BUSY);
    }
}

/* The id in "/calls/ID/..."; false when the rest of the path is something else. */
static bool split(struct aic_str path, const char *rest, struct aic_str *id)
{
    size_t prefix = sizeof(calls_path) - 1;

    enum { ID = UUID_TEXT - 1 };

    if (path.len <= prefix + ID || !aic_str_starts(path, calls_path)) {
        return false;
    }
    *id = (struct aic_str){path.ptr + prefix, ID};
    struct aic_str tail = {path.ptr + prefix + ID, path.len - prefix - ID};
    if (tail.ptr[tail.len - 1] == '/') {
        tail.len--;
    }
    return uuid_valid(*id) && aic_str_equal(tail, rest);
}

void recording_call_id(struct aic_str path, char id[UUID_TEXT])
{
    (void)aic_str_copy((struct aic_str){path.ptr + sizeof(calls_path) - 1, UUID_TEXT - 1}, id,
                       UUID_TEXT);
}

static bool is_recording(struct aic_str path)
{
    struct aic_str id;
    return split(path, "/recording", &id);
}

static bool is_peaks(struct aic_str path)
{
    struct aic_str id;
    return split(path, "/recording/peaks", &id);
}

static bool is_pause(struct aic_str path)
{
    struct aic_str id;
    return split(path, "/recording/pause", &id);
}

static bool is_resume(struct aic_str path)
{
    struct aic_str id;
    return split(path, "/recording/resume", &id);
}

/* What a query may say. */
struct wishes {
    int64_t part;
    int64_t per_second;
    int64_t download;
};

/* False after answering what is wrong. */
static bool read_wishes(const struct visit *visit, bool is_picture, struct wishes *wishes)
{
    enum { PARTS = 1000, PER_SECOND_MAX = 100 };

    static const char *const of_sound[] = {"part", "download"};
    static const char *const of_picture[] = {"part", "per_second"};

    struct params params;
    bool is_good =
        params_read(&params, visit->request->query, is_picture ? of_picture : of_sound, 2);
    is_good = is_good && params_number(&params, "part", 1, PARTS, &wishes->part);
    if (is_good && is_picture) {
        is_good = params_number(&params, "per_second", 1, PER_SECOND_MAX, &wishes->per_second);
    } else if (is_good) {
        is_good = params_number(&params, "download", 0, 1, &wishes->download);
    }
    if (!is_good) {
        (void)reply_with(visit->exchange,
                         &(struct problem){.status = 400,
                                           .type = "bad-parameter",
                                           .detail = params.detail,
                                           .field = params.field[0] ? params.field : NULL});
    }
    params_finish(&params);
    return is_good;
}

static struct recording_request *make_request(struct web *web, const struct visit *visit)
{
    struct recording_request *r = calloc(1, sizeof(*r));
    if (!r) {
        return NULL;
    }
    r->sched = web->settings.sched;
    r->folder = web->settings.recordings_dir;
    r->fd = -1;
    r->lane = sched_lane_open(r->sched);
    aic_buf_init(&r->peaks, 1 << 20);
    recording_call_id(visit->request->path, r->call_id);
    (void)aic_str_copy(aic_str(web_actor(visit)), r->actor, sizeof(r->actor));
    if (!r->lane) {
        free_request(r);
        return NULL;
    }
    return r;
}

int32_t recording_begin(struct web *web, const struct visit *visit, bool is_picture,
                        void (*opened)(struct recording_request *r))
{
    struct wishes wishes = {.part = 1, .per_second = 20};
    if (!read_wishes(visit, is_picture, &wishes)) {
        return AIC_OK;
    }
    if (!web->settings.storage || !web->settings.recordings_dir) {
        return reply_problem(visit->exchange, 404, "no-storage", "No storage is configured.");
    }
    struct recording_request *r =
        web->recording_count < RECORDING_REQUESTS ? make_request(web, visit) : NULL;
    if (!r) {
        return reply_with(visit->exchange,
                          &(struct problem){.status = 503,
                                            .type = "busy",
                                            .detail = "Too many recordings are being read; try "
                                                      "again.",
                                            .retry_after_s = 1});
    }
    char params[80];
    r->opened = opened;
    r->part = wishes.part;
    r->is_download = wishes.download == 1;
    r->per_second = (uint32_t)wishes.per_second;
    r->web = web;
    r->next = web->recordings;
    web->recordings = r;
    web->recording_count++;
    held_begin(&r->held, web, visit->exchange);
    (void)snprintf(params, sizeof(params), "{\"call_id\":\"%s\"}", r->call_id);
    storage_query(web->settings.storage, "recordings", aic_str(params), rows_came, r);
    return AIC_OK;
}

void recordings_end(struct web *web)
{
    while (web->recordings) {
        struct recording_request *r = web->recordings;
        web->recordings = r->next;
        r->web = NULL;
        if (r->stream) {
            server_stream_end(r->stream);
        }
    }
    web->recording_count = 0;
    recording_pictures_destroy(web->pictures);
    web->pictures = NULL;
}

void recording_routes(struct web *web)
{
    static const struct web_route routes[] = {
        {.scope = API_SCOPE_READ, .handle = recording_get, .exists = is_recording},
        {.scope = API_SCOPE_READ, .handle = recording_get_peaks, .exists = is_peaks},
        {.scope = API_SCOPE_CALL, .handle = recording_post_pause, .exists = is_pause},
        {.scope = API_SCOPE_CALL, .handle = recording_post_resume, .exists = is_resume},
    };

    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        uint32_t method = routes[i].scope == API_SCOPE_READ ? AIC_METHOD_GET : AIC_METHOD_POST;
        web_route(web, method, "/calls/*", &routes[i]);
    }
}
