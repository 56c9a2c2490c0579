/* SPDX-License-Identifier: ISC */
/* PostgreSQL and the way to it: refusals, outages, locks, TLS, notifications. */
#include "storage_kit.h"
#include "storage_server.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 10 };

/* Another instance, with settings of its own; ends with the case. */
struct alone {
    struct vsched *v;
    struct fake_host *fake;
    struct fake_setting settings[8];
    size_t count;
    void *db;
};

static void alone_set(struct alone *alone, const char *name, const char *value)
{
    alone->settings[alone->count++] = (struct fake_setting){name, value};
}

static int32_t alone_open(struct kit *kit, struct alone *alone)
{
    alone->v = vsched_create(1);
    alone->fake = fake_host_create(alone->v);
    return fake_provider_create(alone->fake, kit->plugin, alone->settings, &alone->db);
}

static void alone_close(struct kit *kit, struct alone *alone)
{
    kit->plugin->destroy(alone->db);
    fake_host_destroy(alone->fake);
    vsched_destroy(alone->v);
}

/* The URL with one part of it changed. */
static const char *changed(struct kit *kit, const char *from, const char *to)
{
    const char *at = strstr(kit->place, from);
    assert_non_null(at);
    return kit_text(kit, "%.*s%s%s", (int)(at - kit->place), kit->place, to, at + strlen(from));
}

static const char *password_of(struct kit *kit)
{
    const char *colon = strchr(strstr(kit->place, "//"), ':') + 1;
    return kit_text(kit, "%.*s", (int)strcspn(colon, "@"), colon);
}

static void expect_refusal(struct kit *kit, const char *url, uint32_t category, const char *says)
{
    struct alone alone = {0};
    alone_set(&alone, "url", url);
    alone_set(&alone, "connect_timeout", "3s");
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    assert_int_equal(kit->storage->open(alone.db, &kit->error), AIC_ERROR_IO);
    assert_int_equal(kit->error.category, category);
    assert_int_equal(kit->error.scope, AIC_SCOPE_PROVIDER);
    assert_true(kit_error_says(kit, says));
    assert_false(strstr(fake_log(alone.fake) ? fake_log(alone.fake) : "", "secret"));
    alone_close(kit, &alone);
}

static void a_refused_connection_says_why(struct kit *kit)
{
    expect_refusal(kit, changed(kit, password_of(kit), "wrongsecret"), AIC_CATEGORY_AUTH,
                   "password authentication failed");
    expect_refusal(kit, changed(kit, "/case", "/absent"), AIC_CATEGORY_NOT_FOUND, "does not exist");
    expect_refusal(kit, "postgresql://a:secret@127.0.0.1:1/x", AIC_CATEGORY_NETWORK,
                   "Connection refused");
    (void)kit_raw(kit, "CREATE ROLE one LOGIN PASSWORD 'one' CONNECTION LIMIT 0");
    expect_refusal(kit, changed(kit, kit_text(kit, "aicaller:%s@", password_of(kit)), "one:one@"),
                   AIC_CATEGORY_CONCURRENCY, "too many connections");
    (void)kit_raw(kit, "DROP ROLE one");
}

static void a_url_that_is_none_is_refused_unseen(struct kit *kit)
{
    static const char *const bad[] = {"postgresql://u:secret%zz@h/d", "host='secret",
                                      "secret=1 host=x", "mysql://secret@h/d"};
    for (size_t i = 0; i < 4; i++) {
        struct alone alone = {0};
        alone_set(&alone, "url", bad[i]);
        assert_int_equal(alone_open(kit, &alone), AIC_ERROR_CONFIG);
        assert_non_null(strstr(fake_log(alone.fake), "expected postgresql://"));
        assert_null(strstr(fake_log(alone.fake), "secret"));
        fake_host_destroy(alone.fake);
        vsched_destroy(alone.v);
    }
}

static void append_batch(struct kit *kit, void *db, unsigned n, int32_t *status)
{
    struct aic_fact facts[BATCH];
    char ids[BATCH][40];
    char columns[100];
    (void)snprintf(columns, sizeof(columns), "{\"turn\":%u,\"content\":\"w%u\"}", n, n);
    for (unsigned i = 0; i < BATCH; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "019b8d99-%04x-7000-8000-%012x", n & 0xffff, i);
        facts[i] = kit_fact("messages", ids[i], "019b8d99-0000-7000-8000-000000000000", 1, columns);
    }
    struct aic_append_result result = {.size = sizeof(result)};
    *status = kit->storage->append(db, facts, BATCH, sizeof(facts[0]), &result, &kit->error);
}

static unsigned count_whole_batches(struct kit *kit)
{
    assert_string_equal(kit_raw(kit, "SELECT count(*) FROM (SELECT turn FROM messages "
                                     "GROUP BY turn HAVING count(*) <> 10) t"),
                        "0");
    return (unsigned)strtoul(kit_raw(kit, "SELECT count(DISTINCT turn) FROM messages"), NULL, 10);
}

static void an_outage_is_told_and_passes(struct kit *kit)
{
    int32_t status = AIC_OK;
    append_batch(kit, kit->db, 1, &status);
    assert_int_equal(status, AIC_OK);
    storage_server_tell("down");
    for (unsigned i = 0; i < 3; i++) {
        append_batch(kit, kit->db, 2, &status);
        assert_int_equal(status, AIC_ERROR_IO);
        assert_int_equal(kit->error.category, AIC_CATEGORY_NETWORK);
    }
    storage_server_tell("up");
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_OK);
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(count_whole_batches(kit), 2);
}

static void a_restart_between_two_operations_goes_unnoticed(struct kit *kit)
{
    kit_put(kit, "calls", kit_id(1), "", 1, "{}");
    storage_server_tell("down");
    storage_server_tell("up");
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
    storage_server_tell("down");
    storage_server_tell("up");
    kit_put(kit, "calls", kit_id(2), "", 1, "{}");
}

static void a_server_that_does_not_answer_is_given_up(struct kit *kit)
{
    struct alone alone = {0};
    int32_t status = AIC_OK;
    alone_set(&alone, "url", kit->place);
    alone_set(&alone, "timeout", "200ms");
    alone_set(&alone, "connect_timeout", "200ms");
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    append_batch(kit, alone.db, 1, &status);
    assert_int_equal(status, AIC_OK);
    storage_server_tell("freeze");
    append_batch(kit, alone.db, 2, &status);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_TIMEOUT);
    append_batch(kit, alone.db, 2, &status);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_TIMEOUT);
    storage_server_tell("thaw");
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(count_whole_batches(kit), 2);
    alone_close(kit, &alone);
}

static void killed_connections_tear_no_batch(struct kit *kit)
{
    struct alone alone = {0};
    unsigned written = 0;
    alone_set(&alone, "url", kit->place);
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    /* The server ends the session at the first, second ... statement that touches the table. */
    (void)kit_raw(kit, "CREATE SEQUENCE killed");
    (void)kit_raw(kit, "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "IF nextval('killed') % 7 = 0 THEN "
                       "PERFORM pg_terminate_backend(pg_backend_pid()); END IF; "
                       "RETURN NULL; END $$");
    (void)kit_raw(kit, "CREATE TRIGGER die AFTER INSERT ON messages FOR EACH ROW "
                       "EXECUTE FUNCTION die()");
    unsigned failures = 0;
    for (unsigned n = 1; n <= 20; n++) {
        int32_t status = AIC_ERROR_IO;
        for (unsigned tries = 0; status != AIC_OK && tries < 20; tries++) {
            append_batch(kit, alone.db, n, &status);
            failures += status != AIC_OK;
        }
        written += status == AIC_OK;
        assert_int_equal(count_whole_batches(kit), written);
        if (n == 10) {
            (void)kit_raw(kit, "DROP TRIGGER die ON messages");
        }
    }
    assert_true(failures > 0);
    assert_in_range(written, 10, 20);
    alone_close(kit, &alone);
}

static void a_lock_that_is_held_too_long_is_told(struct kit *kit)
{
    struct alone alone = {0};
    int32_t status = AIC_OK;
    alone_set(&alone, "url", kit->place);
    alone_set(&alone, "timeout", "300ms");
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    (void)kit_raw(kit, "CREATE FUNCTION nap() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "PERFORM pg_sleep(60); RETURN NULL; END $$");
    (void)kit_raw(kit, "CREATE TRIGGER nap AFTER INSERT ON messages FOR EACH ROW "
                       "EXECUTE FUNCTION nap()");
    append_batch(kit, alone.db, 1, &status);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_TIMEOUT);
    (void)kit_raw(kit, "DROP TRIGGER nap ON messages");
    append_batch(kit, alone.db, 1, &status);
    assert_int_equal(status, AIC_OK);
    alone_close(kit, &alone);
}

static void a_database_that_became_read_only_is_told(struct kit *kit)
{
    const char *name = strrchr(kit->place, '/') + 1;
    int32_t status = AIC_OK;
    append_batch(kit, kit->db, 1, &status);
    assert_int_equal(status, AIC_OK);
    (void)kit_raw(kit,
                  kit_text(kit, "ALTER DATABASE %s SET default_transaction_read_only = on", name));
    kit->storage->close(kit->db);
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_ERROR_IO);
    assert_int_equal(kit->error.category, AIC_CATEGORY_SERVER);
    assert_true(kit_error_says(kit, "read-only"));
    (void)kit_raw(kit, kit_text(kit,
                                "SET default_transaction_read_only = off; ALTER DATABASE %s "
                                "RESET default_transaction_read_only",
                                name));
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_OK);
}

static void values_that_only_the_database_refuses_are_set_aside(struct kit *kit)
{
    (void)kit_raw(kit, "ALTER TABLE calls ADD CONSTRAINT nice CHECK (agent <> 'bad')");
    struct aic_fact facts[] = {
        kit_fact("calls", kit_id(1), "", 1, "{\"agent\":\"good\"}"),
        kit_fact("calls", kit_id(2), "", 1, "{\"agent\":\"bad\"}"),
        kit_fact("calls", kit_id(2), "", 2, "{\"cost\":1}"),
        kit_fact("calls", kit_id(3), "", 1, "{\"agent\":\"good\"}"),
    };
    assert_int_equal(kit_append(kit, kit->db, facts, 4), AIC_OK);
    assert_int_equal(kit->rejections, 2);
    assert_int_equal(kit->rejected, 1);
    assert_string_equal(kit->reason, "the database refuses these values (SQLSTATE 23514)");
    assert_int_equal(kit_count(kit, "calls", "{}"), 2);
}

static void without_prepared_statements_all_works(struct kit *kit)
{
    struct alone alone = {0};
    int32_t status = AIC_OK;
    alone_set(&alone, "url", kit->place);
    alone_set(&alone, "pooler", "true");
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    for (unsigned n = 1; n <= 3; n++) {
        append_batch(kit, alone.db, n, &status);
        assert_int_equal(status, AIC_OK);
    }
    assert_int_equal(count_whole_batches(kit), 3);
    alone_close(kit, &alone);
}

static void statements_that_a_pooler_lost_are_sent_again(struct kit *kit)
{
    int32_t status = AIC_OK;
    append_batch(kit, kit->db, 1, &status);
    assert_int_equal(status, AIC_OK);
    /* What the server knows by name is forgotten behind our back, as by a change of session. */
    (void)kit_raw(kit, "CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                       "EXECUTE 'DEALLOCATE ALL'; RETURN NULL; END $$");
    (void)kit_raw(kit, "CREATE TRIGGER forget AFTER INSERT ON events FOR EACH STATEMENT "
                       "EXECUTE FUNCTION forget()");
    kit_put(kit, "events", kit_id(1), kit_id(2), 1, "{}");
    append_batch(kit, kit->db, 2, &status);
    assert_int_equal(status, AIC_OK);
    assert_int_equal(count_whole_batches(kit), 2);
    assert_non_null(strstr(kit_log(kit, kit->db), "pooler = true"));
}

static void expect_tls(struct kit *kit, const char *mode, const char *ca, uint32_t category)
{
    struct alone alone = {0};
    alone_set(&alone, "url", kit->place);
    alone_set(&alone, "tls", mode);
    if (ca) {
        alone_set(&alone, "tls_ca", ca);
    }
    assert_int_equal(alone_open(kit, &alone), AIC_OK);
    int32_t status = kit->storage->open(alone.db, &kit->error);
    assert_int_equal(status, category ? AIC_ERROR_IO : AIC_OK);
    assert_int_equal(kit->error.category, category);
    alone_close(kit, &alone);
}

static void a_certificate_is_checked_when_asked_for(struct kit *kit)
{
    char folder[300];
    storage_server_ask("folder", folder, sizeof(folder));
    const char *theirs = kit_text(kit, "%s/server.crt", folder);
    char *certificate = kit_read_file(theirs, NULL);
    const char *ca = kit_text(kit, "%s/ca.crt", kit->folder);
    FILE *file = fopen(ca, "w");
    assert_non_null(file);
    assert_true(fputs(certificate, file) >= 0);
    assert_int_equal(fclose(file), 0);
    free(certificate);
    expect_tls(kit, "disable", NULL, 0);
    expect_tls(kit, "require", NULL, 0);
    expect_tls(kit, "verify-full", ca, 0);
    expect_tls(kit, "verify-full", "/etc/hostname", AIC_CATEGORY_TLS);
}

struct notes {
    char text[1000];
};

static int32_t take_note(void *data, struct aic_str row)
{
    struct notes *notes = data;
    size_t used = strlen(notes->text);
    (void)snprintf(notes->text + used, sizeof(notes->text) - used, "%.*s", (int)row.len, row.ptr);
    return 0;
}

static void who_waits_is_woken_by_a_notification(struct kit *kit)
{
    static const char *const channels[] = {"calls", "jobs"};
    struct notes notes = {""};
    void *waiter = kit_connect(kit);
    assert_int_equal(kit->storage->wait(waiter, channels, 2, 0, take_note, &notes, &kit->error),
                     AIC_OK);
    assert_string_equal(notes.text, "");
    assert_int_equal(
        kit->storage->notify(kit->db, "jobs", AIC_STR("{\"a\":\"\xc3\xbc\"}"), &kit->error),
        AIC_OK);
    assert_int_equal(kit->storage->notify(kit->db, "other", AIC_STR("x"), &kit->error), AIC_OK);
    assert_int_equal(kit->storage->wait(waiter, channels, 2, 20000, take_note, &notes, &kit->error),
                     AIC_OK);
    assert_string_equal(notes.text,
                        "{\"channel\":\"jobs\",\"payload\":\"{\\\"a\\\":\\\"\xc3\xbc\\\"}\"}");
    static const char *const bad[] = {"calls; DROP TABLE calls"};
    assert_int_equal(kit->storage->wait(waiter, bad, 1, 0, take_note, &notes, &kit->error),
                     AIC_ERROR_INVALID);
    assert_int_equal(kit->storage->notify(kit->db, "", AIC_STR("x"), &kit->error),
                     AIC_ERROR_INVALID);
    char large[5000];
    memset(large, 'x', sizeof(large));
    assert_int_equal(
        kit->storage->notify(kit->db, "jobs", (struct aic_str){large, 4096}, &kit->error),
        AIC_ERROR_TOO_LARGE);
    /* The server went away and came back: the wait fails once, then listens again. */
    storage_server_tell("down");
    assert_int_equal(kit->storage->wait(waiter, channels, 2, 20000, take_note, &notes, &kit->error),
                     AIC_ERROR_IO);
    storage_server_tell("up");
    notes.text[0] = '\0';
    assert_int_equal(kit->storage->wait(waiter, channels, 2, 0, take_note, &notes, &kit->error),
                     AIC_OK);
    assert_int_equal(kit->storage->notify(kit->db, "calls", AIC_STR(""), &kit->error), AIC_OK);
    assert_int_equal(kit->storage->wait(waiter, channels, 2, 20000, take_note, &notes, &kit->error),
                     AIC_OK);
    assert_string_equal(notes.text, "{\"channel\":\"calls\",\"payload\":\"\"}");
}

struct waiting {
    struct kit *kit;
    void *db;
    int32_t status;
    atomic_bool is_done;
};

static void *wait_long(void *data)
{
    static const char *const channels[] = {"calls"};
    struct waiting *w = data;
    struct notes notes = {""};
    w->status = w->kit->storage->wait(w->db, channels, 1, 600000, take_note, &notes, NULL);
    atomic_store(&w->is_done, true);
    return NULL;
}

static void a_wait_can_be_interrupted(struct kit *kit)
{
    pthread_t thread;
    struct waiting w = {.kit = kit, .db = kit_connect(kit)};
    assert_int_equal(pthread_create(&thread, NULL, wait_long, &w), 0);
    while (!atomic_load(&w.is_done)) {
        kit->storage->interrupt(w.db);
        (void)sched_yield();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(w.status, AIC_ERROR_CANCELLED);
    assert_int_equal(kit_count(kit, "calls", "{}"), 0);
}

static const struct kit_case cases[] = {
    {"a refused connection says why", a_refused_connection_says_why, "pgsql"},
    {"a URL that is none is refused unseen", a_url_that_is_none_is_refused_unseen, "pgsql"},
    {"an outage is told and passes", an_outage_is_told_and_passes, "pgsql"},
    {"a restart between two operations goes unnoticed",
     a_restart_between_two_operations_goes_unnoticed, "pgsql"},
    {"a server that does not answer is given up", a_server_that_does_not_answer_is_given_up,
     "pgsql"},
    {"killed connections tear no batch", killed_connections_tear_no_batch, "pgsql"},
    {"a lock that is held too long is told", a_lock_that_is_held_too_long_is_told, "pgsql"},
    {"a database that became read-only is told", a_database_that_became_read_only_is_told, "pgsql"},
    {"values that only the database refuses are set aside",
     values_that_only_the_database_refuses_are_set_aside, "pgsql"},
    {"without prepared statements all works", without_prepared_statements_all_works, "pgsql"},
    {"statements that a pooler lost are sent again", statements_that_a_pooler_lost_are_sent_again,
     "pgsql"},
    {"a certificate is checked when asked for", a_certificate_is_checked_when_asked_for, "pgsql"},
    {"who waits is woken by a notification", who_waits_is_woken_by_a_notification, "pgsql"},
    {"a wait can be interrupted", a_wait_can_be_interrupted, "pgsql"},
};

int main(void)
{
    return kit_main("storage_server", cases, sizeof(cases) / sizeof(cases[0]));
}
