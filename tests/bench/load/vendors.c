/* SPDX-License-Identifier: ISC */
#include "load/vendors.h"

#include <string.h>

static void answer_json(struct line *line, const char *body)
{
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    aic_buf_printf(&text,
                   "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                   "Content-Length: %zu\r\n\r\n%s",
                   strlen(body), body);
    line_send(line, aic_buf_view(&text));
    aic_buf_finish(&text);
}

static bool ends(struct aic_str text, const char *with)
{
    size_t count = strlen(with);
    return text.len >= count && memcmp(text.ptr + text.len - count, with, count) == 0;
}

static void on_asked(void *data, struct line *line, const struct http_head *head,
                     struct aic_str body)
{
    struct vendors *vendors = data;
    struct aic_str path = head->path;
    bool is_socket = http_head_has_word(head, "connection", "upgrade");
    vendors->traces->requests++;
    if (is_socket && ends(path, "/listen")) {
        recogniser_begin(vendors, line, head);
    } else if (is_socket && ends(path, "/multi-stream-input")) {
        voice_begin(vendors, line, head);
    } else if (ends(path, "/chat/completions")) {
        model_begin(vendors, line, body);
    } else if (aic_str_starts(path, "/v1/text-to-speech/")) {
        voice_ask(vendors, line, body);
    } else if (aic_str_starts(path, "/2010-04-01/")) {
        vendors->hung_up(vendors->data, path);
        answer_json(line, "{\"status\":\"completed\"}");
    } else {
        answer_json(line, "{\"data\":[]}");
    }
}

void vendors_open(struct vendors *vendors, struct pump *pump, struct traces *traces, int port)
{
    vendors->pump = pump;
    vendors->traces = traces;
    line_listen(&vendors->port, pump, port, on_asked, vendors);
}
