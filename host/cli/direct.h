/* SPDX-License-Identifier: ISC */
#ifndef CLI_DIRECT_H
#define CLI_DIRECT_H
/* The storage without calls around it, for commands: in this process, blocking. */
#include "cli/conf.h"
#include "plugin/provider.h"

struct cli_args;
struct control;
struct loop;

struct direct {
    struct loop *loop;
    struct plugin_env env;
    struct provider *provider;
};

/* Runs a command with the configuration of this file, and gives its exit status; says what is wrong
 * with the file. */
int direct_command(const char *path, int (*run)(const struct conf *, const struct cli_args *),
                   const struct cli_args *args);

/* Makes the configured storage; says why it can not. */
bool direct_open(struct direct *direct, const struct conf *conf);
/* The same from a setup, and any provider of one that plays the role storage. */
bool direct_open_storage(struct direct *direct, const struct setup *setup);
bool direct_open_provider(struct direct *direct, const struct setup *setup,
                          const struct setup_provider *provider);
void direct_close(struct direct *direct);

/* Makes an empty database, and brings the embedded one up to date; says why it can not. */
bool direct_prepare(struct direct *direct);
/* The answer of a query or a change as a JSON array; false after saying what went wrong. */
bool direct_ask(struct direct *direct, bool is_change, const char *name, struct aic_str params,
                struct aic_buf *rows);
/* All rows of a query, page by page, as one document; NULL after saying why not. `filters` are
 * members of its parameters, such as "\"active\":true", or empty; `key` is the id of a row. */
struct aic_json *direct_list(struct direct *direct, const char *query, struct aic_str filters,
                             const char *key);

/* Rows of a query as a JSON array: from the running server where `control` is one, else from the
 * database itself. */
int32_t direct_query(const struct conf *conf, struct control *control, const char *name,
                     struct aic_str params, struct aic_buf *rows);

#endif
