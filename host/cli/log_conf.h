/* SPDX-License-Identifier: ISC */
#ifndef CLI_LOG_CONF_H
#define CLI_LOG_CONF_H
/* The group "log" of the configuration. */
#include "cli/conf.h"

int log_conf_format(const struct conf *conf); /* enum log_format */
int log_conf_level(const struct conf *conf);  /* AIC_LOG_... */
void log_conf_apply(const struct conf *conf);

#endif
