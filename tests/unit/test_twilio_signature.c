/* SPDX-License-Identifier: ISC */
/* The vectors were made by the official library of Twilio, version 6.2.0 for Node. */
#include "twilio/signature.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEY       "aicaller_test_token_0123456789ab"
#define HOST      "https://voice.example.com"
#define WSS       "wss://voice.example.com"
#define CALL      "CA00000000000000000000000000000002"
#define ENDED     "CallSid=" CALL "&CallStatus=completed&CallDuration=42&SequenceNumber=3"
#define JSON_HASH "8a4515c761397e22e8fbfa5a20dab94ff089db70a71d097ce6fe37d053b98517"
#define JSON_BODY "{\"event\":\"call.ended\",\"id\":\"" CALL "\"}"

struct vector {
    const char *key;
    const char *origin; /* of the address, as Twilio has it */
    const char *rest;   /* its path and query */
    const char *form;   /* NULL: none */
    const char *signature;
};

static const struct vector vectors[] = {
    {"12345", "https://mycompany.com", "/myapp.php?foo=1&bar=2",
     "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309"
     "&To=%2B18005551212",
     "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
    {"12345", "https://example.com", "/myapp.php?foo=1&bar=2",
     "CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310"
     "&To=%2B18005551212",
     "L/OH5YylLD5NRKLltdqwSvS0BnU="},
    {KEY, HOST, "/twilio/voice",
     "AccountSid=AC00000000000000000000000000000001&ApiVersion=2010-04-01&CallSid=" CALL
     "&CallStatus=ringing&Called=%2B15005550006&Caller=%2B15551230001&Direction=inbound"
     "&From=%2B15551230001&To=%2B15005550006",
     "VfkocZg3uS390KWcoQaHKGN45kw="},
    {KEY, HOST, "/twilio/voice?call=7f3a&x=%20y",
     "CallSid=" CALL "&CallerName=Jos%C3%A9+%C3%91and%C3%BA&FromCity=&SpeechResult=a+b%26c%3Dd",
     "F+WsZJWY8P+zFHu1AS4mFdcxnWw="},
    {KEY, HOST, "/twilio/status", ENDED, "Bs5U43g3MtRZoax37y/dOsYkVco="},
    {KEY, HOST ":443", "/twilio/status", ENDED, "HEBBlF39bdKJa9IOxCtpFar70BE="},
    {KEY, HOST ":8443", "/twilio/status", ENDED, "h/9+QtFUpoLNwkt1A1fn2syuT/Q="},
    {KEY, HOST, "/twilio/voice?CallSid=" CALL "&From=%2B15551230001", NULL,
     "jeeEatSrOu8wl/ORFdGO/Q1onkw="},
    {KEY, HOST, "/twilio/voice", NULL, "oE7BBZMB8DOWuBfbWyAonGqpJfE="},
    {KEY, HOST, "/twilio/voice", "a=1&A=2&Aa=3&AB=4&a_b=5&a-b=6", "raqw8n5EoS/AsV+nFj5AWKQ0bsE="},
    {KEY, HOST, "/twilio/voice", "Body=+leading+and+trailing+&X=%2B1+2",
     "XeV5clBqt2/LHUbQ3At2v7N+z6Y="},
    {KEY, HOST, "/twilio/voice", "A=b&A=a&A=b&Z=1&a=2", "Qma/VbDvQFvOPKhPfNtoMlueo/k="},
    {KEY, HOST, "/twilio/stream-status",
     "AccountSid=AC00000000000000000000000000000001&CallSid=" CALL
     "&StreamEvent=stream-error&StreamError=31920+-+Stream+-+WebSocket+-+Handshake+Error"
     "&StreamName=MZ00000000000000000000000000000003&StreamSid=MZ00000000000000000000000000000003"
     "&Timestamp=2026-11-22T10%3A00%3A00.000Z",
     "/rNtUUV5c3jhTmqowXoYJ10QpbY="},
    {KEY, WSS, "/twilio/media", NULL, "tvYoKiuXPVbqoHD5F+umKxFWn20="},
    {KEY, WSS, "/twilio/media/", NULL, "0PxQNfW38BFZtgrfCOk4XRjx5xY="},
    {KEY, WSS ":443", "/twilio/media", NULL, "er6FlvvlHOl361x7FWwRLa7MJ7o="},
    {KEY, WSS ":8443", "/twilio/media", NULL, "FD+Qld36t+ZGRkmM7zi4OZ/YWEQ="},
    {KEY, HOST, "/twilio/media", NULL, "jIbIrsqhi6UspqNIKk1HSaz6U1s="},
    {KEY, HOST, "/twilio/json?bodySHA256=" JSON_HASH, NULL, "bNga0yDokScDmP6wdB6HRpsVB9Y="},
};

enum { VECTORS = sizeof(vectors) / sizeof(vectors[0]) };

static void test_every_vector_of_the_official_library_is_reproduced(void **state)
{
    (void)state;
    assert_int_equal(VECTORS, 19);
    for (size_t i = 0; i < VECTORS; i++) {
        char made[TWILIO_SIGNATURE_CHARS + 1];
        struct aic_buf text;
        aic_buf_init(&text, 10000);
        aic_buf_text(&text, vectors[i].origin);
        aic_buf_text(&text, vectors[i].rest);
        if (vectors[i].form) {
            struct twilio_form form;
            assert_int_equal(twilio_form_parse(aic_str(vectors[i].form), &form), AIC_OK);
            twilio_form_join(&text, &form);
            twilio_form_finish(&form);
        }
        twilio_signature_make(made, vectors[i].key, aic_buf_view(&text));
        assert_string_equal(made, vectors[i].signature);
        aic_buf_finish(&text);
    }
}

struct question {
    const char *public_url;
    const char *path;
    const char *query;
    const char *form;
    const char *body;
    bool is_websocket;
    const char *token;
    const char *second_token;
};

static bool ask(const struct question *q, const char *header)
{
    struct twilio_form form;
    if (q->form) {
        assert_int_equal(twilio_form_parse(aic_str(q->form), &form), AIC_OK);
    }
    const struct twilio_signed request = {.public_url = q->public_url,
                                          .path = aic_str(q->path),
                                          .query = aic_str(q->query ? q->query : ""),
                                          .form = q->form ? &form : NULL,
                                          .body = aic_str(q->body ? q->body : ""),
                                          .is_websocket = q->is_websocket};
    const struct twilio_tokens tokens = {{q->token, q->second_token}};
    bool answer = twilio_signature_matches(&request, &tokens, aic_str(header));
    if (q->form) {
        twilio_form_finish(&form);
    }
    return answer;
}

/* What the vector of that number (from 1) is about, as a server sees it. */
static struct question question_of(size_t number, const char *public_url)
{
    static char path[200];
    const struct vector *v = &vectors[number - 1];
    size_t length = strcspn(v->rest, "?");
    aic_str_copy((struct aic_str){v->rest, length}, path, sizeof(path));
    return (struct question){.public_url = public_url,
                             .path = path,
                             .query = v->rest[length] ? v->rest + length + 1 : NULL,
                             .form = v->form,
                             .is_websocket = v->origin[0] == 'w',
                             .token = v->key};
}

static bool accepts(size_t number, const char *public_url)
{
    struct question q = question_of(number, public_url);
    return ask(&q, vectors[number - 1].signature);
}

static void test_requests_are_believed_under_the_public_address(void **state)
{
    (void)state;
    assert_true(accepts(1, "https://mycompany.com"));
    assert_true(accepts(2, "https://example.com"));
    for (size_t number = 3; number <= 5; number++) {
        assert_true(accepts(number, HOST));
        assert_false(accepts(number, "https://voice.example.org"));
        assert_false(accepts(number, "https://Voice.example.com"));
        assert_false(accepts(number, "http://voice.example.com"));
    }
    for (size_t number = 8; number <= 15; number++) {
        assert_true(accepts(number, HOST));
    }
}

static void test_ports_that_twilio_adds_or_leaves_out_do_not_matter(void **state)
{
    (void)state;
    assert_true(accepts(5, HOST ":443"));
    assert_true(accepts(5, HOST ":8443"));
    assert_true(accepts(6, HOST));
    assert_true(accepts(6, HOST ":443"));
    assert_false(accepts(7, HOST));
    assert_false(accepts(7, HOST ":443"));
    assert_true(accepts(7, HOST ":8443"));
    assert_true(accepts(14, HOST ":8443"));
    assert_true(accepts(16, HOST));
    assert_false(accepts(17, HOST));
    assert_true(accepts(17, HOST ":8443"));
}

static void test_a_websocket_is_signed_as_wss_with_or_without_the_closing_slash(void **state)
{
    (void)state;
    struct question q = question_of(14, HOST);
    assert_true(ask(&q, vectors[14].signature));
    q = question_of(15, HOST);
    assert_true(ask(&q, vectors[13].signature));
    /* Vector 18: the right path under the wrong scheme. */
    q = question_of(14, HOST);
    assert_false(ask(&q, vectors[17].signature));
    q = question_of(18, HOST);
    assert_true(ask(&q, vectors[17].signature));
    assert_false(ask(&q, vectors[13].signature));
    /* The slash counts everywhere else. */
    q = (struct question){
        .public_url = HOST, .path = "/twilio/voice/", .token = KEY, .is_websocket = false};
    assert_false(ask(&q, vectors[8].signature));
}

static void test_a_body_that_is_no_form_must_have_the_hash_in_the_address(void **state)
{
    (void)state;
    struct question q = question_of(19, HOST);
    q.body = JSON_BODY;
    assert_true(ask(&q, vectors[18].signature));
    q.body = JSON_BODY " ";
    assert_false(ask(&q, vectors[18].signature));
    q.body = "";
    assert_false(ask(&q, vectors[18].signature));
    /* A body that is not mentioned at all. */
    q = question_of(9, HOST);
    q.body = "CallSid=" CALL;
    assert_false(ask(&q, vectors[8].signature));
    q = question_of(8, HOST);
    q.body = JSON_BODY;
    assert_false(ask(&q, vectors[7].signature));
}

static void test_whatever_is_changed_is_not_believed(void **state)
{
    (void)state;
    const char *good = vectors[2].signature;
    struct question q = question_of(3, HOST);
    assert_true(ask(&q, good));
    char header[TWILIO_SIGNATURE_CHARS + 1];
    for (size_t i = 0; i < TWILIO_SIGNATURE_CHARS; i++) {
        aic_str_copy(aic_str(good), header, sizeof(header));
        header[i] = header[i] == 'A' ? 'B' : 'A';
        assert_false(ask(&q, header));
    }
    assert_false(ask(&q, ""));
    assert_false(ask(&q, "VfkocZg3uS390KWcoQaHKGN45kw"));
    assert_false(ask(&q, "VfkocZg3uS390KWcoQaHKGN45kw=="));
    char form[600];
    for (size_t i = 0; vectors[2].form[i]; i++) {
        aic_str_copy(aic_str(vectors[2].form), form, sizeof(form));
        form[i] = form[i] == '7' ? '8' : '7';
        q.form = form;
        assert_false(ask(&q, good));
    }
}

static void test_without_token_or_address_nothing_is_believed(void **state)
{
    (void)state;
    char made[TWILIO_SIGNATURE_CHARS + 1];
    struct question q = question_of(9, HOST);
    q.token = NULL;
    assert_false(ask(&q, vectors[8].signature));
    q.token = "";
    twilio_signature_make(made, "", aic_str(HOST "/twilio/voice"));
    assert_int_equal(strlen(made), TWILIO_SIGNATURE_CHARS);
    assert_false(ask(&q, made));
    q = question_of(9, NULL);
    assert_false(ask(&q, vectors[8].signature));
    static const char *const bad[] = {"", "voice.example.com", "https://",
                                      "ftp://voice.example.com"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        q = question_of(9, bad[i]);
        assert_false(ask(&q, vectors[8].signature));
    }
}

static void test_while_tokens_change_both_are_good(void **state)
{
    (void)state;
    struct question q = question_of(9, HOST);
    q.token = "the new one";
    q.second_token = KEY;
    assert_true(ask(&q, vectors[8].signature));
    q.second_token = "";
    assert_false(ask(&q, vectors[8].signature));
}

static void test_an_address_of_numbers_keeps_its_brackets(void **state)
{
    (void)state;
    char made[TWILIO_SIGNATURE_CHARS + 1];
    twilio_signature_make(made, KEY, aic_str("https://[2001:db8::1]/x"));
    struct question q = {.public_url = "https://[2001:db8::1]:8443", .path = "/x", .token = KEY};
    assert_true(ask(&q, made));
    q.public_url = "https://[2001:db8::1]";
    assert_true(ask(&q, made));
    twilio_signature_make(made, KEY, aic_str("http://127.0.0.1:8000/x"));
    q.public_url = "http://127.0.0.1:8000";
    assert_true(ask(&q, made));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_vector_of_the_official_library_is_reproduced),
        cmocka_unit_test(test_requests_are_believed_under_the_public_address),
        cmocka_unit_test(test_ports_that_twilio_adds_or_leaves_out_do_not_matter),
        cmocka_unit_test(test_a_websocket_is_signed_as_wss_with_or_without_the_closing_slash),
        cmocka_unit_test(test_a_body_that_is_no_form_must_have_the_hash_in_the_address),
        cmocka_unit_test(test_whatever_is_changed_is_not_believed),
        cmocka_unit_test(test_without_token_or_address_nothing_is_believed),
        cmocka_unit_test(test_while_tokens_change_both_are_good),
        cmocka_unit_test(test_an_address_of_numbers_keeps_its_brackets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
