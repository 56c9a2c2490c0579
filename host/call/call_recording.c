/* SPDX-License-Identifier: ISC */
#include "call/call_private.h"

#include "base/log.h"
#include "base/metrics.h"
#include "base/timefmt.h"
#include "call/phrases.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

/* A call's recording: whether there is one, what the records say of it, its pauses. */

enum { MAX_COLUMNS = 8192 };

_Static_assert((int)RECORDER_MAX_DURATION == (int)METRICS_RECORDING_ENDS,
               "each end before the call's has its cell");

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
    bool is_opus;
    bool has_consent;
    bool is_stopped;
};

static void recording_destroy(struct recording *recording)
{
    if (recording) {
        free(recording->path);
        free(recording);
    }
}

static void write_fact(const struct recording *recording, const char *table, const char *id,
                       uint64_t revision, const struct aic_buf *columns)
{
    if (recording->journal && !columns->failed) {
        const struct journal_fact fact = {.table = table,
                                          .id = id,
                                          .call_id = recording->call_id,
                                          .revision = revision,
                                          .columns = aic_buf_view(columns)};
        recording->journal->write(recording->journal, &fact, false, NULL, NULL);
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
    aic_json_member_text(&w, "format", recording->is_opus ? "opus" : "wav");
    aic_json_member_int(&w, "channels", 2);
    aic_json_member_int(&w, "rate_hz", recording->rate_hz);
    time_format(text, recording->started_wall_us);
    aic_json_member_text(&w, "started_at", text);
    if (recording->has_consent) {
        aic_json_member_bool(&w, "consent", true);
    }
    if (result) {
        time_format(text, sched_wall(recording->sched));
        aic_json_member_text(&w, "ended_at", text);
        aic_json_member_int(&w, "bytes", (int64_t)result->bytes);
        aic_json_member_double(&w, "duration_s", (double)result->duration_us / 1e6);
    }
    aic_json_close(&w, '}');
    write_fact(recording, "recordings", recording->id, result ? 2 : 1, &buf);
    aic_buf_finish(&buf);
}

/* The call goes on, or is over already: its event is written without it. */
static void note_stop(struct recording *recording, enum recorder_end why)
{
    static const char *const reasons[] = {"", "disk_full", "disk_error", "max_size",
                                          "max_duration"};
    struct aic_buf buf;
    struct aic_json_writer w;
    char text[TIME_TEXT];
    char id[UUID_TEXT];
    if (recording->is_stopped || why == RECORDER_WHOLE) {
        return;
    }
    recording->is_stopped = true;
    metrics_count(METRICS_RECORDINGS + (uint32_t)why - 1, 1);
    log_warn("call", "a recording ends before its call", LOG_S("call", recording->call_id),
             LOG_S("reason", reasons[why]));
    uuid7_make(id);
    aic_buf_init(&buf, MAX_COLUMNS);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", recording->call_id);
    time_format(text, sched_wall(recording->sched));
    aic_json_member_text(&w, "at", text);
    aic_json_member_text(&w, "type", "recording_stopped");
    aic_json_key(&w, "detail");
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "reason", reasons[why]);
    aic_json_close(&w, '}');
    aic_json_close(&w, '}');
    write_fact(recording, "events", id, 1, &buf);
    aic_buf_finish(&buf);
}

static void is_stopped(void *data, enum recorder_end why)
{
    note_stop(data, why);
}

/* Others may fetch it now. */
static void announce(const struct recording *recording, const struct recorder_result *result)
{
    if (result->bytes == 0 || !webhook_post_wants(recording->webhooks, WEBHOOK_RECORDING_READY)) {
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
    note_stop(recording, result->end);
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
        aic_buf_printf(&path, "%s/%s-%s.%s", call->env.recordings_dir, call->id, recording_id,
                       call->agent->recording.is_opus ? "opus" : "wav");
    }
    return path.len > 0 ? aic_buf_detach(&path) : NULL;
}

static struct recording *make_recording(const struct call *call)
{
    uint8_t random[10];
    struct recording *recording = calloc(1, sizeof(*recording));
    if (!recording) {
        return NULL;
    }
    recording->sched = call->env.sched;
    recording->journal = call->env.journal;
    recording->webhooks = call->env.webhooks;
    trace_call_parent(&call->trace, NULL, recording->traceparent);
    recording->rate_hz = call->format_in.rate_hz;
    recording->started_wall_us = sched_wall(call->env.sched);
    recording->is_opus = !call->record_to && call->agent->recording.is_opus;
    recording->has_consent = !call->record_to && call->agent->recording.consent != CONSENT_NONE;
    sched_random(call->env.sched, random, sizeof(random));
    uuid7_format(recording->id, recording->started_wall_us, random);
    (void)aic_str_copy(aic_str(call->id), recording->call_id, sizeof(recording->call_id));
    recording->path = path_for(call, recording->id);
    if (!recording->path) {
        recording_destroy(recording);
        return NULL;
    }
    return recording;
}

static void begin(struct call *call)
{
    const struct recording_rules *rules = &call->agent->recording;
    struct recording *recording = make_recording(call);
    if (!recording) {
        return;
    }
    const struct recorder_settings settings = {.path = recording->path,
                                               .caller = call->format_in,
                                               .agent = call->format_out,
                                               .is_opus = recording->is_opus,
                                               .max_us = rules->max_us,
                                               .max_bytes = rules->max_bytes,
                                               .min_free_bytes = rules->min_free_bytes};
    call->recorder = recorder_create(call->env.sched, &settings, is_stopped, recording);
    if (!call->recorder) {
        log_error("call", "this call is not recorded", LOG_S("call", call->id));
        recording_destroy(recording);
        return;
    }
    call->recording = recording;
    tell(recording, NULL);
}

void call_recording_start(struct call *call)
{
    call->asks_to_record =
        !call->record_to && call->agent->record && call->agent->recording.consent == CONSENT_ASK;
    if (!call->asks_to_record) {
        begin(call);
    }
}

/* Yes as the first word, and no word that takes it back. */
static bool is_yes(struct aic_str words)
{
    static const char *const good[] = {"yes",  "yeah", "yep",    "sure",       "ok", "okay",
                                       "fine", "haan", "han",    "ji",         "हाँ", "हां",
                                       "जी",   "ठीक",  "agreed", "absolutely", NULL};
    static const char *const bad[] = {"no",    "not", "dont", "don't", "nahi",
                                      "nahin", "नहीं", "मत",   NULL};
    struct aic_buf text;
    bool begins_well = false;
    bool has_bad = false;
    aic_buf_init(&text, 4096);
    phrases_normalise(&text, words);
    struct aic_str rest = aic_buf_view(&text);
    for (size_t number = 0; rest.len > 0; number++) {
        const char *space = memchr(rest.ptr, ' ', rest.len);
        size_t length = space ? (size_t)(space - rest.ptr) : rest.len;
        struct aic_str word = {rest.ptr, length};
        for (size_t i = 0; number == 0 && good[i]; i++) {
            begins_well = begins_well || aic_str_equal(word, good[i]);
        }
        for (size_t i = 0; bad[i]; i++) {
            has_bad = has_bad || aic_str_equal(word, bad[i]);
        }
        rest.ptr += length + (space != NULL);
        rest.len -= length + (space != NULL);
    }
    aic_buf_finish(&text);
    return begins_well && !has_bad;
}

/* Who agreed, as far as there is a number. */
static void record_consent(struct call *call)
{
    const char *number = call->direction == AIC_DIRECTION_OUTBOUND ? call->to : call->from;
    struct aic_buf buf;
    struct aic_json_writer w;
    char text[TIME_TEXT];
    char id[UUID_TEXT];
    if (number[0] != '+') {
        return;
    }
    uuid7_make(id);
    aic_buf_init(&buf, MAX_COLUMNS);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "call_id", call->id);
    aic_json_member_text(&w, "number", number);
    aic_json_member_text(&w, "scope", "recording");
    aic_json_member_text(&w, "source", "caller");
    time_format(text, sched_wall(call->env.sched));
    aic_json_member_text(&w, "obtained_at", text);
    aic_json_close(&w, '}');
    write_fact(call->recording, "consents", id, 1, &buf);
    aic_buf_finish(&buf);
}

void call_recording_hear(struct call *call, struct aic_str words)
{
    if (!call->asks_to_record || !call->leg) {
        return;
    }
    call->asks_to_record = false;
    if (!is_yes(words)) {
        call_record_note(call, "recording_declined", "by", "caller");
        return;
    }
    begin(call);
    if (call->recording) {
        call_record_note(call, "recording_agreed", "by", "caller");
        record_consent(call);
    }
}

bool call_is_recorded(const struct call *call)
{
    return call->recorder && !call->recording->is_stopped;
}

int32_t call_pause_recording(struct call *call, bool is_paused, const char *by)
{
    if (!call_is_recorded(call)) {
        return AIC_ERROR_CONFLICT;
    }
    if (call->recording_is_paused != is_paused) {
        call->recording_is_paused = is_paused;
        recorder_pause(call->recorder, is_paused);
        call_record_note(call, is_paused ? "recording_paused" : "recording_resumed", "by", by);
    }
    return AIC_OK;
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
