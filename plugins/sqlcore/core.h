/* SPDX-License-Identifier: ISC */
#ifndef SQLCORE_CORE_H
#define SQLCORE_CORE_H
/*
 * The role storage on top of a driver. A plugin's instance begins with a struct sqlcore, so that
 * the functions at the end of this file go straight into its table of the role.
 */
#include "sqlcore/driver.h"
#include "sqlcore/schema.h"

#include <aicaller/clock.h>
#include <aicaller/log.h>
#include <aicaller/storage.h>

enum { SQL_HASH_TEXT = 32, SQL_ROW_MAX = 16 << 20 };

struct sqlcore {
    const struct sql_driver *driver;
    const struct aic_host *host;
    const struct aic_log_service *log;
    const struct aic_clock_service *clock;
    uint32_t flags; /* AIC_STORAGE_* */
    bool has_hash_key;
    unsigned char hash_key[32];
    struct sql_problem problem;
    struct sql_arena kept;        /* what the last operation gave out */
    struct sql_facts *statements; /* texts for facts, made at the first use */
};

/* The host and its services; false when one that is needed is absent. */
bool sqlcore_init(struct sqlcore *core, const struct sql_driver *driver,
                  const struct aic_host *host);
void sqlcore_finish(struct sqlcore *core);
void sqlcore_log(struct sqlcore *core, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Sets core->problem and returns `status`. */
int32_t sql_fail(struct sqlcore *core, int32_t status, uint32_t category, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Runs `work` in a transaction, again if it lost a race; rolls back when it fails. */
int32_t sql_transact(struct sqlcore *core, bool write,
                     int32_t (*work)(struct sqlcore *core, void *data), void *data);
/* One command without rows. */
int32_t sql_execute(struct sqlcore *core, const char *text, const struct sql_value *values,
                    uint32_t count, int64_t *changes);
/* One command, its rows to `row`. */
int32_t sql_fetch(struct sqlcore *core, const char *text, const struct sql_value *values,
                  uint32_t count, sql_row_handler row, void *data);
/* The first column of the first row, copied into the arena; SQL_NULL when there is no row. */
int32_t sql_fetch_one(struct sqlcore *core, const char *text, const struct sql_value *values,
                      uint32_t count, struct sql_arena *arena, struct sql_value *to);

/* The keyed hash by which a number is known after its erasure; lower case hexadecimal. */
int32_t sql_hash_number(struct sqlcore *core, struct aic_str number, char to[SQL_HASH_TEXT + 1]);

/* The functions of struct aic_storage. */
int32_t sqlcore_capabilities(void *self, struct aic_storage_caps *caps);
int32_t sqlcore_open(void *self, struct aic_error *error);
void sqlcore_close(void *self);
void sqlcore_interrupt(void *self);
int32_t sqlcore_identity(void *self, char *to, size_t bytes, struct aic_error *error);
int32_t sqlcore_migration(void *self, struct aic_migration *status, struct aic_error *error);
int32_t sqlcore_migrate(void *self, void (*step)(void *data, int64_t version, const char *name),
                        void *data, struct aic_error *error);
int32_t sqlcore_append(void *self, const struct aic_fact *facts, uint32_t count, uint32_t fact_size,
                       struct aic_append_result *result, struct aic_error *error);
int32_t sqlcore_query(void *self, const char *name, struct aic_str params, aic_row_handler row,
                      void *data, struct aic_error *error);
int32_t sqlcore_change(void *self, const char *name, struct aic_str params, aic_row_handler row,
                       void *data, struct aic_error *error);

/* How each of them begins and ends: frees what the last operation gave out, connects; tells the
 * problem to the host. */
int32_t sqlcore_enter(struct sqlcore *core);
int32_t sqlcore_leave(struct sqlcore *core, int32_t status, struct aic_error *error);

#endif
