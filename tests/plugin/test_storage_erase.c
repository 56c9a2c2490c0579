/* SPDX-License-Identifier: ISC */
/* What is erased stays erased, and what is too old goes. */
#include "storage_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NUMBER "+14155550100"

static void says(const char *rows, const char *part)
{
    if (!strstr(rows, part)) {
        fail_msg("not found: %s\nin: %.2000s", part, rows);
    }
}

/* A call from or to a number, with a row in every table. */
static void put_call(struct kit *kit, unsigned n, const char *from, const char *to)
{
    const char *call = kit_id(n);
    kit_put(kit, "calls", call, "", 1,
            kit_text(kit,
                     "{\"from_number\":\"%s\",\"to_number\":\"%s\",\"call_sid\":\"CA%u\","
                     "\"status\":\"completed\"}",
                     from, to, n));
    kit_put(kit, "messages", kit_id(n + 1), call, 1, "{\"content\":\"secret words\"}");
    kit_put(kit, "events", kit_id(n + 2), call, 1, "{\"type\":\"x\"}");
    kit_put(kit, "turns", kit_id(n + 3), call, 1, "{\"turn\":1}");
    kit_put(kit, "usage", kit_id(n + 4), call, 1, "{\"cost\":1}");
    kit_put(kit, "recordings", kit_id(n + 5), call, 1,
            kit_text(kit, "{\"path\":\"/r/%u.wav\"}", n));
    kit_put(kit, "consents", kit_id(n + 6), call, 1,
            kit_text(kit, "{\"number\":\"%s\",\"scope\":\"record\"}", to));
    kit_put(kit, "do_not_call", kit_id(n + 7), call, 1,
            kit_text(kit, "{\"number\":\"%s\",\"source\":\"speech\"}", to));
    kit_put(kit, "audit", kit_id(n + 8), call, 1,
            kit_text(kit, "{\"number\":\"%s\",\"action\":\"dial\",\"detail\":{\"to\":\"%s\"}}", to,
                     to));
    (void)kit_change(kit, kit->db, "job.add",
                     kit_text(kit, "{\"job_id\":\"%s\",\"kind\":\"webhook\",\"call_id\":\"%s\"}",
                              kit_id(n + 9), call));
    (void)kit_change(kit, kit->db, "idempotency.begin",
                     kit_text(kit, "{\"key\":\"k%u\",\"call_id\":\"%s\"}", n, call));
}

static void an_erasure_leaves_nothing_of_the_number(struct kit *kit)
{
    put_call(kit, 100, "+15550001", NUMBER);
    put_call(kit, 200, NUMBER, "+15550001");
    put_call(kit, 300, "+15550001", "+15550002");
    const char *receipt =
        kit_change(kit, kit->db, "erase",
                   kit_text(kit,
                            "{\"number\":\"" NUMBER "\",\"actor\":\"ann\",\"reason\":\"asked\","
                            "\"erasure_id\":\"%s\",\"at\":\"2026-01-05T12:00:00Z\"}",
                            kit_id(900)));
    says(receipt, kit_text(kit, "\"erasure_id\":\"%s\"", kit_id(900)));
    says(receipt, "\"calls\":2,");
    says(receipt, "\"counts\":{\"messages\":2,\"events\":2,\"turns\":2,\"usage\":2,"
                  "\"recordings\":2,\"jobs\":2,\"idempotency\":2,\"calls\":2,\"consents\":1,"
                  "\"do_not_call\":1,");
    says(receipt, "\"files\":[\"/r/100.wav\",\"/r/200.wav\"]");
    assert_null(strstr(receipt, NUMBER));
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
    assert_int_equal(kit_count(kit, "calls", "{\"text\":\"secret\"}"), 1);
    static const char *const lists[] = {"messages", "events", "turns", "usage", "recordings"};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(
            kit_count(kit, lists[i], kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(100))), 0);
        assert_int_equal(
            kit_count(kit, lists[i], kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(300))), 1);
    }
    /* Nobody may call them, all the same. */
    const char *entry =
        kit_query(kit, kit->db, "do_not_call", "{\"number\":\"" NUMBER "\",\"active\":true}");
    says(entry, "\"number\":null");
    assert_null(strstr(kit_query(kit, kit->db, "audit", "{}"), NUMBER));
    assert_null(strstr(kit_query(kit, kit->db, "consents", "{}"), NUMBER));
    assert_int_equal(kit_count(kit, "audit", "{}"), 3);
    /* The receipt is kept until its files are gone, and after that without their names. */
    says(kit_query(kit, kit->db, "erasures", "{\"active\":true}"), "/r/100.wav");
    says(kit_change(kit, kit->db, "erase.done",
                    kit_text(kit, "{\"erasure_id\":\"%s\"}", kit_id(900))),
         "\"done\":true");
    assert_int_equal(kit_count(kit, "erasures", "{\"active\":true}"), 0);
    assert_null(strstr(kit_query(kit, kit->db, "erasures", "{}"), "/r/100.wav"));
}

static void late_facts_obey_the_tombstone(struct kit *kit)
{
    put_call(kit, 100, "+15550001", NUMBER);
    (void)kit_change(kit, kit->db, "erase",
                     "{\"number\":\"" NUMBER "\",\"at\":\"2026-01-05T12:00:00Z\"}");
    /* Of a known call, of an unknown one, and a message whose call is told only later. */
    put_call(kit, 100, "+15550001", NUMBER);
    put_call(kit, 200, NUMBER, "+15550001");
    kit_put(kit, "messages", kit_id(301), kit_id(300), 1, "{\"content\":\"early\"}");
    assert_int_equal(kit_count(kit, "messages", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(300))),
                     1);
    kit_put(kit, "calls", kit_id(300), "", 1, "{\"to_number\":\"" NUMBER "\"}");
    kit_put(kit, "messages", kit_id(302), kit_id(300), 1, "{\"content\":\"late\"}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 0);
    for (unsigned call = 100; call <= 300; call += 100) {
        assert_int_equal(
            kit_count(kit, "messages", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(call))), 0);
    }
    /* The second call was not erased when its job and key were made; they are no facts. */
    assert_null(strstr(kit_query(kit, kit->db, "do_not_call", "{}"), NUMBER));
    assert_null(strstr(kit_query(kit, kit->db, "audit", "{}"), NUMBER));
    /* Who calls again afterwards is a new caller. */
    kit_put(kit, "calls", kit_id(400), "", 1,
            "{\"from_number\":\"" NUMBER "\",\"created_at\":\"2026-01-05T12:00:01Z\"}");
    kit_put(kit, "messages", kit_id(401), kit_id(400), 1, "{\"content\":\"hello again\"}");
    assert_int_equal(kit_count(kit, "calls", "{\"text\":\"again\"}"), 1);
    kit_put(kit, "do_not_call", kit_id(402), kit_id(400), 1,
            "{\"number\":\"" NUMBER "\",\"added_at\":\"2026-01-05T12:00:02Z\"}");
    says(kit_query(kit, kit->db, "do_not_call", "{\"number\":\"" NUMBER "\"}"), NUMBER);
}

static void one_call_can_be_erased(struct kit *kit)
{
    put_call(kit, 100, "+15550001", NUMBER);
    put_call(kit, 200, "+15550001", NUMBER);
    says(kit_change(kit, kit->db, "erase", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(100))),
         "\"calls\":1");
    kit_put(kit, "events", kit_id(150), kit_id(100), 1, "{}");
    kit_put(kit, "calls", kit_id(100), "", 9, "{\"agent\":\"x\"}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
    /* One that is not known yet stays away as well. */
    says(kit_change(kit, kit->db, "erase", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(500))),
         "\"calls\":0");
    kit_put(kit, "calls", kit_id(500), "", 1, "{\"agent\":\"x\"}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
    assert_int_equal(kit_try_change(kit, kit->db, "erase", "{}"), AIC_ERROR_INVALID);
    assert_int_equal(kit_try_change(kit, kit->db, "erase", "{\"number\":\"\"}"), AIC_ERROR_INVALID);
}

static void an_own_number_is_not_erased_by_mistake(struct kit *kit)
{
    enum { MANY = 1001 };
    static struct aic_fact facts[MANY];
    for (unsigned i = 0; i < MANY; i++) {
        facts[i] = kit_fact("calls", kit_id(i + 1), "", 1, "{\"from_number\":\"" NUMBER "\"}");
    }
    assert_int_equal(kit_append(kit, kit->db, facts, MANY), AIC_OK);
    assert_int_equal(kit_try_change(kit, kit->db, "erase", "{\"number\":\"" NUMBER "\"}"),
                     AIC_ERROR_CONFLICT);
    assert_true(kit_error_says(kit, "confirm_calls = 1001"));
    assert_int_equal(kit_count(kit, "calls", "{\"per_page\":1000}"), 1000);
    says(kit_change(kit, kit->db, "erase", "{\"number\":\"" NUMBER "\",\"confirm_calls\":1001}"),
         "\"calls\":1001");
    assert_int_equal(kit_count(kit, "calls", "{}"), 0);
}

static void an_export_has_everything_of_one_number(struct kit *kit)
{
    put_call(kit, 100, "+15550001", NUMBER);
    put_call(kit, 200, "+15550001", "+15550002");
    (void)kit_change(kit, kit->db, "job.add",
                     kit_text(kit,
                              "{\"job_id\":\"%s\",\"kind\":\"dial\",\"number\":\"" NUMBER "\"}",
                              kit_id(50)));
    const char *rows = kit_query(kit, kit->db, "export", "{\"number\":\"" NUMBER "\"}");
    static const char *const tables[] = {"calls", "messages",   "events",     "turns",
                                         "usage", "recordings", "consents",   "do_not_call",
                                         "audit", "jobs",       "idempotency"};
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        says(rows, kit_text(kit, "{\"table\":\"%s\",\"row\":{", tables[i]));
    }
    assert_int_equal(kit_count(kit, "export", "{\"number\":\"" NUMBER "\"}"), 12);
    assert_null(strstr(rows, "+15550002"));
    assert_int_equal(kit_count(kit, "export", "{\"number\":\"+15550009\"}"), 0);
}

static void what_is_too_old_goes_in_slices(struct kit *kit)
{
    for (unsigned i = 1; i <= 10; i++) {
        put_call(kit, i * 100, "+15550001", "+15550002");
    }
    /* Calls 100 to 1000 are 100 ms apart from 10:00:00.100 on. */
    static const char slice[] =
        "{\"class\":\"messages\",\"before\":\"2026-01-05T10:00:00.550Z\",\"limit\":3}";
    says(kit_change(kit, kit->db, "retention", slice), "{\"deleted\":3,\"more\":true,");
    says(kit_change(kit, kit->db, "retention", slice), "{\"deleted\":2,\"more\":false,");
    says(kit_change(kit, kit->db, "retention", slice), "{\"deleted\":0,\"more\":false,");
    says(kit_change(kit, kit->db, "retention",
                    "{\"class\":\"recordings\",\"before\":\"2026-01-05T10:00:00.250Z\"}"),
         "{\"deleted\":2,\"more\":false,\"files\":[\"/r/100.wav\",\"/r/200.wav\"]}");
    says(kit_change(kit, kit->db, "retention",
                    "{\"class\":\"calls\",\"before\":\"2026-01-05T10:00:00.350Z\"}"),
         "{\"deleted\":3,\"more\":false,\"files\":[\"/r/300.wav\"]}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 7);
    assert_int_equal(kit_count(kit, "events", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(100))),
                     0);
    assert_int_equal(kit_count(kit, "events", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(400))),
                     1);
    static const char *const classes[] = {"events", "turns", "usage",    "consents",
                                          "audit",  "work",  "erasures", "do_not_call"};
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        (void)kit_change(kit, kit->db, "retention",
                         kit_text(kit, "{\"class\":\"%s\",\"before\":\"2026-01-06\"}", classes[i]));
    }
    /* Whoever asked not to be called stays on the list. */
    assert_int_equal(kit_count(kit, "do_not_call", "{}"), 10);
    assert_int_equal(kit_count(kit, "audit", "{}"), 0);
    assert_int_equal(kit_count(kit, "consents", "{}"), 0);
    assert_int_equal(kit_try_change(kit, kit->db, "retention",
                                    "{\"class\":\"users\",\"before\":\"2026-01-06\"}"),
                     AIC_ERROR_INVALID);
}

static void housekeeping_comes_to_an_end(struct kit *kit)
{
    for (unsigned i = 1; i <= 30; i++) {
        put_call(kit, i * 100, "+15550001", "+15550002");
    }
    (void)kit_change(kit, kit->db, "erase", "{\"number\":\"+15550002\"}");
    int slices = 0;
    while (strstr(kit_change(kit, kit->db, "maintain", "{}"), "\"more\":true")) {
        assert_in_range(++slices, 1, 100);
    }
    assert_int_equal(kit_count(kit, "calls", "{}"), 0);
}

static const struct kit_case cases[] = {
    {"an erasure leaves nothing of the number", an_erasure_leaves_nothing_of_the_number, NULL},
    {"late facts obey the tombstone", late_facts_obey_the_tombstone, NULL},
    {"one call can be erased", one_call_can_be_erased, NULL},
    {"an own number is not erased by mistake", an_own_number_is_not_erased_by_mistake, NULL},
    {"an export has everything of one number", an_export_has_everything_of_one_number, NULL},
    {"what is too old goes in slices", what_is_too_old_goes_in_slices, NULL},
    {"housekeeping comes to an end", housekeeping_comes_to_an_end, NULL},
};

int main(void)
{
    return kit_main("storage_erase", cases, sizeof(cases) / sizeof(cases[0]));
}
