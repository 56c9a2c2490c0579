/* SPDX-License-Identifier: ISC */
/*
 * Requests whose answers are streamed sound. All text of an utterance that has come so far makes
 * one; what comes meanwhile makes the next, with the text before it for the melody.
 */
#include "session.h"

enum { IDLE_MS = 5000, BODY_MAX_BYTES = 256 * 1024, SOUND_MAX_BYTES = 64 << 20 };

static void on_header(void *data, struct aic_str name, struct aic_str value)
{
    struct eleven_utterance *u = data;
    if (aic_str_equal_nocase(name, "character-cost")) {
        u->head.cost = eleven_number(value);
    } else if (aic_str_equal_nocase(name, "current-concurrent-requests")) {
        u->head.concurrent = eleven_number(value);
    } else if (aic_str_equal_nocase(name, "maximum-concurrent-requests")) {
        u->head.concurrent_max = eleven_number(value);
    } else if (aic_str_equal_nocase(name, "x-trace-id")) {
        speech_fault_copy(u->head.request_id, sizeof(u->head.request_id), value);
    } else if (aic_str_equal_nocase(name, "content-type")) {
        u->head.is_sound = eleven_type_is_sound(value);
    }
}

static void tell_rate(struct eleven_utterance *u)
{
    const struct eleven_head *head = &u->head;
    if (head->concurrent_max > 0 && head->concurrent >= 0) {
        const struct aic_rate_info rate = {.size = sizeof(rate),
                                           .bucket = AIC_STR("concurrency"),
                                           .limit = head->concurrent_max,
                                           .remaining = head->concurrent_max - head->concurrent,
                                           .reset_ms = -1};
        eleven_tell(u, AIC_TTS_EVENT_RATE_INFO, (struct aic_tts_event){.rate = &rate});
    }
}

static void on_begun(void *data)
{
    struct eleven_utterance *u = data;
    struct eleven_session *session = u->session;
    eleven_enter(session);
    if (speech_exchange_is_good(&u->exchange)) {
        u->credits += u->head.cost > 0 ? u->head.cost : 0;
        tell_rate(u);
        eleven_tell(u, AIC_TTS_EVENT_STARTED,
                    (struct aic_tts_event){.vendor_id = aic_str(u->head.request_id)});
    }
    eleven_leave(session);
}

static void on_bytes(void *data, struct aic_str bytes)
{
    struct eleven_utterance *u = data;
    struct eleven_session *session = u->session;
    eleven_enter(session);
    if (!u->head.is_sound) {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_FALL_BACK,
                         "the answer is no sound: is url the address of ElevenLabs?");
        eleven_fail(u, &fault);
    } else if (!u->is_cancelled) {
        eleven_tell_sound(u, bytes);
    }
    eleven_leave(session);
}

static void answer_is_complete(struct eleven_utterance *u)
{
    struct speech_fault fault;
    if (u->samples.bytes == u->sound_before) {
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                         "the answer holds no sound");
        eleven_fail(u, &fault);
        return;
    }
    eleven_flushed(u, u->sent);
    if (u->is_ended && u->sent == u->piece_count) {
        eleven_done(u);
    } else if (eleven_stream_pump(u) != AIC_OK) {
        speech_fault_say(&fault, AIC_CATEGORY_INTERNAL, AIC_RETRY_NEW_SESSION,
                         "a request could not be made");
        eleven_fail(u, &fault);
    }
}

static void on_ended(void *data, const struct aic_error *error)
{
    struct eleven_utterance *u = data;
    struct eleven_session *session = u->session;
    struct speech_fault fault;
    eleven_enter(session);
    if (!speech_exchange_is_good(&u->exchange)) {
        u->sent = u->asked; /* what was refused is not paid for */
    }
    if (error) {
        speech_fault_of_network(&fault, error);
        eleven_fail(u, &fault);
    } else if (!speech_exchange_is_good(&u->exchange)) {
        eleven_problem_of_answer(&fault, u->exchange.status, aic_buf_view(&u->exchange.refusal));
        eleven_fail(u, &fault);
    } else {
        answer_is_complete(u);
    }
    eleven_leave(session);
}

static void begin_exchange(struct eleven_utterance *u)
{
    const struct speech_exchange_events events = {
        .data = u, .header = on_header, .begun = on_begun, .bytes = on_bytes, .ended = on_ended};
    speech_exchange_finish(&u->exchange);
    speech_exchange_init(&u->exchange, &u->session->provider->services, &events);
    u->head =
        (struct eleven_head){.cost = -1, .concurrent = -1, .concurrent_max = -1, .is_sound = true};
    u->sound_before = u->samples.bytes;
}

/* The text right before a place, or what was said before the utterance. */
static struct aic_str text_before(const struct eleven_utterance *u, size_t from)
{
    return from > 0 ? eleven_tail((struct aic_str){u->text.data, from})
                    : aic_buf_view(&u->previous);
}

static int32_t start(struct eleven_utterance *u, size_t from, size_t end)
{
    const struct eleven_provider *provider = u->session->provider;
    const struct aic_header headers[] = {
        {AIC_STR("xi-api-key"), aic_str(provider->api_key)},
        {AIC_STR("Content-Type"), AIC_STR("application/json")},
    };
    struct aic_buf url;
    struct aic_buf body;
    aic_buf_init(&url, ELEVEN_URL_MAX_BYTES);
    aic_buf_init(&body, BODY_MAX_BYTES);
    eleven_stream_url(&u->session->request, &url);
    eleven_body_write(&u->session->request, (struct aic_str){u->text.data + from, end - from},
                      text_before(u, from), &body);
    const struct aic_http_request request = {
        .size = sizeof(request),
        .method = "POST",
        .url = url.data,
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
        .header_size = sizeof(headers[0]),
        .body = aic_buf_view(&body),
        .first_byte_ms = provider->timeout_ms,
        .idle_ms = IDLE_MS,
        .max_bytes = SOUND_MAX_BYTES,
    };
    int32_t status = url.failed || body.failed ? AIC_ERROR_TOO_LARGE
                                               : speech_exchange_start(&u->exchange, &request);
    aic_buf_finish(&url);
    aic_buf_finish(&body);
    return status;
}

int32_t eleven_stream_pump(struct eleven_utterance *u)
{
    if (u->exchange.http || u->is_told || u->is_cancelled || u->session->is_closed) {
        return AIC_OK;
    }
    if (u->sent == u->piece_count) {
        if (u->is_ended && u->piece_count > 0) {
            eleven_wait(u, 0, eleven_done);
        }
        return AIC_OK;
    }
    size_t from = u->sent > 0 ? u->pieces[u->sent - 1].end : 0;
    begin_exchange(u);
    int32_t status = start(u, from, u->pieces[u->piece_count - 1].end);
    if (status == AIC_OK) {
        u->asked = u->sent;
        u->sent = u->piece_count;
    }
    return status;
}
