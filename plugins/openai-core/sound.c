/* SPDX-License-Identifier: ISC */
#include "sound.h"

#include "wav.h"

#include <stdio.h>
#include <string.h>

enum { MAGIC_BYTES = 4, SAMPLE_BYTES = 2 };

void openai_sound_init(struct openai_sound *sound, struct aic_format format)
{
    *sound = (struct openai_sound){.format = format, .left = UINT64_MAX};
    aic_buf_init(&sound->head, OPENAI_SOUND_HEAD_BYTES);
}

void openai_sound_finish(struct openai_sound *sound)
{
    aic_buf_finish(&sound->head);
}

static int32_t refuse(struct openai_sound *sound, const char *what)
{
    (void)snprintf(sound->problem, sizeof(sound->problem),
                   "the server sends %s; this provider needs 16-bit PCM, raw or as WAV: look at "
                   "tts_format",
                   what);
    return AIC_ERROR_UNSUPPORTED;
}

/* Gives whole samples and keeps the half of one for the next piece. */
static void pass(struct openai_sound *sound, struct aic_str bytes, openai_sound_give give,
                 void *data)
{
    bytes.len = bytes.len < sound->left ? bytes.len : (size_t)sound->left;
    sound->left -= sound->left == UINT64_MAX ? 0 : bytes.len;
    if (bytes.len > 0 && sound->has_odd) {
        const char sample[SAMPLE_BYTES] = {sound->odd, bytes.ptr[0]};
        sound->has_odd = false;
        bytes = (struct aic_str){bytes.ptr + 1, bytes.len - 1};
        give(data, (struct aic_str){sample, SAMPLE_BYTES});
    }
    if (bytes.len % SAMPLE_BYTES == 1) {
        sound->has_odd = true;
        sound->odd = bytes.ptr[--bytes.len];
    }
    if (bytes.len > 0) {
        give(data, bytes);
    }
}

static int32_t open_wav(struct openai_sound *sound, const struct aic_wav *wav)
{
    if (wav->format.codec != AIC_CODEC_PCM_S16LE || wav->channels != 1) {
        return refuse(sound, "a WAV file of another kind");
    }
    if (wav->rate_hz != sound->format.rate_hz) {
        (void)snprintf(sound->problem, sizeof(sound->problem),
                       "the server sends %u samples a second, not %u: set sample_rate = %u",
                       (unsigned)wav->rate_hz, (unsigned)sound->format.rate_hz,
                       (unsigned)wav->rate_hz);
        return AIC_ERROR_UNSUPPORTED;
    }
    sound->left = wav->is_streamed ? UINT64_MAX : wav->data_bytes;
    return AIC_OK;
}

/* Finds out what the head is. `offset` is where its sound begins; *is_clear stays false while the
 * head is too short to tell. */
static int32_t open_sound(struct openai_sound *sound, bool *is_clear, size_t *offset)
{
    struct aic_str head = aic_buf_view(&sound->head);
    struct aic_wav wav;
    *offset = 0;
    *is_clear = head.len >= MAGIC_BYTES;
    if (aic_str_starts(head, "ID3") || aic_str_starts(head, "OggS") ||
        aic_str_starts(head, "fLaC")) {
        return refuse(sound, "compressed sound");
    }
    if (!aic_str_starts(head, "RIFF")) {
        return AIC_OK;
    }
    /* The file's size is not known yet: as large as such a file can be. */
    int32_t status = aic_wav_parse(head, (uint64_t)UINT32_MAX + 8, &wav);
    if (status == AIC_OK) {
        *offset = (size_t)wav.data_offset;
        return open_wav(sound, &wav);
    }
    *is_clear = false;
    bool may_follow = status == AIC_ERROR_TOO_LARGE || wav.problem == AIC_WAV_CUT;
    return may_follow && head.len < OPENAI_SOUND_HEAD_BYTES ? AIC_OK
                                                            : refuse(sound, "a broken WAV file");
}

int32_t openai_sound_push(struct openai_sound *sound, struct aic_str bytes, openai_sound_give give,
                          void *data)
{
    if (sound->is_open) {
        pass(sound, bytes, give, data);
        return AIC_OK;
    }
    size_t room = OPENAI_SOUND_HEAD_BYTES - sound->head.len;
    size_t part = bytes.len < room ? bytes.len : room;
    if (aic_buf_add(&sound->head, bytes.ptr, part) != AIC_OK) {
        return refuse(sound, "more than memory holds");
    }
    size_t offset = 0;
    int32_t status = open_sound(sound, &sound->is_open, &offset);
    if (status == AIC_OK && sound->is_open) {
        struct aic_str head = aic_buf_view(&sound->head);
        pass(sound, (struct aic_str){head.ptr + offset, head.len - offset}, give, data);
        pass(sound, (struct aic_str){bytes.ptr + part, bytes.len - part}, give, data);
    }
    return status;
}

int32_t openai_sound_end(struct openai_sound *sound, openai_sound_give give, void *data)
{
    if (sound->is_open) {
        return AIC_OK;
    }
    if (aic_str_starts(aic_buf_view(&sound->head), "RIFF")) {
        return refuse(sound, "the beginning of a WAV file and no more");
    }
    sound->is_open = true;
    pass(sound, aic_buf_view(&sound->head), give, data);
    return AIC_OK;
}
