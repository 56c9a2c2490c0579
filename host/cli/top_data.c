/* SPDX-License-Identifier: ISC */
#include "cli/top_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const top_stage_names[TOP_STAGES] = {"stt",         "llm",     "tts",
                                                 "endpointing", "playout", NULL};

/* A line of the page. */
struct sample {
    struct aic_str name;
    struct aic_str labels;
    double value;
};

static bool read_sample(struct aic_str line, struct sample *sample)
{
    char number[64];
    const char *end = line.ptr + line.len;
    const char *open = line.len > 0 ? memchr(line.ptr, '{', line.len) : NULL;
    const char *space = line.len > 0 ? memchr(line.ptr, ' ', line.len) : NULL;
    *sample = (struct sample){.labels = {"", 0}};
    if (line.len == 0 || line.ptr[0] == '#' || !space) {
        return false;
    }
    if (open && open < space) {
        const char *close = end;
        while (close > open && *(close - 1) != '}') {
            close--;
        }
        if (close == open || close >= end) {
            return false;
        }
        sample->name = (struct aic_str){line.ptr, (size_t)(open - line.ptr)};
        sample->labels = (struct aic_str){open + 1, (size_t)(close - open) - 2};
        space = close;
    } else {
        sample->name = (struct aic_str){line.ptr, (size_t)(space - line.ptr)};
    }
    (void)aic_str_copy((struct aic_str){space, (size_t)(end - space)}, number, sizeof(number));
    sample->value = strtod(number, NULL);
    return true;
}

/* The value of a label; names of providers hold no quotes. */
static bool get_label(const struct sample *sample, const char *name, char *to, size_t bytes)
{
    size_t length = strlen(name);
    const char *end = sample->labels.ptr + sample->labels.len;
    for (const char *at = sample->labels.ptr; at + length + 2 < end; at++) {
        bool begins = at == sample->labels.ptr || at[-1] == ',';
        if (begins && strncmp(at, name, length) == 0 && at[length] == '=' &&
            at[length + 1] == '"') {
            const char *value = at + length + 2;
            const char *quote = memchr(value, '"', (size_t)(end - value));
            size_t used = (size_t)((quote ? quote : end) - value);
            return aic_str_copy((struct aic_str){value, used}, to, bytes);
        }
    }
    if (bytes > 0) {
        *to = '\0';
    }
    return false;
}

static struct top_provider *provider_of(struct top_data *data, const struct sample *sample,
                                        const char *label)
{
    char name[TOP_NAME];
    if (!get_label(sample, label, name, sizeof(name))) {
        return NULL;
    }
    for (size_t i = 0; i < data->provider_count; i++) {
        if (strcmp(data->providers[i].name, name) == 0) {
            return &data->providers[i];
        }
    }
    if (data->provider_count == TOP_PROVIDERS) {
        return NULL;
    }
    struct top_provider *provider = &data->providers[data->provider_count++];
    (void)snprintf(provider->name, sizeof(provider->name), "%s", name);
    return provider;
}

/* A line of a histogram, whose name is behind its family's. */
static void take_times(struct top_times *times, const struct sample *sample, const char *part)
{
    char bound[32];
    if (strcmp(part, "_count") == 0) {
        times->total += sample->value;
    } else if (strcmp(part, "_sum") == 0) {
        times->sum_s += sample->value;
    } else if (get_label(sample, "le", bound, sizeof(bound)) && strcmp(bound, "+Inf") != 0) {
        double bound_s = strtod(bound, NULL);
        size_t i = 0;
        while (i < times->count && times->bounds_s[i] < bound_s) {
            i++;
        }
        if (i == times->count && i < TOP_BOUNDS) {
            times->bounds_s[times->count++] = bound_s;
        }
        if (i < times->count) {
            times->counts[i] += sample->value;
        }
    }
}

static void take_stage(struct top_data *data, const struct sample *sample, const char *part)
{
    char stage[TOP_NAME];
    struct top_provider *provider = provider_of(data, sample, "provider");
    (void)get_label(sample, "stage", stage, sizeof(stage));
    for (size_t i = 0; provider && top_stage_names[i]; i++) {
        if (strcmp(top_stage_names[i], stage) == 0) {
            take_times(&provider->stages[i], sample, part);
        }
    }
}

static void take_breaker(struct top_data *data, const struct sample *sample)
{
    char role[TOP_NAME];
    char state[TOP_NAME];
    struct top_provider *provider =
        sample->value > 0 ? provider_of(data, sample, "provider") : NULL;
    if (!provider || !get_label(sample, "state", state, sizeof(state))) {
        return;
    }
    if (get_label(sample, "role", role, sizeof(role)) && !strstr(provider->roles, role)) {
        size_t length = strlen(provider->roles);
        (void)snprintf(provider->roles + length, sizeof(provider->roles) - length, "%s%s",
                       length > 0 ? ", " : "", role);
    }
    if (strcmp(state, "closed") != 0) {
        (void)snprintf(provider->trouble, sizeof(provider->trouble), "%s", state);
    }
}

static bool take_number(struct top_data *data, const struct sample *sample)
{
    const struct {
        const char *name;
        double *to;
    } numbers[] = {
        {"aicaller_start_time_seconds", &data->started_s},
        {"aicaller_workers", &data->workers},
        {"aicaller_live_calls", &data->live},
        {"aicaller_waiting_calls", &data->waiting},
        {"aicaller_calls_ended_total", &data->ended},
        {"aicaller_cpu_seconds_total", &data->cpu_s},
        {"aicaller_worker_resident_memory_bytes", &data->memory_bytes},
        {"aicaller_spool_facts", &data->spool_facts},
        {"aicaller_spool_memory_bytes", &data->spool_bytes},
        {"aicaller_spool_disk_bad", &data->disk_bad},
        {"aicaller_storage_down_seconds", &data->storage_down_s},
        {"aicaller_spool_facts_moved_total", &data->spool_moved},
        {"aicaller_spool_facts_dropped_total", &data->spool_dropped},
    };

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        if (aic_str_equal(sample->name, numbers[i].name)) {
            *numbers[i].to += sample->value;
            return true;
        }
    }
    return false;
}

static void take_sample(struct top_data *data, const struct sample *sample)
{
    static const char response[] = "aicaller_turn_response_seconds";
    static const char stage[] = "aicaller_turn_stage_seconds";
    char part[16];
    char end[TOP_NAME];
    struct top_provider *provider = NULL;
    if (take_number(data, sample)) {
        return;
    }
    if (aic_str_starts(sample->name, response)) {
        (void)aic_str_copy((struct aic_str){sample->name.ptr + sizeof(response) - 1,
                                            sample->name.len - sizeof(response) + 1},
                           part, sizeof(part));
        take_times(&data->response, sample, part);
    } else if (aic_str_starts(sample->name, stage)) {
        (void)aic_str_copy((struct aic_str){sample->name.ptr + sizeof(stage) - 1,
                                            sample->name.len - sizeof(stage) + 1},
                           part, sizeof(part));
        take_stage(data, sample, part);
    } else if (aic_str_equal(sample->name, "aicaller_turns_total")) {
        (void)get_label(sample, "end", end, sizeof(end));
        *(strcmp(end, "interrupted") == 0 ? &data->turns_interrupted : &data->turns_whole) +=
            sample->value;
    } else if (aic_str_equal(sample->name, "aicaller_breaker_state")) {
        take_breaker(data, sample);
    } else if (aic_str_equal(sample->name, "aicaller_failovers_total")) {
        provider = provider_of(data, sample, "from");
        *(provider ? &provider->failovers : &(double){0}) += sample->value;
    } else if (aic_str_equal(sample->name, "aicaller_cost_total")) {
        provider = provider_of(data, sample, "provider");
        *(provider ? &provider->cost : &(double){0}) += sample->value;
    }
}

void top_read(struct top_data *data, struct aic_str page)
{
    *data = (struct top_data){.provider_count = 0};
    const char *at = page.ptr;
    const char *end = page.ptr + page.len;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        struct sample sample;
        line_end = line_end ? line_end : end;
        if (read_sample((struct aic_str){at, (size_t)(line_end - at)}, &sample)) {
            take_sample(data, &sample);
        }
        at = line_end + 1;
    }
}

void top_times_subtract(struct top_times *times, const struct top_times *before)
{
    if (times->count != before->count || times->total < before->total) {
        return; /* the first look, or another server */
    }
    times->total -= before->total;
    times->sum_s -= before->sum_s;
    for (size_t i = 0; i < times->count; i++) {
        times->counts[i] -= before->counts[i];
    }
}

double top_percentile_ms(const struct top_times *times, double part)
{
    double wanted = times->total * part;
    if (times->total <= 0) {
        return -1;
    }
    for (size_t i = 0; i < times->count; i++) {
        if (times->counts[i] >= wanted) {
            double below = i > 0 ? times->counts[i - 1] : 0;
            double from_s = i > 0 ? times->bounds_s[i - 1] : 0;
            double inside =
                times->counts[i] > below ? (wanted - below) / (times->counts[i] - below) : 1;
            return (from_s + inside * (times->bounds_s[i] - from_s)) * 1000;
        }
    }
    return times->count > 0 ? times->bounds_s[times->count - 1] * 1000 : -1;
}
