/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_PLUGIN_H
#define AICALLER_PLUGIN_H
/*
 * The one door into a plugin. A shared object exports exactly one symbol, aicaller_plugin, which
 * returns a constant descriptor; all else is reached through it.
 *
 *     AIC_PLUGIN(echo)
 *     {
 *         static const struct aic_plugin plugin = { .size = sizeof(plugin), ... };
 *         return &plugin;
 *     }
 *
 * Life of a provider instance: create, then any number of sessions (open ... close), then destroy.
 */
#include <aicaller/abi.h>
#include <aicaller/host.h>
#include <aicaller/option.h>

AIC_BEGIN_DECLS

struct aic_plugin {
    uint32_t size;
    uint32_t abi_major; /* AIC_ABI_MAJOR as compiled; another major is refused at load */
    uint32_t abi_minor;
    uint32_t reserved; /* 0 */

    const char *id;      /* lower case, the file's name without ".so" */
    const char *version; /* of the plugin */
    const char *summary; /* one sentence */
    const char *license; /* SPDX expression */

    const char *const *provides; /* role ids, such as AIC_STT */
    uint32_t provides_count;

    uint32_t option_count;
    uint32_t option_size; /* sizeof(struct aic_option) as compiled */
    uint32_t reserved2;   /* 0 */
    const struct aic_option *options;

    /*
     * Makes an instance for one provider block. `host` and `config` stay valid until `destroy`
     * returns. No network and no threads yet: those begin with the first session. On failure
     * returns a status after logging why, and leaves *self alone. [main]
     */
    int32_t (*create)(const struct aic_host *host, const struct aic_config *config, void **self);

    /* The function table of a role in `provides`, else NULL. Static data. [any] */
    const void *(*get_interface)(const char *id);

    /* Ends an instance; all its sessions are closed before. Accepts NULL. [main] */
    void (*destroy)(void *self);
};

/*
 * Begins the definition of the entry function. Built as a shared object its name is
 * aicaller_plugin; with AIC_STATIC_PLUGINS defined it is aicaller_plugin_<name>, so that several
 * plugins can be linked into one test or fuzzer.
 */
#ifdef AIC_STATIC_PLUGINS
#define AIC_PLUGIN(name)                                                                           \
    const struct aic_plugin *aicaller_plugin_##name(void);                                         \
    const struct aic_plugin *aicaller_plugin_##name(void)
#else
#define AIC_PLUGIN(name)                                                                           \
    AIC_EXPORT const struct aic_plugin *aicaller_plugin(void);                                     \
    AIC_EXPORT const struct aic_plugin *aicaller_plugin(void)
#endif

/* The type of the entry function. No arguments, no side effects; may be called more than once. */
typedef const struct aic_plugin *(*aic_plugin_entry)(void);

#define AIC_PLUGIN_SYMBOL "aicaller_plugin"

AIC_END_DECLS
#endif
