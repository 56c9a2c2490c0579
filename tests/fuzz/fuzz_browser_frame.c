/* SPDX-License-Identifier: ISC */
/* What a page may send: text messages, and the two headers of its handshake after an 'O'. */
#include "browser/origin.h"
#include "browser/protocol.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void try_origin(struct aic_str text)
{
    const char *line = text.len > 0 ? memchr(text.ptr, '\n', text.len) : NULL;
    struct aic_str origin = {text.ptr, line ? (size_t)(line - text.ptr) : text.len};
    struct aic_str host = {"localhost:8000", 14};
    if (line) {
        host = (struct aic_str){line + 1, text.len - origin.len - 1};
    }
    if (origin.len > 0 && browser_origin_is_ours(origin, host, "https://voice.example.com")) {
        check(aic_str_starts(origin, "http://") || aic_str_starts(origin, "https://"));
    }
}

static void try_message(struct aic_str text)
{
    struct browser_message m;
    const char *problem = NULL;
    if (browser_message_parse(text, &m, &problem) != AIC_OK) {
        check(problem != NULL);
        return;
    }
    check(m.kind != BROWSER_START || (m.token.len > 0 && m.token.len <= BROWSER_TOKEN_MAX_BYTES));
    check(m.call_id.len <= BROWSER_NAME_MAX_BYTES && m.agent.len <= BROWSER_NAME_MAX_BYTES);
    check(m.kind != BROWSER_TEXT ||
          (m.text.len > 0 && m.text.len <= BROWSER_TEXT_MAX_BYTES && aic_utf8_valid(m.text)));
    check(m.kind != BROWSER_DTMF || m.text.len == 1);
    browser_message_finish(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    if (size > 0 && data[0] == 'O') {
        try_origin((struct aic_str){text.ptr + 1, size - 1});
    } else {
        try_message(text);
    }
    return 0;
}
