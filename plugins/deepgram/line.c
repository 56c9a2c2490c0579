/* SPDX-License-Identifier: ISC */
#include "line.h"

#include <string.h>

enum {
    KEEP_MS = 10000,  /* of sound */
    TICK_MS = 4000,   /* the vendor gives up after 10 s without sound or sign of life */
    END_MS = 2000,    /* for the last results */
    STEADY_MS = 5000, /* a connection that broke earlier is not tried again */
    SILENCE_MS = 20,
    MOST_MS = 250,       /* of sound in one message */
    SPARE_BYTES = 65536, /* of what the socket may keep waiting beside sound */
    MESSAGE_MAX_BYTES = 1 << 20
};

static const struct aic_str end_of_stream = AIC_STR_INIT("{\"type\":\"CloseStream\"}");

static void on_ws(void *data, const struct aic_ws_event *event);
static void on_tick(void *data);

static const struct speech_services *services_of(const struct deepgram_line *line)
{
    return &line->provider->services;
}

static void enter(struct deepgram_line *line)
{
    line->depth++;
}

static void leave(struct deepgram_line *line)
{
    line->depth--;
    if (line->depth == 0 && line->is_closed && !line->ws) {
        line->events.gone(line->events.data);
    }
}

static size_t sample_bytes(struct aic_format format)
{
    return format.codec == AIC_CODEC_PCM_S16LE ? 2 : 1;
}

static int64_t bytes_per_s(const struct deepgram_line *line)
{
    return (int64_t)line->format.rate_hz * (int64_t)sample_bytes(line->format);
}

static int64_t bytes_of_us(const struct deepgram_line *line, int64_t us)
{
    int64_t samples = us * (int64_t)line->format.rate_hz / 1000000;
    return samples * (int64_t)sample_bytes(line->format);
}

int64_t deepgram_line_sound_us(const struct deepgram_line *line, int64_t bytes)
{
    return bytes * 1000000 / bytes_per_s(line);
}

int64_t deepgram_line_offset_us(const struct deepgram_line *line)
{
    return deepgram_line_sound_us(line, line->origin);
}

int64_t deepgram_line_connected_us(const struct deepgram_line *line)
{
    int64_t now_us = speech_now_us(services_of(line));
    return line->used_us + (line->is_open ? now_us - line->opened_us : 0);
}

void deepgram_line_settle(struct deepgram_line *line, int64_t before_us)
{
    int64_t before = bytes_of_us(line, before_us);
    if (before > line->sent) {
        before = line->sent;
    }
    if (before > line->settled) {
        line->settled = before;
        deepgram_ring_forget(&line->ring, before);
    }
}

static int32_t connect(struct deepgram_line *line)
{
    const struct speech_services *services = services_of(line);
    const struct aic_header header = {AIC_STR("Authorization"),
                                      aic_buf_view(&line->provider->authorization)};
    const struct aic_ws_connect params = {
        .size = sizeof(params),
        .header_size = sizeof(header),
        .url = line->url.data,
        .headers = &header,
        .header_count = 1,
        .connect_ms = line->provider->settings.timeout_ms,
        .max_message_bytes = MESSAGE_MAX_BYTES,
        .max_queue_bytes = (uint64_t)line->ring.capacity + SPARE_BYTES,
    };
    if (!services->ws) {
        return AIC_ERROR_UNSUPPORTED;
    }
    return services->ws->connect(services->host, &params, on_ws, line, &line->ws);
}

int32_t deepgram_line_open(struct deepgram_line *line, struct deepgram_provider *provider,
                           struct aic_format format, struct aic_str url,
                           const struct deepgram_line_events *events)
{
    *line = (struct deepgram_line){.provider = provider, .events = *events, .format = format};
    aic_buf_init(&line->url, url.len);
    aic_buf_str(&line->url, url);
    int32_t status = line->url.failed ? AIC_ERROR_MEMORY : AIC_OK;
    if (status == AIC_OK) {
        status = deepgram_ring_init(&line->ring, (size_t)(bytes_per_s(line) * KEEP_MS / 1000));
    }
    if (status == AIC_OK) {
        status = speech_wait(services_of(line), &line->ticker, TICK_MS, on_tick, line);
    }
    if (status == AIC_OK) {
        status = connect(line);
    }
    if (status != AIC_OK) {
        speech_stop_waiting(services_of(line), &line->ticker);
        deepgram_ring_finish(&line->ring);
        aic_buf_finish(&line->url);
    }
    return status;
}

static void hang_up(struct deepgram_line *line)
{
    const struct speech_services *services = services_of(line);
    struct aic_ws *ws = line->ws;
    line->used_us = deepgram_line_connected_us(line);
    line->ws = NULL;
    line->is_open = false;
    services->ws->drop(services->host, ws);
}

static void stop(struct deepgram_line *line)
{
    hang_up(line);
    speech_stop_waiting(services_of(line), &line->ticker);
    speech_stop_waiting(services_of(line), &line->deadline);
}

static void unlink_leaving(struct deepgram_line *line)
{
    struct deepgram_line **at = &line->provider->leaving;
    while (*at && *at != line) {
        at = &(*at)->next;
    }
    if (*at) {
        *at = line->next;
    }
}

/* No more sound: a vendor that is told so bills no more, and ends the connection in order. */
static void say_goodbye(struct deepgram_line *line)
{
    const struct speech_services *services = services_of(line);
    (void)services->ws->send_text(services->host, line->ws, end_of_stream);
    services->ws->close(services->host, line->ws, 1000, (struct aic_str){"", 0});
    line->is_open = false;
    line->next = line->provider->leaving;
    line->provider->leaving = line;
}

void deepgram_line_close(struct deepgram_line *line)
{
    speech_stop_waiting(services_of(line), &line->ticker);
    speech_stop_waiting(services_of(line), &line->deadline);
    if (line->is_open) {
        say_goodbye(line);
    } else {
        hang_up(line);
    }
    line->is_over = true;
    line->is_closed = true;
    deepgram_ring_finish(&line->ring);
    aic_buf_finish(&line->url);
    enter(line);
    leave(line);
}

void deepgram_lines_drop(struct deepgram_provider *provider)
{
    while (provider->leaving) {
        struct deepgram_line *line = provider->leaving;
        provider->leaving = line->next;
        enter(line);
        hang_up(line);
        leave(line);
    }
}

void deepgram_line_readdress(struct deepgram_line *line, struct aic_str url)
{
    aic_buf_finish(&line->url);
    aic_buf_init(&line->url, url.len);
    aic_buf_str(&line->url, url);
}

/* Sound that the ring could not keep leaves a gap in the vendor's clock. */
static void skip_lost(struct deepgram_line *line)
{
    if (line->sent < line->ring.begin && line->has_sound) {
        int64_t gap = line->ring.begin - line->sent;
        line->skipped += gap;
        line->origin += gap;
    }
    if (line->sent < line->ring.begin) {
        line->sent = line->ring.begin;
    }
    if (!line->has_sound) {
        line->origin = line->sent;
    }
}

static int32_t send_sound(struct deepgram_line *line, struct aic_str sound)
{
    const struct speech_services *services = services_of(line);
    int32_t status = services->ws->send_binary(services->host, line->ws, sound);
    if (status == AIC_OK) {
        line->has_sound = true;
        line->sent_at_us = speech_now_us(services);
        line->used_bytes += (int64_t)sound.len;
    }
    return status;
}

static size_t least_of(const struct deepgram_line *line)
{
    return line->block_bytes > 0 ? line->block_bytes : 1;
}

/* Sends what waits, in messages of at least `least` bytes; a full socket is tried again later. */
static void pump(struct deepgram_line *line, size_t least)
{
    size_t most = line->block_bytes > 0 ? line->block_bytes
                                        : (size_t)bytes_of_us(line, (int64_t)MOST_MS * 1000);
    if (!line->is_open) {
        return;
    }
    skip_lost(line);
    while (line->sent < line->ring.end) {
        size_t left = (size_t)(line->ring.end - line->sent);
        struct aic_str sound = deepgram_ring_view(&line->ring, line->sent, most);
        if (left < least || send_sound(line, sound) != AIC_OK) {
            return;
        }
        line->sent += (int64_t)sound.len;
    }
}

int32_t deepgram_line_push(struct deepgram_line *line, struct aic_str sound)
{
    if (line->is_over || line->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    deepgram_ring_push(&line->ring, (const uint8_t *)sound.ptr, sound.len);
    pump(line, least_of(line));
    return AIC_OK;
}

int32_t deepgram_line_command(struct deepgram_line *line, struct aic_str text)
{
    const struct speech_services *services = services_of(line);
    if (!line->is_open) {
        return AIC_ERROR_CLOSED;
    }
    pump(line, 1);
    return services->ws->send_text(services->host, line->ws, text);
}

void deepgram_line_is_done(struct deepgram_line *line)
{
    if (!line->is_over) {
        line->is_over = true;
        stop(line);
        line->events.finished(line->events.data);
    }
}

static void give_up(struct deepgram_line *line, const struct speech_fault *fault)
{
    struct speech_fault told = *fault;
    line->is_over = true;
    stop(line);
    speech_fault_hide(&told, line->provider->settings.api_key);
    line->events.lost(line->events.data, &told);
}

static void on_deadline(void *data)
{
    struct deepgram_line *line = data;
    line->deadline = NULL;
    enter(line);
    deepgram_line_is_done(line);
    leave(line);
}

static void send_end(struct deepgram_line *line)
{
    (void)deepgram_line_command(line, end_of_stream);
}

int32_t deepgram_line_finish(struct deepgram_line *line)
{
    if (line->is_over || line->is_finishing) {
        return AIC_ERROR_CLOSED;
    }
    line->is_finishing = true;
    send_end(line);
    int64_t wait_ms = line->is_open ? END_MS : END_MS + line->provider->settings.timeout_ms;
    return speech_wait(services_of(line), &line->deadline, wait_ms, on_deadline, line);
}

/* A connection that was good breaks now and then; one that breaks at once will break again. */
static bool is_worth_another(const struct deepgram_line *line, const struct speech_fault *fault)
{
    int64_t lived_us = speech_now_us(services_of(line)) - line->opened_us;
    return line->is_open && lived_us >= (int64_t)STEADY_MS * 1000 &&
           fault->retry == AIC_RETRY_NEW_SESSION;
}

void deepgram_line_note(struct deepgram_line *line, const struct speech_fault *fault)
{
    line->fault = *fault;
}

void deepgram_line_break(struct deepgram_line *line, const struct speech_fault *fault)
{
    bool is_again = is_worth_another(line, fault) && !line->is_finishing;
    hang_up(line);
    line->fault = (struct speech_fault){.category = 0};
    if (line->is_finishing) {
        deepgram_line_is_done(line);
        return;
    }
    if (!is_again || connect(line) != AIC_OK) {
        give_up(line, fault);
        return;
    }
    speech_log(services_of(line), AIC_LOG_WARN,
               "the connection broke after a while (close code %d); connecting again",
               (int)fault->close_code);
}

/* Sound that nobody settled and the ring no longer has. */
static int64_t take_lost_us(struct deepgram_line *line)
{
    int64_t lost = line->ring.begin > line->settled ? line->ring.begin - line->settled : 0;
    line->settled = line->ring.begin;
    return deepgram_line_sound_us(line, lost);
}

static void on_open(struct deepgram_line *line)
{
    bool is_again = line->was_open;
    int64_t lost_us = take_lost_us(line);
    line->is_open = true;
    line->was_open = true;
    line->has_sound = false;
    line->opened_us = speech_now_us(services_of(line));
    line->sent_at_us = line->opened_us;
    line->sent = line->ring.begin;
    line->origin = line->ring.begin;
    pump(line, least_of(line));
    if (line->is_finishing) {
        send_end(line);
    }
    line->events.opened(line->events.data, is_again, lost_us);
}

static void on_closed(struct deepgram_line *line, const struct aic_ws_event *event)
{
    struct speech_fault fault = line->fault;
    line->ws = NULL;
    if (fault.category == AIC_CATEGORY_NONE) {
        deepgram_problem_of_close(&fault, event);
    }
    if (line->is_finishing && line->was_open) {
        deepgram_line_is_done(line);
    } else {
        deepgram_line_break(line, &fault);
    }
}

/* Of a line that was closed only the end of its socket matters. */
static void on_goodbye(struct deepgram_line *line, const struct aic_ws_event *event)
{
    if (event->kind == AIC_WS_EVENT_CLOSED) {
        line->ws = NULL;
        unlink_leaving(line);
    }
}

static void take_ws(struct deepgram_line *line, const struct aic_ws_event *event)
{
    switch (event->kind) {
    case AIC_WS_EVENT_OPEN:
        on_open(line);
        break;
    case AIC_WS_EVENT_TEXT:
    case AIC_WS_EVENT_BINARY:
        line->events.message(line->events.data, event->data);
        break;
    case AIC_WS_EVENT_WRITABLE:
        pump(line, least_of(line));
        break;
    case AIC_WS_EVENT_CLOSED:
        on_closed(line, event);
        break;
    default:
        break;
    }
}

static void on_ws(void *data, const struct aic_ws_event *event)
{
    struct deepgram_line *line = data;
    enter(line);
    if (line->is_closed) {
        on_goodbye(line, event);
    } else {
        take_ws(line, event);
    }
    leave(line);
}

/* A little silence: sound for the vendor, but none of the session's. */
static void send_silence(struct deepgram_line *line)
{
    uint8_t silence[SILENCE_MS * 48 * 2];
    int value = line->format.codec == AIC_CODEC_MULAW  ? 0xFF
                : line->format.codec == AIC_CODEC_ALAW ? 0xD5
                                                       : 0;
    size_t count = (size_t)bytes_of_us(line, (int64_t)SILENCE_MS * 1000);
    memset(silence, value, sizeof(silence));
    skip_lost(line);
    if (send_sound(line, (struct aic_str){(const char *)silence, count}) == AIC_OK) {
        line->origin -= (int64_t)count;
    }
}

/* Flux knows no KeepAlive, and Nova wants some sound before it. */
static void stay_alive(struct deepgram_line *line)
{
    int64_t idle_us = speech_now_us(services_of(line)) - line->sent_at_us;
    if (!line->is_open || line->is_finishing || idle_us < (int64_t)TICK_MS * 1000 / 2) {
        return;
    }
    if (line->provider->is_flux || !line->has_sound) {
        send_silence(line);
    } else {
        (void)deepgram_line_command(line, AIC_STR("{\"type\":\"KeepAlive\"}"));
    }
}

static void on_tick(void *data)
{
    struct deepgram_line *line = data;
    line->ticker = NULL;
    enter(line);
    stay_alive(line);
    if (speech_wait(services_of(line), &line->ticker, TICK_MS, on_tick, line) != AIC_OK) {
        struct speech_fault fault;
        speech_fault_say(&fault, AIC_CATEGORY_INTERNAL, AIC_RETRY_NEW_SESSION, "out of timers");
        give_up(line, &fault);
    } else {
        line->events.ticked(line->events.data);
    }
    leave(line);
}
