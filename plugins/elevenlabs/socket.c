/* SPDX-License-Identifier: ISC */
/*
 * The socket with several contexts: one for each utterance, named by its id. What each has got is
 * kept with the utterance, so that a socket that is full or not open yet is simply tried again.
 */
#include "session.h"

#include "base64.h"

enum {
    CONTEXTS_MAX = 5,
    KEEP_MS = 10000,   /* a context that hears nothing for some time is ended by the vendor */
    QUIET_MS = 2000,   /* without sound; for vendors that do not say that they are done */
    STEADY_MS = 60000, /* a socket that was closed for idleness is opened again at once */
    MESSAGE_BYTES = ELEVEN_TEXT_MAX_BYTES * 6 + 1024
};

static void on_ws(void *data, const struct aic_ws_event *event);
static void on_quiet(struct eleven_utterance *u);

static const struct speech_services *services_of(const struct eleven_session *session)
{
    return &session->provider->services;
}

/* Sending */

static int32_t send(struct eleven_session *session, struct aic_buf *message)
{
    const struct speech_services *services = services_of(session);
    int32_t status = message->failed ? AIC_ERROR_MEMORY
                                     : services->ws->send_text(services->host, session->ws,
                                                               aic_buf_view(message));
    aic_buf_finish(message);
    aic_buf_init(message, MESSAGE_BYTES);
    return status;
}

static size_t open_contexts(const struct eleven_session *session)
{
    size_t count = 0;
    for (const struct eleven_utterance *u = session->first; u; u = u->next) {
        count += u->is_begun && !u->is_final;
    }
    return count;
}

static int32_t begin_context(struct eleven_utterance *u, struct aic_buf *message)
{
    struct eleven_session *session = u->session;
    if (open_contexts(session) >= CONTEXTS_MAX) {
        return AIC_ERROR_BUSY;
    }
    eleven_begin_write(&session->provider->settings, u->id, message);
    int32_t status = send(session, message);
    u->is_begun = status == AIC_OK;
    return status;
}

/* More text is under way. What has no alignments is not known to be quiet. */
static void wait_for_sound(struct eleven_utterance *u)
{
    if (u->aligner.chars > 0) {
        eleven_wait(u, QUIET_MS, on_quiet);
    } else {
        eleven_stop_waiting(u);
    }
}

static int32_t send_pieces(struct eleven_utterance *u, struct aic_buf *message)
{
    int32_t status = AIC_OK;
    while (u->sent < u->piece_count && status == AIC_OK) {
        size_t from = u->sent > 0 ? u->pieces[u->sent - 1].end : 0;
        struct aic_str text = {u->text.data + from, u->pieces[u->sent].end - from};
        eleven_text_write(u->id, text, message);
        status = send(u->session, message);
        if (status == AIC_OK) {
            u->sent++;
            u->was_quiet = false;
            wait_for_sound(u);
        }
    }
    return status;
}

/* Sends what an utterance still has to say; a status when the socket is full. */
static int32_t pump_one(struct eleven_utterance *u, struct aic_buf *message)
{
    int32_t status = AIC_OK;
    bool is_unwanted = u->is_told || u->is_cancelled;
    if (u->is_closed || (is_unwanted && !u->is_begun)) {
        return AIC_OK;
    }
    if (!u->is_begun && u->piece_count > 0) {
        status = begin_context(u, message);
    }
    if (status == AIC_OK && u->is_begun && !is_unwanted) {
        status = send_pieces(u, message);
    }
    bool is_complete = u->is_ended && u->sent == u->piece_count;
    if (status == AIC_OK && u->is_begun && (is_unwanted || is_complete)) {
        eleven_close_write(u->id, message);
        status = send(u->session, message);
        u->is_closed = status == AIC_OK;
    }
    return status;
}

void eleven_socket_pump(struct eleven_session *session)
{
    struct aic_buf message;
    int32_t status = session->is_open ? AIC_OK : AIC_ERROR_CLOSED;
    aic_buf_init(&message, MESSAGE_BYTES);
    for (struct eleven_utterance *u = session->first; u && status == AIC_OK; u = u->next) {
        status = pump_one(u, &message);
    }
    aic_buf_finish(&message);
}

/* A keep-alive would be the first message of a context that is not there yet. */
static void keep(struct eleven_session *session)
{
    struct aic_buf message;
    aic_buf_init(&message, MESSAGE_BYTES);
    for (struct eleven_utterance *u = session->first; u && session->is_open; u = u->next) {
        if (u->is_begun && !u->is_closed) {
            eleven_keep_write(u->id, &message);
            (void)send(session, &message);
        }
    }
    aic_buf_finish(&message);
}

static void on_keeper(void *data)
{
    struct eleven_session *session = data;
    session->keeper = NULL;
    eleven_enter(session);
    keep(session);
    (void)speech_wait(services_of(session), &session->keeper, KEEP_MS, on_keeper, session);
    eleven_leave(session);
}

int32_t eleven_socket_open(struct eleven_session *session)
{
    const struct speech_services *services = services_of(session);
    const struct aic_header header = {AIC_STR("xi-api-key"), aic_str(session->provider->api_key)};
    struct aic_buf url;
    if (!services->ws) {
        return AIC_ERROR_UNSUPPORTED;
    }
    aic_buf_init(&url, ELEVEN_URL_MAX_BYTES);
    eleven_socket_url(&session->request, &url);
    const struct aic_ws_connect params = {
        .size = sizeof(params),
        .header_size = sizeof(header),
        .url = url.data,
        .headers = &header,
        .header_count = 1,
        .connect_ms = session->provider->timeout_ms,
        .max_message_bytes = ELEVEN_MESSAGE_MAX_BYTES,
    };
    session->fault = (struct speech_fault){.category = 0};
    int32_t status =
        url.failed ? AIC_ERROR_TOO_LARGE
                   : services->ws->connect(services->host, &params, on_ws, session, &session->ws);
    aic_buf_finish(&url);
    return status;
}

static void hang_up(struct eleven_session *session)
{
    const struct speech_services *services = services_of(session);
    struct aic_ws *ws = session->ws;
    session->ws = NULL;
    session->is_open = false;
    speech_stop_waiting(services, &session->keeper);
    if (ws) {
        services->ws->drop(services->host, ws);
    }
}

void eleven_socket_close(struct eleven_session *session)
{
    hang_up(session);
}

/* No context outlives its socket. */
static void forget_contexts(struct eleven_session *session)
{
    for (struct eleven_utterance *u = session->first; u; u = u->next) {
        u->is_final = true;
        u->is_gone = u->is_gone || u->is_told;
    }
}

static void break_off(struct eleven_session *session, const struct speech_fault *fault)
{
    hang_up(session);
    eleven_fail_all(session, fault);
    forget_contexts(session);
}

/* Sound */

static void tell_spans(struct eleven_utterance *u, struct eleven_spans *spans)
{
    eleven_spans_seal(spans);
    if (spans->count > 0) {
        eleven_tell(u, AIC_TTS_EVENT_ALIGNMENT,
                    (struct aic_tts_event){.spans = spans->list,
                                           .span_count = (uint32_t)spans->count,
                                           .span_size = sizeof(spans->list[0])});
    }
}

static void take_alignment(struct eleven_utterance *u, const struct aic_json *alignment,
                           int64_t base_us, bool is_last)
{
    struct eleven_spans spans;
    eleven_spans_init(&spans);
    eleven_aligner_take(&u->aligner, alignment, base_us, &spans);
    if (is_last) {
        eleven_aligner_end(&u->aligner, &spans);
    }
    tell_spans(u, &spans);
    eleven_spans_finish(&spans);
}

/* Pieces all of whose characters have been heard of. */
static size_t aligned_pieces(const struct eleven_utterance *u)
{
    size_t count = 0;
    while (count < u->sent && u->pieces[count].chars <= u->aligner.chars) {
        count++;
    }
    return count;
}

static bool has_all(const struct eleven_utterance *u)
{
    return u->is_ended && u->sent == u->piece_count && u->flushed == u->piece_count;
}

/* By its alignments the vendor has not spoken all that it was given. */
static bool owes_sound(const struct eleven_utterance *u)
{
    return u->aligner.chars > 0 && aligned_pieces(u) < u->sent;
}

/* The vendor is quiet: what was sent is spoken, and where it does not say so, the end is reached.
 */
static void on_quiet(struct eleven_utterance *u)
{
    if (owes_sound(u)) {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_TIMEOUT, AIC_RETRY_NEW_SESSION,
                         "the sound stopped in the middle of an utterance");
        break_off(u->session, &fault);
        return;
    }
    if (has_all(u) || (u->was_quiet && u->is_ended)) {
        take_alignment(u, NULL, 0, true);
        eleven_done(u);
        return;
    }
    u->was_quiet = true;
    eleven_flushed(u, u->sent);
    eleven_wait(u, QUIET_MS, on_quiet);
}

/* Decodes a message's sound; -1 where it is none. */
static int64_t decode(struct eleven_session *session, struct aic_str audio)
{
    struct aic_buf *to = &session->decoded;
    aic_buf_clear(to);
    if (aic_buf_reserve(to, AIC_BASE64_DECODED(audio.len) + 1) != AIC_OK) {
        return -1;
    }
    return aic_base64_decode((uint8_t *)to->data, audio.ptr, audio.len);
}

static void take_sound(struct eleven_utterance *u, const struct eleven_message *m)
{
    struct eleven_session *session = u->session;
    int64_t base_us = eleven_sound_us(u);
    int64_t count = decode(session, m->audio);
    if (count < 0) {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                         "what came as sound is no base64");
        break_off(session, &fault);
        return;
    }
    eleven_tell_sound(u, (struct aic_str){session->decoded.data, (size_t)count});
    take_alignment(u, m->alignment, base_us, m->is_final);
    eleven_flushed(u, aligned_pieces(u));
    if (!u->is_told && !u->is_cancelled) {
        u->was_quiet = false;
        eleven_wait(u, QUIET_MS, on_quiet);
    }
}

static void take_final(struct eleven_utterance *u)
{
    u->is_final = true;
    if (u->is_told) {
        u->is_gone = true;
    } else if (u->is_ended) {
        eleven_done(u);
    } else if (!u->is_cancelled) {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                         "the vendor ended an utterance that was not complete");
        eleven_fail(u, &fault);
    }
}

static void take_error(struct eleven_session *session, struct eleven_utterance *u,
                       const struct eleven_message *m)
{
    struct speech_fault fault;
    eleven_problem_of_message(&fault, m->error, m->description);
    fault.close_code = m->code;
    if (u) {
        u->is_final = true;
        eleven_fail(u, &fault);
    } else {
        session->fault = fault;
    }
}

/* Also of one that is over: its context's end still counts. */
static struct eleven_utterance *find(const struct eleven_session *session, uint64_t id)
{
    struct eleven_utterance *u = session->first;
    while (u && (u->id != id || !u->is_begun)) {
        u = u->next;
    }
    return u;
}

static void take_message(struct eleven_session *session, const struct eleven_message *m)
{
    struct eleven_utterance *u = m->context > 0 ? find(session, m->context) : NULL;
    if (m->error.len > 0) {
        take_error(session, u, m);
        return;
    }
    if (!u) {
        return;
    }
    if (m->audio.len > 0 && !u->is_told && !u->is_cancelled) {
        take_sound(u, m);
    }
    if (m->is_flush_done && u->flushed < u->sent) {
        eleven_flushed(u, u->flushed + 1);
    }
    if (m->is_final) {
        take_alignment(u, NULL, 0, true);
        take_final(u);
        eleven_socket_pump(session);
    }
}

static void on_text(struct eleven_session *session, struct aic_str text)
{
    struct eleven_message message;
    if (eleven_message_read(text, &message) == AIC_OK) {
        take_message(session, &message);
        eleven_message_finish(&message);
        return;
    }
    struct speech_fault fault;
    speech_fault_say(&fault, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NEW_SESSION,
                     "what came is no message of ElevenLabs'");
    break_off(session, &fault);
}

/* The end */

static bool is_working(const struct eleven_session *session)
{
    for (const struct eleven_utterance *u = session->first; u; u = u->next) {
        if (!u->is_told) {
            return true;
        }
    }
    return false;
}

/* Refusals that say: not over a socket. What is wrong else, a request will tell better. */
static bool is_worth_a_request(const struct aic_ws_event *event)
{
    static const int32_t statuses[] = {400, 404, 405, 426, 501};
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        if (event->http_status == statuses[i]) {
            return true;
        }
    }
    return event->http_status == 0 && event->error &&
           event->error->category == AIC_CATEGORY_PROTOCOL;
}

static void go_on_with_requests(struct eleven_session *session)
{
    session->is_socket = false;
    speech_log(services_of(session), AIC_LOG_WARN,
               "the socket was refused; going on with a request for each answer");
    for (struct eleven_utterance *u = session->first; u; u = u->next) {
        int32_t status = u->is_told || u->is_cancelled ? AIC_OK : eleven_stream_pump(u);
        if (status != AIC_OK) {
            struct speech_fault fault;
            speech_fault_say(&fault, AIC_CATEGORY_INTERNAL, AIC_RETRY_NEW_SESSION,
                             "a request could not be made");
            eleven_fail(u, &fault);
        }
    }
}

static void on_closed(struct eleven_session *session, const struct aic_ws_event *event)
{
    int64_t lived_us = speech_now_us(services_of(session)) - session->opened_us;
    bool was_open = session->is_open;
    struct speech_fault fault = session->fault;
    session->ws = NULL;
    hang_up(session);
    if (!was_open && is_worth_a_request(event)) {
        go_on_with_requests(session);
        return;
    }
    if (fault.category == AIC_CATEGORY_NONE) {
        eleven_problem_of_close(&fault, event);
    }
    if (was_open && !is_working(session)) {
        forget_contexts(session);
        if (lived_us >= (int64_t)STEADY_MS * 1000) {
            (void)eleven_socket_open(session);
        }
        return;
    }
    eleven_fail_all(session, &fault);
    forget_contexts(session);
}

static void on_open(struct eleven_session *session)
{
    session->is_open = true;
    session->opened_us = speech_now_us(services_of(session));
    (void)speech_wait(services_of(session), &session->keeper, KEEP_MS, on_keeper, session);
    eleven_socket_pump(session);
}

static void on_ws(void *data, const struct aic_ws_event *event)
{
    struct eleven_session *session = data;
    eleven_enter(session);
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        on_open(session);
        break;
    case AIC_WS_EVENT_TEXT:
    case AIC_WS_EVENT_BINARY:
        on_text(session, event->data);
        break;
    case AIC_WS_EVENT_WRITABLE:
        eleven_socket_pump(session);
        break;
    case AIC_WS_EVENT_CLOSED:
        on_closed(session, event);
        break;
    default:
        break;
    }
    eleven_leave(session);
}
