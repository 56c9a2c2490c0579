/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_AUDIO_H
#define AICALLER_AUDIO_H
/*
 * Audio formats and a borrowed block of sound. mu-law at 8000 Hz passes the host untouched where
 * both ends speak it; everything else is converted by the host.
 */
#include <aicaller/abi.h>

AIC_BEGIN_DECLS

enum {
    AIC_CODEC_NONE = 0,
    AIC_CODEC_PCM_S16LE = 1, /* signed 16 bit, little endian, interleaved */
    AIC_CODEC_PCM_F32LE = 2, /* IEEE float, -1 to 1 */
    AIC_CODEC_MULAW = 3,     /* ITU-T G.711 mu-law, raw, silence is 0xFF */
    AIC_CODEC_ALAW = 4,      /* ITU-T G.711 A-law, raw, silence is 0xD5 */
    AIC_CODEC_OPUS = 5,      /* one Opus packet per block (RFC 6716) */
    AIC_CODEC_OGG_OPUS = 6,  /* Opus in Ogg pages (RFC 7845) */
    AIC_CODEC_MP3 = 7,
    AIC_CODEC_WAV = 8 /* RIFF container; the header tells the rest */
};

/* A format by value. Fixed for ever: what does not fit gets a new struct. */
struct aic_format {
    uint32_t codec;       /* AIC_CODEC_... */
    uint32_t rate_hz;     /* samples per second of one channel */
    uint32_t channels;    /* 1 or 2 */
    uint32_t frame_bytes; /* a block must be a multiple of this; 0 = any length */
};

/* A block of sound, borrowed until the call returns. */
struct aic_audio {
    uint32_t size;
    uint32_t reserved; /* 0 */
    struct aic_format format;
    const uint8_t *data;
    size_t bytes;
    int64_t time_us; /* media time of its first sample since the session began; -1 unknown */
};

AIC_END_DECLS
#endif
