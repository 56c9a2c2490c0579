/* SPDX-License-Identifier: ISC */
#include "cli/conf.h"

#include "io/loop.h"
#include "plugin/provider.h"

#include <string.h>

/* Who is tried, for what it says. */
struct trial {
    const struct setup_provider *provider;
    struct config_problems *problems;
};

static void take_complaint(void *data, uint32_t level, struct aic_str text)
{
    const struct trial *trial = data;
    (level == AIC_LOG_ERROR ? config_problem_add : config_warning_add)(
        trial->problems, trial->provider->pos, "provider \"%s\": %.*s", trial->provider->name,
        (int)text.len, text.ptr);
}

struct provider *conf_provider(const struct conf *conf, const struct setup_provider *provider,
                               struct plugin_env *env, struct config_problems *problems)
{
    char error[512] = "";
    struct trial trial = {provider, problems};
    size_t errors = problems->errors;
    env->complained = take_complaint;
    env->complained_data = &trial;
    /* All else was told when the configuration was read. */
    struct settings *settings =
        setup_settings(conf->setup, provider, SETTINGS_ONLY_UNSET, problems);
    struct provider *made = settings ? provider_create(provider->name, provider->plugin, settings,
                                                       env, error, sizeof(error))
                                     : NULL;
    if (!made && error[0]) {
        config_problem_add(problems, provider->pos, "%s", error);
    } else if (!made && problems->errors == errors) {
        config_problem_add(problems, provider->pos,
                           "provider \"%s\" can not be created; its plugin does not say why",
                           provider->name);
    }
    env->complained = NULL;
    env->complained_data = NULL;
    return made;
}

static bool try_provider(const struct conf *conf, const struct setup_provider *provider,
                         struct plugin_env *env, struct config_problems *problems)
{
    struct provider *made = conf_provider(conf, provider, env, problems);
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
