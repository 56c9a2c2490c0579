/* SPDX-License-Identifier: ISC */
/* Where the program's files lie, where the configuration names no folder. */
#include "cli/conf.h"

#include "buf.h"

#include <errno.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const system_state = "/var/lib/aicaller";

/* The folder of the program itself, with "plugins" in it: then this is a build tree. */
static bool is_build_tree(char *folder, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", folder, bytes - 16);
    if (length <= 0) {
        return false;
    }
    folder[length] = '\0';
    char *slash = strrchr(folder, '/');
    (void)snprintf(slash, bytes - (size_t)(slash - folder), "/plugins");
    return access(folder, X_OK) == 0;
}

const char *conf_plugin_dir(void)
{
    static char folder[PATH_MAX];
    return is_build_tree(folder, sizeof(folder)) ? folder : AICALLER_INSTALL_PLUGIN_DIR;
}

const char *conf_data_dir(void)
{
    char folder[PATH_MAX];
    return is_build_tree(folder, sizeof(folder)) ? AICALLER_SOURCE_DATA_DIR : AICALLER_DATA_DIR;
}

bool conf_make_folder(const char *path)
{
    char part[PATH_MAX];
    if (!aic_str_copy(aic_str(path), part, sizeof(part))) {
        return false;
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, S_IRWXU) != 0 && errno != EEXIST) {
            return false;
        }
        *slash = '/';
    }
    return mkdir(part, S_IRWXU) == 0 || errno == EEXIST;
}

const char *conf_default_state_dir(void)
{
    static char folder[PATH_MAX];
    if (access(system_state, W_OK) == 0 || (geteuid() == 0 && conf_make_folder(system_state))) {
        return system_state;
    }
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    const struct passwd *user = home ? NULL : getpwuid(geteuid());
    home = home ? home : user ? user->pw_dir : "/tmp";
    if (state && state[0] == '/') {
        (void)snprintf(folder, sizeof(folder), "%s/aicaller", state);
    } else {
        (void)snprintf(folder, sizeof(folder), "%s/.local/state/aicaller", home);
    }
    return folder;
}
