/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "call/token.h"

#include <stdlib.h>
#include <string.h>

/* What the voice page asks for before it opens its media socket. */

static int32_t post_token(struct web *web, const struct visit *visit)
{
    if (!web->settings.browser_media) {
        return reply_problem(visit->exchange, 404, "no-browser",
                             "No agent has the provider \"browser\" among its telephony.");
    }
    struct aic_json *body = reply_parse_body(visit->exchange, visit->request);
    if (!body) {
        return AIC_OK;
    }
    const struct aic_json *wanted = aic_json_get(body, "agent");
    if (wanted && !aic_json_is_string(wanted)) {
        aic_json_free(body);
        return reply_problem(visit->exchange, 422, "agent",
                             "\"agent\" must be a text, or left out.");
    }
    char id[UUID_TEXT];
    char token[TOKEN_TEXT];
    struct aic_str name = aic_json_text(wanted);
    char *agent = aic_str_dup(name);
    int32_t status =
        agent && strlen(agent) == name.len
            ? calls_invite(web->settings.calls, agent[0] ? agent : NULL, id, token, sizeof(token))
            : AIC_ERROR_NOT_FOUND;
    free(agent);
    aic_json_free(body);
    if (status == AIC_ERROR_NOT_FOUND) {
        return reply_problem(visit->exchange, 404, "no-agent", "There is no agent of this name.");
    }
    if (status != AIC_OK) {
        return reply_problem(visit->exchange, 503, "no-room",
                             "There is no room for another call now.");
    }
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 4096);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", id);
    aic_json_member_text(&w, "token", token);
    aic_json_member_text(&w, "media", web->settings.browser_media);
    aic_json_close(&w, '}');
    int32_t result = reply_json(visit->exchange, 201, aic_buf_view(&buf));
    aic_buf_finish(&buf);
    return result;
}

static int32_t get_agents(struct web *web, const struct visit *visit)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 256 * 1024);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_key(&w, "agents");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < web->settings.agents->count; i++) {
        const struct agent *agent = web->settings.agents->list[i];
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "name", agent->name);
        aic_json_member_text(&w, "summary", agent->greeting);
        aic_json_member_bool(&w, "speaks", agent->tts.count > 0);
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    int32_t result = reply_json(visit->exchange, 200, aic_buf_view(&buf));
    aic_buf_finish(&buf);
    return result;
}

void voice_page_routes(struct web *web)
{
    web_route(web, AIC_METHOD_POST, "/calls/voice-test/token/",
              &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_token});
    web_route(web, AIC_METHOD_GET, "/calls/agents/",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_agents});
}
