/* SPDX-License-Identifier: ISC */
#include "call/recorder_opus.h"

#ifdef AICALLER_OPUS

#include <opus/opusenc.h>
#include <opus/opusfile.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    CHANNELS = 2,
    /* Two voices that seldom speak at the same time. */
    BITS_PER_SECOND = 40000,
    /* 100 ms at 48 kHz, and what the library gives at once. */
    FRAMES = 5760,
    RATE_HZ = 48000
};

struct recorder_opus {
    OggOpusEnc *encoder;
    OggOpusComments *comments;
    int (*write)(void *data, const uint8_t *bytes, size_t count);
    void *data;
};

bool recorder_opus_exists(void)
{
    return true;
}

static int give(void *data, const unsigned char *bytes, opus_int32 count)
{
    struct recorder_opus *opus = data;
    return opus->write(opus->data, bytes, count > 0 ? (size_t)count : 0);
}

/* The file is its owner's to close. */
static int keep_open(void *data)
{
    (void)data;
    return 0;
}

struct recorder_opus *
recorder_opus_open(uint32_t rate_hz, int (*write)(void *data, const uint8_t *bytes, size_t count),
                   void *data)
{
    static const OpusEncCallbacks callbacks = {give, keep_open};

    struct recorder_opus *opus = calloc(1, sizeof(*opus));
    int error = OPE_OK;
    if (!opus) {
        return NULL;
    }
    opus->write = write;
    opus->data = data;
    opus->comments = ope_comments_create();
    if (opus->comments) {
        opus->encoder = ope_encoder_create_callbacks(&callbacks, opus, opus->comments,
                                                     (opus_int32)rate_hz, CHANNELS, 0, &error);
    }
    if (!opus->encoder) {
        recorder_opus_close(opus);
        return NULL;
    }
    (void)ope_encoder_ctl(opus->encoder, OPUS_SET_BITRATE(BITS_PER_SECOND));
    (void)ope_encoder_ctl(opus->encoder, OPUS_SET_COMPLEXITY(5));
    return opus;
}

int recorder_opus_write(struct recorder_opus *opus, const char *frames, size_t count)
{
    opus_int16 samples[CHANNELS * FRAMES];
    while (count > 0) {
        size_t some = count < FRAMES ? count : FRAMES;
        memcpy(samples, frames, some * CHANNELS * sizeof(samples[0]));
        if (ope_encoder_write(opus->encoder, samples, (int)some) != OPE_OK) {
            return -1;
        }
        frames += some * CHANNELS * sizeof(samples[0]);
        count -= some;
    }
    return 0;
}

void recorder_opus_close(struct recorder_opus *opus)
{
    if (!opus) {
        return;
    }
    if (opus->encoder) {
        (void)ope_encoder_drain(opus->encoder);
        ope_encoder_destroy(opus->encoder);
    }
    if (opus->comments) {
        ope_comments_destroy(opus->comments);
    }
    free(opus);
}

static int read_fd(void *data, unsigned char *to, int count)
{
    return (int)read(*(const int *)data, to, (size_t)count);
}

static int seek_fd(void *data, opus_int64 offset, int whence)
{
    return lseek(*(const int *)data, (off_t)offset, whence) < 0 ? -1 : 0;
}

static opus_int64 tell_fd(void *data)
{
    return lseek(*(const int *)data, 0, SEEK_CUR);
}

int32_t recorder_opus_read(int fd,
                           void (*take)(void *data, const uint8_t *frames, size_t bytes,
                                        uint64_t total_frames),
                           void *data)
{
    static const OpusFileCallbacks callbacks = {read_fd, seek_fd, tell_fd, NULL};

    opus_int16 samples[CHANNELS * FRAMES];
    OggOpusFile *file = op_open_callbacks(&fd, &callbacks, NULL, 0, NULL);
    if (!file) {
        return AIC_ERROR_PROTOCOL;
    }
    ogg_int64_t total = op_pcm_total(file, -1);
    int got = op_read_stereo(file, samples, CHANNELS * FRAMES);
    while (got > 0) {
        take(data, (const uint8_t *)samples, (size_t)got * CHANNELS * sizeof(samples[0]),
             total > 0 ? (uint64_t)total : 0);
        got = op_read_stereo(file, samples, CHANNELS * FRAMES);
    }
    op_free(file);
    return got == 0 ? AIC_OK : AIC_ERROR_PROTOCOL;
}

#else

bool recorder_opus_exists(void)
{
    return false;
}

struct recorder_opus *
recorder_opus_open(uint32_t rate_hz, int (*write)(void *data, const uint8_t *bytes, size_t count),
                   void *data)
{
    (void)rate_hz;
    (void)write;
    (void)data;
    return NULL;
}

int recorder_opus_write(struct recorder_opus *opus, const char *frames, size_t count)
{
    (void)opus;
    (void)frames;
    (void)count;
    return -1;
}

void recorder_opus_close(struct recorder_opus *opus)
{
    (void)opus;
}

int32_t recorder_opus_read(int fd,
                           void (*take)(void *data, const uint8_t *frames, size_t bytes,
                                        uint64_t total_frames),
                           void *data)
{
    (void)fd;
    (void)take;
    (void)data;
    return AIC_ERROR_UNSUPPORTED;
}

#endif
