/* SPDX-License-Identifier: ISC */
/*
 * A text-to-speech plugin with one thing wrong, chosen by a define, to try how the host takes it:
 * ODD_MAJOR, ODD_TINY, ODD_SHORT, ODD_LONG, ODD_NOTHING, ODD_NAMELESS, ODD_COUNTS, ODD_FAILS,
 * ODD_SILENT (fails without a reason), ODD_CRASHES, ODD_ROLE (does not give what it declares). With
 * none of them it is right.
 */
#include <aicaller/log.h>
#include <aicaller/plugin.h>
#include <aicaller/tts.h>

#include <stdlib.h>

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    static char instance;
    (void)config;
#ifdef ODD_FAILS
    const struct aic_log_service *log = host->get_service(host, AIC_SERVICE_LOG);
    const char *text = "the licence server said no";
    log->write(host, AIC_LOG_ERROR, (struct aic_str){text, 26});
    return AIC_ERROR_CONFIG;
#endif
    (void)host;
#ifdef ODD_SILENT
    return AIC_ERROR_IO;
#endif
#ifdef ODD_CRASHES
    abort();
#endif
    *self = &instance;
    return AIC_OK;
}

static void destroy(void *self)
{
    (void)self;
}

static int32_t capabilities(void *self, struct aic_tts_caps *caps)
{
    (void)self;
    (void)caps;
    return AIC_ERROR_UNSUPPORTED;
}

static const void *get_interface(const char *id)
{
    static const struct aic_tts table = {.size = sizeof(table), .capabilities = capabilities};
    (void)id;
#ifdef ODD_ROLE
    return NULL;
#endif
    return &table;
}

static const char *const roles[] = {AIC_TTS};

/* As a host of a later minor version would know it. */
struct longer {
    struct aic_plugin plugin;
    uint64_t tail[8];
};

AIC_PLUGIN(odd)
{
    static const struct longer descriptor = {
        .plugin =
            {
#if defined(ODD_TINY)
                .size = 4,
#elif defined(ODD_SHORT)
                .size = offsetof(struct aic_plugin, create),
#elif defined(ODD_LONG)
                .size = sizeof(struct longer),
#else
                .size = sizeof(struct aic_plugin),
#endif
#ifdef ODD_MAJOR
                .abi_major = AIC_ABI_MAJOR + 7,
#else
                .abi_major = AIC_ABI_MAJOR,
#endif
#ifndef ODD_NAMELESS
                .id = "odd",
#endif
                .version = "1.0",
                .summary = "Something is wrong with it.",
                .license = "ISC",
                .provides = roles,
#ifdef ODD_COUNTS
                .provides_count = 4000000,
#else
                .provides_count = 1,
#endif
                .create = create,
                .get_interface = get_interface,
                .destroy = destroy,
            },
        .tail = {1, 2, 3},
    };
#ifdef ODD_NOTHING
    return NULL;
#endif
    return &descriptor.plugin;
}
