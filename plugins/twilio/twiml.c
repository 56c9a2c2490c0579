/* SPDX-License-Identifier: ISC */
#include "twiml.h"

#include "form.h"
#include "utf8.h"

#include <string.h>

/* Characters that XML 1.0 has: no control characters but three, no halves of pairs. */
static bool is_xml(uint32_t code)
{
    return code == '\t' || code == '\n' || code == '\r' || (code >= 0x20 && code < 0xfffe) ||
           code > 0xffff;
}

/* How a character is written that means something else; NULL: as it is. */
static const char *escape_of(uint32_t code)
{
    switch (code) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&apos;";
    case '\t': /* A reader would make these three blanks in attributes. */
        return "&#9;";
    case '\n':
        return "&#10;";
    case '\r':
        return "&#13;";
    default:
        return NULL;
    }
}

void twilio_xml_escape(struct aic_buf *to, struct aic_str text)
{
    for (size_t i = 0; i < text.len;) {
        uint32_t code = 0;
        size_t bytes = aic_utf8_decode(text.ptr + i, text.len - i, &code);
        const char *escape = bytes > 0 ? escape_of(code) : "\xef\xbf\xbd";
        if (escape) {
            aic_buf_text(to, escape);
        } else if (is_xml(code)) {
            aic_buf_add(to, text.ptr + i, bytes);
        }
        i += bytes > 0 ? bytes : 1;
    }
}

static void attribute(struct aic_buf *to, const char *name, struct aic_str value)
{
    aic_buf_printf(to, " %s=\"", name);
    twilio_xml_escape(to, value);
    aic_buf_char(to, '"');
}

void twilio_url(struct aic_buf *to, const char *public_url, const char *path, const char *call_id)
{
    aic_buf_text(to, public_url);
    aic_buf_text(to, path);
    if (call_id && call_id[0]) {
        aic_buf_text(to, "?call=");
        twilio_form_escape(to, aic_str(call_id));
    }
}

static void attribute_url(struct aic_buf *to, const char *name, const char *public_url,
                          const char *path, const char *call_id)
{
    struct aic_buf url;
    aic_buf_init(&url, TWILIO_TWIML_MAX_BYTES);
    twilio_url(&url, public_url, path, call_id);
    to->failed |= url.failed;
    attribute(to, name, aic_buf_view(&url));
    aic_buf_finish(&url);
}

static void begin(struct aic_buf *to)
{
    aic_buf_text(to, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>");
}

static void end(struct aic_buf *to)
{
    aic_buf_text(to, "</Response>");
}

static void parameter(struct aic_buf *to, const char *name, const char *value)
{
    /* Longer ones Twilio would leave out, and the call would come without its token. */
    to->failed |= strlen(name) + twilio_chars(aic_str(value)) > TWILIO_PARAMETER_MAX_CHARS;
    aic_buf_text(to, "<Parameter");
    attribute(to, "name", aic_str(name));
    attribute(to, "value", aic_str(value));
    aic_buf_text(to, "/>");
}

static void redirect_to_resume(struct aic_buf *to, const char *public_url, const char *call_id)
{
    struct aic_buf url;
    aic_buf_init(&url, TWILIO_TWIML_MAX_BYTES);
    twilio_url(&url, public_url, TWILIO_PATH_RESUME, call_id);
    to->failed |= url.failed;
    aic_buf_text(to, "<Redirect method=\"POST\">");
    twilio_xml_escape(to, aic_buf_view(&url));
    aic_buf_text(to, "</Redirect>");
    aic_buf_finish(&url);
}

void twilio_twiml_stream(struct aic_buf *to, const char *public_url, const char *call_id,
                         const char *token, bool is_recorded)
{
    struct aic_buf url;
    aic_buf_init(&url, TWILIO_TWIML_MAX_BYTES);
    /* "https" becomes "wss", "http" becomes "ws". */
    aic_buf_text(&url, "ws");
    aic_buf_text(&url, strncmp(public_url, "http", 4) == 0 ? public_url + 4 : public_url);
    aic_buf_text(&url, TWILIO_PATH_MEDIA);
    begin(to);
    aic_buf_text(to, "<Connect><Stream");
    to->failed |= url.failed;
    attribute(to, "url", aic_buf_view(&url));
    attribute_url(to, "statusCallback", public_url, TWILIO_PATH_STATUS, call_id);
    attribute(to, "statusCallbackMethod", AIC_STR("POST"));
    aic_buf_char(to, '>');
    parameter(to, "token", token);
    parameter(to, "call", call_id);
    if (is_recorded) {
        parameter(to, "record", "true");
    }
    aic_buf_text(to, "</Stream></Connect>");
    redirect_to_resume(to, public_url, call_id);
    end(to);
    aic_buf_finish(&url);
}

void twilio_twiml_reject(struct aic_buf *to, bool is_busy)
{
    begin(to);
    aic_buf_printf(to, "<Reject reason=\"%s\"/>", is_busy ? "busy" : "rejected");
    end(to);
}

static bool is_blank(struct aic_str text)
{
    size_t i = 0;
    while (i < text.len && (unsigned char)text.ptr[i] <= ' ') {
        i++;
    }
    return i == text.len;
}

static void say(struct aic_buf *to, const struct twilio_voice *voice, struct aic_str text)
{
    if (is_blank(text)) {
        return;
    }
    to->failed |= twilio_chars(text) > TWILIO_SAY_MAX_CHARS;
    aic_buf_text(to, "<Say");
    if (voice->name && voice->name[0]) {
        attribute(to, "voice", aic_str(voice->name));
    }
    if (voice->language && voice->language[0]) {
        attribute(to, "language", aic_str(voice->language));
    }
    aic_buf_char(to, '>');
    twilio_xml_escape(to, text);
    aic_buf_text(to, "</Say>");
}

void twilio_twiml_hangup(struct aic_buf *to, const struct twilio_voice *voice, struct aic_str text)
{
    begin(to);
    say(to, voice, text);
    aic_buf_text(to, "<Hangup/>");
    end(to);
}

void twilio_twiml_say(struct aic_buf *to, const struct twilio_voice *voice, struct aic_str text)
{
    begin(to);
    say(to, voice, text);
    end(to);
}

void twilio_twiml_digits(struct aic_buf *to, const char *public_url, const char *call_id,
                         struct aic_str digits)
{
    begin(to);
    aic_buf_text(to, "<Play");
    attribute(to, "digits", digits);
    aic_buf_text(to, "/>");
    redirect_to_resume(to, public_url, call_id);
    end(to);
}

void twilio_twiml_transfer(struct aic_buf *to, const struct twilio_transfer *transfer)
{
    const char *noun = strncmp(transfer->to, "sip:", 4) == 0 ? "Sip" : "Number";
    begin(to);
    aic_buf_text(to, "<Dial");
    attribute(to, "action", aic_str(transfer->action_url));
    attribute(to, "method", AIC_STR("POST"));
    if (transfer->ring_s > 0) {
        aic_buf_printf(to, " timeout=\"%lld\"", (long long)transfer->ring_s);
    }
    if (transfer->caller_id[0]) {
        attribute(to, "callerId", aic_str(transfer->caller_id));
    }
    aic_buf_printf(to, "><%s", noun);
    if (transfer->whisper_url[0]) {
        attribute(to, "url", aic_str(transfer->whisper_url));
        attribute(to, "method", AIC_STR("POST"));
    }
    aic_buf_char(to, '>');
    twilio_xml_escape(to, aic_str(transfer->to));
    aic_buf_printf(to, "</%s></Dial>", noun);
    end(to);
}

size_t twilio_chars(struct aic_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}
