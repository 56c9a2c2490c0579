/* SPDX-License-Identifier: ISC */
#include "twilio_setup.h"

#define RING     "offer kind=1 direction=1 sid=" SID " from=" THEIRS " to=" OURS "\n"
#define INBOUND  "/calls/inbound/"
#define STATUS   "/calls/call-status/"
#define QUERY    "call=" CALL_ID
#define CALLBACK "AccountSid=" ACCOUNT "&CallSid=" SID "&Direction=outbound-api"
#define THE_CALL "sid=" SID " call=" CALL_ID
#define ACCEPTED                                                                                   \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Connect><Stream url=\"" WSS            \
    "/media-stream/\" statusCallback=\"" PUBLIC "/calls/call-status/?" QUERY                       \
    "\" statusCallbackMethod=\"POST\"><Parameter name=\"token\" value=\"" TOKEN                    \
    "\"/><Parameter name=\"call\" value=\"" CALL_ID                                                \
    "\"/></Stream></Connect><Redirect method=\"POST\">" PUBLIC "/calls/resume/?" QUERY             \
    "</Redirect></Response>"
#define ASKED_TO_HANG_UP                                                                           \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Hangup/></Response>"

static void test_a_call_that_comes_in_gets_a_stream_with_its_token(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 200);
    assert_string_equal(s.exchange.content_type, "text/xml; charset=utf-8");
    assert_string_equal(answer_of(&s), ACCEPTED);
    assert_told(&s, RING);
    end(&s);
}

static void test_the_host_may_decide_later_or_against_it(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    s.decision = LATER;
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 0);
    struct aic_exchange first = s.exchange;
    s.exchange = (struct aic_exchange){.fake = s.fake};
    vsched_run(s.v, SECOND);
    assert_false(first.answered);
    fake_exchange_finish(&first);
    end(&s);

    static const struct {
        uint32_t reason;
        int status;
        const char *answer;
    } refusals[] = {
        {AIC_REJECT_BUSY, 200, "<Reject reason=\"busy\"/>"},
        {AIC_REJECT_REFUSED, 200, "<Reject reason=\"rejected\"/>"},
        {AIC_REJECT_FAILED, 503, "no calls are taken now"},
    };

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        begin(&s);
        s.decision = REJECT;
        s.reason = refusals[i].reason;
        assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), refusals[i].status);
        assert_non_null(strstr(answer_of(&s), refusals[i].answer));
        assert_null(strstr(answer_of(&s), TOKEN));
        end(&s);
    }
}

static void test_what_twilio_has_not_signed_is_refused_and_tells_nothing(void **state)
{
    (void)state;
    static const char *const paths[] = {INBOUND, "/calls/twiml/", STATUS, "/calls/resume/"};
    char good[TWILIO_SIGNATURE_CHARS + 1];
    struct setup s;
    begin(&s);
    sign(good, PUBLIC INBOUND, INBOUND_FORM "&Digits=1");
    const char *signatures[] = {NULL, "", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=", good};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            assert_int_equal(post_as(&s, paths[i], NULL, INBOUND_FORM, signatures[k]), 403);
            assert_string_equal(answer_of(&s), "the signature does not match");
        }
    }
    assert_told(&s, "");
    /* One line for all of them. */
    const char *line = strstr(fake_log(s.fake), "does not carry Twilio's signature");
    assert_non_null(line);
    assert_null(strstr(line + 1, "does not carry Twilio's signature"));
    end(&s);
}

static void test_without_a_public_address_nothing_is_believed(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    fake_route_set_public_url(s.fake, NULL);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 403);
    assert_null(upgrade_as(&s, WSS "/media-stream/"));
    assert_told(&s, "");
    end(&s);
}

static void test_a_request_that_twilio_repeats_gets_the_same_answer_and_a_replay_none(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 200);
    assert_told(&s, RING);
    vsched_run(s.v, 20 * SECOND);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 200);
    assert_string_equal(answer_of(&s), ACCEPTED);
    vsched_run(s.v, 41 * SECOND);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 403);
    assert_null(strstr(answer_of(&s), TOKEN));
    assert_told(&s, "");
    assert_non_null(strstr(fake_log(s.fake), "has rung before"));
    end(&s);
}

static void test_once_the_call_talks_a_replay_is_refused_at_once(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 200);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_text(s.ws, START);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 403);
    assert_null(strstr(answer_of(&s), TOKEN));
    end(&s);
    /* And so is one of a call that ended before it could. */
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 200);
    assert_int_equal(post(&s, STATUS, NULL, INBOUND_FORM "&CallStatus=canceled"), 204);
    assert_int_equal(post(&s, STATUS, NULL, CALLBACK "&CallStatus=canceled"), 204);
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 403);
    end(&s);
}

static void test_another_account_is_somebody_elses(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, "AccountSid=AC02&CallSid=" SID), 404);
    assert_told(&s, "");
    end(&s);
}

static void test_a_request_without_a_call_is_refused(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, INBOUND, NULL, "AccountSid=" ACCOUNT), 400);
    assert_int_equal(post(&s, STATUS, NULL, "AccountSid=" ACCOUNT "&CallSid=%3Cb%3E"), 400);
    struct aic_buf many;
    aic_buf_init(&many, 4096);
    for (int i = 0; i < 300; i++) {
        aic_buf_text(&many, "a=b&");
    }
    assert_int_equal(post_as(&s, INBOUND, NULL, many.data, "x"), 400);
    aic_buf_finish(&many);
    assert_told(&s, "");
    end(&s);
}

static void test_an_answered_call_gets_its_stream(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, "/calls/twiml/", QUERY, CALLBACK "&CallStatus=in-progress"), 200);
    assert_string_equal(answer_of(&s), ACCEPTED);
    assert_told(&s, "offer kind=2 direction=2 " THE_CALL "\n");
    /* Where the operator has made it a GET everything stands in the query. */
    char signature[TWILIO_SIGNATURE_CHARS + 1];
    sign(signature, PUBLIC "/calls/twiml/?" QUERY "&" CALLBACK, "");
    const struct aic_header header = {AIC_STR("x-twilio-signature"), aic_str(signature)};
    fake_exchange_finish(&s.exchange);
    fake_route_request(s.fake, AIC_METHOD_GET, "/calls/twiml/", QUERY "&" CALLBACK, &header, 1,
                       AIC_STR(""), &s.exchange);
    assert_int_equal(s.exchange.status, 200);
    assert_told(&s, "offer kind=2 direction=2 " THE_CALL "\n");
    end(&s);
}

static void test_a_call_whose_stream_ended_comes_back(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    s.decision = REJECT;
    s.reason = AIC_REJECT_FINISHED;
    assert_int_equal(post(&s, "/calls/resume/", QUERY, CALLBACK), 200);
    assert_string_equal(answer_of(&s), ASKED_TO_HANG_UP);
    assert_told(&s, "offer kind=3 direction=2 " THE_CALL "\n");
    s.reason = AIC_REJECT_FAILED;
    assert_int_equal(post(&s, "/calls/resume/", QUERY, CALLBACK), 200);
    assert_non_null(strstr(answer_of(&s), "<Say>We are sorry, nobody can be reached. Good-bye."
                                          "</Say><Hangup/>"));
    s.decision = ACCEPT;
    assert_int_equal(post(&s, "/calls/resume/", QUERY, CALLBACK), 200);
    assert_string_equal(answer_of(&s), ACCEPTED);
    end(&s);
}

static void test_statuses_are_passed_on_as_they_come_with_their_order(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    static const char *const forms[][2] = {
        {"&CallStatus=completed&SequenceNumber=3&CallDuration=42&Duration=1&SipResponseCode=200",
         "status direction=2 status=4 seq=3 s=42 " THE_CALL
         " ext={\"sip_code\":200,\"billed_minutes\":1}\n"},
        {"&CallStatus=ringing&SequenceNumber=1",
         "status direction=2 status=2 seq=1 " THE_CALL " ext={}\n"},
        {"&CallStatus=ringing&SequenceNumber=1",
         "status direction=2 status=2 seq=1 " THE_CALL " ext={}\n"},
        {"&CallStatus=initiated&SequenceNumber=0",
         "status direction=2 status=1 seq=0 " THE_CALL " ext={}\n"},
        {"&CallStatus=no-answer&SequenceNumber=-1",
         "status direction=2 status=6 " THE_CALL " ext={}\n"},
        {"&CallStatus=busy&SequenceNumber=12345678901234567890123",
         "status direction=2 status=5 " THE_CALL " ext={}\n"},
        {"&CallStatus=dreaming&SequenceNumber=2", ""},
        /* The second leg of a transfer. */
        {"&CallStatus=completed&ParentCallSid=CA0", ""},
    };
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        char form[300];
        (void)snprintf(form, sizeof(form), CALLBACK "%s", forms[i][0]);
        assert_int_equal(post(&s, STATUS, QUERY, form), 204);
        assert_string_equal(answer_of(&s), "");
        assert_told(&s, forms[i][1]);
    }
    /* One that we know nothing of is for the host to judge; a bad id of ours is none. */
    assert_int_equal(
        post(&s, STATUS, "call=%22%3E", "AccountSid=" ACCOUNT "&CallSid=CA9&CallStatus=failed"),
        204);
    assert_told(&s, "status status=7 sid=CA9 ext={}\n");
    end(&s);
}

static void test_who_answered_is_told(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);

    static const struct {
        const char *who;
        uint32_t answered_by;
    } found[] = {{"human", AIC_ANSWERED_HUMAN},
                 {"machine_start", AIC_ANSWERED_MACHINE_START},
                 {"machine_end_beep", AIC_ANSWERED_MACHINE_END},
                 {"machine_end_other", AIC_ANSWERED_MACHINE_END},
                 {"fax", AIC_ANSWERED_FAX},
                 {"unknown", AIC_ANSWERED_UNKNOWN}};

    for (size_t i = 0; i < sizeof(found) / sizeof(found[0]); i++) {
        char form[300];
        char line[300];
        (void)snprintf(form, sizeof(form),
                       "AccountSid=" ACCOUNT "&CallSid=" SID
                       "&AnsweredBy=%s&MachineDetectionDuration=2300",
                       found[i].who);
        (void)snprintf(line, sizeof(line),
                       "answered_by who=%u " THE_CALL
                       " ext={\"detail\":\"%s\",\"after_ms\":2300}\n",
                       found[i].answered_by, found[i].who);
        assert_int_equal(post(&s, STATUS, QUERY, form), 204);
        assert_told(&s, line);
    }
    end(&s);
}

static void test_recordings_and_streams_that_failed_are_told(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_int_equal(post(&s, STATUS, QUERY,
                          "AccountSid=" ACCOUNT "&CallSid=" SID
                          "&RecordingSid=RE1&RecordingStatus=completed&RecordingDuration=9"
                          "&RecordingUrl=https%3A%2F%2Fapi.twilio.com%2FRE1&RecordingChannels=2"),
                     204);
    assert_told(&s, "recording s=9 " THE_CALL " url=https://api.twilio.com/RE1 "
                    "ext={\"recording_sid\":\"RE1\",\"status\":\"completed\",\"channels\":2}\n");
    assert_int_equal(post(&s, STATUS, QUERY,
                          "AccountSid=" ACCOUNT "&CallSid=" SID "&StreamSid=" STREAM
                          "&StreamEvent=stream-error&StreamError=31920+-+Handshake+Error"),
                     204);
    assert_int_equal(post(&s, STATUS, QUERY,
                          "AccountSid=" ACCOUNT "&CallSid=" SID "&StreamEvent=stream-started"),
                     204);
    assert_told(&s, "");
    assert_non_null(strstr(fake_log(s.fake), "31920 - Handshake Error"));
    end(&s);
}

static void test_what_the_carrier_tells_of_people_does_not_reach_the_log(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    (void)post(&s, INBOUND, NULL, INBOUND_FORM);
    (void)post_as(&s, INBOUND, NULL, INBOUND_FORM, NULL);
    (void)post(&s, STATUS, QUERY, CALLBACK "&CallStatus=completed&CallerName=Somebody");
    assert_null(strstr(fake_log(s.fake), THEIRS));
    assert_null(strstr(fake_log(s.fake), "Somebody"));
    assert_null(strstr(fake_log(s.fake), KEY));
    assert_null(strstr(fake_log(s.fake), TOKEN));
    end(&s);
}

static void test_names_with_markup_stay_text(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    s.decision = LATER;
    assert_int_equal(post(&s, INBOUND, NULL,
                          "AccountSid=" ACCOUNT "&CallSid=" SID
                          "&Direction=inbound&From=%22%3E%3CDial%3E&To=%00"),
                     0);
    assert_told(&s, "offer kind=1 direction=1 sid=" SID " from=\"><Dial>\n");
    const struct aic_telephony_accept accept = {
        .size = sizeof(accept), .call_id = "\"><Dial>+1900</Dial>", .token = "<&'\">"};
    assert_int_equal(s.tel->accept(s.self, s.offer, &accept), AIC_OK);
    assert_null(strstr(answer_of(&s), "<Dial"));
    assert_non_null(strstr(answer_of(&s), "value=\"&lt;&amp;&apos;&quot;&gt;\""));
    assert_int_equal(s.tel->accept(s.self, s.offer, &accept), AIC_ERROR_INVALID);
    end(&s);
}

static void test_when_the_server_stops_callers_are_not_left_waiting(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    s.decision = LATER;
    assert_int_equal(post(&s, INBOUND, NULL, INBOUND_FORM), 0);
    s.tel->stop(s.self);
    assert_int_equal(s.exchange.status, 503);
    assert_int_equal(post(&s, STATUS, QUERY, CALLBACK "&CallStatus=completed"), 404);
    assert_null(upgrade_as(&s, WSS "/media-stream/"));
    assert_told(&s, RING);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_that_comes_in_gets_a_stream_with_its_token),
        cmocka_unit_test(test_the_host_may_decide_later_or_against_it),
        cmocka_unit_test(test_what_twilio_has_not_signed_is_refused_and_tells_nothing),
        cmocka_unit_test(test_without_a_public_address_nothing_is_believed),
        cmocka_unit_test(test_a_request_that_twilio_repeats_gets_the_same_answer_and_a_replay_none),
        cmocka_unit_test(test_once_the_call_talks_a_replay_is_refused_at_once),
        cmocka_unit_test(test_another_account_is_somebody_elses),
        cmocka_unit_test(test_a_request_without_a_call_is_refused),
        cmocka_unit_test(test_an_answered_call_gets_its_stream),
        cmocka_unit_test(test_a_call_whose_stream_ended_comes_back),
        cmocka_unit_test(test_statuses_are_passed_on_as_they_come_with_their_order),
        cmocka_unit_test(test_who_answered_is_told),
        cmocka_unit_test(test_recordings_and_streams_that_failed_are_told),
        cmocka_unit_test(test_what_the_carrier_tells_of_people_does_not_reach_the_log),
        cmocka_unit_test(test_names_with_markup_stay_text),
        cmocka_unit_test(test_when_the_server_stops_callers_are_not_left_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
