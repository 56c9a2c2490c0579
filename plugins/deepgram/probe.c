/* SPDX-License-Identifier: ISC */
/* Asks for the token's details, which costs nothing: is the key good? */
#include "problem.h"
#include "query.h"
#include "voice.h"

enum { URL_MAX_BYTES = 2048 };

static void on_probed(void *data, const struct aic_error *error)
{
    struct deepgram_voice *voice = data;
    struct speech_fault fault = {.category = AIC_CATEGORY_NONE};
    if (error) {
        speech_fault_of_network(&fault, error);
    } else if (!speech_exchange_is_good(&voice->probe)) {
        deepgram_problem_of_answer(&fault, voice->probe.status,
                                   aic_buf_view(&voice->probe.refusal));
    }
    speech_fault_hide(&fault, voice->provider->settings.api_key);
    struct aic_error told = speech_fault_error(&fault, false);
    bool is_well = fault.category == AIC_CATEGORY_NONE;
    const struct aic_tts_event event = {.size = sizeof(event),
                                        .kind = is_well ? AIC_TTS_EVENT_DONE : AIC_TTS_EVENT_ERROR,
                                        .error = is_well ? NULL : &told};
    deepgram_voice_enter(voice);
    voice->sink->event(voice->sink, &event);
    deepgram_voice_leave(voice);
}

int32_t deepgram_voice_probe(struct deepgram_voice *voice)
{
    const struct deepgram_provider *provider = voice->provider;
    const struct speech_exchange_events events = {.data = voice, .ended = on_probed};
    const struct aic_header header = {AIC_STR("Authorization"),
                                      aic_buf_view(&provider->authorization)};
    struct aic_buf url;
    aic_buf_init(&url, URL_MAX_BYTES);
    deepgram_token_url(&provider->settings, &url);
    const struct aic_http_request request = {.size = sizeof(request),
                                             .method = "GET",
                                             .url = url.data,
                                             .headers = &header,
                                             .header_count = 1,
                                             .header_size = sizeof(header),
                                             .first_byte_ms = provider->settings.timeout_ms,
                                             .total_ms = provider->settings.timeout_ms * 2};
    speech_exchange_init(&voice->probe, &provider->services, &events);
    int32_t status =
        url.failed ? AIC_ERROR_TOO_LARGE : speech_exchange_start(&voice->probe, &request);
    aic_buf_finish(&url);
    return status;
}
