/* SPDX-License-Identifier: ISC */
#include "web/cookie.h"
#include "web/web_private.h"

#include <stdlib.h>

/* Keys and sessions end, and so do the streams that they opened. */

struct asked {
    uint32_t scope;
    void (*reply)(void *data, bool is_good);
    void *data;
};

static void answer(struct asked *asked, int32_t status, uint32_t scopes)
{
    const struct asked was = *asked;
    free(asked);
    /* While the storage can not say, what was good stays so. */
    was.reply(was.data,
              status == AIC_OK ? (scopes & was.scope) == was.scope : status != AIC_ERROR_DENIED);
}

static void key_came(void *data, int32_t status, const struct api_key *key)
{
    answer(data, status, status == AIC_OK ? key->scopes : 0);
}

static void session_came(void *data, int32_t status, const struct session *session)
{
    answer(data, status, status == AIC_OK ? session->scopes : 0);
}

/* What access.c looks at, in the same order. */
static void ask(struct web *web, struct aic_exchange *exchange, struct asked *asked)
{
    char hash[DIGEST_TEXT];
    struct aic_str header = server_header(exchange, "cookie");
    struct aic_str bearer = api_key_in_header(server_header(exchange, "authorization"));
    struct aic_str session = cookie_find(header, session_cookie_name);
    struct aic_str cookie = cookie_find(header, api_key_cookie_name);
    if (bearer.len == 0 && session.len > 0) {
        if (web->sessions && session_token_hash(session, hash)) {
            sessions_find(web->sessions, hash, session_came, asked);
            return;
        }
    } else if (web->keyring &&
               (bearer.len > 0 ? api_key_hash(bearer, hash)
                               : api_key_cookie_check(cookie, web->settings.secret,
                                                      sched_wall(web->settings.sched), hash))) {
        keyring_find(web->keyring, hash, key_came, asked);
        return;
    }
    answer(asked, AIC_ERROR_DENIED, 0);
}

void access_again(struct web *web, struct aic_exchange *exchange, uint32_t scope,
                  void (*reply)(void *data, bool is_good), void *data)
{
    struct asked *asked = malloc(sizeof(*asked));
    if (!asked) {
        reply(data, true); /* another time */
        return;
    }
    *asked = (struct asked){scope, reply, data};
    ask(web, exchange, asked);
}
