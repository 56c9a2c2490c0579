/* SPDX-License-Identifier: ISC */
/* The embedded database: one file, no server. See README.md. */
#include "sqlite.h"

#include "buf.h"

#include <aicaller/plugin.h>
#include <stdlib.h>

static const char *const syncs[] = {"full", "normal", NULL};

static const struct aic_option options[] = {
    {.name = "path",
     .type = AIC_OPTION_PATH,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The database file; it is created when it is not there."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .help = "How long to wait while another process writes.",
     .min = 0,
     .max = 600000},
    {.name = "sync",
     .type = AIC_OPTION_ENUM,
     .fallback = "full",
     .choices = syncs,
     .help = "full: what was written survives a power cut; normal: the last seconds may be lost."},
    {.name = "cache",
     .type = AIC_OPTION_BYTES,
     .flags = AIC_OPTION_RANGE,
     .fallback = "16M",
     .help = "Memory for pages of the database, for each worker.",
     .min = 1 << 20,
     .max = 4294967296.0},
    {.name = "read_only",
     .type = AIC_OPTION_BOOL,
     .fallback = "false",
     .help = "Never write to the file, not even to make it; for reading what another program has "
             "written."},
};

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct sqlite_storage *s = calloc(1, sizeof(*s));
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    if (!sqlcore_init(&s->core, &sqlite_driver, host)) {
        free(s);
        return AIC_ERROR_UNSUPPORTED;
    }
    s->core.flags = AIC_STORAGE_FULLTEXT;
    s->path = config->get_string(config, "path");
    s->timeout_ms = config->get_int(config, "timeout");
    s->cache_bytes = config->get_int(config, "cache");
    s->is_read_only = config->get_int(config, "read_only") != 0;
    s->is_full_sync = !aic_str_equal(aic_str(config->get_string(config, "sync")), "normal");
    if (!s->path || !s->path[0]) {
        sqlcore_log(&s->core, AIC_LOG_ERROR, "path: the name of the database file is needed");
        sqlcore_finish(&s->core);
        free(s);
        return AIC_ERROR_CONFIG;
    }
    if (pthread_mutex_init(&s->guard, NULL) != 0) {
        sqlcore_finish(&s->core);
        free(s);
        return AIC_ERROR_MEMORY;
    }
    *self = s;
    return AIC_OK;
}

static void destroy(void *self)
{
    struct sqlite_storage *s = self;
    if (!s) {
        return;
    }
    sqlite_disconnect(s);
    sqlcore_finish(&s->core);
    (void)pthread_mutex_destroy(&s->guard);
    free(s);
}

static const struct aic_storage storage = {
    .size = sizeof(storage),
    .capabilities = sqlcore_capabilities,
    .open = sqlcore_open,
    .close = sqlcore_close,
    .interrupt = sqlcore_interrupt,
    .identity = sqlcore_identity,
    .migration = sqlcore_migration,
    .migrate = sqlcore_migrate,
    .append = sqlcore_append,
    .query = sqlcore_query,
    .change = sqlcore_change,
};

static const void *get_interface(const char *id)
{
    return aic_str_equal(aic_str(id), AIC_STORAGE) ? &storage : NULL;
}

AIC_PLUGIN(sqlite)
{
    static const char *const provides[] = {AIC_STORAGE};
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "sqlite",
        .version = "0.1.0",
        .summary = "Calls and transcripts in one SQLite file, without a server.",
        .license = "ISC",
        .provides = provides,
        .provides_count = 1,
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(options[0]),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
