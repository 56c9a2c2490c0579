/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdlib.h>
#include <string.h>

static const void *service(const struct aic_host *host, const char *id)
{
    return host->get_service(host, id);
}

static void destroy(void *self)
{
    struct wav_provider *provider = self;
    if (!provider) {
        return;
    }
    provider->is_destroyed = true;
    wav_provider_free(provider);
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct wav_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->log = service(host, AIC_SERVICE_LOG);
    provider->clock = service(host, AIC_SERVICE_CLOCK);
    provider->timer = service(host, AIC_SERVICE_TIMER);
    provider->pool = service(host, AIC_SERVICE_POOL);
    provider->after_end_us = config->get_int(config, "after_end") * 1000;
    provider->waits_for_agent = config->get_int(config, "wait_for_agent") != 0;
    if (config->has(config, "folder")) {
        provider->folder = aic_str_dup(aic_str(config->get_string(config, "folder")));
        if (!provider->folder) {
            destroy(provider);
            return AIC_ERROR_MEMORY;
        }
    }
    *self = provider;
    return AIC_OK;
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_TELEPHONY) == 0 ? &wav_telephony : NULL;
}

static const char *const provides[] = {AIC_TELEPHONY};

static const struct aic_option options[] = {
    {.name = "folder",
     .type = AIC_OPTION_PATH,
     .help = "Callers are taken only from this folder and below; relative paths begin there."},
    {.name = "after_end",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "10s",
     .help = "The caller hangs up when its file ended that long ago.",
     .max = 3600000},
    {.name = "wait_for_agent",
     .type = AIC_OPTION_BOOL,
     .fallback = "true",
     .help = "Counts after_end from the end of the agent's last words, if that is later."},
};

AIC_PLUGIN(wav)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "wav",
        .version = "0.1.0",
        .summary = "A WAV file is the caller, at the pace of a real one.",
        .license = "ISC",
        .provides = provides,
        .provides_count = sizeof(provides) / sizeof(provides[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(options[0]),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
