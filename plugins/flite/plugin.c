/* SPDX-License-Identifier: ISC */
#include "session.h"

#include <stdlib.h>
#include <string.h>

static const struct aic_option options[] = {
    {.name = "voice",
     .type = AIC_OPTION_ENUM,
     .fallback = "slt",
     .choices = flt_voice_names,
     .help = "slt (female), rms, awb (male) sound best; kal16 and kal are quicker and older."},
    {.name = "speed",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .min = 0.5,
     .max = 2.0,
     .help = "How fast it speaks; above 1 is faster."},
    {.name = "pitch",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .min = 0.5,
     .max = 2.0,
     .help = "How high it speaks; above 1 is higher."},
};

static void destroy(void *self)
{
    free(self);
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct flt_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->pool = host->get_service(host, AIC_SERVICE_POOL);
    provider->post = host->get_service(host, AIC_SERVICE_POST);
    provider->voice = config->get_string(config, "voice");
    provider->manner.speed = (float)config->get_double(config, "speed");
    provider->manner.pitch = (float)config->get_double(config, "pitch");
    if (!provider->pool || !provider->post || !flt_voice(provider->voice)) {
        free(provider);
        return AIC_ERROR_UNSUPPORTED;
    }
    *self = provider;
    return AIC_OK;
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_TTS) == 0 ? &flt_tts : NULL;
}

static const char *const provides[] = {AIC_TTS};

AIC_PLUGIN(flite)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "flite",
        .version = "0.1.0",
        .summary = "Speaks English on this machine, without any service.",
        .license = "ISC",
        .provides = provides,
        .provides_count = sizeof(provides) / sizeof(provides[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(struct aic_option),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
