/* SPDX-License-Identifier: ISC */
#include "load/hooks.h"

#include "twilio/signature.h"

#include <stdlib.h>
#include <string.h>

enum { FORM_BYTES = 2048 };

static const char host[] = "voice.example.com";
static const char ours[] = "+15005550006";

/* Parameters in the order of their names, as they are signed: name and value without anything
 * between. */
void hook_inbound(const struct plan *plan, int number, const char *sid, struct aic_buf *to)
{
    char signature[TWILIO_SIGNATURE_CHARS + 1];
    struct aic_buf text;
    struct aic_buf form;
    aic_buf_init(&text, FORM_BYTES);
    aic_buf_init(&form, FORM_BYTES);
    aic_buf_printf(&text,
                   "%s/calls/inbound/AccountSid" HOOK_ACCOUNT
                   "ApiVersion2010-04-01CallSid%sCallStatusringingDirectioninbound"
                   "From+1555%07dTo%s",
                   plan->public_url, sid, number, ours);
    twilio_signature_make(signature, plan->token, aic_buf_view(&text));
    aic_buf_printf(&form,
                   "AccountSid=" HOOK_ACCOUNT "&ApiVersion=2010-04-01&CallSid=%s"
                   "&CallStatus=ringing&Direction=inbound&From=%%2B1555%07d&To=%%2B%s",
                   sid, number, ours + 1);
    aic_buf_printf(to,
                   "POST /calls/inbound/ HTTP/1.1\r\nHost: %s\r\n"
                   "Content-Type: application/x-www-form-urlencoded\r\n"
                   "X-Twilio-Signature: %s\r\nContent-Length: %zu\r\n\r\n%s",
                   host, signature, form.len, form.data);
    aic_buf_finish(&form);
    aic_buf_finish(&text);
}

/* The text between two marks, the first one looked for from `from` on; NULL when it is not there.
 */
static const char *between(const char *from, const char *before, char end, char *to, size_t room)
{
    const char *begin = from ? strstr(from, before) : NULL;
    begin = begin ? begin + strlen(before) : NULL;
    const char *stop = begin ? strchr(begin, end) : NULL;
    if (!stop || !aic_str_copy((struct aic_str){begin, (size_t)(stop - begin)}, to, room)) {
        return NULL;
    }
    return begin;
}

bool hook_stream_read(struct aic_str twiml, const char *public_url, struct hook_stream *stream)
{
    char before[160] = "<Stream url=\"wss";
    char *text = aic_str_dup(twiml);
    (void)aic_str_copy(aic_str(strstr(public_url, "://")), before + strlen(before),
                       sizeof(before) - strlen(before));
    bool is_there =
        between(text, before, '"', stream->path, sizeof(stream->path)) &&
        between(text, "name=\"token\" value=\"", '"', stream->token, sizeof(stream->token)) &&
        between(text, "name=\"call\" value=\"", '"', stream->call, sizeof(stream->call));
    free(text);
    return is_there;
}

void hook_upgrade(const struct plan *plan, const struct hook_stream *stream, struct aic_buf *to)
{
    char signature[TWILIO_SIGNATURE_CHARS + 1];
    struct aic_buf text;
    aic_buf_init(&text, FORM_BYTES);
    aic_buf_printf(&text, "wss%s%s", strstr(plan->public_url, "://"), stream->path);
    twilio_signature_make(signature, plan->token, aic_buf_view(&text));
    aic_buf_printf(to,
                   "GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: Twilio.TmeWs/1.0\r\n"
                   "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "X-Twilio-Signature: %s\r\n\r\n",
                   stream->path, host, signature);
    aic_buf_finish(&text);
}

void hook_start(const struct hook_stream *stream, const char *call_sid, const char *stream_sid,
                struct aic_buf *to)
{
    aic_buf_printf(to,
                   "{\"event\":\"start\",\"sequenceNumber\":\"1\",\"streamSid\":\"%s\","
                   "\"start\":{\"accountSid\":\"" HOOK_ACCOUNT "\",\"streamSid\":\"%s\","
                   "\"callSid\":\"%s\",\"tracks\":[\"inbound\"],"
                   "\"mediaFormat\":{\"encoding\":\"audio/x-mulaw\",\"sampleRate\":8000,"
                   "\"channels\":1},"
                   "\"customParameters\":{\"token\":\"%s\",\"call\":\"%s\"}}}",
                   stream_sid, stream_sid, call_sid, stream->token, stream->call);
}
