/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdlib.h>
#include <string.h>

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct browser_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->log = host->get_service(host, AIC_SERVICE_LOG);
    provider->clock = host->get_service(host, AIC_SERVICE_CLOCK);
    provider->timer = host->get_service(host, AIC_SERVICE_TIMER);
    provider->ws = host->get_service(host, AIC_SERVICE_WEBSOCKET);
    provider->route = host->get_service(host, AIC_SERVICE_ROUTE);
    provider->name = config->provider;
    *self = provider;
    return AIC_OK;
}

static void destroy(void *self)
{
    struct browser_provider *provider = self;
    if (!provider) {
        return;
    }
    while (provider->sessions) {
        browser_session_free(provider->sessions);
    }
    free(provider);
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_TELEPHONY) == 0 ? &browser_telephony : NULL;
}

static const char *const provides[] = {AIC_TELEPHONY};

AIC_PLUGIN(browser)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "browser",
        .version = "0.1.0",
        .summary = "A page with a microphone is the caller, over a WebSocket of our own port.",
        .license = "ISC",
        .provides = provides,
        .provides_count = sizeof(provides) / sizeof(provides[0]),
        .option_size = sizeof(struct aic_option),
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
