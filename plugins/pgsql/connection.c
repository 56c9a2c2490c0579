/* SPDX-License-Identifier: ISC */
#include "pgsql.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MAX_KEYWORDS = 20 };

/* The connection's parameters; a later one with the same keyword wins. */
struct keywords {
    const char *names[MAX_KEYWORDS + 1];
    const char *values[MAX_KEYWORDS + 1];
    size_t count;
};

static void set(struct keywords *k, const char *name, const char *value)
{
    if (value && k->count < MAX_KEYWORDS) {
        k->names[k->count] = name;
        k->values[k->count++] = value;
    }
}

int64_t pgsql_clock_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool pgsql_url_is_good(const char *url)
{
    char *text = NULL;
    PQconninfoOption *options = PQconninfoParse(url, &text);
    PQconninfoFree(options);
    PQfreemem(text);
    return options != NULL;
}

static bool is_local(const char *host)
{
    return !host || !host[0] || host[0] == '/' || host[0] == '@' ||
           strcmp(host, "localhost") == 0 || strcmp(host, "127.0.0.1") == 0 ||
           strcmp(host, "::1") == 0;
}

/*
 * What the URL leaves open: TLS for what is not on this machine, no read-only copy, and that the
 * server stops a statement by itself when we stop waiting for it.
 */
static void choose(const struct pgsql_storage *s, struct keywords *k,
                   const PQconninfoOption *options, const char *session)
{
    const char *host = NULL;
    bool has_tls = false;
    bool has_target = false;
    bool has_options = false;
    for (const PQconninfoOption *o = options; o->keyword; o++) {
        host = strcmp(o->keyword, "host") == 0 ? o->val : host;
        has_tls = has_tls || (strcmp(o->keyword, "sslmode") == 0 && o->val);
        has_target = has_target || (strcmp(o->keyword, "target_session_attrs") == 0 && o->val);
        has_options = has_options || (strcmp(o->keyword, "options") == 0 && o->val);
    }
    if (!has_tls) {
        set(k, "sslmode", s->tls ? s->tls : is_local(host) ? "prefer" : "require");
    }
    if (!has_target && !s->has_pooler) {
        set(k, "target_session_attrs", "read-write");
    }
    if (!has_options && !s->has_pooler) {
        set(k, "options", session);
    }
}

int32_t pgsql_wait(struct pgsql_storage *s, bool write, int64_t deadline_ms)
{
    for (;;) {
        int64_t left_ms = deadline_ms - pgsql_clock_ms();
        if (atomic_load(&s->is_interrupted)) {
            return AIC_ERROR_CANCELLED;
        }
        if (left_ms <= 0) {
            return AIC_ERROR_TIMEOUT;
        }
        short events = (short)(POLLIN | (write ? POLLOUT : 0));
        struct pollfd fds[] = {{.fd = PQsocket(s->connection), .events = events},
                               {.fd = s->wake, .events = POLLIN}};
        int ready = poll(fds, 2, (int)(left_ms < 60000 ? left_ms : 60000));
        if (ready > 0 && fds[0].revents) {
            return AIC_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return AIC_ERROR_IO;
        }
    }
}

/* PgBouncer refuses what a session would keep, unless it was told to ignore it. */
static bool is_refused_by_pooler(struct pgsql_storage *s)
{
    bool refused = !s->has_pooler && s->connection &&
                   strstr(PQerrorMessage(s->connection), "unsupported startup parameter");
    if (refused) {
        sqlcore_log(&s->core, AIC_LOG_WARN,
                    "a pooler stands before the database; set pooler = true");
        s->has_pooler = true;
    }
    return refused;
}

/* Goes through the steps of a connection without ever blocking for longer than the deadline. */
static int32_t finish_connecting(struct pgsql_storage *s)
{
    int64_t deadline_ms = pgsql_clock_ms() + s->connect_timeout_ms;
    PostgresPollingStatusType step = PGRES_POLLING_WRITING;
    while (step != PGRES_POLLING_OK) {
        bool write = step == PGRES_POLLING_WRITING;
        if (step == PGRES_POLLING_FAILED && is_refused_by_pooler(s)) {
            return AIC_ERROR_CLOSED;
        }
        int32_t status =
            step == PGRES_POLLING_FAILED ? AIC_ERROR_IO : pgsql_wait(s, write, deadline_ms);
        if (status) {
            return pgsql_connection_problem(s, status);
        }
        step = PQconnectPoll(s->connection);
    }
    return AIC_OK;
}

static void ignore_notice(void *data, const PGresult *result)
{
    (void)data;
    (void)result;
}

static int32_t begin_connecting(struct pgsql_storage *s)
{
    char user_timeout[24];
    char session[96];
    char *text = NULL;
    struct keywords k = {.count = 0};
    PQconninfoOption *options = PQconninfoParse(s->url, &text);
    PQfreemem(text);
    if (!options) {
        return sql_fail(&s->core, AIC_ERROR_CONFIG, AIC_CATEGORY_BAD_REQUEST,
                        "url: this is no URL of a PostgreSQL database");
    }
    (void)snprintf(user_timeout, sizeof(user_timeout), "%lld", (long long)s->timeout_ms);
    /* Our statements are short and many: compiling one takes longer than running it. */
    (void)snprintf(session, sizeof(session), "-c statement_timeout=%lld -c jit=off",
                   (long long)s->timeout_ms);
    set(&k, "dbname", s->url);
    choose(s, &k, options, session);
    set(&k, "sslrootcert", s->tls_ca);
    set(&k, "client_encoding", "UTF8");
    set(&k, "application_name", "aicaller");
    set(&k, "keepalives_idle", "30");
    set(&k, "keepalives_interval", "10");
    set(&k, "keepalives_count", "3");
    set(&k, "tcp_user_timeout", user_timeout);
    s->connection = PQconnectStartParams(k.names, k.values, 1);
    PQconninfoFree(options);
    if (!s->connection || PQstatus(s->connection) == CONNECTION_BAD) {
        return pgsql_connection_problem(s, AIC_ERROR_IO);
    }
    /* So that the text of a refusal has the SQLSTATE, which nothing else tells. */
    (void)PQsetErrorVerbosity(s->connection, PQERRORS_VERBOSE);
    (void)PQsetNoticeReceiver(s->connection, ignore_notice, NULL);
    return AIC_OK;
}

/* Whether the server has hung up while nobody was looking. */
static bool is_alive(struct pgsql_storage *s)
{
    enum { LOOKS = 4 };

    for (int i = 0; i < LOOKS && s->connection; i++) {
        struct pollfd fd = {.fd = PQsocket(s->connection), .events = POLLIN};
        if (PQstatus(s->connection) != CONNECTION_OK) {
            return false;
        }
        if (poll(&fd, 1, 0) <= 0) {
            return true;
        }
        if (PQconsumeInput(s->connection) != 1) {
            return false;
        }
    }
    return s->connection != NULL;
}

int32_t pgsql_connect(struct pgsql_storage *s)
{
    uint64_t wakes = 0;
    atomic_store(&s->is_interrupted, false);
    while (read(s->wake, &wakes, sizeof(wakes)) > 0) {
    }
    s->has_no_limit = false;
    if (is_alive(s)) {
        return AIC_OK;
    }
    int32_t status = AIC_ERROR_CLOSED;
    for (int tries = 0; status == AIC_ERROR_CLOSED && tries < 2; tries++) {
        pgsql_disconnect(s);
        status = begin_connecting(s);
        status = status ? status : finish_connecting(s);
    }
    if (status) {
        return status;
    }
    (void)PQsetErrorVerbosity(s->connection, PQERRORS_DEFAULT);
    if (PQsetnonblocking(s->connection, 1) != 0 || PQenterPipelineMode(s->connection) != 1) {
        return pgsql_connection_problem(s, AIC_ERROR_IO);
    }
    return AIC_OK;
}

void pgsql_disconnect(struct pgsql_storage *s)
{
    PQfinish(s->connection);
    s->connection = NULL;
    for (uint32_t i = 0; i < s->prepared_count; i++) {
        free(s->prepared[i].text);
    }
    s->prepared_count = 0;
    s->channel_count = 0;
}

static void *cancel(void *data)
{
    char reason[256];
    (void)PQcancel(data, reason, sizeof(reason));
    PQfreeCancel(data);
    return NULL;
}

/* libpq waits without a limit until the server has taken the wish, so a thread of its own does. */
void pgsql_cancel(struct pgsql_storage *s)
{
    pthread_t thread;
    PGcancel *wish = PQgetCancel(s->connection);
    if (wish && pthread_create(&thread, NULL, cancel, wish) == 0) {
        (void)pthread_detach(thread);
    } else {
        PQfreeCancel(wish);
    }
}
