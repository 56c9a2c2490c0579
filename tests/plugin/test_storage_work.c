/* SPDX-License-Identifier: ISC */
/* Jobs, limits, first use, users and keys: what must be agreed between workers and hosts. */
#include "storage_kit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T(second) "\"at\":\"2026-01-05T10:00:" #second "Z\""

static void says(const char *rows, const char *part)
{
    if (!strstr(rows, part)) {
        fail_msg("not found: %s\nin: %.2000s", part, rows);
    }
}

static const char *add_job(struct kit *kit, unsigned n, const char *more)
{
    return kit_change(kit, kit->db, "job.add",
                      kit_text(kit,
                               "{\"job_id\":\"%s\",\"kind\":\"dial\",\"payload\":{\"n\":%u}%s}",
                               kit_id(n), n, more));
}

static const char *claim(struct kit *kit, const char *owner, const char *second)
{
    return kit_change(kit, kit->db, "job.claim",
                      kit_text(kit,
                               "{\"kind\":[\"dial\",\"webhook\"],\"owner\":\"%s\","
                               "\"lease_ms\":10000,\"at\":\"2026-01-05T10:00:%sZ\"}",
                               owner, second));
}

static void jobs_are_claimed_once_and_in_order(struct kit *kit)
{
    says(add_job(kit, 1, "," T(00)), "\"added\":true");
    says(add_job(kit, 2, ",\"priority\":5," T(00)), "\"added\":true");
    says(add_job(kit, 3, ",\"run_at\":\"2026-01-05T10:00:30Z\"," T(00)), "\"added\":true");
    says(claim(kit, "a", "01"), "\"payload\":{\"n\":2}");
    says(claim(kit, "b", "01"), "\"payload\":{\"n\":1}");
    assert_string_equal(claim(kit, "c", "01"), "{\"job\":null}\n");
    /* The leases of the first two have run out. */
    says(claim(kit, "c", "30"), "\"payload\":{\"n\":1}");
    says(claim(kit, "c", "30"), "\"payload\":{\"n\":2}");
    says(claim(kit, "c", "30"), "\"payload\":{\"n\":3}");
    assert_string_equal(claim(kit, "c", "30"), "{\"job\":null}\n");
    assert_int_equal(kit_count(kit, "jobs", "{\"state\":\"claimed\"}"), 3);
}

static void only_the_holder_of_a_lease_may_end_a_job(struct kit *kit)
{
    const char *id = kit_id(1);
    (void)add_job(kit, 1, "," T(00));
    says(claim(kit, "a", "01"), "\"attempts\":1");
    const char *first = kit_text(kit, "\"job_id\":\"%s\",\"owner\":\"a\",\"attempt\":1", id);
    says(
        kit_change(kit, kit->db, "job.extend",
                   kit_text(kit, "{%s,\"lease_ms\":20000,\"note\":{\"step\":1}," T(05) "}", first)),
        "\"held\":true");
    assert_string_equal(claim(kit, "b", "20"), "{\"job\":null}\n");
    says(claim(kit, "b", "26"), "\"note\":{\"step\":1}");
    says(kit_change(kit, kit->db, "job.complete", kit_text(kit, "{%s}", first)), "\"held\":false");
    const char *second = kit_text(kit, "\"job_id\":\"%s\",\"owner\":\"b\",\"attempt\":2", id);
    says(
        kit_change(kit, kit->db, "job.release",
                   kit_text(kit, "{%s,\"run_at\":\"2026-01-05T10:00:40Z\",\"last_error\":\"busy\"}",
                            second)),
        "\"held\":true");
    assert_string_equal(claim(kit, "a", "39"), "{\"job\":null}\n");
    says(claim(kit, "a", "40"), "\"attempts\":3");
    says(kit_change(kit, kit->db, "job.complete",
                    kit_text(kit,
                             "{\"job_id\":\"%s\",\"owner\":\"a\",\"attempt\":3,"
                             "\"state\":\"failed\",\"result\":[1]}",
                             id)),
         "\"held\":true");
    says(kit_query(kit, kit->db, "job", kit_text(kit, "{\"job_id\":\"%s\"}", id)),
         "\"state\":\"failed\"");
    says(kit_change(kit, kit->db, "job.cancel", kit_text(kit, "{\"job_id\":\"%s\"}", id)),
         "\"canceled\":false");
}

static void a_job_with_a_known_key_is_the_known_job(struct kit *kit)
{
    says(add_job(kit, 1, ",\"dedupe_key\":\"k\""), "\"added\":true");
    says(add_job(kit, 2, ",\"dedupe_key\":\"k\""),
         kit_text(kit, "{\"added\":false,\"job_id\":\"%s\"}", kit_id(1)));
    says(add_job(kit, 1, ""), "\"added\":false");
    says(kit_change(kit, kit->db, "job.cancel", kit_text(kit, "{\"job_id\":\"%s\"}", kit_id(1))),
         "\"canceled\":true");
    assert_int_equal(kit_count(kit, "jobs", "{}"), 1);
}

/* As a spool brings it. */
static struct aic_fact webhook(struct kit *kit, unsigned n, const char *call, const char *number)
{
    return kit_fact("jobs", kit_id(n), call, 1,
                    kit_text(kit,
                             "{\"kind\":\"webhook:crm\",\"state\":\"queued\",\"priority\":0,"
                             "\"attempts\":0,\"run_at\":\"2026-01-05T10:00:00Z\","
                             "\"created_at\":\"2026-01-05T10:00:00Z\","
                             "\"payload\":{\"n\":%u}%s}",
                             n, number));
}

static void jobs_come_as_facts_and_are_claimed_as_others(struct kit *kit)
{
    const char *claim_it =
        "{\"kind\":\"webhook:crm\",\"owner\":\"a\",\"lease_ms\":10000," T(01) "}";
    const struct aic_fact facts[] = {webhook(kit, 1, kit_id(100), ""),
                                     webhook(kit, 1, kit_id(100), ""), webhook(kit, 2, "", "")};
    assert_int_equal(kit_append(kit, kit->db, facts, 3), AIC_OK);
    assert_int_equal(kit->rejections, 0);
    says(kit_query(kit, kit->db, "stats.jobs", "{}"),
         "{\"kind\":\"webhook:crm\",\"state\":\"queued\",\"jobs\":2,"
         "\"oldest_at\":\"2026-01-05T10:00:00.000Z\"}");
    says(kit_change(kit, kit->db, "job.claim", claim_it), "\"payload\":{\"n\":1}");
    /* Seen again, as after a crash of the mover: what has become of it stays. */
    assert_int_equal(kit_append(kit, kit->db, facts, 1), AIC_OK);
    says(kit_change(kit, kit->db, "job.claim", claim_it), "\"payload\":{\"n\":2}");
    assert_string_equal(kit_change(kit, kit->db, "job.claim", claim_it), "{\"job\":null}\n");
}

static void a_job_that_lacks_what_it_needs_is_set_aside_alone(struct kit *kit)
{
    const struct aic_fact facts[] = {webhook(kit, 1, "", ""),
                                     kit_fact("jobs", kit_id(2), "", 1, "{\"kind\":\"x\"}")};
    assert_int_equal(kit_append(kit, kit->db, facts, 2), AIC_OK);
    assert_int_equal(kit->rejections, 1);
    assert_int_equal(kit->rejected, 1);
    assert_int_equal(kit_count(kit, "jobs", "{}"), 1);
}

static void jobs_of_who_was_erased_are_swallowed(struct kit *kit)
{
    kit_put(kit, "calls", kit_id(100), kit_id(100), 1,
            "{\"to_number\":\"+14155550100\",\"created_at\":\"2026-01-05T09:00:00Z\"}");
    (void)kit_change(kit, kit->db, "erase", "{\"number\":\"+14155550100\"}");
    const struct aic_fact facts[] = {webhook(kit, 1, kit_id(100), ""),
                                     webhook(kit, 2, "", ",\"number\":\"+14155550100\"")};
    assert_int_equal(kit_append(kit, kit->db, facts, 2), AIC_OK);
    assert_int_equal(kit->rejections, 0);
    assert_int_equal(kit_count(kit, "jobs", "{}"), 0);
}

/* Work of one of several threads, each with a connection of its own. */
struct racer {
    struct kit kit;
    void *db;
    unsigned first;
    unsigned count;
    atomic_uint *granted;
    unsigned char *seen; /* by number of a job */
    pthread_t thread;
};

static int32_t note_answer(void *data, struct aic_str row)
{
    (void)aic_str_copy(row, data, 2000);
    return 0;
}

/* Only what threads may do: no cmocka, no texts of the case. */
static void change(struct racer *r, const char *name, const char *params, char answer[2000])
{
    answer[0] = '\0';
    if (r->kit.storage->change(r->db, name, aic_str(params), note_answer, answer, NULL) != AIC_OK) {
        abort();
    }
}

static void *claim_all(void *data)
{
    struct racer *r = data;
    char answer[2000];
    for (;;) {
        change(r, "job.claim",
               "{\"kind\":\"dial\",\"owner\":\"x\",\"lease_ms\":100000,"
               "\"at\":\"2026-01-05T10:00:01Z\"}",
               answer);
        const char *n = strstr(answer, "{\"n\":");
        if (!n) {
            return NULL;
        }
        r->seen[strtol(n + 5, NULL, 10)]++;
        atomic_fetch_add(r->granted, 1);
    }
}

static void *reserve_all(void *data)
{
    struct racer *r = data;
    char answer[2000];
    char params[400];
    for (unsigned i = 0; i < r->count; i++) {
        (void)snprintf(params, sizeof(params),
                       "{\"reservation_id\":\"00000000-0000-7000-8000-%012u\",\"counters\":["
                       "{\"counter\":\"calls\",\"limit\":50},"
                       "{\"counter\":\"spend\",\"amount\":3,\"limit\":100,\"window_ms\":60000}],"
                       "\"at\":\"2026-01-05T10:00:01Z\"}",
                       r->first + i);
        change(r, "counter.reserve", params, answer);
        if (strstr(answer, "\"granted\":true")) {
            atomic_fetch_add(r->granted, 1);
        }
    }
    return NULL;
}

static unsigned race(struct kit *kit, void *(*work)(void *data), unsigned char *seen)
{
    enum { RACERS = 4, EACH = 40 };
    static struct racer racers[RACERS];
    atomic_uint granted = 0;
    for (unsigned i = 0; i < RACERS; i++) {
        racers[i] = (struct racer){.kit = *kit,
                                   .db = kit_connect(kit),
                                   .first = i * EACH + 1,
                                   .count = EACH,
                                   .granted = &granted,
                                   .seen = seen ? seen + (size_t)i * 300 : NULL};
    }
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_create(&racers[i].thread, NULL, work, &racers[i]), 0);
    }
    for (unsigned i = 0; i < RACERS; i++) {
        assert_int_equal(pthread_join(racers[i].thread, NULL), 0);
    }
    return granted;
}

static void many_workers_claim_every_job_exactly_once(struct kit *kit)
{
    enum { JOBS = 200 };

    static unsigned char seen[4][300];
    memset(seen, 0, sizeof(seen));
    for (unsigned i = 1; i <= JOBS; i++) {
        (void)add_job(kit, i, "," T(00));
    }
    assert_int_equal(race(kit, claim_all, seen[0]), JOBS);
    for (unsigned i = 1; i <= JOBS; i++) {
        assert_int_equal(seen[0][i] + seen[1][i] + seen[2][i] + seen[3][i], 1);
    }
}

static void many_workers_never_pass_a_limit(struct kit *kit)
{
    /* 160 ask for 3 each under a limit of 100: 33 fit. */
    assert_int_equal(race(kit, reserve_all, NULL), 33);
    assert_int_equal(kit_count(kit, "reservations", "{\"counter\":\"spend\",\"limit\":1000}"), 33);
    assert_int_equal(kit_count(kit, "reservations", "{\"counter\":\"calls\",\"limit\":1000}"), 33);
}

static const char *reserve(struct kit *kit, unsigned n, const char *counters, const char *second)
{
    return kit_change(kit, kit->db, "counter.reserve",
                      kit_text(kit,
                               "{\"reservation_id\":\"%s\",\"counters\":[%s],\"ttl_ms\":30000,"
                               "\"at\":\"2026-01-05T10:%sZ\"}",
                               kit_id(n), counters, second));
}

static void a_counter_without_window_counts_what_is_open(struct kit *kit)
{
    static const char two[] = "{\"counter\":\"c\",\"limit\":2}";
    says(reserve(kit, 1, two, "00:00"), "\"granted\":true");
    says(reserve(kit, 2, two, "00:10"), "\"granted\":true");
    says(reserve(kit, 3, two, "00:11"),
         "{\"granted\":false,\"counter\":\"c\",\"used\":2,\"limit\":2,\"retry_after_ms\":19000}");
    says(reserve(kit, 2, two, "00:11"), "\"granted\":true");
    says(kit_change(kit, kit->db, "counter.settle",
                    kit_text(kit, "{\"reservation_id\":\"%s\"}", kit_id(1))),
         "\"known\":true");
    says(reserve(kit, 3, two, "00:12"), "\"granted\":true");
    says(reserve(kit, 4, two, "00:13"), "\"granted\":false");
    /* The holder of 2 died: its time runs out. */
    says(reserve(kit, 4, two, "00:41"), "\"granted\":true");
    says(kit_change(kit, kit->db, "counter.release",
                    kit_text(kit, "{\"reservation_id\":\"%s\"}", kit_id(4))),
         "\"known\":true");
    says(kit_change(kit, kit->db, "counter.release",
                    kit_text(kit, "{\"reservation_id\":\"%s\"}", kit_id(4))),
         "\"known\":false");
}

static void a_counter_with_a_window_counts_what_was(struct kit *kit)
{
    static const char spend[] =
        "{\"counter\":\"s\",\"amount\":40,\"limit\":100,\"window_ms\":60000}";
    says(reserve(kit, 1, spend, "00:00"), "\"granted\":true");
    says(reserve(kit, 2, spend, "00:20"), "\"granted\":true");
    says(reserve(kit, 3, spend, "00:30"), "\"used\":80,\"limit\":100,\"retry_after_ms\":30000");
    says(kit_change(kit, kit->db, "counter.settle",
                    kit_text(kit, "{\"reservation_id\":\"%s\",\"amounts\":{\"s\":15}}", kit_id(2))),
         "\"known\":true");
    says(reserve(kit, 3, spend, "00:30"), "\"granted\":true");
    says(reserve(kit, 4, spend, "00:40"), "\"granted\":false");
    says(reserve(kit, 4, spend, "01:00"), "\"granted\":true");
}

static void a_reservation_takes_all_counters_or_none(struct kit *kit)
{
    static const char both[] = "{\"counter\":\"b\",\"limit\":1},{\"counter\":\"a\",\"limit\":5}";
    says(reserve(kit, 1, both, "00:00"), "\"granted\":true");
    says(reserve(kit, 2, both, "00:01"), "\"counter\":\"b\"");
    assert_int_equal(kit_count(kit, "reservations", "{\"counter\":\"a\"}"), 1);
    static const char *const bad[] = {
        "",
        "{}",
        "{\"counter\":\"a\"}",
        "{\"counter\":\"\",\"limit\":1}",
        "{\"counter\":\"a\",\"limit\":1},{\"counter\":\"a\",\"limit\":1}",
        "{\"counter\":\"a\",\"limit\":1,\"amount\":-1}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(
            kit_try_change(
                kit, kit->db, "counter.reserve",
                kit_text(kit, "{\"reservation_id\":\"%s\",\"counters\":[%s]}", kit_id(9), bad[i])),
            AIC_ERROR_INVALID);
        assert_true(kit_error_says(kit, "counters: expected are 1 to 16"));
    }
}

static const char *begin(struct kit *kit, const char *more)
{
    return kit_change(kit, kit->db, "idempotency.begin",
                      kit_text(kit, "{\"key\":\"k\",\"fingerprint\":\"f\"%s}", more));
}

static void the_first_use_of_a_key_wins(struct kit *kit)
{
    assert_string_equal(begin(kit, "," T(00)), "{\"first\":true}\n");
    says(begin(kit, "," T(01)), "\"first\":false,\"mismatch\":false,\"state\":\"pending\"");
    says(kit_change(kit, kit->db, "idempotency.begin",
                    "{\"key\":\"k\",\"fingerprint\":\"other\"," T(01) "}"),
         "\"first\":false,\"mismatch\":true");
    says(kit_change(kit, kit->db, "idempotency.finish",
                    kit_text(kit,
                             "{\"key\":\"k\",\"status\":201,\"call_id\":\"%s\","
                             "\"response\":\"{\\\"a\\\":1}\"}",
                             kit_id(1))),
         "\"finished\":true");
    says(begin(kit, "," T(02)), "\"state\":\"done\",\"status\":201");
    says(begin(kit, "," T(02)), "\"response\":\"{\\\"a\\\":1}\"");
    /* A day later it may be used anew. */
    says(begin(kit, ",\"at\":\"2026-01-06T10:00:00Z\""), "{\"first\":true}");
    says(kit_change(kit, kit->db, "idempotency.release", "{\"key\":\"k\"}"), "\"released\":true");
    says(begin(kit, "," T(03)), "{\"first\":true}");
    /* Its holder died. */
    says(begin(kit, ",\"lease_ms\":1000," T(04)), "\"first\":false");
    says(begin(kit, ",\"lease_ms\":1000,\"at\":\"2026-01-05T10:01:03Z\""),
         "\"first\":true,\"mismatch\":false,\"state\":\"pending\"");
    says(begin(kit, ",\"at\":\"2026-01-05T10:01:03.5Z\""), "\"first\":false");
}

static void a_token_is_good_once(struct kit *kit)
{
    says(kit_change(kit, kit->db, "token.use", "{\"token_hash\":\"t\",\"ttl_ms\":1000}"),
         "\"first\":true");
    says(kit_change(kit, kit->db, "token.use", "{\"token_hash\":\"t\",\"ttl_ms\":1000}"),
         "\"first\":false");
}

static void a_number_on_the_list_is_found(struct kit *kit)
{
    static const char active[] = "{\"number\":\"+14155550100\",\"active\":true}";
    says(kit_change(kit, kit->db, "do_not_call.add",
                    "{\"number\":\"+14155550100\",\"source\":\"speech\"," T(00) "}"),
         "\"added\":true");
    says(kit_change(kit, kit->db, "do_not_call.add", "{\"number\":\"+14155550100\"," T(00) "}"),
         "\"added\":false");
    assert_int_equal(kit_count(kit, "do_not_call", active), 1);
    assert_int_equal(kit_count(kit, "do_not_call", "{\"number\":\"+14155550101\"}"), 0);
    says(kit_change(kit, kit->db, "do_not_call.remove",
                    "{\"number\":\"+14155550100\",\"removed_by\":\"admin\"}"),
         "\"removed\":1");
    assert_int_equal(kit_count(kit, "do_not_call", active), 0);
    assert_int_equal(kit_count(kit, "do_not_call", "{}"), 1);
    /* The call that it came from tells it as a fact. */
    kit_put(kit, "do_not_call", kit_id(1), kit_id(2), 1,
            "{\"number\":\"+14155550100\",\"source\":\"dtmf\"}");
    assert_int_equal(kit_count(kit, "do_not_call", active), 1);
}

static void a_consent_holds_until_it_ends(struct kit *kit)
{
    kit_put(kit, "consents", kit_id(1), "", 1,
            "{\"number\":\"+1\",\"scope\":\"record\",\"obtained_at\":\"2026-01-10T00:00:00Z\","
            "\"expires_at\":\"2026-03-01T00:00:00Z\"}");

    static const struct {
        const char *day;
        size_t count;
    } days[] = {{"01-09", 0}, {"01-10", 1}, {"02-28", 1}, {"03-01", 0}};

    for (size_t i = 0; i < 4; i++) {
        char params[200];
        (void)snprintf(
            params, sizeof(params),
            "{\"number\":\"+1\",\"scope\":\"record\",\"valid_at\":\"2026-%sT00:00:00Z\"}",
            days[i].day);
        assert_int_equal(kit_count(kit, "consents", params), days[i].count);
    }
    says(kit_change(kit, kit->db, "consent.revoke",
                    "{\"number\":\"+1\",\"at\":\"2026-02-01T00:00:00Z\"}"),
         "\"revoked\":1");
    assert_int_equal(
        kit_count(kit, "consents", "{\"number\":\"+1\",\"valid_at\":\"2026-02-28T00:00:00Z\"}"), 0);
    assert_int_equal(
        kit_count(kit, "consents", "{\"number\":\"+1\",\"valid_at\":\"2026-01-28T00:00:00Z\"}"), 1);
}

static void users_log_in_and_are_locked_out(struct kit *kit)
{
    says(kit_change(kit, kit->db, "user.add",
                    kit_text(kit,
                             "{\"user_id\":\"%s\",\"name\":\"ann\",\"role\":\"admin\","
                             "\"password_hash\":\"$argon2id$x\"}",
                             kit_id(1))),
         "\"added\":true");
    says(kit_change(
             kit, kit->db, "user.add",
             kit_text(kit, "{\"user_id\":\"%s\",\"name\":\"ann\",\"role\":\"viewer\"}", kit_id(2))),
         "\"added\":false");
    says(kit_query(kit, kit->db, "user", "{\"name\":\"ann\"}"), "$argon2id$x");
    assert_null(strstr(kit_query(kit, kit->db, "users", "{}"), "password_hash"));
    assert_string_equal(kit_change(kit, kit->db, "user.login", "{\"name\":\"bob\",\"ok\":false}"),
                        "{\"user\":null}\n");
    for (int i = 1; i < 3; i++) {
        says(kit_change(kit, kit->db, "user.login",
                        "{\"name\":\"ann\",\"ok\":false,\"max_failures\":3," T(00) "}"),
             kit_text(kit, "\"failures\":%d,\"locked_until\":null", i));
    }
    says(kit_change(
             kit, kit->db, "user.login",
             "{\"name\":\"ann\",\"ok\":false,\"max_failures\":3,\"lock_ms\":60000," T(00) "}"),
         "\"failures\":0,\"locked_until\":\"2026-01-05T10:01:00.000Z\"");
    says(kit_change(kit, kit->db, "user.login", "{\"name\":\"ann\",\"ok\":true," T(01) "}"),
         "\"failures\":0,\"locked_until\":null");
    says(kit_change(kit, kit->db, "session.add",
                    kit_text(kit,
                             "{\"session_hash\":\"s\",\"user_id\":\"%s\","
                             "\"expires_at\":\"2026-01-05T22:00:00Z\"," T(00) "}",
                             kit_id(1))),
         "\"added\":true");
    static const char touch[] =
        "{\"session_hash\":\"s\",\"idle_ms\":1800000,\"at\":\"2026-01-05T10:30:00Z\"}";
    says(kit_change(kit, kit->db, "session.touch", touch), "\"valid\":true");
    says(kit_change(kit, kit->db, "session.touch",
                    "{\"session_hash\":\"s\",\"idle_ms\":1800000,\"at\":\"2026-01-05T11:00:01Z\"}"),
         "\"valid\":false");
    assert_null(strstr(kit_query(kit, kit->db, "sessions", "{}"), "session_hash"));
    says(kit_change(kit, kit->db, "user.set", "{\"name\":\"ann\",\"disabled\":true}"),
         "\"changed\":true");
    says(kit_change(kit, kit->db, "session.touch", touch), "\"valid\":false");
    says(kit_change(kit, kit->db, "user.delete", "{\"name\":\"ann\"}"), "\"deleted\":true");
    assert_int_equal(kit_count(kit, "users", "{}"), 0);
}

static const char *add_admin(struct kit *kit, const char *name, unsigned id)
{
    return kit_change(
        kit, kit->db, "user.add",
        kit_text(kit, "{\"user_id\":\"%s\",\"name\":\"%s\",\"role\":\"admin\"}", kit_id(id), name));
}

static void the_last_admin_stays(struct kit *kit)
{
    static const char *const losses[] = {
        "{\"name\":\"ann\",\"keep_admin\":true,\"disabled\":true}",
        "{\"name\":\"ann\",\"keep_admin\":true,\"role\":\"viewer\"}"};
    static const char delete_ann[] = "{\"name\":\"ann\",\"keep_admin\":true}";
    (void)add_admin(kit, "ann", 1);
    (void)add_admin(kit, "bob", 2);
    (void)kit_change(kit, kit->db, "user.set", "{\"name\":\"bob\",\"disabled\":true}");
    for (size_t i = 0; i < 2; i++) {
        says(kit_change(kit, kit->db, "user.set", losses[i]),
             "\"changed\":false,\"last_admin\":true");
    }
    says(kit_change(kit, kit->db, "user.delete", delete_ann),
         "\"deleted\":false,\"last_admin\":true");
    says(kit_query(kit, kit->db, "user", "{\"name\":\"ann\"}"), "\"role\":\"admin\"");
    says(kit_change(kit, kit->db, "user.delete", "{\"name\":\"bob\",\"keep_admin\":true}"),
         "\"deleted\":true");
    (void)add_admin(kit, "eve", 3);
    says(kit_change(kit, kit->db, "user.set", losses[1]), "\"changed\":true");
    says(kit_change(kit, kit->db, "user.delete", delete_ann), "\"deleted\":true");
}

static void a_key_is_found_by_its_hash(struct kit *kit)
{
    says(kit_change(kit, kit->db, "api_key.add",
                    kit_text(kit,
                             "{\"key_id\":\"%s\",\"name\":\"crm\",\"key_hash\":\"h\","
                             "\"scopes\":[\"calls:read\"]}",
                             kit_id(1))),
         "\"added\":true");
    const char *params = kit_text(kit, "{\"key_id\":\"%s\"," T(00) "}", kit_id(1));
    says(kit_query(kit, kit->db, "api_key", "{\"key_hash\":\"h\"}"), "\"scopes\":[\"calls:read\"]");
    says(kit_change(kit, kit->db, "api_key.touch", params), "\"changed\":true");
    says(kit_change(kit, kit->db, "api_key.revoke", params), "\"revoked\":true");
    says(kit_change(kit, kit->db, "api_key.revoke", params), "\"revoked\":false");
    says(kit_query(kit, kit->db, "api_keys", "{}"), "\"revoked_at\":\"2026-01-05T10:00:00.000Z\"");
}

static const struct kit_case cases[] = {
    {"jobs come as facts and are claimed as others", jobs_come_as_facts_and_are_claimed_as_others,
     NULL},
    {"a job that lacks what it needs is set aside alone",
     a_job_that_lacks_what_it_needs_is_set_aside_alone, NULL},
    {"jobs of who was erased are swallowed", jobs_of_who_was_erased_are_swallowed, NULL},
    {"jobs are claimed once and in order", jobs_are_claimed_once_and_in_order, NULL},
    {"only the holder of a lease may end a job", only_the_holder_of_a_lease_may_end_a_job, NULL},
    {"a job with a known key is the known job", a_job_with_a_known_key_is_the_known_job, NULL},
    {"many workers claim every job exactly once", many_workers_claim_every_job_exactly_once, NULL},
    {"many workers never pass a limit", many_workers_never_pass_a_limit, NULL},
    {"a counter without window counts what is open", a_counter_without_window_counts_what_is_open,
     NULL},
    {"a counter with a window counts what was", a_counter_with_a_window_counts_what_was, NULL},
    {"a reservation takes all counters or none", a_reservation_takes_all_counters_or_none, NULL},
    {"the first use of a key wins", the_first_use_of_a_key_wins, NULL},
    {"a token is good once", a_token_is_good_once, NULL},
    {"a number on the list is found", a_number_on_the_list_is_found, NULL},
    {"a consent holds until it ends", a_consent_holds_until_it_ends, NULL},
    {"users log in and are locked out", users_log_in_and_are_locked_out, NULL},
    {"the last admin stays", the_last_admin_stays, NULL},
    {"a key is found by its hash", a_key_is_found_by_its_hash, NULL},
};

int main(void)
{
    return kit_main("storage_work", cases, sizeof(cases) / sizeof(cases[0]));
}
