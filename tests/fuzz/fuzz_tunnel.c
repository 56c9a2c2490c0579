/* SPDX-License-Identifier: ISC */
/* The log and the API of tunnel clients: the first byte says which. */
#include "io/tunnel.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct tunnel_news news = {.url = "", .why = ""};
    if (size == 0) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 1, size - 1};
    if (data[0] % 3 == 0) {
        (void)tunnel_list_find(text, 8000, news.url);
    } else {
        tunnel_line(data[0] % 3 == 1 ? TUNNEL_NGROK : TUNNEL_CLOUDFLARED, text, &news);
    }
    /* An address is one, and nothing of the line leaks into a terminal. */
    if (news.url[0] && (strncmp(news.url, "https://", 8) != 0 || strpbrk(news.url + 8, "/ \"\n"))) {
        abort();
    }
    for (const char *at = news.why; *at; at++) {
        if ((unsigned char)*at < ' ') {
            abort();
        }
    }
    return 0;
}
