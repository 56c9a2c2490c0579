/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BLOCK_US = 20000,
    BLOCKS_PER_SECOND = 1000000 / BLOCK_US,
    BLOCK_MAX_BYTES = 640,
    /* After a stall nothing is lost, but other work of the loop gets its turn in between. */
    BLOCKS_AT_ONCE = 10
};

static int64_t now_us(const struct wav_call *call)
{
    return call->provider->clock->now_us(call->provider->host);
}

static size_t sample_bytes(struct aic_format format)
{
    return format.codec == AIC_CODEC_PCM_S16LE ? 2 : 1;
}

static int silent_byte(struct aic_format format)
{
    if (format.codec == AIC_CODEC_MULAW) {
        return 0xFF;
    }
    return format.codec == AIC_CODEC_ALAW ? 0xD5 : 0;
}

static int64_t duration_us(struct aic_format format, size_t bytes)
{
    return (int64_t)(bytes / sample_bytes(format)) * 1000000 / format.rate_hz;
}

static void set_timer(struct wav_call *call, int64_t deadline_us, void (*fire)(void *data))
{
    const struct wav_provider *provider = call->provider;
    provider->timer->stop(provider->host, call->timer);
    call->timer = NULL;
    (void)provider->timer->start(provider->host, deadline_us, fire, call, &call->timer);
}

/* An event with the call's names in it. */
static struct aic_telephony_event event_of(struct wav_call *call, uint32_t kind)
{
    return (struct aic_telephony_event){
        .size = sizeof(struct aic_telephony_event),
        .kind = kind,
        .leg = call->has_leg ? call : NULL,
        .direction = AIC_DIRECTION_OUTBOUND,
        .provider_call_id = aic_str(call->id),
        .call_id = aic_str(call->call_id),
        .from = AIC_STR("wav"),
        .to = aic_str(call->to),
        .format_in = call->file.wav.format,
        .format_out = call->file.wav.format,
        .sequence = -1,
        .duration_s = -1,
    };
}

static void tell_provider(struct wav_call *call, const struct aic_telephony_event *event)
{
    const struct aic_telephony_sink *sink = call->provider->sink;
    if (sink) {
        sink->event(sink, event);
    }
}

static void tell_status(struct wav_call *call, uint32_t status, int64_t sequence,
                        int64_t duration_s)
{
    struct aic_telephony_event event = event_of(call, AIC_TEL_EVENT_STATUS);
    event.status = status;
    event.sequence = sequence;
    event.duration_s = duration_s;
    tell_provider(call, &event);
}

static void log_figures(const struct wav_call *call)
{
    const struct wav_provider *provider = call->provider;
    char line[300];
    int length = snprintf(
        line, sizeof(line),
        "call %s over: file_ms=%lld sent_blocks=%llu late_blocks=%llu worst_late_ms=%lld "
        "heard_ms=%lld ended_by=%s",
        call->id,
        (long long)duration_us(call->file.wav.format, (size_t)call->file.wav.data_bytes) / 1000,
        (unsigned long long)call->blocks, (unsigned long long)call->late_blocks,
        (long long)call->worst_late_us / 1000, (long long)call->heard_us / 1000,
        call->cause == AIC_LEG_END_HOST ? "host" : "caller");
    provider->log->write(provider->host, AIC_LOG_INFO, (struct aic_str){line, (size_t)length});
}

static void free_if_done(struct wav_call *call)
{
    if (call->phase == WAV_OVER && !call->has_leg) {
        wav_call_free(call);
    }
}

/* The last events of a call. */
static void on_end(void *data)
{
    struct wav_call *call = data;
    call->timer = NULL;
    if (call->sink) {
        struct aic_telephony_event event = event_of(call, AIC_TEL_EVENT_MEDIA_STOP);
        event.cause = call->cause;
        call->sink->event(call->sink, &event);
    }
    log_figures(call);
    tell_status(call, AIC_CALL_COMPLETED, 2, (call->end_us - call->start_us + 500000) / 1000000);
    call->phase = WAV_OVER;
    free_if_done(call);
}

void wav_call_end(struct wav_call *call, uint32_t cause)
{
    if (call->phase != WAV_LIVE) {
        return;
    }
    call->phase = WAV_ENDING;
    call->cause = cause;
    call->end_us = now_us(call);
    set_timer(call, call->end_us, on_end);
}

/* Sends block number `blocks`: the file's sound, and silence after its end. */
static void send_block(struct wav_call *call)
{
    uint8_t padded[BLOCK_MAX_BYTES];
    struct aic_str sound = wav_file_sound(&call->file);
    size_t bytes = call->block_bytes;
    const uint8_t *block = padded;
    size_t left = sound.len / bytes >= call->blocks ? sound.len - (size_t)call->blocks * bytes : 0;
    if (left >= bytes) {
        block = (const uint8_t *)sound.ptr + (size_t)call->blocks * bytes;
    } else {
        memset(padded, silent_byte(call->file.wav.format), bytes);
        if (left > 0) {
            memcpy(padded, sound.ptr + (sound.len - left), left);
        }
    }
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = call->file.wav.format,
                              .data = block,
                              .bytes = bytes,
                              .time_us = (int64_t)call->blocks * BLOCK_US};
    call->blocks++;
    struct aic_telephony_event event = event_of(call, AIC_TEL_EVENT_AUDIO);
    event.audio = &audio;
    call->sink->event(call->sink, &event);
}

/* When the next block's last sample has been spoken. */
static int64_t next_deadline(const struct wav_call *call)
{
    return call->start_us + (int64_t)(call->blocks + 1) * BLOCK_US;
}

/* Hangs up when the limit is reached, or when there was nothing to say or hear for long enough. */
static bool is_finished(const struct wav_call *call, int64_t now)
{
    const struct wav_provider *provider = call->provider;
    if (call->limit_us > 0 && now - call->start_us >= call->limit_us) {
        return true;
    }
    int64_t quiet_since =
        call->start_us + duration_us(call->file.wav.format, (size_t)call->file.wav.data_bytes);
    if (provider->waits_for_agent && call->sound_end_us > quiet_since) {
        quiet_since = call->sound_end_us;
    }
    return now - quiet_since >= provider->after_end_us;
}

static void on_block(void *data)
{
    struct wav_call *call = data;
    call->timer = NULL;
    int64_t now = now_us(call);
    int64_t late_us = now - next_deadline(call);
    if (late_us > call->worst_late_us) {
        call->worst_late_us = late_us;
    }
    for (int i = 0; i < BLOCKS_AT_ONCE && next_deadline(call) <= now; i++) {
        call->late_blocks += now - next_deadline(call) > BLOCK_US;
        send_block(call);
        if (call->phase != WAV_LIVE) {
            return;
        }
    }
    if (is_finished(call, now)) {
        wav_call_end(call, AIC_LEG_END_CALLER);
        return;
    }
    set_timer(call, next_deadline(call), on_block);
}

void wav_call_answer(struct wav_call *call)
{
    struct aic_format *format = &call->file.wav.format;
    format->frame_bytes = 0;
    call->block_bytes = format->rate_hz / BLOCKS_PER_SECOND * sample_bytes(*format);
    call->phase = WAV_LIVE;
    call->start_us = now_us(call);
    struct aic_telephony_event event = event_of(call, AIC_TEL_EVENT_DIALED);
    event.request_id = call->request_id;
    tell_provider(call, &event);
    tell_status(call, AIC_CALL_RINGING, 0, -1);
    tell_status(call, AIC_CALL_IN_PROGRESS, 1, -1);
    /* The host may have hung up in any of these events. */
    if (call->phase != WAV_LIVE) {
        return;
    }
    call->has_leg = true;
    event = event_of(call, AIC_TEL_EVENT_MEDIA_START);
    event.token = aic_str(call->token);
    tell_provider(call, &event);
    if (call->phase != WAV_LIVE) {
        return;
    }
    if (!call->sink) {
        wav_call_end(call, AIC_LEG_END_HOST);
        return;
    }
    set_timer(call, next_deadline(call), on_block);
}

void wav_call_free(struct wav_call *call)
{
    struct wav_provider *provider = call->provider;
    for (struct wav_call **at = &provider->calls; *at; at = &(*at)->next) {
        if (*at == call) {
            *at = call->next;
            provider->call_count--;
            break;
        }
    }
    /* A call that outlived its provider has no timer, and its host may be gone. */
    if (call->timer) {
        provider->timer->stop(provider->host, call->timer);
    }
    wav_file_finish(&call->file);
    aic_buf_finish(&call->why);
    free(call->call_id);
    free(call->token);
    free(call->to);
    free(call);
}

int32_t wav_leg_attach(void *leg, const struct aic_telephony_sink *sink)
{
    struct wav_call *call = leg;
    if (call->phase != WAV_LIVE && call->phase != WAV_ENDING) {
        return AIC_ERROR_CLOSED;
    }
    call->sink = sink;
    return AIC_OK;
}

static bool is_silence(const struct aic_audio *audio)
{
    for (size_t i = 0; i < audio->bytes; i++) {
        if (audio->data[i] != silent_byte(audio->format)) {
            return false;
        }
    }
    return true;
}

int32_t wav_leg_send(void *leg, const struct aic_audio *audio)
{
    struct wav_call *call = leg;
    if (call->phase != WAV_LIVE) {
        return AIC_ERROR_CLOSED;
    }
    struct aic_format format = call->file.wav.format;
    if (audio->format.codec != format.codec || audio->format.rate_hz != format.rate_hz ||
        audio->format.channels != 1 || audio->bytes % sample_bytes(format) != 0) {
        return AIC_ERROR_INVALID;
    }
    int64_t length_us = duration_us(format, audio->bytes);
    call->heard_us += length_us;
    if (!is_silence(audio)) {
        int64_t begin_us = now_us(call);
        call->sound_end_us =
            (call->sound_end_us > begin_us ? call->sound_end_us : begin_us) + length_us;
    }
    return AIC_OK;
}

int32_t wav_leg_hangup(void *leg)
{
    wav_call_end(leg, AIC_LEG_END_HOST);
    return AIC_OK;
}

void wav_leg_close(void *leg)
{
    struct wav_call *call = leg;
    if (!call) {
        return;
    }
    call->has_leg = false;
    call->sink = NULL;
    wav_call_end(call, AIC_LEG_END_HOST);
    free_if_done(call);
}
