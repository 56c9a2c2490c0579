/* SPDX-License-Identifier: ISC */
/*
 * A text-to-speech plugin with one thing wrong, chosen by a define, to try how the host takes it:
 * ODD_MAJOR, ODD_TINY, ODD_SHORT, ODD_LONG, ODD_NOTHING, ODD_NAMELESS, ODD_COUNTS, ODD_FAILS,
 * ODD_SILENT (fails without a reason), ODD_CRASHES, ODD_ROLE (does not give what it declares),
 * ODD_NARROW and ODD_WIDE (a table of functions smaller, and larger, than this host's). With none
 * of them, and with ODD_LONG and ODD_WIDE, it can be used, though it never speaks.
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
    static const struct aic_format format = {
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1};
    (void)self;
    caps->formats = &format;
    caps->format_count = 1;
    caps->format_size = sizeof(format);
    return AIC_OK;
}

static int32_t open_session(void *self, const struct aic_tts_open *params,
                            const struct aic_tts_sink *sink, void **session)
{
    (void)params;
    (void)sink;
    *session = self;
    return AIC_OK;
}

static int32_t begin(void *session, const struct aic_tts_utterance *params)
{
    (void)session;
    (void)params;
    return AIC_OK;
}

static int32_t push_text(void *session, uint64_t id, struct aic_str text)
{
    (void)session;
    (void)id;
    (void)text;
    return AIC_OK;
}

static int32_t end(void *session, uint64_t id)
{
    (void)session;
    (void)id;
    return AIC_OK;
}

static int32_t cancel(void *session, uint64_t id, int64_t played_us)
{
    (void)session;
    (void)id;
    (void)played_us;
    return AIC_OK;
}

static void close_session(void *session)
{
    (void)session;
}

/* As a plugin of a later minor version would have it. */
struct wider {
    struct aic_tts tts;
    void (*tail[8])(void);
};

static const void *get_interface(const char *id)
{
    static const struct wider table = {
        .tts =
            {
#if defined(ODD_NARROW)
                .size = offsetof(struct aic_tts, cancel),
#elif defined(ODD_WIDE)
                .size = sizeof(struct wider),
#else
                .size = sizeof(struct aic_tts),
#endif
                .capabilities = capabilities,
                .open = open_session,
                .begin = begin,
                .push_text = push_text,
                .end = end,
                .cancel = cancel,
                .close = close_session,
            },
    };
    (void)id;
#ifdef ODD_ROLE
    return NULL;
#endif
    return &table.tts;
}

static const char *const roles[] = {AIC_TTS};

/* As a plugin of a later minor version would write it. */
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
