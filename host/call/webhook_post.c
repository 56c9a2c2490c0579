/* SPDX-License-Identifier: ISC */
#include "call/webhook_post.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "base/uuid.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BODY = 64 * 1024, MAX_COLUMNS = 256 * 1024 };

struct webhook_post {
    struct webhook_post_settings settings;
    uint32_t wanted; /* by any endpoint */
};

struct webhook_post *webhook_post_create(const struct webhook_post_settings *settings)
{
    struct webhook_post *post = calloc(1, sizeof(*post));
    if (post) {
        post->settings = *settings;
        for (size_t i = 0; i < settings->conf->count; i++) {
            post->wanted |= settings->conf->list[i].events;
        }
    }
    return post;
}

void webhook_post_destroy(struct webhook_post *post)
{
    free(post);
}

static bool is_in(uint32_t events, enum webhook_event event)
{
    return (events >> event & 1) != 0;
}

bool webhook_post_wants(const struct webhook_post *post, enum webhook_event event)
{
    return post && is_in(post->wanted, event);
}

void webhook_body_write(struct aic_buf *to, const char *type, int64_t wall_us, struct aic_str data)
{
    struct aic_json_writer w;
    char time[TIME_TEXT];
    time_format(time, wall_us);
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "type", type);
    aic_json_member_text(&w, "timestamp", time);
    aic_json_member_raw(&w, "data", data);
    aic_json_close(&w, '}');
}

void webhook_job_write(const struct webhook_job *job, struct aic_buf *columns)
{
    struct aic_json_writer w;
    char time[TIME_TEXT];
    time_format(time, job->wall_us);
    aic_json_writer_init(&w, columns);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "kind", job->endpoint->kind);
    aic_json_member_text(&w, "state", "queued");
    aic_json_member_int(&w, "priority", 0);
    aic_json_member_int(&w, "attempts", 0);
    aic_json_member_text(&w, "run_at", time);
    aic_json_member_text(&w, "created_at", time);
    aic_json_key(&w, "note");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "event", webhook_event_name(job->event));
    aic_json_member_text(&w, "webhook_id", job->event_id);
    aic_json_close(&w, '}');
    aic_json_key(&w, "payload");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "id", job->event_id);
    aic_json_member_text(&w, "type", webhook_event_name(job->event));
    aic_json_member_text(&w, "call_id", job->call_id);
    aic_json_member_text(&w, "timestamp", time);
    if (job->body.len > 0) {
        /* As a text: what is signed is what was made here, byte by byte. */
        aic_json_member(&w, "body", job->body);
    }
    if (job->traceparent && job->traceparent[0]) {
        aic_json_member_text(&w, "traceparent", job->traceparent);
    }
    aic_json_close(&w, '}');
    aic_json_close(&w, '}');
}

static void write_job(struct webhook_post *post, const struct webhook_job *job)
{
    char id[UUID_TEXT];
    struct aic_buf columns;
    aic_buf_init(&columns, MAX_COLUMNS);
    webhook_derive_id(id, job->event_id, job->endpoint->name);
    webhook_job_write(job, &columns);
    if (columns.failed) {
        metrics_count(METRICS_WEBHOOKS + METRICS_WEBHOOK_DROPPED, 1);
        log_error("webhook", "an event is not told: it is too large",
                  LOG_S("event", webhook_event_name(job->event)), LOG_S("call", job->call_id));
    } else {
        const struct journal_fact fact = {.table = "jobs",
                                          .id = id,
                                          .call_id = job->call_id,
                                          .revision = 1,
                                          .columns = aic_buf_view(&columns)};
        post->settings.journal->write(post->settings.journal, &fact, false, NULL, NULL);
    }
    aic_buf_finish(&columns);
}

static void make_event_id(struct webhook_post *post, const struct webhook_news *news,
                          char id[UUID_TEXT])
{
    struct sched *sched = post->settings.sched;
    if (news->is_once) {
        webhook_derive_id(id, news->call_id, webhook_event_name(news->event));
        return;
    }
    uint8_t random[10];
    sched_random(sched, random, sizeof(random));
    uuid7_format(id, sched_wall(sched), random);
}

void webhook_post_tell(struct webhook_post *post, const struct webhook_news *news)
{
    if (!webhook_post_wants(post, news->event)) {
        return;
    }
    char id[UUID_TEXT];
    struct aic_buf body;
    int64_t now_us = sched_wall(post->settings.sched);
    make_event_id(post, news, id);
    aic_buf_init(&body, MAX_BODY);
    if (news->data.len > 0) {
        webhook_body_write(&body, webhook_event_name(news->event), now_us, news->data);
    }
    for (size_t i = 0; i < post->settings.conf->count; i++) {
        const struct webhook_job job = {.endpoint = &post->settings.conf->list[i],
                                        .event = news->event,
                                        .event_id = id,
                                        .call_id = news->call_id,
                                        .body = aic_buf_view(&body),
                                        .traceparent = news->traceparent,
                                        .wall_us = now_us};
        if (is_in(job.endpoint->events, news->event)) {
            write_job(post, &job);
        }
    }
    aic_buf_finish(&body);
    if (post->settings.posted) {
        post->settings.posted(post->settings.data);
    }
}

static void put_text(struct aic_json_writer *w, const char *key, const char *text)
{
    if (text && text[0]) {
        aic_json_member_text(w, key, text);
    }
}

static void put_time(struct aic_json_writer *w, const char *key, int64_t wall_us)
{
    if (wall_us > 0) {
        char text[TIME_TEXT];
        time_format(text, wall_us);
        aic_json_member_text(w, key, text);
    }
}

/* As the API tells of calls. */
static void write_call(const struct webhook_call *call, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", call->call_id);
    put_text(&w, "call_sid", call->call_sid);
    put_text(&w, "direction", call->direction);
    put_text(&w, "from", call->from);
    put_text(&w, "to", call->to);
    put_text(&w, "agent", call->agent);
    put_text(&w, "provider", call->provider);
    put_text(&w, "status", call->status);
    put_time(&w, "started_at", call->started_wall_us);
    put_time(&w, "answered_at", call->answered_wall_us);
    put_time(&w, "ended_at", call->ended_wall_us);
    if (call->ended_wall_us > 0) {
        int64_t talked_us =
            call->answered_wall_us > 0 ? call->ended_wall_us - call->answered_wall_us : 0;
        aic_json_member_double(&w, "duration_s", (double)talked_us / 1e6);
        put_text(&w, "end_reason", call->end_reason);
        if (call->turns >= 0) {
            aic_json_member_int(&w, "turns", call->turns);
        }
        if (call->cost >= 0) {
            aic_json_member_double(&w, "cost", call->cost);
        }
    }
    if (call->metadata && call->metadata[0]) {
        aic_json_member_raw(&w, "metadata", aic_str(call->metadata));
    }
    aic_json_close(&w, '}');
}

void webhook_post_call(struct webhook_post *post, enum webhook_event event,
                       const struct webhook_call *call)
{
    bool has_transcript = event == WEBHOOK_CALL_ENDED && call->answered_wall_us > 0 &&
                          webhook_post_wants(post, WEBHOOK_CALL_TRANSCRIPT);
    if (webhook_post_wants(post, event)) {
        struct aic_buf data;
        aic_buf_init(&data, MAX_BODY);
        write_call(call, &data);
        webhook_post_tell(post, &(struct webhook_news){.event = event,
                                                       .call_id = call->call_id,
                                                       .is_once = true,
                                                       .data = aic_buf_view(&data),
                                                       .traceparent = call->traceparent});
        aic_buf_finish(&data);
    }
    if (has_transcript) {
        webhook_post_tell(post, &(struct webhook_news){.event = WEBHOOK_CALL_TRANSCRIPT,
                                                       .call_id = call->call_id,
                                                       .is_once = true,
                                                       .data = {NULL, 0},
                                                       .traceparent = call->traceparent});
    }
}
