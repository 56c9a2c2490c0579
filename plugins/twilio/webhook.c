/* SPDX-License-Identifier: ISC */
/*
 * What Twilio asks and tells over HTTP. Nothing is believed before its signature is checked, and
 * nothing is remembered of a call: what belongs to it stands in the request and in its address.
 */
#include "hook.h"
#include "whisper.h"

struct twilio_webhook {
    const char *path;
    uint32_t methods;
    void (*take)(struct twilio_hook *hook);
};

static void answer_bad(struct twilio_hook *hook, const char *what)
{
    hook->provider->counters.bad_hooks++;
    twilio_log(hook->provider, AIC_LOG_WARN, "a request of Twilio was refused: %s", what);
    (void)twilio_answer(hook->provider, hook->exchange, 400, what);
}

static void offer(struct twilio_hook *hook, uint32_t kind, bool was_transferred)
{
    const struct twilio_ask_host ask = {
        .exchange = hook->exchange,
        .kind = kind,
        .direction = twilio_hook_direction(hook),
        .call_sid = twilio_hook_get(hook, "CallSid"),
        .call_id = kind == AIC_OFFER_RING ? (struct aic_str){"", 0} : twilio_hook_call_id(hook),
        .from = twilio_hook_get(hook, "From"),
        .to = twilio_hook_get(hook, "To"),
        .was_transferred = was_transferred,
    };
    if (!twilio_is_sid(ask.call_sid)) {
        answer_bad(hook, "CallSid is missing");
        return;
    }
    twilio_offer_make(hook->provider, &ask);
}

static void take_inbound(struct twilio_hook *hook)
{
    offer(hook, AIC_OFFER_RING, false);
}

/* What the called person hears before a transfer. */
static void answer_whisper(struct twilio_hook *hook, struct aic_str sealed)
{
    struct twilio_provider *provider = hook->provider;
    struct aic_buf text;
    struct aic_buf xml;
    aic_buf_init(&text, TWILIO_WHISPER_MAX_BYTES);
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    if (twilio_whisper_open(&text, provider->settings.tokens.token[0], sealed) != AIC_OK) {
        /* The call is joined all the same; it is better without a word than not at all. */
        twilio_log(provider, AIC_LOG_WARN, "what was to be said before a transfer can not be read");
    }
    twilio_twiml_say(&xml, &provider->settings.voice, aic_buf_view(&text));
    (void)twilio_answer_xml(provider, hook->exchange, &xml);
    aic_buf_finish(&xml);
    aic_buf_finish(&text);
}

static void take_twiml(struct twilio_hook *hook)
{
    struct aic_str sealed = twilio_form_get(&hook->query, "whisper");
    if (sealed.len > 0) {
        answer_whisper(hook, sealed);
        return;
    }
    if (twilio_hook_direction(hook) == AIC_DIRECTION_INBOUND) {
        offer(hook, AIC_OFFER_RING, false);
        return;
    }
    twilio_dial_seen(hook->provider, twilio_hook_call_id(hook), twilio_hook_get(hook, "CallSid"));
    if (twilio_hook_get(hook, "AnsweredBy").len > 0) {
        twilio_hook_answered_by(hook);
    }
    offer(hook, AIC_OFFER_ANSWERED, false);
}

static void take_resume(struct twilio_hook *hook)
{
    struct aic_str dial_status = twilio_hook_get(hook, "DialCallStatus");
    if (dial_status.len > 0 && twilio_hook_transferred(hook, dial_status)) {
        struct aic_buf xml;
        aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
        twilio_twiml_hangup(&xml, &hook->provider->settings.voice, (struct aic_str){"", 0});
        (void)twilio_answer_xml(hook->provider, hook->exchange, &xml);
        aic_buf_finish(&xml);
        return;
    }
    offer(hook, AIC_OFFER_RESUME, dial_status.len > 0);
}

/* All that Twilio tells without waiting for instructions comes here. */
static void take_status(struct twilio_hook *hook)
{
    struct aic_str call_sid = twilio_hook_get(hook, "CallSid");
    if (!twilio_is_sid(call_sid)) {
        answer_bad(hook, "CallSid is missing");
        return;
    }
    /* The end of the other leg of a transfer is not that of the call. */
    if (twilio_hook_get(hook, "ParentCallSid").len == 0) {
        twilio_dial_seen(hook->provider, twilio_hook_call_id(hook), call_sid);
        twilio_hook_status(hook);
    }
    (void)twilio_answer(hook->provider, hook->exchange, 204, NULL);
}

/* Belief */

static bool is_form(const struct twilio_hook *hook)
{
    const struct twilio_provider *provider = hook->provider;
    struct aic_str type = provider->route->header(provider->host, hook->exchange, "content-type");
    size_t end = 0;
    while (end < type.len && type.ptr[end] != ';' && type.ptr[end] != ' ') {
        end++;
    }
    return hook->request->method == AIC_METHOD_POST &&
           aic_str_equal_nocase((struct aic_str){type.ptr, end},
                                "application/x-www-form-urlencoded");
}

static bool is_signed(struct twilio_hook *hook)
{
    const struct twilio_provider *provider = hook->provider;
    const struct twilio_signed request = {
        .public_url = twilio_public_url(provider),
        .path = hook->request->path,
        .query = hook->request->query,
        .form = hook->has_form ? &hook->form : NULL,
        .body = hook->has_form ? (struct aic_str){"", 0} : hook->request->body,
    };
    return twilio_signature_matches(
        &request, &provider->settings.tokens,
        provider->route->header(provider->host, hook->exchange, "x-twilio-signature"));
}

/* Nobody else has a better claim to this request, and it is not Twilio's. */
static void refuse(struct twilio_hook *hook)
{
    struct twilio_provider *provider = hook->provider;
    provider->counters.unsigned_hooks++;
    twilio_warn_rarely(provider, &provider->unsigned_hook_line,
                       twilio_public_url(provider)
                           ? "a request was refused: it does not carry Twilio's signature for "
                             "server.public_url and auth_token"
                           : "a request was refused: its signature can not be checked without "
                             "server.public_url");
    (void)twilio_answer(provider, hook->exchange, 403, "the signature does not match");
}

static int32_t take_believed(struct twilio_hook *hook, const struct twilio_webhook *webhook)
{
    struct twilio_provider *provider = hook->provider;
    struct aic_str account = twilio_hook_get(hook, "AccountSid");
    struct aic_str header =
        provider->route->header(provider->host, hook->exchange, "x-twilio-signature");
    if (header.len > 0 && account.len > 0 &&
        !aic_str_equal(account, provider->settings.account_sid)) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (is_signed(hook)) {
        provider->counters.webhooks++;
        webhook->take(hook);
        return AIC_OK;
    }
    refuse(hook);
    return AIC_OK;
}

static int32_t on_request(void *data, struct aic_exchange *exchange,
                          const struct aic_request *request)
{
    const struct twilio_route *route = data;
    struct twilio_hook hook = {
        .provider = route->provider, .exchange = exchange, .request = request};
    if (!route->provider->sink) {
        return AIC_ERROR_NOT_FOUND;
    }
    hook.has_form = is_form(&hook);
    int32_t status = twilio_form_parse(request->query, &hook.query);
    if (status == AIC_OK && hook.has_form) {
        status = twilio_form_parse(request->body, &hook.form);
    }
    if (status == AIC_OK) {
        status = take_believed(&hook, route->webhook);
    } else {
        answer_bad(&hook, "the form has too many fields");
        status = AIC_OK;
    }
    twilio_form_finish(&hook.query);
    twilio_form_finish(&hook.form);
    return status;
}

static const struct twilio_webhook webhooks[TWILIO_ROUTES] = {
    {TWILIO_PATH_INBOUND, AIC_METHOD_POST, take_inbound},
    {TWILIO_PATH_TWIML, AIC_METHOD_GET | AIC_METHOD_POST, take_twiml},
    {TWILIO_PATH_STATUS, AIC_METHOD_POST, take_status},
    {TWILIO_PATH_RESUME, AIC_METHOD_POST, take_resume},
};

int32_t twilio_webhook_start(struct twilio_provider *provider)
{
    for (size_t i = 0; i < TWILIO_ROUTES; i++) {
        provider->routes[i] = (struct twilio_route){provider, &webhooks[i]};
        const struct aic_http_route route = {.size = sizeof(route),
                                             .methods = webhooks[i].methods,
                                             .path = webhooks[i].path,
                                             .data = &provider->routes[i],
                                             .max_body_bytes = TWILIO_TEXT_MAX_BYTES,
                                             .handle = on_request};
        int32_t status = provider->route->add_http(provider->host, &route);
        if (status != AIC_OK) {
            return status;
        }
    }
    return AIC_OK;
}
