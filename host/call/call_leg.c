/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/audio.h"
#include "base/log.h"
#include "plugin/guard.h"

/* No sound from the carrier for this long: the leg is dead, whatever its socket says. */
static const int64_t media_silence_us = 20 * INT64_C(1000000);

static int32_t leg_send(void *data, const uint8_t *bytes, size_t count)
{
    struct call *call = data;
    if (!call->leg) {
        return AIC_ERROR_CLOSED;
    }
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = call->format_out,
                              .data = bytes,
                              .bytes = count,
                              .time_us = -1};
    int32_t status = AIC_OK;
    GUARD(call->leg_provider, "telephony.leg_send",
          status = call->leg_provider->telephony.leg_send(call->leg, &audio));
    return status;
}

static int32_t leg_mark(void *data, uint64_t mark_id)
{
    struct call *call = data;
    int32_t status = AIC_ERROR_CLOSED;
    if (call->leg) {
        GUARD(call->leg_provider, "telephony.leg_mark",
              status = call->leg_provider->telephony.leg_mark(call->leg, mark_id));
    }
    return status;
}

static int32_t leg_clear(void *data)
{
    struct call *call = data;
    int32_t status = AIC_ERROR_CLOSED;
    if (call->leg) {
        GUARD(call->leg_provider, "telephony.leg_clear",
              status = call->leg_provider->telephony.leg_clear(call->leg));
    }
    return status;
}

static void leg_event(const struct aic_telephony_sink *sink,
                      const struct aic_telephony_event *event)
{
    struct call *call = sink->impl;
    switch (event->kind) {
    case AIC_TEL_EVENT_AUDIO:
        if (event->audio) {
            call_take_audio(call, event->audio);
        }
        break;
    case AIC_TEL_EVENT_MARK:
        if (event->mark_flags & AIC_MARK_PLAYED) {
            playout_marked(&call->playout, event->mark_id);
        }
        break;
    case AIC_TEL_EVENT_DTMF:
        call_take_keys(call, event->digits);
        break;
    case AIC_TEL_EVENT_USAGE:
        if (event->usage) {
            call_use(call, CALL_ROLE_LINE, call->leg_provider, event->usage);
        }
        break;
    case AIC_TEL_EVENT_TEXT:
        (void)call_type(call, event->text);
        break;
    case AIC_TEL_EVENT_MEDIA_STOP: {
        static const char *const reasons[] = {"line_closed", "caller_hung_up", "hung_up",
                                              "line_lost",   "transferred",    "line_protocol"};
        uint32_t cause = event->cause < 6 ? event->cause : 0;
        if (!call->end_reason[0]) {
            (void)aic_str_copy(aic_str(reasons[cause]), call->end_reason, sizeof(call->end_reason));
        }
        call_over(call);
        break;
    }
    default:
        break;
    }
}

/* The format of the leg's playback that is nearest to what comes in. */
static struct aic_format choose_out(const struct provider *provider,
                                    const struct aic_telephony_event *start)
{
    if (start->format_out.codec != AIC_CODEC_NONE) {
        return start->format_out;
    }
    return provider->telephony_caps.formats_out[0];
}

static void init_media(struct call *call)
{
    const struct aic_telephony_caps *caps = &call->leg_provider->telephony_caps;
    bool has_marks = (caps->flags & AIC_TEL_MARKS) && call->leg_provider->telephony.leg_mark;
    bool has_clear = (caps->flags & AIC_TEL_CLEAR) && call->leg_provider->telephony.leg_clear;
    const struct playout_settings settings = {
        .format = call->format_out,
        .has_remote_buffer = (caps->flags & AIC_TEL_REMOTE_BUFFER) != 0,
        .lead_us = caps->max_lead_us > 0 && caps->max_lead_us < 400000 ? caps->max_lead_us : 400000,
        .block_us = caps->preferred_block_us > 0 ? caps->preferred_block_us : 100000,
    };
    const struct playout_leg leg = {.send = leg_send,
                                    .mark = has_marks ? leg_mark : NULL,
                                    .clear = has_clear ? leg_clear : NULL,
                                    .data = call};
    struct playout_events events = call_playout_events(call);
    playout_init(&call->playout, call->env.sched, &settings, &leg, &events);
    struct vad_settings vad = vad_defaults();
    vad.has_no_echo = (caps->flags & AIC_TEL_NO_ECHO) != 0;
    vad_init(&call->vad, &vad);
    call->frame_bytes = audio_bytes_for_us(call->format_in, VAD_FRAME_US);
}

static void watch_media(void *data)
{
    struct call *call = data;
    int64_t now_us = sched_now(call->env.sched);
    call->media_timer = NULL;
    if (now_us - call->last_media_us >= media_silence_us) {
        log_warn("call", "no sound from the line", LOG_S("call", call->id),
                 LOG_S("provider", call->provider_name));
        call_record_note(call, "media_silent", "provider", call->provider_name);
        call_hang_up(call, "media_lost");
        return;
    }
    call->media_timer = sched_timer_start(call->env.sched, call->last_media_us + media_silence_us,
                                          watch_media, call);
}

static void greet(struct call *call)
{
    call->responder->ops->start(call->responder);
    if (call->answer.is_active || call->state != CALL_TALKING) {
        return; /* something is broken, and it is being said */
    }
    if (call->agent->greeting[0]) {
        call_say(call, call->agent->greeting, false);
        call_disclose(call);
    } else {
        call_begin(call);
    }
}

int32_t call_attach(struct call *call, struct provider *provider,
                    const struct aic_telephony_event *start)
{
    if (call->state != CALL_WAITING || call->is_text) {
        return AIC_ERROR_CONFLICT;
    }
    call->format_in = start->format_in;
    call->format_out = choose_out(provider, start);
    size_t frame = audio_bytes_for_us(call->format_in, VAD_FRAME_US);
    if (frame == 0 || frame > CALL_FRAME_BYTES || audio_sample_bytes(call->format_out) == 0) {
        return AIC_ERROR_UNSUPPORTED;
    }
    call->leg_provider = provider;
    call->leg_sink = (struct aic_telephony_sink){
        .size = sizeof(call->leg_sink), .impl = call, .event = leg_event};
    int32_t status = AIC_OK;
    GUARD(provider, "telephony.leg_attach",
          status = provider->telephony.leg_attach(start->leg, &call->leg_sink));
    if (status != AIC_OK) {
        return status;
    }
    call->leg = start->leg;
    init_media(call);
    if (!call_make_responder(call)) {
        return AIC_ERROR_MEMORY;
    }
    call_recording_start(call);
    call_begin_talking(call);
    watch_media(call);
    greet(call);
    return AIC_OK;
}

void call_close_leg(struct call *call)
{
    if (call->leg) {
        struct provider *provider = call->leg_provider;
        void *leg = call->leg;
        call->leg = NULL;
        GUARD(provider, "telephony.leg_close", provider->telephony.leg_close(leg));
    }
}
