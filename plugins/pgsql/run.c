/* SPDX-License-Identifier: ISC */
/*
 * Commands go out together and their results come back together: one round trip for a whole batch,
 * by libpq's pipeline mode. Values and results are in binary form where that spares quoting.
 */
#include "pgsql.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_VALUES = 128, NUMBER_TEXT = 40, MAX_ROW_COLUMNS = 64, GRACE_MS = 1000 };

/* One exchange with the server. */
struct exchange {
    struct pgsql_storage *s;
    struct sql_command *commands;
    uint32_t count;
    int32_t *prepares; /* by command: the statement that is prepared just before it; -1 = none */
    sql_row_handler row;
    void *data;
    int64_t deadline_ms;
    int32_t status; /* the first problem that the server told */
};

/* The values of a command as libpq wants them. */
struct parameters {
    const char *values[MAX_VALUES];
    int lengths[MAX_VALUES];
    int formats[MAX_VALUES]; /* 1 = binary, which for text is its bytes */
    char numbers[MAX_VALUES][NUMBER_TEXT];
};

static void set_parameter(struct parameters *p, uint32_t i, const struct sql_value *value)
{
    p->values[i] = p->numbers[i];
    p->formats[i] = 0;
    p->lengths[i] = 0;
    switch (value->type) {
    case SQL_NULL:
        p->values[i] = NULL;
        break;
    case SQL_INT:
        (void)snprintf(p->numbers[i], NUMBER_TEXT, "%" PRId64, value->integer);
        break;
    case SQL_BOOL:
        (void)snprintf(p->numbers[i], NUMBER_TEXT, "%s", value->integer ? "t" : "f");
        break;
    case SQL_REAL:
        (void)snprintf(p->numbers[i], NUMBER_TEXT, "%.17g", value->real);
        break;
    case SQL_TIME:
    case SQL_UUID:
        (void)aic_str_copy(value->text, p->numbers[i], NUMBER_TEXT);
        break;
    default:
        p->values[i] = value->text.ptr ? value->text.ptr : "";
        p->lengths[i] = (int)value->text.len;
        p->formats[i] = 1;
    }
}

/*
 * The name is made of the text: where a pooler mixes up sessions, a statement of this name must
 * never be another one.
 */
static void name_statement(char name[PGSQL_NAME_BYTES], struct aic_str text)
{
    unsigned char hash[crypto_generichash_BYTES_MIN];
    char digits[2 * sizeof(hash) + 1];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL,
                             0);
    (void)sodium_bin2hex(digits, sizeof(digits), hash, sizeof(hash));
    (void)snprintf(name, PGSQL_NAME_BYTES, "aicaller_%s", digits);
}

static int32_t find_prepared(struct pgsql_storage *s, struct aic_str text)
{
    for (uint32_t i = 0; i < s->prepared_count; i++) {
        if (s->prepared[i].bytes == text.len &&
            memcmp(s->prepared[i].text, text.ptr, text.len) == 0) {
            return (int32_t)i;
        }
    }
    if (s->prepared_count == PGSQL_PREPARED) {
        return -1;
    }
    struct prepared *fresh = &s->prepared[s->prepared_count];
    *fresh = (struct prepared){.text = aic_str_dup(text), .bytes = text.len};
    name_statement(fresh->name, text);
    return fresh->text ? (int32_t)s->prepared_count++ : -1;
}

/* The text of a command, terminated. */
static const char *text_of(const struct sql_command *command, struct aic_buf *copy)
{
    aic_buf_clear(copy);
    aic_buf_str(copy, command->text);
    return copy->failed ? NULL : copy->data;
}

static bool send_one(struct exchange *x, uint32_t index, struct parameters *p, struct aic_buf *copy)
{
    struct pgsql_storage *s = x->s;
    const struct sql_command *command = &x->commands[index];
    int count = (int)command->value_count;
    if (command->value_count > MAX_VALUES) {
        return false;
    }
    for (uint32_t i = 0; i < command->value_count; i++) {
        set_parameter(p, i, &command->values[i]);
    }
    bool keeps = command->is_fixed && !s->has_pooler;
    int32_t place = keeps ? find_prepared(s, command->text) : -1;
    if (place < 0) {
        const char *text = text_of(command, copy);
        return text && PQsendQueryParams(s->connection, text, count, NULL, p->values, p->lengths,
                                         p->formats, 1) == 1;
    }
    struct prepared *prepared = &s->prepared[place];
    const char *name = prepared->name;
    if (!prepared->is_known && !prepared->is_on_its_way) {
        if (PQsendPrepare(s->connection, name, prepared->text, 0, NULL) != 1) {
            return false;
        }
        prepared->is_on_its_way = true;
        x->prepares[index] = place;
    }
    return PQsendQueryPrepared(s->connection, name, count, p->values, p->lengths, p->formats, 1) ==
           1;
}

/* Everything into libpq's buffer, and from there to the server as far as it goes at once. */
static bool send_all(struct exchange *x)
{
    struct aic_buf copy;
    struct parameters *p = malloc(sizeof(*p));
    aic_buf_init(&copy, 1 << 20);
    bool sent = p != NULL;
    for (uint32_t i = 0; sent && i < x->count; i++) {
        sent = send_one(x, i, p, &copy);
    }
    free(p);
    aic_buf_finish(&copy);
    return sent && PQpipelineSync(x->s->connection) == 1;
}

/* Waits until the next result is complete. */
static int32_t wait_for_result(struct exchange *x)
{
    PGconn *connection = x->s->connection;
    for (;;) {
        int unsent = PQflush(connection);
        if (unsent < 0) {
            return AIC_ERROR_IO;
        }
        if (!PQisBusy(connection)) {
            return AIC_OK;
        }
        int32_t status = pgsql_wait(x->s, unsent > 0, x->deadline_ms);
        if (status) {
            return status;
        }
        if (PQconsumeInput(connection) != 1) {
            return AIC_ERROR_IO;
        }
    }
}

static void take_row(struct exchange *x, uint32_t index, const PGresult *result, int row,
                     bool *is_stopped)
{
    char scratch[MAX_ROW_COLUMNS][PGSQL_SCRATCH];
    struct sql_value values[MAX_ROW_COLUMNS];
    int count = PQnfields(result);
    count = count < MAX_ROW_COLUMNS ? count : MAX_ROW_COLUMNS;
    for (int i = 0; i < count; i++) {
        struct aic_str bytes = {PQgetvalue(result, row, i), (size_t)PQgetlength(result, row, i)};
        values[i] = sql_null();
        if (!PQgetisnull(result, row, i) &&
            !pgsql_decode(PQftype(result, i), bytes, scratch[i], &values[i])) {
            x->status = sql_fail(&x->s->core, AIC_ERROR_PROTOCOL, AIC_CATEGORY_PROTOCOL,
                                 "the database gave a value of an unknown kind (type %u)",
                                 PQftype(result, i));
            return;
        }
    }
    *is_stopped = x->row(x->data, index, values, (uint32_t)count) != 0;
}

static int32_t take_result(struct exchange *x, uint32_t index, const PGresult *result,
                           bool *is_stopped)
{
    struct sql_command *command = &x->commands[index];
    ExecStatusType kind = PQresultStatus(result);
    bool has_rows = kind == PGRES_SINGLE_TUPLE || kind == PGRES_TUPLES_OK;
    for (int row = 0; has_rows && row < PQntuples(result); row++) {
        if (atomic_load(&x->s->is_interrupted)) {
            return AIC_ERROR_CANCELLED;
        }
        if (x->row && !*is_stopped && x->status == AIC_OK) {
            take_row(x, index, result, row, is_stopped);
        }
    }
    if (kind == PGRES_COMMAND_OK || kind == PGRES_TUPLES_OK) {
        command->changes = strtoll(PQcmdTuples((PGresult *)(uintptr_t)result), NULL, 10);
    } else if (kind == PGRES_FATAL_ERROR && x->status == AIC_OK) {
        x->status = pgsql_result_problem(x->s, result);
    }
    return x->s->connection ? AIC_OK : AIC_ERROR_CLOSED;
}

/* The results of one command, or of its preparation, up to the NULL that ends them. */
static int32_t receive_one(struct exchange *x, uint32_t index, bool *is_good)
{
    bool is_stopped = false;
    *is_good = false;
    for (;;) {
        int32_t status = wait_for_result(x);
        PGresult *result = status ? NULL : PQgetResult(x->s->connection);
        if (!result) {
            return status;
        }
        *is_good = PQresultStatus(result) == PGRES_COMMAND_OK;
        status = take_result(x, index, result, &is_stopped);
        PQclear(result);
        if (status) {
            return status;
        }
    }
}

static int32_t receive_all(struct exchange *x)
{
    struct pgsql_storage *s = x->s;
    for (uint32_t i = 0; i < x->count; i++) {
        bool is_good = false;
        int32_t status = AIC_OK;
        if (x->prepares[i] >= 0) {
            status = receive_one(x, i, &is_good);
            if (status == AIC_OK) {
                s->prepared[x->prepares[i]].is_known = is_good;
                s->prepared[x->prepares[i]].is_on_its_way = false;
            }
        }
        if (status == AIC_OK && x->row) {
            (void)PQsetSingleRowMode(s->connection);
        }
        status = status ? status : receive_one(x, i, &is_good);
        if (status) {
            return status;
        }
    }
    int32_t status = wait_for_result(x);
    if (status == AIC_OK) {
        PQclear(PQgetResult(s->connection)); /* of the synchronisation */
    }
    return status;
}

/*
 * An operation that is given up takes its connection with it: the wish to stop may reach the server
 * late, and must not hit what comes next.
 */
static int32_t end(struct exchange *x, int32_t status)
{
    if (status == AIC_OK || status == AIC_ERROR_CLOSED) {
        return x->status;
    }
    if (status == AIC_ERROR_CANCELLED || status == AIC_ERROR_TIMEOUT) {
        pgsql_cancel(x->s);
    }
    return pgsql_connection_problem(x->s, status);
}

static int32_t exchange(struct pgsql_storage *s, struct exchange *x)
{
    if (!s->connection) {
        return sql_fail(&s->core, AIC_ERROR_IO, AIC_CATEGORY_NETWORK,
                        "the connection to the database broke");
    }
    x->prepares = malloc(x->count * sizeof(*x->prepares));
    if (!x->prepares) {
        return sql_fail(&s->core, AIC_ERROR_MEMORY, AIC_CATEGORY_INTERNAL, "out of memory");
    }
    for (uint32_t i = 0; i < x->count; i++) {
        x->prepares[i] = -1;
        x->commands[i].changes = 0;
    }
    int32_t status = send_all(x) ? receive_all(x) : AIC_ERROR_IO;
    free(x->prepares);
    return end(x, status);
}

int32_t pgsql_run(struct sqlcore *core, struct sql_command *commands, uint32_t count,
                  sql_row_handler row, void *data)
{
    struct pgsql_storage *s = pgsql_of(core);
    /* The server stops a statement at the limit by itself; this is for one that does not answer. */
    int64_t limit_ms = s->has_no_limit ? INT64_MAX / 2 : s->timeout_ms + GRACE_MS;
    struct exchange x = {.s = s,
                         .commands = commands,
                         .count = count,
                         .row = row,
                         .data = data,
                         .deadline_ms = pgsql_clock_ms() + limit_ms};
    bool had_pooler = s->has_pooler;
    int32_t status = count > 0 ? exchange(s, &x) : AIC_OK;
    if (status && s->has_pooler != had_pooler && s->connection &&
        PQtransactionStatus(s->connection) == PQTRANS_IDLE) {
        /* A prepared statement was not there; nothing was done, and nothing depends on it. */
        x.status = AIC_OK;
        core->problem = (struct sql_problem){0};
        status = exchange(s, &x);
    }
    return status;
}

int32_t pgsql_script(struct sqlcore *core, const struct sql_migration *file)
{
    struct pgsql_storage *s = pgsql_of(core);
    int32_t status = AIC_OK;
    if (PQexitPipelineMode(s->connection) != 1 || PQsendQuery(s->connection, file->text) != 1) {
        return pgsql_connection_problem(s, AIC_ERROR_IO);
    }
    struct exchange x = {.s = s, .deadline_ms = pgsql_clock_ms() + INT64_MAX / 2};
    for (;;) {
        status = wait_for_result(&x);
        PGresult *result = status ? NULL : PQgetResult(s->connection);
        if (!result) {
            break;
        }
        if (PQresultStatus(result) == PGRES_FATAL_ERROR && x.status == AIC_OK) {
            x.status = pgsql_result_problem(s, result);
        }
        PQclear(result);
        if (!s->connection) {
            return x.status;
        }
    }
    if (status == AIC_OK && PQenterPipelineMode(s->connection) != 1) {
        status = AIC_ERROR_IO;
    }
    return end(&x, status);
}
