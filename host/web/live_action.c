/* SPDX-License-Identifier: ISC */
#include "base/uuid.h"
#include "web/audit.h"
#include "web/web_private.h"

#include <stdlib.h>
#include <string.h>

/* POST /calls/<id>/hangup/ and /transfer/: what people do with a live call, wherever it lives. */

enum { NUMBER_TEXT = 256 };

struct action {
    struct held held; /* first */
    const char *name; /* for the audit */
    char call_id[UUID_TEXT];
    char actor[API_KEY_NAME + 8];
};

/* What the owner of the call has said. */
static const struct outcome {
    int32_t status;
    struct problem problem;
} outcomes[] = {
    {AIC_ERROR_NOT_FOUND,
     {.status = 404, .type = "no-live-call", .detail = "No such call is live."}},
    {AIC_ERROR_DENIED,
     {.status = 403,
      .type = "transfer-target",
      .detail = "\"to\" is not in the agent's list \"transfer\".",
      .field = "to"}},
    {AIC_ERROR_UNSUPPORTED,
     {.status = 409,
      .type = "no-transfer",
      .detail =
          "The agent's list \"transfer\" is empty, or the line of this call can not be handed "
          "over."}},
    {AIC_ERROR_CONFLICT,
     {.status = 409,
      .type = "not-talking",
      .detail = "The call does not talk yet, or not any more, or is being handed over."}},
    {AIC_ERROR_TIMEOUT,
     {.status = 503, .type = "no-answer", .detail = "The call's worker does not answer now."}},
};

static const struct problem not_taken = {
    .status = 502, .type = "carrier", .detail = "The carrier does not take it; the call goes on."};

static const struct problem *problem_of(int32_t status)
{
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        if (outcomes[i].status == status) {
            return &outcomes[i].problem;
        }
    }
    /* The line to the owner broke, or is full. */
    bool is_ours = status == AIC_ERROR_CLOSED || status == AIC_ERROR_BUSY;
    return is_ours ? problem_of(AIC_ERROR_TIMEOUT) : &not_taken;
}

static void done(void *data, int32_t status, struct aic_str answer)
{
    struct action *action = data;
    struct web *web = action->held.web;
    (void)answer;
    if (held_end(&action->held)) {
        const struct problem *problem = status == AIC_OK ? NULL : problem_of(status);
        web_audit(web, action->actor,
                  &(struct web_deed){.action = action->name,
                                     .object = action->call_id,
                                     .outcome = problem ? "refused" : "allowed",
                                     .reason = problem ? problem->type : NULL,
                                     .call_id = action->call_id});
        if (problem) {
            (void)reply_with(action->held.exchange, problem);
        } else {
            (void)reply_json(action->held.exchange, 202, AIC_STR("{\"ok\":true}"));
        }
    }
    free(action);
}

/* The part of a path behind "/calls/" and the next slash. */
static struct aic_str id_in(struct aic_str path)
{
    size_t skip = strlen("/calls/");
    struct aic_str id = {path.ptr + skip, path.len > skip ? path.len - skip : 0};
    const char *slash = id.len > 0 ? memchr(id.ptr, '/', id.len) : NULL;
    id.len = slash ? (size_t)(slash - id.ptr) : id.len;
    return id;
}

static bool is_action(struct aic_str path, const char *name)
{
    struct aic_str id = id_in(path);
    struct aic_str rest = {id.ptr + id.len, (size_t)(path.ptr + path.len - id.ptr) - id.len};
    rest.len -= rest.len > 1 && rest.ptr[rest.len - 1] == '/';
    return uuid_valid(id) && aic_str_equal(rest, name);
}

static bool is_hang_up(struct aic_str path)
{
    return is_action(path, "/hangup");
}

static bool is_transfer(struct aic_str path)
{
    return is_action(path, "/transfer");
}

/* NULL after answering why not. */
static struct action *begin(struct web *web, const struct visit *visit, const char *name)
{
    struct action *action = calloc(1, sizeof(*action));
    if (!action) {
        (void)reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
        return NULL;
    }
    held_begin(&action->held, web, visit->exchange);
    action->name = name;
    (void)aic_str_copy(id_in(visit->request->path), action->call_id, sizeof(action->call_id));
    (void)aic_str_copy(aic_str(web_actor(visit)), action->actor, sizeof(action->actor));
    return action;
}

static int32_t post_hang_up(struct web *web, const struct visit *visit)
{
    struct action *action = begin(web, visit, "call.hangup");
    if (action) {
        calls_hang_up(web->settings.calls, action->call_id,
                      visit->user ? "hung_up_by_operator" : "hung_up_by_api", done, action);
    }
    return AIC_OK;
}

static int check_member(void *data, const char *key, const struct aic_json *value)
{
    (void)data;
    return strcmp(key, "to") != 0 || !aic_json_is_string(value) ||
           aic_json_text(value).len >= NUMBER_TEXT;
}

static int32_t post_transfer(struct web *web, const struct visit *visit)
{
    struct aic_json *body = reply_parse_body(visit->exchange, visit->request);
    if (!body) {
        return AIC_OK;
    }
    if (aic_json_each(body, check_member, NULL) != 0) {
        (void)reply_with(visit->exchange,
                         &(struct problem){.status = 422,
                                           .type = "bad-field",
                                           .detail = "The body has one member, \"to\": a number of "
                                                     "the agent's list \"transfer\". Without it "
                                                     "the first one is taken.",
                                           .field = "to"});
    } else {
        struct action *action = begin(web, visit, "call.transfer");
        if (action) {
            calls_transfer(web->settings.calls, action->call_id, aic_json_get_text(body, "to"),
                           done, action);
        }
    }
    aic_json_free(body);
    return AIC_OK;
}

void live_action_routes(struct web *web)
{
    web_route(
        web, AIC_METHOD_POST, "/calls/*",
        &(struct web_route){.scope = API_SCOPE_CALL, .handle = post_hang_up, .exists = is_hang_up});
    web_route(web, AIC_METHOD_POST, "/calls/*",
              &(struct web_route){
                  .scope = API_SCOPE_CALL, .handle = post_transfer, .exists = is_transfer});
}
