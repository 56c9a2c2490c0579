/* SPDX-License-Identifier: ISC */
#ifndef PLUGIN_STORAGE_H
#define PLUGIN_STORAGE_H
/*
 * A storage instance with a thread of its own, so that a database which hangs holds up nobody.
 * Questions are queued, asked one after the other, and answered on the loop.
 */
#include "plugin/provider.h"

struct storage;

/* `rows` is a JSON array; `error` is set when status is not AIC_OK. Both borrowed. */
typedef void (*storage_reply)(void *data, int32_t status, struct aic_str rows,
                              const struct aic_error *error);

enum { STORAGE_QUEUE = 256, STORAGE_MAX_ROWS_BYTES = 32 << 20 };

/* Takes over the provider, which is destroyed with the storage. NULL without memory or thread. */
struct storage *storage_create(struct provider *provider);
/* What waits is answered AIC_ERROR_CANCELLED, what runs is interrupted. */
void storage_destroy(struct storage *storage);
struct provider *storage_provider(const struct storage *storage);

/* Named queries and changes of aicaller/storage.h. `params` is copied. The reply comes exactly
 * once, never from inside; AIC_ERROR_BUSY in it when 256 wait already. */
void storage_query(struct storage *storage, const char *name, struct aic_str params,
                   storage_reply reply, void *data);
void storage_change(struct storage *storage, const char *name, struct aic_str params,
                    storage_reply reply, void *data);

#endif
