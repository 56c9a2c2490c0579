/* SPDX-License-Identifier: ISC */
#include "decoder.h"
#include "provider.h"

#include <stdlib.h>
#include <string.h>

static void destroy(void *self)
{
    struct sphinx_provider *provider = self;
    if (!provider) {
        return;
    }
    sphinx_models_finish(&provider->models);
    sphinx_settings_release(provider->settings);
    free(provider);
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct sphinx_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->pool = host->get_service(host, AIC_SERVICE_POOL);
    int32_t status = provider->pool ? AIC_OK : AIC_ERROR_UNSUPPORTED;
    if (status == AIC_OK) {
        status = sphinx_settings_create(host, config, &provider->settings);
    }
    if (status < 0) {
        destroy(provider);
        return status;
    }
    sphinx_decoder_quiet();
    *self = provider;
    return AIC_OK;
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_STT) == 0 ? &sphinx_stt : NULL;
}

static const char *const provides[] = {AIC_STT};

AIC_PLUGIN(sphinx)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "sphinx",
        .version = "0.1.0",
        .summary = "Recognises short English answers on this machine, without any service.",
        .license = "ISC",
        .provides = provides,
        .provides_count = sizeof(provides) / sizeof(provides[0]),
        .option_count = SPHINX_OPTION_COUNT,
        .option_size = sizeof(struct aic_option),
        .options = sphinx_options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
