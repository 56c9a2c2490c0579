/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

/*
 * With no key configured the API answers this machine alone, and this machine means: the connection
 * comes from loopback, went through no proxy, and no foreign page sent it.
 */
bool access_granted(struct web *web, struct aic_exchange *exchange,
                    const struct aic_request *request)
{
    (void)web;
    if (request->is_loopback) {
        return true;
    }
    (void)reply_problem(exchange, 403, "loopback-only",
                        "No API key is configured, so the API answers only this machine itself, "
                        "without a proxy in between.");
    return false;
}
