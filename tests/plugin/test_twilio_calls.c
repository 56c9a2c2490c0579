/* SPDX-License-Identifier: ISC */
/* What is done to calls that live. */
#include "twilio_setup.h"

#define THE_CALL CALLS "/" SID ".json"
#define STOP     "{\"event\":\"stop\",\"streamSid\":\"" STREAM "\"}"
#define OVER     "{\"code\":21220,\"message\":\"Call is not in-progress\",\"status\":400}"
#define BROKEN   "{\"code\":20500,\"message\":\"Internal Server Error\",\"status\":500}"
#define CALLBACK "AccountSid=" ACCOUNT "&CallSid=" SID
#define AFTER    "call=" CALL_ID "&transfer=5"

static void reply(struct setup *s, int32_t status, const char *body)
{
    struct aic_http *request = fake_http_pending(s->fake);
    assert_non_null(request);
    fake_http_reply(request, status, NULL, body);
}

/* The document that a request gives to the call. */
static char *twiml_of(const struct aic_http *request)
{
    struct twilio_form form;
    assert_int_equal(twilio_form_parse(aic_str(request->body), &form), AIC_OK);
    char *twiml = aic_str_dup(twilio_form_get(&form, "Twiml"));
    twilio_form_finish(&form);
    return twiml;
}

static void test_hanging_up_asks_twilio_and_then_closes(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    struct aic_http *request = pending(&s, "POST", THE_CALL);
    assert_string_equal(request->body, "Status=completed");
    assert_false(s.ws->closing);
    fake_http_reply(request, 200, NULL, "{\"status\":\"completed\"}");
    assert_true(s.ws->closing);
    assert_told(&s, "");
    vsched_run(s.v, 0);
    assert_told(&s, "stop 2\n");
    assert_int_equal(fake_http_count(s.fake), 1);
    end(&s);
}

static void test_a_call_ends_even_where_twilio_does_not_answer(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    vsched_run(s.v, 3 * SECOND);
    assert_told(&s, "stop 2\n");
    assert_int_equal(s.ws->close_code, 1000);
    /* The request goes on; its answer comes to nobody. */
    fake_ws_closed(s.ws, 1000, "", 0);
    s.tel->leg_close(s.leg);
    s.leg = NULL;
    reply(&s, 500, BROKEN);
    vsched_run(s.v, SECOND);
    reply(&s, 404, "");
    assert_told(&s, "");
    end(&s);
    /* Nor where the stream ends by itself first. */
    begin_call(&s);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 2\n");
    reply(&s, 400, OVER);
    end(&s);
}

static void test_a_call_elsewhere_is_hung_up_and_one_that_is_over_is_too(void **state)
{
    (void)state;

    static const struct {
        int status;
        const char *body;
        const char *told;
    } answers[] = {
        {200, "{}", "result #9\n"},
        {400, OVER, "result #9\n"},
        {404, "{\"code\":20404,\"message\":\"Not found\",\"status\":404}", "result #9\n"},
        {404, "", "result #9\n"},
        {401, "{\"code\":20003,\"message\":\"Authenticate\",\"status\":401}",
         "result #9 category=1 retry=5 after=0 Twilio: Authenticate (20003); check account_sid and "
         "auth_token\n"},
    };
    struct setup s;
    begin(&s);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_int_equal(s.tel->hangup(s.self, 9, AIC_STR(SID)), AIC_OK);
        assert_string_equal(pending(&s, "POST", THE_CALL)->body, "Status=completed");
        reply(&s, answers[i].status, answers[i].body);
        assert_told(&s, answers[i].told);
    }
    /* That may be done twice, and is. */
    assert_int_equal(s.tel->hangup(s.self, 9, AIC_STR(SID)), AIC_OK);
    assert_false(pending(&s, "POST", THE_CALL)->flags & AIC_HTTP_ONCE);
    reply(&s, 500, BROKEN);
    vsched_run(s.v, SECOND);
    reply(&s, 200, "{}");
    assert_told(&s, "result #9\n");
    assert_int_equal(s.tel->hangup(s.self, 9, AIC_STR("../../x")), AIC_ERROR_INVALID);
    end(&s);
}

static struct aic_telephony_transfer transfer_of(const char *to, const char *whisper)
{
    return (struct aic_telephony_transfer){.size = sizeof(struct aic_telephony_transfer),
                                           .request_id = 5,
                                           .to = to,
                                           .caller_id = "",
                                           .whisper = aic_str(whisper)};
}

static void test_a_caller_is_handed_over(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_telephony_transfer transfer = transfer_of("+15551230009", "");
    transfer.caller_id = OURS;
    transfer.ring_ms = 20500;
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_OK);
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_ERROR_BUSY);
    struct aic_http *request = pending(&s, "POST", THE_CALL);
    assert_true(request->flags & AIC_HTTP_ONCE);
    char *twiml = twiml_of(request);
    assert_string_equal(twiml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Dial "
                               "action=\"" PUBLIC "/calls/resume/?call=" CALL_ID
                               "&amp;transfer=5\" method=\"POST\" timeout=\"21\" callerId=\"" OURS
                               "\"><Number>+15551230009</Number></Dial></Response>");
    free(twiml);
    reply(&s, 200, "{}");
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 4\n");
    /* When the two have talked the call is over, and Twilio is told so. */
    assert_int_equal(
        post(&s, "/calls/resume/", AFTER, CALLBACK "&DialCallStatus=completed&DialCallDuration=61"),
        200);
    assert_told(&s, "transferred #5 status=4 s=61 sid=" SID " call=" CALL_ID "\n");
    assert_non_null(strstr(answer_of(&s), "<Response><Hangup/></Response>"));
    end(&s);
}

static void test_a_transfer_that_nobody_takes_comes_back_to_the_host(void **state)
{
    (void)state;

    static const struct {
        const char *twilio;
        const char *status;
    } ends[] = {
        {"busy", "5"}, {"no-answer", "6"}, {"failed", "7"}, {"canceled", "8"}, {"odd", "7"}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct setup s;
        char form[300];
        char told[400];
        begin(&s);
        s.decision = REJECT;
        s.reason = AIC_REJECT_FINISHED;
        (void)snprintf(form, sizeof(form), CALLBACK "&DialCallStatus=%s", ends[i].twilio);
        (void)snprintf(told, sizeof(told),
                       "transferred #5 status=%s sid=" SID " call=" CALL_ID
                       "\noffer kind=3 sid=" SID " call=" CALL_ID "\n",
                       ends[i].status);
        assert_int_equal(post(&s, "/calls/resume/", AFTER, form), 200);
        assert_told(&s, told);
        /* The caller is not left with silence. */
        assert_non_null(strstr(answer_of(&s), "<Say>We are sorry"));
        end(&s);
    }
}

static void test_a_whisper_reaches_the_called_person_alone(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    const struct aic_telephony_transfer transfer =
        transfer_of("sip:desk@example.com", "Ada <b> & the cat's bill");
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_OK);
    char *twiml = twiml_of(pending(&s, "POST", THE_CALL));
    assert_null(strstr(twiml, "Ada"));
    const char *sealed = strstr(twiml, "<Sip url=\"" PUBLIC "/calls/twiml/?");
    assert_non_null(sealed);
    sealed = strchr(sealed, '?') + 1;
    char query[1200];
    (void)snprintf(query, sizeof(query), "%.*s", (int)strcspn(sealed, "\""), sealed);
    free(twiml);
    assert_int_equal(post(&s, "/calls/twiml/", query, CALLBACK), 200);
    assert_non_null(
        strstr(answer_of(&s), "<Response><Say>Ada &lt;b&gt; &amp; the cat&apos;s bill</Say>"));
    /* One that was tampered with says nothing, and joins the legs all the same. */
    query[20] = query[20] == 'A' ? 'B' : 'A';
    assert_int_equal(post(&s, "/calls/twiml/", query, CALLBACK), 200);
    assert_non_null(strstr(answer_of(&s), "<Response></Response>"));
    assert_told(&s, "");
    assert_null(strstr(fake_log(s.fake), "Ada"));
    end(&s);
}

static void test_a_transfer_that_twilio_refuses_leaves_the_caller_with_us(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    const struct aic_telephony_transfer transfer = transfer_of("+15551230009", "");
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_OK);
    reply(&s, 400, "{\"code\":21216,\"message\":\"Not allowed\",\"status\":400}");
    assert_told(&s, "leg error #5 category=2 retry=1 after=0 Twilio: Not allowed (21216); Twilio "
                    "blocks this number\n");
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 1\n");
    end(&s);
    /* Not known to have failed: it is not asked for again, and the end of the stream tells. */
    begin_call(&s);
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_OK);
    reply(&s, 500, BROKEN);
    vsched_run(s.v, 30 * SECOND);
    assert_int_equal(fake_http_count(s.fake), 1);
    assert_non_null(strstr(s.told.data, "leg error #5 category=16"));
    aic_buf_clear(&s.told);
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 4\n");
    end(&s);
}

static void test_only_telephones_are_transferred_to(void **state)
{
    (void)state;
    static const char *const targets[] = {
        "", "5551230009", "sip:", "client:x", "<Hangup/>", "+15551230009<"};
    struct setup s;
    begin_call(&s);
    for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
        const struct aic_telephony_transfer transfer = transfer_of(targets[i], "");
        assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_ERROR_INVALID);
    }
    char whisper[700];
    memset(whisper, 'a', sizeof(whisper) - 1);
    whisper[sizeof(whisper) - 1] = '\0';
    const struct aic_telephony_transfer transfer = transfer_of("+15551230009", whisper);
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_ERROR_TOO_LARGE);
    assert_no_request(&s);
    /* Nothing of that is remembered as a transfer. */
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 1\n");
    end(&s);
}

static void test_a_transfer_ends_with_its_leg(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    const struct aic_telephony_transfer transfer = transfer_of("+15551230009", "");
    assert_int_equal(s.tel->leg_transfer(s.leg, &transfer), AIC_OK);
    s.tel->leg_close(s.leg);
    s.leg = NULL;
    fake_ws_closed(s.ws, 1000, "", 0);
    vsched_run(s.v, 0);
    reply(&s, 500, BROKEN);
    assert_told(&s, "");
    assert_non_null(strstr(fake_log(s.fake), "a call could not be transferred"));
    end(&s);
}

static void test_twilio_presses_keys_where_the_operator_wants_that(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"digits", "play"}, {NULL, NULL}};
    struct setup s;
    begin_call_with(&s, settings);
    assert_int_equal(s.tel->leg_digits(s.leg, AIC_STR("1w#")), AIC_OK);
    assert_int_equal(s.tel->leg_digits(s.leg, AIC_STR("2")), AIC_ERROR_BUSY);
    struct aic_http *request = pending(&s, "POST", THE_CALL);
    assert_true(request->flags & AIC_HTTP_ONCE);
    char *twiml = twiml_of(request);
    assert_non_null(strstr(twiml, "<Response><Play digits=\"1w#\"/><Redirect method=\"POST\">"
                                  "" PUBLIC "/calls/resume/?call=" CALL_ID "</Redirect>"));
    free(twiml);
    reply(&s, 200, "{}");
    fake_ws_text(s.ws, STOP);
    vsched_run(s.v, 0);
    assert_told(&s, "stop 3\n");
    end(&s);
}

static void test_calls_are_recorded_at_twilio(void **state)
{
    (void)state;
    static const struct fake_setting settings[] = {{"record", "true"}, {NULL, NULL}};
    struct setup s;
    begin_with(&s, settings);
    assert_int_equal(post(&s, "/calls/inbound/", NULL, INBOUND_FORM), 200);
    assert_non_null(strstr(answer_of(&s), "<Parameter name=\"record\" value=\"true\"/>"));
    aic_buf_clear(&s.told);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_text(
        s.ws, START_WITH("\"token\":\"" TOKEN "\",\"call\":\"" CALL_ID "\",\"record\":\"true\""));
    struct aic_http *request = pending(&s, "POST", CALLS "/" SID "/Recordings.json");
    assert_true(request->flags & AIC_HTTP_ONCE);
    assert_non_null(strstr(request->body, "RecordingChannels=dual&RecordingStatusCallback="));
    /* Nobody has asked for it by hand: a failure is a line in the log. */
    reply(&s, 500, BROKEN);
    vsched_run(s.v, 10 * SECOND);
    assert_int_equal(fake_http_count(s.fake), 1);
    assert_non_null(strstr(fake_log(s.fake), "a call is not recorded"));
    end(&s);
    /* A leg that the host does not want is not recorded. */
    begin_with(&s, settings);
    s.arrival = REFUSE;
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_text(s.ws, START_WITH("\"token\":\"" TOKEN "\",\"record\":\"true\""));
    assert_no_request(&s);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hanging_up_asks_twilio_and_then_closes),
        cmocka_unit_test(test_a_call_ends_even_where_twilio_does_not_answer),
        cmocka_unit_test(test_a_call_elsewhere_is_hung_up_and_one_that_is_over_is_too),
        cmocka_unit_test(test_a_caller_is_handed_over),
        cmocka_unit_test(test_a_transfer_that_nobody_takes_comes_back_to_the_host),
        cmocka_unit_test(test_a_whisper_reaches_the_called_person_alone),
        cmocka_unit_test(test_a_transfer_that_twilio_refuses_leaves_the_caller_with_us),
        cmocka_unit_test(test_only_telephones_are_transferred_to),
        cmocka_unit_test(test_a_transfer_ends_with_its_leg),
        cmocka_unit_test(test_twilio_presses_keys_where_the_operator_wants_that),
        cmocka_unit_test(test_calls_are_recorded_at_twilio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
