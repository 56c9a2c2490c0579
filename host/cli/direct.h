/* SPDX-License-Identifier: ISC */
#ifndef CLI_DIRECT_H
#define CLI_DIRECT_H
/* The storage without calls around it, for commands: in this process, blocking. */
#include "cli/conf.h"
#include "plugin/provider.h"

struct loop;
struct control;

struct direct {
    struct loop *loop;
    struct plugin_env env;
    struct provider *provider;
};

/* Makes the configured storage; says why it can not. */
bool direct_open(struct direct *direct, const struct conf *conf);
void direct_close(struct direct *direct);

/* Rows of a query as a JSON array: from the running server where `control` is one, else from the
 * database itself. */
int32_t direct_query(const struct conf *conf, struct control *control, const char *name,
                     struct aic_str params, struct aic_buf *rows);

#endif
