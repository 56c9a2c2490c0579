/* SPDX-License-Identifier: ISC */
#ifndef CLI_CONF_H
#define CLI_CONF_H
/*
 * The whole configuration: found, read and checked as one. Providers' plugins are opened, nothing
 * is created.
 */
#include "call/agent.h"
#include "call/gate_rules.h"
#include "call/prices.h"
#include "call/retention.h"
#include "call/trace_conf.h"
#include "call/webhook_conf.h"
#include "plugin/setup.h"

struct conf {
    struct setup *setup;
    struct agents agents;
    struct settings *limits;
    struct settings *security;
    const char **private_allow; /* NULL-terminated, as the next */
    const char **trusted_proxies;
    const char **allowed_hosts;
    struct prices prices;
    struct gate_rules outbound;
    struct webhook_conf webhooks;
    struct trace_conf traces;
    struct retention_rules retention;
    const char *name; /* path of the file, or "built-in configuration" */
};

/*
 * Reads `path`, or where NULL: $AICALLER_CONF, /etc/aicaller/aicaller.conf, the built-in one, whose
 * name is told. $AICALLER_PUBLIC_URL takes the place of server.public_url. NULL when it can not be
 * used; `problems` says why (and holds warnings otherwise).
 */
struct conf *conf_load(const char *path, struct config_problems *problems);
/* The same file, as it is: nothing in it is checked but its grammar. */
struct config *conf_read(const char *path, struct config_problems *problems, const char **name);
/* The same from frozen bytes (base/config.h), in a worker. */
struct conf *conf_thaw(struct aic_str frozen, const char *name, struct config_problems *problems);
void conf_free(struct conf *conf);

struct plugin_env;
struct provider;
/* Creates a provider; what its plugin complains of, and why there is NULL, is in `problems`. */
struct provider *conf_provider(const struct conf *conf, const struct setup_provider *provider,
                               struct plugin_env *env, struct config_problems *problems);
/* Creates each used provider once and destroys it again: a plugin may refuse settings that are all
 * well formed. Returns 0 or 78; `problems` say why. */
int conf_try(const struct conf *conf, struct config_problems *problems);
/* Prints the problems and returns the exit status: 0, or 78 where there is an error. */
int conf_tell(const struct config_problems *problems, bool as_json);
/* Reads a file of NAME=value lines into the environment. Returns 0, or 1 after saying why. */
int conf_read_env(const char *path);
/* The secret that signs tokens: as configured, else kept in state_dir. NULL after saying why. Freed
 * by the caller. */
char *conf_secret(const struct conf *conf);
/* Makes a folder with all above it, 0700. */
bool conf_make_folder(const char *path);
/* Where files that come with the program lie. */
const char *conf_data_dir(void);
const char *conf_plugin_dir(void);
/* /var/lib/aicaller where we may write there, else the user's own. */
const char *conf_default_state_dir(void);

extern const struct settings_table conf_limits_table;
extern const struct settings_table conf_security_table;

#endif
