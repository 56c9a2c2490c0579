/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base64.h"
#include "wav.h"

#include <stdlib.h>
#include <string.h>

/*
 * POST /calls/test-chat/ and /calls/test-voice/: a typed conversation with an agent. A session
 * lives in one worker; lines that arrive elsewhere are passed to it.
 */

enum { MAX_MESSAGE = 8192, SPOKEN_RATE = 16000, MAX_ANSWER = 16 << 20 };

struct chat_request {
    struct web *web;
    struct aic_exchange *exchange; /* NULL: it came over the link */
    uint64_t link_id;
    bool with_voice;
    char *body; /* to be passed on */
};

static void free_request(struct chat_request *chat)
{
    free(chat->body);
    free(chat);
}

static void write_audio(struct aic_json_writer *w, struct aic_str pcm)
{
    const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = SPOKEN_RATE, .channels = 1};
    uint8_t header[AIC_WAV_HEADER_MAX];
    size_t length = aic_wav_header(header, format, pcm.len);
    struct aic_buf wav;
    struct aic_buf text;
    aic_buf_init(&wav, MAX_ANSWER);
    aic_buf_init(&text, MAX_ANSWER * 2);
    aic_buf_add(&wav, header, length);
    aic_buf_str(&wav, pcm);
    if (!wav.failed && aic_buf_reserve(&text, AIC_BASE64_ENCODED(wav.len)) == AIC_OK) {
        text.len = aic_base64_encode(text.data, wav.data, wav.len);
    }
    aic_json_member(w, "audio", aic_buf_view(&text));
    aic_json_member_text(w, "format", "audio/wav");
    aic_buf_finish(&text);
    aic_buf_finish(&wav);
}

static int32_t http_status(int32_t status)
{
    switch (status) {
    case AIC_OK:
        return 200;
    case AIC_ERROR_NOT_FOUND:
        return 404;
    case AIC_ERROR_BUSY:
        return 429;
    case AIC_ERROR_CLOSED:
        return 410;
    default:
        return 503;
    }
}

static const char *explain(int32_t status)
{
    switch (status) {
    case AIC_ERROR_NOT_FOUND:
        return "No such session; leave it out to begin a new one.";
    case AIC_ERROR_BUSY:
        return "The last message is still being answered, or there is no room for a new session.";
    case AIC_ERROR_CLOSED:
        return "The session has ended.";
    default:
        return "The agent does not answer now.";
    }
}

static void finish(struct chat_request *chat, int32_t status, struct aic_str json)
{
    if (!chat->exchange) {
        link_answer(chat->web->settings.link, chat->link_id, status, json);
    } else if (status == AIC_OK) {
        (void)reply_json(chat->exchange, 200, json);
    } else {
        (void)reply_problem(chat->exchange, http_status(status), "chat", explain(status));
    }
    free_request(chat);
}

static void chatted(void *data, int32_t status, const char *session, struct aic_str text,
                    struct aic_str audio)
{
    struct chat_request *chat = data;
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 3 * MAX_ANSWER);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member(&w, "reply", text);
    aic_json_member_text(&w, "session", session);
    if (chat->with_voice) {
        write_audio(&w, audio);
    }
    aic_json_close(&w, '}');
    finish(chat, buf.failed ? AIC_ERROR_TOO_LARGE : status, aic_buf_view(&buf));
    aic_buf_finish(&buf);
}

static void passed_on(void *data, int32_t status, struct aic_str answer)
{
    finish(data, status, answer);
}

/* Talks to a session that lives here, or begins one; else passes the line on. */
static void talk(struct chat_request *chat, const struct aic_json *body)
{
    struct web *web = chat->web;
    struct aic_str session = aic_json_get_text(body, "session");
    char id[UUID_TEXT];
    (void)aic_str_copy(session, id, sizeof(id));
    if (session.len > 0 && chat->exchange && !calls_has_chat(web->settings.calls, id)) {
        link_relay(web->settings.link, id, chat->with_voice ? "chat.voice" : "chat.text",
                   aic_str(chat->body), passed_on, chat);
        return;
    }
    char *agent = aic_str_dup(aic_json_get_text(body, "agent"));
    const struct calls_line line = {.session = session,
                                    .agent = agent && agent[0] ? agent : NULL,
                                    .message = aic_json_get_text(body, "message"),
                                    .with_voice = chat->with_voice};
    calls_chat(web->settings.calls, &line, chatted, chat);
    free(agent);
}

static bool message_is_good(struct aic_exchange *exchange, const struct aic_json *body)
{
    struct aic_str message = aic_json_get_text(body, "message");
    if (message.len == 0 || message.len > MAX_MESSAGE) {
        (void)reply_problem(exchange, 422, "message",
                            "\"message\" must be a text of 1 to 8192 bytes.");
        return false;
    }
    static const char *const texts[] = {"session", "agent"};
    for (size_t i = 0; i < 2; i++) {
        const struct aic_json *given = aic_json_get(body, texts[i]);
        if (given && !aic_json_is_string(given)) {
            (void)reply_problem(exchange, 422, texts[i],
                                "\"session\" and \"agent\" must be texts, or left out.");
            return false;
        }
    }
    return true;
}

static bool agent_is_known(struct web *web, struct aic_exchange *exchange,
                           const struct aic_json *body)
{
    struct aic_str given = aic_json_get_text(body, "agent");
    char *name = aic_str_dup(given);
    bool is_known = name && strlen(name) == given.len &&
                    agents_find(web->settings.agents, name[0] ? name : NULL);
    free(name);
    if (!is_known) {
        (void)reply_problem(exchange, 404, "no-agent", "There is no agent of this name.");
    }
    return is_known;
}

static int32_t post(struct web *web, const struct visit *visit, bool with_voice)
{
    struct aic_exchange *exchange = visit->exchange;
    struct aic_json *body = reply_parse_body(exchange, visit->request);
    if (!body) {
        return AIC_OK;
    }
    bool is_good = message_is_good(exchange, body) && agent_is_known(web, exchange, body);
    struct chat_request *chat = is_good ? calloc(1, sizeof(*chat)) : NULL;
    if (chat) {
        *chat = (struct chat_request){.web = web,
                                      .exchange = exchange,
                                      .with_voice = with_voice,
                                      .body = aic_str_dup(visit->request->body)};
        talk(chat, body);
    } else if (is_good) {
        (void)reply_problem(exchange, 503, "memory", "Out of memory; try again.");
    }
    aic_json_free(body);
    return AIC_OK;
}

static int32_t post_chat(struct web *web, const struct visit *visit)
{
    return post(web, visit, false);
}

static int32_t post_voice(struct web *web, const struct visit *visit)
{
    return post(web, visit, true);
}

bool web_request(struct web *web, const struct link_request *request)
{
    bool with_voice = strcmp(request->kind, "chat.voice") == 0;
    if (health_request(web, request)) {
        return true;
    }
    if (!with_voice && strcmp(request->kind, "chat.text") != 0) {
        return false;
    }
    struct aic_json *body = aic_json_parse(request->body, 0);
    struct chat_request *chat = calloc(1, sizeof(*chat));
    if (!chat || !body) {
        free(chat);
        link_answer(web->settings.link, request->id, AIC_ERROR_INVALID, AIC_STR(""));
    } else {
        *chat = (struct chat_request){.web = web, .link_id = request->id, .with_voice = with_voice};
        talk(chat, body);
    }
    aic_json_free(body);
    return true;
}

void chat_routes(struct web *web)
{
    web_route(web, AIC_METHOD_POST, "/calls/test-chat/",
              &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_chat});
    web_route(web, AIC_METHOD_POST, "/calls/test-voice/",
              &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_voice});
}
