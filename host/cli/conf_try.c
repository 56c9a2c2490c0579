/* SPDX-License-Identifier: ISC */
#include "cli/conf.h"

#include "io/loop.h"
#include "plugin/provider.h"

#include <string.h>

static bool try_provider(const struct conf *conf, const struct setup_provider *provider,
                         struct plugin_env *env, struct config_problems *problems)
{
    char error[512];
    struct settings *settings = setup_settings(conf->setup, provider, 0, problems);
    struct provider *made = settings ? provider_create(provider->name, provider->plugin, settings,
                                                       env, error, sizeof(error))
                                     : NULL;
    if (!made && error[0]) {
        config_problem_add(problems, provider->pos, "%s", error);
    } else if (!made) {
        config_problem_add(problems, provider->pos,
                           "provider \"%s\" refuses its settings; see above", provider->name);
    }
    provider_destroy(made);
    return made != NULL;
}

int conf_try(const struct conf *conf, struct config_problems *problems)
{
    const struct loop_options options = {.pool_threads = 1};
    struct loop *loop = loop_create(&options);
    if (!loop) {
        return 78;
    }
    struct plugin_env env = {.sched = loop_sched(loop), .public_url = conf->setup->public_url};
    int status = 0;
    for (size_t i = 0; i < conf->setup->provider_count; i++) {
        const struct setup_provider *provider = conf->setup->providers[i];
        if (provider->is_used && !try_provider(conf, provider, &env, problems)) {
            status = 78;
        }
    }
    loop_destroy(loop);
    return status;
}
