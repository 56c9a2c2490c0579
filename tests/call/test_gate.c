/* SPDX-License-Identifier: ISC */
/* The gate in virtual time, before a real SQLite database. */
#include "call/gate.h"
#include "plugin/provider.h"
#include "plugin/registry.h"
#include "vsched.h"

#include "buf.h"
#include "json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct aic_plugin *aicaller_plugin_sqlite(void);

#define SECOND INT64_C(1000000)
#define HOUR   (3600 * SECOND)

static const char india[] = "+919876543210";
static const char new_york[] = "+12125550100";
static const char sydney[] = "+61255501234";

enum { ANSWERS = 32 };

struct scene {
    struct vsched *v;
    struct sched *sched;
    struct plugin_env env;
    char place[64];
    struct config *config;
    struct gate_rules rules;
    struct provider *database;
    bool storage_is_down; /* answers with an error */
    bool storage_hangs;   /* answers when `late` is called */
    storage_reply late;   /* the answer that is held back */
    void *late_data;
    char late_name[32];
    char *late_params;
    int64_t next_turn_us;
    struct journal journal;
    struct aic_buf facts; /* a line each: table, columns */
    int durable;
    bool journal_is_full;
    struct gate *gate;
    /* What it answered. */
    size_t answers;
    struct gate_verdict verdicts[ANSWERS];
    int64_t answered_us[ANSWERS];
};

/* An answer is never given from inside. */
struct late_answer {
    storage_reply reply;
    void *data;
    int32_t status;
    struct aic_buf rows;
};

static void tell(void *data)
{
    struct late_answer *late = data;
    if (late->reply) {
        late->reply(late->data, late->status,
                    late->rows.len > 0 ? aic_buf_view(&late->rows) : AIC_STR("[]"), NULL);
    }
    aic_buf_finish(&late->rows);
    free(late);
}

static int32_t take_row(void *data, struct aic_str row)
{
    struct late_answer *late = data;
    aic_buf_char(&late->rows, late->rows.len == 0 ? '[' : ',');
    aic_buf_str(&late->rows, row);
    return AIC_OK;
}

static void ask(struct scene *scene, bool is_change, const char *name, struct aic_str params,
                storage_reply reply, void *data)
{
    struct late_answer *late = calloc(1, sizeof(*late));
    const struct aic_storage *table = &scene->database->storage;
    struct aic_error error = {.size = sizeof(error)};
    *late = (struct late_answer){.reply = reply, .data = data, .status = AIC_ERROR_IO};
    aic_buf_init(&late->rows, 1 << 20);
    if (!scene->storage_is_down) {
        late->status =
            is_change ? table->change(scene->database->self, name, params, take_row, late, &error)
                      : table->query(scene->database->self, name, params, take_row, late, &error);
        if (late->status != AIC_OK) {
            print_message("%s %.*s: %.*s\n", name, (int)params.len, params.ptr,
                          (int)error.message.len, error.message.ptr);
        }
    }
    if (late->rows.len > 0) {
        aic_buf_char(&late->rows, ']');
    }
    assert_int_equal(sched_post(scene->sched, tell, late), AIC_OK);
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    ask(data, false, name, params, reply, reply_data);
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct scene *scene = data;
    if (scene->storage_hangs && reply) {
        scene->late = reply;
        scene->late_data = reply_data;
        (void)snprintf(scene->late_name, sizeof(scene->late_name), "%s", name);
        scene->late_params = aic_str_dup(params);
        return;
    }
    ask(scene, true, name, params, reply, reply_data);
}

struct turn {
    struct sched *sched;
    link_reply reply;
    void *data;
    int64_t wait_us;
};

static void tell_turn(void *data)
{
    struct turn *turn = data;
    char answer[64];
    (void)snprintf(answer, sizeof(answer), "{\"retry_after_ms\":%lld}",
                   (long long)(turn->wait_us + 999) / 1000);
    turn->reply(turn->data, turn->wait_us > 0 ? AIC_ERROR_DENIED : AIC_OK,
                turn->wait_us > 0 ? aic_str(answer) : AIC_STR(""));
    free(turn);
}

static void take_turn(void *data, int64_t window_ms, link_reply reply, void *reply_data)
{
    struct scene *scene = data;
    struct turn *turn = calloc(1, sizeof(*turn));
    int64_t now_us = sched_now(scene->sched);
    *turn = (struct turn){scene->sched, reply, reply_data, scene->next_turn_us - now_us};
    if (turn->wait_us <= 0) {
        scene->next_turn_us = now_us + window_ms * 1000;
    }
    assert_int_equal(sched_post(scene->sched, tell_turn, turn), AIC_OK);
}

static void write_fact(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                       void (*done)(void *data, int32_t status), void *data)
{
    struct scene *scene = (struct scene *)((char *)journal - offsetof(struct scene, journal));
    aic_buf_printf(&scene->facts, "%s ", fact->table);
    aic_buf_str(&scene->facts, fact->columns);
    aic_buf_char(&scene->facts, '\n');
    scene->durable += is_durable;
    if (done) {
        done(data, scene->journal_is_full ? AIC_ERROR_TOO_LARGE : AIC_OK);
    }
}

static void make_database(struct scene *scene)
{
    char error[REGISTRY_ERROR_TEXT];
    char text[128];
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    (void)snprintf(scene->place, sizeof(scene->place), "/tmp/aicaller-gate-XXXXXX");
    assert_non_null(mkdtemp(scene->place));
    (void)snprintf(text, sizeof(text), "p = { path = \"%s/gate.db\"; };", scene->place);
    const struct aic_plugin *plugin = registry_adopt(aicaller_plugin_sqlite(), error);
    assert_non_null(plugin);
    assert_int_equal(config_parse("test", aic_str(text), NULL, &problems, &config), AIC_OK);
    struct settings_table table = {plugin->options, plugin->option_count, plugin->option_size};
    struct settings *settings =
        settings_check("p", config_get(config_root(config), "p"), &table, 1, NULL, 0, &problems);
    scene->database =
        provider_create("database", plugin, settings, &scene->env, error, sizeof(error));
    assert_non_null(scene->database);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    config_free(config);
    struct aic_error trouble = {.size = sizeof(trouble)};
    assert_int_equal(scene->database->storage.migrate(scene->database->self, NULL, NULL, &trouble),
                     AIC_OK);
}

static struct scene *scene_create(const char *conf, const char *zones)
{
    struct scene *scene = calloc(1, sizeof(*scene));
    struct config_problems problems = {.list = NULL};
    scene->v = vsched_create(1);
    scene->sched = vsched_sched(scene->v);
    scene->env = (struct plugin_env){.sched = scene->sched, .public_url = ""};
    aic_buf_init(&scene->facts, 1 << 20);
    scene->journal.write = write_fact;
    make_database(scene);
    assert_int_equal(config_parse("test", aic_str(conf), NULL, &problems, &scene->config), AIC_OK);
    gate_rules_load(&scene->rules, config_get(config_root(scene->config), "outbound"), &problems);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    const struct gate_settings settings = {
        .sched = scene->sched,
        .journal = &scene->journal,
        .rules = &scene->rules,
        .zone_folder = zones ? zones : "/usr/share/zoneinfo",
        .ports = {.query = query, .change = change, .take_turn = take_turn, .data = scene}};
    scene->gate = gate_create(&settings);
    assert_non_null(scene->gate);
    return scene;
}

static void scene_destroy(struct scene *scene)
{
    char path[128];
    gate_destroy(scene->gate);
    vsched_run(scene->v, 0);
    provider_destroy(scene->database);
    gate_rules_finish(&scene->rules);
    config_free(scene->config);
    aic_buf_finish(&scene->facts);
    free(scene->late_params);
    vsched_destroy(scene->v);
    static const char *const files[] = {"gate.db", "gate.db-wal", "gate.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", scene->place, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(scene->place);
    free(scene);
}

static void answered(void *data, const struct gate_verdict *verdict)
{
    struct scene *scene = data;
    assert_true(scene->answers < ANSWERS);
    scene->answered_us[scene->answers] = sched_now(scene->sched);
    scene->verdicts[scene->answers++] = *verdict;
}

static const char *id_of(int call)
{
    static char id[40];
    (void)snprintf(id, sizeof(id), "019b8d99-6900-7000-8000-%012d", call);
    return id;
}

static struct gate_check *pass(struct scene *scene, int call, const char *to)
{
    const struct gate_request request = {.call_id = id_of(call),
                                         .to = to,
                                         .agent = "default",
                                         .actor = "test",
                                         .has_greeting = true,
                                         .limit_ms = 1800000};
    struct gate_check *check = gate_pass(scene->gate, &request, answered, scene);
    assert_non_null(check);
    return check;
}

/* Asks for one call and lets the answer come. */
static const char *verdict_of(struct scene *scene, int call, const char *to)
{
    size_t before = scene->answers;
    (void)pass(scene, call, to);
    assert_int_equal(scene->answers, before);
    vsched_run(scene->v, 2 * SECOND);
    assert_int_equal(scene->answers, before + 1);
    return gate_reason_name(scene->verdicts[before].reason);
}

static void put_on_list(struct scene *scene, const char *number)
{
    char params[128];
    (void)snprintf(params, sizeof(params), "{\"number\":\"%s\",\"source\":\"test\"}", number);
    change(scene, "do_not_call.add", aic_str(params), NULL, NULL);
    vsched_run(scene->v, 0);
}

/* Wall time begins on Monday, 2026-01-05 at 10:00 UTC: 15:30 in India, 05:00 in New York. */
static const char wide[] = "outbound = { allow = [ \"IN\", \"US\", \"AU\", \"GB\" ]; };";

static void test_a_call_within_all_rules_passes_and_is_audited_first(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, NULL);
    assert_string_equal(verdict_of(scene, 1, india), "");
    assert_int_equal(scene->durable, 1);
    assert_non_null(strstr(scene->facts.data, "audit {"));
    assert_non_null(strstr(scene->facts.data, "\"action\":\"dial\""));
    assert_non_null(strstr(scene->facts.data, "\"outcome\":\"allowed\""));
    assert_non_null(strstr(scene->facts.data, "\"actor\":\"test\""));
    assert_null(strstr(scene->facts.data, "events {"));
    scene_destroy(scene);
}

static void test_a_refusal_leaves_an_event_an_audit_fact_and_a_count(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, NULL);
    put_on_list(scene, india);
    assert_string_equal(verdict_of(scene, 1, india), "do_not_call");
    assert_int_equal(gate_refusals(scene->gate, GATE_DO_NOT_CALL), 1);
    assert_non_null(strstr(scene->facts.data, "events {"));
    assert_non_null(strstr(scene->facts.data, "\"type\":\"dial_refused\""));
    assert_non_null(strstr(scene->facts.data, "\"reason\":\"do_not_call\""));
    assert_non_null(strstr(scene->facts.data, "\"outcome\":\"refused\""));
    /* Another number is not concerned, and what was taken off the list may be called again. */
    assert_string_equal(verdict_of(scene, 2, "+919876543211"), "");
    change(scene, "do_not_call.remove", AIC_STR("{\"number\":\"+919876543210\"}"), NULL, NULL);
    assert_string_equal(verdict_of(scene, 3, india), "");
    scene_destroy(scene);
}

static void test_who_said_so_in_a_call_is_not_dialled_again(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, NULL);
    assert_string_equal(verdict_of(scene, 1, india), "");
    gate_opt_out(scene->gate, id_of(1), india);
    /* On the disk first, for a storage that is down; and at once in the storage. */
    assert_int_equal(scene->durable, 2);
    assert_non_null(strstr(scene->facts.data, "do_not_call {"));
    assert_non_null(strstr(scene->facts.data, "\"outcome\":\"listed\""));
    assert_string_equal(verdict_of(scene, 2, india), "do_not_call");
    scene_destroy(scene);
}

static void test_the_hours_are_those_where_somebody_is_called(void **state)
{
    (void)state;

    static const struct {
        const char *to;
        int64_t shift_us; /* of the wall, since Monday 10:00 UTC */
        const char *reason;
    } cases[] = {
        /* India is five and a half hours ahead: 08:00 there is 02:30 UTC. */
        {india, 0, ""},
        {india, 16 * HOUR + 30 * 60 * SECOND - 1, "outside_hours"},
        {india, 16 * HOUR + 30 * 60 * SECOND, ""},
        {india, 5 * HOUR + 30 * 60 * SECOND - 1, ""},
        {india, 5 * HOUR + 30 * 60 * SECOND, "outside_hours"},
        {new_york, 0, "outside_hours"},
        {new_york, 3 * HOUR, ""},
        /* The clocks went forward on March 8: 08:00 is 12:00 UTC from then on, 13:00 before. */
        {new_york, 61 * 24 * HOUR + 2 * HOUR, "outside_hours"},
        {new_york, 62 * 24 * HOUR + 2 * HOUR, ""},
        /* Sydney in January is eleven hours ahead: 21:00; in July ten: 20:00. */
        {sydney, 0, "outside_hours"},
        {sydney, -1, ""},
        {sydney, 181 * 24 * HOUR, ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene *scene = scene_create(wide, NULL);
        vsched_shift_wall(scene->v, cases[i].shift_us);
        assert_string_equal(verdict_of(scene, 1, cases[i].to), cases[i].reason);
        scene_destroy(scene);
    }
}

static void
test_a_number_without_a_place_needs_the_hours_of_all_zones_or_one_that_stands_for_them(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, NULL);
    /* 18:00 UTC: 13:00 in New York, 08:00 in Honolulu. */
    vsched_shift_wall(scene->v, 8 * HOUR - 1);
    assert_string_equal(verdict_of(scene, 1, "+18005550100"), "outside_hours");
    vsched_shift_wall(scene->v, HOUR);
    assert_string_equal(verdict_of(scene, 2, "+18005550100"), "");
    scene_destroy(scene);
    scene = scene_create("outbound = { allow = [ \"US\" ]; regions = { US = { zone = "
                         "\"America/New_York\"; }; }; };",
                         NULL);
    vsched_shift_wall(scene->v, 4 * HOUR);
    assert_string_equal(verdict_of(scene, 1, "+18005550100"), "");
    /* A number with a place keeps its own: 06:00 in Los Angeles. */
    assert_string_equal(verdict_of(scene, 2, "+14155550100"), "outside_hours");
    scene_destroy(scene);
}

static void test_without_time_zones_nobody_is_called(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, "/nonexistent");
    assert_string_equal(verdict_of(scene, 1, india), "zone_unknown");
    assert_non_null(strstr(scene->verdicts[0].text, "tzdata"));
    scene_destroy(scene);
}

static void test_without_a_word_in_the_configuration_nobody_is_called(void **state)
{
    (void)state;
    struct scene *scene = scene_create("server = { };", NULL);
    assert_string_equal(verdict_of(scene, 1, india), "outbound_not_configured");
    scene_destroy(scene);
}

static void test_a_limit_holds_until_its_window_has_passed(void **state)
{
    (void)state;
    struct scene *scene = scene_create("outbound = { allow = [ \"IN\" ]; max_per_minute = 2; "
                                       "max_per_hour = 3; calls_per_second = 100.0; };",
                                       NULL);
    assert_string_equal(verdict_of(scene, 1, india), "");
    assert_string_equal(verdict_of(scene, 2, india), "");
    assert_string_equal(verdict_of(scene, 3, india), "limit_per_minute");
    assert_in_range(scene->verdicts[2].retry_after_ms, 50000, 60000);
    vsched_run(scene->v, 60 * SECOND);
    assert_string_equal(verdict_of(scene, 4, india), "");
    vsched_run(scene->v, 60 * SECOND);
    assert_string_equal(verdict_of(scene, 5, india), "limit_per_hour");
    vsched_run(scene->v, 3600 * SECOND);
    assert_string_equal(verdict_of(scene, 6, india), "");
    scene_destroy(scene);
}

static void test_calls_at_the_same_time_are_counted_until_they_end(void **state)
{
    (void)state;
    struct scene *scene = scene_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 2; calls_per_second = 100.0; };", NULL);
    assert_string_equal(verdict_of(scene, 1, india), "");
    assert_string_equal(verdict_of(scene, 2, india), "");
    assert_string_equal(verdict_of(scene, 3, india), "limit_concurrent");
    assert_int_equal(scene->verdicts[2].retry_after_ms, 0);
    gate_settle(scene->gate, id_of(1), 0);
    assert_string_equal(verdict_of(scene, 4, india), "");
    gate_release(scene->gate, id_of(2));
    assert_string_equal(verdict_of(scene, 5, india), "");
    assert_string_equal(verdict_of(scene, 6, india), "limit_concurrent");
    /* Nobody settles them: their workers died. The longest call would be over by then. */
    vsched_run(scene->v, 1800 * SECOND);
    assert_string_equal(verdict_of(scene, 7, india), "");
    scene_destroy(scene);
}

static void test_a_call_that_was_not_dialled_counts_nowhere(void **state)
{
    (void)state;
    struct scene *scene = scene_create(
        "outbound = { allow = [ \"IN\" ]; max_per_day = 1; calls_per_second = 100.0; };", NULL);
    assert_string_equal(verdict_of(scene, 1, india), "");
    assert_string_equal(verdict_of(scene, 2, india), "limit_per_day");
    gate_release(scene->gate, id_of(1));
    assert_string_equal(verdict_of(scene, 3, india), "");
    gate_settle(scene->gate, id_of(3), 0);
    assert_string_equal(verdict_of(scene, 4, india), "limit_per_day");
    scene_destroy(scene);
}

static void test_money_is_set_aside_before_and_settled_after(void **state)
{
    (void)state;
    struct scene *scene =
        scene_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 100.0; };", NULL);
    scene->rules.max_cost_per_call = 1.0;
    scene->rules.max_cost_per_day = 2.5;
    assert_string_equal(verdict_of(scene, 1, india), "");
    assert_string_equal(verdict_of(scene, 2, india), "");
    assert_string_equal(verdict_of(scene, 3, india), "limit_cost");
    /* The first cost a quarter of what was set aside: there is room for one more. */
    gate_settle(scene->gate, id_of(1), 0.25);
    assert_string_equal(verdict_of(scene, 4, india), "");
    assert_string_equal(verdict_of(scene, 5, india), "limit_cost");
    scene_destroy(scene);
}

static void test_calls_wait_for_their_turn_and_are_judged_again_then(void **state)
{
    (void)state;
    struct scene *scene =
        scene_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.1; };", NULL);
    (void)pass(scene, 1, india);
    (void)pass(scene, 2, india);
    (void)pass(scene, 3, "+919876543211");
    vsched_run(scene->v, 5 * SECOND);
    assert_int_equal(scene->answers, 1);
    /* While they wait the second asks not to be called any more. */
    put_on_list(scene, india);
    vsched_run(scene->v, 20 * SECOND);
    assert_int_equal(scene->answers, 3);
    assert_string_equal(gate_reason_name(scene->verdicts[0].reason), "");
    assert_string_equal(gate_reason_name(scene->verdicts[1].reason), "do_not_call");
    assert_string_equal(gate_reason_name(scene->verdicts[2].reason), "");
    assert_in_range(scene->answered_us[2] - scene->answered_us[0], 20 * SECOND, 21 * SECOND);
    scene_destroy(scene);
}

static void test_the_hours_may_end_while_a_call_waits(void **state)
{
    (void)state;
    struct scene *scene =
        scene_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.1; };", NULL);
    vsched_shift_wall(scene->v, 5 * HOUR + 30 * 60 * SECOND - 5 * SECOND);
    (void)pass(scene, 1, india);
    (void)pass(scene, 2, india);
    vsched_run(scene->v, 30 * SECOND);
    assert_string_equal(gate_reason_name(scene->verdicts[0].reason), "");
    assert_string_equal(gate_reason_name(scene->verdicts[1].reason), "outside_hours");
    scene_destroy(scene);
}

static void test_who_waits_a_minute_is_refused(void **state)
{
    (void)state;
    struct scene *scene =
        scene_create("outbound = { allow = [ \"IN\" ]; calls_per_second = 0.01; };", NULL);
    (void)pass(scene, 1, india);
    (void)pass(scene, 2, india);
    vsched_run(scene->v, 200 * SECOND);
    assert_int_equal(scene->answers, 2);
    assert_string_equal(gate_reason_name(scene->verdicts[1].reason), "limit_queue");
    scene_destroy(scene);
}

static void test_a_storage_that_is_down_refuses(void **state)
{
    (void)state;
    struct scene *scene = scene_create(wide, NULL);
    scene->storage_is_down = true;
    assert_string_equal(verdict_of(scene, 1, india), "storage_unavailable");
    scene->storage_is_down = false;
    assert_string_equal(verdict_of(scene, 2, india), "");
    scene_destroy(scene);
}

static void test_a_storage_that_hangs_refuses_and_what_it_grants_later_is_given_back(void **state)
{
    (void)state;
    struct scene *scene = scene_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    scene->storage_hangs = true;
    (void)pass(scene, 1, india);
    vsched_run(scene->v, 4 * SECOND);
    assert_int_equal(scene->answers, 1);
    assert_string_equal(gate_reason_name(scene->verdicts[0].reason), "storage_unavailable");
    scene->storage_hangs = false;
    ask(scene, true, scene->late_name, aic_str(scene->late_params), scene->late, scene->late_data);
    vsched_run(scene->v, SECOND);
    assert_int_equal(scene->answers, 1);
    assert_string_equal(verdict_of(scene, 2, india), "");
    scene_destroy(scene);
}

static void test_a_dial_that_can_not_be_written_down_is_not_made(void **state)
{
    (void)state;
    struct scene *scene = scene_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    scene->journal_is_full = true;
    assert_string_equal(verdict_of(scene, 1, india), "storage_unavailable");
    scene->journal_is_full = false;
    assert_string_equal(verdict_of(scene, 2, india), "");
    scene_destroy(scene);
}

static void test_a_check_that_is_dropped_is_not_answered_and_keeps_nothing(void **state)
{
    (void)state;
    struct scene *scene = scene_create(
        "outbound = { allow = [ \"IN\" ]; max_concurrent = 1; calls_per_second = 100.0; };", NULL);
    gate_drop(pass(scene, 1, india));
    struct gate_check *check = pass(scene, 2, india);
    scene->storage_hangs = true;
    vsched_run(scene->v, SECOND);
    gate_drop(check);
    scene->storage_hangs = false;
    ask(scene, true, scene->late_name, aic_str(scene->late_params), scene->late, scene->late_data);
    vsched_run(scene->v, SECOND);
    assert_int_equal(scene->answers, 0);
    assert_string_equal(verdict_of(scene, 3, india), "");
    /* And one that is under way when the gate goes. */
    (void)pass(scene, 4, india);
    scene_destroy(scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_within_all_rules_passes_and_is_audited_first),
        cmocka_unit_test(test_a_refusal_leaves_an_event_an_audit_fact_and_a_count),
        cmocka_unit_test(test_who_said_so_in_a_call_is_not_dialled_again),
        cmocka_unit_test(test_the_hours_are_those_where_somebody_is_called),
        cmocka_unit_test(
            test_a_number_without_a_place_needs_the_hours_of_all_zones_or_one_that_stands_for_them),
        cmocka_unit_test(test_without_time_zones_nobody_is_called),
        cmocka_unit_test(test_without_a_word_in_the_configuration_nobody_is_called),
        cmocka_unit_test(test_a_limit_holds_until_its_window_has_passed),
        cmocka_unit_test(test_calls_at_the_same_time_are_counted_until_they_end),
        cmocka_unit_test(test_a_call_that_was_not_dialled_counts_nowhere),
        cmocka_unit_test(test_money_is_set_aside_before_and_settled_after),
        cmocka_unit_test(test_calls_wait_for_their_turn_and_are_judged_again_then),
        cmocka_unit_test(test_the_hours_may_end_while_a_call_waits),
        cmocka_unit_test(test_who_waits_a_minute_is_refused),
        cmocka_unit_test(test_a_storage_that_is_down_refuses),
        cmocka_unit_test(test_a_storage_that_hangs_refuses_and_what_it_grants_later_is_given_back),
        cmocka_unit_test(test_a_dial_that_can_not_be_written_down_is_not_made),
        cmocka_unit_test(test_a_check_that_is_dropped_is_not_answered_and_keeps_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
