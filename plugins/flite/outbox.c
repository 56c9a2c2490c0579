/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>
#include <string.h>

void flt_pieces_free(struct flt_piece *piece)
{
    while (piece) {
        struct flt_piece *next = piece->next;
        free(piece);
        piece = next;
    }
}

/* Hands a piece over, and wakes the loop if it sleeps. After close nothing is posted: the host may
 * be gone. [pool] */
static void put(struct flt_session *s, struct flt_piece *piece)
{
    (void)pthread_mutex_lock(&s->lock);
    *s->last = piece;
    s->last = &piece->next;
    if (!s->is_posted && !s->is_closing) {
        s->is_posted = s->post->post(s->host, flt_drain, s) == AIC_OK;
    }
    (void)pthread_mutex_unlock(&s->lock);
}

static struct flt_piece *take_all(struct flt_session *s)
{
    (void)pthread_mutex_lock(&s->lock);
    struct flt_piece *first = s->first;
    s->first = NULL;
    s->last = &s->first;
    (void)pthread_mutex_unlock(&s->lock);
    return first;
}

static bool take_sound(void *data, const int16_t *samples, size_t count)
{
    struct flt_job *job = data;
    if (atomic_load(&job->utterance->is_cancelled)) {
        return false;
    }
    struct flt_piece *piece = malloc(sizeof(*piece) + count * sizeof(*samples));
    if (!piece) {
        job->status = AIC_ERROR_MEMORY;
        return false;
    }
    *piece = (struct flt_piece){
        .event = AIC_TTS_EVENT_AUDIO, .utterance = job->utterance, .sample_count = count};
    piece->samples = (int16_t *)(piece + 1);
    piece->start_us = job->utterance->made_us;
    memcpy(piece->samples, samples, count * sizeof(*samples));
    job->utterance->made_us += (int64_t)count * 1000000 / job->session->rate_hz;
    put(job->session, piece);
    return true;
}

static bool take_words(void *data, const struct flt_word *words, size_t count)
{
    struct flt_job *job = data;
    size_t text_bytes = 0;
    for (size_t i = 0; i < count; i++) {
        text_bytes += words[i].end - words[i].begin;
    }
    struct flt_piece *piece =
        malloc(sizeof(*piece) + count * sizeof(struct aic_tts_span) + text_bytes);
    if (!piece) {
        job->status = AIC_ERROR_MEMORY;
        return false;
    }
    *piece = (struct flt_piece){
        .event = AIC_TTS_EVENT_ALIGNMENT, .utterance = job->utterance, .span_count = count};
    piece->spans = (struct aic_tts_span *)(piece + 1);
    char *to = (char *)(piece->spans + count);
    for (size_t i = 0; i < count; i++) {
        size_t length = words[i].end - words[i].begin;
        memcpy(to, job->text + words[i].begin, length);
        piece->spans[i] = (struct aic_tts_span){.text = {to, length},
                                                .start_us = job->text_start_us + words[i].start_us,
                                                .duration_us = words[i].duration_us};
        to += length;
    }
    put(job->session, piece);
    return true;
}

/* The answer to a flush goes the way of the sound, so that it comes right behind it. */
static void put_mark(struct flt_job *job)
{
    struct flt_piece *piece = malloc(sizeof(*piece));
    if (!piece) {
        job->status = AIC_ERROR_MEMORY;
        return;
    }
    *piece = (struct flt_piece){
        .event = AIC_TTS_EVENT_FLUSHED, .utterance = job->utterance, .mark_id = job->mark_id};
    put(job->session, piece);
}

static void speak(struct flt_job *job)
{
    struct flt_session *s = job->session;
    const struct flt_listener listener = {take_words, take_sound, job};
    job->text_start_us = job->utterance ? job->utterance->made_us : 0;
    int32_t status =
        flt_speak(s->voice, &s->manner, (struct aic_str){job->text, job->bytes}, &listener);
    if (job->status == AIC_OK) {
        job->status = status;
    }
}

void flt_work(void *data)
{
    struct flt_job *job = data;
    if (job->utterance && atomic_load(&job->utterance->is_cancelled)) {
        return;
    }
    if (job->kind == FLT_TEXT) {
        speak(job);
    } else if (job->kind == FLT_FLUSH) {
        put_mark(job);
    }
}

static void send(struct flt_session *s, const struct flt_piece *piece)
{
    struct aic_tts_event event = {.size = sizeof(event),
                                  .kind = piece->event,
                                  .id = piece->utterance->id,
                                  .mark_id = piece->mark_id,
                                  .spans = piece->spans,
                                  .span_count = (uint32_t)piece->span_count,
                                  .span_size = sizeof(struct aic_tts_span)};
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = {AIC_CODEC_PCM_S16LE, s->rate_hz, 1, 0},
                              .data = (const uint8_t *)piece->samples,
                              .bytes = piece->sample_count * sizeof(int16_t),
                              .time_us = piece->start_us};
    event.audio = piece->samples ? &audio : NULL;
    s->sink->event(s->sink, &event);
}

void flt_send_pieces(struct flt_session *s)
{
    struct flt_piece *pieces = take_all(s);
    for (const struct flt_piece *piece = pieces; piece && s->sink; piece = piece->next) {
        if (!piece->utterance->is_told && !atomic_load(&piece->utterance->is_cancelled)) {
            send(s, piece);
        }
    }
    flt_pieces_free(pieces);
}

void flt_drain(void *data)
{
    struct flt_session *s = data;
    (void)pthread_mutex_lock(&s->lock);
    s->is_posted = false;
    bool is_idle = s->is_idle;
    (void)pthread_mutex_unlock(&s->lock);
    if (is_idle) {
        flt_session_free(s);
    } else {
        flt_send_pieces(s);
    }
}
