/* SPDX-License-Identifier: ISC */
/* PostgreSQL, for production and for several hosts. See README.md. */
#include "pgsql.h"

#include <aicaller/plugin.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const char *const tls_modes[] = {"auto",      "disable",     "prefer", "require",
                                        "verify-ca", "verify-full", NULL};

static const struct aic_option options[] = {
    {.name = "url",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "postgresql://user:password@host:port/database, usually env:DATABASE_URL."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "10s",
     .help = "How long one statement, or one batch of facts, may take.",
     .min = 100,
     .max = 600000},
    {.name = "connect_timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .help = "How long connecting may take.",
     .min = 100,
     .max = 600000},
    {.name = "tls",
     .type = AIC_OPTION_ENUM,
     .fallback = "auto",
     .choices = tls_modes,
     .help = "As libpq's sslmode; auto: required unless the server is on this machine. The URL's "
             "own sslmode wins."},
    {.name = "tls_ca",
     .type = AIC_OPTION_PATH,
     .help = "Certificates of the authorities that may have signed the server's."},
    {.name = "pooler",
     .type = AIC_OPTION_BOOL,
     .fallback = "false",
     .help = "The URL leads to PgBouncer or the like in transaction mode."},
};

static void destroy(void *self)
{
    struct pgsql_storage *s = self;
    if (!s) {
        return;
    }
    pgsql_disconnect(s);
    sqlcore_finish(&s->core);
    if (s->wake >= 0) {
        (void)close(s->wake);
    }
    free(s);
}

static int32_t configure(struct pgsql_storage *s, const struct aic_config *config)
{
    s->url = config->get_string(config, "url");
    s->timeout_ms = config->get_int(config, "timeout");
    s->connect_timeout_ms = config->get_int(config, "connect_timeout");
    s->tls = config->get_string(config, "tls");
    s->tls = s->tls && strcmp(s->tls, "auto") == 0 ? NULL : s->tls;
    s->tls_ca = config->get_string(config, "tls_ca");
    s->has_pooler = config->get_int(config, "pooler") != 0;
    if (!s->url || !pgsql_url_is_good(s->url)) {
        sqlcore_log(&s->core, AIC_LOG_ERROR,
                    "url: expected postgresql://user:password@host:port/database");
        return AIC_ERROR_CONFIG;
    }
    s->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    return s->wake < 0 ? AIC_ERROR_IO : AIC_OK;
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct pgsql_storage *s = calloc(1, sizeof(*s));
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    s->wake = -1;
    if (!sqlcore_init(&s->core, &pgsql_driver, host)) {
        free(s);
        return AIC_ERROR_UNSUPPORTED;
    }
    s->core.flags = AIC_STORAGE_FULLTEXT | AIC_STORAGE_SHARED | AIC_STORAGE_NOTIFY;
    int32_t status = configure(s, config);
    if (status) {
        destroy(s);
        return status;
    }
    *self = s;
    return AIC_OK;
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
    .notify = pgsql_notify,
    .wait = pgsql_listen,
};

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_STORAGE) == 0 ? &storage : NULL;
}

AIC_PLUGIN(pgsql)
{
    static const char *const provides[] = {AIC_STORAGE};
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "pgsql",
        .version = "0.1.0",
        .summary = "Calls and transcripts in PostgreSQL, for one host or many.",
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
