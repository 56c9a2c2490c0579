/* SPDX-License-Identifier: ISC */
#ifndef CLI_APP_OUTLETS_H
#define CLI_APP_OUTLETS_H
/* Where a server tells of its calls: webhooks and traces. */
#include "cli/app.h"

/* False without memory; a process that is no server has none. */
bool app_outlets_make(struct app *app);
/* Sends no more; spans get a second to leave. Before the storage ends. */
void app_outlets_stop(struct app *app);
void app_outlets_destroy(struct app *app);
/* What another worker published. */
void app_outlets_news(struct app *app, const char *topic, struct aic_str body);

#endif
