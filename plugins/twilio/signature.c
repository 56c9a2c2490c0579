/* SPDX-License-Identifier: ISC */
#include "signature.h"

#include "base64.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

enum {
    SHA1_BYTES = 20,
    SHA256_BYTES = 32,
    SIGNED_MAX_BYTES = 256 << 10 /* of an address and its form */
};

void twilio_signature_make(char to[TWILIO_SIGNATURE_CHARS + 1], const char *token,
                           struct aic_str text)
{
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    to[0] = '\0';
    if (HMAC(EVP_sha1(), token, (int)strlen(token), (const unsigned char *)text.ptr, text.len, mac,
             &length) &&
        length == SHA1_BYTES) {
        to[aic_base64_encode(to, mac, SHA1_BYTES)] = '\0';
    }
}

/* An address in parts: "https", "voice.example.com", ":8443" or nothing. */
struct origin {
    bool is_secure;
    struct aic_str host;
    struct aic_str port;
};

static bool split_origin(const char *url, struct origin *origin)
{
    struct aic_str text = aic_str(url);
    origin->is_secure = aic_str_starts(text, "https://");
    if (!origin->is_secure && !aic_str_starts(text, "http://")) {
        return false;
    }
    size_t scheme = origin->is_secure ? 8 : 7;
    origin->host = (struct aic_str){text.ptr + scheme, text.len - scheme};
    origin->port = (struct aic_str){"", 0};
    for (size_t i = origin->host.len; i > 0 && origin->host.ptr[i - 1] != ']'; i--) {
        if (origin->host.ptr[i - 1] == ':') {
            origin->port = (struct aic_str){origin->host.ptr + i - 1, origin->host.len - i + 1};
            origin->host.len = i - 1;
            break;
        }
    }
    return origin->host.len > 0;
}

struct attempt {
    const struct twilio_signed *request;
    const struct twilio_tokens *tokens;
    struct aic_str header;
    struct origin origin;
    struct aic_buf form;
};

static bool is_signed(const struct attempt *attempt, struct aic_str text)
{
    char expected[TWILIO_SIGNATURE_CHARS + 1];
    bool is_good = false;
    for (size_t i = 0; i < TWILIO_TOKENS; i++) {
        const char *token = attempt->tokens->token[i];
        if (token && token[0]) {
            twilio_signature_make(expected, token, text);
            is_good |= expected[0] &&
                       CRYPTO_memcmp(expected, attempt->header.ptr, TWILIO_SIGNATURE_CHARS) == 0;
        }
    }
    return is_good;
}

/* One spelling of the address. */
static bool try_spelling(const struct attempt *attempt, struct aic_str port, struct aic_str path,
                         const char *slash)
{
    const struct twilio_signed *request = attempt->request;
    const char *scheme = request->is_websocket ? "ws" : "http";
    struct aic_buf text;
    aic_buf_init(&text, SIGNED_MAX_BYTES);
    aic_buf_printf(&text, "%s%s://", scheme, attempt->origin.is_secure ? "s" : "");
    aic_buf_str(&text, attempt->origin.host);
    aic_buf_str(&text, port);
    aic_buf_str(&text, path);
    aic_buf_text(&text, slash);
    if (request->query.len > 0) {
        aic_buf_char(&text, '?');
        aic_buf_str(&text, request->query);
    }
    aic_buf_str(&text, aic_buf_view(&attempt->form));
    bool is_good = !text.failed && is_signed(attempt, aic_buf_view(&text));
    aic_buf_finish(&text);
    return is_good;
}

/* The address as it is; that of a WebSocket also with a slash more or less at its end. */
static bool try_port(const struct attempt *attempt, struct aic_str port)
{
    struct aic_str path = attempt->request->path;
    if (try_spelling(attempt, port, path, "")) {
        return true;
    }
    if (!attempt->request->is_websocket) {
        return false;
    }
    bool has_slash = path.len > 0 && path.ptr[path.len - 1] == '/';
    return try_spelling(attempt, port, path, "/") ||
           (has_slash && try_spelling(attempt, port, (struct aic_str){path.ptr, path.len - 1}, ""));
}

/* A body that is no form is signed by its hash in the query; a hash without a body is none. */
static bool body_matches(const struct twilio_signed *request)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t hash[EVP_MAX_MD_SIZE];
    char text[2 * SHA256_BYTES + 1];
    unsigned length = 0;
    struct twilio_form query;
    if (!EVP_Digest(request->body.ptr, request->body.len, hash, &length, EVP_sha256(), NULL) ||
        length != SHA256_BYTES || twilio_form_parse(request->query, &query) != AIC_OK) {
        return false;
    }
    struct aic_str given = twilio_form_get(&query, "bodySHA256");
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        text[2 * i] = digits[hash[i] >> 4];
        text[2 * i + 1] = digits[hash[i] & 15];
    }
    text[sizeof(text) - 1] = '\0';
    bool is_good = aic_str_equal(given, text) || (given.len == 0 && request->body.len == 0);
    twilio_form_finish(&query);
    return is_good;
}

bool twilio_signature_matches(const struct twilio_signed *request,
                              const struct twilio_tokens *tokens, struct aic_str header)
{
    struct attempt attempt = {.request = request, .tokens = tokens, .header = header};
    if (header.len != TWILIO_SIGNATURE_CHARS || !request->public_url ||
        !split_origin(request->public_url, &attempt.origin) ||
        (!request->form && !body_matches(request))) {
        return false;
    }
    aic_buf_init(&attempt.form, SIGNED_MAX_BYTES);
    if (request->form) {
        twilio_form_join(&attempt.form, request->form);
    }
    struct aic_str port = attempt.origin.port;
    struct aic_str usual = aic_str(attempt.origin.is_secure ? ":443" : ":80");
    bool is_good = !attempt.form.failed &&
                   (try_port(&attempt, (struct aic_str){"", 0}) ||
                    (port.len > 0 && try_port(&attempt, port)) || try_port(&attempt, usual));
    aic_buf_finish(&attempt.form);
    return is_good;
}
