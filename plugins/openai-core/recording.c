/* SPDX-License-Identifier: ISC */
#include "recording.h"

enum { SAMPLE_BYTES = 2, SECOND_US = 1000000 };

static size_t bytes_of(const struct openai_recording *recording, int64_t us)
{
    if (us <= 0) {
        return 0;
    }
    return (size_t)(us * recording->format.rate_hz / SECOND_US) * SAMPLE_BYTES;
}

int64_t openai_recording_us(const struct openai_recording *recording, size_t bytes)
{
    return (int64_t)(bytes / SAMPLE_BYTES) * SECOND_US / recording->format.rate_hz;
}

void openai_recording_init(struct openai_recording *recording, struct aic_format format,
                           int64_t max_us)
{
    *recording = (struct openai_recording){.format = format};
    aic_buf_init(&recording->sound, bytes_of(recording, max_us));
}

void openai_recording_finish(struct openai_recording *recording)
{
    aic_buf_finish(&recording->sound);
}

int32_t openai_recording_push(struct openai_recording *recording, const struct aic_audio *audio)
{
    size_t bytes = audio->bytes - audio->bytes % SAMPLE_BYTES;
    int64_t from_us = audio->time_us >= 0 ? audio->time_us : recording->end_us;
    if (recording->sound.len + bytes > recording->sound.max) {
        return AIC_ERROR_TOO_LARGE;
    }
    int32_t status = aic_buf_add(&recording->sound, audio->data, bytes);
    if (status == AIC_OK) {
        recording->end_us = from_us + openai_recording_us(recording, bytes);
    }
    return status;
}

/* Offset of a media time; the end for later ones. */
static size_t offset_of(const struct openai_recording *recording, int64_t at_us)
{
    size_t behind = bytes_of(recording, recording->end_us - at_us);
    return behind < recording->sound.len ? recording->sound.len - behind : 0;
}

void openai_recording_forget(struct openai_recording *recording, int64_t before_us)
{
    aic_buf_drop(&recording->sound, offset_of(recording, before_us));
}

void openai_recording_age(struct openai_recording *recording, int64_t keep_us)
{
    /* Seldom and much at a time, so that not every block moves all of the sound. */
    if (recording->sound.len > bytes_of(recording, keep_us + keep_us / 4)) {
        openai_recording_forget(recording, recording->end_us - keep_us);
    }
}

struct aic_str openai_recording_view(const struct openai_recording *recording, int64_t from_us,
                                     int64_t to_us)
{
    size_t from = offset_of(recording, from_us);
    size_t to = offset_of(recording, to_us);
    struct aic_str all = aic_buf_view(&recording->sound);
    return (struct aic_str){all.ptr ? all.ptr + from : "", to > from ? to - from : 0};
}
