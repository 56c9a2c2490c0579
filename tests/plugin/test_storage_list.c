/* SPDX-License-Identifier: ISC */
/* The list of calls: pages, cursors, filters, full text, figures. */
#include "storage_kit.h"

#include "sqlcore/query_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CALLS = 53 };

static const char *const statuses[] = {"completed", "failed", "busy", "in_progress"};

/* Calls 1 to CALLS, each a second later than the one before. */
static void fill(struct kit *kit)
{
    static struct aic_fact facts[CALLS];
    for (unsigned i = 1; i <= CALLS; i++) {
        facts[i - 1] =
            kit_fact("calls", kit_id(i), "", 1,
                     kit_text(kit,
                              "{\"status\":\"%s\",\"direction\":\"%s\",\"agent\":\"agent%u\","
                              "\"from_number\":\"+1415555%04u\",\"to_number\":\"+1415555%04u\","
                              "\"created_at\":\"2026-01-05T10:00:%02u.000Z\",\"call_sid\":\"CA%u\","
                              "\"duration_s\":%u,\"cost\":0.5}",
                              statuses[i % 4], i % 2 ? "inbound" : "outbound", i % 3, i % 7,
                              100 + i % 5, i, i, i));
    }
    assert_int_equal(kit_append(kit, kit->db, facts, CALLS), AIC_OK);
    assert_int_equal(kit->rejections, 0);
}

/* The numbers behind CA of each row, as "53 52 51". */
static const char *sids(struct kit *kit, const char *params)
{
    const char *text = "";
    for (const char *p = kit_query(kit, kit->db, "calls", params);
         (p = strstr(p, "\"call_sid\":\"CA"));) {
        p += strlen("\"call_sid\":\"CA");
        text = kit_text(kit, "%s%s%d", text, *text ? " " : "", (int)strtol(p, NULL, 10));
    }
    return text;
}

static void pages_go_from_new_to_old(struct kit *kit)
{
    fill(kit);
    assert_string_equal(sids(kit, "{\"per_page\":5}"), "53 52 51 50 49");
    assert_string_equal(sids(kit, "{\"per_page\":5,\"page\":2}"), "48 47 46 45 44");
    assert_string_equal(sids(kit, "{\"per_page\":5,\"page\":11}"), "3 2 1");
    assert_string_equal(sids(kit, "{\"per_page\":5,\"page\":12}"), "");
    assert_string_equal(sids(kit, "{\"per_page\":5,\"last\":true}"), "5 4 3 2 1");
    assert_int_equal(kit_count(kit, "calls", "{}"), 20);
    assert_int_equal(kit_count(kit, "calls", "{\"per_page\":1000}"), CALLS);
}

static void a_cursor_goes_on_behind_a_row(struct kit *kit)
{
    fill(kit);
    const char *cursor = kit_text(kit, "2026-01-05T10:00:49.000Z,%s", kit_id(49));
    assert_string_equal(sids(kit, kit_text(kit, "{\"per_page\":4,\"after\":\"%s\"}", cursor)),
                        "48 47 46 45");
    assert_string_equal(sids(kit, kit_text(kit, "{\"per_page\":3,\"before\":\"%s\"}", cursor)),
                        "52 51 50");
    assert_string_equal(
        sids(kit,
             kit_text(kit, "{\"per_page\":3,\"before\":\"%s\",\"status\":\"failed\"}", cursor)),
        "53");
    cursor = kit_text(kit, "2026-01-05T10:00:01Z,%s", kit_id(1));
    assert_string_equal(sids(kit, kit_text(kit, "{\"after\":\"%s\"}", cursor)), "");
}

/* What a filter must give, worked out without the database. */
static const char *expect(struct kit *kit, bool (*wanted)(unsigned i))
{
    const char *text = "";
    for (unsigned i = CALLS; i >= 1; i--) {
        if (wanted(i)) {
            text = kit_text(kit, "%s%s%u", text, *text ? " " : "", i);
        }
    }
    return text;
}

static bool is_failed(unsigned i)
{
    return i % 4 == 1;
}

static bool is_failed_or_busy(unsigned i)
{
    return i % 4 == 1 || i % 4 == 2;
}

static bool is_inbound_of_agent_1(unsigned i)
{
    return i % 2 == 1 && i % 3 == 1;
}

static bool has_number_3(unsigned i)
{
    return i % 7 == 3;
}

static bool has_number_103(unsigned i)
{
    return i % 5 == 3;
}

static bool is_late(unsigned i)
{
    return i >= 10 && i < 20;
}

static bool is_number_3_failed_late(unsigned i)
{
    return has_number_3(i) && is_failed_or_busy(i) && i >= 10;
}

static void filters_hold_alone_and_together(struct kit *kit)
{
    static const struct {
        const char *params;
        bool (*wanted)(unsigned i);
    } filters[] = {
        {"\"status\":\"failed\"", is_failed},
        {"\"status\":[\"failed\",\"busy\"]", is_failed_or_busy},
        {"\"direction\":\"inbound\",\"agent\":\"agent1\"", is_inbound_of_agent_1},
        {"\"number\":\"+14155550003\"", has_number_3},
        {"\"from\":\"+14155550003\"", has_number_3},
        {"\"number\":\"+14155550103\"", has_number_103},
        {"\"since\":\"2026-01-05T10:00:10Z\",\"until\":\"2026-01-05T11:00:20+01:00\"", is_late},
        {"\"number\":\"+14155550003\",\"status\":[\"failed\",\"busy\"],"
         "\"since\":\"2026-01-05T10:00:10Z\"",
         is_number_3_failed_late},
    };

    fill(kit);
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        const char *all = kit_text(kit, "{\"per_page\":1000,%s}", filters[i].params);
        const char *expected = expect(kit, filters[i].wanted);
        assert_string_equal(sids(kit, all), expected);
        const char *pages = "";
        for (int page = 1; page <= 30; page++) {
            const char *one = sids(
                kit, kit_text(kit, "{\"per_page\":2,\"page\":%d,%s}", page, filters[i].params));
            pages = *one ? kit_text(kit, "%s%s%s", pages, *pages ? " " : "", one) : pages;
        }
        assert_string_equal(pages, expected);
        const char *count =
            kit_query(kit, kit->db, "calls.count", kit_text(kit, "{%s}", filters[i].params));
        unsigned total = 0;
        for (unsigned k = 1; k <= CALLS; k++) {
            total += filters[i].wanted(k);
        }
        assert_string_equal(count, kit_text(kit, "{\"total\":%u,\"total_exact\":true}\n", total));
    }
}

static void a_call_to_oneself_is_one_row(struct kit *kit)
{
    kit_put(kit, "calls", kit_id(1), "", 1,
            "{\"from_number\":\"+1\",\"to_number\":\"+1\",\"call_sid\":\"CA1\"}");
    kit_put(kit, "calls", kit_id(2), "", 1, "{\"to_number\":\"+1\",\"call_sid\":\"CA2\"}");
    assert_string_equal(sids(kit, "{\"number\":\"+1\"}"), "2 1");
}

static void the_total_is_exact_up_to_ten_thousand(struct kit *kit)
{
    enum { MANY = 10003, BATCH = 1000 };
    static struct aic_fact facts[BATCH];
    unsigned next = 1;
    while (next <= MANY) {
        unsigned count = 0;
        for (; count < BATCH && next <= MANY; count++, next++) {
            facts[count] = kit_fact("calls", kit_id(next), "", 1,
                                    next <= 10000 ? "{\"agent\":\"a\"}" : "{\"agent\":\"b\"}");
        }
        assert_int_equal(kit_append(kit, kit->db, facts, count), AIC_OK);
    }
    assert_string_equal(kit_query(kit, kit->db, "calls.count", "{}"),
                        "{\"total\":10000,\"total_exact\":false}\n");
    assert_string_equal(kit_query(kit, kit->db, "calls.count", "{\"agent\":\"a\"}"),
                        "{\"total\":10000,\"total_exact\":true}\n");
    assert_int_equal(kit_count(kit, "calls", "{\"page\":10003,\"per_page\":1}"), 1);
    assert_int_equal(kit_count(kit, "calls", "{\"page\":10004,\"per_page\":1}"), 0);
}

static void words_and_phrases_are_found(struct kit *kit)
{
    static const char *const texts[] = {
        "Hello, my order has not come.", "I would like to cancel my ORDER please",
        "good bye and thank you",
        "\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4"
        "\xe0\xa5\x87 order 66",
        "Stra\xc3\x9f"
        "e 12, it's number-nine"};
    for (unsigned i = 0; i < 5; i++) {
        kit_put(kit, "calls", kit_id(i + 1), "", 1,
                kit_text(kit, "{\"call_sid\":\"CA%u\",\"agent\":\"a%u\"}", i + 1, i % 2));
        kit_put(kit, "messages", kit_id(i + 101), kit_id(i + 1), 1,
                kit_text(kit, "{\"content\":\"%s\"}", texts[i]));
        kit_put(kit, "messages", kit_id(i + 201), kit_id(i + 1), 1, "{\"content\":\"common\"}");
    }

    static const struct {
        const char *text;
        const char *sids;
    } searches[] = {
        {"order", "4 2 1"},
        {"ORDER", "4 2 1"},
        {"my order", "2 1"},
        {"\\\"order has\\\"", "1"},
        {"\\\"has order\\\"", ""},
        {"order cancel", "2"},
        {"order common", ""},
        {"common", "5 4 3 2 1"},
        {"orde", ""},
        {"66", "4"},
        {"\xe0\xa4\xa8\xe0\xa4\xae\xe0\xa4\xb8\xe0\xa5\x8d\xe0\xa4\xa4\xe0\xa5\x87", "4"},
        {"Stra\xc3\x9f"
         "e",
         "5"},
        {"number-nine", "5"},
        {"order OR common", ""},
        {"order*", "4 2 1"},
        {"NEAR(order 66)", ""},
        {"content: order", ""},
    };

    for (size_t i = 0; i < sizeof(searches) / sizeof(searches[0]); i++) {
        const char *got = sids(kit, kit_text(kit, "{\"text\":\"%s\"}", searches[i].text));
        if (strcmp(got, searches[i].sids) != 0) {
            fail_msg("%s: expected %s, got %s", searches[i].text, searches[i].sids, got);
        }
    }
    assert_string_equal(sids(kit, "{\"text\":\"order\",\"agent\":\"a1\"}"), "4 2");
    assert_string_equal(sids(kit, "{\"text\":\"common\",\"per_page\":2,\"page\":2}"), "3 2");
    assert_string_equal(kit_query(kit, kit->db, "calls.count", "{\"text\":\"common\"}"),
                        "{\"total\":5,\"total_exact\":true}\n");
}

static void the_index_follows_texts_that_change(struct kit *kit)
{
    kit_put(kit, "calls", kit_id(1), "", 1, "{\"call_sid\":\"CA1\"}");
    kit_put(kit, "messages", kit_id(2), kit_id(1), 1, "{\"content\":\"first words\"}");
    kit_put(kit, "messages", kit_id(2), kit_id(1), 2, "{\"content\":\"other words\"}");
    kit_put(kit, "messages", kit_id(3), kit_id(1), 1, "{\"role\":\"user\"}");
    kit_put(kit, "messages", kit_id(3), kit_id(1), 2, "{\"content\":\"late\"}");
    assert_string_equal(sids(kit, "{\"text\":\"first\"}"), "");
    assert_string_equal(sids(kit, "{\"text\":\"other\"}"), "1");
    assert_string_equal(sids(kit, "{\"text\":\"late\"}"), "1");
    (void)kit_change(kit, kit->db, "erase", kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(1)));
    assert_int_equal(kit_count(kit, "calls", "{\"text\":\"other\"}"), 0);
}

/* Enough calls that a search goes through the index first. */
static void a_search_among_many_calls_gives_the_newest(struct kit *kit)
{
    enum { MANY = 1500, BATCH = 500 };
    static struct aic_fact facts[2 * BATCH];
    for (unsigned next = 1; next <= MANY;) {
        unsigned count = 0;
        for (unsigned i = 0; i < BATCH; i++, next++) {
            facts[count++] = kit_fact(
                "calls", kit_id(next), "", 1,
                kit_text(kit, "{\"call_sid\":\"CA%u\",\"agent\":\"%s\",\"to_number\":\"+%u\"}",
                         next, next % 500 == 0 ? "rare" : "often", next % 3));
            facts[count++] = kit_fact("messages", kit_id(10000 + next), kit_id(next), 1,
                                      next % 400 == 1 ? "{\"content\":\"hello purple\"}"
                                                      : "{\"content\":\"hello\"}");
        }
        assert_int_equal(kit_append(kit, kit->db, facts, count), AIC_OK);
    }
    assert_string_equal(sids(kit, "{\"text\":\"purple\"}"), "1201 801 401 1");
    assert_string_equal(sids(kit, "{\"text\":\"hello\",\"per_page\":3}"), "1500 1499 1498");
    assert_non_null(
        strstr(kit_query(kit, kit->db, "calls", "{\"text\":\"hello\",\"per_page\":1,\"page\":2}"),
               "\"found\":1000"));
    assert_non_null(strstr(kit_query(kit, kit->db, "calls", "{\"text\":\"purple\",\"per_page\":1}"),
                           "\"found\":4"));
    assert_null(strstr(kit_query(kit, kit->db, "calls", "{\"per_page\":1}"), "found"));
    assert_string_equal(sids(kit, "{\"text\":\"hello\",\"per_page\":3,\"page\":334}"), "501");
    assert_string_equal(sids(kit, "{\"text\":\"hello\",\"agent\":\"rare\"}"), "1500 1000 500");
    assert_string_equal(sids(kit, "{\"text\":\"hello\",\"number\":\"+1\",\"per_page\":3}"),
                        "1498 1495 1492");
    assert_string_equal(sids(kit, "{\"text\":\"purple\",\"number\":\"+1\"}"), "1201 1");
    assert_string_equal(
        sids(kit, "{\"text\":\"hello\",\"per_page\":2,\"until\":\"2026-01-05T10:00:01.001Z\"}"),
        "1000 999");
    assert_string_equal(kit_query(kit, kit->db, "calls.count", "{\"text\":\"hello\"}"),
                        "{\"total\":1000,\"total_exact\":false}\n");
    assert_string_equal(kit_query(kit, kit->db, "calls.count", "{\"text\":\"purple\"}"),
                        "{\"total\":4,\"total_exact\":true}\n");
    assert_string_equal(
        kit_query(kit, kit->db, "calls.count", "{\"text\":\"hello\",\"number\":\"+1\"}"),
        "{\"total\":500,\"total_exact\":true}\n");
}

static void spans_of_time_leave_no_gap(struct kit *kit)
{
    static const struct {
        uint32_t newest;
        uint32_t oldest;
    } times[] = {{0x019b8d99, 0}, {0x019b8d99, 0x019b8d97}, {0x10, 0},
                 {0, 0},          {0x019b0000, 0x019aff00}, {0xffffffff, 0xfff00000}};

    (void)kit;
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        struct aic_buf spans;
        aic_buf_init(&spans, 4000);
        calls_write_spans(&spans, times[i].newest, times[i].oldest);
        assert_in_range(spans.len, 6, 1999);
        /* Each span ends where the one after it begins. */
        uint64_t next = (uint64_t)times[i].newest + 1;
        for (const char *p = spans.data; p; p = strchr(p, ' ') ? strchr(p, ' ') + 1 : NULL) {
            char *end = NULL;
            uint64_t from = strtoull(p + 2, &end, 16);
            int shift = 4 * (8 - (int)(end - p - 2));
            assert_int_equal(*end, '\'');
            assert_true((from + 1) << shift == next);
            next = from << shift;
        }
        assert_true(next <= times[i].oldest);
        aic_buf_finish(&spans);
    }
}

static void the_overview_adds_up(struct kit *kit)
{
    fill(kit);
    const char *rows = kit_query(kit, kit->db, "stats.calls", "{\"since\":\"2026-01-01\"}");
    assert_string_equal(rows, "{\"at\":\"2026-01-05T00:00:00.000Z\",\"calls\":53,\"inbound\":27,"
                              "\"outbound\":26,\"answered\":0,\"completed\":13,\"busy\":13,"
                              "\"no_answer\":0,\"failed\":14,\"canceled\":0,\"duration_s\":1431,"
                              "\"cost\":26.5}\n");
    rows = kit_query(kit, kit->db, "stats.calls",
                     "{\"since\":\"2026-01-05T10:00:50Z\",\"by\":\"hour\",\"agent\":\"agent2\"}");
    assert_non_null(strstr(rows, "{\"at\":\"2026-01-05T10:00:00.000Z\",\"calls\":2,"));
    assert_non_null(
        strstr(kit_query(kit, kit->db, "stats.calls", "{\"since\":\"2026-01-01\",\"by\":\"all\"}"),
               "{\"at\":\"all\",\"calls\":53,"));
    for (unsigned i = 1; i <= 100; i++) {
        kit_put(kit, "turns", kit_id(1000 + i), kit_id(1), 1,
                kit_text(kit, "{\"response_ms\":%u,\"at\":\"2026-01-05T10:00:00Z\"}", i * 10));
    }
    rows = kit_query(kit, kit->db, "stats.latency", "{\"since\":\"2026-01-01\"}");
    assert_non_null(strstr(rows, "{\"stage\":\"response_ms\",\"count\":100,\"mean\":505,"
                                 "\"p50\":500,\"p90\":900,\"p95\":950,\"p99\":990,\"max\":1000}"));
    assert_non_null(strstr(rows, "{\"stage\":\"llm_ms\",\"count\":0}"));
    kit_put(kit, "usage", kit_id(2001), kit_id(1), 1,
            "{\"provider\":\"p\",\"role\":\"llm\",\"cost\":0.25,\"at\":\"2026-01-05T10:00:00Z\"}");
    kit_put(kit, "usage", kit_id(2002), kit_id(1), 1,
            "{\"provider\":\"p\",\"role\":\"llm\",\"cost\":0.5,\"at\":\"2026-01-05T10:00:01Z\"}");
    assert_string_equal(kit_query(kit, kit->db, "stats.usage", "{\"since\":\"2026-01-01\"}"),
                        "{\"provider\":\"p\",\"role\":\"llm\",\"rows\":2,\"cost\":0.75}\n");
}

static void put_failover(struct kit *kit, unsigned n, const char *type, const char *from)
{
    kit_put(kit, "events", kit_id(n), kit_id(1), 1,
            kit_text(kit,
                     "{\"type\":\"%s\",\"at\":\"2026-01-05T10:00:00Z\","
                     "\"detail\":{\"role\":\"llm\",\"from\":\"%s\",\"to\":\"b\"}}",
                     type, from));
}

static void failovers_are_counted_by_who_failed_and_when(struct kit *kit)
{
    put_failover(kit, 1, "failover", "a");
    put_failover(kit, 2, "failover", "a");
    put_failover(kit, 3, "failover", "c");
    put_failover(kit, 4, "failover", "");
    put_failover(kit, 5, "transfer", "a");
    assert_string_equal(
        kit_query(kit, kit->db, "stats.failovers", "{\"since\":\"2026-01-01\",\"by\":\"hour\"}"),
        "{\"at\":\"2026-01-05T10:00:00.000Z\",\"provider\":\"a\",\"role\":\"llm\",\"failovers\":2}"
        "\n"
        "{\"at\":\"2026-01-05T10:00:00.000Z\",\"provider\":\"c\",\"role\":\"llm\","
        "\"failovers\":1}\n");
    assert_string_equal(kit_query(kit, kit->db, "stats.failovers",
                                  "{\"since\":\"2026-01-05T10:00:00.002Z\","
                                  "\"until\":\"2026-01-05T10:00:00.003Z\",\"by\":\"all\"}"),
                        "{\"at\":\"all\",\"provider\":\"a\",\"role\":\"llm\",\"failovers\":1}\n");
    assert_string_equal(kit_query(kit, kit->db, "stats.failovers", "{\"since\":\"2026-01-06\"}"),
                        "");
}

static const struct kit_case cases[] = {
    {"pages go from new to old", pages_go_from_new_to_old, NULL},
    {"a cursor goes on behind a row", a_cursor_goes_on_behind_a_row, NULL},
    {"filters hold alone and together", filters_hold_alone_and_together, NULL},
    {"a call to oneself is one row", a_call_to_oneself_is_one_row, NULL},
    {"the total is exact up to ten thousand", the_total_is_exact_up_to_ten_thousand, NULL},
    {"words and phrases are found", words_and_phrases_are_found, NULL},
    {"the index follows texts that change", the_index_follows_texts_that_change, NULL},
    {"a search among many calls gives the newest", a_search_among_many_calls_gives_the_newest,
     NULL},
    {"spans of time leave no gap", spans_of_time_leave_no_gap, "sqlite"},
    {"the overview adds up", the_overview_adds_up, NULL},
    {"failovers are counted by who failed and when", failovers_are_counted_by_who_failed_and_when,
     NULL},
};

int main(void)
{
    return kit_main("storage_list", cases, sizeof(cases) / sizeof(cases[0]));
}
