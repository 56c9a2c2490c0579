/* SPDX-License-Identifier: ISC */
#ifndef BASE_AUDIO_H
#define BASE_AUDIO_H
/*
 * Conversion between the audio formats of legs, recognisers and voices. A converter keeps its state
 * between blocks, so that a stream has no seams; equal formats pass the very same bytes.
 */
#include <aicaller/audio.h>
#include <stdbool.h>

struct audio_converter;

/* Of PCM_S16LE, MULAW and ALAW, mono, 8000 to 48000 Hz; NULL where it can not. */
struct audio_converter *audio_converter_create(struct aic_format from, struct aic_format to);
void audio_converter_destroy(struct audio_converter *converter);
/* Converts the next block. *out is borrowed until the next call, and may be the input itself. The
 * resampler's delay (about 5 ms) comes with later blocks; `flush` pushes it out. */
int32_t audio_convert(struct audio_converter *converter, const uint8_t *in, size_t bytes,
                      bool flush, const uint8_t **out, size_t *out_bytes);

bool audio_format_equal(struct aic_format a, struct aic_format b);
/* Bytes of one sample of all channels; 0 for compressed codecs. */
size_t audio_sample_bytes(struct aic_format format);
int64_t audio_duration_us(struct aic_format format, size_t bytes);
size_t audio_bytes_for_us(struct aic_format format, int64_t us);
/* Fills with silence: 0xFF in mu-law, 0xD5 in A-law, 0 in PCM. */
void audio_silence(struct aic_format format, uint8_t *to, size_t bytes);
/* Mean power in dB of full scale, the mean removed; -100 for digital silence. */
double audio_level_dbfs(struct aic_format format, const uint8_t *data, size_t bytes);

#endif
