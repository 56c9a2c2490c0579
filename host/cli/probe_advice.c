/* SPDX-License-Identifier: ISC */
#include "cli/probe_advice.h"

#include "buf.h"

#include <aicaller/error.h>

static const struct {
    uint32_t category;
    bool is_about_the_key;
    const char *advice;
} advices[] = {
    {AIC_CATEGORY_AUTH, true, "make a new key at the vendor and set it"},
    {AIC_CATEGORY_PERMISSION, true, "give the key the permission that is missing"},
    {AIC_CATEGORY_BAD_REQUEST, false, "look at the provider's model, voice and extra"},
    {AIC_CATEGORY_NOT_FOUND, false, "look at the provider's url, model and voice"},
    {AIC_CATEGORY_QUOTA, false,
     "pay in or raise the limit at the vendor, or put another "
     "provider first"},
    {AIC_CATEGORY_RATE_LIMIT, false, "wait a minute and try again, or take a larger plan"},
    {AIC_CATEGORY_CONCURRENCY, false, "wait a minute and try again, or take a larger plan"},
    {AIC_CATEGORY_OVERLOADED, false,
     "try again later; a second provider in the agent's list "
     "takes over meanwhile"},
    {AIC_CATEGORY_SERVER, false,
     "look at the vendor's status page; a second provider in the "
     "agent's list takes over meanwhile"},
    {AIC_CATEGORY_TIMEOUT, false, "look at the network between here and the provider's url"},
    {AIC_CATEGORY_NETWORK, false, "look at the name, the firewall and the provider's url"},
    {AIC_CATEGORY_TLS, false,
     "look at this machine's clock, its ca-certificates and "
     "server.ca_file"},
    {AIC_CATEGORY_PROTOCOL, false, "look at the provider's url: something else answers there"},
    {AIC_CATEGORY_UNSUPPORTED, false, "take the provider out of this role"},
};

/* Where the keys of a provider are read from: the variables that to look at. */
static void add_sources(const struct setup_provider *provider, struct aic_buf *to)
{
    const char *between = " (";
    for (size_t i = 0; i < config_count(provider->node); i++) {
        const struct config_node *node = config_at(provider->node, i);
        const struct aic_option *option = provider->plugin->options;
        bool is_secret = false;
        for (uint32_t k = 0; k < provider->plugin->option_count && !is_secret; k++) {
            is_secret = option->type == AIC_OPTION_SECRET && config_name(node) &&
                        aic_str_equal(aic_str(option->name), config_name(node));
            option = (const struct aic_option *)(const void *)((const char *)option +
                                                               provider->plugin->option_size);
        }
        if (is_secret) {
            bool is_reference = config_is_reference(node);
            aic_buf_printf(to, "%s%s%s%s", between, config_name(node), is_reference ? " = " : "",
                           is_reference ? config_written(node) : "");
            between = ", ";
        }
    }
    aic_buf_text(to, between[0] == ',' ? ")" : "");
}

void probe_advice(const struct setup_provider *provider, uint32_t category, struct aic_buf *to)
{
    for (size_t i = 0; i < sizeof(advices) / sizeof(advices[0]); i++) {
        if (advices[i].category == category) {
            aic_buf_text(to, advices[i].advice);
            if (advices[i].is_about_the_key) {
                add_sources(provider, to);
            }
            return;
        }
    }
    aic_buf_text(to, "look at the provider's settings, and at the log with log.level = \"debug\"");
}
