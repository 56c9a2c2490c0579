/* SPDX-License-Identifier: ISC */
#include "io/loop.h"
#include "io/wire_trust.h"
#include "io/ws_client.h"

enum { MESSAGE_MAX = 64 * 1024 * 1024 };

/* Whoever connects from inside of what is told here waits for the next time. */
static void trust_is_loaded(void *data)
{
    struct ws_engine *engine = data;
    for (struct ws_client *client = engine->clients; client; client = client->next) {
        client->trust_is_ready = client->wants_trust;
        client->wants_trust = false;
    }
    struct ws_client *client = engine->clients;
    while (client) {
        if (!client->trust_is_ready) {
            client = client->next;
            continue;
        }
        client->trust_is_ready = false;
        ws_client_trusted(client);
        client = engine->clients; /* the list may have changed */
    }
}

struct ws_engine *ws_engine_create(struct loop *loop, const struct ws_engine_options *options)
{
    static const struct ws_engine_options defaults;
    options = options ? options : &defaults;
    struct ws_engine *engine = calloc(1, sizeof(*engine));
    if (!engine) {
        return NULL;
    }
    engine->loop = loop;
    engine->sched = loop_sched(loop);
    aic_buf_init(&engine->mask_room, MESSAGE_MAX);
    engine->trust = wire_trust_create(loop, options->ca_file, trust_is_loaded, engine);
    if (options->user_agent) {
        engine->user_agent = aic_str_dup(aic_str(options->user_agent));
    }
    if (!engine->trust || (options->user_agent && !engine->user_agent)) {
        ws_engine_destroy(engine);
        return NULL;
    }
    return engine;
}

void ws_engine_destroy(struct ws_engine *engine)
{
    if (!engine) {
        return;
    }
    while (engine->clients) {
        if (engine->clients->ws) {
            ws_drop(engine->clients->ws);
        } else {
            ws_client_destroy(engine->clients);
        }
    }
    wire_trust_destroy(engine->trust);
    aic_buf_finish(&engine->mask_room);
    free(engine->user_agent);
    free(engine);
}
