/* SPDX-License-Identifier: ISC */
#ifndef WEB_PEAKS_H
#define WEB_PEAKS_H
/*
 * The loudest sample of each short time of a recording, channel by channel: what a picture of it
 * shows. Pure; sound goes in, JSON comes out.
 */
#include "buf.h"

#include <aicaller/audio.h>

enum { PEAKS_CHANNELS = 2, PEAKS_POINTS = 36000 /* of a channel, at most */ };

struct peaks {
    uint32_t channels;
    uint32_t rate_hz;
    uint32_t span; /* frames that one point stands for */
    uint32_t fill; /* frames in the point that is being made */
    uint64_t frames;
    uint16_t top[PEAKS_CHANNELS];
    struct aic_buf points[PEAKS_CHANNELS]; /* two bytes each */
};

/*
 * For about `frames` of 16-bit sound with one or two channels. With more than PEAKS_POINTS points
 * each stands for a longer time than was wished. AIC_ERROR_UNSUPPORTED for another format.
 */
int32_t peaks_init(struct peaks *peaks, struct aic_format format, uint64_t frames,
                   uint32_t per_second);
void peaks_finish(struct peaks *peaks);
/* Whole frames; what is left over at the end of `bytes` is passed over. */
void peaks_add(struct peaks *peaks, const uint8_t *data, size_t bytes);
/* {"rate": points a second, "channels", "duration_s", "peaks": [[0..1, ...], ...]}. Once. */
void peaks_write(struct peaks *peaks, struct aic_buf *to);

#endif
