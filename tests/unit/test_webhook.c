/* SPDX-License-Identifier: ISC */
#include "call/webhook.h"

#include "base/uuid.h"
#include "call/webhook_conf.h"
#include "call/webhook_post.h"

#include "base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char secret_text[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
static const char other_text[] = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

static void test_the_example_of_the_standard_is_signed_as_it_says(void **state)
{
    (void)state;
    struct webhook_secret secret;
    char signatures[WEBHOOK_SIGNATURES];
    assert_int_equal(webhook_secret_read(&secret, aic_str(secret_text)), AIC_OK);
    assert_int_equal(secret.bytes, 24);
    webhook_sign(signatures, &secret, 1, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330,
                 AIC_STR("{\"test\": 2432232314}"));
    assert_string_equal(signatures, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

static void test_two_secrets_sign_side_by_side(void **state)
{
    (void)state;
    struct webhook_secret secrets[2];
    char both[WEBHOOK_SIGNATURES];
    char first[WEBHOOK_SIGNATURES];
    char second[WEBHOOK_SIGNATURES];
    assert_int_equal(webhook_secret_read(&secrets[0], aic_str(secret_text)), AIC_OK);
    assert_int_equal(webhook_secret_read(&secrets[1], aic_str(other_text)), AIC_OK);
    webhook_sign(both, secrets, 2, "msg_1", 1, AIC_STR("{}"));
    webhook_sign(first, &secrets[0], 1, "msg_1", 1, AIC_STR("{}"));
    webhook_sign(second, &secrets[1], 1, "msg_1", 1, AIC_STR("{}"));
    char expected[2 * WEBHOOK_SIGNATURES];
    (void)snprintf(expected, sizeof(expected), "%s %s", first, second);
    assert_string_equal(both, expected);
    assert_string_not_equal(first, second);
}

static void test_a_secret_of_another_form_is_refused(void **state)
{
    (void)state;
    char too_long[6 + AIC_BASE64_ENCODED(WEBHOOK_KEY_MAX + 3) + 1] = "whsec_";
    memset(too_long + 6, 'A', sizeof(too_long) - 7);
    too_long[sizeof(too_long) - 1] = '\0';
    const char *const bad[] = {
        "",
        "whsec_",
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_c2hvcnQ=",
        "whsec_not base64 at all, is it?",
        too_long,
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct webhook_secret secret;
        assert_int_equal(webhook_secret_read(&secret, aic_str(bad[i])), AIC_ERROR_INVALID);
        assert_int_equal(secret.bytes, 0);
    }
}

static void test_it_is_tried_for_three_days_and_then_given_up(void **state)
{
    (void)state;
    int64_t shortest = 0;
    int64_t longest = 0;
    for (int64_t tries = 1; tries < WEBHOOK_TRIES; tries++) {
        int64_t early = webhook_delay_ms(tries, 0);
        int64_t late = webhook_delay_ms(tries, UINT32_MAX);
        assert_true(early > 0 && late > early && late <= early * 3 / 2);
        assert_true(tries == 1 || early > webhook_delay_ms(tries - 1, 0));
        shortest += early;
        longest += late;
    }
    assert_true(shortest > INT64_C(60) * 3600 * 1000);
    assert_true(longest < INT64_C(96) * 3600 * 1000);
    assert_int_equal(webhook_delay_ms(WEBHOOK_TRIES, 0), -1);
    assert_int_equal(webhook_delay_ms(1000, 0), -1);
}

static void test_the_id_of_an_event_follows_from_its_call(void **state)
{
    (void)state;
    static const char call[] = "019b8d2c-8f40-7abc-8def-0123456789ab";
    char ended[UUID_TEXT];
    char again[UUID_TEXT];
    char started[UUID_TEXT];
    webhook_derive_id(ended, call, "call.ended");
    webhook_derive_id(again, call, "call.ended");
    webhook_derive_id(started, call, "call.started");
    assert_string_equal(ended, again);
    assert_string_not_equal(ended, started);
    assert_true(uuid_valid(aic_str(ended)));
    assert_memory_equal(ended, call, 13); /* its time */
    assert_int_equal(ended[14], '7');
}

static const struct config_node *load(struct webhook_conf *conf, struct config **config,
                                      const char *text, struct config_problems *problems)
{
    *problems = (struct config_problems){.list = NULL};
    assert_int_equal(config_parse("test.conf", aic_str(text), NULL, problems, config), AIC_OK);
    const struct config_node *group = config_get(config_root(*config), "webhooks");
    webhook_conf_load(conf, group, problems);
    return group;
}

static void test_endpoints_are_read_with_their_events(void **state)
{
    (void)state;
    struct webhook_conf conf;
    struct config *config = NULL;
    struct config_problems problems;
    (void)load(&conf, &config,
               "webhooks = { crm = { url = \"https://crm.example.com/hook\"; "
               "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; "
               "old_secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"; }; "
               "bi = { url = \"http://127.0.0.1:9/\"; events = [ \"call.ended\" ]; "
               "secret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"; }; };",
               &problems);
    assert_int_equal(problems.errors, 0);
    assert_int_equal(conf.count, 2);
    assert_int_equal(conf.list[0].events, (1 << WEBHOOK_EVENTS) - 1);
    assert_int_equal(conf.list[0].secret_count, 2);
    assert_int_equal(conf.list[1].events, 1 << WEBHOOK_CALL_ENDED);
    assert_string_equal(webhook_conf_find(&conf, "bi")->kind, "webhook:bi");
    assert_null(webhook_conf_find(&conf, "nobody"));
    webhook_conf_finish(&conf);
    config_problems_finish(&problems);
    config_free(config);
}

static void refuses(const char *text, const char *reason)
{
    struct webhook_conf conf;
    struct config *config = NULL;
    struct config_problems problems;
    struct aic_buf said;
    (void)load(&conf, &config, text, &problems);
    aic_buf_init(&said, 64 * 1024);
    config_problems_print(&problems, false, &said);
    if (problems.errors == 0 || !strstr(said.data, reason) || !strstr(said.data, "test.conf:1:")) {
        fail_msg("expected \"%s\" in:\n%s", reason, said.data ? said.data : "(nothing)");
    }
    aic_buf_finish(&said);
    webhook_conf_finish(&conf);
    config_problems_finish(&problems);
    config_free(config);
}

#define GOOD_SECRET "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; "
#define GOOD_URL    "url = \"https://crm.example.com/\"; "

static void test_what_is_wrong_with_an_endpoint_is_told(void **state)
{
    (void)state;
    refuses("webhooks = { a = { " GOOD_SECRET "}; };", "url");
    refuses("webhooks = { a = { " GOOD_URL "}; };", "secret");
    refuses("webhooks = { a = { " GOOD_URL "secret = \"hunter2\"; }; };", "whsec_");
    refuses("webhooks = { a = { url = \"ftp://x/\"; " GOOD_SECRET "}; };", "https");
    refuses("webhooks = { a = { " GOOD_URL GOOD_SECRET "events = [ \"call.end\" ]; }; };",
            "did you mean \"call.ended\"");
    refuses("webhooks = { a = { " GOOD_URL GOOD_SECRET "retries = 3; }; };", "retries");
    refuses("webhooks = { a = \"https://crm.example.com/\"; };", "must be a group");
    refuses("webhooks = ( { " GOOD_URL GOOD_SECRET "} );", "group of groups");
}

static void test_a_body_has_type_time_and_data(void **state)
{
    (void)state;
    struct aic_buf body;
    aic_buf_init(&body, 1024);
    webhook_body_write(&body, "call.ended", INT64_C(1767607200250000), AIC_STR("{\"a\":1}"));
    assert_string_equal(body.data,
                        "{\"type\":\"call.ended\",\"timestamp\":\"2026-01-05T10:00:00.250Z\","
                        "\"data\":{\"a\":1}}");
    aic_buf_finish(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_of_the_standard_is_signed_as_it_says),
        cmocka_unit_test(test_two_secrets_sign_side_by_side),
        cmocka_unit_test(test_a_secret_of_another_form_is_refused),
        cmocka_unit_test(test_it_is_tried_for_three_days_and_then_given_up),
        cmocka_unit_test(test_the_id_of_an_event_follows_from_its_call),
        cmocka_unit_test(test_endpoints_are_read_with_their_events),
        cmocka_unit_test(test_what_is_wrong_with_an_endpoint_is_told),
        cmocka_unit_test(test_a_body_has_type_time_and_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
