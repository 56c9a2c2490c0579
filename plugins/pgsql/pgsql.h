/* SPDX-License-Identifier: ISC */
#ifndef PGSQL_PGSQL_H
#define PGSQL_PGSQL_H
/* One provider instance: one connection to one database. */
#include "sqlcore/core.h"

#include <libpq-fe.h>
#include <stdatomic.h>

enum { PGSQL_PREPARED = 128, PGSQL_NAME_BYTES = 48, PGSQL_CHANNELS = 16, PGSQL_CHANNEL_BYTES = 64 };

/* A statement that the server knows by name. */
struct prepared {
    char *text;
    size_t bytes;
    char name[PGSQL_NAME_BYTES];
    bool is_known; /* the server has it */
    bool is_on_its_way;
};

struct pgsql_storage {
    struct sqlcore core;
    const char *url;
    const char *tls;    /* NULL = by the host's place */
    const char *tls_ca; /* NULL = the system's or the URL's */
    const char *name;   /* of the provider */
    int64_t timeout_ms; /* of one operation */
    int64_t connect_timeout_ms;
    bool has_pooler;   /* transaction pooling: nothing may be kept in the session */
    bool has_no_limit; /* this operation may take as long as it likes */
    PGconn *connection;
    int wake; /* eventfd that an interrupt writes to */
    atomic_bool is_interrupted;
    struct prepared prepared[PGSQL_PREPARED];
    uint32_t prepared_count;
    char channels[PGSQL_CHANNELS][PGSQL_CHANNEL_BYTES];
    uint32_t channel_count;
};

extern const struct sql_driver pgsql_driver;
extern const struct sql_migration sql_migrations_pgsql[];

static inline struct pgsql_storage *pgsql_of(struct sqlcore *core)
{
    return (struct pgsql_storage *)core;
}

/* connection.c */
/* Whether the URL can be read at all; says nothing about what it contains. */
bool pgsql_url_is_good(const char *url);
int32_t pgsql_connect(struct pgsql_storage *s);
void pgsql_disconnect(struct pgsql_storage *s);
int64_t pgsql_clock_ms(void);
/*
 * Waits until the socket can be read (or written), until `deadline_ms` at most. AIC_OK,
 * AIC_ERROR_TIMEOUT or AIC_ERROR_CANCELLED.
 */
int32_t pgsql_wait(struct pgsql_storage *s, bool write, int64_t deadline_ms);
/* Asks the server to stop what it is doing for us; does not wait. */
void pgsql_cancel(struct pgsql_storage *s);

/* run.c */
int32_t pgsql_run(struct sqlcore *core, struct sql_command *commands, uint32_t count,
                  sql_row_handler row, void *data);
/* Statements of a file, without values and without a time limit. */
int32_t pgsql_script(struct sqlcore *core, const struct sql_migration *file);

/* problem.c */
/* Tells what the server answered. Broken connections are closed. */
int32_t pgsql_result_problem(struct pgsql_storage *s, const PGresult *result);
/* Tells why there is no connection, and closes what is left of it. */
int32_t pgsql_connection_problem(struct pgsql_storage *s, int32_t status);
/* Classifies a SQLSTATE; pure. */
void pgsql_classify(const char *state, struct sql_problem *problem);
/* Finds the SQLSTATE in the text of a failed connection: five characters after "FATAL:  ". */
bool pgsql_find_state(const char *text, char state[6]);

/* decode.c: a value in the server's binary form; text longer than its buffer stays where it is.
 * False for a type that is not understood or bytes that can not be of it. Pure. */
enum { PGSQL_SCRATCH = 40 };

bool pgsql_decode(uint32_t type, struct aic_str bytes, char scratch[PGSQL_SCRATCH],
                  struct sql_value *value);

/* notify.c */
int32_t pgsql_notify(void *self, const char *channel, struct aic_str payload,
                     struct aic_error *error);
int32_t pgsql_listen(void *self, const char *const *channels, uint32_t count, int64_t timeout_ms,
                     aic_row_handler row, void *data, struct aic_error *error);

#endif
