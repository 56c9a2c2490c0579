/* SPDX-License-Identifier: ISC */
#include "call/clips_private.h"

#include "base/audio.h"
#include "call/sentences.h"

#include <stdlib.h>
#include <string.h>

/* Those who waited for the server to be ready come first. */
static const int64_t begin_us = 300000;
static const int64_t look_again_us = 15 * INT64_C(1000000);

const struct aic_format clips_format = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1};

struct clips *clips_create(const struct clips_settings *settings)
{
    struct clips *clips = calloc(1, sizeof(*clips));
    if (clips) {
        clips->settings = *settings;
        clips->folder = strdup(settings->folder);
        clips->lane =
            settings->renders && settings->folder[0] ? sched_lane_open(settings->sched) : NULL;
        aic_buf_init(&clips->audio, CLIP_MAX_BYTES);
    }
    return clips;
}

static void free_clip(struct clip *clip)
{
    for (size_t i = 0; i < clip->variant_count; i++) {
        aic_buf_finish(&clip->variants[i].audio);
    }
    free(clip->text);
    free(clip);
}

void clips_destroy(struct clips *clips)
{
    if (!clips) {
        return;
    }
    sched_timer_stop(clips->settings.sched, clips->timer);
    clips_render_stop(clips);
    if (clips->lane) {
        sched_lane_close(clips->settings.sched, clips->lane, NULL, NULL);
    }
    for (size_t i = 0; i < clips->count; i++) {
        free_clip(clips->list[i]);
    }
    aic_buf_finish(&clips->audio);
    free(clips->folder);
    free(clips);
}

static struct clip *find(const struct clips *clips, const struct agent *agent,
                         struct aic_str sentence)
{
    for (size_t i = 0; i < clips->count; i++) {
        if (clips->list[i]->agent == agent && aic_str_equal(sentence, clips->list[i]->text)) {
            return clips->list[i];
        }
    }
    return NULL;
}

struct adding {
    struct clips *clips;
    const struct agent *agent;
};

static void add(void *data, struct aic_str sentence)
{
    struct adding *adding = data;
    struct clips *clips = adding->clips;
    if (sentence.len == 0 || clips->count == CLIPS_MAX || find(clips, adding->agent, sentence)) {
        return;
    }
    struct clip *clip = calloc(1, sizeof(*clip));
    if (!clip || !(clip->text = aic_str_dup(sentence))) {
        free(clip);
        return;
    }
    clip->agent = adding->agent;
    clip_name(clip);
    clips->list[clips->count++] = clip;
}

/* The same sentences that an answer with this text is cut into. */
static void add_text(struct clips *clips, const struct agent *agent, const char *text)
{
    struct adding adding = {clips, agent};
    struct sentences sentences;
    sentences_init(&sentences);
    sentences_push(&sentences, aic_str(text), add, &adding);
    sentences_end(&sentences, add, &adding);
    sentences_finish(&sentences);
}

static void add_texts(struct clips *clips, const struct agent *agent, const char *const *texts)
{
    for (const char *const *text = texts; text && *text; text++) {
        add_text(clips, agent, *text);
    }
}

static void begin_rendering(void *data)
{
    struct clips *clips = data;
    clips->timer = NULL;
    clips_render_next(clips);
}

/* What another process has rendered meanwhile. */
static void look_again(void *data)
{
    struct clips *clips = data;
    size_t missing = 0;
    clips->timer = NULL;
    for (size_t i = 0; i < clips->count; i++) {
        clip_read(clips, clips->list[i]);
        missing += clips->list[i]->is_ready ? 0 : 1;
    }
    if (missing > 0) {
        clips->timer =
            sched_timer_start(clips->settings.sched,
                              sched_now(clips->settings.sched) + look_again_us, look_again, clips);
    }
}

void clips_prepare(struct clips *clips, const struct agents *agents)
{
    for (size_t i = 0; i < agents->count; i++) {
        const struct agent *agent = agents->list[i];
        if (agent->tts.count > 0) {
            add_text(clips, agent, agent->greeting);
            add_text(clips, agent, agent->apology);
            add_texts(clips, agent, agent->fillers);
            add_text(clips, agent, agent->farewell);
            add_text(clips, agent, agent->opt_out);
            add_texts(clips, agent, agent->reprompts);
            add_texts(clips, agent, agent->unclear);
        }
    }
    for (size_t i = 0; i < clips->count && clips->folder[0]; i++) {
        clip_read(clips, clips->list[i]);
    }
}

void clips_begin(struct clips *clips)
{
    struct sched *sched = clips->settings.sched;
    bool renders = clips->settings.renders;
    clips->timer = sched_timer_start(sched, sched_now(sched) + (renders ? begin_us : look_again_us),
                                     renders ? begin_rendering : look_again, clips);
}

void clip_set(struct clip *clip, const uint8_t *bytes, size_t count)
{
    struct clip_variant *variant = &clip->variants[0];
    aic_buf_init(&variant->audio, CLIP_MAX_BYTES);
    aic_buf_add(&variant->audio, bytes, count);
    variant->format = clips_format;
    clip->variant_count = 1;
    clip->is_ready = !variant->audio.failed;
}

/* Makes the clip in another format; it is asked for again by the next call of that kind. */
static struct clip_variant *convert(struct clip *clip, struct aic_format format)
{
    const uint8_t *out = NULL;
    size_t out_bytes = 0;
    struct aic_str from = aic_buf_view(&clip->variants[0].audio);
    struct audio_converter *converter =
        clip->variant_count < CLIP_FORMATS ? audio_converter_create(clips_format, format) : NULL;
    if (!converter) {
        return NULL;
    }
    struct clip_variant *variant = &clip->variants[clip->variant_count];
    aic_buf_init(&variant->audio, 2 * CLIP_MAX_BYTES);
    variant->format = format;
    bool is_good = audio_convert(converter, (const uint8_t *)from.ptr, from.len, true, &out,
                                 &out_bytes) == AIC_OK;
    if (is_good) {
        aic_buf_add(&variant->audio, out, out_bytes);
    }
    audio_converter_destroy(converter);
    if (!is_good || variant->audio.failed) {
        aic_buf_finish(&variant->audio);
        return NULL;
    }
    clip->variant_count++;
    return variant;
}

bool clips_find(struct clips *clips, const struct agent *agent, struct aic_str sentence,
                struct aic_format format, struct aic_str *audio)
{
    struct clip *clip = clips ? find(clips, agent, sentence) : NULL;
    if (!clip || !clip->is_ready) {
        return false;
    }
    struct clip_variant *variant = NULL;
    for (size_t i = 0; i < clip->variant_count && !variant; i++) {
        if (audio_format_equal(clip->variants[i].format, format)) {
            variant = &clip->variants[i];
        }
    }
    variant = variant ? variant : convert(clip, format);
    if (!variant) {
        return false;
    }
    *audio = aic_buf_view(&variant->audio);
    return audio->len > 0;
}

void clips_count(const struct clips *clips, size_t *all, size_t *ready)
{
    *all = clips ? clips->count : 0;
    *ready = 0;
    for (size_t i = 0; i < *all; i++) {
        *ready += clips->list[i]->is_ready ? 1 : 0;
    }
}
