/* SPDX-License-Identifier: ISC */
#include "cli/top_screen.h"

#include "base/timefmt.h"

#include "json.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LINE = 512 };

struct paper {
    struct aic_buf *to;
    size_t columns;
    size_t left; /* lines that still fit */
    bool is_screen;
};

/* What a caller or a carrier sent must not steer the terminal. */
static void make_plain(char *text)
{
    for (char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f) {
            *c = '?';
        }
    }
}

static void line(struct paper *paper, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void line(struct paper *paper, const char *format, ...)
{
    char text[LINE];
    char cut[LINE];
    va_list args;
    if (paper->left == 0) {
        return;
    }
    paper->left--;
    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    make_plain(text);
    size_t room = paper->columns + 1 < sizeof(cut) ? paper->columns + 1 : sizeof(cut);
    (void)aic_str_copy(aic_str(text), cut, room);
    aic_buf_text(paper->to, cut);
    aic_buf_text(paper->to, paper->is_screen ? "\033[K\n" : "\n");
}

static double rate(const struct top_view *view, double now, double before)
{
    return view->before && view->spent_s > 0 && now >= before ? (now - before) / view->spent_s : 0;
}

/* Of the time since the last look, where something happened in it; else since the start. */
static struct top_times recent(const struct top_times *now, const struct top_times *before)
{
    struct top_times times = *now;
    if (before) {
        top_times_subtract(&times, before);
    }
    return times.total > 0 ? times : *now;
}

static void write_ms(char to[24], double ms)
{
    (void)snprintf(to, 24, ms < 0 ? "-" : "%.0f", ms);
}

static void print_head(const struct top_view *view, struct paper *paper)
{
    const struct top_data *now = view->now;
    int64_t up_s = now->started_s > 0 ? view->wall_us / 1000000 - (int64_t)now->started_s : 0;
    char at[TIME_TEXT];
    char cpu[32] = "";
    time_format(at, view->wall_us);
    if (view->before) {
        (void)snprintf(cpu, sizeof(cpu), "   cpu %.0f%%",
                       100 * rate(view, now->cpu_s, view->before->cpu_s));
    }
    line(paper, "aicaller  %.19sZ   up %lld:%02lld:%02lld   workers %.0f%s   memory %.0f MB", at,
         (long long)(up_s / 3600), (long long)(up_s / 60 % 60), (long long)(up_s % 60),
         now->workers, cpu, now->memory_bytes / 1e6);
}

static void print_summary(const struct top_view *view, struct paper *paper)
{
    const struct top_data *now = view->now;
    const struct top_times response =
        recent(&now->response, view->before ? &view->before->response : NULL);
    char p50[24];
    char p95[24];
    write_ms(p50, top_percentile_ms(&response, 0.5));
    write_ms(p95, top_percentile_ms(&response, 0.95));
    line(paper, "calls     %.0f live   %.0f waiting   %.0f ended", now->live, now->waiting,
         now->ended);
    line(paper, "turns     %.0f whole   %.0f interrupted   response p50 %s ms   p95 %s ms",
         now->turns_whole, now->turns_interrupted, p50, p95);
    line(paper, "spool     %.0f facts waiting   %.1f/s moved   %.0f dropped%s", now->spool_facts,
         view->before ? rate(view, now->spool_moved, view->before->spool_moved) : 0,
         now->spool_dropped, now->disk_bad > 0 ? "   THE DISK CAN NOT BE WRITTEN" : "");
    if (now->storage_down_s > 0) {
        line(paper, "storage   DOWN for %.0f s", now->storage_down_s);
    } else {
        line(paper, "storage   ok");
    }
}

static const struct top_provider *find_before(const struct top_view *view, const char *name)
{
    for (size_t i = 0; view->before && i < view->before->provider_count; i++) {
        if (strcmp(view->before->providers[i].name, name) == 0) {
            return &view->before->providers[i];
        }
    }
    return NULL;
}

static void print_provider(const struct top_view *view, const struct top_provider *provider,
                           struct paper *paper)
{
    const struct top_provider *before = find_before(view, provider->name);
    char texts[3][24];
    for (size_t i = 0; i < 3; i++) {
        const struct top_times times =
            recent(&provider->stages[i], before ? &before->stages[i] : NULL);
        write_ms(texts[i], top_percentile_ms(&times, 0.5));
    }
    line(paper, "%-16.16s %-10.10s %8s %8s %8s %10.0f %12.4f", provider->name,
         provider->trouble[0] ? provider->trouble : "ok", texts[0], texts[1], texts[2],
         provider->failovers, provider->cost);
}

static void print_call(const struct top_view *view, const struct aic_json *call,
                       struct paper *paper)
{
    static const char *const keys[] = {"call_id", "agent", "direction", "from", "to", "state"};
    char texts[6][64];
    int64_t since_ms = aic_json_get_int(call, "since_ms", 0);
    int64_t seconds = since_ms > 0 ? (view->wall_us / 1000 - since_ms) / 1000 : 0;
    for (size_t i = 0; i < 6; i++) {
        (void)aic_str_copy(aic_json_get_text(call, keys[i]), texts[i], sizeof(texts[i]));
    }
    line(paper, "%5lld:%02lld  %-8.8s  %-16.16s  %-16.16s  %-12.12s  %-10.10s  %.36s",
         (long long)(seconds / 60), (long long)(seconds % 60), texts[2], texts[3], texts[4],
         texts[1], texts[5], texts[0]);
}

void top_print(const struct top_view *view, struct aic_buf *to, size_t columns, size_t rows,
               bool is_screen)
{
    struct paper paper = {.to = to, .columns = columns, .left = rows, .is_screen = is_screen};
    print_head(view, &paper);
    print_summary(view, &paper);
    line(&paper, "%s", "");
    line(&paper, "%-16s %-10s %8s %8s %8s %10s %12s", "PROVIDER", "STATE", "STT ms", "LLM ms",
         "TTS ms", "FAILOVERS", "COST");
    for (size_t i = 0; i < view->now->provider_count; i++) {
        print_provider(view, &view->now->providers[i], &paper);
    }
    line(&paper, "%s", "");
    line(&paper, "%8s  %-8s  %-16s  %-16s  %-12s  %-10s  %s", "TIME", "WAY", "FROM", "TO", "AGENT",
         "STATE", "CALL");
    for (size_t i = 0; i < aic_json_count(view->calls); i++) {
        print_call(view, aic_json_at(view->calls, i), &paper);
    }
    if (aic_json_count(view->calls) == 0) {
        line(&paper, "no live calls");
    }
}

static void write_times(struct aic_json_writer *w, const char *name, const struct top_times *times)
{
    aic_json_key(w, name);
    aic_json_open(w, '{');
    aic_json_member_int(w, "count", (int64_t)times->total);
    if (times->total > 0) {
        aic_json_member_double(w, "mean_ms", times->sum_s * 1000 / times->total);
        aic_json_member_double(w, "p50_ms", top_percentile_ms(times, 0.5));
        aic_json_member_double(w, "p95_ms", top_percentile_ms(times, 0.95));
    }
    aic_json_close(w, '}');
}

static void write_provider(struct aic_json_writer *w, const struct top_provider *provider)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "name", provider->name);
    aic_json_member_text(w, "roles", provider->roles);
    aic_json_member_text(w, "state", provider->trouble[0] ? provider->trouble : "ok");
    aic_json_member_int(w, "failovers", (int64_t)provider->failovers);
    aic_json_member_double(w, "cost", provider->cost);
    aic_json_key(w, "stages");
    aic_json_open(w, '{');
    for (size_t i = 0; top_stage_names[i]; i++) {
        if (provider->stages[i].total > 0) {
            write_times(w, top_stage_names[i], &provider->stages[i]);
        }
    }
    aic_json_close(w, '}');
    aic_json_close(w, '}');
}

void top_print_json(const struct top_view *view, struct aic_buf *to)
{
    const struct top_data *now = view->now;
    struct aic_json_writer w;
    char at[TIME_TEXT];
    time_format(at, view->wall_us);
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "at", at);
    aic_json_member_double(&w, "uptime_s", (double)view->wall_us / 1e6 - now->started_s);
    aic_json_member_int(&w, "workers", (int64_t)now->workers);
    aic_json_member_int(&w, "memory_bytes", (int64_t)now->memory_bytes);
    aic_json_member_double(&w, "cpu_s", now->cpu_s);
    aic_json_member_int(&w, "live", (int64_t)now->live);
    aic_json_member_int(&w, "waiting", (int64_t)now->waiting);
    aic_json_member_int(&w, "ended", (int64_t)now->ended);
    aic_json_member_int(&w, "turns_whole", (int64_t)now->turns_whole);
    aic_json_member_int(&w, "turns_interrupted", (int64_t)now->turns_interrupted);
    write_times(&w, "response", &now->response);
    aic_json_key(&w, "spool");
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "facts", (int64_t)now->spool_facts);
    aic_json_member_int(&w, "memory_bytes", (int64_t)now->spool_bytes);
    aic_json_member_int(&w, "moved", (int64_t)now->spool_moved);
    aic_json_member_int(&w, "dropped", (int64_t)now->spool_dropped);
    aic_json_member_bool(&w, "disk_bad", now->disk_bad > 0);
    aic_json_member_double(&w, "storage_down_s", now->storage_down_s);
    aic_json_close(&w, '}');
    aic_json_key(&w, "providers");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < now->provider_count; i++) {
        write_provider(&w, &now->providers[i]);
    }
    aic_json_close(&w, ']');
    aic_json_key(&w, "calls");
    aic_json_open(&w, '[');
    for (size_t i = 0; i < aic_json_count(view->calls); i++) {
        aic_json_put_node(&w, aic_json_at(view->calls, i));
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    aic_buf_char(to, '\n');
}
