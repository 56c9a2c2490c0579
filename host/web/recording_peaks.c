/* SPDX-License-Identifier: ISC */
#include "call/recorder_opus.h"
#include "web/peaks.h"
#include "web/range.h"
#include "web/recording.h"

#include "wav.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* GET /calls/<id>/recording/peaks/: the file read and measured on the pool, and the answer kept for
 * a while. */

enum { HEAD_BYTES = 4096 };

static size_t read_at(int fd, char *to, size_t bytes, uint64_t at)
{
    ssize_t got = -1;
    do {
        got = pread(fd, to, bytes, (off_t)at);
    } while (got < 0 && errno == EINTR);
    return got > 0 ? (size_t)got : 0;
}

static int32_t measure(struct recording_request *r, struct peaks *peaks, const struct aic_wav *wav)
{
    char *piece = malloc(RECORDING_PIECE);
    uint64_t at = wav->data_offset;
    uint64_t end = wav->data_offset + wav->data_bytes;
    size_t got = piece ? 1 : 0;
    while (at < end && got > 0) {
        size_t wanted = end - at < RECORDING_PIECE ? (size_t)(end - at) : RECORDING_PIECE;
        got = read_at(r->fd, piece, wanted, at);
        peaks_add(peaks, (const uint8_t *)piece, got);
        at += got;
    }
    free(piece);
    return got > 0 ? AIC_OK : AIC_ERROR_IO;
}

struct opus_peaks {
    struct peaks peaks;
    uint32_t per_second;
    bool has_begun;
};

static void take_opus(void *data, const uint8_t *frames, size_t bytes, uint64_t total_frames)
{
    static const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 48000, .channels = 2};

    struct opus_peaks *all = data;
    if (!all->has_begun) {
        all->has_begun = true;
        (void)peaks_init(&all->peaks, format, total_frames, all->per_second);
    }
    peaks_add(&all->peaks, frames, bytes);
}

static void work_on_opus(struct recording_request *r)
{
    struct opus_peaks all = {.per_second = r->per_second};
    r->status = recorder_opus_read(r->fd, take_opus, &all);
    if (r->status == AIC_OK) {
        take_opus(&all, NULL, 0, 0);
        peaks_write(&all.peaks, &r->peaks);
    }
    if (all.has_begun) {
        peaks_finish(&all.peaks);
    }
}

static void work(void *data)
{
    struct recording_request *r = data;
    if (r->is_opus) {
        work_on_opus(r);
        return;
    }
    char head[HEAD_BYTES];
    struct aic_wav wav;
    struct peaks peaks;
    size_t length = read_at(r->fd, head, sizeof(head), 0);
    r->status = aic_wav_parse((struct aic_str){head, length}, r->bytes, &wav);
    if (r->status == AIC_ERROR_PROTOCOL && wav.problem == AIC_WAV_NO_SOUND) {
        /* It has only just begun. */
        wav.data_bytes = 0;
        wav.frame_bytes = 1;
        r->status = AIC_OK;
    }
    if (r->status != AIC_OK) {
        return;
    }
    r->status = peaks_init(&peaks, wav.format, wav.data_bytes / wav.frame_bytes, r->per_second);
    if (r->status == AIC_OK) {
        r->status = wav.data_bytes > 0 ? measure(r, &peaks, &wav) : AIC_OK;
        peaks_write(&peaks, &r->peaks);
    }
    peaks_finish(&peaks);
}

static void reply(struct recording_request *r, int32_t status, struct aic_str body)
{
    const struct aic_header headers[] = {{AIC_STR("etag"), aic_str(r->tag)},
                                         {AIC_STR("cache-control"), AIC_STR("private, no-cache")},
                                         {AIC_STR("x-content-type-options"), AIC_STR("nosniff")}};
    const struct aic_response response = {.size = sizeof(response),
                                          .status = status,
                                          .content_type = status == 200 ? "application/json" : NULL,
                                          .body = body,
                                          .headers = headers,
                                          .header_count = 3,
                                          .header_size = sizeof(headers[0])};
    (void)server_respond(r->held.exchange, &response);
}

void recording_pictures_destroy(struct recording_pictures *pictures)
{
    for (size_t i = 0; pictures && i < RECORDING_PICTURES; i++) {
        aic_buf_finish(&pictures->list[i].json);
    }
    free(pictures);
}

static const struct recording_picture *find_picture(const struct recording_request *r)
{
    const struct recording_pictures *pictures = r->web ? r->web->pictures : NULL;
    for (size_t i = 0; pictures && i < RECORDING_PICTURES; i++) {
        const struct recording_picture *picture = &pictures->list[i];
        if (picture->json.len > 0 && picture->per_second == r->per_second &&
            strcmp(picture->tag, r->tag) == 0) {
            return picture;
        }
    }
    return NULL;
}

static void keep_picture(const struct recording_request *r)
{
    if (!r->web || r->peaks.len > RECORDING_PICTURE_BYTES) {
        return;
    }
    if (!r->web->pictures) {
        r->web->pictures = calloc(1, sizeof(*r->web->pictures));
    }
    struct recording_pictures *pictures = r->web->pictures;
    if (!pictures) {
        return;
    }
    struct recording_picture *picture = &pictures->list[pictures->next];
    pictures->next = (pictures->next + 1) % RECORDING_PICTURES;
    aic_buf_finish(&picture->json);
    aic_buf_init(&picture->json, RECORDING_PICTURE_BYTES);
    aic_buf_str(&picture->json, aic_buf_view(&r->peaks));
    picture->per_second = r->per_second;
    (void)aic_str_copy(aic_str(r->tag), picture->tag, sizeof(picture->tag));
}

static void is_measured(void *data, int32_t status)
{
    struct recording_request *r = data;
    if (held_end(&r->held)) {
        if (status == AIC_OK && r->status == AIC_OK && !r->peaks.failed) {
            recording_tell(r, "recording.peaks");
            keep_picture(r);
            reply(r, 200, aic_buf_view(&r->peaks));
        } else {
            (void)reply_problem(r->held.exchange, 503, "recording-unreadable",
                                "The file can not be read now; the server's log and its disk say "
                                "more.");
        }
    }
    recording_end(r);
}

static void peaks_opened(struct recording_request *r)
{
    const struct recording_picture *picture = find_picture(r);
    if (range_is_known(server_header(r->held.exchange, "if-none-match"), r->tag)) {
        (void)held_end(&r->held);
        reply(r, 304, (struct aic_str){NULL, 0});
        recording_end(r);
    } else if (picture) {
        (void)held_end(&r->held);
        recording_tell(r, "recording.peaks");
        reply(r, 200, aic_buf_view(&picture->json));
        recording_end(r);
    } else if (sched_lane_run(r->sched, r->lane, work, is_measured, r) != AIC_OK) {
        is_measured(r, AIC_ERROR_BUSY);
    }
}

int32_t recording_get_peaks(struct web *web, const struct visit *visit)
{
    return recording_begin(web, visit, true, peaks_opened);
}
