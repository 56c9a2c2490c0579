/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/counters.h"
#include "base/exposition.h"
#include "base/metrics.h"
#include "call/gate_decide.h"
#include "io/shm.h"
#include "plugin/breaker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * GET /metrics: all numbers of this host, whichever worker answers. docs/metrics.md tells people
 * what is here.
 */

enum { PAGE_BYTES = 4 << 20, NUMBER_TEXT = 24 };

_Static_assert((int)GATE_REASONS <= (int)METRICS_REFUSALS, "each reason has its cell");

struct scrape {
    struct aic_buf page;
    const char *family; /* whose samples are written */
    const struct shm *shm;
    int64_t wall_us;
    uint64_t totals[SHM_COUNTERS];
};

#define LABELS(...) (&(struct exposition_labels){.list = {__VA_ARGS__}})

static void put(struct scrape *s, const struct exposition_labels *labels, int64_t value,
                unsigned decimals)
{
    exposition_sample(&s->page, s->family, labels, value, decimals);
}

static void put_total(struct scrape *s, const struct exposition_labels *labels, uint32_t cell,
                      unsigned decimals)
{
    put(s, labels, (int64_t)s->totals[cell], decimals);
}

static bool is_there(const struct shm_worker *worker)
{
    return atomic_load(&worker->pid) != 0;
}

static int64_t sum_gauges(const struct scrape *s, enum metrics_gauge gauge)
{
    int64_t sum = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *worker = &s->shm->workers[i];
        sum += is_there(worker) ? atomic_load(&worker->gauges[gauge]) : 0;
    }
    return sum;
}

static const char *provider_name(const struct scrape *s, uint32_t provider)
{
    return provider == 0 ? "other" : s->shm->counted[provider].name;
}

static void put_build(struct scrape *s)
{
    put(s, LABELS({"version", AICALLER_VERSION}), 1, 0);
}

static void put_start(struct scrape *s)
{
    put(s, NULL, atomic_load(&s->shm->started_wall_us), 6);
}

static void put_workers(struct scrape *s)
{
    int64_t count = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        count += is_there(&s->shm->workers[i]);
    }
    put(s, NULL, count, 0);
}

static void put_live(struct scrape *s)
{
    put(s, NULL, shm_calls(s->shm), 0);
}

static void put_waiting(struct scrape *s)
{
    int64_t waiting = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *worker = &s->shm->workers[i];
        waiting += is_there(worker) ? atomic_load(&worker->waiting) : 0;
    }
    put(s, NULL, waiting, 0);
}

/* One sample for each worker. */
static void put_each(struct scrape *s, int64_t (*value)(const struct shm_worker *worker),
                     unsigned decimals)
{
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (is_there(&s->shm->workers[i])) {
            char number[NUMBER_TEXT];
            (void)snprintf(number, sizeof(number), "%d", i);
            put(s, LABELS({"worker", number}), value(&s->shm->workers[i]), decimals);
        }
    }
}

static int64_t calls_of(const struct shm_worker *worker)
{
    return atomic_load(&worker->calls);
}

static int64_t lag_of(const struct shm_worker *worker)
{
    return atomic_load(&worker->lag_us);
}

static int64_t memory_of(const struct shm_worker *worker)
{
    return atomic_load(&worker->gauges[METRICS_RESIDENT_BYTES]);
}

static void put_worker_calls(struct scrape *s)
{
    put_each(s, calls_of, 0);
}

static void put_worker_lag(struct scrape *s)
{
    put_each(s, lag_of, 6);
}

static void put_worker_memory(struct scrape *s)
{
    put_each(s, memory_of, 0);
}

static void put_cpu(struct scrape *s)
{
    put_total(s, LABELS({"mode", "user"}), METRICS_CPU, 6);
    put_total(s, LABELS({"mode", "system"}), METRICS_CPU + 1, 6);
}

static void put_ended(struct scrape *s)
{
    static const char *const directions[METRICS_DIRECTIONS] = {"inbound", "outbound", "typed"};
    for (uint32_t i = 0; i < METRICS_DIRECTIONS * METRICS_ENDS; i++) {
        const char *end = call_status_name(AIC_CALL_COMPLETED + i % METRICS_ENDS);
        put_total(s, LABELS({"direction", directions[i / METRICS_ENDS]}, {"end", end}),
                  METRICS_CALLS + i, 0);
    }
}

static void put_turns(struct scrape *s)
{
    put_total(s, LABELS({"end", "whole"}), METRICS_TURNS, 0);
    put_total(s, LABELS({"end", "interrupted"}), METRICS_TURNS + 1, 0);
}

static struct exposition_histogram histogram_at(const struct scrape *s, uint32_t cell)
{
    return (struct exposition_histogram){.bounds_ms = metrics_bounds_ms,
                                         .buckets = &s->totals[cell],
                                         .count = METRICS_BOUNDS,
                                         .sum_ms = s->totals[cell + METRICS_BOUNDS + 1]};
}

static bool has_any(const struct exposition_histogram *histogram)
{
    uint64_t any = 0;
    for (size_t i = 0; i <= histogram->count; i++) {
        any |= histogram->buckets[i];
    }
    return any != 0;
}

static void put_response(struct scrape *s)
{
    struct exposition_histogram histogram = histogram_at(s, METRICS_RESPONSE);
    exposition_histogram(&s->page, s->family, NULL, &histogram);
}

static void put_stages(struct scrape *s)
{
    static const char *const stages[METRICS_STAGES] = {"endpointing", "stt", "llm", "tts",
                                                       "playout"};
    for (uint32_t i = 0; i < METRICS_STAGES * METRICS_PROVIDERS; i++) {
        uint32_t stage = i / METRICS_PROVIDERS;
        uint32_t provider = i % METRICS_PROVIDERS;
        struct exposition_histogram histogram =
            histogram_at(s, metrics_stage_cell((enum metrics_stage)stage, provider));
        if (has_any(&histogram)) {
            exposition_histogram(
                &s->page, s->family,
                LABELS({"stage", stages[stage]}, {"provider", provider_name(s, provider)}),
                &histogram);
        }
    }
}

static void put_failovers(struct scrape *s)
{
    static const char *const roles[METRICS_ROLES] = {"stt", "llm", "tts"};
    for (uint32_t i = 0; i < METRICS_ROLES * METRICS_PROVIDERS; i++) {
        if (s->totals[METRICS_FAILOVERS + i] > 0) {
            const char *from = provider_name(s, i % METRICS_PROVIDERS);
            put_total(s, LABELS({"role", roles[i / METRICS_PROVIDERS]}, {"from", from}),
                      METRICS_FAILOVERS + i, 0);
        }
    }
}

/* A breaker is named "provider/role". */
static void put_breaker(struct scrape *s, const struct shm_provider *breaker)
{
    static const enum breaker_state states[] = {BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN};

    char name[SHM_NAME];
    (void)aic_str_copy(aic_str(breaker->name), name, sizeof(name));
    char *role = strrchr(name, '/');
    if (!role) {
        return;
    }
    *role++ = '\0';
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        const char *state = breaker_state_name(states[i]);
        put(s, LABELS({"provider", name}, {"role", role}, {"state", state}),
            atomic_load(&breaker->state) == (uint32_t)states[i], 0);
    }
}

static void put_breakers(struct scrape *s)
{
    for (int i = 0; i < SHM_PROVIDERS; i++) {
        if (atomic_load(&s->shm->providers[i].key) != 0) {
            put_breaker(s, &s->shm->providers[i]);
        }
    }
}

static void put_cost(struct scrape *s)
{
    for (uint32_t i = 0; i < METRICS_PROVIDERS; i++) {
        if (s->totals[METRICS_COST + i] > 0) {
            put_total(s, LABELS({"provider", provider_name(s, i)}), METRICS_COST + i, 6);
        }
    }
}

static void put_refusals(struct scrape *s)
{
    for (uint32_t i = GATE_ALLOWED + 1; i < GATE_REASONS; i++) {
        put_total(s, LABELS({"reason", gate_reason_name((enum gate_reason)i)}), METRICS_GATE + i,
                  0);
    }
}

static void put_http(struct scrape *s)
{
    static const char *const classes[METRICS_HTTP_CLASSES] = {NULL,  "1xx", "2xx",
                                                              "3xx", "4xx", "5xx"};
    for (uint32_t i = 1; i < METRICS_HTTP_CLASSES; i++) {
        put_total(s, LABELS({"class", classes[i]}), METRICS_HTTP + i, 0);
    }
}

static void put_audio_dropped(struct scrape *s)
{
    put_total(s, LABELS({"reason", "stt_backlog"}), METRICS_AUDIO_DROPPED + METRICS_STT_BACKLOG, 0);
    put_total(s, LABELS({"reason", "playout_full"}), METRICS_AUDIO_DROPPED + METRICS_PLAYOUT_FULL,
              0);
}

static void put_spool_facts(struct scrape *s)
{
    put(s, NULL, sum_gauges(s, METRICS_SPOOL_FACTS), 0);
}

static void put_spool_memory(struct scrape *s)
{
    put(s, NULL, sum_gauges(s, METRICS_SPOOL_MEMORY_BYTES), 0);
}

static void put_spool_disk(struct scrape *s)
{
    put(s, NULL, sum_gauges(s, METRICS_SPOOL_DISK_BAD) > 0, 0);
}

static void put_storage_down(struct scrape *s)
{
    int64_t longest_us = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *worker = &s->shm->workers[i];
        int64_t since_us = atomic_load(&worker->gauges[METRICS_STORAGE_DOWN_SINCE_US]);
        if (is_there(worker) && since_us > 0 && s->wall_us - since_us > longest_us) {
            longest_us = s->wall_us - since_us;
        }
    }
    put(s, NULL, longest_us, 6);
}

static void put_spool_moved(struct scrape *s)
{
    put_total(s, NULL, METRICS_SPOOL_MOVED, 0);
}

static void put_spool_dropped(struct scrape *s)
{
    put_total(s, LABELS({"reason", "disk_full"}), METRICS_SPOOL_DROPPED, 0);
    put_total(s, LABELS({"reason", "storage_refused"}), METRICS_SPOOL_DROPPED + 1, 0);
}

static void put_webhooks(struct scrape *s)
{
    static const char *const outcomes[METRICS_WEBHOOK_OUTCOMES] = {"delivered", "retried",
                                                                   "given_up", "gone", "dropped"};
    for (uint32_t i = 0; i < METRICS_WEBHOOK_OUTCOMES; i++) {
        put_total(s, LABELS({"outcome", outcomes[i]}), METRICS_WEBHOOKS + i, 0);
    }
}

static void put_webhooks_waiting(struct scrape *s)
{
    int64_t most = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *worker = &s->shm->workers[i];
        int64_t waiting = atomic_load(&worker->gauges[METRICS_WEBHOOKS_WAITING]);
        most = is_there(worker) && waiting > most ? waiting : most;
    }
    put(s, NULL, most, 0);
}

static void put_traces(struct scrape *s)
{
    put_total(s, LABELS({"outcome", "sent"}), METRICS_TRACES + METRICS_TRACE_SENT, 0);
    put_total(s, LABELS({"outcome", "no_room"}), METRICS_TRACES + METRICS_TRACE_FULL, 0);
    put_total(s, LABELS({"outcome", "not_taken"}), METRICS_TRACES + METRICS_TRACE_UNSENT, 0);
}

/* What counters.h keeps in one group, by its names. */
static void put_losses(struct scrape *s, const char *group, const char *label)
{
    for (uint32_t i = 0; i < COUNTERS; i++) {
        if (i != COUNTER_UNSAID_MS && strcmp(counter_group((enum counter)i), group) == 0) {
            put_total(s, LABELS({label, counter_name((enum counter)i)}), METRICS_LOSSES + i, 0);
        }
    }
}

static void put_sound_lost(struct scrape *s)
{
    put_losses(s, "sound", "kind");
}

static void put_unsaid(struct scrape *s)
{
    put_total(s, NULL, METRICS_LOSSES + COUNTER_UNSAID_MS, 3);
}

static void put_calls_refused(struct scrape *s)
{
    put_losses(s, "calls", "reason");
}

static void put_requests_refused(struct scrape *s)
{
    put_losses(s, "requests", "reason");
}

static void put_viewers(struct scrape *s)
{
    int64_t viewers = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct shm_worker *worker = &s->shm->workers[i];
        viewers += is_there(worker) ? atomic_load(&worker->viewers) : 0;
    }
    put(s, NULL, viewers, 0);
}

static void put_viewers_lost(struct scrape *s)
{
    put_losses(s, "viewers", "reason");
}

static void put_log_dropped(struct scrape *s)
{
    put_total(s, NULL, METRICS_LOG_DROPPED, 0);
}

static void put_link_dropped(struct scrape *s)
{
    put_total(s, NULL, METRICS_LINK_DROPPED, 0);
}

static void put_recordings(struct scrape *s)
{
    static const char *const reasons[METRICS_RECORDING_ENDS] = {"disk_full", "disk_error",
                                                                "max_size", "max_duration"};
    for (uint32_t i = 0; i < METRICS_RECORDING_ENDS; i++) {
        put_total(s, LABELS({"reason", reasons[i]}), METRICS_RECORDINGS + i, 0);
    }
}

static void put_retention_rows(struct scrape *s)
{
    put_total(s, NULL, METRICS_RETENTION, 0);
}

static void put_retention_files(struct scrape *s)
{
    put_total(s, NULL, METRICS_RETENTION + 1, 0);
}

static const struct {
    const char *name;
    const char *type;
    const char *help;
    void (*put)(struct scrape *s);
} families[] = {
    {"aicaller_build_info", "gauge", "The version that answers, as a label.", put_build},
    {"aicaller_start_time_seconds", "gauge", "When the server started, in Unix time.", put_start},
    {"aicaller_workers", "gauge", "Worker processes.", put_workers},
    {"aicaller_live_calls", "gauge", "Calls with sound, and typed conversations.", put_live},
    {"aicaller_waiting_calls", "gauge", "Calls that have no sound yet.", put_waiting},
    {"aicaller_worker_live_calls", "gauge", "Live calls of each worker.", put_worker_calls},
    {"aicaller_worker_loop_lag_seconds", "gauge", "Worst delay of the worker's loop lately.",
     put_worker_lag},
    {"aicaller_worker_resident_memory_bytes", "gauge", "Memory of the worker, shared pages too.",
     put_worker_memory},
    {"aicaller_cpu_seconds_total", "counter", "Processor time of all workers.", put_cpu},
    {"aicaller_calls_ended_total", "counter", "Calls by direction and how they ended.", put_ended},
    {"aicaller_turns_total", "counter", "Answers of agents: said whole, or interrupted.",
     put_turns},
    {"aicaller_turn_response_seconds", "histogram",
     "From the end of the caller's voice to the first sound of the answer.", put_response},
    {"aicaller_turn_stage_seconds", "histogram", "Parts of the response time, by who did them.",
     put_stages},
    {"aicaller_failovers_total", "counter", "Changes to the next provider, by the one that failed.",
     put_failovers},
    {"aicaller_breaker_state", "gauge", "1 for the state that a provider's breaker is in.",
     put_breakers},
    {"aicaller_cost_total", "counter", "Cost in the currency of the price table.", put_cost},
    {"aicaller_gate_refusals_total", "counter", "Calls that were not dialled, by reason.",
     put_refusals},
    {"aicaller_http_responses_total", "counter", "Answers of the port by class of status.",
     put_http},
    {"aicaller_audio_dropped_total", "counter", "Pieces of sound that found no place.",
     put_audio_dropped},
    {"aicaller_call_sound_lost_total", "counter", "Pieces of calls' sound that went nowhere.",
     put_sound_lost},
    {"aicaller_call_sound_unsaid_seconds_total", "counter",
     "Sound of agents that did not fit and was never said.", put_unsaid},
    {"aicaller_calls_refused_total", "counter", "Rings turned away, and dials, for want of room.",
     put_calls_refused},
    {"aicaller_requests_refused_total", "counter",
     "Requests to the API that were answered 401, 403, 404 or 429, by type of problem.",
     put_requests_refused},
    {"aicaller_viewers", "gauge", "Streams of live calls that are open.", put_viewers},
    {"aicaller_viewers_lost_total", "counter",
     "Viewers of live calls that were cut or refused, and gaps in what they are told.",
     put_viewers_lost},
    {"aicaller_spool_facts", "gauge", "Facts on their way to the storage.", put_spool_facts},
    {"aicaller_spool_memory_bytes", "gauge", "Facts that are not yet on the disk.",
     put_spool_memory},
    {"aicaller_spool_disk_bad", "gauge", "1 while a spool can not be written.", put_spool_disk},
    {"aicaller_storage_down_seconds", "gauge", "How long the storage takes no facts; 0: it does.",
     put_storage_down},
    {"aicaller_spool_facts_moved_total", "counter", "Facts that reached the storage.",
     put_spool_moved},
    {"aicaller_spool_facts_dropped_total", "counter", "Facts that never will.", put_spool_dropped},
    {"aicaller_webhooks_total", "counter", "Attempts to deliver webhooks, by outcome.",
     put_webhooks},
    {"aicaller_webhooks_waiting", "gauge", "Webhooks in the storage that are to be sent.",
     put_webhooks_waiting},
    {"aicaller_trace_spans_total", "counter", "Spans of traces, by what became of them.",
     put_traces},
    {"aicaller_recordings_stopped_total", "counter", "Recordings that ended before their call.",
     put_recordings},
    {"aicaller_retention_rows_deleted_total", "counter", "Rows deleted because of their age.",
     put_retention_rows},
    {"aicaller_retention_files_deleted_total", "counter",
     "Recordings deleted because of their age, or an erasure.", put_retention_files},
    {"aicaller_log_lines_dropped_total", "counter", "Log lines that a full pipe did not take.",
     put_log_dropped},
    {"aicaller_link_messages_dropped_total", "counter", "Messages between workers that were lost.",
     put_link_dropped},
};

bool web_metrics(struct web *web, struct aic_buf *to)
{
    struct scrape *s = web->settings.shm ? calloc(1, sizeof(*s)) : NULL;
    if (!s) {
        return false;
    }
    s->shm = web->settings.shm;
    s->wall_us = sched_wall(web->settings.sched);
    shm_totals(s->shm, s->totals);
    aic_buf_init(&s->page, PAGE_BYTES);
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        s->family = families[i].name;
        exposition_family(&s->page, families[i].name, families[i].type, families[i].help);
        families[i].put(s);
    }
    bool is_good = !s->page.failed && aic_buf_str(to, aic_buf_view(&s->page)) == AIC_OK;
    aic_buf_finish(&s->page);
    free(s);
    return is_good;
}

static int32_t get_metrics(struct web *web, const struct visit *visit)
{
    struct aic_buf page;
    aic_buf_init(&page, PAGE_BYTES);
    bool is_good = web_metrics(web, &page);
    static const struct aic_header headers[] = {
        {AIC_STR_INIT("cache-control"), AIC_STR_INIT("no-store")}};
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 200,
                                          .content_type =
                                              "text/plain; version=0.0.4; charset=utf-8",
                                          .body = aic_buf_view(&page),
                                          .headers = headers,
                                          .header_count = 1,
                                          .header_size = sizeof(headers[0])};
    int32_t result =
        is_good ? server_respond(visit->exchange, &response)
                : reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    aic_buf_finish(&page);
    return result;
}

void scrape_routes(struct web *web)
{
    if (web->settings.shm) {
        web_route(web, AIC_METHOD_GET, "/metrics",
                  &(struct web_route){.scope = API_SCOPE_READ, .handle = get_metrics});
    }
}
