/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_SETUP_TABLES_H
#define PLUGIN_SETUP_TABLES_H
/* The options of the groups server, server.tls and log. */
#include "base/settings.h"

extern const struct settings_table setup_server_table;
extern const struct settings_table setup_tls_table;
extern const struct settings_table setup_log_table;

#endif
