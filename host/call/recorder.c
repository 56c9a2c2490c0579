/* SPDX-License-Identifier: ISC */
#include "call/recorder.h"

#include "base/audio.h"

#include "buf.h"
#include "wav.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAME_BYTES = 4 /* two channels of 16 bit */ };

/* Sound is written in pieces of this length. */
static const int64_t piece_us = 1000000;
/* More agent sound than this is never under way. */
static const int64_t ahead_us = 120 * INT64_C(1000000);

struct recorder {
    struct sched *sched;
    struct sched_lane *lane;
    char *path;
    int fd; /* of the lane's jobs alone; -1 before the first and after a failure */
    struct aic_format pcm;
    struct audio_converter *from_caller;
    struct audio_converter *from_agent;
    struct aic_buf agent; /* linear samples not yet heard */
    struct aic_buf piece; /* interleaved frames */
    bool is_paused;
    uint64_t bytes; /* of sound, written or on the way */
    int32_t status; /* of the lane's jobs */
    int error;
    void (*done)(void *data, const struct recorder_result *result);
    void *done_data;
};

/* A piece on its way to the file. */
struct write_job {
    struct recorder *recorder;
    char *data;
    size_t count;
};

static struct aic_format stereo(const struct recorder *recorder)
{
    struct aic_format format = recorder->pcm;
    format.channels = 2;
    return format;
}

struct recorder *recorder_create(struct sched *sched, const char *path, struct aic_format caller,
                                 struct aic_format agent)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder) {
        return NULL;
    }
    recorder->sched = sched;
    recorder->fd = -1;
    recorder->pcm =
        (struct aic_format){.codec = AIC_CODEC_PCM_S16LE, .rate_hz = caller.rate_hz, .channels = 1};
    recorder->path = strdup(path);
    recorder->lane = sched_lane_open(sched);
    recorder->from_caller = audio_converter_create(caller, recorder->pcm);
    recorder->from_agent = audio_converter_create(agent, recorder->pcm);
    aic_buf_init(&recorder->agent, audio_bytes_for_us(recorder->pcm, ahead_us));
    aic_buf_init(&recorder->piece, audio_bytes_for_us(stereo(recorder), 8 * piece_us));
    if (!recorder->path || !recorder->lane || !recorder->from_caller || !recorder->from_agent) {
        recorder_finish(recorder, NULL, NULL);
        return NULL;
    }
    return recorder;
}

static bool write_all(int fd, const char *data, size_t count, off_t at)
{
    while (count > 0) {
        ssize_t written = at < 0 ? write(fd, data, count) : pwrite(fd, data, count, at);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return false;
        }
        data += written;
        count -= (size_t)written;
        at = at < 0 ? at : at + written;
    }
    return true;
}

static bool write_header(struct recorder *recorder, uint64_t bytes)
{
    uint8_t header[AIC_WAV_HEADER_MAX];
    size_t length = aic_wav_header(header, stereo(recorder), bytes);
    return write_all(recorder->fd, (const char *)header, length, bytes == AIC_WAV_UNKNOWN ? -1 : 0);
}

static bool open_file(struct recorder *recorder)
{
    recorder->fd = open(recorder->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW,
                        S_IRUSR | S_IWUSR | S_IRGRP);
    return recorder->fd >= 0 && write_header(recorder, AIC_WAV_UNKNOWN);
}

static void write_piece(void *data)
{
    struct write_job *job = data;
    struct recorder *recorder = job->recorder;
    if (recorder->status != AIC_OK) {
        return;
    }
    bool good = recorder->fd >= 0 || open_file(recorder);
    if (!good || !write_all(recorder->fd, job->data, job->count, -1)) {
        recorder->status = AIC_ERROR_IO;
        recorder->error = errno;
    }
}

static void piece_is_written(void *data, int32_t status)
{
    (void)status;
    struct write_job *job = data;
    free(job->data);
    free(job);
}

static void send_piece(struct recorder *recorder)
{
    size_t count = recorder->piece.len;
    struct write_job *job = count > 0 ? malloc(sizeof(*job)) : NULL;
    if (!job) {
        return;
    }
    *job = (struct write_job){
        .recorder = recorder, .data = aic_buf_detach(&recorder->piece), .count = count};
    recorder->bytes += count;
    if (!job->data || sched_lane_run(recorder->sched, recorder->lane, write_piece, piece_is_written,
                                     job) != AIC_OK) {
        piece_is_written(job, AIC_ERROR_BUSY);
        recorder->bytes -= count;
    }
}

void recorder_caller(struct recorder *recorder, const uint8_t *bytes, size_t count)
{
    const uint8_t *pcm = NULL;
    size_t pcm_bytes = 0;
    if (!recorder ||
        audio_convert(recorder->from_caller, bytes, count, false, &pcm, &pcm_bytes) != AIC_OK) {
        return;
    }
    const char *agent = aic_buf_view(&recorder->agent).ptr;
    size_t there = recorder->agent.len;
    for (size_t at = 0; at + 1 < pcm_bytes; at += 2) {
        char frame[FRAME_BYTES] = {(char)pcm[at], (char)pcm[at + 1], 0, 0};
        if (at + 1 < there) {
            frame[2] = agent[at];
            frame[3] = agent[at + 1];
        }
        if (recorder->is_paused) {
            memset(frame, 0, sizeof(frame));
        }
        aic_buf_add(&recorder->piece, frame, sizeof(frame));
    }
    aic_buf_drop(&recorder->agent, pcm_bytes < there ? pcm_bytes : there);
    if (audio_duration_us(stereo(recorder), recorder->piece.len) >= piece_us) {
        send_piece(recorder);
    }
}

void recorder_agent(struct recorder *recorder, const uint8_t *bytes, size_t count)
{
    const uint8_t *pcm = NULL;
    size_t pcm_bytes = 0;
    if (recorder &&
        audio_convert(recorder->from_agent, bytes, count, false, &pcm, &pcm_bytes) == AIC_OK) {
        aic_buf_add(&recorder->agent, pcm, pcm_bytes);
    }
}

void recorder_agent_clear(struct recorder *recorder)
{
    if (recorder) {
        aic_buf_clear(&recorder->agent);
    }
}

void recorder_pause(struct recorder *recorder, bool is_paused)
{
    if (recorder) {
        recorder->is_paused = is_paused;
    }
}

static void close_file(void *data)
{
    struct recorder *recorder = data;
    if (recorder->fd < 0) {
        return;
    }
    if (recorder->status == AIC_OK && !write_header(recorder, recorder->bytes)) {
        recorder->status = AIC_ERROR_IO;
        recorder->error = errno;
    }
    if (close(recorder->fd) != 0 && recorder->status == AIC_OK) {
        recorder->status = AIC_ERROR_IO;
        recorder->error = errno;
    }
    recorder->fd = -1;
}

static void free_recorder(void *data)
{
    struct recorder *recorder = data;
    if (recorder->done) {
        struct recorder_result result = {
            .status = recorder->status,
            .bytes = recorder->bytes,
            .duration_us = audio_duration_us(stereo(recorder), (size_t)recorder->bytes),
            .rate_hz = recorder->pcm.rate_hz};
        recorder->done(recorder->done_data, &result);
    }
    audio_converter_destroy(recorder->from_caller);
    audio_converter_destroy(recorder->from_agent);
    aic_buf_finish(&recorder->agent);
    aic_buf_finish(&recorder->piece);
    free(recorder->path);
    free(recorder);
}

static void file_is_closed(void *data, int32_t status)
{
    struct recorder *recorder = data;
    (void)status;
    sched_lane_close(recorder->sched, recorder->lane, free_recorder, recorder);
}

void recorder_finish(struct recorder *recorder,
                     void (*done)(void *data, const struct recorder_result *result), void *data)
{
    if (!recorder) {
        return;
    }
    recorder->done = done;
    recorder->done_data = data;
    if (!recorder->lane) {
        free_recorder(recorder);
        return;
    }
    send_piece(recorder);
    if (sched_lane_run(recorder->sched, recorder->lane, close_file, file_is_closed, recorder) !=
        AIC_OK) {
        file_is_closed(recorder, AIC_ERROR_BUSY);
    }
}
