/* SPDX-License-Identifier: ISC */
#include "web/peaks.h"

#include "json.h"

#include <string.h>

enum { SAMPLE_BYTES = 2 };

int32_t peaks_init(struct peaks *peaks, struct aic_format format, uint64_t frames,
                   uint32_t per_second)
{
    *peaks = (struct peaks){.channels = format.channels, .rate_hz = format.rate_hz};
    for (size_t i = 0; i < PEAKS_CHANNELS; i++) {
        aic_buf_init(&peaks->points[i], (size_t)PEAKS_POINTS * SAMPLE_BYTES);
    }
    if (format.codec != AIC_CODEC_PCM_S16LE || format.rate_hz == 0 || format.channels == 0 ||
        format.channels > PEAKS_CHANNELS) {
        return AIC_ERROR_UNSUPPORTED;
    }
    uint64_t wished =
        per_second > 0 && per_second < format.rate_hz ? format.rate_hz / per_second : 1;
    uint64_t needed = frames / PEAKS_POINTS + 1;
    uint64_t span = wished > needed ? wished : needed;
    peaks->span = span < UINT32_MAX ? (uint32_t)span : UINT32_MAX;
    return AIC_OK;
}

void peaks_finish(struct peaks *peaks)
{
    for (size_t i = 0; i < PEAKS_CHANNELS; i++) {
        aic_buf_finish(&peaks->points[i]);
    }
}

static void end_point(struct peaks *peaks)
{
    for (uint32_t i = 0; i < peaks->channels; i++) {
        aic_buf_add(&peaks->points[i], &peaks->top[i], SAMPLE_BYTES);
        peaks->top[i] = 0;
    }
    peaks->fill = 0;
}

void peaks_add(struct peaks *peaks, const uint8_t *data, size_t bytes)
{
    size_t frame_bytes = (size_t)peaks->channels * SAMPLE_BYTES;
    for (size_t at = 0; at + frame_bytes <= bytes; at += frame_bytes) {
        for (uint32_t i = 0; i < peaks->channels; i++) {
            const uint8_t *sample = data + at + (size_t)i * SAMPLE_BYTES;
            int value = (int16_t)(uint16_t)(sample[0] | sample[1] << 8);
            uint16_t size = (uint16_t)(value < 0 ? -value : value);
            peaks->top[i] = size > peaks->top[i] ? size : peaks->top[i];
        }
        peaks->frames++;
        if (++peaks->fill == peaks->span) {
            end_point(peaks);
        }
    }
}

static void write_channel(struct aic_json_writer *w, const struct aic_buf *points)
{
    aic_json_open(w, '[');
    for (size_t at = 0; at + SAMPLE_BYTES <= points->len; at += SAMPLE_BYTES) {
        uint16_t size = 0;
        memcpy(&size, points->data + at, sizeof(size));
        /* Three digits are finer than any screen. */
        int thousandths = (size * 1000 + 16384) / 32768;
        aic_json_put_double(w, thousandths / 1000.0);
    }
    aic_json_close(w, ']');
}

void peaks_write(struct peaks *peaks, struct aic_buf *to)
{
    if (peaks->fill > 0) {
        end_point(peaks);
    }
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_double(&w, "rate", (double)peaks->rate_hz / peaks->span);
    aic_json_member_int(&w, "channels", peaks->channels);
    aic_json_member_double(&w, "duration_s", (double)peaks->frames / peaks->rate_hz);
    aic_json_key(&w, "peaks");
    aic_json_open(&w, '[');
    for (uint32_t i = 0; i < peaks->channels; i++) {
        write_channel(&w, &peaks->points[i]);
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
}
