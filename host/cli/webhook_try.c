/* SPDX-License-Identifier: ISC */
#include "cli/webhook_try.h"

#include "base/uuid.h"
#include "call/webhook_post.h"
#include "call/webhook_send.h"
#include "cli/net.h"
#include "io/loop.h"

#include <stdio.h>
#include <stdlib.h>

enum { MAX_PARAMS = 64 * 1024 };

/* Stands in for the storage: it has one job, and takes down what becomes of it. */
struct trial {
    struct net net;
    struct webhook_conf conf; /* of the one endpoint */
    struct webhook_try_result *result;
    struct aic_buf job;
    bool is_claimed;
};

/* An answer that must not come from inside. */
struct reply {
    struct trial *trial;
    storage_reply reply;
    void *data;
    char *rows;
};

static void give(void *data)
{
    struct reply *reply = data;
    reply->reply(reply->data, AIC_OK, aic_str(reply->rows), NULL);
    free(reply->rows);
    free(reply);
}

static void answer(struct trial *trial, const char *rows, storage_reply reply, void *data)
{
    struct reply *later = malloc(sizeof(*later));
    if (later) {
        *later = (struct reply){trial, reply, data, aic_str_dup(aic_str(rows))};
        (void)sched_post(trial->net.sched, give, later);
    }
}

static void take_outcome(struct trial *trial, struct aic_str params)
{
    struct aic_json *root = aic_json_parse(params, MAX_PARAMS);
    const struct aic_json *result = aic_json_get(root, "result");
    struct aic_str error = aic_json_get_text(root, "last_error");
    int64_t status = aic_json_get_int(result, "http_status", 0);
    /* Of a failure only the words tell the status. */
    (void)aic_str_copy(error, trial->result->error, sizeof(trial->result->error));
    if (status == 0 && aic_str_starts(error, "http ")) {
        status = strtoll(trial->result->error + 5, NULL, 10);
    }
    trial->result->http_status = (int32_t)status;
    trial->result->took_ms = aic_json_get_int(result, "ms", -1);
    aic_json_free(root);
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct trial *trial = data;
    bool is_claim = aic_str_equal(aic_str(name), "job.claim");
    if (is_claim && trial->is_claimed) {
        return; /* nothing further will come */
    }
    if (is_claim) {
        trial->is_claimed = true;
        answer(trial, trial->job.data, reply, reply_data);
    } else {
        take_outcome(trial, params);
        answer(trial, "[{\"held\":true}]", reply, reply_data);
        loop_stop(trial->net.loop);
    }
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    (void)name;
    (void)params;
    answer(data, "[]", reply, reply_data);
}

static void write_job(struct trial *trial, const struct webhook_endpoint *endpoint)
{
    char id[UUID_TEXT];
    char job_id[UUID_TEXT];
    struct aic_buf body;
    struct aic_buf data;
    struct aic_json_writer w;
    int64_t now_us = sched_wall(trial->net.sched);
    uuid7_make(id);
    uuid7_make(job_id);
    aic_buf_init(&data, MAX_PARAMS);
    aic_json_writer_init(&w, &data);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "endpoint", endpoint->name);
    aic_json_close(&w, '}');
    aic_buf_init(&body, MAX_PARAMS);
    webhook_body_write(&body, "webhook.test", now_us, aic_buf_view(&data));
    aic_buf_init(&trial->job, MAX_PARAMS);
    aic_json_writer_init(&w, &trial->job);
    aic_buf_text(&trial->job, "[{\"job\":");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "job_id", job_id);
    aic_json_member_text(&w, "kind", endpoint->kind);
    aic_json_member_int(&w, "attempts", 1);
    aic_json_key(&w, "payload");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "id", id);
    aic_json_member_text(&w, "type", "webhook.test");
    aic_json_member(&w, "body", aic_buf_view(&body));
    aic_json_close(&w, '}');
    aic_json_close(&w, '}');
    aic_buf_text(&trial->job, "}]");
    aic_buf_finish(&body);
    aic_buf_finish(&data);
}

void webhook_try(const struct conf *conf, const struct webhook_endpoint *endpoint,
                 struct webhook_try_result *result)
{
    struct trial trial = {.result = result, .conf = {.list = {*endpoint}, .count = 1}};
    *result = (struct webhook_try_result){.error = "out of memory"};
    if (!net_open(&trial.net, conf)) {
        return;
    }
    write_job(&trial, endpoint);
    struct fetch *fetch = fetch_http_create(trial.net.http, conf->private_allow);
    const struct webhook_send_settings settings = {.sched = trial.net.sched,
                                                   .fetch = fetch,
                                                   .conf = &trial.conf,
                                                   .owner = "aicaller webhook test",
                                                   .query = query,
                                                   .change = change,
                                                   .data = &trial};
    struct webhook_send *send = fetch && !trial.job.failed ? webhook_send_create(&settings) : NULL;
    if (send) {
        loop_run(trial.net.loop);
        webhook_send_stop(send);
        net_settle(&trial.net);
    }
    webhook_send_destroy(send);
    fetch_http_destroy(fetch);
    aic_buf_finish(&trial.job);
    net_close(&trial.net);
}
