/* SPDX-License-Identifier: ISC */
#include "buf.h"
#include "llm.h"
#include "script_load.h"

#include <aicaller/plugin.h>
#include <stdlib.h>
#include <string.h>

static void report(void *data, uint32_t level, struct aic_str line)
{
    const struct script_provider *provider = data;
    provider->log->write(provider->host, level, line);
}

static void log_loaded(const struct script_provider *provider, const char *path)
{
    struct aic_buf line;
    aic_buf_init(&line, 1000);
    aic_buf_printf(&line, "scripted answers, no AI: %s has %u states, %u intents", path,
                   provider->script->state_count, provider->script->intent_count);
    provider->log->write(provider->host, AIC_LOG_INFO, aic_buf_view(&line));
    aic_buf_finish(&line);
}

static void destroy(void *self)
{
    struct script_provider *provider = self;
    if (provider) {
        script_destroy(provider->script);
        free(provider);
    }
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct script_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->log = host->get_service(host, AIC_SERVICE_LOG);
    provider->timer = host->get_service(host, AIC_SERVICE_TIMER);
    provider->clock = host->get_service(host, AIC_SERVICE_CLOCK);
    const char *path = config->get_string(config, "script");
    if (!provider->log || !provider->timer || !provider->clock || !path) {
        free(provider);
        return AIC_ERROR_UNSUPPORTED;
    }
    struct script_problems problems = {.file = path, .report = report, .data = provider};
    provider->script = script_load_file(path, &problems);
    if (!provider->script) {
        destroy(provider);
        return AIC_ERROR_CONFIG;
    }
    log_loaded(provider, path);
    *self = provider;
    return AIC_OK;
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_LLM) == 0 ? script_llm() : NULL;
}

static const struct aic_option options[] = {
    {
        .name = "script",
        .type = AIC_OPTION_PATH,
        .fallback = "data:scripts/appointment.conf",
        .help = "The file with the dialogue: intents, states and replies.",
    },
};

static const char *const roles[] = {AIC_LLM};

AIC_PLUGIN(script)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "script",
        .version = "0.1.0",
        .summary = "Scripted dialogue from a file, without any AI or network.",
        .license = "ISC",
        .provides = roles,
        .provides_count = 1,
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(struct aic_option),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
