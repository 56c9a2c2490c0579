/* SPDX-License-Identifier: ISC */
#include "call/recorder.h"

#include "base/audio.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

enum { FRAME_BYTES = 4 /* two channels of 16 bit */ };

/* Sound is written in pieces of this length. */
static const int64_t piece_us = 1000000;
/* More agent sound than this is never under way. */
static const int64_t ahead_us = 120 * INT64_C(1000000);

struct recorder {
    struct sched *sched;
    struct sched_lane *lane;
    char *path;
    struct recorder_file file; /* of the lane's jobs alone */
    struct aic_format pcm;
    struct audio_converter *from_caller;
    struct audio_converter *from_agent;
    struct aic_buf agent;    /* linear samples not yet heard */
    struct aic_buf piece;    /* interleaved frames */
    uint64_t room;           /* frames that may still come */
    uint64_t max_bytes;      /* of a file whose length is not known from its frames */
    uint64_t frames;         /* taken so far */
    bool is_limited_by_size; /* what `room` comes from */
    bool is_paused;
    bool is_stopped;
    bool is_finished;
    enum recorder_end end;
    void (*stopped)(void *data, enum recorder_end why);
    void *stopped_data;
    void (*done)(void *data, const struct recorder_result *result);
    void *done_data;
};

/* A piece on its way to the file; without data: the file's end. */
struct write_job {
    struct recorder *recorder;
    char *data;
    size_t count;
    enum recorder_end end; /* of the file, then */
    uint64_t bytes;        /* in the file, then */
};

static struct aic_format stereo(const struct recorder *recorder)
{
    struct aic_format format = recorder->pcm;
    format.channels = 2;
    return format;
}

static uint64_t most_frames(struct recorder *recorder, const struct recorder_settings *settings)
{
    uint64_t most = UINT64_MAX;
    if (settings->max_us > 0) {
        most = (uint64_t)settings->max_us / 1000 * recorder->pcm.rate_hz / 1000;
    }
    if (settings->max_bytes > 0 && !settings->is_opus && settings->max_bytes / FRAME_BYTES < most) {
        most = settings->max_bytes / FRAME_BYTES;
        recorder->is_limited_by_size = true;
    }
    return most;
}

struct recorder *recorder_create(struct sched *sched, const struct recorder_settings *settings,
                                 void (*stopped)(void *data, enum recorder_end why), void *data)
{
    struct recorder *recorder = calloc(1, sizeof(*recorder));
    if (!recorder) {
        return NULL;
    }
    recorder->sched = sched;
    recorder->stopped = stopped;
    recorder->stopped_data = data;
    recorder->pcm = (struct aic_format){
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = settings->caller.rate_hz, .channels = 1};
    recorder->path = strdup(settings->path);
    recorder->room = most_frames(recorder, settings);
    recorder->max_bytes = settings->is_opus ? settings->max_bytes : 0;
    recorder->file = (struct recorder_file){.path = recorder->path,
                                            .rate_hz = recorder->pcm.rate_hz,
                                            .is_opus = settings->is_opus,
                                            .min_free_bytes = settings->min_free_bytes};
    recorder_file_init(&recorder->file);
    recorder->lane = sched_lane_open(sched);
    recorder->from_caller = audio_converter_create(settings->caller, recorder->pcm);
    recorder->from_agent = audio_converter_create(settings->agent, recorder->pcm);
    aic_buf_init(&recorder->agent, audio_bytes_for_us(recorder->pcm, ahead_us));
    aic_buf_init(&recorder->piece, audio_bytes_for_us(stereo(recorder), 8 * piece_us));
    if (!recorder->path || !recorder->lane || !recorder->from_caller || !recorder->from_agent) {
        recorder->stopped = NULL;
        recorder_finish(recorder, NULL, NULL);
        return NULL;
    }
    return recorder;
}

static void work(void *data)
{
    struct write_job *job = data;
    struct recorder_file *file = &job->recorder->file;
    if (job->data) {
        recorder_file_write(file, job->data, job->count);
    } else {
        recorder_file_close(file);
    }
    job->end = file->end;
    job->bytes = file->bytes;
}

static void run(struct recorder *recorder, struct write_job *job);

static void stop(struct recorder *recorder, enum recorder_end why)
{
    if (recorder->is_stopped) {
        return;
    }
    recorder->is_stopped = true;
    recorder->end = why;
    aic_buf_clear(&recorder->agent);
    run(recorder, &(struct write_job){.recorder = recorder});
    if (recorder->stopped && !recorder->is_finished) {
        recorder->stopped(recorder->stopped_data, why);
    }
}

static void is_worked(void *data, int32_t status)
{
    struct write_job *job = data;
    struct recorder *recorder = job->recorder;
    if (status == AIC_OK && job->end != RECORDER_WHOLE) {
        stop(recorder, job->end);
    } else if (status == AIC_OK && recorder->max_bytes > 0 && job->bytes > recorder->max_bytes) {
        stop(recorder, RECORDER_MAX_SIZE);
    }
    free(job->data);
    free(job);
}

/* What can not be queued is lost; the pool is far behind then. */
static void run(struct recorder *recorder, struct write_job *job)
{
    struct write_job *own = malloc(sizeof(*own));
    if (own) {
        *own = *job;
    }
    if (!own || sched_lane_run(recorder->sched, recorder->lane, work, is_worked, own) != AIC_OK) {
        free(job->data);
        free(own);
    }
}

static void send_piece(struct recorder *recorder)
{
    struct write_job job = {.recorder = recorder, .count = recorder->piece.len};
    job.data = job.count > 0 ? aic_buf_detach(&recorder->piece) : NULL;
    if (job.data) {
        run(recorder, &job);
    }
}

/* One frame for each of the caller's samples, as long as there is room. */
static void take_frames(struct recorder *recorder, const uint8_t *pcm, size_t pcm_bytes)
{
    const char *agent = aic_buf_view(&recorder->agent).ptr;
    size_t there = recorder->agent.len;
    for (size_t at = 0; at + 1 < pcm_bytes && recorder->room > 0; at += 2) {
        char frame[FRAME_BYTES] = {(char)pcm[at], (char)pcm[at + 1], 0, 0};
        if (at + 1 < there) {
            frame[2] = agent[at];
            frame[3] = agent[at + 1];
        }
        if (recorder->is_paused) {
            memset(frame, 0, sizeof(frame));
        }
        aic_buf_add(&recorder->piece, frame, sizeof(frame));
        recorder->frames++;
        recorder->room--;
    }
    aic_buf_drop(&recorder->agent, pcm_bytes < there ? pcm_bytes : there);
}

void recorder_caller(struct recorder *recorder, const uint8_t *bytes, size_t count)
{
    const uint8_t *pcm = NULL;
    size_t pcm_bytes = 0;
    if (!recorder || recorder->is_stopped ||
        audio_convert(recorder->from_caller, bytes, count, false, &pcm, &pcm_bytes) != AIC_OK) {
        return;
    }
    take_frames(recorder, pcm, pcm_bytes);
    if (audio_duration_us(stereo(recorder), recorder->piece.len) >= piece_us ||
        recorder->room == 0) {
        send_piece(recorder);
    }
    if (recorder->room == 0) {
        stop(recorder, recorder->is_limited_by_size ? RECORDER_MAX_SIZE : RECORDER_MAX_DURATION);
    }
}

void recorder_agent(struct recorder *recorder, const uint8_t *bytes, size_t count)
{
    const uint8_t *pcm = NULL;
    size_t pcm_bytes = 0;
    if (recorder && !recorder->is_stopped &&
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

static void free_recorder(void *data)
{
    struct recorder *recorder = data;
    if (recorder->done) {
        const struct recorder_file *file = &recorder->file;
        uint64_t sound = file->is_opus ? recorder->frames * FRAME_BYTES : file->bytes;
        struct recorder_result result = {.end = recorder->end,
                                         .bytes = file->bytes,
                                         .duration_us =
                                             audio_duration_us(stereo(recorder), (size_t)sound)};
        recorder->done(recorder->done_data, &result);
    }
    audio_converter_destroy(recorder->from_caller);
    audio_converter_destroy(recorder->from_agent);
    aic_buf_finish(&recorder->agent);
    aic_buf_finish(&recorder->piece);
    free(recorder->path);
    free(recorder);
}

static void close_file(void *data)
{
    struct recorder *recorder = data;
    recorder_file_close(&recorder->file);
}

static void file_is_closed(void *data, int32_t status)
{
    struct recorder *recorder = data;
    (void)status;
    if (recorder->end == RECORDER_WHOLE) {
        recorder->end = recorder->file.end;
    }
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
    recorder->is_finished = true;
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
