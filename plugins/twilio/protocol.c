/* SPDX-License-Identifier: ISC */
#include "protocol.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool twilio_is_word(struct aic_str text, const char *signs, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_letter && !(c >= '0' && c <= '9') && (c == '\0' || !strchr(signs, c))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}

bool twilio_is_sid(struct aic_str text)
{
    return twilio_is_word(text, "", TWILIO_WORD_MAX_BYTES);
}

bool twilio_is_call_id(struct aic_str text)
{
    return twilio_is_word(text, "-", TWILIO_WORD_MAX_BYTES);
}

bool twilio_is_number(struct aic_str text)
{
    if (text.len < 8 || text.len > 16 || text.ptr[0] != '+' || text.ptr[1] == '0') {
        return false;
    }
    for (size_t i = 1; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
    }
    return true;
}

bool twilio_are_digits(struct aic_str text, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\0' || !strchr("0123456789*#ABCDw", text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}

static int32_t refuse(const char **problem, const char *text)
{
    *problem = text;
    return AIC_ERROR_PROTOCOL;
}

static int32_t read_connected(const struct aic_json *root, struct twilio_message *m,
                              const char **problem)
{
    (void)root;
    (void)problem;
    m->kind = TWILIO_CONNECTED;
    return AIC_OK;
}

static int32_t read_start(const struct aic_json *root, struct twilio_message *m,
                          const char **problem)
{
    const struct aic_json *start = aic_json_get(root, "start");
    const struct aic_json *format = aic_json_get(start, "mediaFormat");
    const struct aic_json *parameters = aic_json_get(start, "customParameters");
    m->kind = TWILIO_START;
    m->account_sid = aic_json_get_text(start, "accountSid");
    m->call_sid = aic_json_get_text(start, "callSid");
    m->token = aic_json_get_text(parameters, "token");
    m->call_id = aic_json_get_text(parameters, "call");
    m->is_recorded = aic_str_equal(aic_json_get_text(parameters, "record"), "true");
    if (!twilio_is_sid(m->stream_sid) || !twilio_is_sid(m->account_sid) ||
        !twilio_is_sid(m->call_sid)) {
        return refuse(problem, "\"start\" without the names of account, call and stream");
    }
    if (m->token.len > 0 && !twilio_is_word(m->token, "-_.", TWILIO_TOKEN_MAX_BYTES)) {
        return refuse(problem, "\"start\" with a token that is none");
    }
    if (m->call_id.len > 0 && !twilio_is_call_id(m->call_id)) {
        return refuse(problem, "\"start\" with a call that is none");
    }
    if (!aic_str_equal(aic_json_get_text(format, "encoding"), "audio/x-mulaw") ||
        aic_json_get_int(format, "sampleRate", 0) != TWILIO_RATE_HZ ||
        aic_json_get_int(format, "channels", 0) != 1) {
        return refuse(problem, "\"start\" with sound that is not mu-law at 8000 Hz");
    }
    return AIC_OK;
}

static int32_t read_media(const struct aic_json *root, struct twilio_message *m,
                          const char **problem)
{
    const struct aic_json *media = aic_json_get(root, "media");
    if (!aic_json_is_string(aic_json_get(media, "payload"))) {
        return refuse(problem, "\"media\" without a payload");
    }
    m->kind = TWILIO_MEDIA;
    m->media = (struct aic_media_message){
        .stream = m->stream_sid,
        .track = aic_json_get_text(media, "track"),
        .payload = aic_json_get_text(media, "payload"),
        .sequence = aic_json_get_int(root, "sequenceNumber", -1),
        .chunk = aic_json_get_int(media, "chunk", -1),
        .timestamp_ms = aic_json_get_int(media, "timestamp", -1),
    };
    return AIC_OK;
}

static int32_t read_dtmf(const struct aic_json *root, struct twilio_message *m,
                         const char **problem)
{
    m->kind = TWILIO_DTMF;
    m->digit = aic_json_get_text(aic_json_get(root, "dtmf"), "digit");
    if (m->digit.len != 1 || m->digit.ptr[0] == 'w' || !twilio_are_digits(m->digit, 1)) {
        return refuse(problem, "\"dtmf\" without a digit");
    }
    return AIC_OK;
}

/* Takes a whole number from the front of text; false where there is none. */
static bool take_number(struct aic_str *text, uint64_t max, uint64_t *number)
{
    size_t i = 0;
    *number = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(text->ptr[i] - '0');
        if (*number > (max - digit) / 10) {
            return false;
        }
        *number = *number * 10 + digit;
    }
    *text = (struct aic_str){text->ptr + i, text->len - i};
    return i > 0;
}

static int32_t read_mark(const struct aic_json *root, struct twilio_message *m,
                         const char **problem)
{
    (void)problem;
    struct aic_str name = aic_json_get_text(aic_json_get(root, "mark"), "name");
    uint64_t generation = 0;
    if (take_number(&name, UINT32_MAX, &generation) && name.len > 1 && name.ptr[0] == ':') {
        name = (struct aic_str){name.ptr + 1, name.len - 1};
        if (take_number(&name, UINT64_MAX, &m->mark_id) && name.len == 0) {
            m->generation = (uint32_t)generation;
            m->kind = TWILIO_MARK;
        }
    }
    return AIC_OK;
}

static int32_t read_stop(const struct aic_json *root, struct twilio_message *m,
                         const char **problem)
{
    (void)root;
    (void)problem;
    m->kind = TWILIO_STOP;
    return AIC_OK;
}

int32_t twilio_message_parse(struct aic_str text, struct twilio_message *message,
                             const char **problem)
{
    static const struct {
        const char *event;
        int32_t (*read)(const struct aic_json *root, struct twilio_message *m,
                        const char **problem);
    } events[] = {{"connected", read_connected}, {"start", read_start}, {"media", read_media},
                  {"dtmf", read_dtmf},           {"mark", read_mark},   {"stop", read_stop}};

    *message = (struct twilio_message){.kind = TWILIO_MEDIA};
    if (aic_media_scan(text, &message->media)) {
        message->stream_sid = message->media.stream;
        return AIC_OK;
    }
    message->kind = TWILIO_UNKNOWN;
    message->document = aic_json_parse(text, TWILIO_MESSAGE_MAX_BYTES);
    message->stream_sid = aic_json_get_text(message->document, "streamSid");
    struct aic_str event = aic_json_get_text(message->document, "event");
    int32_t status = AIC_OK;
    if (event.len == 0) {
        status = refuse(problem, "a message that is no JSON object with an \"event\"");
    }
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (aic_str_equal(event, events[i].event)) {
            status = events[i].read(message->document, message, problem);
        }
    }
    if (status != AIC_OK) {
        twilio_message_finish(message);
    }
    return status;
}

void twilio_message_finish(struct twilio_message *message)
{
    aic_json_free(message->document);
    *message = (struct twilio_message){.kind = TWILIO_UNKNOWN};
}

void twilio_write_media_prefix(struct aic_buf *to, const char *stream_sid)
{
    aic_buf_printf(to, "{\"event\":\"media\",\"streamSid\":\"%s\",\"media\":{\"payload\":\"",
                   stream_sid);
}

static size_t length_of(int printed)
{
    return printed > 0 && printed < TWILIO_CONTROL_MAX_BYTES ? (size_t)printed : 0;
}

size_t twilio_write_mark(char to[TWILIO_CONTROL_MAX_BYTES], const char *stream_sid,
                         uint32_t generation, uint64_t mark_id)
{
    return length_of(snprintf(to, TWILIO_CONTROL_MAX_BYTES,
                              "{\"event\":\"mark\",\"streamSid\":\"%s\",\"mark\":{\"name\":"
                              "\"%" PRIu32 ":%" PRIu64 "\"}}",
                              stream_sid, generation, mark_id));
}

size_t twilio_write_clear(char to[TWILIO_CONTROL_MAX_BYTES], const char *stream_sid)
{
    return length_of(snprintf(to, TWILIO_CONTROL_MAX_BYTES,
                              "{\"event\":\"clear\",\"streamSid\":\"%s\"}", stream_sid));
}
