/* SPDX-License-Identifier: ISC */
/* What the hub does between several workers. */
#include "link_world.h"

static void requests_without_a_call_go_to_open_workers_in_turn(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    hub_set_open(world->hub, 1, false);
    for (int i = 0; i < 4; i++) {
        link_relay(world->ends[1].link, "", "any", nothing, on_reply, &reply);
        run_until(world, &reply.count, i + 1);
        assert_string_equal(reply.text, i % 2 == 0 ? "  {\"by\":2}" : "  {\"by\":0}");
    }
    hub_set_open(world->hub, 0, false);
    hub_set_open(world->hub, 2, false);
    link_relay(world->ends[1].link, "", "any", nothing, on_reply, &reply);
    run_until(world, &reply.count, 5);
    assert_int_equal(reply.status, AIC_ERROR_NOT_FOUND);
}

static void the_master_answers_what_it_knows_itself(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    link_relay(world->ends[0].link, "", "version", nothing, on_reply, &reply);
    run_until(world, &reply.count, 1);
    assert_string_equal(reply.text, "  {\"version\":1}");
}

static void an_owner_that_never_answers_is_given_up_by_the_hub(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    world->ends[1].keeps_silent = true;
    claim(world, 1, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    claim(world, 0, "later", AIC_OK); /* so the request has arrived */
    assert_int_equal(reply.count, 0);
    assert_true(hub_tick(world->hub, now_us()) != INT64_MAX);
    assert_true(hub_tick(world->hub, now_us() + 6000000) == INT64_MAX);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_TIMEOUT);
}

static void an_answer_after_the_time_out_is_dropped(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    world->ends[1].keeps_silent = true;
    claim(world, 1, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    claim(world, 1, "later", AIC_OK);
    (void)hub_tick(world->hub, now_us() + 6000000);
    run_until(world, &reply.count, 1);
    link_answer(world->ends[1].link, world->ends[1].last_request, AIC_OK, AIC_STR("{}"));
    claim(world, 1, "after", AIC_OK);
    claim(world, 0, "after that", AIC_OK);
    assert_int_equal(reply.count, 1);
}

static void a_worker_can_not_answer_for_another_one(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    world->ends[1].keeps_silent = true;
    claim(world, 1, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    claim(world, 1, "later", AIC_OK);
    link_answer(world->ends[2].link, world->ends[1].last_request, AIC_OK, AIC_STR("{}"));
    claim(world, 2, "after", AIC_OK);
    claim(world, 0, "after that", AIC_OK);
    assert_int_equal(reply.count, 0);
    link_answer(world->ends[1].link, world->ends[1].last_request, AIC_ERROR_DENIED, nothing);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_DENIED);
}

static void an_owner_that_dies_ends_what_it_was_asked_and_frees_its_calls(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    world->ends[1].keeps_silent = true;
    claim(world, 1, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    claim(world, 0, "later", AIC_OK);
    link_release_call(world->ends[1].link, "unknown");
    link_destroy(world->ends[1].link);
    world->ends[1].link = NULL;
    run_until(world, &world->lost, 1);
    hub_remove_worker(world->hub, 1);
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_ERROR_CLOSED);
    assert_int_equal(board_owner(hub_board(world->hub), "call"), 1); /* until the calls are taken */
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    assert_int_equal(board_take_calls(hub_board(world->hub), 1, &text), 1);
    assert_string_equal(text.data, "[{\"call_id\":\"call\",\"summary\":{\"n\":1}}]");
    aic_buf_finish(&text);
}

static void what_a_worker_said_before_it_died_still_counts(void **state)
{
    struct world *world = *state;
    claim(world, 1, "a", AIC_OK);
    claim(world, 1, "b", AIC_OK);
    /* The hub does not get to read it before the end. */
    link_release_call(world->ends[1].link, "a");
    hub_tell(world->hub, 1, FRAME_DRAIN); /* unread by the worker: the hub sees a reset first */
    link_destroy(world->ends[1].link);
    world->ends[1].link = NULL;
    hub_drain_worker(world->hub, 1);
    assert_int_equal(board_owner(hub_board(world->hub), "a"), -1);
    assert_int_equal(board_owner(hub_board(world->hub), "b"), 1);
}

static void the_master_asks_an_open_worker_itself(void **state)
{
    struct world *world = *state;
    int worker = -1;
    assert_true(hub_ask(world->hub, "interrupted", AIC_STR("[]"), 77, &worker));
    assert_in_range(worker, 0, 2);
    run_until(world, &world->answered, 1);
    assert_int_equal(world->answered_status, AIC_OK);
    assert_true(world->tag == 77);
    for (int i = 0; i < WORKERS; i++) {
        hub_set_open(world->hub, i, false);
    }
    assert_false(hub_ask(world->hub, "interrupted", AIC_STR("[]"), 78, &worker));
}

/* A worker that is stopped reads nothing: the others and the master go on. */
static void a_worker_that_does_not_read_loses_messages_and_holds_up_nobody(void **state)
{
    struct world *world = *state;
    int line[2];
    char body[4096];
    memset(body, 'x', sizeof(body));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), 0);
    assert_int_equal(hub_add_worker(world->hub, 9, line[0]), AIC_OK);
    for (int i = 0; i < 2000; i++) {
        link_publish(world->ends[0].link, "t", (struct aic_str){body, sizeof(body)});
        if (i % 50 == 0) {
            char id[32];
            (void)snprintf(id, sizeof(id), "call-%d", i);
            claim(world, 1, id, AIC_OK);
        }
    }
    claim(world, 1, "last", AIC_OK);
    assert_true(hub_refused(world->hub, 9) > 0);
    assert_int_equal(hub_refused(world->hub, 1), 0);
    assert_true(hub_blocked_us(world->hub, 9, now_us() + 1000000) >= 1000000);
    assert_int_equal(hub_blocked_us(world->hub, 1, now_us()), 0);
    hub_remove_worker(world->hub, 9);
    (void)close(line[1]);
}

static void read_all(int fd, int *frames, int64_t *lost)
{
    static char buffer[FRAME_MAX_BYTES];
    struct peer peer = {.fd = fd};
    struct frame frame;
    while (peer_receive(&peer, buffer, &frame) == AIC_OK) {
        assert_int_equal(frame.type, FRAME_PUBLISH);
        *lost += frame.number[0];
        (*frames)++;
    }
}

static void a_worker_that_reads_again_gets_what_waited_and_how_much_was_lost(void **state)
{
    struct world *world = *state;
    int line[2];
    int frames = 0;
    int64_t lost = 0;
    char body[4096];
    struct frame message = {
        .type = FRAME_PUBLISH, .call_id = "", .kind = "t", .body = {body, sizeof(body)}};
    memset(body, 'x', sizeof(body));
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line), 0);
    assert_int_equal(hub_add_worker(world->hub, 9, line[0]), AIC_OK);
    for (int i = 0; i < 3000; i++) {
        hub_receive(world->hub, 0, &message);
    }
    int before;
    do {
        before = frames;
        read_all(line[1], &frames, &lost);
        hub_serve(world->hub);
    } while (frames != before);
    hub_receive(world->hub, 0, &message);
    read_all(line[1], &frames, &lost);
    assert_true(lost > 0);
    assert_int_equal(frames + lost, 3001);
    hub_remove_worker(world->hub, 9);
    (void)close(line[1]);
}

/* What an upgrade of the master does, without the exec. */
static void a_hub_saved_and_loaded_goes_on_where_it_was(void **state)
{
    struct world *world = *state;
    struct reply reply = {.count = 0};
    struct aic_buf saved;
    struct pack_item item;
    world->ends[1].keeps_silent = true;
    claim(world, 1, "call", AIC_OK);
    link_relay(world->ends[0].link, "call", "hangup", nothing, on_reply, &reply);
    claim(world, 1, "other", AIC_OK);
    hub_set_open(world->hub, 2, false);

    aic_buf_init(&saved, 1 << 20);
    hub_save(world->hub, &saved);
    assert_false(saved.failed);
    struct hub_handler handler = {.ready = on_ready,
                                  .lost = on_lost,
                                  .request = on_master_request,
                                  .answered = on_answered,
                                  .data = world};
    struct hub *successor = hub_create(&handler);
    struct aic_str from = aic_buf_view(&saved);
    while (pack_next(&from, &item) == 1) {
        hub_load(successor, &item, NULL);
    }
    aic_buf_finish(&saved);
    /* The old one is left alone as an exec would; here its descriptors must not be closed. */
    loop_watch_stop(world->watch);
    struct hub *old = world->hub;
    world->hub = successor;
    world->watch = loop_watch_start(world->loop, hub_fd(successor), serve_hub, world);

    link_answer(world->ends[1].link, world->ends[1].last_request, AIC_OK, AIC_STR("{\"late\":1}"));
    run_until(world, &reply.count, 1);
    assert_int_equal(reply.status, AIC_OK);
    assert_string_equal(reply.text, "  {\"late\":1}");
    assert_int_equal(board_owner(hub_board(successor), "call"), 1);
    for (int i = 0; i < 4; i++) {
        int worker;
        assert_true(hub_ask(successor, "k", AIC_STR("{}"), 1, &worker));
        assert_in_range(worker, 0, 1);
    }
    for (int i = 0; i < WORKERS; i++) {
        link_destroy(world->ends[i].link);
        world->ends[i].link = NULL;
    }
    world->hub = NULL;
    loop_watch_stop(world->watch);
    world->watch = NULL;
    /* Closing twice is harmless here: nothing was opened in between. */
    hub_destroy(successor);
    hub_destroy(old);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        hub_test(requests_without_a_call_go_to_open_workers_in_turn),
        hub_test(the_master_answers_what_it_knows_itself),
        hub_test(an_owner_that_never_answers_is_given_up_by_the_hub),
        hub_test(an_answer_after_the_time_out_is_dropped),
        hub_test(a_worker_can_not_answer_for_another_one),
        hub_test(an_owner_that_dies_ends_what_it_was_asked_and_frees_its_calls),
        hub_test(what_a_worker_said_before_it_died_still_counts),
        hub_test(the_master_asks_an_open_worker_itself),
        hub_test(a_worker_that_does_not_read_loses_messages_and_holds_up_nobody),
        hub_test(a_worker_that_reads_again_gets_what_waited_and_how_much_was_lost),
        hub_test(a_hub_saved_and_loaded_goes_on_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
