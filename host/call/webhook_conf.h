/* SPDX-License-Identifier: ISC */
#ifndef CALL_WEBHOOK_CONF_H
#define CALL_WEBHOOK_CONF_H
/* The group `webhooks` of the configuration: who is told of what. */
#include "base/config.h"
#include "base/settings.h"
#include "call/webhook.h"

enum { WEBHOOK_ENDPOINTS = 16, WEBHOOK_KIND = 64 };

struct webhook_endpoint {
    const char *name; /* borrowed from the configuration, as is the URL */
    const char *url;
    char kind[WEBHOOK_KIND]; /* of its jobs: "webhook:NAME" */
    struct settings *settings;
    struct webhook_secret secrets[WEBHOOK_SECRETS];
    size_t secret_count;
    uint32_t events; /* a bit for each event that it wants */
};

struct webhook_conf {
    struct webhook_endpoint list[WEBHOOK_ENDPOINTS];
    size_t count;
};

extern const struct settings_table webhook_table;

/* Reads the group (NULL: nobody is told). */
void webhook_conf_load(struct webhook_conf *conf, const struct config_node *group,
                       struct config_problems *problems);
void webhook_conf_finish(struct webhook_conf *conf);
/* NULL: there is none of this name. */
const struct webhook_endpoint *webhook_conf_find(const struct webhook_conf *conf, const char *name);

#endif
