/* SPDX-License-Identifier: ISC */
#include "protocol.h"

#include <string.h>

static int32_t refuse(const char **problem, const char *text)
{
    *problem = text;
    return AIC_ERROR_PROTOCOL;
}

static bool is_alphanumeric(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Letters, digits and some signs: 1 to `max` of them. */
static bool is_word(struct aic_str text, const char *signs, size_t max)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_alphanumeric(text.ptr[i]) && (text.ptr[i] == '\0' || !strchr(signs, text.ptr[i]))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= max;
}

static int32_t read_start(const struct aic_json *root, struct browser_message *m,
                          const char **problem)
{
    m->kind = BROWSER_START;
    m->token = aic_json_get_text(root, "token");
    m->call_id = aic_json_get_text(root, "call_id");
    m->agent = aic_json_get_text(root, "agent");
    if (!is_word(m->token, "-_.", BROWSER_TOKEN_MAX_BYTES)) {
        return refuse(problem, "\"start\" needs a token");
    }
    if (!is_word(m->call_id, "-", BROWSER_NAME_MAX_BYTES)) {
        return refuse(problem, "\"start\" needs a call_id");
    }
    if (m->agent.len > 0 && !is_word(m->agent, "-_.", BROWSER_NAME_MAX_BYTES)) {
        return refuse(problem, "that is no name of an agent");
    }
    const struct aic_json *format = aic_json_get(root, "format");
    if (format && (!aic_str_equal(aic_json_get_text(format, "codec"), "pcm_s16le") ||
                   aic_json_get_int(format, "rate", 0) != BROWSER_RATE_HZ)) {
        return refuse(problem, "the format must be pcm_s16le at 16000 Hz");
    }
    return AIC_OK;
}

static int32_t read_mark(const struct aic_json *root, struct browser_message *m,
                         const char **problem)
{
    int64_t id = aic_json_get_int(root, "id", -1);
    if (id < 0) {
        return refuse(problem, "\"mark\" needs an id");
    }
    m->kind = BROWSER_MARK;
    m->id = (uint64_t)id;
    m->is_cleared = aic_json_get_bool(root, "cleared", false);
    return AIC_OK;
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == '\0';
}

static int32_t read_text(const struct aic_json *root, struct browser_message *m,
                         const char **problem)
{
    struct aic_str text = aic_json_get_text(root, "text");
    if (text.len > BROWSER_TEXT_MAX_BYTES) {
        return refuse(problem, "that text is too long");
    }
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
        text.len--;
    }
    if (text.len == 0 || memchr(text.ptr, '\0', text.len)) {
        return refuse(problem, "\"text\" needs a text");
    }
    m->kind = BROWSER_TEXT;
    m->text = text;
    return AIC_OK;
}

static int32_t read_digit(const struct aic_json *root, struct browser_message *m,
                          const char **problem)
{
    m->text = aic_json_get_text(root, "digit");
    if (m->text.len != 1 || !memchr("0123456789*#ABCD", m->text.ptr[0], 16)) {
        return refuse(problem, "\"dtmf\" needs a digit");
    }
    m->kind = BROWSER_DTMF;
    return AIC_OK;
}

static int32_t read_bye(const struct aic_json *root, struct browser_message *m,
                        const char **problem)
{
    (void)root;
    (void)problem;
    m->kind = BROWSER_BYE;
    return AIC_OK;
}

int32_t browser_message_parse(struct aic_str frame, struct browser_message *message,
                              const char **problem)
{
    static const struct {
        const char *type;
        int32_t (*read)(const struct aic_json *root, struct browser_message *m,
                        const char **problem);
    } types[] = {{"start", read_start},
                 {"mark", read_mark},
                 {"text", read_text},
                 {"dtmf", read_digit},
                 {"bye", read_bye}};

    *message = (struct browser_message){.kind = BROWSER_UNKNOWN};
    message->document = aic_json_parse(frame, BROWSER_JSON_MAX_BYTES);
    struct aic_str type = aic_json_get_text(message->document, "type");
    int32_t status = AIC_OK;
    if (type.len == 0) {
        status = refuse(problem, "a message must be a JSON object with a \"type\"");
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (aic_str_equal(type, types[i].type)) {
            status = types[i].read(message->document, message, problem);
        }
    }
    if (status != AIC_OK) {
        browser_message_finish(message);
    }
    return status;
}

void browser_message_finish(struct browser_message *message)
{
    aic_json_free(message->document);
    *message = (struct browser_message){.kind = BROWSER_UNKNOWN};
}

const char *browser_audio_problem(size_t bytes)
{
    if (bytes > BROWSER_AUDIO_MAX_BYTES) {
        return "a message may hold at most one second of sound";
    }
    return bytes % 2 == 0 ? NULL : "sound must come in whole samples of 16 bit";
}

static void write_type(struct aic_json_writer *w, struct aic_buf *to, const char *type)
{
    aic_json_writer_init(w, to);
    aic_json_open(w, '{');
    aic_json_member_text(w, "type", type);
}

void browser_write_mark(struct aic_buf *to, uint64_t id)
{
    struct aic_json_writer w;
    write_type(&w, to, "mark");
    aic_json_member_int(&w, "id", (int64_t)id);
    aic_json_close(&w, '}');
}

void browser_write_clear(struct aic_buf *to)
{
    struct aic_json_writer w;
    write_type(&w, to, "clear");
    aic_json_close(&w, '}');
}

void browser_write_error(struct aic_buf *to, const char *message)
{
    struct aic_json_writer w;
    write_type(&w, to, "error");
    aic_json_member_text(&w, "message", message);
    aic_json_close(&w, '}');
}

void browser_write_end(struct aic_buf *to, const char *reason)
{
    struct aic_json_writer w;
    write_type(&w, to, "end");
    aic_json_member_text(&w, "reason", reason);
    aic_json_close(&w, '}');
}
