/* SPDX-License-Identifier: ISC */
#ifndef CLI_NET_H
#define CLI_NET_H
/* The network as providers see it, for commands that ask vendors something without a server. */
#include "cli/conf.h"
#include "plugin/provider.h"

struct http_client;
struct loop;

struct net {
    struct loop *loop;
    struct sched *sched;
    struct http_client *http;
    struct ws_engine *ws;
    struct server *server; /* listens nowhere; carriers put their paths on it */
    struct plugin_env env;
};

/* False where there is no memory. Without a configuration (NULL) all is as by default. */
bool net_open(struct net *net, const struct conf *conf);
/* Providers that live on it are destroyed before. */
void net_close(struct net *net);
/* Lets run what was posted before, so that what was closed is gone. */
void net_settle(struct net *net);

#endif
