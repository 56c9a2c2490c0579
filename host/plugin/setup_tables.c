/* SPDX-License-Identifier: ISC */
#include "plugin/setup_tables.h"

static const struct aic_option server_options[] = {
    {.name = "listen",
     .type = AIC_OPTION_STRING,
     .fallback = "127.0.0.1",
     .help = "Address to listen on; 0.0.0.0 or :: for all."},
    {.name = "port",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "8000",
     .help = "Port for HTTP and WebSocket.",
     .min = 1,
     .max = 65535},
    {.name = "public_url",
     .type = AIC_OPTION_STRING,
     .fallback = "",
     .help = "How the outside world reaches this server, such as https://voice.example.com; a bare "
             "host name means https. Carriers' webhooks and signatures need it."},
    {.name = "secret",
     .type = AIC_OPTION_SECRET,
     .fallback = "",
     .help = "Signs tokens and cookies; made and kept in state_dir when empty. The same on all "
             "hosts of a fleet."},
    {.name = "workers",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .help = "Worker processes; 0 means one per core.",
     .min = 0,
     .max = 64},
    {.name = "drain_timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1h",
     .help = "How long live calls may go on after a stop or reload.",
     .min = 0,
     .max = 86400000},
    {.name = "state_dir",
     .type = AIC_OPTION_PATH,
     .help = "Spools, recordings, control socket and secret. Default: /var/lib/aicaller where that "
             "can be written, else the user's own state folder."},
    {.name = "plugin_dir",
     .type = AIC_OPTION_PATH,
     .help = "Where plugins named without a path are looked for. Default: as installed."},
    {.name = "ca_file",
     .type = AIC_OPTION_PATH,
     .help = "Certificate authorities for connections to vendors, PEM. Default: the system's."},
    {.name = "core_dumps",
     .type = AIC_OPTION_BOOL,
     .fallback = "false",
     .help = "Whether a crash may write the memory of a worker to the disk, with all keys and "
             "what callers said in it: only for debugging."},
};

const struct settings_table setup_server_table = {
    .options = server_options, .count = sizeof(server_options) / sizeof(server_options[0])};

static const struct aic_option tls_options[] = {
    {.name = "cert",
     .type = AIC_OPTION_PATH,
     .help =
         "Certificate chain, PEM. Without it the port speaks plain HTTP, for a proxy in front."},
    {.name = "key", .type = AIC_OPTION_PATH, .help = "Its private key, PEM."},
};

const struct settings_table setup_tls_table = {
    .options = tls_options, .count = sizeof(tls_options) / sizeof(tls_options[0])};

static const char *const levels[] = {"debug", "info", "warn", "error", NULL};
static const char *const formats[] = {"auto", "logfmt", "json", NULL};

static const struct aic_option log_options[] = {
    {.name = "level",
     .type = AIC_OPTION_ENUM,
     .fallback = "info",
     .help = "The least important lines that are written.",
     .choices = levels},
    {.name = "format",
     .type = AIC_OPTION_ENUM,
     .fallback = "auto",
     .help = "auto: logfmt on a terminal, JSON elsewhere.",
     .choices = formats},
};

const struct settings_table setup_log_table = {
    .options = log_options, .count = sizeof(log_options) / sizeof(log_options[0])};
