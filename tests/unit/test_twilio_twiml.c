/* SPDX-License-Identifier: ISC */
#include "twilio/twiml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>"
#define END  "</Response>"
#define URL  "https://voice.example.com"

static const struct twilio_voice no_voice;

static void assert_written(struct aic_buf *xml, const char *text)
{
    assert_false(xml->failed);
    assert_string_equal(xml->data, text);
    aic_buf_clear(xml);
}

static void test_a_stream_has_its_token_and_the_way_back(void **state)
{
    (void)state;
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_stream(&xml, URL, "0190-a", "v1.token", false);
    assert_written(&xml, HEAD
                   "<Connect><Stream url=\"wss://voice.example.com/media-stream/\" "
                   "statusCallback=\"https://voice.example.com/calls/call-status/?call=0190-a\" "
                   "statusCallbackMethod=\"POST\"><Parameter name=\"token\" value=\"v1.token\"/>"
                   "<Parameter name=\"call\" value=\"0190-a\"/></Stream></Connect>"
                   "<Redirect method=\"POST\">"
                   "https://voice.example.com/calls/resume/?call=0190-a</Redirect>" END);
    twilio_twiml_stream(&xml, "http://127.0.0.1:8000", "c", "t", true);
    assert_non_null(strstr(xml.data, "url=\"ws://127.0.0.1:8000/media-stream/\""));
    assert_non_null(strstr(xml.data, "<Parameter name=\"record\" value=\"true\"/>"));
    aic_buf_finish(&xml);
}

static void test_a_parameter_that_twilio_would_leave_out_fails(void **state)
{
    (void)state;
    char token[500];
    struct aic_buf xml;
    memset(token, 'x', sizeof(token));
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    token[494] = '\0';
    twilio_twiml_stream(&xml, URL, "c", token, false);
    assert_false(xml.failed);
    aic_buf_clear(&xml);
    token[494] = 'x';
    token[495] = '\0';
    twilio_twiml_stream(&xml, URL, "c", token, false);
    assert_true(xml.failed);
    aic_buf_finish(&xml);
}

static void test_markup_is_only_text(void **state)
{
    (void)state;
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_stream(&xml, URL, "\"/><Hangup/>", "'&<>\"", false);
    assert_null(strstr(xml.data, "<Hangup"));
    assert_non_null(strstr(xml.data, "value=\"&apos;&amp;&lt;&gt;&quot;\""));
    assert_non_null(strstr(xml.data, "value=\"&quot;/&gt;&lt;Hangup/&gt;\""));
    assert_non_null(strstr(xml.data, "/calls/resume/?call=%22%2F%3E%3CHangup%2F%3E<"));
    aic_buf_finish(&xml);
}

static void test_what_xml_does_not_allow_is_left_out(void **state)
{
    (void)state;
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_xml_escape(&xml, (struct aic_str){"a\0b\x01\x1f\t\n\r\x7f", 9});
    assert_written(&xml, "ab&#9;&#10;&#13;\x7f");
    twilio_xml_escape(&xml,
                      AIC_STR("\xef\xbf\xbe\xef\xbf\xbf\xef\xbf\xbd\xc3\xa9\xf0\x9f\x98\x80"));
    assert_written(&xml, "\xef\xbf\xbd\xc3\xa9\xf0\x9f\x98\x80");
    /* Half of a pair, a byte alone, a character cut short. */
    twilio_xml_escape(&xml, AIC_STR("\xed\xa0\x80|\xff|\xe2\x82"));
    assert_written(&xml, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd|\xef\xbf\xbd|"
                         "\xef\xbf\xbd\xef\xbf\xbd");
    aic_buf_finish(&xml);
}

static void test_calls_are_turned_away_and_ended(void **state)
{
    (void)state;
    const struct twilio_voice voice = {"Polly.Joanna", "en-US"};
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_reject(&xml, true);
    assert_written(&xml, HEAD "<Reject reason=\"busy\"/>" END);
    twilio_twiml_reject(&xml, false);
    assert_written(&xml, HEAD "<Reject reason=\"rejected\"/>" END);
    twilio_twiml_hangup(&xml, &no_voice, AIC_STR(""));
    assert_written(&xml, HEAD "<Hangup/>" END);
    twilio_twiml_hangup(&xml, &no_voice, AIC_STR(" \n"));
    assert_written(&xml, HEAD "<Hangup/>" END);
    twilio_twiml_hangup(&xml, &voice, AIC_STR("Sorry & good-bye."));
    assert_written(&xml, HEAD "<Say voice=\"Polly.Joanna\" language=\"en-US\">Sorry &amp; "
                              "good-bye.</Say><Hangup/>" END);
    twilio_twiml_say(&xml, &no_voice, AIC_STR("A caller."));
    assert_written(&xml, HEAD "<Say>A caller.</Say>" END);
    aic_buf_finish(&xml);
}

static void test_a_transfer_dials_a_number_or_an_address(void **state)
{
    (void)state;
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    struct twilio_transfer transfer = {.to = "+15551230009",
                                       .caller_id = "",
                                       .whisper_url = "",
                                       .action_url = URL "/calls/resume/?call=c&transfer=7"};
    twilio_twiml_transfer(&xml, &transfer);
    assert_written(&xml,
                   HEAD "<Dial action=\"https://voice.example.com/calls/resume/?call=c&amp;"
                        "transfer=7\" method=\"POST\"><Number>+15551230009</Number></Dial>" END);
    transfer = (struct twilio_transfer){.to = "sip:desk@example.com;transport=tls",
                                        .caller_id = "+15005550006",
                                        .whisper_url = URL "/calls/twiml/?whisper=x",
                                        .action_url = URL "/calls/resume/",
                                        .ring_s = 25};
    twilio_twiml_transfer(&xml, &transfer);
    assert_written(&xml,
                   HEAD "<Dial action=\"https://voice.example.com/calls/resume/\" method=\"POST\" "
                        "timeout=\"25\" callerId=\"+15005550006\"><Sip "
                        "url=\"https://voice.example.com/calls/twiml/?whisper=x\" method=\"POST\">"
                        "sip:desk@example.com;transport=tls</Sip></Dial>" END);
    aic_buf_finish(&xml);
}

static void test_digits_are_played_and_the_call_comes_back(void **state)
{
    (void)state;
    struct aic_buf xml;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_digits(&xml, URL, "c", AIC_STR("1w2#"));
    assert_written(&xml, HEAD "<Play digits=\"1w2#\"/><Redirect method=\"POST\">"
                              "https://voice.example.com/calls/resume/?call=c</Redirect>" END);
    aic_buf_finish(&xml);
}

static void test_a_document_that_does_not_fit_fails(void **state)
{
    (void)state;
    static char text[TWILIO_SAY_MAX_CHARS + 2];
    struct aic_buf xml;
    memset(text, 'a', sizeof(text) - 1);
    aic_buf_init(&xml, 100);
    twilio_twiml_stream(&xml, URL, "c", "t", false);
    assert_true(xml.failed);
    aic_buf_finish(&xml);
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_say(&xml, &no_voice, aic_str(text));
    assert_true(xml.failed);
    aic_buf_finish(&xml);
    assert_int_equal(twilio_chars(AIC_STR("a\xc3\xa9\xf0\x9f\x98\x80")), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_has_its_token_and_the_way_back),
        cmocka_unit_test(test_a_parameter_that_twilio_would_leave_out_fails),
        cmocka_unit_test(test_markup_is_only_text),
        cmocka_unit_test(test_what_xml_does_not_allow_is_left_out),
        cmocka_unit_test(test_calls_are_turned_away_and_ended),
        cmocka_unit_test(test_a_transfer_dials_a_number_or_an_address),
        cmocka_unit_test(test_digits_are_played_and_the_call_comes_back),
        cmocka_unit_test(test_a_document_that_does_not_fit_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
