/* SPDX-License-Identifier: ISC */
/* What a recogniser answers; after an 'S', what a voice answers; after an 'M', a list of models. */
#include "openai-core/protocol.h"
#include "openai-core/sound.h"
#include "openai-core/transcript.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void play(void *data, struct aic_str samples)
{
    size_t *played = data;
    check(samples.len > 0 && samples.len % 2 == 0);
    *played += samples.len;
}

/* Plays a body in pieces; returns how much was heard. */
static size_t play_body(struct aic_str body, size_t step)
{
    static const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 24000, .channels = 1};
    struct openai_sound sound;
    size_t played = 0;
    int32_t status = AIC_OK;
    openai_sound_init(&sound, format);
    for (size_t at = 0; at < body.len && status == AIC_OK; at += step) {
        size_t part = body.len - at < step ? body.len - at : step;
        status = openai_sound_push(&sound, (struct aic_str){body.ptr + at, part}, play, &played);
    }
    if (status == AIC_OK) {
        status = openai_sound_end(&sound, play, &played);
    }
    check(status == AIC_OK || (sound.problem[0] != '\0' && played == 0));
    check(played <= body.len);
    openai_sound_finish(&sound);
    return played;
}

static void try_transcript(struct aic_str body)
{
    struct openai_transcript transcript;
    if (openai_transcript_read(body, AIC_STR("Example Clinic"), &transcript) == AIC_OK) {
        check(aic_utf8_valid(aic_buf_view(&transcript.text)));
        check(!aic_str_equal(aic_buf_view(&transcript.text), "Example Clinic"));
        check(transcript.confidence >= -1.0F && transcript.confidence <= 1.0F);
    }
    openai_transcript_finish(&transcript);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct aic_str rest = {size > 0 ? text.ptr + 1 : "", size > 0 ? size - 1 : 0};
    if (aic_str_starts(text, "S")) {
        check(play_body(rest, 1) == play_body(rest, 8192));
    } else if (aic_str_starts(text, "M")) {
        struct aic_buf names;
        aic_buf_init(&names, 4096);
        (void)openai_models_find(rest, "m", &names);
        aic_buf_finish(&names);
    } else {
        try_transcript(text);
    }
    return 0;
}
