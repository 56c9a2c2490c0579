/* SPDX-License-Identifier: ISC */
#include "io/tunnel.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

static const char *const https = "https://";

static bool is_host_byte(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.';
}

/* Scheme and host of an address at the beginning of the text; false where it is none. */
static bool take_origin(struct aic_str text, char url[TUNNEL_URL])
{
    size_t length = strlen(https);
    if (!aic_str_starts(text, https)) {
        return false;
    }
    while (length < text.len && is_host_byte(text.ptr[length])) {
        length++;
    }
    bool is_whole = length == text.len || strchr("/ \t\r|\"", text.ptr[length]);
    struct aic_str origin = {text.ptr, length};
    return is_whole && length > strlen(https) && aic_str_copy(origin, url, TUNNEL_URL);
}

/* Network text for people: one line, no control characters. */
static void take_reason(struct aic_str text, char why[TUNNEL_WHY])
{
    size_t length = 0;
    for (size_t i = 0; i < text.len && length + 1 < TUNNEL_WHY; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        why[length++] = c < ' ' || c == 0x7f ? ' ' : (char)c;
    }
    why[length] = '\0';
}

/* {"lvl":"info","msg":"started tunnel","url":"https://..."}; {"lvl":"eror","err":"..."} */
static void read_ngrok(struct aic_str line, struct tunnel_news *news)
{
    struct aic_json *root = aic_json_parse(line, 0);
    struct aic_str error = aic_json_get_text(root, "err");
    struct aic_str level = aic_json_get_text(root, "lvl");
    if (aic_str_equal(aic_json_get_text(root, "msg"), "started tunnel")) {
        (void)take_origin(aic_json_get_text(root, "url"), news->url);
    }
    bool is_bad = aic_str_equal(level, "eror") || aic_str_equal(level, "crit");
    if (is_bad && error.len > 0 && !aic_str_equal(error, "<nil>")) {
        take_reason(error, news->why);
    } else if (!root && aic_str_starts(line, "ERROR:") && line.len > 8) {
        /* What it says before it knows how to log. */
        take_reason(line, news->why);
    }
    aic_json_free(root);
}

/* The address stands in a frame of its own; the service's own host is not it. */
static void read_cloudflared(struct aic_str line, struct tunnel_news *news)
{
    static const char domain[] = ".trycloudflare.com";
    const char *at = line.len > 0 ? memmem(line.ptr, line.len, https, strlen(https)) : NULL;
    const char *bad = line.len > 0 ? memmem(line.ptr, line.len, " ERR ", 5) : NULL;
    char url[TUNNEL_URL];
    if (at && take_origin((struct aic_str){at, line.len - (size_t)(at - line.ptr)}, url)) {
        size_t length = strlen(url);
        size_t tail = sizeof(domain) - 1;
        bool is_theirs = strcmp(url, "https://api.trycloudflare.com") == 0;
        if (length > tail && strcmp(url + length - tail, domain) == 0 && !is_theirs) {
            memcpy(news->url, url, length + 1);
        }
    }
    if (bad) {
        take_reason((struct aic_str){bad + 5, line.len - (size_t)(bad + 5 - line.ptr)}, news->why);
    } else if (aic_str_starts(line, "failed to")) {
        take_reason(line, news->why);
    }
}

void tunnel_line(enum tunnel_kind kind, struct aic_str line, struct tunnel_news *news)
{
    *news = (struct tunnel_news){.url = "", .why = ""};
    if (kind == TUNNEL_NGROK) {
        read_ngrok(line, news);
    } else if (kind == TUNNEL_CLOUDFLARED) {
        read_cloudflared(line, news);
    }
}

/* "http://localhost:8000", "127.0.0.1:8000", "8000". */
static bool leads_to(struct aic_str address, int64_t port)
{
    char text[128];
    if (!aic_str_copy(address, text, sizeof(text))) {
        return false;
    }
    const char *colon = strrchr(text, ':');
    const char *digits = colon ? colon + 1 : text;
    char *end = NULL;
    long found = strtol(digits, &end, 10);
    return end != digits && (*end == '\0' || strcmp(end, "/") == 0) && found == port;
}

bool tunnel_list_find(struct aic_str json, int64_t port, char url[TUNNEL_URL])
{
    struct aic_json *root = aic_json_parse(json, 0);
    const struct aic_json *list = aic_json_get(root, "tunnels");
    bool is_found = false;
    for (size_t i = 0; i < aic_json_count(list) && !is_found; i++) {
        const struct aic_json *tunnel = aic_json_at(list, i);
        is_found = leads_to(aic_json_get_text(aic_json_get(tunnel, "config"), "addr"), port) &&
                   take_origin(aic_json_get_text(tunnel, "public_url"), url);
    }
    aic_json_free(root);
    return is_found;
}
