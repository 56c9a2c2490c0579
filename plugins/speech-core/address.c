/* SPDX-License-Identifier: ISC */
#include "address.h"

#include <string.h>
#include <strings.h>

static size_t scheme_bytes(const char *url, bool *is_tls)
{
    *is_tls = strncasecmp(url, "https://", 8) == 0;
    if (*is_tls) {
        return 8;
    }
    return strncasecmp(url, "http://", 7) == 0 ? 7 : 0;
}

bool speech_address_is_base(const char *url)
{
    bool is_tls = false;
    size_t scheme = url ? scheme_bytes(url, &is_tls) : 0;
    return scheme > 0 && url[scheme] != '\0' && !strpbrk(url, "?# \t\r\n") &&
           strlen(url) <= SPEECH_BASE_MAX_BYTES;
}

static size_t base_bytes(const char *url)
{
    size_t length = strlen(url);
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    return length;
}

void speech_address_http(struct aic_buf *to, const char *url)
{
    (void)aic_buf_add(to, url, base_bytes(url));
}

void speech_address_socket(struct aic_buf *to, const char *url)
{
    bool is_tls = false;
    size_t scheme = scheme_bytes(url, &is_tls);
    aic_buf_text(to, is_tls ? "wss://" : "ws://");
    (void)aic_buf_add(to, url + scheme, base_bytes(url) - scheme);
}

size_t speech_address_path_bytes(const char *url)
{
    bool is_tls = false;
    size_t scheme = scheme_bytes(url, &is_tls);
    size_t host = strcspn(url + scheme, "/");
    size_t base = base_bytes(url);
    return base > scheme + host ? base - scheme - host : 0;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '~';
}

void speech_address_escape(struct aic_buf *to, struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (is_plain(text.ptr[i])) {
            aic_buf_char(to, text.ptr[i]);
        } else {
            aic_buf_printf(to, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
        }
    }
}

void speech_address_member(struct aic_buf *to, const char *name, struct aic_str value)
{
    struct aic_str all = aic_buf_view(to);
    aic_buf_char(to, all.len > 0 && memchr(all.ptr, '?', all.len) ? '&' : '?');
    aic_buf_text(to, name);
    aic_buf_char(to, '=');
    speech_address_escape(to, value);
}

void speech_address_number(struct aic_buf *to, const char *name, double value)
{
    struct aic_buf text;
    aic_buf_init(&text, 32);
    aic_buf_printf(&text, "%.10g", value);
    speech_address_member(to, name, aic_buf_view(&text));
    aic_buf_finish(&text);
}

void speech_address_flag(struct aic_buf *to, const char *name, bool value)
{
    speech_address_member(to, name, aic_str(value ? "true" : "false"));
}
