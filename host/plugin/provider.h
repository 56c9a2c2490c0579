/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_PROVIDER_H
#define PLUGIN_PROVIDER_H
/*
 * One configured instance of a plugin, on this worker's loop. Its role tables are copies of ours in
 * size: a member that the plugin does not have is NULL here, so that nobody asks for sizes again.
 */
#include "base/settings.h"
#include "plugin/breaker.h"
#include "plugin/env.h"
#include "plugin/revival.h"

#include <aicaller/aicaller.h>

struct session;

/* A provider may play several roles; each fails and recovers by itself. */
enum provider_role {
    PROVIDER_STT = 0,
    PROVIDER_LLM = 1,
    PROVIDER_TTS = 2,
    PROVIDER_TELEPHONY = 3,
    PROVIDER_STORAGE = 4,
    PROVIDER_ROLES = 5
};

struct provider {
    char *name; /* as the configuration calls it */
    const struct aic_plugin *plugin;
    struct plugin_env *env;
    struct settings *settings; /* owned */
    struct aic_config config;
    struct aic_host host;
    void *self;
    struct breaker breakers[PROVIDER_ROLES];
    struct revival revivals[PROVIDER_ROLES];
    bool is_closing;           /* posts are refused */
    int64_t next_complaint_us; /* guard */
    int64_t session_count;
    struct session *waiting; /* sessions to be closed (session.h) */
    struct sched_timer *waiting_timer;

    /* By role; `size` is 0 where the plugin does not play it. */
    struct aic_stt stt;
    struct aic_llm llm;
    struct aic_tts tts;
    struct aic_telephony telephony;
    struct aic_storage storage;
    struct aic_stt_caps stt_caps;
    struct aic_llm_caps llm_caps;
    struct aic_tts_caps tts_caps;
    struct aic_telephony_caps telephony_caps;
    struct aic_storage_caps storage_caps;
};

/*
 * Makes an instance. `settings` becomes the provider's, also on failure. NULL: the plugin refused
 * (its reason is in the log) or breaks the contract (`error` says how, and is empty otherwise).
 */
struct provider *provider_create(const char *name, const struct aic_plugin *plugin,
                                 struct settings *settings, struct plugin_env *env, char *error,
                                 size_t error_bytes);
/* Accepts NULL. */
void provider_destroy(struct provider *provider);

/* Whether the instance plays a role ("stt", "llm", "tts", "telephony", "storage"). */
bool provider_has_role(const struct provider *provider, const char *role);
/* The id of a role's interface by its short name; NULL for another name. */
const char *provider_role_id(const char *role);

/* Passes on what an attempt taught: breaker, log, and a probe in the background. */
void provider_succeeded(struct provider *provider, enum provider_role role);
void provider_failed(struct provider *provider, enum provider_role role,
                     const struct aic_error *error);
bool provider_allowed(struct provider *provider, enum provider_role role);
const char *provider_role_name(enum provider_role role);

#endif
