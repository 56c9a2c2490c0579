/* SPDX-License-Identifier: ISC */
#ifndef BROWSER_ORIGIN_H
#define BROWSER_ORIGIN_H
/*
 * Which pages may open a media socket. A browser names the page's origin with every WebSocket, and
 * no script can change that; so a foreign page is told from our own. A request without an Origin
 * is no browser's, hence no page's that was lured into it, and passes: the token decides alone.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

/*
 * True if the header `origin` is empty, or names the host and port of the header `host`, or the
 * origin `public_url` (NULL = none; a proxy in front may have changed `host`). Pure.
 */
bool browser_origin_is_ours(struct aic_str origin, struct aic_str host, const char *public_url);

#endif
