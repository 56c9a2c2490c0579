/* SPDX-License-Identifier: ISC */
#include "twilio_setup.h"

#include "base64.h"

enum { FRAME = 160 };

static const struct aic_format mulaw = {AIC_CODEC_MULAW, 8000, 1, 0};

/* One message of sound, all of it the same byte; `at_ms` negative: without a timestamp. */
static void speak(struct setup *s, char byte, size_t bytes, int64_t at_ms)
{
    char sound[4000];
    char payload[AIC_BASE64_ENCODED(sizeof(sound)) + 1];
    char text[sizeof(payload) + 300];
    char timestamp[60] = "";
    memset(sound, byte, bytes);
    payload[aic_base64_encode(payload, sound, bytes)] = '\0';
    if (at_ms >= 0) {
        (void)snprintf(timestamp, sizeof(timestamp), "\"timestamp\":\"%" PRId64 "\",", at_ms);
    }
    (void)snprintf(text, sizeof(text),
                   "{\"event\":\"media\",\"sequenceNumber\":\"4\",\"media\":{\"track\":\"inbound\","
                   "\"chunk\":\"1\",%s\"payload\":\"%s\"},\"streamSid\":\"" STREAM "\"}",
                   timestamp, payload);
    fake_ws_text(s->ws, text);
}

static void assert_over(struct setup *s, const char *told, int32_t close_code)
{
    assert_told(s, "");
    vsched_run(s->v, 0);
    assert_told(s, told);
    assert_int_equal(s->ws->close_code, close_code);
}

static void test_a_stream_is_taken_under_each_spelling_of_its_address(void **state)
{
    (void)state;

    static const struct {
        const char *url;
        int status;
    } cases[] = {
        {WSS "/media-stream/", 101},
        {WSS "/media-stream", 101},
        {WSS "/media-stream//", 101},
        {WSS ":443/media-stream/", 101},
        {WSS ":443/media-stream", 101},
        {PUBLIC "/media-stream/", 403}, /* https is not what Twilio signs */
        {WSS ":8443/media-stream/", 403},
        {"wss://evil.example.com/media-stream/", 403},
        {WSS "/media-stream/?token=" TOKEN, 403},
        {NULL, 403},
    };
    struct setup s;
    begin(&s);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct aic_ws *ws = upgrade_as(&s, cases[i].url);
        assert_int_equal(s.exchange.status, cases[i].status);
        assert_int_equal(ws != NULL, cases[i].status == 101);
        if (ws) {
            fake_ws_closed(ws, 1000, "", 0);
        }
    }
    assert_told(&s, "");
    fake_route_set_public_url(s.fake, PUBLIC ":8443");
    assert_non_null(upgrade_as(&s, WSS ":8443/media-stream/"));
    fake_ws_closed(s.ws, 1000, "", 0);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_closed(s.ws, 1000, "", 0);
    end(&s);
}

static void test_what_comes_before_start_ends_the_stream(void **state)
{
    (void)state;
    static const char *const messages[] = {
        "{\"event\":\"media\",\"streamSid\":\"" STREAM "\",\"media\":{\"payload\":\"/w==\"}}",
        "{\"event\":\"dtmf\",\"streamSid\":\"" STREAM "\",\"dtmf\":{\"digit\":\"1\"}}",
        "{\"event\":\"mark\",\"streamSid\":\"" STREAM "\",\"mark\":{\"name\":\"0:1\"}}",
        "nonsense",
        "{}",
        "[1]",
        "{\"event\":\"start\"}",
        START_WITH(""),
        START_WITH("\"token\":\"<b>\""),
        START_WITH("\"token\":\"" TOKEN "\",\"call\":\"../x\""),
    };
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        struct setup s;
        begin(&s);
        assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
        fake_ws_text(s.ws, messages[i]);
        assert_true(s.ws->closing);
        assert_int_equal(s.ws->close_code, 1008);
        assert_non_null(strstr(fake_log(s.fake), "a media stream was ended"));
        assert_told(&s, "");
        fake_ws_text(s.ws, START);
        assert_told(&s, "");
        end(&s);
    }
}

static void test_a_start_of_another_account_is_refused(void **state)
{
    (void)state;
    struct setup s;
    begin_with(&s, NULL);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    char text[1000];
    (void)snprintf(text, sizeof(text), "%s", START);
    *strstr(text, "AC00") = 'B';
    fake_ws_text(s.ws, text);
    assert_int_equal(s.ws->close_code, 1008);
    assert_told(&s, "");
    end(&s);
}

static void test_a_stream_that_does_not_start_is_given_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_text(s.ws, "{\"event\":\"connected\"}");
    vsched_run(s.v, 9 * SECOND);
    assert_false(s.ws->closing);
    vsched_run(s.v, 2 * SECOND);
    assert_int_equal(s.ws->close_code, 1008);
    end(&s);
    /* One that says goodbye before it has begun was nothing. */
    begin(&s);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    fake_ws_text(s.ws, "{\"event\":\"stop\",\"streamSid\":\"" STREAM "\"}");
    assert_int_equal(s.ws->close_code, 1000);
    fake_ws_closed(s.ws, 1000, "", 0);
    assert_told(&s, "");
    end(&s);
}

static void test_streams_that_only_connect_do_not_pile_up(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    for (int i = 0; i < 256; i++) {
        assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    }
    assert_null(upgrade_as(&s, WSS "/media-stream/"));
    assert_int_equal(s.exchange.status, 403);
    vsched_run(s.v, 11 * SECOND);
    assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
    end(&s);
}

static void test_a_leg_that_the_host_does_not_want_ends(void **state)
{
    (void)state;

    static const enum arrival arrivals[] = {REFUSE, IGNORE};

    for (size_t i = 0; i < 2; i++) {
        struct setup s;
        begin(&s);
        s.arrival = arrivals[i];
        assert_non_null(upgrade_as(&s, WSS "/media-stream/"));
        fake_ws_text(s.ws, START);
        assert_told(&s, "start sid=" SID " call=" CALL_ID " token=" TOKEN "\n");
        s.leg = NULL;
        assert_true(s.ws->closing);
        vsched_run(s.v, SECOND);
        assert_told(&s, "");
        end(&s);
    }
}

static void test_sound_keeps_its_time(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    speak(&s, 'a', FRAME, 0);
    speak(&s, 'b', FRAME, 20);
    assert_int_equal(s.sound.len, 2 * FRAME);
    assert_int_equal(s.sound_at_us, 20 * MS);
    /* 40 ms were lost: silence stands in for them. */
    speak(&s, 'c', FRAME, 80);
    assert_int_equal(s.sound.len, 5 * FRAME);
    assert_int_equal(s.sound_at_us, 80 * MS);
    assert_int_equal((unsigned char)s.sound.data[2 * FRAME], 0xff);
    assert_int_equal((unsigned char)s.sound.data[4 * FRAME - 1], 0xff);
    assert_int_equal(s.sound.data[4 * FRAME], 'c');
    /* What comes late or without a time stands behind what was there. */
    speak(&s, 'd', FRAME, 20);
    assert_int_equal(s.sound_at_us, 100 * MS);
    speak(&s, 'e', FRAME, -1);
    assert_int_equal(s.sound_at_us, 120 * MS);
    speak(&s, 'f', 4, -1);
    speak(&s, 'g', 0, -1);
    assert_int_equal(s.sound.len, 7 * FRAME + 4);
    /* Of a long gap a second is filled. */
    speak(&s, 'h', FRAME, 60000);
    assert_int_equal(s.sound.len, 8 * FRAME + 4 + 8000);
    assert_int_equal(s.sound_at_us, 60000 * MS);
    end(&s);
}

static void test_the_first_sound_needs_no_time(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    speak(&s, 'a', FRAME, -1);
    assert_int_equal(s.sound_at_us, 0);
    speak(&s, 'b', FRAME, -1);
    assert_int_equal(s.sound_at_us, 20 * MS);
    assert_int_equal(s.sound.len, 2 * FRAME);
    end(&s);
}

static void test_sound_faster_than_anybody_speaks_is_dropped_and_counted(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    for (int i = 0; i < 150; i++) {
        speak(&s, 'a', FRAME, INT64_C(20) * i);
    }
    assert_int_equal(s.sound.len, 100 * FRAME);
    vsched_run(s.v, SECOND);
    speak(&s, 'a', FRAME, 3000);
    assert_int_equal(s.sound.len, 101 * FRAME);
    s.tel->leg_close(s.leg);
    s.leg = NULL;
    vsched_run(s.v, 0);
    assert_non_null(strstr(fake_log(s.fake), "dropped_ms=1000"));
    end(&s);
}

static void test_our_sound_is_written_as_documented(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_audio audio = {.size = sizeof(audio),
                              .format = mulaw,
                              .data = (const uint8_t *)"\xff\x00\x7f\x80",
                              .bytes = 4,
                              .time_us = -1};
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    assert_said(&s, FROM_US("media", ",\"media\":{\"payload\":\"/wB/gA==\"}"));
    audio.bytes = 0;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_OK);
    audio.bytes = 48 * 1024 + 1;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_TOO_LARGE);
    audio.bytes = 4;
    audio.format.rate_hz = 16000;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_INVALID);
    assert_said(&s, "");
    assert_int_equal(s.ws->binary_count, 0);
    end(&s);
}

static void test_marks_tell_what_was_heard_and_what_was_cleared(void **state)
{
    (void)state;
#define ECHO(name)                                                                                 \
    "{\"event\":\"mark\",\"sequenceNumber\":\"9\",\"streamSid\":\"" STREAM                         \
    "\",\"mark\":{\"name\":\"" name "\"}}"
    struct setup s;
    begin_call(&s);
    for (uint64_t id = 1; id <= 3; id++) {
        assert_int_equal(s.tel->leg_mark(s.leg, id), AIC_OK);
    }
    assert_int_equal(s.tel->leg_mark(s.leg, 3), AIC_ERROR_INVALID);
    fake_ws_text(s.ws, ECHO("0:1"));
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_OK);
    assert_int_equal(s.tel->leg_mark(s.leg, 4), AIC_OK);
    assert_said(&s, FROM_US("mark", ",\"mark\":{\"name\":\"0:1\"}")
                        FROM_US("mark", ",\"mark\":{\"name\":\"0:2\"}")
                            FROM_US("mark", ",\"mark\":{\"name\":\"0:3\"}") FROM_US("clear", "")
                                FROM_US("mark", ",\"mark\":{\"name\":\"1:4\"}"));
    fake_ws_text(s.ws, ECHO("0:2"));
    fake_ws_text(s.ws, ECHO("0:3"));
    fake_ws_text(s.ws, ECHO("1:4"));
    assert_told(&s, "mark 1 played\nmark 2 cleared\nmark 3 cleared\nmark 4 played\n");
    /* Repeated, not asked for, of a clear that was not, somebody else's. */
    fake_ws_text(s.ws, ECHO("1:4"));
    fake_ws_text(s.ws, ECHO("1:5"));
    fake_ws_text(s.ws, ECHO("2:4"));
    fake_ws_text(s.ws, ECHO("hello"));
    fake_ws_text(s.ws, ECHO(""));
    assert_told(&s, "");
    end(&s);
#undef ECHO
}

static void test_keys_are_told_one_by_one(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    static const char *const digits[] = {"5", "*", "#", "D", "w", "12", ""};
    for (size_t i = 0; i < sizeof(digits) / sizeof(digits[0]); i++) {
        char text[200];
        (void)snprintf(text, sizeof(text),
                       "{\"event\":\"dtmf\",\"streamSid\":\"" STREAM
                       "\",\"sequenceNumber\":\"5\",\"dtmf\":{\"track\":\"inbound_track\","
                       "\"digit\":\"%s\"}}",
                       digits[i]);
        fake_ws_text(s.ws, text);
    }
    assert_told(&s, "key 5\nkey *\nkey #\nkey D\n");
    end(&s);
}

static void test_some_nonsense_is_survived_and_much_is_not(void **state)
{
    (void)state;
#define MEDIA(payload)                                                                             \
    "{\"event\":\"media\",\"streamSid\":\"" STREAM "\",\"media\":{\"payload\":" payload "}}"
    static const char *const nonsense[] = {
        MEDIA("\"not base64!\""),
        MEDIA("\"abc\""),
        MEDIA("5"),
        "{\"event\":\"media\",\"streamSid\":\"" STREAM "\"}",
        "{\"event\":\"media\",\"streamSid\":\"MZ9\",\"media\":{\"payload\":\"/w==\"}}",
        "{\"event\":\"stop\",\"streamSid\":\"MZ9\"}",
        "{\"event\":\"media\",\"streamSid\":\"" STREAM
        "\",\"media\":{\"timestamp\":\"999999999999999999\",\"payload\":\"/w==\"}}",
        "\xff\xfe",
        "",
    };
    struct setup s;
    begin_call(&s);
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++) {
        fake_ws_text(s.ws, nonsense[i]);
    }
    fake_ws_binary(s.ws, "ab", 2);
    assert_int_equal(s.sound.len, 0);
    assert_false(s.ws->closing);
    /* What a later version may say is not nonsense. */
    for (int i = 0; i < 50; i++) {
        fake_ws_text(s.ws, "{\"event\":\"weather\",\"streamSid\":\"" STREAM "\"}");
    }
    fake_ws_text(s.ws, MEDIA("\"/w==\""));
    assert_int_equal(s.sound.len, 1);
    fake_ws_text(s.ws, MEDIA("\"=\""));
    assert_over(&s, "stop 5\n", 1008);
    assert_non_null(strstr(fake_log(s.fake), "nonsense=11"));
    end(&s);
#undef MEDIA
}

static void test_a_second_start_ends_the_call(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    fake_ws_text(s.ws, START);
    assert_over(&s, "stop 5\n", 1008);
    end(&s);
}

static void test_a_stream_that_stops_twice_stops_once(void **state)
{
    (void)state;
    static const char stop[] =
        "{\"event\":\"stop\",\"sequenceNumber\":\"7\",\"streamSid\":\"" STREAM
        "\",\"stop\":{\"accountSid\":\"" ACCOUNT "\",\"callSid\":\"" SID "\"}}";
    struct setup s;
    begin_call(&s);
    fake_ws_text(s.ws, stop);
    fake_ws_text(s.ws, stop);
    speak(&s, 'a', FRAME, 0);
    assert_over(&s, "stop 1\n", 1000);
    fake_ws_text(s.ws, stop);
    fake_ws_closed(s.ws, 1000, "", 0);
    vsched_run(s.v, SECOND);
    assert_told(&s, "");
    assert_int_equal(s.sound.len, 0);
    const struct aic_audio audio = {
        .size = sizeof(audio), .format = mulaw, .data = (const uint8_t *)"a", .bytes = 1};
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_mark(s.leg, 1), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_digits(s.leg, AIC_STR("1")), AIC_ERROR_CLOSED);
    assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
    assert_no_request(&s);
    end(&s);
}

static void test_a_line_that_breaks_is_lost_and_one_with_bad_frames_is_not_trusted(void **state)
{
    (void)state;

    static const struct {
        int32_t code;
        const char *told;
    } ends[] = {{1006, "stop 3\n"}, {1000, "stop 3\n"}, {1002, "stop 5\n"}, {1009, "stop 5\n"}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct setup s;
        begin_call(&s);
        s.closes_at_stop = i % 2 == 0;
        fake_ws_closed(s.ws, ends[i].code, "", 0);
        vsched_run(s.v, 0);
        assert_told(&s, ends[i].told);
        end(&s);
    }
}

static void test_sound_that_twilio_does_not_take_is_not_queued_for_ever(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    const struct aic_audio audio = {
        .size = sizeof(audio), .format = mulaw, .data = (const uint8_t *)"abcd", .bytes = 4};
    s.ws->queued = 192 << 10;
    assert_int_equal(s.tel->leg_send(s.leg, &audio), AIC_ERROR_BUSY);
    /* Marks and clears have room left; a leg that loses one of them is no leg. */
    assert_int_equal(s.tel->leg_mark(s.leg, 1), AIC_OK);
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_OK);
    s.ws->refuse_sends = true;
    assert_int_equal(s.tel->leg_clear(s.leg), AIC_ERROR_CLOSED);
    assert_over(&s, "stop 3\n", 1000);
    end(&s);
}

static void test_keys_of_ours_are_sound(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    static const char *const bad[] = {"", "x", "1 2", "123456789012345678901234567890123"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(s.tel->leg_digits(s.leg, aic_str(bad[i])), AIC_ERROR_INVALID);
    }
    assert_said(&s, "");
    assert_int_equal(s.tel->leg_digits(s.leg, AIC_STR("1w#")), AIC_OK);
    /* 200 ms, 500 ms, 200 ms, in messages of 200 ms. */
    assert_int_equal(s.ws->text_count, 5);
    char *sent = fake_ws_take_text(s.ws);
    assert_null(strstr(sent, "dtmf"));
    free(sent);
    assert_no_request(&s);
    s.ws->queued = 180 << 10;
    assert_int_equal(s.tel->leg_digits(s.leg, AIC_STR("11111111")), AIC_ERROR_BUSY);
    end(&s);
}

static void test_the_host_may_go_in_the_middle_of_anything(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    speak(&s, 'a', FRAME, 0);
    s.tel->leg_close(s.leg);
    s.leg = NULL;
    speak(&s, 'a', FRAME, 20);
    assert_int_equal(s.sound.len, FRAME);
    assert_over(&s, "", 1000);
    s.tel->leg_close(NULL);
    end(&s);
    /* The server stops while people talk. */
    begin_call(&s);
    s.tel->stop(s.self);
    vsched_run(s.v, SECOND);
    assert_told(&s, "");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_stream_is_taken_under_each_spelling_of_its_address),
        cmocka_unit_test(test_what_comes_before_start_ends_the_stream),
        cmocka_unit_test(test_a_start_of_another_account_is_refused),
        cmocka_unit_test(test_a_stream_that_does_not_start_is_given_up),
        cmocka_unit_test(test_streams_that_only_connect_do_not_pile_up),
        cmocka_unit_test(test_a_leg_that_the_host_does_not_want_ends),
        cmocka_unit_test(test_sound_keeps_its_time),
        cmocka_unit_test(test_the_first_sound_needs_no_time),
        cmocka_unit_test(test_sound_faster_than_anybody_speaks_is_dropped_and_counted),
        cmocka_unit_test(test_our_sound_is_written_as_documented),
        cmocka_unit_test(test_marks_tell_what_was_heard_and_what_was_cleared),
        cmocka_unit_test(test_keys_are_told_one_by_one),
        cmocka_unit_test(test_some_nonsense_is_survived_and_much_is_not),
        cmocka_unit_test(test_a_second_start_ends_the_call),
        cmocka_unit_test(test_a_stream_that_stops_twice_stops_once),
        cmocka_unit_test(test_a_line_that_breaks_is_lost_and_one_with_bad_frames_is_not_trusted),
        cmocka_unit_test(test_sound_that_twilio_does_not_take_is_not_queued_for_ever),
        cmocka_unit_test(test_keys_of_ours_are_sound),
        cmocka_unit_test(test_the_host_may_go_in_the_middle_of_anything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
