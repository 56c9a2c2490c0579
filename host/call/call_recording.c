/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"
#include "base/timefmt.h"

#include "json.h"

#include <stdlib.h>

enum { MAX_COLUMNS = 8192 };

/* What is told of a recording; outlives its call until the file is closed. */
struct recording {
    struct sched *sched;
    struct journal *journal;
    struct webhook_post *webhooks;
    char traceparent[TRACE_PARENT_TEXT];
    char id[UUID_TEXT];
    char call_id[UUID_TEXT];
    char *path;
    uint32_t rate_hz;
    int64_t started_wall_us;
};

static void recording_destroy(struct recording *recording)
{
    if (recording) {
        free(recording->path);
        free(recording);
    }
}

/* Tells that it began, or with a result how it ended. */
static void tell(const struct recording *recording, const struct recorder_result *result)
{
    struct aic_buf buf;
    struct aic_json_writer w;
    char text[TIME_TEXT];
    aic_buf_init(&buf, MAX_COLUMNS);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "path", recording->path);
    aic_json_member_text(&w, "format", "wav");
    aic_json_member_int(&w, "channels", 2);
    aic_json_member_int(&w, "rate_hz", recording->rate_hz);
    time_format(text, recording->started_wall_us);
    aic_json_member_text(&w, "started_at", text);
    if (result) {
        time_format(text, sched_wall(recording->sched));
        aic_json_member_text(&w, "ended_at", text);
        aic_json_member_int(&w, "bytes", (int64_t)result->bytes);
        aic_json_member_double(&w, "duration_s", (double)result->duration_us / 1e6);
    }
    aic_json_close(&w, '}');
    if (recording->journal && !buf.failed) {
        const struct journal_fact fact = {.table = "recordings",
                                          .id = recording->id,
                                          .call_id = recording->call_id,
                                          .revision = result ? 2 : 1,
                                          .columns = aic_buf_view(&buf)};
        recording->journal->write(recording->journal, &fact, false, NULL, NULL);
    }
    aic_buf_finish(&buf);
}

/* Others may fetch it now. */
static void announce(const struct recording *recording, const struct recorder_result *result)
{
    if (result->status != AIC_OK ||
        !webhook_post_wants(recording->webhooks, WEBHOOK_RECORDING_READY)) {
        return;
    }
    struct aic_buf data;
    struct aic_json_writer w;
    aic_buf_init(&data, MAX_COLUMNS);
    aic_json_writer_init(&w, &data);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", recording->call_id);
    aic_json_member_text(&w, "recording_id", recording->id);
    aic_json_member_double(&w, "duration_s", (double)result->duration_us / 1e6);
    aic_json_member_int(&w, "bytes", (int64_t)result->bytes);
    aic_json_close(&w, '}');
    webhook_post_tell(recording->webhooks,
                      &(struct webhook_news){.event = WEBHOOK_RECORDING_READY,
                                             .call_id = recording->call_id,
                                             .data = aic_buf_view(&data),
                                             .traceparent = recording->traceparent});
    aic_buf_finish(&data);
}

static void is_done(void *data, const struct recorder_result *result)
{
    struct recording *recording = data;
    if (result->status != AIC_OK) {
        log_error("call", "a recording is not whole", LOG_S("call", recording->call_id),
                  LOG_I("status", result->status), LOG_I("bytes", result->bytes));
    }
    tell(recording, result);
    announce(recording, result);
    if (recording->journal) {
        recording->journal->promised--;
    }
    recording_destroy(recording);
}

/* A call that goes on after its worker died has a second file. */
static char *path_for(const struct call *call, const char *recording_id)
{
    struct aic_buf path;
    aic_buf_init(&path, 4096);
    if (call->record_to) {
        aic_buf_text(&path, call->record_to);
    } else if (call->agent->record && call->env.recordings_dir && call->env.recordings_dir[0]) {
        aic_buf_printf(&path, "%s/%s-%s.wav", call->env.recordings_dir, call->id, recording_id);
    }
    return path.len > 0 ? aic_buf_detach(&path) : NULL;
}

void call_recording_start(struct call *call)
{
    uint8_t random[10];
    char id[UUID_TEXT];
    int64_t now_us = sched_wall(call->env.sched);
    call_random(call, random);
    uuid7_format(id, now_us, random);
    char *path = path_for(call, id);
    struct recording *recording = path ? calloc(1, sizeof(*recording)) : NULL;
    if (!recording) {
        free(path);
        return;
    }
    *recording = (struct recording){.sched = call->env.sched,
                                    .journal = call->env.journal,
                                    .webhooks = call->env.webhooks,
                                    .path = path,
                                    .rate_hz = call->format_in.rate_hz,
                                    .started_wall_us = now_us};
    (void)aic_str_copy(aic_str(id), recording->id, sizeof(recording->id));
    trace_call_parent(&call->trace, NULL, recording->traceparent);
    (void)aic_str_copy(aic_str(call->id), recording->call_id, sizeof(recording->call_id));
    call->recorder = recorder_create(call->env.sched, path, call->format_in, call->format_out);
    if (!call->recorder) {
        log_error("call", "this call is not recorded", LOG_S("call", call->id));
        recording_destroy(recording);
        return;
    }
    call->recording = recording;
    tell(recording, NULL);
}

void call_recording_end(struct call *call)
{
    if (call->recorder) {
        if (call->recording->journal) {
            call->recording->journal->promised++;
        }
        recorder_finish(call->recorder, is_done, call->recording);
        call->recorder = NULL;
        call->recording = NULL;
    }
}
