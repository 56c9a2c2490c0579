/* SPDX-License-Identifier: ISC */
#include "twilio_setup.h"

#define QUERY    "call=" CALL_ID
#define CREATED  "{\"sid\":\"" SID "\",\"status\":\"queued\"}"
#define DIALED   "dialed #7 direction=2 sid=" SID " call=" CALL_ID " from=" OURS " to=" THEIRS "\n"
#define FAILED   "error #7 direction=2 call=" CALL_ID " from=" OURS " to=" THEIRS " "
#define ENCODED  "https%3A%2F%2Fvoice.example.com%2Fcalls%2F"
#define THE_CALL "%3Fcall%3D" CALL_ID
#define LIST     CALLS ".json?To=%2B15551230001&From=%2B15005550006&PageSize=20"
#define EMPTY    "{\"calls\":[]}"
#define BUSY     "{\"code\":20429,\"message\":\"Too many requests\",\"status\":429}"
#define BROKEN   "{\"code\":20500,\"message\":\"Internal Server Error\",\"status\":500}"
/* Wall time of the virtual clock at its start. */
#define LISTED                                                                                     \
    "{\"calls\":[{\"sid\":\"" SID "\",\"to\":\"" THEIRS "\",\"from\":\"" OURS                      \
    "\",\"direction\":\"outbound-api\",\"date_created\":\"Mon, 05 Jan 2026 10:00:00 +0000\"}]}"

static struct aic_telephony_dial dial_of(const char *call_id)
{
    return (struct aic_telephony_dial){.size = sizeof(struct aic_telephony_dial),
                                       .request_id = 7,
                                       .call_id = call_id,
                                       .token = TOKEN,
                                       .to = THEIRS,
                                       .from = ""};
}

static void dial(struct setup *s)
{
    const struct aic_telephony_dial params = dial_of(CALL_ID);
    assert_int_equal(s->tel->dial(s->self, &params), AIC_OK);
    assert_told(s, "");
    vsched_run(s->v, 0);
}

/* Runs until something is out. */
static struct aic_http *next_request(struct setup *s, const char *method, const char *url,
                                     int64_t within_us)
{
    for (int64_t us = 0; us < within_us && !fake_http_pending(s->fake); us += 10 * MS) {
        vsched_run(s->v, 10 * MS);
    }
    return pending(s, method, url);
}

static void test_a_dial_asks_for_everything_and_is_sent_once(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    struct aic_http *request = pending(&s, "POST", CALLS ".json");
    assert_true(request->flags & AIC_HTTP_ONCE);
    assert_string_equal(request->body,
                        "To=%2B15551230001&From=%2B15005550006&Url=" ENCODED "twiml%2F" THE_CALL
                        "&Method=POST&StatusCallback=" ENCODED "call-status%2F" THE_CALL
                        "&StatusCallbackMethod=POST&StatusCallbackEvent=initiated"
                        "&StatusCallbackEvent=ringing&StatusCallbackEvent=answered"
                        "&StatusCallbackEvent=completed");
    assert_non_null(strstr(request->headers, "authorization: Basic "));
    assert_non_null(strstr(request->headers, "application/x-www-form-urlencoded"));
    assert_null(strstr(request->body, TOKEN));
    fake_http_reply(request, 201, NULL, CREATED);
    assert_told(&s, DIALED);
    assert_no_request(&s);
    end(&s);
}

static void test_what_is_configured_and_wished_for_goes_along(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"machine_detection", "end"},
                                                   {"record", "true"},
                                                   {"ring_timeout", "20s"},
                                                   {"url", "http://127.0.0.1:4010/"},
                                                   {"extra", "{\"CallReason\":\"a & b\"}"},
                                                   {NULL, NULL}};
    struct setup s;
    begin_with(&s, settings);
    struct aic_telephony_dial params = dial_of(CALL_ID);
    params.limit_ms = 1860001;
    params.from = "+15005550009";
    assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    vsched_run(s.v, 0);
    struct aic_http *request =
        pending(&s, "POST", "http://127.0.0.1:4010/2010-04-01/Accounts/" ACCOUNT "/Calls.json");
    static const char *const parts[] = {
        "&From=%2B15005550009&",
        "&Timeout=20&TimeLimit=1861&",
        "&MachineDetection=DetectMessageEnd&AsyncAmd=true&AsyncAmdStatusCallback=" ENCODED
        "call-status%2F" THE_CALL "&AsyncAmdStatusCallbackMethod=POST",
        "&Record=true&RecordingChannels=dual&RecordingStatusCallback=" ENCODED
        "call-status%2F" THE_CALL,
        "&CallReason=a%20%26%20b",
    };
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        assert_non_null(strstr(request->body, parts[i]));
    }
    end(&s);
}

static void test_what_can_not_be_dialled_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const numbers[] = {
        "",      "5551230001",           "+0123456789",    "+1555",
        "wav:x", "+1555123000112345678", "+1555 123 0001", "<b>"};
    struct setup s;
    begin(&s);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        char id[40];
        (void)snprintf(id, sizeof(id), "call-%zu", i);
        struct aic_telephony_dial params = dial_of(id);
        params.to = numbers[i];
        assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
        vsched_run(s.v, 0);
        assert_non_null(strstr(s.told.data, "write it as +15551234567"));
        aic_buf_clear(&s.told);
    }
    fake_route_set_public_url(s.fake, NULL);
    struct aic_telephony_dial params = dial_of(CALL_ID);
    assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    vsched_run(s.v, 0);
    assert_non_null(strstr(s.told.data, "server.public_url is not set"));
    params.call_id = "";
    assert_int_equal(s.tel->dial(s.self, &params), AIC_ERROR_INVALID);
    assert_int_equal(fake_http_count(s.fake), 0);
    end(&s);
}

static void test_no_call_is_dialled_twice(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    const struct aic_telephony_dial params = dial_of(CALL_ID);
    assert_int_equal(s.tel->dial(s.self, &params), AIC_ERROR_CONFLICT);
    fake_http_reply(pending(&s, "POST", CALLS ".json"), 201, NULL, CREATED);
    assert_int_equal(s.tel->dial(s.self, &params), AIC_ERROR_CONFLICT);
    assert_int_equal(fake_http_count(s.fake), 1);
    end(&s);
}

static void test_dials_keep_their_pace(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"calls_per_second", "2"}, {NULL, NULL}};
    struct setup s;
    begin_with(&s, settings);
    for (int i = 0; i < 5; i++) {
        char id[40];
        (void)snprintf(id, sizeof(id), "call-%d", i);
        const struct aic_telephony_dial params = dial_of(id);
        assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    }
    static const size_t sent[] = {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5};
    vsched_run(s.v, 0);
    for (size_t i = 0; i < sizeof(sent) / sizeof(sent[0]); i++) {
        assert_int_equal(fake_http_count(s.fake), sent[i]);
        vsched_run(s.v, 250 * MS);
    }
    end(&s);
}

static void test_a_busy_twilio_is_asked_again_a_few_times(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    for (int i = 0; i < 3; i++) {
        fake_http_reply(next_request(&s, "POST", CALLS ".json", SECOND), 429, NULL, BUSY);
        assert_told(&s, "");
    }
    fake_http_reply(next_request(&s, "POST", CALLS ".json", 2 * SECOND), 429, NULL, BUSY);
    assert_told(&s, FAILED "category=7 retry=3 after=3000 Twilio: Too many requests (20429)\n");
    assert_int_equal(fake_http_count(s.fake), 4);
    /* It was refused for good, so that it may be dialled later. */
    dial(&s);
    fake_http_reply(next_request(&s, "POST", CALLS ".json", 2 * SECOND), 201, NULL, CREATED);
    assert_told(&s, DIALED);
    end(&s);
}

static void test_twilio_says_itself_how_long_to_wait(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    fake_http_reply(pending(&s, "POST", CALLS ".json"), 429, "Retry-After: 5\n", BUSY);
    vsched_run(s.v, 5 * SECOND - 1);
    assert_no_request(&s);
    fake_http_reply(next_request(&s, "POST", CALLS ".json", SECOND), 429, "retry-after: 31\n",
                    BUSY);
    assert_told(&s, FAILED "category=7 retry=3 after=31000 Twilio: Too many requests (20429)\n");
    end(&s);
}

static void test_what_never_left_is_sent_again(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    fake_http_fail_as(pending(&s, "POST", CALLS ".json"), AIC_CATEGORY_NETWORK, "connect");
    fake_http_fail_as(next_request(&s, "POST", CALLS ".json", SECOND), AIC_CATEGORY_TIMEOUT,
                      "connect_timeout");
    fake_http_reply(next_request(&s, "POST", CALLS ".json", SECOND), 201, NULL, CREATED);
    assert_told(&s, DIALED);
    end(&s);
}

static void test_a_lost_answer_is_looked_up_and_never_dialled_again(void **state)
{
    (void)state;

    static const struct {
        uint32_t category;
        const char *code;
    } faults[] = {{AIC_CATEGORY_NETWORK, "network"},
                  {AIC_CATEGORY_NETWORK, "repeat"},
                  {AIC_CATEGORY_TIMEOUT, "first_byte_timeout"},
                  {AIC_CATEGORY_PROTOCOL, "protocol"}};

    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        struct setup s;
        begin(&s);
        dial(&s);
        fake_http_fail_as(pending(&s, "POST", CALLS ".json"), faults[i].category, faults[i].code);
        assert_told(&s, "");
        fake_http_reply(next_request(&s, "GET", LIST, 3 * SECOND), 200, NULL, EMPTY);
        fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 200, NULL, LISTED);
        assert_told(&s, DIALED);
        assert_int_equal(fake_http_count(s.fake), 3);
        end(&s);
        /* And where it is not in the list either nobody dials it again. */
        begin(&s);
        dial(&s);
        fake_http_fail_as(pending(&s, "POST", CALLS ".json"), faults[i].category, faults[i].code);
        for (int k = 0; k < 3; k++) {
            fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 200, NULL, EMPTY);
        }
        assert_non_null(strstr(s.told.data, "its list does not show the call; it is not dialled "
                                            "again"));
        vsched_run(s.v, 60 * SECOND);
        assert_no_request(&s);
        const struct aic_telephony_dial again = dial_of(CALL_ID);
        assert_int_equal(s.tel->dial(s.self, &again), AIC_ERROR_CONFLICT);
        end(&s);
    }
}

static void test_a_dial_that_twilio_itself_failed_goes_out_once_more(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    fake_http_reply(pending(&s, "POST", CALLS ".json"), 500, NULL, BROKEN);
    fake_http_reply(next_request(&s, "GET", LIST, 3 * SECOND), 200, NULL, EMPTY);
    fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 503, NULL, "");
    fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 200, NULL, EMPTY);
    fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 200, NULL, EMPTY);
    fake_http_reply(next_request(&s, "POST", CALLS ".json", 6 * SECOND), 201, NULL, CREATED);
    assert_told(&s, DIALED);
    end(&s);
    /* A gateway's word is not Twilio's: it may have let the call through. */
    begin(&s);
    dial(&s);
    fake_http_reply(pending(&s, "POST", CALLS ".json"), 502, NULL, "<html>Bad Gateway</html>");
    for (int k = 0; k < 3; k++) {
        fake_http_reply(next_request(&s, "GET", LIST, 6 * SECOND), 200, NULL, EMPTY);
    }
    assert_non_null(strstr(s.told.data, "it is not dialled again"));
    vsched_run(s.v, 60 * SECOND);
    assert_no_request(&s);
    end(&s);
}

static void test_a_webhook_tells_that_a_dial_went_through(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    struct aic_http *request = pending(&s, "POST", CALLS ".json");
    assert_int_equal(post(&s, "/calls/call-status/", QUERY,
                          "AccountSid=" ACCOUNT "&CallSid=" SID "&CallStatus=initiated"),
                     204);
    aic_buf_clear(&s.told);
    fake_http_fail_as(request, AIC_CATEGORY_TIMEOUT, "first_byte_timeout");
    assert_told(&s, DIALED);
    assert_no_request(&s);
    end(&s);
    /* Or it comes while the list is looked at. */
    begin(&s);
    dial(&s);
    fake_http_fail_as(pending(&s, "POST", CALLS ".json"), AIC_CATEGORY_NETWORK, "network");
    assert_int_equal(post(&s, "/calls/call-status/", QUERY,
                          "AccountSid=" ACCOUNT "&CallSid=" SID "&CallStatus=ringing"),
                     204);
    assert_int_equal(strncmp(s.told.data, DIALED, strlen(DIALED)), 0);
    vsched_run(s.v, 60 * SECOND);
    assert_int_equal(fake_http_count(s.fake), 1);
    end(&s);
}

static void test_refusals_say_what_to_do(void **state)
{
    (void)state;

    static const struct {
        int status;
        const char *body;
        const char *told;
    } refusals[] = {
        {401, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}",
         "category=1 retry=5 after=0 Twilio: Authenticate (20003); check account_sid and "
         "auth_token"},
        {400,
         "{\"code\":21210,\"message\":\"Source number not verified\",\"more_info\":"
         "\"https://www.twilio.com/docs/errors/21210\",\"status\":400}",
         "see https://www.twilio.com/docs/errors/21210"},
        {400, "{\"code\":21215,\"message\":\"Geo\",\"status\":400}", "Voice Geo Permissions"},
        {400, "not json", "Twilio: HTTP status 400"},
        {301, "", "Twilio: HTTP status 301"},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct setup s;
        begin(&s);
        dial(&s);
        fake_http_reply(pending(&s, "POST", CALLS ".json"), refusals[i].status, NULL,
                        refusals[i].body);
        assert_non_null(strstr(s.told.data, refusals[i].told));
        vsched_run(s.v, 60 * SECOND);
        assert_int_equal(fake_http_count(s.fake), 1);
        end(&s);
    }
}

static void test_a_success_that_names_no_call_is_looked_up(void **state)
{
    (void)state;
    static const char *const bodies[] = {"", "[]", "{}", "{\"sid\":7}", "{\"sid\":\"<b>\"}", "{\""};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct setup s;
        begin(&s);
        dial(&s);
        fake_http_reply(pending(&s, "POST", CALLS ".json"), 201, NULL, bodies[i]);
        fake_http_reply(next_request(&s, "GET", LIST, 3 * SECOND), 200, NULL, LISTED);
        assert_told(&s, DIALED);
        end(&s);
    }
}

static void test_a_dial_that_was_taken_back_does_not_ring(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    struct aic_telephony_dial params = dial_of("call-2");
    params.request_id = 8;
    assert_int_equal(s.tel->dial(s.self, &params), AIC_OK);
    /* The second waits for its turn: it never goes out. */
    assert_int_equal(s.tel->hangup(s.self, 21, AIC_STR("call-2")), AIC_OK);
    vsched_run(s.v, 0);
    assert_non_null(strstr(s.told.data, "error #8 direction=2 call=call-2 from=" OURS " to=" THEIRS
                                        " category=14"));
    assert_non_null(strstr(s.told.data, "result #21\n"));
    aic_buf_clear(&s.told);
    /* The first is on its way: it is hung up as soon as it has a name. */
    assert_int_equal(s.tel->hangup(s.self, 22, AIC_STR(CALL_ID)), AIC_OK);
    vsched_run(s.v, 0);
    assert_told(&s, "result #22\n");
    fake_http_reply(pending(&s, "POST", CALLS ".json"), 201, NULL, CREATED);
    struct aic_http *request = pending(&s, "POST", CALLS "/" SID ".json");
    assert_string_equal(request->body, "Status=completed");
    fake_http_reply(request, 200, NULL, "{}");
    assert_told(&s, FAILED "category=14 retry=1 after=0 the call was taken back\n");
    vsched_run(s.v, 10 * SECOND);
    assert_int_equal(fake_http_count(s.fake), 2);
    end(&s);
}

static void test_nothing_is_left_when_the_server_stops(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    dial(&s);
    const struct aic_telephony_dial waiting = dial_of("call-2");
    assert_int_equal(s.tel->dial(s.self, &waiting), AIC_OK);
    s.tel->stop(s.self);
    vsched_run(s.v, 60 * SECOND);
    assert_told(&s, "");
    assert_int_equal(s.tel->dial(s.self, &waiting), AIC_ERROR_CLOSED);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dial_asks_for_everything_and_is_sent_once),
        cmocka_unit_test(test_what_is_configured_and_wished_for_goes_along),
        cmocka_unit_test(test_what_can_not_be_dialled_is_refused_with_a_reason),
        cmocka_unit_test(test_no_call_is_dialled_twice),
        cmocka_unit_test(test_dials_keep_their_pace),
        cmocka_unit_test(test_a_busy_twilio_is_asked_again_a_few_times),
        cmocka_unit_test(test_twilio_says_itself_how_long_to_wait),
        cmocka_unit_test(test_what_never_left_is_sent_again),
        cmocka_unit_test(test_a_lost_answer_is_looked_up_and_never_dialled_again),
        cmocka_unit_test(test_a_dial_that_twilio_itself_failed_goes_out_once_more),
        cmocka_unit_test(test_a_webhook_tells_that_a_dial_went_through),
        cmocka_unit_test(test_refusals_say_what_to_do),
        cmocka_unit_test(test_a_success_that_names_no_call_is_looked_up),
        cmocka_unit_test(test_a_dial_that_was_taken_back_does_not_ring),
        cmocka_unit_test(test_nothing_is_left_when_the_server_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
