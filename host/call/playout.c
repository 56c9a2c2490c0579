/* SPDX-License-Identifier: ISC */
#include "call/playout.h"

#include "base/audio.h"
#include "base/metrics.h"

#include <string.h>

enum { FRAME_US = 20000 };

static const int64_t max_ahead_us = 120 * INT64_C(1000000);
/* A pause of the loop this long re-anchors the pace: no burst follows a stall. */
static const int64_t stall_us = 100000;
/* A mark may be this much late before the clock is believed instead. */
static const int64_t mark_grace_us = 1500000;

static void work(void *data);

static int64_t to_us(const struct playout *p, int64_t bytes)
{
    return audio_duration_us(p->settings.format, (size_t)bytes);
}

static int64_t to_bytes(const struct playout *p, int64_t us)
{
    return (int64_t)audio_bytes_for_us(p->settings.format, us);
}

static int64_t end_of(const struct playout *p)
{
    return p->base + (int64_t)p->audio.len;
}

void playout_init(struct playout *p, struct sched *sched, const struct playout_settings *settings,
                  const struct playout_leg *leg, const struct playout_events *events)
{
    memset(p, 0, sizeof(*p));
    p->sched = sched;
    p->settings = *settings;
    p->leg = *leg;
    p->events = *events;
    aic_buf_init(&p->audio, (size_t)to_bytes(p, max_ahead_us));
    for (size_t i = 0; i < PLAYOUT_LEVELS; i++) {
        p->levels[i] = -100;
    }
}

void playout_finish(struct playout *p)
{
    if (p->sched) {
        sched_timer_stop(p->sched, p->timer);
        p->timer = NULL;
    }
    aic_buf_finish(&p->audio);
}

static void work_at(struct playout *p, int64_t when_us)
{
    sched_timer_stop(p->sched, p->timer);
    p->timer = sched_timer_start(p->sched, when_us, work, p);
}

/* Heard by the clock, counted from what is confirmed; never beyond what was sent, nor beyond a mark
 * that has not come back. */
static int64_t heard(struct playout *p)
{
    int64_t limit = p->mark_count > 0 ? p->marks[0].position : p->sent;
    if (!p->settings.has_remote_buffer) {
        return p->sent;
    }
    int64_t guess = p->played + to_bytes(p, sched_now(p->sched) - p->played_at_us);
    return guess < limit ? guess : limit;
}

int64_t playout_heard_us(struct playout *p)
{
    return to_us(p, heard(p));
}

int64_t playout_pushed_us(const struct playout *p)
{
    return to_us(p, end_of(p));
}

bool playout_is_idle(const struct playout *p)
{
    return p->sent == end_of(p) && p->played == p->sent;
}

static void forget_heard(struct playout *p)
{
    if (p->played > p->base) {
        aic_buf_drop(&p->audio, (size_t)(p->played - p->base));
        p->base = p->played;
    }
}

static void confirm(struct playout *p, int64_t position)
{
    if (position > p->played) {
        p->played = position;
    }
    p->played_at_us = sched_now(p->sched);
    forget_heard(p);
}

/* Where no mark will tell. The time that is not yet a whole sample is not lost. */
static void confirm_by_clock(struct playout *p)
{
    int64_t position = heard(p);
    int64_t at_us = p->played_at_us + to_us(p, position - p->played);
    confirm(p, position);
    p->played_at_us = at_us;
}

/* Tells that all was heard, once. */
static void check_drained(struct playout *p)
{
    if (p->is_ended && !p->is_paused && playout_is_idle(p)) {
        p->is_ended = false;
        p->events.drained(p->events.data);
    }
}

static void note_levels(struct playout *p, const uint8_t *bytes, size_t count)
{
    size_t frame = (size_t)to_bytes(p, FRAME_US);
    for (size_t at = 0; at < count; at += frame) {
        size_t part = count - at < frame ? count - at : frame;
        int64_t index = (p->sent + (int64_t)at) / (int64_t)frame;
        p->levels[index % PLAYOUT_LEVELS] = audio_level_dbfs(p->settings.format, bytes + at, part);
    }
}

double playout_level(struct playout *p)
{
    if (p->is_paused || (p->settings.has_remote_buffer && heard(p) >= p->sent)) {
        return -100;
    }
    int64_t frame = to_bytes(p, FRAME_US);
    int64_t at = p->settings.has_remote_buffer ? heard(p) : p->sent - frame;
    if (at < 0 || (!p->settings.has_remote_buffer && p->sent == end_of(p))) {
        return -100;
    }
    return p->levels[at / frame % PLAYOUT_LEVELS];
}

static void set_mark(struct playout *p)
{
    if (!p->leg.mark || p->mark_count == PLAYOUT_MARKS) {
        return;
    }
    uint64_t id = p->last_mark_id + 1;
    if (p->leg.mark(p->leg.data, id) == AIC_OK) {
        p->last_mark_id = id;
        p->marks[p->mark_count].id = id;
        p->marks[p->mark_count].position = p->sent;
        p->mark_count++;
    }
}

/* Sends the next `count` bytes; false when the leg takes nothing now. */
static bool send(struct playout *p, size_t count)
{
    const uint8_t *bytes = (const uint8_t *)p->audio.data + (p->sent - p->base);
    if (p->leg.send(p->leg.data, bytes, count) != AIC_OK) {
        return false;
    }
    if (p->sent == p->played) {
        p->played_at_us = sched_now(p->sched);
    }
    note_levels(p, bytes, count);
    p->events.sent(p->events.data, bytes, count);
    p->sent += (int64_t)count;
    set_mark(p);
    return true;
}

/* Whole frames only; the last one of an answer is filled up with silence. */
static size_t sendable(struct playout *p, size_t want)
{
    size_t there = (size_t)(end_of(p) - p->sent);
    size_t frame = p->settings.format.frame_bytes ? p->settings.format.frame_bytes
                                                  : audio_sample_bytes(p->settings.format);
    if (there < frame && there > 0 && p->is_ended &&
        aic_buf_reserve(&p->audio, frame - there) == AIC_OK) {
        audio_silence(p->settings.format, (uint8_t *)p->audio.data + p->audio.len, frame - there);
        p->audio.len += frame - there;
        there = frame;
    }
    size_t count = want < there ? want : there;
    return count - count % frame;
}

static void work_ahead(struct playout *p)
{
    int64_t now_us = sched_now(p->sched);
    int64_t lead = to_bytes(p, p->settings.lead_us);
    size_t block = (size_t)to_bytes(p, p->settings.block_us);
    while (p->sent - heard(p) < lead) {
        size_t count = sendable(p, block);
        bool is_small = count < block && !p->is_ended && p->sent - heard(p) > (int64_t)block;
        if (count == 0 || is_small) {
            break;
        }
        if (!send(p, count)) {
            work_at(p, now_us + FRAME_US);
            return;
        }
    }
    if (p->mark_count == 0) {
        confirm_by_clock(p);
    } else if (heard(p) == p->marks[0].position) {
        /* By the clock it was heard; wait for the mark, but not for ever. */
        if (p->next_mark_us == 0) {
            p->next_mark_us = now_us + mark_grace_us;
        } else if (now_us >= p->next_mark_us) {
            p->lost_marks++;
            playout_marked(p, p->marks[0].id);
            return;
        }
    }
    check_drained(p);
    if (p->sent > p->played || p->sent < end_of(p)) {
        work_at(p, now_us + p->settings.block_us / 2);
    }
}

static void work_in_pace(struct playout *p)
{
    int64_t now_us = sched_now(p->sched);
    if (now_us - p->next_frame_us > stall_us) {
        p->next_frame_us = now_us;
    }
    size_t count = sendable(p, (size_t)to_bytes(p, FRAME_US));
    if (count > 0 && send(p, count)) {
        p->next_frame_us += to_us(p, (int64_t)count);
    } else if (count > 0) {
        p->next_frame_us += FRAME_US;
    }
    if (p->sent < end_of(p)) {
        work_at(p, p->next_frame_us);
        return;
    }
    /* The last frame is heard when its time is over. */
    if (now_us < p->next_frame_us) {
        work_at(p, p->next_frame_us);
        return;
    }
    confirm(p, p->sent);
    check_drained(p);
}

static void work(void *data)
{
    struct playout *p = data;
    p->timer = NULL;
    if (p->is_paused) {
        return;
    }
    if (p->settings.has_remote_buffer) {
        work_ahead(p);
    } else {
        work_in_pace(p);
    }
}

/* Something to do where the timer sleeps. */
static void kick(struct playout *p)
{
    if (p->is_paused) {
        return;
    }
    int64_t now_us = sched_now(p->sched);
    if (!p->timer) {
        p->next_frame_us = p->next_frame_us > now_us ? p->next_frame_us : now_us;
        work(p);
    } else if (p->settings.has_remote_buffer && p->sent < end_of(p)) {
        sched_timer_stop(p->sched, p->timer);
        work(p);
    }
}

void playout_push(struct playout *p, const uint8_t *bytes, size_t count)
{
    if (aic_buf_add(&p->audio, bytes, count) != AIC_OK) {
        p->audio.failed = false;
        p->dropped_bytes += count;
        metrics_count(METRICS_AUDIO_DROPPED + METRICS_PLAYOUT_FULL, 1);
        return;
    }
    kick(p);
}

void playout_end(struct playout *p)
{
    p->is_ended = true;
    if (p->is_paused) {
        return;
    }
    if (playout_is_idle(p) && !p->timer) {
        check_drained(p);
    } else {
        kick(p);
    }
}

/* Forgets what was sent and not heard; the other end is told to. */
static void take_back(struct playout *p)
{
    int64_t position = heard(p);
    size_t sample = audio_sample_bytes(p->settings.format);
    position -= position % (int64_t)sample;
    sched_timer_stop(p->sched, p->timer);
    p->timer = NULL;
    if (p->settings.has_remote_buffer && p->sent > position && p->leg.clear &&
        p->leg.clear(p->leg.data) == AIC_OK) {
        p->sent = position;
        p->events.cleared(p->events.data);
    }
    p->mark_count = 0;
    p->next_mark_us = 0;
    p->played = p->sent;
    p->played_at_us = sched_now(p->sched);
}

void playout_pause(struct playout *p)
{
    if (!p->is_paused) {
        take_back(p);
        p->is_paused = true;
    }
}

void playout_resume(struct playout *p)
{
    if (p->is_paused) {
        p->is_paused = false;
        forget_heard(p);
        kick(p);
        if (!p->timer) {
            check_drained(p);
        }
    }
}

int64_t playout_clear(struct playout *p)
{
    if (!p->is_paused) {
        take_back(p);
    }
    p->is_paused = false;
    p->is_ended = false;
    int64_t position_us = to_us(p, p->sent);
    aic_buf_clear(&p->audio);
    p->base = p->sent;
    p->played = p->sent;
    return position_us;
}

int64_t playout_truncate(struct playout *p, int64_t position_us)
{
    int64_t position = to_bytes(p, position_us);
    if (position < p->sent) {
        position = p->sent;
    }
    if (position < end_of(p)) {
        p->audio.len = (size_t)(position - p->base);
    }
    return to_us(p, end_of(p));
}

void playout_marked(struct playout *p, uint64_t mark_id)
{
    size_t index = 0;
    while (index < p->mark_count && p->marks[index].id != mark_id) {
        index++;
    }
    if (index == p->mark_count) {
        return;
    }
    int64_t position = p->marks[index].position;
    size_t left = p->mark_count - index - 1;
    memmove(p->marks, p->marks + index + 1, left * sizeof(p->marks[0]));
    p->mark_count = left;
    p->next_mark_us = 0;
    confirm(p, position);
    sched_timer_stop(p->sched, p->timer);
    p->timer = NULL;
    work(p);
}
