/* SPDX-License-Identifier: ISC */
#include "browser_setup.h"

static void test_start_makes_a_leg_of_the_socket(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    upgrade(&s);
    vsched_run(s.v, 4 * SECOND);
    fake_ws_text(s.ws, "{\"type\":\"start\",\"token\":\"the.token\",\"call_id\":\"0190-call\","
                       "\"agent\":\"sales\",\"format\":{\"codec\":\"pcm_s16le\",\"rate\":16000}}");
    assert_int_equal(s.media_starts, 1);
    assert_string_equal(s.token, "the.token");
    assert_string_equal(s.call_id, "0190-call");
    assert_string_equal(s.ext, "{\"agent\":\"sales\"}");
    vsched_run(s.v, 4 * SECOND);
    speak(&s, 3);
    assert_int_equal(s.audio_bytes, 3 * FRAME_BYTES);
    assert_true(s.ws->open && !s.ws->closing);
    /* The host may hand the leg to another sink. */
    struct aic_telephony_sink second = s.leg_sink;
    memset(&s.leg_sink, 0, sizeof(s.leg_sink));
    assert_int_equal(s.tel->leg_attach(s.leg, &second), AIC_OK);
    speak(&s, 1);
    assert_int_equal(s.audio_bytes, 4 * FRAME_BYTES);
    s.tel->leg_hangup(s.leg);
    vsched_run(s.v, 0);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.tel->leg_attach(s.leg, &second), AIC_ERROR_CLOSED);
    end(&s);
}

static void test_without_start_the_page_is_told_and_let_go_after_five_seconds(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    upgrade(&s);
    vsched_run(s.v, 4999999);
    assert_false(s.ws->closing);
    vsched_run(s.v, 1);
    assert_said(s.ws,
                "{\"type\":\"error\",\"message\":\"no \\\"start\\\" came within 5 seconds\"}\n"
                "{\"type\":\"end\",\"reason\":\"protocol\"}\n");
    assert_true(s.ws->closing);
    assert_int_equal(s.ws->close_code, 1008);
    fake_ws_closed(s.ws, 1008, "protocol", 0);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.media_starts, 0);
    assert_int_equal(s.statuses, 0);
    end(&s);
}

static void test_anything_else_first_is_turned_away(void **state)
{
    (void)state;
    static const char *const firsts[] = {
        "garbage",
        "{\"type\":\"mark\",\"id\":1}",
        "{\"type\":\"text\",\"text\":\"hello\"}",
        "{\"type\":\"start\"}",
        "{\"type\":\"whatever\"}",
        "{\"type\":\"start\",\"token\":\"t\",\"call_id\":\"c\",\"format\":{\"codec\":\"opus\"}}"};
    struct setup s;
    begin(&s);
    for (size_t i = 0; i <= sizeof(firsts) / sizeof(firsts[0]); i++) {
        upgrade(&s);
        if (i < sizeof(firsts) / sizeof(firsts[0])) {
            fake_ws_text(s.ws, firsts[i]);
        } else {
            speak(&s, 1);
        }
        char *said = fake_ws_take_text(s.ws);
        assert_non_null(strstr(said, "{\"type\":\"error\",\"message\":"));
        assert_non_null(strstr(said, "{\"type\":\"end\",\"reason\":\"protocol\"}\n"));
        free(said);
        assert_true(s.ws->closing);
        /* What still arrives is not looked at. */
        fake_ws_text(s.ws, START);
        speak(&s, 1);
        fake_ws_closed(s.ws, 1008, "protocol", 0);
    }
    vsched_run(s.v, 10 * SECOND);
    assert_int_equal(s.media_starts, 0);
    end(&s);
}

static void test_good_bye_before_start_needs_no_words(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    upgrade(&s);
    fake_ws_text(s.ws, "{\"type\":\"bye\"}");
    assert_said(s.ws, "{\"type\":\"end\",\"reason\":\"hangup\"}\n");
    assert_int_equal(s.ws->close_code, 1000);
    fake_ws_closed(s.ws, 1000, "", 0);
    upgrade(&s);
    fake_ws_closed(s.ws, 1006, "", 0);
    vsched_run(s.v, 10 * SECOND);
    assert_int_equal(s.media_starts, 0);
    end(&s);
}

static void test_a_leg_that_the_host_does_not_take_is_refused(void **state)
{
    (void)state;

    static const enum answer answers[] = {CLOSE, IGNORE, CLOSE_WITH_A_WORD};

    static const char end_text[] = "{\"type\":\"end\",\"reason\":\"refused\"}\n";
    for (size_t i = 0; i < 3; i++) {
        struct setup s;
        begin(&s);
        s.answer = answers[i];
        upgrade(&s);
        fake_ws_text(s.ws, START);
        char *said = fake_ws_take_text(s.ws);
        const char *rest = answers[i] == CLOSE_WITH_A_WORD ? said + 17 : said;
        assert_string_equal(rest, end_text);
        free(said);
        assert_true(s.ws->closing);
        vsched_run(s.v, SECOND);
        fake_ws_closed(s.ws, 1000, "", 0);
        vsched_run(s.v, 10 * SECOND);
        assert_int_equal(s.media_stops, 0);
        assert_int_equal(s.statuses, 0);
        end(&s);
    }
}

static void test_a_foreign_page_is_refused_before_the_socket_opens(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    struct aic_header headers[] = {{AIC_STR("host"), AIC_STR("localhost:8000")},
                                   {AIC_STR("origin"), AIC_STR("http://evil.example")}};
    assert_null(fake_route_upgrade(s.fake, PATH, headers, 2, &s.exchange));
    assert_int_equal(s.exchange.status, 403);
    assert_non_null(strstr(fake_log(s.fake), "another origin"));
    fake_exchange_finish(&s.exchange);
    headers[1].value = AIC_STR("http://localhost:8000");
    s.ws = fake_route_upgrade(s.fake, PATH, headers, 2, &s.exchange);
    assert_non_null(s.ws);
    fake_ws_closed(s.ws, 1001, "", 0);
    fake_exchange_finish(&s.exchange);
    fake_route_set_public_url(s.fake, "https://voice.example.com");
    headers[1].value = AIC_STR("https://voice.example.com");
    s.ws = fake_route_upgrade(s.fake, PATH, headers, 2, &s.exchange);
    assert_non_null(s.ws);
    fake_ws_closed(s.ws, 1001, "", 0);
    end(&s);
}

static void test_sockets_that_never_start_are_bounded(void **state)
{
    (void)state;
    struct setup s;
    begin(&s);
    for (int i = 0; i < 64; i++) {
        upgrade(&s);
    }
    fake_exchange_finish(&s.exchange);
    assert_null(fake_route_upgrade(s.fake, PATH, NULL, 0, &s.exchange));
    assert_int_equal(s.exchange.status, 403);
    fake_ws_text(s.ws, START);
    upgrade(&s);
    vsched_run(s.v, 5 * SECOND);
    upgrade(&s);
    end(&s);
}

static void test_garbage_and_a_second_start_end_the_call(void **state)
{
    (void)state;
    static const char *const bad[] = {"garbage", START, "{\"type\":\"dtmf\",\"digit\":\"x\"}"};
    for (size_t i = 0; i < 3; i++) {
        struct setup s;
        begin_call(&s);
        vsched_run(s.v, 2 * SECOND);
        speak(&s, 1);
        fake_ws_text(s.ws, bad[i]);
        assert_int_equal(s.media_stops, 0);
        vsched_run(s.v, 0);
        assert_int_equal(s.media_stops, 1);
        assert_int_equal(s.cause, AIC_LEG_END_PROTOCOL);
        assert_int_equal(s.media_starts, 1);
        assert_int_equal(s.status, AIC_CALL_COMPLETED);
        assert_int_equal(s.duration_s, 2);
        end(&s);
    }
}

static void test_each_way_to_end_has_its_cause_and_is_told_once(void **state)
{
    (void)state;

    static const struct {
        int32_t close_code; /* 0: the page says bye; -1: the host hangs up */
        uint32_t cause;
    } ways[] = {{0, AIC_LEG_END_CALLER},     {-1, AIC_LEG_END_HOST},     {1000, AIC_LEG_END_CALLER},
                {1001, AIC_LEG_END_CALLER},  {1005, AIC_LEG_END_CALLER}, {1006, AIC_LEG_END_LOST},
                {1009, AIC_LEG_END_PROTOCOL}};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct setup s;
        begin_call(&s);
        vsched_run(s.v, 3400000);
        if (ways[i].close_code > 0) {
            fake_ws_closed(s.ws, ways[i].close_code, "", 0);
        } else if (ways[i].close_code == 0) {
            fake_ws_text(s.ws, "{\"type\":\"bye\"}");
        } else {
            assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
        }
        assert_int_equal(s.media_stops, 0);
        vsched_run(s.v, 0);
        assert_int_equal(s.media_stops, 1);
        assert_int_equal(s.cause, ways[i].cause);
        assert_int_equal(s.statuses, 1);
        assert_int_equal(s.duration_s, 3);
        if (ways[i].close_code <= 0) {
            assert_said(s.ws, "{\"type\":\"end\",\"reason\":\"hangup\"}\n");
            fake_ws_closed(s.ws, 1000, "", 0);
        }
        assert_int_equal(s.tel->leg_hangup(s.leg), AIC_OK);
        assert_int_equal(s.tel->leg_mark(s.leg, 1), AIC_ERROR_CLOSED);
        assert_int_equal(s.tel->leg_clear(s.leg), AIC_ERROR_CLOSED);
        assert_int_equal(s.tel->leg_notify(s.leg, AIC_STR("{}")), AIC_ERROR_CLOSED);
        vsched_run(s.v, 60 * SECOND);
        assert_int_equal(s.media_stops, 1);
        assert_int_equal(s.statuses, 1);
        end(&s);
    }
}

static void test_a_page_that_falls_silent_is_lost_after_fifteen_seconds(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    vsched_run(s.v, 14 * SECOND);
    speak(&s, 1);
    vsched_run(s.v, 14 * SECOND);
    assert_int_equal(s.media_stops, 0);
    vsched_run(s.v, SECOND);
    assert_int_equal(s.media_stops, 1);
    assert_int_equal(s.cause, AIC_LEG_END_LOST);
    end(&s);
}

static void test_the_leg_may_be_closed_at_any_time(void **state)
{
    (void)state;
    for (int way = 0; way < 4; way++) {
        struct setup s;
        begin(&s);
        s.answer = way == 3 ? ATTACH_AND_HANG_UP : ATTACH;
        s.closes_at_audio = way == 2;
        upgrade(&s);
        fake_ws_text(s.ws, START);
        if (way == 0) {
            s.tel->leg_close(s.leg);
            s.leg = NULL;
        } else if (way == 1) {
            /* After the socket is gone and before MEDIA_STOP is out. */
            fake_ws_closed(s.ws, 1006, "", 0);
            s.tel->leg_close(s.leg);
            s.leg = NULL;
        } else if (way == 2) {
            speak(&s, 2);
            assert_int_equal(s.audio_bytes, FRAME_BYTES);
        }
        vsched_run(s.v, SECOND);
        assert_int_equal(s.media_stops, way == 3);
        assert_int_equal(s.statuses, way == 3);
        end(&s);
    }
}

static void test_stopping_ends_everything_without_a_word_to_the_host(void **state)
{
    (void)state;
    struct setup s;
    begin_call(&s);
    struct aic_ws *talking = s.ws;
    upgrade(&s);
    struct aic_ws *waiting = s.ws;
    fake_exchange_finish(&s.exchange);
    struct aic_ws *opening = fake_route_accept(s.fake, PATH, NULL, 0, &s.exchange);
    fake_exchange_finish(&s.exchange);
    struct aic_ws *gone = fake_route_accept(s.fake, PATH, NULL, 0, &s.exchange);
    fake_exchange_finish(&s.exchange);
    assert_non_null(fake_route_accept(s.fake, PATH, NULL, 0, &s.exchange));
    fake_exchange_finish(&s.exchange);
    fake_ws_closed(gone, 1006, "", 0);
    s.tel->leg_close(s.leg);
    s.leg = NULL;
    s.tel->stop(s.self);
    assert_true(talking->closing && waiting->closing);
    assert_said(waiting, "{\"type\":\"end\",\"reason\":\"shutdown\"}\n");
    fake_ws_open(opening);
    assert_true(opening->closing);
    assert_null(fake_route_upgrade(s.fake, PATH, NULL, 0, &s.exchange));
    assert_int_equal(s.exchange.status, 403);
    fake_ws_closed(talking, 1000, "", 0);
    vsched_run(s.v, 60 * SECOND);
    assert_int_equal(s.media_stops, 0);
    assert_int_equal(s.statuses, 0);
    /* `end` destroys with sockets in all states; fake_host_destroy sees that none is left. */
    struct aic_ws *last = fake_ws_current(s.fake);
    assert_non_null(last);
    fake_ws_closed(last, 1006, "", 0);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_start_makes_a_leg_of_the_socket),
        cmocka_unit_test(test_without_start_the_page_is_told_and_let_go_after_five_seconds),
        cmocka_unit_test(test_anything_else_first_is_turned_away),
        cmocka_unit_test(test_good_bye_before_start_needs_no_words),
        cmocka_unit_test(test_a_leg_that_the_host_does_not_take_is_refused),
        cmocka_unit_test(test_a_foreign_page_is_refused_before_the_socket_opens),
        cmocka_unit_test(test_sockets_that_never_start_are_bounded),
        cmocka_unit_test(test_garbage_and_a_second_start_end_the_call),
        cmocka_unit_test(test_each_way_to_end_has_its_cause_and_is_told_once),
        cmocka_unit_test(test_a_page_that_falls_silent_is_lost_after_fifteen_seconds),
        cmocka_unit_test(test_the_leg_may_be_closed_at_any_time),
        cmocka_unit_test(test_stopping_ends_everything_without_a_word_to_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
