/* SPDX-License-Identifier: ISC */
#include "pgsql.h"

#include <stdio.h>
#include <string.h>

struct meaning {
    const char *state; /* or its beginning; the first that fits counts */
    int32_t status;
    uint32_t category;
    bool is_data;
    bool is_passing;
};

static const struct meaning meanings[] = {
    {"08", AIC_ERROR_IO, AIC_CATEGORY_NETWORK, false, false},
    {"28", AIC_ERROR_IO, AIC_CATEGORY_AUTH, false, false},
    {"3D000", AIC_ERROR_IO, AIC_CATEGORY_NOT_FOUND, false, false},
    {"42501", AIC_ERROR_IO, AIC_CATEGORY_PERMISSION, false, false},
    {"42P01", AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST, false, false},
    {"42703", AIC_ERROR_CONFLICT, AIC_CATEGORY_BAD_REQUEST, false, false},
    {"26000", AIC_ERROR_IO, AIC_CATEGORY_SERVER, false, true},
    {"42P05", AIC_ERROR_IO, AIC_CATEGORY_SERVER, false, true},
    {"22", AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, true, false},
    {"23", AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, true, false},
    {"54", AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST, true, false},
    {"25006", AIC_ERROR_IO, AIC_CATEGORY_SERVER, false, false},
    {"40", AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED, false, true},
    {"55P03", AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED, false, true},
    {"53100", AIC_ERROR_IO, AIC_CATEGORY_QUOTA, false, false},
    {"53300", AIC_ERROR_IO, AIC_CATEGORY_CONCURRENCY, false, false},
    {"53", AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED, false, false},
    {"57014", AIC_ERROR_IO, AIC_CATEGORY_TIMEOUT, false, false},
    {"57P03", AIC_ERROR_IO, AIC_CATEGORY_OVERLOADED, false, false},
    {"57", AIC_ERROR_IO, AIC_CATEGORY_NETWORK, false, false},
    {"58", AIC_ERROR_IO, AIC_CATEGORY_SERVER, false, false},
    {"XX", AIC_ERROR_IO, AIC_CATEGORY_SERVER, false, false},
};

void pgsql_classify(const char *state, struct sql_problem *problem)
{
    problem->status = AIC_ERROR_INTERNAL;
    problem->category = AIC_CATEGORY_INTERNAL;
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        const struct meaning *m = &meanings[i];
        if (strncmp(state, m->state, strlen(m->state)) == 0) {
            problem->status = m->status;
            problem->category = m->category;
            problem->is_data = m->is_data;
            problem->is_passing = m->is_passing;
            return;
        }
    }
}

/* One line of it, without the line feeds that libpq likes. */
static void tell(struct sql_problem *problem, const char *text)
{
    size_t used = 0;
    for (; *text && used + 1 < sizeof(problem->message); text++) {
        bool is_space = *text == '\n' || *text == '\t' || *text == ' ';
        if (!is_space) {
            problem->message[used++] = *text;
        } else if (used > 0 && problem->message[used - 1] != ' ') {
            problem->message[used++] = ' ';
        }
    }
    while (used > 0 && problem->message[used - 1] == ' ') {
        used--;
    }
    problem->message[used] = '\0';
}

/* Answers of the server that mean that this connection is of no more use. */
static bool ends_connection(const char *state)
{
    return strncmp(state, "57P", 3) == 0 || strncmp(state, "08", 2) == 0 ||
           strcmp(state, "25006") == 0;
}

int32_t pgsql_result_problem(struct pgsql_storage *s, const PGresult *result)
{
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    if (!state) {
        return pgsql_connection_problem(s, AIC_ERROR_IO);
    }
    struct sql_problem *problem = &s->core.problem;
    *problem = (struct sql_problem){0};
    pgsql_classify(state, problem);
    (void)snprintf(problem->code, sizeof(problem->code), "SQLSTATE %.5s", state);
    if (strcmp(state, "57014") == 0 && atomic_load(&s->is_interrupted)) {
        problem->status = AIC_ERROR_CANCELLED;
        problem->category = AIC_CATEGORY_CANCELLED;
    }
    if (strcmp(state, "26000") == 0 || strcmp(state, "42P05") == 0) {
        /* Somebody hands our statements to other sessions. */
        sqlcore_log(&s->core, AIC_LOG_WARN,
                    "a pooler stands before the database; set pooler = true");
        s->has_pooler = true;
    }
    if (problem->is_data) {
        /* The server's text would quote the values. */
        tell(problem, "the database refuses the values");
    } else {
        const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
        tell(problem, text ? text : "the database gives no reason");
        if (problem->status == AIC_ERROR_CONFLICT) {
            size_t used = strlen(problem->message);
            (void)snprintf(problem->message + used, sizeof(problem->message) - used,
                           "; run \"aicaller migrate\"");
        }
    }
    int32_t status = problem->status;
    if (ends_connection(state)) {
        struct sql_problem kept = *problem;
        pgsql_disconnect(s);
        *problem = kept;
    }
    return status;
}

bool pgsql_find_state(const char *text, char state[6])
{
    for (const char *p = strstr(text, ":  "); p; p = strstr(p + 1, ":  ")) {
        size_t length = strspn(p + 3, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ");
        if (length == 5 && p[8] == ':') {
            memcpy(state, p + 3, 5);
            state[5] = '\0';
            return true;
        }
    }
    return false;
}

static bool is_about_tls(const char *text)
{
    return strstr(text, "SSL") || strstr(text, "certificate") || strstr(text, "TLS");
}

int32_t pgsql_connection_problem(struct pgsql_storage *s, int32_t status)
{
    char state[6];
    struct sql_problem problem = {.status = AIC_ERROR_IO, .category = AIC_CATEGORY_NETWORK};
    const char *text = s->connection ? PQerrorMessage(s->connection) : "out of memory";
    if (status == AIC_ERROR_TIMEOUT) {
        problem.category = AIC_CATEGORY_TIMEOUT;
        tell(&problem, "the database did not answer in time");
    } else if (status == AIC_ERROR_CANCELLED) {
        problem.status = AIC_ERROR_CANCELLED;
        problem.category = AIC_CATEGORY_CANCELLED;
        tell(&problem, "interrupted");
    } else if (pgsql_find_state(text, state)) {
        pgsql_classify(state, &problem);
        (void)snprintf(problem.code, sizeof(problem.code), "SQLSTATE %s", state);
        problem.status = AIC_ERROR_IO;
        problem.is_passing = false;
        tell(&problem, strstr(text, state) + 7);
        char *location = strstr(problem.message, " LOCATION: ");
        if (location) {
            *location = '\0';
        }
    } else {
        problem.category = is_about_tls(text)             ? AIC_CATEGORY_TLS
                           : strstr(text, "is read-only") ? AIC_CATEGORY_SERVER
                                                          : AIC_CATEGORY_NETWORK;
        tell(&problem, text[0] ? text : "the connection to the database broke");
    }
    pgsql_disconnect(s);
    s->core.problem = problem;
    return problem.status;
}
