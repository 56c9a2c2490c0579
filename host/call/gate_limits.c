/* SPDX-License-Identifier: ISC */
#include "call/gate_private.h"

#include "buf.h"
#include "json.h"

#include <math.h>

enum { MINUTE_MS = 60000, HOUR_MS = 3600000, DAY_MS = 86400000, PARAMS_BYTES = 2048 };

static const char *const cost_counter = "outbound.cost";

/* Counters hold whole numbers: millionths of the price table's currency. */
static int64_t millionths(double cost)
{
    double whole = cost * 1e6;
    return whole < 0 ? 0 : whole > 9e15 ? INT64_C(9000000000000000) : (int64_t)llround(whole);
}

struct limit {
    const char *counter;
    int64_t amount;
    int64_t limit;
    int64_t window_ms; /* 0 = what is open at the moment */
    enum gate_reason reason;
};

enum { LIMITS = 5 };

static size_t list_limits(const struct gate_rules *rules, struct limit limits[LIMITS])
{
    const struct limit all[LIMITS] = {
        {"outbound.minute", 1, rules->max_per_minute, MINUTE_MS, GATE_PER_MINUTE},
        {"outbound.hour", 1, rules->max_per_hour, HOUR_MS, GATE_PER_HOUR},
        {"outbound.day", 1, rules->max_per_day, DAY_MS, GATE_PER_DAY},
        {"outbound.open", 1, rules->max_concurrent, 0, GATE_CONCURRENT},
        {cost_counter, millionths(rules->max_cost_per_call), millionths(rules->max_cost_per_day),
         DAY_MS, GATE_COST},
    };
    size_t count = rules->max_cost_per_day > 0 ? LIMITS : LIMITS - 1;
    for (size_t i = 0; i < count; i++) {
        limits[i] = all[i];
    }
    return count;
}

void gate_reserve(struct gate_check *check, storage_reply reply)
{
    struct limit limits[LIMITS];
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, PARAMS_BYTES);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "reservation_id", check->call_id);
    aic_json_member_int(&w, "ttl_ms", check->limit_ms);
    aic_json_key(&w, "counters");
    aic_json_open(&w, '[');
    size_t count = list_limits(check->gate->settings.rules, limits);
    for (size_t i = 0; i < count; i++) {
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "counter", limits[i].counter);
        aic_json_member_int(&w, "amount", limits[i].amount);
        aic_json_member_int(&w, "limit", limits[i].limit);
        aic_json_member_int(&w, "window_ms", limits[i].window_ms);
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
    check->ports.change(check->ports.data, "counter.reserve", aic_buf_view(&params), reply, check);
    aic_buf_finish(&params);
}

static void take_objection(struct gate_check *check, const struct aic_json *row)
{
    struct limit limits[LIMITS];
    size_t count = list_limits(check->gate->settings.rules, limits);
    for (size_t i = 0; i < count; i++) {
        if (aic_str_equal(aic_json_get_text(row, "counter"), limits[i].counter)) {
            check->facts.reserved = GATE_OBJECTION;
            check->facts.over = limits[i].reason;
            /* Of open calls nobody knows when they end. */
            check->facts.retry_after_ms =
                limits[i].window_ms ? aic_json_get_int(row, "retry_after_ms", 0) : 0;
        }
    }
}

void gate_take_share(struct gate_check *check, int32_t status, struct aic_str rows)
{
    struct aic_json *list = status == AIC_OK ? aic_json_parse(rows, 0) : NULL;
    const struct aic_json *row = aic_json_at(list, 0);
    check->facts.reserved = GATE_NO_ANSWER;
    if (aic_json_get_bool(row, "granted", false)) {
        check->has_share = true;
        check->facts.reserved = GATE_CLEAR;
    } else if (row) {
        take_objection(check, row);
    }
    aic_json_free(list);
}

static void change_share(const struct gate_ports *ports, const char *change, const char *call_id,
                         const double *cost)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, PARAMS_BYTES);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "reservation_id", call_id);
    if (cost) {
        aic_json_key(&w, "amounts");
        aic_json_open(&w, '{');
        aic_json_member_int(&w, cost_counter, millionths(*cost));
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, '}');
    /* Without an answer the share runs out by itself. */
    ports->change(ports->data, change, aic_buf_view(&params), NULL, NULL);
    aic_buf_finish(&params);
}

void gate_give_back(const struct gate_ports *ports, const char *call_id)
{
    change_share(ports, "counter.release", call_id, NULL);
}

void gate_release(struct gate *gate, const char *call_id)
{
    gate_give_back(&gate->settings.ports, call_id);
}

void gate_settle(struct gate *gate, const char *call_id, double cost)
{
    change_share(&gate->settings.ports, "counter.settle", call_id, &cost);
}
