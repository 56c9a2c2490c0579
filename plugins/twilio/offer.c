/* SPDX-License-Identifier: ISC */
/*
 * Calls that Twilio asks about and the host decides upon. An offer lives from the request to its
 * answer; the answer is a document.
 */
#include "provider.h"

#include <stdlib.h>

enum { MAX_OFFERS = 1000 };

struct twilio_offer {
    struct twilio_offer *next;
    struct aic_exchange *exchange;
    uint32_t kind;
    bool was_transferred;
    char call_sid[TWILIO_RING_SID_BYTES];
};

int32_t twilio_answer(struct twilio_provider *provider, struct aic_exchange *exchange,
                      int32_t status, const char *text)
{
    struct aic_response response = {.size = sizeof(response), .status = status};
    if (text) {
        response.content_type = "text/plain; charset=utf-8";
        response.body = aic_str(text);
    }
    return provider->route->respond(provider->host, exchange, &response);
}

int32_t twilio_answer_xml(struct twilio_provider *provider, struct aic_exchange *exchange,
                          const struct aic_buf *xml)
{
    if (xml->failed) {
        twilio_log(provider, AIC_LOG_ERROR, "an answer to Twilio does not fit into a document");
        return twilio_answer(provider, exchange, 500, "the answer does not fit");
    }
    struct aic_response response = {.size = sizeof(response),
                                    .status = 200,
                                    .content_type = "text/xml; charset=utf-8",
                                    .body = aic_buf_view(xml)};
    return provider->route->respond(provider->host, exchange, &response);
}

/* Takes an offer out of the list; false: it is in none. */
static bool unlink_offer(struct twilio_provider *provider, const struct twilio_offer *offer)
{
    struct twilio_offer **at = &provider->offers;
    while (*at && *at != offer) {
        at = &(*at)->next;
    }
    if (!*at) {
        return false;
    }
    *at = offer->next;
    provider->offer_count--;
    return true;
}

/* Ends an offer with a document. */
static int32_t close_offer(struct twilio_provider *provider, struct twilio_offer *offer,
                           const struct aic_buf *xml)
{
    if (offer->kind == AIC_OFFER_RING && !xml->failed) {
        twilio_rings_answer(&provider->rings, aic_str(offer->call_sid), aic_buf_view(xml));
    }
    int32_t status = twilio_answer_xml(provider, offer->exchange, xml);
    free(offer);
    return status;
}

/* A call that has rung before does not come to the host again. */
static bool answer_repeated(struct twilio_provider *provider, const struct twilio_ask_host *ask)
{
    const char *known = NULL;
    struct aic_str sid = ask->call_sid;
    switch (twilio_rings_note(&provider->rings, sid, twilio_now(provider), &known)) {
    case TWILIO_RINGS_FIRST:
        return false;
    case TWILIO_RINGS_REPLAYED:
        provider->counters.replays++;
        twilio_log(provider, AIC_LOG_WARN, "call %.*s has rung before: a replay was refused",
                   (int)sid.len, sid.ptr);
        (void)twilio_answer(provider, ask->exchange, 403, "this call has rung before");
        return true;
    case TWILIO_RINGS_AGAIN:
        break;
    }
    if (!known) {
        (void)twilio_answer(provider, ask->exchange, 503, "this call is being decided upon");
        return true;
    }
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 200,
                                          .content_type = "text/xml; charset=utf-8",
                                          .body = aic_str(known)};
    (void)provider->route->respond(provider->host, ask->exchange, &response);
    return true;
}

void twilio_offer_make(struct twilio_provider *provider, const struct twilio_ask_host *ask)
{
    if (ask->kind == AIC_OFFER_RING && answer_repeated(provider, ask)) {
        return;
    }
    struct twilio_offer *offer =
        provider->offer_count < MAX_OFFERS ? calloc(1, sizeof(*offer)) : NULL;
    if (!offer) {
        twilio_log(provider, AIC_LOG_ERROR, "too many calls wait for an answer at once");
        (void)twilio_answer(provider, ask->exchange, 503, "too many calls at once");
        return;
    }
    offer->exchange = ask->exchange;
    offer->kind = ask->kind;
    offer->was_transferred = ask->was_transferred;
    (void)aic_str_copy(ask->call_sid, offer->call_sid, sizeof(offer->call_sid));
    offer->next = provider->offers;
    provider->offers = offer;
    provider->offer_count++;
    struct aic_telephony_event event = twilio_event(AIC_TEL_EVENT_OFFER);
    event.offer = offer;
    event.offer_kind = ask->kind;
    event.direction = ask->kind == AIC_OFFER_RING ? AIC_DIRECTION_INBOUND : ask->direction;
    event.provider_call_id = ask->call_sid;
    event.call_id = ask->call_id;
    event.from = ask->from;
    event.to = ask->to;
    twilio_tell(provider, &event);
}

int32_t twilio_offer_accept(void *self, void *given, const struct aic_telephony_accept *params)
{
    struct twilio_provider *provider = self;
    struct twilio_offer *offer = given;
    const char *public_url = twilio_public_url(provider);
    struct aic_buf xml;
    if (!params->call_id || !params->token || !public_url || !unlink_offer(provider, offer)) {
        return AIC_ERROR_INVALID;
    }
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    /* A call that we dialled is recorded since it was dialled. */
    twilio_twiml_stream(&xml, public_url, params->call_id, params->token,
                        provider->settings.records && offer->kind == AIC_OFFER_RING);
    int32_t status = close_offer(provider, offer, &xml);
    aic_buf_finish(&xml);
    return status;
}

int32_t twilio_offer_reject(void *self, void *given, uint32_t reason)
{
    struct twilio_provider *provider = self;
    struct twilio_offer *offer = given;
    struct aic_buf xml;
    if (!unlink_offer(provider, offer)) {
        return AIC_ERROR_INVALID;
    }
    if (reason == AIC_REJECT_FAILED && offer->kind == AIC_OFFER_RING) {
        /* Twilio turns to the number's fallback, if it has one. */
        int32_t status = twilio_answer(provider, offer->exchange, 503, "no calls are taken now");
        free(offer);
        return status;
    }
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    if (offer->kind == AIC_OFFER_RING) {
        twilio_twiml_reject(&xml, reason == AIC_REJECT_BUSY);
    } else {
        bool is_sorry = offer->was_transferred || reason == AIC_REJECT_FAILED;
        const char *say = is_sorry ? provider->settings.apology : "";
        twilio_twiml_hangup(&xml, &provider->settings.voice, aic_str(say));
    }
    int32_t status = close_offer(provider, offer, &xml);
    aic_buf_finish(&xml);
    return status;
}

void twilio_offer_stop(struct twilio_provider *provider)
{
    while (provider->offers) {
        struct twilio_offer *offer = provider->offers;
        (void)unlink_offer(provider, offer);
        (void)twilio_answer(provider, offer->exchange, 503, "the server stops");
        free(offer);
    }
}
