/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_H
#define BASE_CONFIG_H
/*
 * A libconfig file as a tree of values that know where they were written. The only user of
 * libconfig; what libconfig 1.5 does silently or fatally (integers that wrap, an include of a
 * directory, a missing column) is caught by a scan before.
 *
 * Values "env:NAME", "env:NAME:-default", "file:PATH" and "cred:NAME" are replaced when the tree is
 * loaded; one that can not be is kept as unset with the reason, and is an error only where it is
 * used.
 */
#include <aicaller/abi.h>
#include <aicaller/option.h>
#include <stdbool.h>

struct aic_buf;

/* A place in a file; line and column count from 1, 0 = the file as a whole. */
struct config_pos {
    const char *file; /* lives as long as the configuration */
    int line;
    int column;
};

/* Problems found, in order; several per run. */
struct config_problem {
    struct config_pos pos;
    char *text; /* "unknown key \"modle\"; did you mean \"model\"?" */
    bool is_warning;
};

struct config_problems {
    struct config_problem *list;
    size_t count;
    size_t errors;
};

void config_problem_add(struct config_problems *problems, struct config_pos pos, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
void config_warning_add(struct config_problems *problems, struct config_pos pos, const char *format,
                        ...) __attribute__((format(printf, 3, 4)));
/* Appends "file:line:column: text" lines, or a JSON array of {file, line, column, text, severity};
 * a warning's line has "warning: " before its text. */
void config_problems_print(const struct config_problems *problems, bool as_json,
                           struct aic_buf *to);
void config_problems_finish(struct config_problems *problems);
/* The candidate nearest to `word` within two edits, or NULL. `candidates` is NULL-terminated. */
const char *config_nearest(const char *word, const char *const *candidates);

enum config_kind {
    CONFIG_NONE = 0,
    CONFIG_GROUP = 1,
    CONFIG_LIST = 2, /* lists and arrays alike */
    CONFIG_STRING = 3,
    CONFIG_INT = 4,
    CONFIG_FLOAT = 5,
    CONFIG_BOOL = 6
};

struct config;      /* a loaded configuration */
struct config_node; /* a value in it; lives as long */

/*
 * Reads a file and all it includes. `env` looks up variables (NULL: getenv). AIC_ERROR_IO: the
 * main file can not be read; AIC_ERROR_CONFIG: problems were added. The text is limited to 1 MiB
 * and 64 included files.
 */
int32_t config_load(const char *path, const char *(*env)(const char *name),
                    struct config_problems *problems, struct config **config);
/* The same from memory; relative includes and files are taken from the working directory. */
int32_t config_parse(const char *name, struct aic_str text, const char *(*env)(const char *name),
                     struct config_problems *problems, struct config **config);
/* Writes a loaded tree, values replaced, secrets included, into a buffer that config_thaw reads
 * back in another process. Never to be shown. */
int32_t config_freeze(const struct config *config, struct aic_buf *to);
int32_t config_thaw(struct aic_str frozen, struct config **config);
void config_free(struct config *config);

const struct config_node *config_root(const struct config *config);
/* All accept NULL. */
enum config_kind config_kind(const struct config_node *node);
const char *config_name(const struct config_node *node); /* NULL in lists */
struct config_pos config_pos(const struct config_node *node);
size_t config_count(const struct config_node *node); /* members of a group or list */
const struct config_node *config_at(const struct config_node *node, size_t index);
const struct config_node *config_get(const struct config_node *group, const char *name);

/* Strings come replaced. NULL when it is none, or unset: then config_unset tells why. */
const char *config_string(const struct config_node *node);
/* Why a reference has no value, such as "environment variable GROQ_API_KEY is not set"; NULL. */
const char *config_unset(const struct config_node *node);
/* As it was written ("env:GROQ_API_KEY"), for `config show`. */
const char *config_written(const struct config_node *node);
/* Whether it was an env:, file: or cred: reference. */
bool config_is_reference(const struct config_node *node);
/* Whether others than owner and group may read the file that the value came from: the one that
 * wrote a literal, the one that a file: reference names (which the group may not write either). */
bool config_is_exposed(const struct config_node *node);
int64_t config_int(const struct config_node *node);
double config_float(const struct config_node *node); /* of an int, too */
bool config_bool(const struct config_node *node);

/* Appends any node as JSON (values replaced), for options of type AIC_OPTION_JSON. */
void config_json(const struct config_node *node, struct aic_buf *to);
/* Folder of the file that wrote this node; relative paths in it are meant from there. */
const char *config_folder(const struct config_node *node);

#endif
