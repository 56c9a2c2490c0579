/* SPDX-License-Identifier: ISC */
#include "call/gate_private.h"

#include "base/log.h"
#include "base/metrics.h"

#include "buf.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_TO = 64 };

/* A storage that has not answered by then does not. */
static const int64_t answer_us = 3 * INT64_C(1000000);
/* How long a call waits for its turn to be dialled. */
static const int64_t turn_us = 60 * INT64_C(1000000);
static const int64_t turn_again_us = 50000;

struct gate *gate_create(const struct gate_settings *settings)
{
    struct gate *gate = calloc(1, sizeof(*gate));
    if (!gate) {
        return NULL;
    }
    gate->settings = *settings;
    if (gate_rules_dial(settings->rules)) {
        gate->zones = zones_load(settings->zone_folder);
        if (!gate->zones) {
            free(gate);
            return NULL;
        }
        if (zones_missing(gate->zones) > 0) {
            log_warn("gate", "nobody is called where the time is not known: install tzdata",
                     LOG_S("folder", settings->zone_folder),
                     LOG_I("zones", zones_missing(gate->zones)));
        }
    }
    return gate;
}

static void free_check(struct gate_check *check)
{
    free(check->to);
    free(check->agent);
    free(check->actor);
    free(check);
}

/* Of a check that is in no list any more. */
static void let_go(struct gate_check *check)
{
    check->gate = NULL;
    sched_timer_stop(check->sched, check->timer);
    check->timer = NULL;
    if (check->has_share) {
        gate_give_back(&check->ports, check->call_id);
    }
    if (check->waits <= GATE_WAIT_TIMER) {
        free_check(check);
    }
}

void gate_drop(struct gate_check *check)
{
    if (!check) {
        return;
    }
    struct gate_check **at = &check->gate->checks;
    while (*at != check) {
        at = &(*at)->next;
    }
    *at = check->next;
    let_go(check);
}

void gate_destroy(struct gate *gate)
{
    if (!gate) {
        return;
    }
    while (gate->checks) {
        struct gate_check *check = gate->checks;
        gate->checks = check->next;
        let_go(check);
    }
    zones_destroy(gate->zones);
    free(gate);
}

uint64_t gate_refusals(const struct gate *gate, enum gate_reason reason)
{
    return (size_t)reason < GATE_REASONS ? gate->refusals[reason] : 0;
}

/* The verdict is final; the check is gone after this. */
static void finish(struct gate_check *check)
{
    struct gate_verdict verdict = check->verdict;
    gate_done done = check->done;
    void *data = check->data;
    check->has_share = check->has_share && verdict.reason != GATE_ALLOWED;
    gate_drop(check);
    done(data, &verdict);
}

static void refuse(struct gate_check *check)
{
    const char *reason = gate_reason_name(check->verdict.reason);
    check->gate->refusals[check->verdict.reason]++;
    metrics_count(METRICS_GATE + (uint32_t)check->verdict.reason, 1);
    log_warn("gate", "a call is not dialled", LOG_S("call", check->call_id),
             LOG_S("agent", check->agent), LOG_S("reason", reason),
             LOG_S("why", check->verdict.text));
    gate_record_event(check);
    gate_record_audit(check, NULL);
    finish(check);
}

/* Judges by what is known so far; false when that was a refusal. */
static bool may_go_on(struct gate_check *check)
{
    gate_decide(check->gate->settings.rules, &check->facts, &check->verdict);
    if (check->verdict.reason != GATE_ALLOWED) {
        refuse(check);
        return false;
    }
    return true;
}

static void wait_until(struct gate_check *check, enum gate_wait waits, int64_t at_us,
                       void (*fire)(void *data))
{
    sched_timer_stop(check->sched, check->timer);
    check->waits = waits;
    check->timer = sched_timer_start(check->sched, at_us, fire, check);
}

static void storage_is_late(void *data)
{
    struct gate_check *check = data;
    check->timer = NULL;
    if (check->waits == GATE_WAIT_LIST) {
        check->facts.do_not_call = GATE_NO_ANSWER;
    } else {
        check->facts.reserved = GATE_NO_ANSWER;
        check->has_share = false; /* given back when the answer comes */
    }
    (void)may_go_on(check);
}

/* An answer came; false when nobody waits for it any more. */
static bool is_awaited(struct gate_check *check)
{
    check->waits = GATE_WAIT_NONE;
    sched_timer_stop(check->sched, check->timer);
    check->timer = NULL;
    if (!check->gate) {
        free_check(check);
        return false;
    }
    return true;
}

static void audit_is_safe(void *data, int32_t status)
{
    struct gate_check *check = data;
    if (!is_awaited(check)) {
        return;
    }
    if (status != AIC_OK) {
        check->facts.reserved = GATE_NO_ANSWER;
        (void)may_go_on(check);
        return;
    }
    finish(check);
}

static void share_came(void *data, int32_t status, struct aic_str rows,
                       const struct aic_error *error)
{
    struct gate_check *check = data;
    (void)error;
    if (!check->gate && status == AIC_OK) {
        gate_give_back(&check->ports, check->call_id);
    }
    if (!is_awaited(check)) {
        return;
    }
    gate_take_share(check, status, rows);
    check->facts.is_final = true;
    if (!may_go_on(check)) {
        return;
    }
    /* A dial is on the disk before the telephone rings. */
    check->waits = GATE_WAIT_AUDIT;
    gate_record_audit(check, audit_is_safe);
}

static void ask_turn(void *data);
static void look_again(struct gate_check *check);

static void turn_came(void *data, int32_t status, struct aic_str answer)
{
    struct gate_check *check = data;
    if (!is_awaited(check)) {
        return;
    }
    int64_t now_us = sched_now(check->sched);
    if (status == AIC_OK) {
        bool has_waited = now_us > check->began_us + turn_again_us;
        check->has_turn = true;
        if (has_waited) {
            look_again(check);
        } else {
            wait_until(check, GATE_WAIT_SHARE, now_us + answer_us, storage_is_late);
            gate_reserve(check, share_came);
        }
        return;
    }
    struct aic_json *json = aic_json_parse(answer, 0);
    int64_t again_us = aic_json_get_int(json, "retry_after_ms", 0) * 1000;
    aic_json_free(json);
    again_us = now_us + (again_us > turn_again_us ? again_us : turn_again_us);
    check->facts.is_late = status != AIC_ERROR_DENIED || again_us > check->began_us + turn_us;
    if (may_go_on(check)) {
        wait_until(check, GATE_WAIT_TIMER, again_us, ask_turn);
    }
}

static void ask_turn(void *data)
{
    struct gate_check *check = data;
    double per_second = check->gate->settings.rules->calls_per_second;
    check->timer = NULL;
    check->waits = GATE_WAIT_TURN;
    check->ports.take_turn(check->ports.data, (int64_t)(1000.0 / per_second), turn_came, check);
}

static void list_came(void *data, int32_t status, struct aic_str rows,
                      const struct aic_error *error)
{
    struct gate_check *check = data;
    (void)error;
    if (!is_awaited(check)) {
        return;
    }
    bool is_listed = !aic_str_equal(rows, "[]");
    check->facts.do_not_call = status != AIC_OK ? GATE_NO_ANSWER
                               : is_listed      ? GATE_OBJECTION
                                                : GATE_CLEAR;
    if (!may_go_on(check)) {
        return;
    }
    if (check->has_turn) {
        wait_until(check, GATE_WAIT_SHARE, sched_now(check->sched) + answer_us, storage_is_late);
        gate_reserve(check, share_came);
    } else {
        ask_turn(check);
    }
}

static void ask_list(struct gate_check *check)
{
    struct aic_buf params;
    struct aic_json_writer w;
    aic_buf_init(&params, 1024);
    aic_json_writer_init(&w, &params);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "number", check->to);
    aic_json_member_bool(&w, "active", true);
    aic_json_member_int(&w, "limit", 1);
    aic_json_close(&w, '}');
    wait_until(check, GATE_WAIT_LIST, sched_now(check->sched) + answer_us, storage_is_late);
    check->ports.query(check->ports.data, "do_not_call", aic_buf_view(&params), list_came, check);
    aic_buf_finish(&params);
}

static void add_clock(struct gate_check *check, const char *name, const struct zone *zone)
{
    struct gate_clock *clock = &check->facts.clocks[check->facts.clock_count++];
    *clock = (struct gate_clock){.zone = name, .is_known = zone != NULL};
    if (zone) {
        clock->time = zone_time(zone, sched_wall(check->sched) / 1000000);
    }
}

/* The clocks where the callee may be. */
static void look_at_clocks(struct gate_check *check)
{
    const struct number *number = &check->facts.number;
    const struct zones *zones = check->gate->zones;
    const char *standing = gate_rules_zone(check->gate->settings.rules, number->region);
    check->facts.clock_count = 0;
    if (!zones) {
        return;
    }
    if (standing && !number->is_placed) {
        add_clock(check, standing, zones_find(zones, standing));
        return;
    }
    for (size_t i = 0; i < number->zone_count; i++) {
        add_clock(check, number_zone_name(number->zones[i]), zones_get(zones, number->zones[i]));
    }
}

/* From the start: what is known without asking, then the do-not-call list. */
static void look_again(struct gate_check *check)
{
    check->facts.do_not_call = GATE_NOT_ASKED;
    look_at_clocks(check);
    if (may_go_on(check)) {
        ask_list(check);
    }
}

static void begin(void *data)
{
    struct gate_check *check = data;
    check->timer = NULL;
    check->waits = GATE_WAIT_NONE;
    look_again(check);
}

struct gate_check *gate_pass(struct gate *gate, const struct gate_request *request, gate_done done,
                             void *data)
{
    struct gate_check *check = calloc(1, sizeof(*check));
    if (!check) {
        return NULL;
    }
    check->sched = gate->settings.sched;
    check->ports = gate->settings.ports;
    check->done = done;
    check->data = data;
    check->limit_ms = request->limit_ms;
    /* More than any number has, so what is cut is no number either way. */
    struct aic_str to = aic_str(request->to);
    to.len = to.len < MOST_TO ? to.len : MOST_TO;
    check->to = aic_str_dup(to);
    check->agent = aic_str_dup(aic_str(request->agent));
    check->actor = aic_str_dup(aic_str(request->actor ? request->actor : "unknown"));
    if (!check->to || !check->agent || !check->actor) {
        free_check(check);
        return NULL;
    }
    (void)aic_str_copy(aic_str(request->call_id), check->call_id, sizeof(check->call_id));
    check->facts.to = aic_str(check->to);
    check->facts.has_greeting = request->has_greeting;
    number_parse(&check->facts.number, check->facts.to);
    check->gate = gate;
    check->next = gate->checks;
    gate->checks = check;
    check->began_us = sched_now(check->sched);
    wait_until(check, GATE_WAIT_TIMER, check->began_us, begin);
    return check;
}
