/* SPDX-License-Identifier: ISC */
/* Storage: facts in, rows out; the same cases on every database. */
#include "storage_kit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void says(const char *rows, const char *part)
{
    if (!strstr(rows, part)) {
        fail_msg("not found: %s\nin: %.2000s", part, rows);
    }
}

static void a_call_comes_back_as_it_was_told(struct kit *kit)
{
    const char *id = kit_id(1);
    kit_put(
        kit, "calls", id, "", 1,
        "{\"call_sid\":\"CA1\",\"provider\":\"twilio\",\"direction\":\"outbound\","
        "\"from_number\":\"+14155550100\",\"to_number\":\"+919876543210\",\"agent\":\"default\","
        "\"status\":\"in_progress\",\"created_at\":\"2026-01-05T11:00:00+01:00\","
        "\"started_at\":\"2026-01-05T10:00:01.5Z\",\"duration_s\":12.5,\"cost\":0.0125,"
        "\"metadata\":{\"order\":[1,2,{\"x\":null}]},\"system_prompt\":\"You are kind.\"}");
    const char *rows = kit_query(kit, kit->db, "call", "{\"call_sid\":\"CA1\"}");
    says(rows, kit_text(kit, "\"call_id\":\"%s\"", id));
    says(rows, "\"created_at\":\"2026-01-05T10:00:00.000Z\"");
    says(rows, "\"started_at\":\"2026-01-05T10:00:01.500Z\"");
    says(rows, "\"answered_at\":null");
    says(rows, "\"duration_s\":12.5");
    says(rows, "\"cost\":0.0125");
    says(rows, "\"metadata\":{\"order\":[1,2,{\"x\":null}]}");
    says(rows, "\"system_prompt\":\"You are kind.\"");
    says(kit_query(kit, kit->db, "call", kit_text(kit, "{\"call_id\":\"%s\"}", id)), "\"CA1\"");
    says(kit_query(kit, kit->db, "call", kit_text(kit, "{\"id\":\"%s\"}", id)), "\"CA1\"");
    says(kit_query(kit, kit->db, "call", "{\"id\":\"CA1\"}"), "\"CA1\"");
    assert_string_equal(kit_query(kit, kit->db, "call", "{\"id\":\"CA2\"}"), "");
    rows = kit_query(kit, kit->db, "calls", "{}");
    says(rows, "\"to_number\":\"+919876543210\"");
    assert_null(strstr(rows, "system_prompt"));
}

static void the_detail_of_a_call_is_in_order(struct kit *kit)
{
    const char *call = kit_id(1);
    kit_put(kit, "messages", kit_id(5), call, 1,
            "{\"role\":\"assistant\",\"turn\":1,\"content\":\"Hello there\",\"heard\":\"Hello\","
            "\"at\":\"2026-01-05T10:00:02Z\",\"interrupted\":true}");
    kit_put(kit, "messages", kit_id(4), call, 1,
            "{\"role\":\"user\",\"turn\":1,\"content\":\"hi\",\"confidence\":0.75,"
            "\"at\":\"2026-01-05T10:00:01Z\"}");
    const char *rows =
        kit_query(kit, kit->db, "messages", kit_text(kit, "{\"call_id\":\"%s\"}", call));
    const char *first = strstr(rows, "\"content\":\"hi\"");
    const char *second = strstr(rows, "\"content\":\"Hello there\"");
    assert_true(first && second && first < second);
    says(rows, "\"heard\":\"Hello\"");
    says(rows, "\"heard\":null");
    says(rows, "\"confidence\":0.75");
    says(rows, "\"interrupted\":true");
    kit_put(kit, "events", kit_id(6), call, 1,
            "{\"type\":\"failover\",\"detail\":{\"from\":\"a\",\"to\":\"b\"},"
            "\"at\":\"2026-01-05T10:00:01Z\"}");
    says(kit_query(kit, kit->db, "events", kit_text(kit, "{\"call_id\":\"%s\"}", call)),
         "\"detail\":{\"from\":\"a\",\"to\":\"b\"}");
    kit_put(kit, "turns", kit_id(7), call, 1, "{\"turn\":1,\"llm_ms\":210,\"interrupted\":false}");
    says(kit_query(kit, kit->db, "turns", kit_text(kit, "{\"call_id\":\"%s\"}", call)),
         "\"llm_ms\":210");
    kit_put(kit, "usage", kit_id(8), call, 1,
            "{\"provider\":\"groq\",\"role\":\"llm\",\"units\":{\"tokens_out\":7},\"cost\":0.001}");
    says(kit_query(kit, kit->db, "usage", kit_text(kit, "{\"call_id\":\"%s\"}", call)),
         "\"units\":{\"tokens_out\":7}");
    kit_put(kit, "recordings", kit_id(9), call, 1, "{\"path\":\"/r/1.wav\",\"channels\":2}");
    says(kit_query(kit, kit->db, "recordings", kit_text(kit, "{\"call_id\":\"%s\"}", call)),
         "\"path\":\"/r/1.wav\"");
}

static void a_fact_adds_columns_and_leaves_the_others(struct kit *kit)
{
    const char *id = kit_id(1);
    kit_put(kit, "calls", id, id, 1, "{\"agent\":\"a\",\"cost\":1}");
    kit_put(kit, "calls", id, id, 3, "{\"cost\":3}");
    kit_put(kit, "calls", id, id, 2, "{\"cost\":2,\"language\":\"hi\",\"agent\":null}");
    const char *rows = kit_query(kit, kit->db, "call", kit_text(kit, "{\"call_id\":\"%s\"}", id));
    says(rows, "\"agent\":\"a\"");
    says(rows, "\"cost\":3,");
    says(rows, "\"language\":\"hi\"");
}

static void a_status_only_moves_forward(struct kit *kit)
{
    static const struct {
        const char *status;
        uint64_t revision;
        const char *then;
    } steps[] = {
        {"ringing", 2, "ringing"},         {"queued", 3, "ringing"},
        {"in_progress", 5, "in_progress"}, {"ringing", 6, "in_progress"},
        {"failed", 9, "failed"},           {"completed", 12, "failed"},
        {"completed", 8, "completed"},     {"in_progress", 20, "completed"},
    };

    const char *id = kit_id(1);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        kit_put(kit, "calls", id, "", steps[i].revision,
                kit_text(kit, "{\"status\":\"%s\"}", steps[i].status));
        says(kit_query(kit, kit->db, "call", kit_text(kit, "{\"call_id\":\"%s\"}", id)),
             kit_text(kit, "\"status\":\"%s\"", steps[i].then));
    }
}

static void a_message_may_come_before_its_call(struct kit *kit)
{
    const char *call = kit_id(1);
    kit_put(kit, "messages", kit_id(2), call, 1, "{\"role\":\"user\",\"content\":\"early\"}");
    assert_int_equal(kit_count(kit, "calls", "{}"), 0);
    kit_put(kit, "calls", call, "", 1, "{\"agent\":\"x\"}");
    says(kit_query(kit, kit->db, "calls", "{\"text\":\"early\"}"), "\"agent\":\"x\"");
    /* Nobody told when it was made, so its id does. */
    says(kit_query(kit, kit->db, "calls", "{}"), "\"created_at\":\"2026-01-05T10:00:00.001Z\"");
}

static void poison_is_set_aside_and_the_rest_is_written(struct kit *kit)
{
    const char *call = kit_id(1);
    struct aic_fact facts[] = {
        kit_fact("messages", kit_id(2), call, 1,
                 kit_text(kit, "{\"content\":\"good\",\"call_id\":\"%s\"}", call)),
        kit_fact("messages", kit_id(3), call, 1, "{\"contents\":\"bad\"}"),
        kit_fact("messages", "not-a-uuid", call, 1, "{}"),
        kit_fact("mesages", kit_id(4), call, 1, "{}"),
        kit_fact("messages", kit_id(5), call, 1, "{\"turn\":\"one\"}"),
        kit_fact("messages", kit_id(6), call, 1, "{\"turn\":1.5}"),
        kit_fact("messages", kit_id(7), call, 1, "{\"role\":\"robot\"}"),
        kit_fact("messages", kit_id(8), call, 1, "{\"at\":\"yesterday\"}"),
        kit_fact("messages", kit_id(9), call, 1, "[]"),
        kit_fact("messages", kit_id(10), "", 1, "{}"),
        kit_fact("users", kit_id(11), "", 1, "{}"),
        kit_fact("do_not_call", kit_id(12), "", 1, "{\"number_hash\":\"x\"}"),
        kit_fact("calls", kit_id(13), call, 1, "{}"),
        kit_fact("messages", kit_id(14), call, UINT64_MAX, "{}"),
        kit_fact("messages", kit_id(15), call, 1, "{\"message_id\":\"x\"}"),
        kit_fact("messages", kit_id(15), call, 1,
                 kit_text(kit, "{\"call_id\":\"%s\"}", kit_id(99))),
        kit_fact("messages", kit_id(16), call, 1, "{\"content\":\"good too\"}"),
    };
    assert_int_equal(kit_append(kit, kit->db, facts, sizeof(facts) / sizeof(facts[0])), AIC_OK);
    assert_int_equal(kit->rejections, 15);
    assert_int_equal(kit->rejected, 1);
    assert_string_equal(kit->reason, "contents: no column that a fact of this table sets");
    const char *params = kit_text(kit, "{\"call_id\":\"%s\"}", call);
    assert_int_equal(kit_count(kit, "messages", params), 2);
    says(kit_query(kit, kit->db, "messages", params), "good too");
}

static void a_batch_of_many_facts_about_one_row_is_one_row(struct kit *kit)
{
    enum { FACTS = 500 };
    static struct aic_fact facts[FACTS];
    const char *call = kit_id(1);
    for (unsigned i = 0; i < FACTS; i++) {
        facts[i] = kit_fact("calls", call, "", FACTS - i, kit_text(kit, "{\"cost\":%u}", i));
    }
    assert_int_equal(kit_append(kit, kit->db, facts, FACTS), AIC_OK);
    assert_int_equal(kit->rejections, 0);
    says(kit_query(kit, kit->db, "calls", "{}"), "\"cost\":0,");
    assert_int_equal(kit_append(kit, kit->db, facts, 0), AIC_OK);
}

static void text_that_no_database_takes_is_mended(struct kit *kit)
{
    const char *call = kit_id(1);
    struct aic_fact facts[] = {
        kit_fact("messages", kit_id(2), call, 1, "{\"content\":\"a\\u0000b\"}"),
        kit_fact("messages", kit_id(3), call, 1, "{\"content\":\"c\xff\xc3(d\"}"),
        kit_fact("messages", kit_id(4), call, 1, "{\"content\":\"e\\ud800f\"}"),
        kit_fact("events", kit_id(5), call, 1, "{\"detail\":{\"g\":\"h\\u0000\\\\u0000i\"}}"),
    };
    assert_int_equal(kit_append(kit, kit->db, facts, 4), AIC_OK);
    assert_int_equal(kit->rejections, 0);
    const char *params = kit_text(kit, "{\"call_id\":\"%s\"}", call);
    const char *rows = kit_query(kit, kit->db, "messages", params);
    says(rows, "a\xef\xbf\xbd"
               "b");
    says(rows, "c\xef\xbf\xbd\xef\xbf\xbd(d");
    says(rows, "e\xef\xbf\xbd"
               "f");
    says(kit_query(kit, kit->db, "events", params), "{\"g\":\"h\\ufffd\\\\u0000i\"}");
}

static void markup_and_sql_are_only_text(struct kit *kit)
{
    static const char nasty[] =
        "'; DROP TABLE calls; --\\\" <script>alert(1)</script> $1 ?1 %s \\\\ \\u2028 \\n";
    const char *call = kit_id(1);
    kit_put(kit, "calls", call, "", 1,
            kit_text(kit, "{\"agent\":\"%s\",\"from_number\":\"%s\",\"system_prompt\":\"%s\"}",
                     nasty, nasty, nasty));
    kit_put(kit, "messages", kit_id(2), call, 1, kit_text(kit, "{\"content\":\"%s\"}", nasty));
    const char *filters[] = {"agent", "number", "text", "from", "to", "provider"};
    for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
        size_t expected = i == 4 || i == 5 ? 0 : 1;
        assert_int_equal(
            kit_count(kit, "calls", kit_text(kit, "{\"%s\":\"%s\"}", filters[i], nasty)), expected);
        (void)kit_query(kit, kit->db, "calls.count",
                        kit_text(kit, "{\"%s\":\"%s\"}", filters[i], nasty));
    }
    assert_int_equal(kit_count(kit, "users", kit_text(kit, "{\"after\":\"%s\"}", nasty)), 0);
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
}

static char *long_text(size_t bytes)
{
    char *text = malloc(bytes + 1);
    assert_non_null(text);
    memset(text, 'x', bytes);
    text[bytes] = '\0';
    return text;
}

static void names_of_a_hundred_thousand_characters_do_no_harm(struct kit *kit)
{
    char *name = long_text(100000);
    const char *call = kit_id(1);
    kit_put(kit, "calls", call, "", 1,
            kit_text(kit,
                     "{\"agent\":\"%s\",\"from_number\":\"%s\",\"call_sid\":\"%s\","
                     "\"system_prompt\":\"%s\"}",
                     name, name, name, name));
    kit_put(kit, "messages", kit_id(2), call, 1, kit_text(kit, "{\"content\":\"%s\"}", name));
    const char *rows = kit_query(kit, kit->db, "call", kit_text(kit, "{\"call_id\":\"%s\"}", call));
    assert_in_range(strlen(rows), 100000, 102000);
    rows = kit_query(kit, kit->db, "messages", kit_text(kit, "{\"call_id\":\"%s\"}", call));
    says(rows, name);
    assert_int_equal(
        kit_try_query(kit, kit->db, "calls", kit_text(kit, "{\"agent\":\"%s\"}", name)),
        AIC_ERROR_INVALID);
    assert_true(kit_error_says(kit, "agent: at most 200 bytes are taken"));
    free(name);

    name = long_text(3 << 20);
    struct aic_fact fact =
        kit_fact("messages", kit_id(3), call, 1, kit_text(kit, "{\"content\":\"%s\"}", name));
    assert_int_equal(kit_append(kit, kit->db, &fact, 1), AIC_OK);
    assert_int_equal(kit->rejections, 1);
    free(name);
}

static void a_parameter_that_makes_no_sense_is_named(struct kit *kit)
{
    static const struct {
        const char *query;
        const char *params;
        const char *says;
    } bad[] = {
        {"calls", "{\"page\":0}", "page: expected a number from 1"},
        {"calls", "{\"page\":-1}", "page: expected a number from 1"},
        {"calls", "{\"page\":1000000000000}", "page: only the first 10000000 calls"},
        {"calls", "{\"page\":\"1\"}", "page: expected a whole number"},
        {"calls", "{\"page\":1e30}", "page: expected a whole number"},
        {"calls", "{\"per_page\":0}", "per_page: expected a number from 1 to 1000"},
        {"calls", "{\"per_page\":1001}", "per_page: expected a number from 1 to 1000"},
        {"calls", "{\"status\":\"done\"}", "status: expected one of queued"},
        {"calls", "{\"status\":[]}", "status: expected a value, or a list"},
        {"calls", "{\"direction\":7}", "direction: expected a text"},
        {"calls", "{\"since\":\"2026-02-30\"}", "since: expected a time"},
        {"calls", "{\"colour\":\"red\"}", "colour: is not known; there are status direction"},
        {"calls", "{\"text\":\"?! -\"}", "text: there is no word"},
        {"calls", "{\"after\":\"x\"}", "after: expected created_at,call_id"},
        {"calls", "{\"after\":\"x,y\",\"page\":2}", "only one of them"},
        {"calls", "[]", "parameters: expected a JSON object"},
        {"calls", "{\"agent\":\"\xff\"}", "parameters: expected a JSON object"},
        {"calls", "{", "parameters: expected a JSON object"},
        {"call", "{}", "expected one of call_id, call_sid, id"},
        {"call", "{\"call_id\":\"7\"}", "call_id: expected a UUID"},
        {"messages", "{}", "call_id: is needed"},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(kit_try_query(kit, kit->db, bad[i].query, bad[i].params),
                         AIC_ERROR_INVALID);
        assert_true(kit_error_says(kit, bad[i].says));
        assert_int_equal(kit->error.category, AIC_CATEGORY_BAD_REQUEST);
        assert_int_equal(kit->error.scope, AIC_SCOPE_REQUEST);
    }
    assert_int_equal(kit_try_query(kit, kit->db, "everything", "{}"), AIC_ERROR_NOT_FOUND);
    assert_int_equal(kit_try_change(kit, kit->db, "anything", "{}"), AIC_ERROR_NOT_FOUND);
}

static int32_t stop_at_two(void *data, struct aic_str row)
{
    (void)row;
    return ++*(int *)data == 2;
}

static void a_query_stops_when_it_is_told_to(struct kit *kit)
{
    for (unsigned i = 1; i <= 5; i++) {
        kit_put(kit, "calls", kit_id(i), "", 1, "{}");
    }
    int seen = 0;
    assert_int_equal(
        kit->storage->query(kit->db, "calls", aic_str("{}"), stop_at_two, &seen, &kit->error),
        AIC_OK);
    assert_int_equal(seen, 2);
    assert_int_equal(kit_count(kit, "calls", "{}"), 5);
}

static void errors_and_results_of_other_sizes_are_respected(struct kit *kit)
{
    struct {
        struct aic_error error;
        char guard[16];
    } small;

    memset(&small, 0x55, sizeof(small));
    small.error.size = 16;
    assert_int_equal(kit->storage->query(kit->db, "no", aic_str(""), NULL, NULL, &small.error),
                     AIC_ERROR_NOT_FOUND);
    assert_int_equal(small.error.size, 16);
    assert_int_equal(((unsigned char *)&small)[16], 0x55);
    assert_int_equal(kit->storage->query(kit->db, "no", aic_str(""), NULL, NULL, NULL),
                     AIC_ERROR_NOT_FOUND);
    struct aic_storage_caps caps = {.size = sizeof(caps)};
    assert_int_equal(kit->storage->capabilities(kit->db, &caps), AIC_OK);
    assert_true(caps.flags & AIC_STORAGE_FULLTEXT);
}

struct interrupting {
    struct kit *kit;
    int seen;
};

static int32_t interrupt_at_first(void *data, struct aic_str row)
{
    struct interrupting *i = data;
    (void)row;
    if (i->seen++ == 0) {
        i->kit->storage->interrupt(i->kit->db);
    }
    return 0;
}

static void an_interrupt_ends_a_query(struct kit *kit)
{
    for (unsigned i = 1; i <= 200; i++) {
        kit_put(kit, "calls", kit_id(i), "", 1, "{}");
    }
    struct interrupting i = {kit, 0};
    assert_int_equal(kit->storage->query(kit->db, "calls", aic_str("{\"per_page\":200}"),
                                         interrupt_at_first, &i, &kit->error),
                     AIC_ERROR_CANCELLED);
    assert_int_equal(kit->error.category, AIC_CATEGORY_CANCELLED);
    assert_in_range(i.seen, 1, 199);
    assert_int_equal(kit_count(kit, "calls", "{\"per_page\":200}"), 200);
}

static void an_interrupted_or_closed_instance_goes_on(struct kit *kit)
{
    kit_put(kit, "calls", kit_id(1), "", 1, "{}");
    kit->storage->interrupt(kit->db);
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
    kit->storage->close(kit->db);
    kit->storage->close(kit->db);
    kit->storage->interrupt(kit->db);
    assert_int_equal(kit_count(kit, "calls", "{}"), 1);
}

static const struct kit_case cases[] = {
    {"a call comes back as it was told", a_call_comes_back_as_it_was_told, NULL},
    {"the detail of a call is in order", the_detail_of_a_call_is_in_order, NULL},
    {"a fact adds columns and leaves the others", a_fact_adds_columns_and_leaves_the_others, NULL},
    {"a status only moves forward", a_status_only_moves_forward, NULL},
    {"a message may come before its call", a_message_may_come_before_its_call, NULL},
    {"poison is set aside and the rest is written", poison_is_set_aside_and_the_rest_is_written,
     NULL},
    {"a batch of many facts about one row is one row",
     a_batch_of_many_facts_about_one_row_is_one_row, NULL},
    {"text that no database takes is mended", text_that_no_database_takes_is_mended, NULL},
    {"markup and SQL are only text", markup_and_sql_are_only_text, NULL},
    {"names of a hundred thousand characters do no harm",
     names_of_a_hundred_thousand_characters_do_no_harm, NULL},
    {"a parameter that makes no sense is named", a_parameter_that_makes_no_sense_is_named, NULL},
    {"a query stops when it is told to", a_query_stops_when_it_is_told_to, NULL},
    {"errors and results of other sizes are respected",
     errors_and_results_of_other_sizes_are_respected, NULL},
    {"an interrupt ends a query", an_interrupt_ends_a_query, NULL},
    {"an interrupted or closed instance goes on", an_interrupted_or_closed_instance_goes_on, NULL},
};

int main(void)
{
    return kit_main("storage", cases, sizeof(cases) / sizeof(cases[0]));
}
