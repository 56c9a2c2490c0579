/* SPDX-License-Identifier: ISC */
#include "plugin/provider.h"

#include "base/log.h"
#include "io/shm.h"
#include "plugin/guard.h"
#include "plugin/registry.h"
#include "plugin/services.h"
#include "plugin/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct role {
    const char *name;
    const char *id;
    size_t table_offset;
    size_t table_bytes;
    size_t required_bytes; /* up to the first optional member */
    size_t caps_offset;
    size_t caps_bytes;
};

#define ROLE(role_name, role_id, member, caps, last_required)                                      \
    {                                                                                              \
        .name = (role_name), .id = (role_id), .table_offset = offsetof(struct provider, member),   \
        .table_bytes = sizeof(((struct provider *)0)->member),                                     \
        .required_bytes = offsetof(struct aic_##member, last_required) + sizeof(void (*)(void)),   \
        .caps_offset = offsetof(struct provider, caps),                                            \
        .caps_bytes = sizeof(((struct provider *)0)->caps)                                         \
    }

/* In the order of enum provider_role. */
static const struct role roles[] = {
    ROLE("stt", AIC_STT, stt, stt_caps, close),
    ROLE("llm", AIC_LLM, llm, llm_caps, close),
    ROLE("tts", AIC_TTS, tts, tts_caps, close),
    ROLE("telephony", AIC_TELEPHONY, telephony, telephony_caps, leg_close),
    ROLE("storage", AIC_STORAGE, storage, storage_caps, change),
};

enum { ROLES = sizeof(roles) / sizeof(roles[0]) };

const char *provider_role_id(const char *role)
{
    for (size_t i = 0; i < ROLES; i++) {
        if (strcmp(roles[i].name, role) == 0) {
            return roles[i].id;
        }
    }
    return NULL;
}

/* Every table begins with its size and 4 reserved bytes; behind them lie only functions. */
enum { TABLE_HEAD = 8 };

/* Copies a role's table into the provider; false when a required function is missing. */
static bool take_table(struct provider *provider, const struct role *role)
{
    const void *table = provider->plugin->get_interface(role->id);
    if (!table) {
        return false;
    }
    uint32_t size = 0;
    memcpy(&size, table, sizeof(size));
    if (size < role->required_bytes) {
        return false;
    }
    char *to = (char *)provider + role->table_offset;
    memcpy(to, table, size < role->table_bytes ? size : role->table_bytes);
    uint32_t ours = (uint32_t)role->table_bytes;
    memcpy(to, &ours, sizeof(ours));
    for (size_t at = TABLE_HEAD; at < role->required_bytes; at += sizeof(void (*)(void))) {
        static const char zero[sizeof(void (*)(void))] = {0};
        if (memcmp(to + at, zero, sizeof(zero)) == 0) {
            return false;
        }
    }
    return true;
}

/* All tables have `capabilities` first, with the same shape. */
static bool take_caps(struct provider *provider, const struct role *role)
{
    int32_t (*capabilities)(void *self, void *caps) = NULL;
    memcpy(&capabilities, (char *)provider + role->table_offset + TABLE_HEAD, sizeof(capabilities));
    char *caps = (char *)provider + role->caps_offset;
    uint32_t size = (uint32_t)role->caps_bytes;
    memcpy(caps, &size, sizeof(size));
    return capabilities(provider->self, caps) == AIC_OK;
}

static bool formats_are_sane(const struct aic_format *formats, uint32_t count, uint32_t size)
{
    return count > 0 && count <= 32 && formats && size >= sizeof(struct aic_format);
}

/* What the host divides by or indexes with later. */
static const char *fault_in_caps(const struct provider *provider)
{
    if (provider->stt.size &&
        !formats_are_sane(provider->stt_caps.formats, provider->stt_caps.format_count,
                          provider->stt_caps.format_size)) {
        return "stt lists no audio format";
    }
    if (provider->tts.size &&
        !formats_are_sane(provider->tts_caps.formats, provider->tts_caps.format_count,
                          provider->tts_caps.format_size)) {
        return "tts lists no audio format";
    }
    if (provider->telephony.size && !formats_are_sane(provider->telephony_caps.formats_out,
                                                      provider->telephony_caps.format_count,
                                                      provider->telephony_caps.format_size)) {
        return "telephony lists no audio format";
    }
    if (provider->stt.size && (provider->stt_caps.flags & AIC_STT_NEEDS_VAD) &&
        !provider->stt.utterance) {
        return "stt needs the voice detector but has no function utterance";
    }
    return NULL;
}

static bool take_roles(struct provider *provider, char *error, size_t error_bytes)
{
    for (size_t i = 0; i < ROLES; i++) {
        if (!registry_provides(provider->plugin, roles[i].id)) {
            continue;
        }
        if (!take_table(provider, &roles[i])) {
            (void)snprintf(error, error_bytes, "plugin %s gives no complete table for role %s",
                           provider->plugin->id, roles[i].name);
            return false;
        }
        if (!take_caps(provider, &roles[i])) {
            (void)snprintf(error, error_bytes, "plugin %s does not tell its %s capabilities",
                           provider->plugin->id, roles[i].name);
            return false;
        }
    }
    const char *fault = fault_in_caps(provider);
    if (fault) {
        (void)snprintf(error, error_bytes, "plugin %s: %s", provider->plugin->id, fault);
        return false;
    }
    return true;
}

static void begin_breakers(struct provider *provider)
{
    for (size_t i = 0; i < ROLES; i++) {
        revival_init(&provider->revivals[i], provider, (uint32_t)i);
    }
    for (size_t i = 0; provider->env->shm && i < ROLES; i++) {
        char name[SHM_NAME];
        (void)snprintf(name, sizeof(name), "%s/%s", provider->name, roles[i].name);
        if (registry_provides(provider->plugin, roles[i].id)) {
            provider->breakers[i].shared = shm_provider(provider->env->shm, name);
        }
    }
}

struct provider *provider_create(const char *name, const struct aic_plugin *plugin,
                                 struct settings *settings, struct plugin_env *env, char *error,
                                 size_t error_bytes)
{
    error[0] = '\0';
    struct provider *provider = calloc(1, sizeof(*provider));
    if (!provider || !(provider->name = strdup(name))) {
        free(provider);
        settings_free(settings);
        (void)snprintf(error, error_bytes, "out of memory");
        return NULL;
    }
    provider->plugin = plugin;
    provider->env = env;
    provider->settings = settings;
    begin_breakers(provider);
    settings_as_config(settings, provider->name, &provider->config);
    services_init(provider, &provider->host);
    int32_t status = AIC_OK;
    GUARD_MAIN(provider, "create",
               status = plugin->create(&provider->host, &provider->config, &provider->self));
    if (status != AIC_OK || !take_roles(provider, error, error_bytes)) {
        provider_destroy(provider);
        return NULL;
    }
    return provider;
}

void provider_destroy(struct provider *provider)
{
    if (!provider) {
        return;
    }
    provider->is_closing = true;
    for (size_t i = 0; i < ROLES; i++) {
        revival_finish(&provider->revivals[i]);
    }
    session_close_waiting(provider);
    if (provider->self) {
        GUARD_MAIN(provider, "destroy", provider->plugin->destroy(provider->self));
    }
    services_finish(provider);
    settings_free(provider->settings);
    free(provider->name);
    free(provider);
}

bool provider_has_role(const struct provider *provider, const char *role)
{
    const char *id = provider_role_id(role);
    return id && registry_provides(provider->plugin, id);
}

const char *provider_role_name(enum provider_role role)
{
    return roles[role].name;
}

bool provider_allowed(struct provider *provider, enum provider_role role)
{
    return breaker_allows(&provider->breakers[role], sched_wall(provider->env->sched));
}

void provider_succeeded(struct provider *provider, enum provider_role role)
{
    struct breaker *breaker = &provider->breakers[role];
    if (breaker_state(breaker) != BREAKER_CLOSED) {
        log_info(provider->name, "works again", LOG_S("role", roles[role].name));
    }
    breaker_succeeded(breaker);
}

void provider_failed(struct provider *provider, enum provider_role role,
                     const struct aic_error *error)
{
    bool opened =
        breaker_failed(&provider->breakers[role], error, sched_wall(provider->env->sched));
    log_warn(provider->name, opened ? "failed; not asked for a while" : "failed",
             LOG_S("role", roles[role].name),
             LOG_S("category", error_category_name(error->category)),
             LOG_I("http_status", error->http_status), LOG_I("close_code", error->close_code),
             LOG_T("code", error->code), LOG_T("message", error->message),
             LOG_T("request_id", error->request_id));
    revival_watch(&provider->revivals[role]);
}
