/* SPDX-License-Identifier: ISC */
/* GET /calls/stats/: figures of the calls in a time, for the overview. */
#include "web/lookup.h"
#include "web/params.h"

#include "base/timefmt.h"

#include <string.h>

enum { DEFAULT_DAYS = 30 };

static const int64_t DAY_US = 86400 * INT64_C(1000000);

static const char *const names[] = {"since", "until", "by", "agent", "direction"};
static const char *const buckets[] = {"hour", "day", "all", NULL};
static const char *const directions[] = {"inbound", "outbound", NULL};
static const char *const steps[][2] = {{"stats.calls", "calls"},
                                       {"stats.latency", "latency"},
                                       {"stats.usage", "usage"},
                                       {"stats.failovers", "failovers"}};

/* Places in it. */
enum { CALLS = 0, FAILOVERS = 3 };

enum { NAMES = sizeof(names) / sizeof(names[0]), STEPS = sizeof(steps) / sizeof(steps[0]) };

struct stats {
    struct lookup lookup; /* first */
    struct params params;
    char since[TIME_TEXT];
    char until[TIME_TEXT]; /* "" = now */
    size_t step;
};

static void finish(struct lookup *lookup)
{
    params_finish(&((struct stats *)lookup)->params);
}

static void put_param(const struct params *params, struct aic_json_writer *w, const char *name)
{
    struct aic_str value = params_get(params, name);
    if (value.len > 0) {
        aic_json_member(w, name, value);
    }
}

static void part_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error);

static void ask(struct stats *stats)
{
    struct lookup *lookup = &stats->lookup;
    struct aic_json_writer w;
    aic_buf_clear(&lookup->params);
    aic_json_writer_init(&w, &lookup->params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "since", stats->since);
    if (stats->until[0]) {
        aic_json_member_text(&w, "until", stats->until);
    }
    if (stats->step == CALLS || stats->step == FAILOVERS) {
        put_param(&stats->params, &w, "by");
    }
    if (stats->step == CALLS) {
        put_param(&stats->params, &w, "agent");
        put_param(&stats->params, &w, "direction");
    }
    aic_json_close(&w, '}');
    lookup_ask(lookup, steps[stats->step][0], part_came);
}

static void part_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct stats *stats = data;
    if (!lookup_is_good(&stats->lookup, status, error)) {
        return;
    }
    aic_json_member_raw(&stats->lookup.w, steps[stats->step][1], rows);
    stats->step++;
    if (stats->step == STEPS) {
        lookup_succeed(&stats->lookup);
    } else {
        ask(stats);
    }
}

static bool read_time(struct params *params, const char *name, char to[TIME_TEXT])
{
    int64_t wall_us = -1;
    if (!params_time(params, name, &wall_us)) {
        return false;
    }
    if (wall_us >= 0) {
        time_format(to, wall_us);
    }
    return true;
}

static bool read_query(struct stats *stats, struct aic_str query)
{
    struct params *params = &stats->params;
    return params_read(params, query, names, NAMES) && params_choice(params, "by", buckets) &&
           params_choice(params, "direction", directions) &&
           read_time(params, "since", stats->since) && read_time(params, "until", stats->until);
}

static int32_t get_stats(struct web *web, const struct visit *visit)
{
    struct stats *stats = (struct stats *)lookup_begin(web, visit, sizeof(*stats));
    if (!stats) {
        return AIC_OK;
    }
    struct lookup *lookup = &stats->lookup;
    int64_t today_us = sched_wall(web->settings.sched) / DAY_US * DAY_US;
    lookup->finish = finish;
    time_format(stats->since, today_us - DEFAULT_DAYS * DAY_US);
    if (!read_query(stats, visit->request->query)) {
        (void)lookup_refuse(visit, &stats->params);
        lookup_end(lookup);
        return AIC_OK;
    }
    struct aic_str by = params_get(&stats->params, "by");
    aic_json_open(&lookup->w, '{');
    aic_json_member_text(&lookup->w, "since", stats->since);
    aic_json_member_text(&lookup->w, "until", stats->until[0] ? stats->until : NULL);
    aic_json_member(&lookup->w, "by", by.len > 0 ? by : AIC_STR("day"));
    ask(stats);
    return AIC_OK;
}

void stats_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/stats/",
              &(struct web_route){.scope = API_SCOPE_READ, .handle = get_stats});
}
