/* SPDX-License-Identifier: ISC */
/* Asks for the voice, which costs nothing: is the key good, is the voice there? */
#include "session.h"

/* A key that may only speak is known all the same. */
static bool is_well(const struct speech_exchange *exchange, const struct speech_fault *fault)
{
    return speech_exchange_is_good(exchange) ||
           (exchange->status == 401 && fault->category == AIC_CATEGORY_PERMISSION);
}

static void on_ended(void *data, const struct aic_error *error)
{
    struct eleven_session *session = data;
    struct speech_exchange *exchange = &session->probe;
    struct speech_fault fault = {.category = AIC_CATEGORY_NONE};
    eleven_enter(session);
    if (error) {
        speech_fault_of_network(&fault, error);
    } else if (!speech_exchange_is_good(exchange)) {
        eleven_problem_of_answer(&fault, exchange->status, aic_buf_view(&exchange->refusal));
    }
    if (!error && is_well(exchange, &fault)) {
        const struct aic_tts_event event = {.size = sizeof(event), .kind = AIC_TTS_EVENT_DONE};
        session->sink->event(session->sink, &event);
    } else {
        eleven_fail_all(session, &fault);
    }
    eleven_leave(session);
}

int32_t eleven_probe_start(struct eleven_session *session)
{
    const struct eleven_provider *provider = session->provider;
    const struct speech_exchange_events events = {.data = session, .ended = on_ended};
    const struct aic_header header = {AIC_STR("xi-api-key"), aic_str(provider->api_key)};
    struct aic_buf url;
    aic_buf_init(&url, ELEVEN_URL_MAX_BYTES);
    eleven_voice_url(&provider->settings, &url);
    const struct aic_http_request request = {.size = sizeof(request),
                                             .method = "GET",
                                             .url = url.data,
                                             .headers = &header,
                                             .header_count = 1,
                                             .header_size = sizeof(header),
                                             .first_byte_ms = provider->timeout_ms,
                                             .total_ms = provider->timeout_ms * 2};
    speech_exchange_init(&session->probe, &provider->services, &events);
    int32_t status =
        url.failed ? AIC_ERROR_TOO_LARGE : speech_exchange_start(&session->probe, &request);
    aic_buf_finish(&url);
    return status;
}
