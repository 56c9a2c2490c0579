/* SPDX-License-Identifier: ISC */
/* What a client sends to the API: the first byte chooses credentials, a cookie, a session, or the
 * body of a request to place a call. What was accepted has to be within its bounds. */
#include "web/api_key.h"
#include "web/call_wish.h"
#include "web/cookie.h"
#include "web/hosts.h"
#include "web/idempotency.h"
#include "web/session_token.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_credentials(struct aic_str text)
{
    char hash[API_KEY_HASH];
    struct aic_str key = api_key_in_header(text);
    if (key.len > text.len || (api_key_hash(key, hash) && key.len != API_KEY_TEXT - 1)) {
        abort();
    }
}

static void read_cookie(struct aic_str text)
{
    char hash[API_KEY_HASH];
    struct aic_str value = cookie_find(text, api_key_cookie_name);
    if (value.len > text.len || api_key_cookie_check(value, "a secret", 0, hash)) {
        abort();
    }
}

static void read_session(struct aic_str text)
{
    static const char *const names[] = {"voice.example.com", NULL};
    char hash[SESSION_HASH];
    struct aic_str value = cookie_find(text, session_cookie_name);
    bool is_token = session_token_hash(value, hash);
    if (value.len > text.len || (is_token && value.len != SESSION_TOKEN - 1) ||
        (is_token && session_csrf_check(text, "a secret", hash))) {
        abort();
    }
    if (hosts_allow(names, "https://calls.example.com", text) && text.len < 17) {
        abort();
    }
}

static void check_wish(const struct call_wish *wish)
{
    char fingerprint[IDEMPOTENCY_FINGERPRINT];
    idempotency_fingerprint(fingerprint, wish->root);
    if (!wish->to || wish->to[0] != '+' || strlen(wish->to) > 16 ||
        wish->header_count > CONTEXT_HEADERS || wish->prompt.len > (size_t)4 * CALL_WISH_PROMPT ||
        (wish->context_url && strlen(wish->context_url) > CALL_WISH_URL) ||
        strlen(fingerprint) != IDEMPOTENCY_FINGERPRINT - 1) {
        abort();
    }
    for (uint32_t i = 0; i < wish->header_count; i++) {
        struct aic_str value = wish->headers[i].value;
        if (value.len > 0 &&
            (memchr(value.ptr, '\n', value.len) || memchr(value.ptr, '\r', value.len))) {
            abort();
        }
    }
}

static void read_body(struct aic_str text)
{
    struct call_wish wish;
    struct call_wish_problem problem;
    struct aic_json *root = aic_json_parse(text, 0);
    if (!aic_json_is_object(root)) {
        aic_json_free(root);
        return;
    }
    if (call_wish_read(&wish, root, &problem)) {
        check_wish(&wish);
    } else if (!problem.detail[0]) {
        abort();
    }
    call_wish_finish(&wish);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 1, size - 1};
    switch (data[0]) {
    case 'k':
        read_credentials(text);
        break;
    case 'c':
        read_cookie(text);
        break;
    case 's':
        read_session(text);
        break;
    case 'b':
        read_body(text);
        break;
    default:
        break;
    }
    return 0;
}
