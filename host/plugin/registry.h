/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_REGISTRY_H
#define PLUGIN_REGISTRY_H
/*
 * Opens plugin files and checks them before anything else of them runs: a regular file that
 * strangers can not write, an ELF object of this machine, one entry symbol, our ABI major, a
 * descriptor that makes sense. A plugin is never unloaded: new code comes with a new process.
 */
#include <aicaller/plugin.h>
#include <stdbool.h>

enum { REGISTRY_ERROR_TEXT = 512 };

/*
 * Opens a plugin, or finds it again by path. `error` gets a sentence for the operator. The
 * descriptor returned is ours: zero beyond what the plugin compiled, and lives for ever.
 */
const struct aic_plugin *registry_open(const char *path, char error[REGISTRY_ERROR_TEXT]);
/* Takes a descriptor that is linked in, after the same checks; for tests. */
const struct aic_plugin *registry_adopt(const struct aic_plugin *plugin,
                                        char error[REGISTRY_ERROR_TEXT]);
/* A file that `registry_open(path)` will read from this descriptor instead: the bytes that a
 * generation began with. */
int32_t registry_pin(const char *path, int fd);
/* The descriptor of an opened plugin's file, which stays open; -1 when it is none. */
int registry_descriptor(const char *path);
/* Whether a plugin declares a role. */
bool registry_provides(const struct aic_plugin *plugin, const char *role);

#endif
