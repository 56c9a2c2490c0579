/* SPDX-License-Identifier: ISC */
#ifndef CLI_APP_METRICS_H
#define CLI_APP_METRICS_H
/*
 * A server's place in the memory that all its workers share, and what it tells there of itself
 * twice a second. A server without workers has such memory for itself.
 */
struct app;

/* Sets app->shm and app->slot, where the app serves. Before anything counts. */
void app_metrics_start(struct app *app);
void app_metrics_sample(struct app *app);
/* Gives the memory back; nothing that uses it is left. */
void app_metrics_stop(struct app *app);

#endif
