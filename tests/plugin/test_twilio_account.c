/* SPDX-License-Identifier: ISC */
/* The account: its settings, its numbers, its recordings. */
#include "twilio_setup.h"

#define NUMBERS                                                                                    \
    "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT                                          \
    "/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550006"

static void reply(struct setup *s, int32_t status, const char *body)
{
    struct aic_http *request = fake_http_pending(s->fake);
    assert_non_null(request);
    fake_http_reply(request, status, NULL, body);
}

static int32_t control(struct setup *s, const char *verb, const char *json)
{
    return s->tel->control(s->self, 9, verb, aic_str(json));
}

static void test_the_account_is_asked_whether_it_works(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(s.tel->probe(s.self, 9), AIC_OK);
    (void)pending(&s, "GET", "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT ".json");
    reply(&s, 200, "{\"status\":\"active\",\"type\":\"Trial\"}");
    assert_told(&s, "result #9 ext={\"status\":\"active\",\"type\":\"Trial\"}\n");
    assert_int_equal(s.tel->probe(s.self, 9), AIC_OK);
    reply(&s, 200, "{\"status\":\"suspended\"}");
    assert_told(&s, "result #9 category=2 retry=1 after=0 Twilio: the account is not active\n");
    assert_int_equal(control(&s, "balance.show", ""), AIC_OK);
    reply(&s, 200, "{\"balance\":\"12.34\",\"currency\":\"USD\"}");
    assert_told(&s, "result #9 ext={\"balance\":\"12.34\",\"currency\":\"USD\"}\n");
    end(&s);
}

static void test_recordings_are_started_and_listed_by_hand(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(control(&s, "record.start", "{\"call_sid\":\"" SID "\"}"), AIC_OK);
    reply(&s, 201, "{\"sid\":\"RE1\",\"status\":\"in-progress\",\"channels\":2,\"duration\":null}");
    assert_non_null(strstr(s.told.data, "\"recording_sid\":\"RE1\""));
    aic_buf_clear(&s.told);
    assert_int_equal(control(&s, "recordings.list", "{\"call_sid\":\"" SID "\"}"), AIC_OK);
    (void)pending(&s, "GET", CALLS "/" SID "/Recordings.json");
    reply(&s, 200, "{\"recordings\":[{\"sid\":\"RE1\",\"duration\":\"12\"},7]}");
    assert_non_null(strstr(s.told.data, "\"duration_s\":12"));
    assert_int_equal(control(&s, "record.start", "{\"call_sid\":\"../x\"}"), AIC_ERROR_INVALID);
    assert_int_equal(control(&s, "record.start", "{}"), AIC_ERROR_INVALID);
    assert_int_equal(
        control(&s, "record.start", "{\"call_sid\":\"" SID "\",\"call_id\":\"\\\"><\"}"),
        AIC_ERROR_INVALID);
    assert_int_equal(control(&s, "record.start", "[1]"), AIC_ERROR_INVALID);
    assert_int_equal(control(&s, "record.start", "{"), AIC_ERROR_INVALID);
    assert_int_equal(control(&s, "fly", "{}"), AIC_ERROR_UNSUPPORTED);
    assert_no_request(&s);
    end(&s);
}

#define NUMBER_OF(more)                                                                            \
    "{\"sid\":\"PN1\",\"phone_number\":\"" OURS "\",\"voice_url\":\"https://old.example.com/\","   \
    "\"voice_method\":\"GET\"" more "}"

static void test_a_number_is_shown_then_pointed_here(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(control(&s, "number.show", ""), AIC_OK);
    (void)pending(&s, "GET", NUMBERS);
    reply(&s, 200, "{\"incoming_phone_numbers\":[" NUMBER_OF("") "]}");
    assert_non_null(strstr(s.told.data, "\"voice_url\":\"https://old.example.com/\""));
    assert_non_null(strstr(s.told.data, "\"wanted\":{\"voice_url\":\"" PUBLIC
                                        "/calls/inbound/\",\"voice_method\":\"POST\","
                                        "\"status_callback\":\"" PUBLIC
                                        "/calls/call-status/\"},\"is_set\":false"));
    aic_buf_clear(&s.told);
    assert_int_equal(control(&s, "number.set", "{\"number\":\"" OURS "\"}"), AIC_OK);
    reply(&s, 200, "{\"incoming_phone_numbers\":[" NUMBER_OF("") "]}");
    struct aic_http *request = pending(&s, "POST",
                                       "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT
                                       "/IncomingPhoneNumbers/PN1.json");
    assert_non_null(strstr(request->body,
                           "VoiceUrl=https%3A%2F%2Fvoice.example.com%2Fcalls%2Finbound%2F"
                           "&VoiceMethod=POST&StatusCallback="));
    assert_null(strstr(request->body, "TrunkSid"));
    reply(&s, 200,
          "{\"sid\":\"PN1\",\"voice_url\":\"" PUBLIC "/calls/inbound/\",\"voice_method\":\"POST\","
          "\"status_callback\":\"" PUBLIC "/calls/call-status/\"}");
    assert_non_null(strstr(s.told.data, "\"is_set\":true"));
    end(&s);
}

static void test_numbers_are_listed_page_by_page(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(control(&s, "number.list", ""), AIC_OK);
    (void)pending(&s, "GET",
                  "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT
                  "/IncomingPhoneNumbers.json?PageSize=20");
    reply(&s, 200,
          "{\"incoming_phone_numbers\":[" NUMBER_OF(
              "") "],\"next_page_uri\":"
                  "\"/2010-04-01/Accounts/AC/"
                  "IncomingPhoneNumbers.json?PageSize=20&Page=1&PageToken=PA1\"}");
    assert_non_null(strstr(s.told.data, "\"number\":\"" OURS "\""));
    assert_non_null(strstr(s.told.data, "\"is_set\":false"));
    assert_non_null(strstr(s.told.data, "\"next\":\"PageSize=20&Page=1&PageToken=PA1\""));
    aic_buf_clear(&s.told);
    assert_int_equal(control(&s, "number.list", "{\"page\":\"PageSize=20&Page=1&PageToken=PA1\"}"),
                     AIC_OK);
    (void)pending(&s, "GET",
                  "https://api.twilio.com/2010-04-01/Accounts/" ACCOUNT
                  "/IncomingPhoneNumbers.json?PageSize=20&Page=1&PageToken=PA1");
    reply(&s, 200, "{\"incoming_phone_numbers\":[],\"next_page_uri\":null}");
    assert_non_null(strstr(s.told.data, "{\"numbers\":[],\"next\":\"\"}"));
    assert_int_equal(control(&s, "number.list", "{\"page\":\"x/../y\"}"), AIC_ERROR_INVALID);
    aic_buf_clear(&s.told);
    assert_int_equal(control(&s, "number.list", ""), AIC_OK);
    reply(&s, 200, "{}");
    assert_non_null(strstr(s.told.data, "list of numbers is none"));
    end(&s);
}

static void test_a_number_that_belongs_to_something_else_is_not_taken_by_accident(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(control(&s, "number.set", ""), AIC_OK);
    reply(&s, 200, "{\"incoming_phone_numbers\":[" NUMBER_OF(",\"trunk_sid\":\"TK1\"") "]}");
    assert_non_null(strstr(s.told.data, "\"detach\": true"));
    aic_buf_clear(&s.told);
    assert_int_equal(control(&s, "number.set", "{\"detach\":true}"), AIC_OK);
    reply(&s, 200, "{\"incoming_phone_numbers\":[" NUMBER_OF(",\"trunk_sid\":\"TK1\"") "]}");
    assert_non_null(strstr(fake_http_pending(s.fake)->body, "&VoiceApplicationSid=&TrunkSid="));
    reply(&s, 400, "{\"code\":22105,\"message\":\"bad\",\"status\":400}");
    assert_non_null(strstr(s.told.data, "result #9 category=3"));
    aic_buf_clear(&s.told);
    static const char *const lists[] = {"{\"incoming_phone_numbers\":[]}", "{}",
                                        "{\"incoming_phone_numbers\":[{}]}",
                                        "{\"incoming_phone_numbers\":[{\"sid\":\"../x\"}]}"};
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        assert_int_equal(control(&s, "number.set", ""), AIC_OK);
        reply(&s, 200, lists[i]);
        assert_non_null(strstr(s.told.data, "result #9 category="));
        assert_no_request(&s);
        aic_buf_clear(&s.told);
    }
    assert_int_equal(control(&s, "number.set", "{\"number\":\"555\"}"), AIC_OK);
    vsched_run(s.v, 0);
    assert_non_null(strstr(s.told.data, "write the number as +15551234567"));
    end(&s);
}

static void test_an_address_that_is_too_long_is_refused_not_cut(void **state)
{
    (void)state;
    struct setup s;
    struct aic_buf json;
    begin(&s);
    aic_buf_init(&json, 1 << 16);
    aic_buf_text(&json, "{\"voice_url\":\"https://example.com/");
    for (int i = 0; i < 9000; i++) {
        aic_buf_char(&json, '/');
    }
    aic_buf_text(&json, "\"}");
    assert_int_equal(control(&s, "number.set", json.data), AIC_OK);
    reply(&s, 200, "{\"incoming_phone_numbers\":[" NUMBER_OF("") "]}");
    assert_told(&s, "result #9 category=3 retry=1 after=0 these addresses are too long\n");
    assert_no_request(&s);
    aic_buf_finish(&json);
    end(&s);
}

static void test_what_was_counted_is_shown(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    (void)post_as(&s, "/calls/inbound/", NULL, INBOUND_FORM, NULL);
    assert_null(upgrade_as(&s, NULL));
    assert_int_equal(control(&s, "counters.show", ""), AIC_OK);
    assert_told(&s, "");
    vsched_run(s.v, 0);
    assert_non_null(strstr(s.told.data, "\"webhooks_unsigned\":1"));
    assert_non_null(strstr(s.told.data, "\"streams\":1,\"streams_unsigned\":1,"));
    end(&s);
}

static void test_settings_that_can_not_work_are_refused(void **state)
{
    (void)state;

    static const struct {
        struct fake_setting settings[5];
        const char *told;
    } wrong[] = {
        {{{"account_sid", "SK00"}, {"auth_token", "x"}}, "begins with AC"},
        {{{"account_sid", ACCOUNT}, {"auth_token", ""}}, "auth_token is missing"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"from", "555"}}, "from must be"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"api_key", "SK1"}}, "belong together"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"region", "a.b"}}, "words such as"},
        {{{"account_sid", ACCOUNT},
          {"auth_token", "x"},
          {"region", "ie1"},
          {"url", "http://127.0.0.1/"}},
         "leave out region and edge"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"extra", "{\"To\":\"+1\"}"}},
         "what this plugin sets itself"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"extra", "{\"A\":[1]}"}},
         "names with texts or numbers"},
        {{{"account_sid", ACCOUNT}, {"auth_token", "x"}, {"extra", "[1]"}}, "must be a group"},
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct vsched *v = vsched_create(1);
        struct fake_host *fake = fake_host_create(v);
        void *self = NULL;
        assert_int_equal(
            fake_provider_create(fake, aicaller_plugin_twilio(), wrong[i].settings, &self),
            AIC_ERROR_CONFIG);
        assert_non_null(strstr(fake_log(fake), wrong[i].told));
        fake_host_destroy(fake);
        vsched_destroy(v);
    }
}

static void test_the_api_is_where_region_and_edge_say(void **state)
{
    (void)state;

    static const struct {
        struct fake_setting settings[3];
        const char *host;
    } places[] = {
        {{{"region", "ie1"}}, "https://api.ie1.twilio.com/"},
        {{{"edge", "dublin"}}, "https://api.dublin.us1.twilio.com/"},
        {{{"edge", "dublin"}, {"region", "ie1"}}, "https://api.dublin.ie1.twilio.com/"},
    };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct setup s;
        begin_with(&s, places[i].settings);
        assert_int_equal(s.tel->probe(s.self, 9), AIC_OK);
        assert_int_equal(
            strncmp(fake_http_pending(s.fake)->url, places[i].host, strlen(places[i].host)), 0);
        end(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_account_is_asked_whether_it_works),
        cmocka_unit_test(test_recordings_are_started_and_listed_by_hand),
        cmocka_unit_test(test_a_number_is_shown_then_pointed_here),
        cmocka_unit_test(test_numbers_are_listed_page_by_page),
        cmocka_unit_test(test_a_number_that_belongs_to_something_else_is_not_taken_by_accident),
        cmocka_unit_test(test_an_address_that_is_too_long_is_refused_not_cut),
        cmocka_unit_test(test_what_was_counted_is_shown),
        cmocka_unit_test(test_settings_that_can_not_work_are_refused),
        cmocka_unit_test(test_the_api_is_where_region_and_edge_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
