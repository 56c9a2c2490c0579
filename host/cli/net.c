/* SPDX-License-Identifier: ISC */
#include "cli/net.h"

#include "io/http_client.h"
#include "io/loop.h"
#include "io/server.h"
#include "io/ws.h"

bool net_open(struct net *net, const struct conf *conf)
{
    const struct setup *setup = conf ? conf->setup : NULL;
    const char *public_url = setup ? setup->public_url : "";
    const struct loop_options loop = {.pool_threads = 1};
    const struct http_client_options http = {
        .ca_file = setup ? settings_string(setup->server, "ca_file") : NULL,
        .user_agent = "aicaller/" AICALLER_VERSION};
    const struct ws_engine_options ws = {.ca_file = http.ca_file, .user_agent = http.user_agent};
    const struct server_options server = {.public_url = public_url};
    *net = (struct net){.loop = loop_create(&loop)};
    if (!net->loop) {
        return false;
    }
    net->sched = loop_sched(net->loop);
    net->http = http_client_create(net->loop, &http);
    net->ws = ws_engine_create(net->loop, &ws);
    net->server = server_create(net->loop, &server, NULL);
    net->env = (struct plugin_env){.sched = net->sched,
                                   .http = net->http,
                                   .ws = net->ws,
                                   .server = net->server,
                                   .public_url = public_url};
    if (!net->http || !net->ws || !net->server) {
        net_close(net);
        return false;
    }
    return true;
}

static void stop_loop(void *data)
{
    loop_stop(data);
}

void net_settle(struct net *net)
{
    if (sched_post(net->sched, stop_loop, net->loop) == AIC_OK) {
        loop_run(net->loop);
    }
}

void net_close(struct net *net)
{
    server_destroy(net->server);
    ws_engine_destroy(net->ws);
    http_client_destroy(net->http);
    loop_destroy(net->loop);
    *net = (struct net){.loop = NULL};
}
