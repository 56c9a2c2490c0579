/* SPDX-License-Identifier: ISC */
#include "call/clips_private.h"

#include "base/log.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Between two sentences, so that live calls have the voice to themselves; after a failure. */
static const int64_t pause_us = 100000;
static const int64_t retry_us = 60 * INT64_C(1000000);

static struct clip *next_missing(const struct clips *clips)
{
    for (size_t i = 0; i < clips->count; i++) {
        if (!clips->list[i]->is_ready) {
            return clips->list[i];
        }
    }
    return NULL;
}

void clips_render_stop(struct clips *clips)
{
    if (clips->is_speaking) {
        clips->is_speaking = false;
        speech_finish(&clips->speech);
    }
}

static void render(void *data)
{
    struct clips *clips = data;
    clips->timer = NULL;
    clips_render_stop(clips);
    clips_render_next(clips);
}

static void render_later(struct clips *clips, int64_t delay_us)
{
    struct sched *sched = clips->settings.sched;
    sched_timer_stop(sched, clips->timer);
    clips->timer = sched_timer_start(sched, sched_now(sched) + delay_us, render, clips);
}

static void take_audio(void *data, const uint8_t *bytes, size_t count)
{
    struct clips *clips = data;
    aic_buf_add(&clips->audio, bytes, count);
}

static int64_t take_rewind(void *data, int64_t audio_us)
{
    struct clips *clips = data;
    (void)audio_us;
    aic_buf_clear(&clips->audio);
    return 0;
}

static void take_done(void *data)
{
    struct clips *clips = data;
    struct aic_str audio = aic_buf_view(&clips->audio);
    if (audio.len > 0 && !clips->audio.failed) {
        clip_set(clips->current, (const uint8_t *)audio.ptr, audio.len);
    }
    if (clips->current->is_ready && !clips->has_switched) {
        clip_write(clips, clips->current);
    }
    /* Not from inside of the voice's event. */
    render_later(clips, clips->current->is_ready ? pause_us : retry_us);
}

static void take_failure(void *data, const struct aic_error *error)
{
    struct clips *clips = data;
    log_warn("clips", "no voice speaks a sentence ahead; again in a minute",
             LOG_S("agent", clips->current->agent->name), LOG_T("reason", error->message));
    render_later(clips, retry_us);
}

static void take_switch(void *data, const struct provider *from, const struct provider *to,
                        const struct aic_error *error)
{
    struct clips *clips = data;
    (void)from;
    (void)to;
    (void)error;
    clips->has_switched = true;
}

static void ignore_first_audio(void *data, const struct provider *provider)
{
    (void)data;
    (void)provider;
}

static void ignore_usage(void *data, const struct provider *provider, const struct aic_usage *usage)
{
    (void)data;
    (void)provider;
    (void)usage;
}

void clips_render_next(struct clips *clips)
{
    struct clip *clip = next_missing(clips);
    if (!clip) {
#ifdef __GLIBC__
        /* What the voices needed for so many sentences at once is not needed again. */
        (void)malloc_trim(0);
#endif
        return;
    }
    const struct agent *agent = clip->agent;
    const struct speech_settings settings = {.format = clips_format,
                                             .call_id = "",
                                             .voice = agent->voice,
                                             .language = agent->language,
                                             .first_audio_us = 5000000};
    const struct speech_events events = {.audio = take_audio,
                                         .rewind = take_rewind,
                                         .first_audio = ignore_first_audio,
                                         .done = take_done,
                                         .failed = take_failure,
                                         .usage = ignore_usage,
                                         .switched = take_switch,
                                         .data = clips};
    clips->current = clip;
    clips->has_switched = false;
    clips->is_speaking = true;
    aic_buf_clear(&clips->audio);
    speech_init(&clips->speech, clips->settings.sched, &agent->tts, &settings, &events);
    speech_begin(&clips->speech);
    speech_say(&clips->speech, aic_str(clip->text));
    speech_end(&clips->speech);
}
