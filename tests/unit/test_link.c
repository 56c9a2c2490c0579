/* SPDX-License-Identifier: ISC */
/* A worker's line, over a socket pair and, where one worker is enough, inside one process. */
#include "link_world.h"

static int set_up_single(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->loop = loop_create(&(struct loop_options){.pool_threads = 1});
    add_worker(world, 0);
    *state = world;
    return 0;
}

static void a_call_is_claimed_once_and_again_after_its_release(void **state)
{
    struct world *world = *state;
    claim(world, 0, "call", AIC_OK);
    claim(world, 1, "call", AIC_ERROR_CONFLICT);
    link_release_call(world->ends[0].link, "call");
    claim(world, 0, "other", AIC_OK); /* the answer tells that the release has arrived */
    claim(world, 1, "call", AIC_OK);
}

static void the_list_shows_all_calls_with_their_newest_summary(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    claim(world, 0, "a", AIC_OK);
    link_update_call(world->ends[0].link, "a", AIC_STR("{\"turn\":7}"));
    link_list_calls(world->ends[0].link, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_OK);
    assert_non_null(strstr(reply.text, "[{\"call_id\":\"a\",\"worker\":0,\"turn\":7}]"));
}

static void a_long_list_arrives_whole(void **state)
{
    struct world *world = *state;
    struct reply claims = {.count = 0};
    struct reply reply = {.count = 0};
    char summary[1000];
    char id[32];
    memset(summary, ' ', sizeof(summary));
    summary[0] = '{';
    summary[sizeof(summary) - 1] = '}';
    for (int i = 0; i < 1500; i++) {
        (void)snprintf(id, sizeof(id), "call-%d", i);
        link_claim_call(world->ends[0].link, id, (struct aic_str){summary, sizeof(summary)},
                        on_reply, &claims);
    }
    run_until(world, &claims.count, 1500);
    assert_int_equal(claims.status, AIC_OK);
    link_list_calls(world->ends[0].link, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_OK);
    assert_in_range(reply.bytes, 1500 * 1000, 1500 * 1100);
}

static void a_token_is_used_once_on_the_whole_host(void **state)
{
    struct world *world = *state;
    struct reply first = {.count = 0};
    struct reply second = {.count = 0};
    struct reply late = {.count = 0};
    int64_t now = now_wall_us();
    struct link *other = world->hub ? world->ends[1].link : world->ends[0].link;
    link_use_token(world->ends[0].link, "nonce", now + 60000000, on_reply, &first);
    run_until(world, &first.count, 1);
    link_use_token(other, "nonce", now + 60000000, on_reply, &second);
    link_use_token(other, "late", now - 1, on_reply, &late);
    run_until(world, &late.count, 1);
    assert_int_equal(first.status, AIC_OK);
    assert_int_equal(second.status, AIC_ERROR_CONFLICT);
    assert_int_equal(late.status, AIC_ERROR_DENIED);
}

static void a_bucket_is_shared_and_says_when_to_come_again(void **state)
{
    struct world *world = *state;
    struct reply first = {.count = 0};
    struct reply second = {.count = 0};
    struct link *other = world->hub ? world->ends[1].link : world->ends[0].link;
    link_take(world->ends[0].link,
              &(struct link_bucket){.name = "key", .amount = 3, .limit = 3, .window_ms = 3600000},
              on_reply, &first);
    run_until(world, &first.count, 1);
    link_take(other,
              &(struct link_bucket){.name = "key", .amount = 1, .limit = 3, .window_ms = 3600000},
              on_reply, &second);
    run_until(world, &second.count, 1);
    assert_int_equal(first.status, AIC_OK);
    assert_int_equal(second.status, AIC_ERROR_DENIED);
    assert_non_null(strstr(second.text, "{\"retry_after_ms\":1"));
}

static void a_relay_goes_to_the_owner_and_its_answer_comes_back(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    claim(world, 2, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", AIC_STR("{\"why\":1}"), on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_OK);
    assert_string_equal(reply.text, "  {\"by\":2}");
    assert_string_equal(world->ends[2].asked, "call hangup {\"why\":1}");
    assert_string_equal(world->ends[1].asked, "");
}

static void a_relay_for_a_call_that_nobody_owns_is_told_so(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_NOT_FOUND);
}

static void a_relay_in_one_process_comes_back_to_the_same_worker(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    claim(world, 0, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    assert_string_equal(world->ends[0].asked, "");
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_OK);
    assert_string_equal(world->ends[0].asked, "call hangup ");
}

static void an_answer_of_the_largest_size_passes_and_a_larger_one_is_refused(void **state)
{
    struct world *world = *state;
    struct reply largest = {.count = 0};
    struct reply larger = {.count = 0};
    claim(world, 0, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "big", AIC_STR("262144"), on_reply, &largest);
    run_until(world, &largest.count, 1);
    assert_int_equal(largest.status, AIC_OK);
    assert_int_equal(largest.bytes, LINK_BODY_BYTES);
    link_relay(world->ends[0].link, "call", "big", AIC_STR("262145"), on_reply, &larger);
    run_until(world, &larger.count, 1);
    assert_int_equal(larger.status, AIC_ERROR_TOO_LARGE);
    assert_int_equal(larger.bytes, 0);
}

static void a_question_that_is_too_large_is_refused_later_not_at_once(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    char *body = calloc(1, LINK_BODY_BYTES + 1);
    link_relay(world->ends[0].link, "", "k", (struct aic_str){body, LINK_BODY_BYTES + 1}, on_reply,
               &reply);
    free(body);
    assert_int_equal(reply.count, 0);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_TOO_LARGE);
}

static void a_master_that_never_answers_is_given_up_by_the_line(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    link_relay(world->ends[0].link, "", "reload", nothing, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_TIMEOUT);
}

static void what_is_published_reaches_every_worker(void **state)
{
    struct world *world = *state;
    link_publish(world->ends[0].link, "keys", AIC_STR("{\"x\":1}"));
    for (int i = 0; i < WORKERS && world->ends[i].link; i++) {
        char id[32];
        (void)snprintf(id, sizeof(id), "call-%d", i);
        claim(world, i, id, AIC_OK);
        assert_string_equal(world->ends[i].heard, " keys {\"x\":1}");
    }
}

static void news_go_to_those_who_follow_and_their_numbers_rise_by_one(void **state)
{
    struct world *world = *state;
    struct end *teller = &world->ends[0];
    struct end *reader = world->hub ? &world->ends[1] : teller;
    link_tell(teller->link, "a", AIC_STR("lost"));
    claim(world, 0, "a", AIC_OK);
    assert_false(link_is_followed(teller->link));
    assert_int_equal(reader->news, 0);
    link_follow(reader->link, true);
    run_until(world, &teller->marks, 1);
    assert_true(link_is_followed(teller->link));
    run_until(world, &reader->marks, 1);
    for (int i = 0; i < 20; i++) {
        link_tell(teller->link, "a", AIC_STR("told"));
    }
    run_until(world, &reader->news, 20);
    assert_false(reader->has_gap);
    assert_string_equal(reader->last_news, "a  told");
    assert_true(reader->last_number > (uint64_t)now_wall_us() - 3600 * UINT64_C(1000000));
    assert_true(world->hub == NULL || world->ends[2].news == 0);
}

static void with_the_last_reader_news_end(void **state)
{
    struct world *world = *state;
    struct end *teller = &world->ends[0];
    link_follow(world->ends[1].link, true);
    link_follow(world->ends[2].link, true);
    run_until(world, &teller->marks, 1);
    link_follow(world->ends[1].link, false);
    claim(world, 1, "a", AIC_OK); /* the answer tells that the word has arrived */
    claim(world, 0, "b", AIC_OK);
    assert_true(link_is_followed(teller->link));
    hub_remove_worker(world->hub, 2); /* it died */
    run_until(world, &teller->marks, 2);
    assert_false(link_is_followed(teller->link));
}

static void orders_of_the_master_arrive(void **state)
{
    struct world *world = *state;
    link_ready(world->ends[1].link);
    run_until(world, &world->ready, 1);
    hub_tell(world->hub, 1, FRAME_STOP_NEW_CALLS);
    hub_tell(world->hub, 1, FRAME_DRAIN);
    hub_tell(world->hub, 1, FRAME_STOP);
    run_until(world, &world->ends[1].stops, 1);
    assert_int_equal(world->ends[1].refusals, 1);
    assert_int_equal(world->ends[1].drains, 1);
    assert_int_equal(world->ends[0].stops, 0);
}

static void without_a_master_requests_end_and_the_worker_drains(void **state)
{
    struct world *world = *state;
    struct reply waiting = {.count = 0};
    struct reply after = {.count = 0};
    struct end *end = &world->ends[0];
    (void)signal(SIGTERM, SIG_IGN);
    link_relay(end->link, "", "reload", nothing, on_reply, &waiting);
    claim(world, 0, "call", AIC_OK);
    loop_watch_stop(world->watch);
    world->watch = NULL;
    hub_destroy(world->hub);
    world->hub = NULL;
    run_until(world, &end->drains, 1);
    assert_int_equal(waiting.status, AIC_ERROR_CLOSED);
    link_use_token(end->link, "n", INT64_MAX, on_reply, &after);
    assert_int_equal(after.count, 0);
    run_until(world, &after.count, 1);
    assert_int_equal(after.status, AIC_ERROR_CLOSED);
    assert_true(signal(SIGTERM, SIG_DFL) == SIG_DFL);
}

static void ending_a_line_answers_what_is_open(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    link_relay(world->ends[0].link, "", "reload", nothing, on_reply, &reply);
    link_destroy(world->ends[0].link);
    world->ends[0].link = NULL;
    assert_int_equal(reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_CLOSED);
}

static void a_worker_without_handlers_refuses_requests_and_ignores_the_rest(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    struct link_handler none = {.data = NULL};
    struct link *link = link_create(world->loop, -1, &none);
    assert_non_null(link);
    link_publish(link, "topic", AIC_STR("{}"));
    link_relay(link, "", "anything", nothing, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_UNSUPPORTED);
    assert_int_equal(link_dropped(link), 0);
    char *body = calloc(1, LINK_BODY_BYTES + 1);
    link_publish(link, "topic", (struct aic_str){body, LINK_BODY_BYTES + 1});
    assert_int_equal(link_dropped(link), 1);
    free(body);
    link_destroy(link);
}

struct stubborn {
    struct end *end;
    int count;
};

static void ask_again(void *data, int32_t status, struct aic_str answer)
{
    struct stubborn *stubborn = data;
    (void)answer;
    assert_int_equal(status, AIC_ERROR_CLOSED);
    /* The first comes when the line ends, and the others not before the worker was told of it. */
    assert_int_equal(stubborn->end->drains, stubborn->count == 0 ? 0 : 1);
    if (++stubborn->count < 100) {
        link_relay(stubborn->end->link, "", "reload", nothing, ask_again, stubborn);
    }
}

static void a_reply_that_always_asks_again_leaves_the_loop_its_turns(void **state)
{
    struct world *world = *state;
    struct stubborn stubborn = {.end = &world->ends[0]};
    link_relay(world->ends[0].link, "", "reload", nothing, ask_again, &stubborn);
    claim(world, 0, "call", AIC_OK);
    loop_watch_stop(world->watch);
    world->watch = NULL;
    hub_destroy(world->hub);
    world->hub = NULL;
    run_until(world, &stubborn.count, 100);
}

#define single_test(name) cmocka_unit_test_setup_teardown(name, set_up_single, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        hub_test(a_reply_that_always_asks_again_leaves_the_loop_its_turns),
        single_test(a_worker_without_handlers_refuses_requests_and_ignores_the_rest),
        hub_test(a_call_is_claimed_once_and_again_after_its_release),
        hub_test(the_list_shows_all_calls_with_their_newest_summary),
        single_test(the_list_shows_all_calls_with_their_newest_summary),
        hub_test(a_long_list_arrives_whole),
        single_test(a_long_list_arrives_whole),
        hub_test(a_token_is_used_once_on_the_whole_host),
        single_test(a_token_is_used_once_on_the_whole_host),
        hub_test(a_bucket_is_shared_and_says_when_to_come_again),
        single_test(a_bucket_is_shared_and_says_when_to_come_again),
        hub_test(a_relay_goes_to_the_owner_and_its_answer_comes_back),
        hub_test(a_relay_for_a_call_that_nobody_owns_is_told_so),
        single_test(a_relay_for_a_call_that_nobody_owns_is_told_so),
        single_test(a_relay_in_one_process_comes_back_to_the_same_worker),
        hub_test(an_answer_of_the_largest_size_passes_and_a_larger_one_is_refused),
        single_test(an_answer_of_the_largest_size_passes_and_a_larger_one_is_refused),
        hub_test(a_question_that_is_too_large_is_refused_later_not_at_once),
        single_test(a_question_that_is_too_large_is_refused_later_not_at_once),
        hub_test(a_master_that_never_answers_is_given_up_by_the_line),
        hub_test(what_is_published_reaches_every_worker),
        single_test(what_is_published_reaches_every_worker),
        hub_test(news_go_to_those_who_follow_and_their_numbers_rise_by_one),
        single_test(news_go_to_those_who_follow_and_their_numbers_rise_by_one),
        hub_test(with_the_last_reader_news_end),
        hub_test(orders_of_the_master_arrive),
        hub_test(without_a_master_requests_end_and_the_worker_drains),
        hub_test(ending_a_line_answers_what_is_open),
        single_test(ending_a_line_answers_what_is_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
