/* SPDX-License-Identifier: ISC */
/* The sender of webhooks in virtual time, before a storage that does as it is told. */
#include "call/webhook_send.h"

#include "base/timefmt.h"
#include "call/webhook_post.h"
#include "fake_fetch.h"
#include "vsched.h"

#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

enum { JOBS = 64, ID = 40 };

struct job {
    char id[ID];
    char kind[WEBHOOK_KIND];
    char state[16];
    char error[64];
    char *payload;
    int64_t run_wall_us;
    int64_t lease_wall_us;
    int tries;
};

struct desk {
    struct vsched *v;
    struct sched *sched;
    struct fake_fetch fetch;
    struct config *config;
    struct webhook_conf conf;
    struct webhook_send *send;
    struct webhook_post *post;
    struct journal journal;
    struct job jobs[JOBS];
    size_t count;
    size_t claims;
    bool is_away;
    char gone[64];
    int told_gone;
};

struct late {
    struct desk *desk;
    storage_reply reply;
    void *data;
    int32_t status;
    char *rows;
};

static void give(void *data)
{
    struct late *late = data;
    const struct aic_error error = {.size = sizeof(error), .message = AIC_STR("away")};
    late->reply(late->data, late->status, aic_str(late->rows),
                late->status == AIC_OK ? NULL : &error);
    free(late->rows);
    free(late);
}

static void answer(struct desk *desk, const char *rows, storage_reply reply, void *data)
{
    struct late *late = malloc(sizeof(*late));
    assert_non_null(late);
    *late = (struct late){desk, reply, data, desk->is_away ? AIC_ERROR_IO : AIC_OK,
                          aic_str_dup(aic_str(desk->is_away ? "[]" : rows))};
    assert_int_equal(sched_post(desk->sched, give, late), AIC_OK);
}

static bool is_free(const struct desk *desk, const struct job *job)
{
    int64_t now_us = sched_wall(desk->sched);
    return (strcmp(job->state, "queued") == 0 && job->run_wall_us <= now_us) ||
           (strcmp(job->state, "claimed") == 0 && job->lease_wall_us < now_us);
}

static struct job *claim(struct desk *desk, const struct aic_json *params)
{
    const struct aic_json *kinds = aic_json_get(params, "kind");
    for (size_t k = 0; k < aic_json_count(kinds); k++) {
        for (size_t i = 0; i < desk->count; i++) {
            struct job *job = &desk->jobs[i];
            if (aic_str_equal(aic_json_text(aic_json_at(kinds, k)), job->kind) &&
                is_free(desk, job)) {
                return job;
            }
        }
    }
    return NULL;
}

static void do_claim(struct desk *desk, const struct aic_json *params, struct aic_buf *rows)
{
    struct job *job = desk->is_away ? NULL : claim(desk, params);
    desk->claims++;
    if (!job) {
        aic_buf_text(rows, "[{\"job\":null}]");
        return;
    }
    (void)snprintf(job->state, sizeof(job->state), "claimed");
    job->lease_wall_us = sched_wall(desk->sched) + aic_json_get_int(params, "lease_ms", 0) * 1000;
    job->tries++;
    aic_buf_printf(rows,
                   "[{\"job\":{\"job_id\":\"%s\",\"kind\":\"%s\",\"attempts\":%d,\"payload\":%s}}]",
                   job->id, job->kind, job->tries, job->payload);
}

static struct job *find(struct desk *desk, struct aic_str id)
{
    for (size_t i = 0; i < desk->count; i++) {
        if (aic_str_equal(id, desk->jobs[i].id)) {
            return &desk->jobs[i];
        }
    }
    return NULL;
}

static void settle(struct desk *desk, const char *name, const struct aic_json *params)
{
    struct job *job = find(desk, aic_json_get_text(params, "job_id"));
    assert_non_null(job);
    if (desk->is_away || aic_json_get_int(params, "attempt", 0) != job->tries) {
        return;
    }
    bool is_over = strcmp(name, "job.complete") == 0;
    (void)aic_str_copy(is_over ? aic_json_get_text(params, "state") : AIC_STR("queued"), job->state,
                       sizeof(job->state));
    (void)aic_str_copy(aic_json_get_text(params, "last_error"), job->error, sizeof(job->error));
    if (!is_over) {
        assert_true(time_parse(aic_json_get_text(params, "run_at"), &job->run_wall_us));
    }
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct desk *desk = data;
    struct aic_buf rows;
    struct aic_json *root = aic_json_parse(params, 0);
    assert_non_null(root);
    aic_buf_init(&rows, 64 * 1024);
    if (strcmp(name, "job.claim") == 0) {
        do_claim(desk, root, &rows);
    } else {
        settle(desk, name, root);
        aic_buf_text(&rows, "[{\"held\":true}]");
    }
    answer(desk, rows.data, reply, reply_data);
    aic_buf_finish(&rows);
    aic_json_free(root);
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    assert_string_equal(name, "messages");
    assert_non_null(memmem(params.ptr, params.len, "\"call_id\":\"019b", 15));
    answer(data,
           "[{\"message_id\":\"m\",\"call_id\":\"c\",\"role\":\"user\",\"content\":\"Hello\","
           "\"heard\":null,\"revision\":3}]",
           reply, reply_data);
}

static void is_gone(void *data, const char *name)
{
    struct desk *desk = data;
    desk->told_gone++;
    (void)snprintf(desk->gone, sizeof(desk->gone), "%s", name);
}

/* The journal of the posts: a fact becomes a job unless one of its id is there. */
static void write_fact(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                       void (*done)(void *data, int32_t status), void *data)
{
    struct desk *desk = (struct desk *)((char *)journal - offsetof(struct desk, journal));
    (void)is_durable;
    (void)data;
    assert_null(done);
    assert_string_equal(fact->table, "jobs");
    if (find(desk, aic_str(fact->id))) {
        return;
    }
    struct aic_json *root = aic_json_parse(fact->columns, 0);
    assert_non_null(root);
    assert_true(desk->count < JOBS);
    struct job *job = &desk->jobs[desk->count++];
    *job = (struct job){.state = "queued"};
    (void)snprintf(job->id, sizeof(job->id), "%s", fact->id);
    (void)aic_str_copy(aic_json_get_text(root, "kind"), job->kind, sizeof(job->kind));
    job->payload = aic_str_dup(aic_json_print(aic_json_get(root, "payload")));
    assert_true(time_parse(aic_json_get_text(root, "run_at"), &job->run_wall_us));
    aic_json_free(root);
}

static void posted(void *data)
{
    struct desk *desk = data;
    webhook_send_wake(desk->send);
}

static struct desk *desk_create(void)
{
    static const char text[] =
        "webhooks = { crm = { url = \"https://crm.example.com/\"; "
        "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; events = [ \"call.ended\", "
        "\"call.transcript\", \"call.failed_over\" ]; }; "
        "bi = { url = \"https://bi.example.com/\"; events = [ \"opt_out.recorded\" ]; "
        "secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\"; }; };";
    struct desk *desk = calloc(1, sizeof(*desk));
    struct config_problems problems = {.list = NULL};
    assert_non_null(desk);
    desk->v = vsched_create(7);
    desk->sched = vsched_sched(desk->v);
    fake_fetch_init(&desk->fetch, desk->sched);
    assert_int_equal(config_parse("test", aic_str(text), NULL, &problems, &desk->config), AIC_OK);
    webhook_conf_load(&desk->conf, config_get(config_root(desk->config), "webhooks"), &problems);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    desk->journal.write = write_fact;
    const struct webhook_send_settings send = {.sched = desk->sched,
                                               .fetch = &desk->fetch.fetch,
                                               .conf = &desk->conf,
                                               .owner = "test",
                                               .query = query,
                                               .change = change,
                                               .gone = is_gone,
                                               .data = desk};
    const struct webhook_post_settings post = {.sched = desk->sched,
                                               .journal = &desk->journal,
                                               .conf = &desk->conf,
                                               .posted = posted,
                                               .data = desk};
    desk->send = webhook_send_create(&send);
    desk->post = webhook_post_create(&post);
    return desk;
}

static void desk_destroy(struct desk *desk)
{
    webhook_send_stop(desk->send);
    vsched_run(desk->v, 1000);
    webhook_send_destroy(desk->send);
    webhook_post_destroy(desk->post);
    webhook_conf_finish(&desk->conf);
    config_free(desk->config);
    for (size_t i = 0; i < desk->count; i++) {
        free(desk->jobs[i].payload);
    }
    vsched_destroy(desk->v);
    free(desk);
}

static void end_call(struct desk *desk, int number, bool was_answered)
{
    char id[40];
    (void)snprintf(id, sizeof(id), "019b8d2c-8f40-7abc-8def-%012d", number);
    int64_t now_us = sched_wall(desk->sched);
    const struct webhook_call call = {.call_id = id,
                                      .direction = "inbound",
                                      .from = "+14155550100",
                                      .status = "completed",
                                      .end_reason = "caller_hung_up",
                                      .started_wall_us = now_us - 9 * SECOND,
                                      .answered_wall_us = was_answered ? now_us - 5 * SECOND : 0,
                                      .ended_wall_us = now_us,
                                      .turns = 2,
                                      .cost = 0.5};
    webhook_post_call(desk->post, WEBHOOK_CALL_ENDED, &call);
}

static void test_an_event_is_sent_once_within_a_moment(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    vsched_run(desk->v, 60 * SECOND);
    desk->fetch.answers[0] = (struct fake_answer){.status = 204, .delay_us = 1000};
    end_call(desk, 1, false);
    end_call(desk, 1, false); /* another worker tells it as well */
    vsched_run(desk->v, SECOND);
    assert_int_equal(desk->fetch.asked, 1);
    assert_string_equal(desk->fetch.method, "POST");
    assert_string_equal(desk->fetch.url, "https://crm.example.com/");
    assert_int_equal(desk->fetch.timeout_ms, 15000);
    assert_non_null(strstr(desk->fetch.headers, "webhook-id: msg_019b8d2c-8f40-7"));
    assert_non_null(strstr(desk->fetch.headers, "webhook-timestamp: 1767607260\n"));
    assert_non_null(strstr(desk->fetch.headers, "webhook-signature: v1,"));
    assert_null(strstr(desk->fetch.headers, "traceparent"));
    assert_non_null(
        strstr(desk->fetch.body, "{\"type\":\"call.ended\",\"timestamp\":\"2026-01-05T"));
    assert_non_null(strstr(desk->fetch.body, "\"duration_s\":0,"));
    assert_non_null(strstr(desk->fetch.body, "\"cost\":0.5}"));
    assert_string_equal(desk->jobs[0].state, "done");
    vsched_run(desk->v, 120 * SECOND);
    assert_int_equal(desk->fetch.asked, 1);
    desk_destroy(desk);
}

static void test_it_looks_seldom_while_nothing_happens(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    vsched_run(desk->v, 600 * SECOND);
    assert_in_range(desk->claims, 115, 135); /* every five seconds */
    desk_destroy(desk);
}

static void test_a_transcript_is_made_when_it_is_sent(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    desk->fetch.answers[0] = desk->fetch.answers[1] = (struct fake_answer){.status = 200};
    end_call(desk, 1, true);
    vsched_run(desk->v, SECOND);
    assert_int_equal(desk->fetch.asked, 2);
    assert_non_null(strstr(desk->fetch.body, "{\"type\":\"call.transcript\","));
    assert_non_null(strstr(desk->fetch.body, "\"messages\":[{\"role\":\"user\",\"content\":"
                                             "\"Hello\",\"heard\":null}]"));
    assert_null(strstr(desk->jobs[1].payload, "Hello"));
    desk_destroy(desk);
}

struct waiting {
    const struct desk *desk;
    size_t asked;
};

static bool was_asked(void *data)
{
    const struct waiting *waiting = data;
    return waiting->desk->fetch.asked == waiting->asked;
}

static void test_what_fails_is_tried_for_three_days(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    static const int64_t nominal_s[] = {5,         5 * 60,    30 * 60,   2 * 3600, 5 * 3600,
                                        10 * 3600, 14 * 3600, 20 * 3600, 24 * 3600};
    static const struct fake_answer failures[] = {
        {.status = 500},
        {.status = 302},
        {.error = "total_timeout", .delay_us = 15 * SECOND},
        {.error = "address"},
        {.status = 404},
        {.is_refused = true},
        {.error = "too_large"},
        {.status = 429},
        {.status = 503},
        {.status = 500}};
    memcpy(desk->fetch.answers, failures, sizeof(failures));
    end_call(desk, 1, false);
    vsched_run(desk->v, 2 * SECOND);
    assert_int_equal(desk->fetch.asked, 1);
    assert_string_equal(desk->jobs[0].error, "http 500");
    int64_t last_us = sched_now(desk->sched);
    for (size_t i = 0; i < sizeof(nominal_s) / sizeof(nominal_s[0]); i++) {
        struct waiting waiting = {desk, i + 2};
        assert_true(vsched_run_until(desk->v, 30 * HOUR, was_asked, &waiting));
        int64_t waited_us = sched_now(desk->sched) - last_us;
        last_us = sched_now(desk->sched);
        assert_in_range(waited_us, nominal_s[i] * SECOND * 4 / 5 - 3 * SECOND,
                        nominal_s[i] * SECOND * 6 / 5 + 25 * SECOND);
    }
    vsched_run(desk->v, 20 * SECOND);
    assert_string_equal(desk->jobs[0].state, "failed");
    assert_int_equal(desk->jobs[0].tries, WEBHOOK_TRIES);
    vsched_run(desk->v, 100 * HOUR);
    assert_int_equal(desk->fetch.asked, WEBHOOK_TRIES);
    desk_destroy(desk);
}

static void test_at_most_four_requests_to_an_endpoint_are_under_way(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    for (int i = 0; i < 11; i++) {
        desk->fetch.answers[i] = (struct fake_answer){.status = 200, .delay_us = 10 * SECOND};
    }
    for (int i = 0; i < 10; i++) {
        end_call(desk, i, false);
    }
    vsched_run(desk->v, SECOND);
    assert_int_equal(desk->fetch.running, 4);
    /* Another endpoint is not held up. */
    webhook_post_tell(desk->post, &(struct webhook_news){.event = WEBHOOK_OPT_OUT_RECORDED,
                                                         .call_id = "019b8d2c-8f40-7abc-8def-1",
                                                         .data = AIC_STR("{}"),
                                                         .traceparent = "00-x"});
    vsched_run(desk->v, SECOND);
    assert_int_equal(desk->fetch.running, 5);
    assert_string_equal(desk->fetch.url, "https://bi.example.com/");
    assert_non_null(strstr(desk->fetch.headers, "traceparent: 00-x\n"));
    vsched_run(desk->v, 40 * SECOND);
    assert_int_equal(desk->fetch.asked, 11);
    assert_int_equal(desk->fetch.running, 0);
    desk_destroy(desk);
}

static void test_410_ends_an_endpoint_and_all_workers_hear_of_it(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    desk->fetch.answers[0] = (struct fake_answer){.status = 410};
    end_call(desk, 1, false);
    vsched_run(desk->v, SECOND);
    assert_string_equal(desk->gone, "crm");
    assert_string_equal(desk->jobs[0].state, "failed");
    end_call(desk, 2, false);
    vsched_run(desk->v, 10 * SECOND);
    assert_string_equal(desk->jobs[1].state, "failed");
    assert_int_equal(desk->fetch.asked, 1);
    assert_int_equal(desk->told_gone, 1);
    desk_destroy(desk);
    /* One that only heard of it. */
    desk = desk_create();
    webhook_send_gone(desk->send, AIC_STR("crm"));
    end_call(desk, 1, false);
    vsched_run(desk->v, SECOND);
    assert_int_equal(desk->fetch.asked, 0);
    assert_string_equal(desk->jobs[0].state, "failed");
    desk_destroy(desk);
}

static void test_while_the_storage_is_away_nothing_is_lost(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    desk->fetch.answers[0] = desk->fetch.answers[1] = (struct fake_answer){.status = 200};
    desk->is_away = true;
    end_call(desk, 1, false);
    vsched_run(desk->v, 300 * SECOND);
    assert_int_equal(desk->fetch.asked, 0);
    desk->is_away = false;
    vsched_run(desk->v, 6 * SECOND);
    assert_int_equal(desk->fetch.asked, 1);
    assert_string_equal(desk->jobs[0].state, "done");
    /* It goes away between the receiver's answer and the note of it: sent again, as documented. */
    desk->fetch.answers[1].delay_us = SECOND;
    desk->fetch.answers[2] = (struct fake_answer){.status = 200};
    end_call(desk, 2, false);
    vsched_run(desk->v, SECOND / 2);
    desk->is_away = true;
    vsched_run(desk->v, 10 * SECOND);
    desk->is_away = false;
    vsched_run(desk->v, 80 * SECOND);
    assert_int_equal(desk->fetch.asked, 3);
    assert_string_equal(desk->jobs[1].state, "done");
    desk_destroy(desk);
}

static void test_stopping_leaves_what_is_under_way_to_others(void **state)
{
    (void)state;
    struct desk *desk = desk_create();
    desk->fetch.answers[0] = (struct fake_answer){.status = 200, .delay_us = 10 * SECOND};
    end_call(desk, 1, true);
    vsched_run(desk->v, SECOND / 2);
    webhook_send_stop(desk->send);
    assert_int_equal(desk->fetch.running, 0);
    vsched_run(desk->v, SECOND);
    assert_string_equal(desk->jobs[0].state, "claimed");
    size_t claims = desk->claims;
    vsched_run(desk->v, 60 * SECOND);
    assert_int_equal(desk->claims, claims);
    assert_int_equal(webhook_send_running(desk->send), 0);
    desk_destroy(desk);
}

static void test_a_job_that_can_not_be_read_is_over(void **state)
{
    (void)state;
    static const char *const payloads[] = {"null", "[]", "{}", "{\"id\":7}", "\"text\""};
    struct desk *desk = desk_create();
    for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
        struct job *job = &desk->jobs[desk->count++];
        *job = (struct job){.kind = "webhook:crm", .state = "queued"};
        (void)snprintf(job->id, sizeof(job->id), "job-%zu", i);
        job->payload = aic_str_dup(aic_str(payloads[i]));
    }
    vsched_run(desk->v, 10 * SECOND);
    for (size_t i = 0; i < desk->count; i++) {
        assert_string_equal(desk->jobs[i].state, "failed");
        assert_string_equal(desk->jobs[i].error, "the job can not be read");
    }
    assert_int_equal(desk->fetch.asked, 0);
    desk_destroy(desk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_event_is_sent_once_within_a_moment),
        cmocka_unit_test(test_it_looks_seldom_while_nothing_happens),
        cmocka_unit_test(test_a_transcript_is_made_when_it_is_sent),
        cmocka_unit_test(test_what_fails_is_tried_for_three_days),
        cmocka_unit_test(test_at_most_four_requests_to_an_endpoint_are_under_way),
        cmocka_unit_test(test_410_ends_an_endpoint_and_all_workers_hear_of_it),
        cmocka_unit_test(test_while_the_storage_is_away_nothing_is_lost),
        cmocka_unit_test(test_stopping_leaves_what_is_under_way_to_others),
        cmocka_unit_test(test_a_job_that_can_not_be_read_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
