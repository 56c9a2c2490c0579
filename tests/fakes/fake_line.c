/* SPDX-License-Identifier: ISC */
#include "fake_vendor_private.h"

#include "buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME_US = 20000, FRAME_BYTES = 160 };

static const struct aic_format telephone = {
    .codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1};

static int32_t capabilities(void *self, struct aic_telephony_caps *caps)
{
    const struct fake_vendor *vendor = self;
    caps->flags = vendor->line_flags;
    caps->formats_out = &telephone;
    caps->format_count = 1;
    caps->format_size = sizeof(telephone);
    return AIC_OK;
}

static int32_t start(void *self, const struct aic_telephony_sink *sink)
{
    (void)self;
    (void)sink;
    return AIC_OK;
}

static void stop(void *self)
{
    (void)self;
}

static void tell(struct fake_line *line, struct aic_telephony_event event)
{
    event.size = sizeof(event);
    event.leg = line;
    line->sink->event(line->sink, &event);
}

static bool is_speaking(const struct fake_line *line, int64_t at_us)
{
    for (size_t i = 0; i < line->speech_count; i++) {
        if (at_us >= line->speeches[i].from_us && at_us < line->speeches[i].until_us) {
            return true;
        }
    }
    return false;
}

/* Marks whose sound has been played come back. */
static void return_marks(struct fake_line *line, int64_t now_us)
{
    while (line->mark_count > 0 && line->mark_us[0] <= now_us && !line->is_closed) {
        uint64_t id = line->marks[0];
        line->mark_count--;
        memmove(line->marks, line->marks + 1, line->mark_count * sizeof(line->marks[0]));
        memmove(line->mark_us, line->mark_us + 1, line->mark_count * sizeof(line->mark_us[0]));
        tell(line, (struct aic_telephony_event){
                       .kind = AIC_TEL_EVENT_MARK, .mark_id = id, .mark_flags = AIC_MARK_PLAYED});
    }
}

static void next_frame(void *data)
{
    struct fake_line *line = data;
    uint8_t frame[FRAME_BYTES];
    line->timer = NULL;
    int64_t at_us = line->next_frame_us - line->opened_us;
    /* A square wave, so that its mean is zero. */
    for (int i = 0; i < FRAME_BYTES; i++) {
        uint8_t loud = i % 8 < 4 ? 0x9E : 0x1E;
        frame[i] = is_speaking(line, at_us) ? loud : 0xFF;
    }
    line->next_frame_us += FRAME_US;
    line->timer =
        fake_after(line->vendor, line->next_frame_us - fake_now(line->vendor), next_frame, line);
    return_marks(line, fake_now(line->vendor));
    if (line->is_closed || line->is_mute) {
        return;
    }
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = telephone,
                              .data = frame,
                              .bytes = sizeof(frame),
                              .time_us = at_us};
    tell(line, (struct aic_telephony_event){.kind = AIC_TEL_EVENT_AUDIO, .audio = &audio});
}

static int32_t leg_attach(void *leg, const struct aic_telephony_sink *sink)
{
    struct fake_line *line = leg;
    line->sink = sink;
    line->is_attached = true;
    return AIC_OK;
}

static void note_heard(struct fake_line *line, int64_t from_us, int64_t until_us)
{
    for (int64_t at = from_us - line->opened_us; at < until_us - line->opened_us; at += FRAME_US) {
        size_t frame = (size_t)(at / FRAME_US);
        if (at >= 0 && frame < sizeof(line->heard)) {
            line->heard[frame] = 1;
        }
    }
}

static int32_t leg_send(void *leg, const struct aic_audio *audio)
{
    struct fake_line *line = leg;
    int64_t now_us = fake_now(line->vendor);
    int64_t length_us = (int64_t)audio->bytes * 125;
    int64_t from_us = now_us;
    line->sent_bytes += audio->bytes;
    if (line->vendor->line_flags & AIC_TEL_REMOTE_BUFFER) {
        from_us = line->buffered_until_us > now_us ? line->buffered_until_us : now_us;
        line->buffered_until_us = from_us + length_us;
    }
    note_heard(line, from_us, from_us + length_us);
    return AIC_OK;
}

static int32_t leg_mark(void *leg, uint64_t mark_id)
{
    struct fake_line *line = leg;
    line->marks[line->mark_count] = mark_id;
    line->mark_us[line->mark_count++] = line->buffered_until_us;
    return AIC_OK;
}

static int32_t leg_clear(void *leg)
{
    struct fake_line *line = leg;
    int64_t now_us = fake_now(line->vendor);
    size_t from = (size_t)((now_us - line->opened_us + FRAME_US - 1) / FRAME_US);
    memset(line->heard + from, 0, sizeof(line->heard) - from);
    line->buffered_until_us = now_us;
    line->mark_count = 0;
    line->clears++;
    return AIC_OK;
}

static void stopped(void *data)
{
    struct fake_line *line = data;
    line->timer = NULL;
    if (!line->is_closed) {
        tell(line, (struct aic_telephony_event){.kind = AIC_TEL_EVENT_MEDIA_STOP,
                                                .cause = AIC_LEG_END_HOST});
    }
}

static int32_t leg_hangup(void *leg)
{
    struct fake_line *line = leg;
    line->hung_up = true;
    fake_stop(line->vendor, line->timer);
    line->timer = fake_after(line->vendor, 1000, stopped, line);
    return AIC_OK;
}

static void leg_close(void *leg)
{
    struct fake_line *line = leg;
    if (line) {
        fake_stop(line->vendor, line->timer);
        line->timer = NULL;
        line->is_closed = true;
    }
}

static int32_t leg_notify(void *leg, struct aic_str json)
{
    struct fake_line *line = leg;
    size_t used = strlen(line->notes);
    (void)snprintf(line->notes + used, sizeof(line->notes) - used, "%.*s\n", (int)json.len,
                   json.ptr);
    return AIC_OK;
}

static int32_t leg_transfer(void *leg, const struct aic_telephony_transfer *params)
{
    struct fake_line *line = leg;
    if (line->transfer_status != AIC_OK) {
        return line->transfer_status;
    }
    (void)snprintf(line->transferred_to, sizeof(line->transferred_to), "%s", params->to);
    line->transferred_us = fake_now(line->vendor) - line->opened_us;
    fake_stop(line->vendor, line->timer);
    line->timer = fake_after(line->vendor, 1000, stopped, line);
    return AIC_OK;
}

static const struct aic_telephony table = {.size = sizeof(table),
                                           .capabilities = capabilities,
                                           .start = start,
                                           .stop = stop,
                                           .leg_attach = leg_attach,
                                           .leg_send = leg_send,
                                           .leg_hangup = leg_hangup,
                                           .leg_close = leg_close,
                                           .leg_mark = leg_mark,
                                           .leg_clear = leg_clear,
                                           .leg_notify = leg_notify,
                                           .leg_transfer = leg_transfer};

const void *fake_line_table(void)
{
    return &table;
}

struct fake_line *fake_line_open(struct fake_vendor *vendor, struct call *call,
                                 const struct fake_speech *speeches, size_t count)
{
    struct fake_line *line = calloc(1, sizeof(*line));
    line->vendor = vendor;
    line->opened_us = fake_now(vendor);
    line->next_frame_us = line->opened_us;
    line->speech_count = count;
    if (count > 0) {
        memcpy(line->speeches, speeches, count * sizeof(*speeches));
    }
    vendor->line = line;
    struct aic_telephony_event event = {.size = sizeof(event),
                                        .kind = AIC_TEL_EVENT_MEDIA_START,
                                        .leg = line,
                                        .format_in = telephone,
                                        .format_out = telephone};
    if (call_attach(call, vendor->provider, &event) != AIC_OK) {
        abort();
    }
    line->timer = fake_after(vendor, 0, next_frame, line);
    return line;
}

void fake_line_hang_up(struct fake_line *line, uint32_t cause)
{
    fake_stop(line->vendor, line->timer);
    line->timer = NULL;
    tell(line, (struct aic_telephony_event){.kind = AIC_TEL_EVENT_MEDIA_STOP, .cause = cause});
}

void fake_line_press(struct fake_line *line, const char *keys)
{
    tell(line, (struct aic_telephony_event){.kind = AIC_TEL_EVENT_DTMF, .digits = aic_str(keys)});
}

void fake_line_use(struct fake_line *line, const struct aic_usage *usage)
{
    tell(line, (struct aic_telephony_event){.kind = AIC_TEL_EVENT_USAGE, .usage = usage});
}

int64_t fake_line_agent_starts(const struct fake_line *line, int64_t from_us)
{
    for (size_t i = (size_t)(from_us / FRAME_US); i < sizeof(line->heard); i++) {
        if (line->heard[i]) {
            return (int64_t)i * FRAME_US;
        }
    }
    return -1;
}

int64_t fake_line_agent_stops(const struct fake_line *line, int64_t from_us)
{
    int64_t begins_us = fake_line_agent_starts(line, from_us);
    for (size_t i = (size_t)(begins_us / FRAME_US); begins_us >= 0 && i < sizeof(line->heard);
         i++) {
        if (!line->heard[i]) {
            return (int64_t)i * FRAME_US;
        }
    }
    return -1;
}
