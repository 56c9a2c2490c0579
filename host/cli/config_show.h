/* SPDX-License-Identifier: ISC */
#ifndef CLI_CONFIG_SHOW_H
#define CLI_CONFIG_SHOW_H
/*
 * The configuration as understood, for people. A value is masked where a plugin calls it a secret,
 * where its name or its form does, and where it is a header, which often carries one. What comes
 * from env:, file: or cred: is shown as written, unless asked for resolved.
 */
#include "cli/conf.h"

#include "buf.h"

/* As libconfig text, */
void config_show_text(const struct conf *conf, bool resolved, struct aic_buf *to);
/* or as a JSON object; a reference without a value is shown as written. */
void config_show_json(const struct conf *conf, struct aic_buf *to);

#endif
