/* SPDX-License-Identifier: ISC */
#include "web/live_format.h"
#include "web/web_private.h"

#include <stdlib.h>
#include <string.h>

/* GET /calls/live/: the live calls of all workers of this host. */

enum { LIST_BYTES = 32 << 20 };

struct listing {
    struct held held; /* first */
    bool hides_numbers;
};

static void answer_list(const struct listing *listing, struct aic_str list)
{
    struct aic_json *root = aic_json_parse(list, LIST_BYTES);
    struct aic_buf buf;
    aic_buf_init(&buf, LIST_BYTES);
    live_write_list(&buf, root, "", listing->hides_numbers);
    if (root && !buf.failed) {
        (void)reply_json(listing->held.exchange, 200, aic_buf_view(&buf));
    } else {
        (void)reply_problem(listing->held.exchange, 503, "memory", "Out of memory; try again.");
    }
    aic_buf_finish(&buf);
    aic_json_free(root);
}

static void list_came(void *data, int32_t status, struct aic_str list)
{
    struct listing *listing = data;
    if (held_end(&listing->held)) {
        if (status == AIC_OK) {
            answer_list(listing, list);
        } else {
            (void)reply_problem(listing->held.exchange, 503, "no-answer",
                                "The list of calls can not be had now; try again.");
        }
    }
    free(listing);
}

static int32_t get_live(struct web *web, const struct visit *visit)
{
    struct listing *listing = malloc(sizeof(*listing));
    if (!listing) {
        return reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    }
    held_begin(&listing->held, web, visit->exchange);
    listing->hides_numbers = visit->hides_numbers;
    link_list_calls(web->settings.link, list_came, listing);
    return AIC_OK;
}

void live_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/live/",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_live});
}
