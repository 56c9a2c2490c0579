/* SPDX-License-Identifier: ISC */
#include "config_ref.h"

#include "config_read.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 1 << 20, REASON_MAX = 1024 };

struct resolving {
    struct config *config;
    struct config_node *node;
    const char *(*env)(const char *name);
};

bool config_ref_is(const char *text)
{
    return strncmp(text, "env:", 4) == 0 || strncmp(text, "file:", 5) == 0 ||
           strncmp(text, "cred:", 5) == 0;
}

static int32_t unset(struct resolving *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int32_t unset(struct resolving *r, const char *format, ...)
{
    char reason[REASON_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(reason, sizeof(reason), format, args);
    va_end(args);
    r->node->unset = config_tree_text(r->config, aic_str(reason));
    return r->node->unset ? AIC_OK : AIC_ERROR_MEMORY;
}

static int32_t set(struct resolving *r, struct aic_str text)
{
    r->node->string = config_tree_text(r->config, text);
    return r->node->string ? AIC_OK : AIC_ERROR_MEMORY;
}

static bool is_variable_name(struct aic_str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!is_letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return name.len > 0;
}

/* A variable that is set to nothing counts as not set: files of variables are full of those. */
static int32_t resolve_env(struct resolving *r, const char *rest)
{
    const char *fallback = strstr(rest, ":-");
    struct aic_str name = {rest, fallback ? (size_t)(fallback - rest) : strlen(rest)};
    char terminated[256];
    if (!is_variable_name(name) || !aic_str_copy(name, terminated, sizeof(terminated))) {
        return unset(r,
                     "\"%s\" names no environment variable; write env:NAME or "
                     "env:NAME:-default",
                     r->node->written);
    }
    const char *value = r->env(terminated);
    if (value && !aic_utf8_valid(aic_str(value))) {
        return unset(r, "environment variable %s is not UTF-8 text", terminated);
    }
    if (value && *value) {
        return set(r, aic_str(value));
    }
    if (fallback) {
        return set(r, aic_str(fallback + 2));
    }
    return unset(r, "environment variable %s is %s", terminated, value ? "empty" : "not set");
}

static struct aic_str without_line_end(struct aic_str text)
{
    if (text.len > 0 && text.ptr[text.len - 1] == '\n') {
        text.len--;
        if (text.len > 0 && text.ptr[text.len - 1] == '\r') {
            text.len--;
        }
    }
    return text;
}

static int32_t resolve_path(struct resolving *r, const char *path)
{
    struct aic_buf content;
    struct stat info;
    const char *why = "";
    aic_buf_init(&content, FILE_MAX);
    int32_t status = config_read(path, &content, &info, &why);
    struct aic_str text = aic_buf_view(&content);
    if (status != AIC_OK) {
        status = unset(r, "file %s can not be read: %s", path, why);
    } else if (!aic_utf8_valid(text) || (text.len > 0 && memchr(text.ptr, '\0', text.len))) {
        status = unset(r, "file %s is not UTF-8 text", path);
    } else {
        r->node->is_exposed = config_read_is_open(&info);
        status = set(r, without_line_end(text));
    }
    aic_buf_finish(&content);
    return status;
}

static int32_t resolve_below(struct resolving *r, const char *folder, const char *name)
{
    struct aic_buf path;
    aic_buf_init(&path, 4096);
    aic_buf_printf(&path, "%s/%s", folder, name);
    int32_t status = path.failed ? unset(r, "the path %s is too long", r->node->written)
                                 : resolve_path(r, path.data);
    aic_buf_finish(&path);
    return status;
}

static int32_t resolve_file(struct resolving *r, const char *path)
{
    if (*path == '\0') {
        return unset(r, "\"file:\" names no file; write file:PATH");
    }
    return *path == '/' ? resolve_path(r, path) : resolve_below(r, r->node->file->folder, path);
}

static int32_t resolve_credential(struct resolving *r, const char *name)
{
    if (*name == '\0' || strchr(name, '/') || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return unset(r, "\"%s\" names no credential; write cred:NAME", r->node->written);
    }
    const char *folder = r->env("CREDENTIALS_DIRECTORY");
    if (!folder || !*folder) {
        return unset(r,
                     "credential %s is not there: CREDENTIALS_DIRECTORY is not set; add "
                     "LoadCredential=%s:FILE to the systemd unit",
                     name, name);
    }
    return resolve_below(r, folder, name);
}

int32_t config_ref_resolve(struct config *config, struct config_node *node,
                           const char *(*env)(const char *name))
{
    struct resolving r = {.config = config, .node = node, .env = env};
    const char *text = node->written;
    node->is_reference = true;
    node->is_exposed = false;
    if (strncmp(text, "env:", 4) == 0) {
        return resolve_env(&r, text + 4);
    }
    return strncmp(text, "file:", 5) == 0 ? resolve_file(&r, text + 5)
                                          : resolve_credential(&r, text + 5);
}
