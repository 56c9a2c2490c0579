/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_SETUP_H
#define PLUGIN_SETUP_H
/*
 * The configuration as far as server, storage and providers go: checked, typed, plugins opened and
 * their blocks held against what they declare. Nothing is created here; that is for workers.
 */
#include "base/config.h"
#include "base/settings.h"

#include <aicaller/plugin.h>

/* A provider block, or an in-tree plugin that is used by its bare name. */
struct setup_provider {
    char *name;
    char *file; /* of the plugin, absolute */
    const struct aic_plugin *plugin;
    const struct config_node *node; /* NULL: all defaults */
    struct config_pos pos;
    bool is_used;
};

/* Folders that stand in where the file names none. */
struct setup_folders {
    const char *plugins;
    const char *state;
    const char *data;       /* of files that come with the program: "data:NAME" */
    const char *public_url; /* takes the place of the file's; NULL = as the file says */
};

struct setup {
    struct config *config;
    struct settings *server;
    struct settings *tls;
    struct settings *log;
    struct setup_provider **providers;
    size_t provider_count;
    char *public_url; /* "" = none; no closing slash */
    char *state_dir;  /* absolute */
    char *plugin_dir; /* absolute */
    const char *data_dir;
    const char *storage; /* a provider's name; "" = none */
};

/*
 * Reads `config`, which becomes the setup's. Problems are added; the setup is usable only without
 * errors. `folders` is borrowed. NULL without memory.
 */
struct setup *setup_create(struct config *config, const struct setup_folders *folders,
                           struct config_problems *problems);
void setup_destroy(struct setup *setup);

/*
 * Marks a provider as used in a role, from a place in the file: it has to exist (as a block, or as
 * an in-tree plugin), play the role, and have every reference set. Returns it, or NULL after adding
 * a problem.
 */
struct setup_provider *setup_use(struct setup *setup, const char *name, const char *role,
                                 struct config_pos pos, struct config_problems *problems);
/* Checked settings for one more instance of a provider. */
struct settings *setup_settings(const struct setup *setup, const struct setup_provider *provider,
                                uint32_t flags, struct config_problems *problems);
/* Adds a problem for every key at the top that neither the setup nor `known` has. */
void setup_check_top(const struct setup *setup, const char *const *known,
                     struct config_problems *problems);

#endif
