/* SPDX-License-Identifier: ISC */
#include "config_files.h"

#include "config_read.h"

#include <stdlib.h>
#include <string.h>

enum { INCLUDE_DEPTH_MAX = 10, BYTES_MAX = 1 << 20, PATH_BYTES = 4096 };

/* A file that is being read, and the one that includes it. */
struct reading {
    const struct reading *parent;
    int depth;
    const char *path;
    struct config_pos included_at; /* of the main file: its name alone */
    struct stat info;
};

/* Everything up to the last slash; "." where there is none. */
static struct aic_str folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash) {
        return (struct aic_str){".", 1};
    }
    return (struct aic_str){path, slash == path ? 1 : (size_t)(slash - path)};
}

static const char *absolute_folder(struct config *config, const char *path)
{
    char folder[PATH_BYTES];
    if (!aic_str_copy(folder_of(path), folder, sizeof(folder))) {
        return config_tree_text(config, AIC_STR("/"));
    }
    char *absolute = realpath(folder, NULL);
    const char *text = config_tree_text(config, aic_str(absolute ? absolute : folder));
    free(absolute);
    return text;
}

static int32_t add_file(struct config_files *files, const char *path, bool is_exposed,
                        struct config_file **file)
{
    struct config *config = files->config;
    *file = &config->files[config->file_count];
    (*file)->name = config_tree_text(config, aic_str(path));
    (*file)->folder = absolute_folder(config, path);
    (*file)->is_exposed = is_exposed;
    if (!(*file)->name || !(*file)->folder) {
        return AIC_ERROR_MEMORY;
    }
    config->file_count++;
    return AIC_OK;
}

static int32_t refuse(struct config_files *files, const struct reading *reading, const char *why)
{
    if (reading->parent) {
        config_problem_add(files->problems, reading->included_at, "%s can not be included: %s",
                           reading->path, why);
        return AIC_ERROR_CONFIG;
    }
    config_problem_add(files->problems, reading->included_at,
                       "can not be read: %s; name a readable file with -c", why);
    return AIC_ERROR_IO;
}

static bool is_cycle(const struct reading *reading)
{
    for (const struct reading *other = reading->parent; other; other = other->parent) {
        if (other->info.st_dev == reading->info.st_dev &&
            other->info.st_ino == reading->info.st_ino) {
            return true;
        }
    }
    return false;
}

static int32_t read_file(struct config_files *files, struct reading *reading);

/* A relative path is meant from the folder of the file that includes. */
static int32_t include(struct config_files *files, const struct config_token *token,
                       const struct reading *parent)
{
    struct aic_buf path;
    struct aic_str folder = folder_of(token->pos.file);
    aic_buf_init(&path, PATH_BYTES - 1);
    if (*token->text.ptr != '/' && strchr(token->pos.file, '/')) {
        aic_buf_str(&path, folder);
        aic_buf_char(&path, '/');
    }
    aic_buf_str(&path, token->text);
    struct reading reading = {.parent = parent,
                              .depth = parent->depth + 1,
                              .path = path.failed ? "the file" : path.data,
                              .included_at = token->pos};
    int32_t status = AIC_OK;
    if (path.failed) {
        status = refuse(files, &reading, "its path is too long");
    } else if (reading.depth > INCLUDE_DEPTH_MAX) {
        status = refuse(files, &reading, "includes are nested deeper than 10 levels");
    } else if (files->config->file_count == CONFIG_FILES_MAX) {
        status = refuse(files, &reading, "more than 64 files are included");
    } else {
        status = read_file(files, &reading);
    }
    aic_buf_finish(&path);
    return status;
}

/* Appends the words of one file, with included words in the place of each include. */
static int32_t add_words(struct config_files *files, const struct config_file *file,
                         struct aic_str text, const struct reading *reading)
{
    struct config_tokens own = {.list = NULL};
    int32_t status = config_scan(file->name, text, &own, files->problems);
    for (size_t i = 0; i < own.count && status != AIC_ERROR_MEMORY; i++) {
        bool is_include = own.list[i].kind == CONFIG_TOKEN_INCLUDE;
        int32_t added = is_include ? include(files, &own.list[i], reading)
                                   : config_tokens_add(&files->tokens, &own.list[i]);
        status = added == AIC_OK ? status : added;
    }
    config_tokens_finish(&own);
    return status;
}

static int32_t read_file(struct config_files *files, struct reading *reading)
{
    const char *why = "";
    struct aic_buf *text = &files->texts[files->config->file_count];
    aic_buf_init(text, BYTES_MAX - files->bytes);
    int32_t status = config_read(reading->path, text, &reading->info, &why);
    if (status != AIC_OK) {
        bool is_large = status == AIC_ERROR_TOO_LARGE;
        aic_buf_finish(text);
        return refuse(files, reading, is_large ? "all files together are larger than 1 MiB" : why);
    }
    if (is_cycle(reading)) {
        aic_buf_finish(text);
        return refuse(files, reading,
                      "it is being read already; an include can not go in a circle");
    }
    files->bytes += text->len;
    struct config_file *file = NULL;
    status = add_file(files, reading->path, config_read_is_exposed(&reading->info), &file);
    return status == AIC_OK ? add_words(files, file, aic_buf_view(text), reading) : status;
}

int32_t config_files_load(struct config_files *files, const char *path)
{
    struct reading reading = {.path = path, .included_at = {.file = path}};
    return read_file(files, &reading);
}

int32_t config_files_parse(struct config_files *files, const char *name, struct aic_str text)
{
    struct reading reading = {.path = name, .included_at = {.file = name}};
    struct config_file *file = NULL;
    if (text.len > BYTES_MAX) {
        return refuse(files, &reading, "it is larger than 1 MiB");
    }
    files->bytes = text.len;
    int32_t status = add_file(files, name, false, &file);
    if (status != AIC_OK) {
        return status;
    }
    char *folder = realpath(".", NULL);
    file->folder = config_tree_text(files->config, aic_str(folder ? folder : "/"));
    free(folder);
    return file->folder ? add_words(files, file, text, &reading) : AIC_ERROR_MEMORY;
}

void config_files_finish(struct config_files *files)
{
    config_tokens_finish(&files->tokens);
    for (size_t i = 0; i < CONFIG_FILES_MAX; i++) {
        aic_buf_finish(&files->texts[i]);
    }
}
