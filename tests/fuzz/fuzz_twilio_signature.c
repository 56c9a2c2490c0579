/* SPDX-License-Identifier: ISC */
/*
 * Lines of: public address, path, query, header; the rest is the body. The first byte says of what
 * kind the request is.
 */
#include "twilio/signature.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct twilio_tokens tokens = {{"aicaller_test_token_0123456789ab", NULL}};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static struct aic_str take_line(struct aic_str *text)
{
    const char *end = text->len > 0 ? memchr(text->ptr, '\n', text->len) : NULL;
    struct aic_str line = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t skip = line.len + (end ? 1 : 0);
    *text = (struct aic_str){text->ptr + skip, text->len - skip};
    return line;
}

/* Whoever has the token can sign the address as it stands, and nobody else can. */
static void check_own(const struct twilio_signed *request)
{
    char header[TWILIO_SIGNATURE_CHARS + 1];
    struct aic_buf text;
    size_t scheme = aic_str_starts(aic_str(request->public_url), "https://") ? 5 : 4;
    aic_buf_init(&text, 1 << 20);
    aic_buf_text(&text, request->is_websocket ? "ws" : "http");
    aic_buf_text(&text, scheme == 5 ? "s" : "");
    aic_buf_text(&text, request->public_url + scheme);
    aic_buf_str(&text, request->path);
    aic_buf_text(&text, request->query.len > 0 ? "?" : "");
    aic_buf_str(&text, request->query);
    if (request->form) {
        twilio_form_join(&text, request->form);
    }
    twilio_signature_make(header, tokens.token[0], aic_buf_view(&text));
    check(twilio_signature_matches(request, &tokens, aic_str(header)));
    twilio_signature_make(header, "another token", aic_buf_view(&text));
    check(!twilio_signature_matches(request, &tokens, aic_str(header)));
    aic_buf_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 1, size - 1};
    char *public_url = aic_str_dup(take_line(&text));
    struct twilio_signed request = {.public_url = public_url, .is_websocket = data[0] & 1};
    request.path = take_line(&text);
    request.query = take_line(&text);
    struct aic_str header = take_line(&text);
    struct twilio_form form = {.count = 0};
    if ((data[0] & 2) && twilio_form_parse(text, &form) == AIC_OK) {
        request.form = &form;
    } else if (data[0] & 4) {
        request.body = text;
    }
    check(!twilio_signature_matches(&request, &tokens, header));
    struct aic_str origin = aic_str(public_url);
    bool is_address = (aic_str_starts(origin, "https://") && origin.len > 8) ||
                      (aic_str_starts(origin, "http://") && origin.len > 7);
    bool has_port = is_address && strchr(public_url + 7, ':');
    struct twilio_form fields;
    bool has_few = twilio_form_parse(request.query, &fields) == AIC_OK; /* many are refused */
    twilio_form_finish(&fields);
    if (is_address && !has_port && has_few && (request.form || request.body.len == 0) &&
        !memmem(request.query.ptr, request.query.len, "bodySHA256", 10) &&
        !memchr(request.query.ptr, '%', request.query.len)) {
        check_own(&request);
    }
    twilio_form_finish(&form);
    free(public_url);
    return 0;
}
