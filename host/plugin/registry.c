/* SPDX-License-Identifier: ISC */
#include "plugin/registry.h"

#include "plugin/elf_check.h"
#include "plugin/guard.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_FILES = 64, MAX_OPTIONS = 256, MAX_PROVIDES = 16 };

struct plugin_file {
    char *path;
    int fd; /* pinned, or what was loaded; -1 */
    struct aic_plugin plugin;
    bool loaded;
};

/* Plugins live as long as the process, so their list may be global. */
static struct plugin_file files[MAX_FILES];
static size_t file_count;

static void explain(char error[REGISTRY_ERROR_TEXT], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void explain(char error[REGISTRY_ERROR_TEXT], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(error, REGISTRY_ERROR_TEXT, format, args);
    va_end(args);
}

static struct plugin_file *find(const char *path)
{
    for (size_t i = 0; i < file_count; i++) {
        if (strcmp(files[i].path, path) == 0) {
            return &files[i];
        }
    }
    return NULL;
}

static struct plugin_file *add(const char *path)
{
    char *copy = file_count < MAX_FILES ? strdup(path) : NULL;
    if (!copy) {
        return NULL;
    }
    struct plugin_file *file = &files[file_count++];
    *file = (struct plugin_file){.path = copy, .fd = -1};
    return file;
}

static bool file_is_acceptable(int fd, char error[REGISTRY_ERROR_TEXT])
{
    struct stat status;
    unsigned char head[ELF_CHECK_BYTES];
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        explain(error, "is not a regular file");
        return false;
    }
    if (status.st_mode & S_IWOTH) {
        explain(error, "can be written by everybody; make it safe with chmod o-w");
        return false;
    }
    ssize_t bytes = pread(fd, head, sizeof(head), 0);
    const char *reason = elf_check(head, bytes > 0 ? (size_t)bytes : 0, (uint64_t)status.st_size);
    if (reason) {
        explain(error, "%s", reason);
    }
    return !reason;
}

static bool text_is_set(const char *text)
{
    return text && text[0];
}

/* Copies what both sides know and checks it; the plugin's own table is not read again. */
static bool take_descriptor(const struct aic_plugin *from, struct aic_plugin *to,
                            char error[REGISTRY_ERROR_TEXT])
{
    if (!from) {
        explain(error, "has an entry function that returned nothing");
        return false;
    }
    if (from->size < offsetof(struct aic_plugin, abi_minor)) {
        explain(error, "has a descriptor that says it is %u bytes long", from->size);
        return false;
    }
    if (from->abi_major != AIC_ABI_MAJOR) {
        explain(error, "was built for plugin ABI %u; this aicaller speaks ABI %u: rebuild it",
                from->abi_major, AIC_ABI_MAJOR);
        return false;
    }
    if (from->size < offsetof(struct aic_plugin, destroy) + sizeof(from->destroy)) {
        explain(error, "has a descriptor %u bytes long, at least %zu are needed", from->size,
                offsetof(struct aic_plugin, destroy) + sizeof(from->destroy));
        return false;
    }
    memset(to, 0, sizeof(*to));
    memcpy(to, from, from->size < sizeof(*to) ? from->size : sizeof(*to));
    to->size = sizeof(*to);
    if (!text_is_set(to->id) || !text_is_set(to->version) || !to->create || !to->get_interface ||
        !to->destroy) {
        explain(error, "has a descriptor that lacks id, version, create, get_interface or destroy");
        return false;
    }
    if (to->provides_count == 0 || to->provides_count > MAX_PROVIDES || !to->provides ||
        to->option_count > MAX_OPTIONS || (to->option_count > 0 && !to->options) ||
        (to->option_count > 0 && to->option_size < offsetof(struct aic_option, help))) {
        explain(error, "has a descriptor with impossible counts (%u roles, %u options of %u bytes)",
                to->provides_count, to->option_count, to->option_size);
        return false;
    }
    return true;
}

/*
 * The name to load a file by: its path while that is still the same file, so that debuggers find
 * it, else the descriptor. A descriptor used so stays open for ever, because the loader takes a
 * name that it has seen for the object that it has.
 */
static const char *loading_name(const struct plugin_file *file, int fd, char *to, size_t bytes)
{
    struct stat by_path;
    struct stat by_fd;
    if (stat(file->path, &by_path) == 0 && fstat(fd, &by_fd) == 0 &&
        by_path.st_dev == by_fd.st_dev && by_path.st_ino == by_fd.st_ino) {
        return file->path;
    }
    (void)snprintf(to, bytes, "/proc/self/fd/%d", fd);
    return to;
}

static bool load(struct plugin_file *file, int fd, char error[REGISTRY_ERROR_TEXT])
{
    char name[64];
    void *handle =
        dlopen(loading_name(file, fd, name, sizeof(name)), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (!handle) {
        const char *reason = dlerror();
        const char *rest = reason ? strstr(reason, ": ") : NULL;
        explain(error, "can not be loaded: %s", rest ? rest + 2 : "unknown reason");
        return false;
    }

    union {
        void *symbol;
        aic_plugin_entry entry;
    } found = {.symbol = dlsym(handle, AIC_PLUGIN_SYMBOL)};

    if (!found.symbol) {
        explain(error, "has no function %s: it is no aicaller plugin", AIC_PLUGIN_SYMBOL);
        return false;
    }
    return take_descriptor(found.entry(), &file->plugin, error);
}

const struct aic_plugin *registry_open(const char *path, char error[REGISTRY_ERROR_TEXT])
{
    struct plugin_file *file = find(path);
    if (file && file->loaded) {
        return &file->plugin;
    }
    if (!file && !(file = add(path))) {
        explain(error, "too many plugins");
        return NULL;
    }
    int fd = file->fd >= 0 ? file->fd : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        explain(error, "can not be opened: %s", strerror(errno));
        return NULL;
    }
    struct guard guard;
    guard_mark(&guard, path, "load");
    file->loaded = file_is_acceptable(fd, error) && load(file, fd, error);
    guard_unmark(&guard);
    if (file->loaded) {
        file->fd = fd;
    } else if (fd != file->fd) {
        (void)close(fd);
    }
    return file->loaded ? &file->plugin : NULL;
}

const struct aic_plugin *registry_adopt(const struct aic_plugin *plugin,
                                        char error[REGISTRY_ERROR_TEXT])
{
    char name[128];
    (void)snprintf(name, sizeof(name), "static:%s", plugin && plugin->id ? plugin->id : "");
    struct plugin_file *file = find(name);
    if (!file && !(file = add(name))) {
        explain(error, "too many plugins");
        return NULL;
    }
    file->loaded = take_descriptor(plugin, &file->plugin, error);
    return file->loaded ? &file->plugin : NULL;
}

int32_t registry_pin(const char *path, int fd)
{
    struct plugin_file *file = find(path);
    if (!file) {
        file = add(path);
    }
    if (!file) {
        return AIC_ERROR_MEMORY;
    }
    file->fd = fd;
    return AIC_OK;
}

int registry_descriptor(const char *path)
{
    const struct plugin_file *file = find(path);
    return file && file->loaded ? file->fd : -1;
}

bool registry_provides(const struct aic_plugin *plugin, const char *role)
{
    for (uint32_t i = 0; i < plugin->provides_count; i++) {
        if (strcmp(plugin->provides[i], role) == 0) {
            return true;
        }
    }
    return false;
}
