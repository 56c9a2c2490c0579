/* SPDX-License-Identifier: ISC */
#include "wav.h"

#include <string.h>

enum {
    TAG_PCM = 1,
    TAG_MS_ADPCM = 2,
    TAG_FLOAT = 3,
    TAG_ALAW = 6,
    TAG_MULAW = 7,
    TAG_IMA_ADPCM = 0x11,
    TAG_EXTENSIBLE = 0xFFFE,
    CHUNK_HEAD = 8,
    RIFF_HEAD = 12,
    FMT_MIN = 16,
    FMT_EXTENSIBLE = 40
};

/* Writers to a pipe leave 0, the largest number, or a large round one just below 2 GiB. */
#define STREAMED_SIZE_MIN 0x7FFFF000u
#define SIZE_UNKNOWN      0xFFFFFFFFu

static uint32_t get16(const char *p)
{
    return (uint32_t)(uint8_t)p[0] | (uint32_t)(uint8_t)p[1] << 8;
}

static uint32_t get32(const char *p)
{
    return get16(p) | get16(p + 2) << 16;
}

static int32_t fail(struct aic_wav *wav, uint32_t problem)
{
    wav->problem = problem;
    return AIC_ERROR_PROTOCOL;
}

static bool has_magic(struct aic_str head, size_t offset, const char *magic)
{
    size_t length = strlen(magic);
    return head.len >= offset + length && memcmp(head.ptr + offset, magic, length) == 0;
}

/* What a file that is no WAV file looks like, from its first bytes. */
static const char *guess_kind(struct aic_str head)
{
    static const struct {
        size_t offset;
        const char *magic;
        const char *kind;
    } kinds[] = {
        {0, "ID3", "an MP3 file"},
        {0, "\xFF\xFB", "an MP3 file"},
        {0, "\xFF\xF3", "an MP3 file"},
        {0, "OggS", "an Ogg file"},
        {0, "fLaC", "a FLAC file"},
        {0, "FORM", "an AIFF file"},
        {0, ".snd", "an AU file"},
        {0, "RIFX", "a big-endian WAV file"},
        {0, "RF64", "a 64-bit WAV file"},
        {0, "BW64", "a 64-bit WAV file"},
        {0, "RIFF", "another RIFF file"},
        {4, "ftyp", "an MP4 file"},
        {0, "\x1A\x45\xDF\xA3", "a WebM file"},
        {0, "#!AMR", "an AMR file"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (has_magic(head, kinds[i].offset, kinds[i].magic)) {
            return kinds[i].kind;
        }
    }
    return NULL;
}

/* The codec of this SDK for a tag and a sample size. */
static uint32_t codec_of(uint32_t tag, uint32_t bits)
{
    if (tag == TAG_PCM && bits == 16) {
        return AIC_CODEC_PCM_S16LE;
    }
    if (tag == TAG_FLOAT && bits == 32) {
        return AIC_CODEC_PCM_F32LE;
    }
    if (tag == TAG_MULAW && bits == 8) {
        return AIC_CODEC_MULAW;
    }
    return tag == TAG_ALAW && bits == 8 ? AIC_CODEC_ALAW : AIC_CODEC_NONE;
}

/* Tags whose frames have one sample of `bits` per channel; others have blocks of their own. */
static bool is_plain(uint32_t tag)
{
    return tag == TAG_PCM || tag == TAG_FLOAT || tag == TAG_ALAW || tag == TAG_MULAW;
}

static int32_t parse_format(struct aic_str chunk, struct aic_wav *wav)
{
    /* What follows the tag in the identifier of a sub-format. */
    static const char guid_tail[] = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71";
    if (chunk.len < FMT_MIN) {
        return fail(wav, AIC_WAV_BAD_FORMAT);
    }
    wav->tag = get16(chunk.ptr);
    wav->channels = get16(chunk.ptr + 2);
    wav->rate_hz = get32(chunk.ptr + 4);
    wav->frame_bytes = get16(chunk.ptr + 12);
    wav->bits = get16(chunk.ptr + 14);
    if (wav->tag == TAG_EXTENSIBLE) {
        if (chunk.len < FMT_EXTENSIBLE) {
            return fail(wav, AIC_WAV_BAD_FORMAT);
        }
        if (memcmp(chunk.ptr + 26, guid_tail, sizeof(guid_tail) - 1) == 0) {
            wav->tag = get16(chunk.ptr + 24);
        }
    }
    if (wav->channels == 0 || wav->rate_hz == 0 || wav->frame_bytes == 0) {
        return fail(wav, AIC_WAV_BAD_FORMAT);
    }
    if (is_plain(wav->tag) &&
        (wav->bits == 0 || wav->frame_bytes != wav->channels * ((wav->bits + 7) / 8))) {
        return fail(wav, AIC_WAV_BAD_FORMAT);
    }
    wav->format = (struct aic_format){
        .codec = codec_of(wav->tag, wav->bits), .rate_hz = wav->rate_hz, .channels = wav->channels};
    return AIC_OK;
}

/* Decides what the "data" chunk that begins at `offset` really holds. */
static int32_t measure_data(struct aic_wav *wav, uint64_t offset, uint32_t size,
                            uint64_t riff_bytes, uint64_t file_bytes)
{
    uint64_t rest = file_bytes - offset;
    /* Size 0 means "unknown" only where the file's own size leaves no room for a further chunk. */
    bool unset = size == 0 && rest > 0 && (riff_bytes >= SIZE_UNKNOWN || riff_bytes <= offset);
    wav->is_streamed = unset || size == SIZE_UNKNOWN || (size >= STREAMED_SIZE_MIN && size > rest);
    wav->data_offset = offset;
    wav->data_bytes = wav->is_streamed || size > rest ? rest : size;
    wav->missing_bytes = wav->is_streamed ? 0 : size - wav->data_bytes;
    wav->data_bytes -= wav->data_bytes % wav->frame_bytes;
    if (wav->data_bytes == 0 && wav->missing_bytes == 0) {
        return fail(wav, AIC_WAV_NO_SOUND);
    }
    return AIC_OK;
}

/* The parser wants to see the head as far as `bytes`. */
static int32_t need_more(struct aic_wav *wav, uint64_t bytes, uint64_t riff_bytes,
                         uint64_t file_bytes)
{
    if (bytes > file_bytes) {
        return fail(wav, riff_bytes > file_bytes ? AIC_WAV_CUT : AIC_WAV_NO_SOUND);
    }
    wav->need_bytes = bytes;
    return AIC_ERROR_TOO_LARGE;
}

static int32_t walk_chunks(struct aic_str head, uint64_t file_bytes, struct aic_wav *wav)
{
    uint64_t riff_bytes = (uint64_t)get32(head.ptr + 4) + CHUNK_HEAD;
    uint64_t at = RIFF_HEAD;
    while (at + CHUNK_HEAD <= head.len) {
        const char *chunk = head.ptr + at;
        uint32_t size = get32(chunk + 4);
        uint64_t body = at + CHUNK_HEAD;
        if (memcmp(chunk, "data", 4) == 0) {
            return wav->channels == 0 ? fail(wav, AIC_WAV_NO_FORMAT)
                                      : measure_data(wav, body, size, riff_bytes, file_bytes);
        }
        if (memcmp(chunk, "fmt ", 4) == 0 && wav->channels == 0) {
            uint64_t wanted = body + (size < FMT_EXTENSIBLE ? size : FMT_EXTENSIBLE);
            if (wanted > head.len) {
                return need_more(wav, wanted, riff_bytes, file_bytes);
            }
            int32_t status =
                parse_format((struct aic_str){chunk + CHUNK_HEAD, (size_t)(wanted - body)}, wav);
            if (status != AIC_OK) {
                return status;
            }
        }
        at = body + size + (size & 1);
    }
    return need_more(wav, at + CHUNK_HEAD, riff_bytes, file_bytes);
}

int32_t aic_wav_parse(struct aic_str head, uint64_t file_bytes, struct aic_wav *wav)
{
    *wav = (struct aic_wav){.problem = AIC_WAV_GOOD};
    if (head.len > file_bytes) {
        return AIC_ERROR_INVALID;
    }
    if (file_bytes == 0) {
        return fail(wav, AIC_WAV_EMPTY);
    }
    if (head.len < RIFF_HEAD && head.len < file_bytes) {
        wav->need_bytes = file_bytes < RIFF_HEAD ? file_bytes : RIFF_HEAD;
        return AIC_ERROR_TOO_LARGE;
    }
    if (!has_magic(head, 0, "RIFF") || (head.len >= RIFF_HEAD && !has_magic(head, 8, "WAVE"))) {
        wav->foreign = guess_kind(head);
        return fail(wav, AIC_WAV_FOREIGN);
    }
    return head.len < RIFF_HEAD ? fail(wav, AIC_WAV_CUT) : walk_chunks(head, file_bytes, wav);
}

static void say_problem(const struct aic_wav *wav, struct aic_buf *why)
{
    static const char *const texts[] = {
        [AIC_WAV_EMPTY] = "is empty (0 bytes)",
        [AIC_WAV_FOREIGN] = "is not a WAV file",
        [AIC_WAV_CUT] = "is cut short before its sound begins; copy it again",
        [AIC_WAV_NO_FORMAT] = "has no \"fmt \" chunk before its sound, so nobody can tell what it "
                              "holds; export it again",
        [AIC_WAV_BAD_FORMAT] = "has a \"fmt \" chunk that contradicts itself; export it again",
        [AIC_WAV_NO_SOUND] = "holds no sound",
    };
    aic_buf_text(why, texts[wav->problem]);
    if (wav->foreign) {
        aic_buf_printf(why, " but %s; make one: ffmpeg -i FILE -ac 1 -ar 8000 out.wav",
                       wav->foreign);
    }
}

static bool is_spoken_codec(uint32_t codec)
{
    return codec == AIC_CODEC_PCM_S16LE || codec == AIC_CODEC_MULAW || codec == AIC_CODEC_ALAW;
}

static bool is_spoken_rate(uint32_t rate_hz)
{
    return rate_hz == 8000 || rate_hz == 16000;
}

static void say_encoding(const struct aic_wav *wav, struct aic_buf *why)
{
    if (wav->tag == TAG_PCM || wav->tag == TAG_FLOAT) {
        aic_buf_printf(why, "%u bit%s", wav->bits, wav->tag == TAG_FLOAT ? " floating point" : "");
    } else if (wav->tag == TAG_MULAW || wav->tag == TAG_ALAW) {
        aic_buf_text(why, wav->tag == TAG_MULAW ? "mu-law" : "A-law");
    } else if (wav->tag == TAG_MS_ADPCM || wav->tag == TAG_IMA_ADPCM) {
        aic_buf_text(why, "ADPCM");
    } else {
        aic_buf_printf(why, "encoded with format 0x%04X", wav->tag);
    }
}

static void say_format(const struct aic_wav *wav, struct aic_buf *why)
{
    aic_buf_text(why, "is ");
    say_encoding(wav, why);
    if (wav->channels <= 2) {
        aic_buf_text(why, wav->channels == 1 ? ", mono" : ", stereo");
    } else {
        aic_buf_printf(why, ", %u channels", wav->channels);
    }
    aic_buf_printf(why,
                   ", %u Hz; a caller is 16 bit (or mu-law, A-law), mono, 8000 or 16000 Hz; "
                   "convert it: sox in.wav%s%s%s out.wav",
                   wav->rate_hz, wav->channels == 1 ? "" : " -c 1",
                   is_spoken_rate(wav->rate_hz) ? "" : " -r 8000",
                   is_spoken_codec(wav->format.codec) ? "" : " -e signed-integer -b 16");
}

bool aic_wav_is_caller(const struct aic_wav *wav, struct aic_buf *why)
{
    if (wav->problem != AIC_WAV_GOOD) {
        say_problem(wav, why);
        return false;
    }
    if (wav->channels != 1 || !is_spoken_codec(wav->format.codec) ||
        !is_spoken_rate(wav->rate_hz)) {
        say_format(wav, why);
        return false;
    }
    uint64_t promised = wav->data_bytes + wav->missing_bytes;
    if (wav->missing_bytes > 0) {
        aic_buf_printf(why,
                       "is cut short: its header promises %llu bytes of sound, %llu are there; "
                       "copy it again, or keep what is there: sox --ignore-length in.wav out.wav",
                       (unsigned long long)promised, (unsigned long long)wav->data_bytes);
        return false;
    }
    return true;
}

static uint8_t *put16(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    return to + 2;
}

static uint8_t *put32(uint8_t *to, uint32_t value)
{
    return put16(put16(to, value), value >> 16);
}

static uint8_t *put_id(uint8_t *to, const char *id)
{
    memcpy(to, id, 4);
    return to + 4;
}

size_t aic_wav_header(uint8_t to[AIC_WAV_HEADER_MAX], struct aic_format format, uint64_t data_bytes)
{
    bool pcm = format.codec == AIC_CODEC_PCM_S16LE;
    if ((!pcm && format.codec != AIC_CODEC_MULAW && format.codec != AIC_CODEC_ALAW) ||
        format.channels == 0) {
        return 0;
    }
    uint32_t sample_bytes = pcm ? 2 : 1;
    uint32_t frame_bytes = sample_bytes * format.channels;
    /* What is not PCM carries the length of an extension, and the number of samples. */
    uint32_t fmt_bytes = pcm ? FMT_MIN : FMT_MIN + 2;
    uint32_t header_bytes = RIFF_HEAD + CHUNK_HEAD + fmt_bytes + (pcm ? 0 : 12) + CHUNK_HEAD;
    bool known = data_bytes < SIZE_UNKNOWN - header_bytes;
    uint32_t bytes = known ? (uint32_t)data_bytes : SIZE_UNKNOWN;
    uint32_t tag = format.codec == AIC_CODEC_MULAW ? TAG_MULAW : TAG_ALAW;

    uint8_t *p = put_id(to, "RIFF");
    p = put32(p, known ? header_bytes - CHUNK_HEAD + bytes + (bytes & 1) : SIZE_UNKNOWN);
    p = put_id(put_id(p, "WAVE"), "fmt ");
    p = put16(put32(p, fmt_bytes), pcm ? TAG_PCM : tag);
    p = put32(put16(p, format.channels), format.rate_hz);
    p = put32(p, format.rate_hz * frame_bytes);
    p = put16(put16(p, frame_bytes), sample_bytes * 8);
    if (!pcm) {
        p = put_id(put16(p, 0), "fact");
        p = put32(put32(p, 4), known ? bytes / frame_bytes : SIZE_UNKNOWN);
    }
    p = put32(put_id(p, "data"), bytes);
    return (size_t)(p - to);
}
