/* SPDX-License-Identifier: ISC */
#include "call/prices.h"
#include "call_rig.h"
#include "plugin/setup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static const struct rig_settings line = {.stt_flags = AIC_STT_NEEDS_VAD,
                                         .line_flags = AIC_TEL_NO_ECHO};

static void assert_near(double a, double b)
{
    assert_true(a > b - 1e-9 && a < b + 1e-9);
}

/* A table whose providers are all there. */
struct table {
    struct config *config;
    struct setup_provider known;
    struct setup_provider *list[1];
    struct setup setup;
    struct prices prices;
    struct config_problems problems;
};

static void load(struct table *table, const char *text)
{
    static char name[] = "main";
    memset(table, 0, sizeof(*table));
    table->known.name = name;
    table->list[0] = &table->known;
    table->setup.providers = table->list;
    table->setup.provider_count = 1;
    assert_int_equal(config_parse("t", aic_str(text), NULL, &table->problems, &table->config),
                     AIC_OK);
    prices_load(&table->prices, config_get(config_root(table->config), "prices"), &table->setup,
                &table->problems);
}

static void unload(struct table *table)
{
    prices_finish(&table->prices);
    config_problems_finish(&table->problems);
    config_free(table->config);
}

static void test_an_amount_costs_what_the_table_says(void **state)
{
    (void)state;
    struct table t;
    load(&t, "prices = { main = { tokens_in_million = 2; tokens_in_cached_million = 0.5; "
             "tokens_out_million = 10.0; chars_thousand = 0.1; audio_in_minute = 0.6; "
             "connection_minute = 1; connection_step = \"60s\"; }; };");
    assert_int_equal(t.problems.errors, 0);
    const struct aic_usage llm = {
        .tokens_in = 1000000, .tokens_in_cached = 400000, .tokens_out = 100000};
    assert_near(prices_of(&t.prices, "main", &llm), 1.2 + 0.2 + 1.0);
    const struct aic_usage voice = {.chars_billed = 1500};
    assert_near(prices_of(&t.prices, "main", &voice), 0.15);
    const struct aic_usage ear = {.audio_in_us = 30 * S};
    assert_near(prices_of(&t.prices, "main", &ear), 0.3);
    /* Each begun minute counts. */
    const struct aic_usage wire = {.connection_us = 61 * S};
    assert_near(prices_of(&t.prices, "main", &wire), 2.0);
    assert_near(prices_of(&t.prices, "other", &wire), 0.0);
    unload(&t);
}

static void test_cached_input_costs_as_other_input_where_no_price_is_told(void **state)
{
    (void)state;
    struct table t;
    load(&t, "prices = { main = { tokens_in_million = 2; }; };");
    const struct aic_usage llm = {.tokens_in = 1000000, .tokens_in_cached = 400000};
    assert_near(prices_of(&t.prices, "main", &llm), 2.0);
    unload(&t);
}

static void test_a_table_that_makes_no_sense_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "prices = { mian = { request = 1; }; };", "prices = { main = 5; };",
        "prices = { main = { request = -1; }; };", "prices = { main = { per_call = 1; }; };"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct table t;
        load(&t, texts[i]);
        assert_true(t.problems.errors > 0);
        unload(&t);
    }
}

static void test_totals_of_a_session_are_counted_once(void **state)
{
    (void)state;
    struct aic_usage sum = {.size = sizeof(sum)};
    const struct aic_usage first = {.audio_in_us = 5 * S, .requests = 1};
    const struct aic_usage second = {.audio_in_us = 9 * S, .requests = 1};
    const struct aic_usage new_session = {.audio_in_us = 2 * S, .requests = 1};
    usage_add_difference(&sum, &first, &(struct aic_usage){.size = 0});
    usage_add_difference(&sum, &second, &first);
    usage_add_difference(&sum, &new_session, &second);
    assert_int_equal(sum.audio_in_us, 11 * S);
    assert_int_equal(sum.requests, 1);
    usage_add_difference(&sum, &new_session, NULL);
    assert_int_equal(sum.requests, 2);
}

static struct call *begin(struct rig *rig, const struct table *table, double max_cost,
                          struct fake_line **fake)
{
    struct call_env env = rig->call_env;
    env.prices = &table->prices;
    env.max_cost = max_cost;
    const struct call_params params = {
        .agent = &rig->agent, .direction = AIC_DIRECTION_INBOUND, .provider = "main"};
    struct call *call = call_create(&env, &params, &(struct call_hooks){.data = NULL});
    *fake = fake_line_open(rig->vendor, call, NULL, 0);
    return call;
}

static void test_a_call_carries_its_cost_by_provider(void **state)
{
    (void)state;
    struct table t;
    load(&t, "prices = { main = { connection_minute = 6; credits_thousand = 1; }; };");
    struct rig *rig = rig_create(&line);
    struct fake_line *fake = NULL;
    struct call *call = begin(rig, &t, 0, &fake);
    rig_run(rig, 5000);
    fake_line_use(fake, &(struct aic_usage){.size = sizeof(struct aic_usage), .credits = 500});
    rig_run(rig, 5000);
    fake_line_hang_up(fake, AIC_LEG_END_CALLER);
    rig_run(rig, 10);
    /* One row, however often it was told; its cost is the call's. */
    assert_int_equal(rig_count(rig, "usage"), 1);
    const char *row = rig_fact(rig, "usage", 0);
    assert_non_null(strstr(row, "\"credits\":500"));
    assert_non_null(strstr(row, "\"cost\":1.5"));
    assert_non_null(strstr(rig_fact(rig, "calls", 1), "\"cost\":1.5"));
    call_destroy(call);
    free(fake);
    rig_destroy(rig);
    unload(&t);
}

static void test_a_call_that_costs_too_much_is_ended_politely(void **state)
{
    (void)state;
    struct table t;
    load(&t, "prices = { main = { credits_thousand = 1; }; };");
    struct rig *rig = rig_create(&line);
    struct fake_line *fake = NULL;
    struct call *call = begin(rig, &t, 0.5, &fake);
    rig_run(rig, 3000);
    const struct aic_usage some = {.size = sizeof(some), .credits = 300};
    fake_line_use(fake, &some);
    rig_run(rig, 1000);
    assert_false(fake->hung_up);
    fake_line_use(fake, &some);
    rig_run(rig, 4000);
    assert_true(fake->hung_up);
    assert_non_null(strstr(rig->vendor->spoken, "Goodbye."));
    assert_string_equal(rig_text(rig, "calls", 1, "end_reason"), "cost_limit");
    call_destroy(call);
    free(fake);
    rig_destroy(rig);
    unload(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_amount_costs_what_the_table_says),
        cmocka_unit_test(test_cached_input_costs_as_other_input_where_no_price_is_told),
        cmocka_unit_test(test_a_table_that_makes_no_sense_is_refused),
        cmocka_unit_test(test_totals_of_a_session_are_counted_once),
        cmocka_unit_test(test_a_call_carries_its_cost_by_provider),
        cmocka_unit_test(test_a_call_that_costs_too_much_is_ended_politely),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
