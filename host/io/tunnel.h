/* SPDX-License-Identifier: ISC */
#ifndef IO_TUNNEL_H
#define IO_TUNNEL_H
/*
 * What tunnel clients say about the public address they have got: ngrok in its log (JSON lines) and
 * in its local API, cloudflared in its log. Pure.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

enum { TUNNEL_URL = 256, TUNNEL_WHY = 256 };

enum tunnel_kind { TUNNEL_NONE = 0, TUNNEL_NGROK = 1, TUNNEL_CLOUDFLARED = 2 };

struct tunnel_news {
    char url[TUNNEL_URL]; /* "https://host", no slash behind; "" = not told */
    char why[TUNNEL_WHY]; /* what the client complains of; "" = nothing */
};

/* Reads one line of the client's log. */
void tunnel_line(enum tunnel_kind kind, struct aic_str line, struct tunnel_news *news);
/* Looks in ngrok's answer to /api/tunnels for an https address that leads to `port` of this
 * machine. */
bool tunnel_list_find(struct aic_str json, int64_t port, char url[TUNNEL_URL]);

#endif
