/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_WAV_H
#define AIC_LIB_WAV_H
/*
 * RIFF/WAVE files. The parser works on the bytes of a file's head and recognises every format, so
 * that a file which cannot be used is turned away with words that help. The writer makes headers
 * whose length does not depend on the size of the sound: a recorder writes one with
 * AIC_WAV_UNKNOWN, appends sound, and at the end writes it again over the first.
 */
#include "buf.h"

#include <aicaller/audio.h>
#include <stdbool.h>

/* A size that is not known yet, and the size that stands for it in a header. */
#define AIC_WAV_UNKNOWN UINT64_MAX

enum { AIC_WAV_HEADER_MAX = 58 };

/* What keeps a file from being parsed. */
enum {
    AIC_WAV_GOOD = 0,
    AIC_WAV_EMPTY = 1,      /* not one byte */
    AIC_WAV_FOREIGN = 2,    /* no RIFF/WAVE file; `foreign` says what it looks like */
    AIC_WAV_CUT = 3,        /* ends inside its header */
    AIC_WAV_NO_FORMAT = 4,  /* no "fmt " chunk before the sound */
    AIC_WAV_BAD_FORMAT = 5, /* the "fmt " chunk contradicts itself */
    AIC_WAV_NO_SOUND = 6    /* no "data" chunk, or nothing in it */
};

/* What a file says of itself. Members are filled as far as the parser came. */
struct aic_wav {
    uint32_t problem;    /* AIC_WAV_... */
    uint32_t tag;        /* format tag: 1 PCM, 3 float, 6 A-law, 7 mu-law, 2 and 17 ADPCM ... */
    const char *foreign; /* with AIC_WAV_FOREIGN: "an MP3 file"; static; NULL = no idea */
    uint32_t channels;
    uint32_t rate_hz;
    uint32_t bits;            /* of one sample, as stored */
    uint32_t frame_bytes;     /* of one sample of all channels; of one block with ADPCM */
    bool is_streamed;         /* written to a pipe: its header gives no size */
    struct aic_format format; /* codec AIC_CODEC_NONE where this SDK has no word for it */
    uint64_t data_offset;
    uint64_t data_bytes;    /* that are really there, in whole frames */
    uint64_t missing_bytes; /* that the header promises and the file does not have */
    uint64_t need_bytes;    /* with AIC_ERROR_TOO_LARGE: a head of this length takes it further */
};

/*
 * Parses the head of a file of `file_bytes`. The head may be the whole file. AIC_ERROR_PROTOCOL:
 * `problem` says why. AIC_ERROR_TOO_LARGE: the sound begins beyond this head. Pure.
 */
int32_t aic_wav_parse(struct aic_str head, uint64_t file_bytes, struct aic_wav *wav);

/*
 * Whether a parsed file can be a caller on a telephone: one channel of 16-bit PCM, mu-law or A-law
 * at 8000 or 16000 Hz, complete, not empty. If not, appends to `why` the reason and how to mend it:
 * the rest of a sentence that begins with the file's name, without a full stop.
 */
bool aic_wav_is_caller(const struct aic_wav *wav, struct aic_buf *why);

/*
 * Writes the header of a file with `data_bytes` of PCM_S16LE, MULAW or ALAW; returns its length,
 * the same for every size, or 0 for another codec. Over 4 GiB the size is written as unknown.
 * After an odd number of sound bytes one byte 0 closes the file.
 */
size_t aic_wav_header(uint8_t to[AIC_WAV_HEADER_MAX], struct aic_format format,
                      uint64_t data_bytes);

#endif
