/* SPDX-License-Identifier: ISC */
#include "gate_rig.h"

#include "plugin/registry.h"

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

static void ask(struct gate_rig *rig, bool is_change, const char *name, struct aic_str params,
                storage_reply reply, void *data)
{
    struct late_answer *late = calloc(1, sizeof(*late));
    const struct aic_storage *table = &rig->database->storage;
    struct aic_error error = {.size = sizeof(error)};
    *late = (struct late_answer){.reply = reply, .data = data, .status = AIC_ERROR_IO};
    aic_buf_init(&late->rows, 1 << 20);
    if (!rig->storage_is_down) {
        late->status =
            is_change ? table->change(rig->database->self, name, params, take_row, late, &error)
                      : table->query(rig->database->self, name, params, take_row, late, &error);
        if (late->status != AIC_OK) {
            print_message("%s %.*s: %.*s\n", name, (int)params.len, params.ptr,
                          (int)error.message.len, error.message.ptr);
        }
    }
    if (late->rows.len > 0) {
        aic_buf_char(&late->rows, ']');
    }
    assert_int_equal(sched_post(rig->sched, tell, late), AIC_OK);
}

static void query(void *data, const char *name, struct aic_str params, storage_reply reply,
                  void *reply_data)
{
    ask(data, false, name, params, reply, reply_data);
}

static void change(void *data, const char *name, struct aic_str params, storage_reply reply,
                   void *reply_data)
{
    struct gate_rig *rig = data;
    if (rig->storage_hangs && reply) {
        rig->late = reply;
        rig->late_data = reply_data;
        (void)snprintf(rig->late_name, sizeof(rig->late_name), "%s", name);
        rig->late_params = aic_str_dup(params);
        return;
    }
    ask(rig, true, name, params, reply, reply_data);
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
    struct gate_rig *rig = data;
    struct turn *turn = calloc(1, sizeof(*turn));
    int64_t now_us = sched_now(rig->sched);
    *turn = (struct turn){rig->sched, reply, reply_data, rig->next_turn_us - now_us};
    if (turn->wait_us <= 0) {
        rig->next_turn_us = now_us + window_ms * 1000;
    }
    assert_int_equal(sched_post(rig->sched, tell_turn, turn), AIC_OK);
}

static void write_fact(struct journal *journal, const struct journal_fact *fact, bool is_durable,
                       void (*done)(void *data, int32_t status), void *data)
{
    struct gate_rig *rig =
        (struct gate_rig *)((char *)journal - offsetof(struct gate_rig, journal));
    aic_buf_printf(&rig->facts, "%s ", fact->table);
    aic_buf_str(&rig->facts, fact->columns);
    aic_buf_char(&rig->facts, '\n');
    rig->durable += is_durable;
    if (done) {
        done(data, rig->journal_is_full ? AIC_ERROR_TOO_LARGE : AIC_OK);
    }
}

static void make_database(struct gate_rig *rig)
{
    char error[REGISTRY_ERROR_TEXT];
    char text[128];
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    (void)snprintf(rig->place, sizeof(rig->place), "/tmp/aicaller-gate-XXXXXX");
    assert_non_null(mkdtemp(rig->place));
    (void)snprintf(text, sizeof(text), "p = { path = \"%s/gate.db\"; };", rig->place);
    const struct aic_plugin *plugin = registry_adopt(aicaller_plugin_sqlite(), error);
    assert_non_null(plugin);
    assert_int_equal(config_parse("test", aic_str(text), NULL, &problems, &config), AIC_OK);
    struct settings_table table = {plugin->options, plugin->option_count, plugin->option_size};
    struct settings *settings =
        settings_check("p", config_get(config_root(config), "p"), &table, 1, NULL, 0, &problems);
    rig->database = provider_create("database", plugin, settings, &rig->env, error, sizeof(error));
    assert_non_null(rig->database);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    config_free(config);
    struct aic_error trouble = {.size = sizeof(trouble)};
    assert_int_equal(rig->database->storage.migrate(rig->database->self, NULL, NULL, &trouble),
                     AIC_OK);
}

struct gate_rig *gate_rig_create(const char *conf, const char *zones)
{
    struct gate_rig *rig = calloc(1, sizeof(*rig));
    struct config_problems problems = {.list = NULL};
    rig->v = vsched_create(1);
    rig->sched = vsched_sched(rig->v);
    rig->env = (struct plugin_env){.sched = rig->sched, .public_url = ""};
    aic_buf_init(&rig->facts, 1 << 20);
    rig->journal.write = write_fact;
    make_database(rig);
    assert_int_equal(config_parse("test", aic_str(conf), NULL, &problems, &rig->config), AIC_OK);
    gate_rules_load(&rig->rules, config_get(config_root(rig->config), "outbound"), &problems);
    assert_int_equal(problems.errors, 0);
    config_problems_finish(&problems);
    const struct gate_settings settings = {
        .sched = rig->sched,
        .journal = &rig->journal,
        .rules = &rig->rules,
        .zone_folder = zones ? zones : "/usr/share/zoneinfo",
        .ports = {.query = query, .change = change, .take_turn = take_turn, .data = rig}};
    rig->gate = gate_create(&settings);
    assert_non_null(rig->gate);
    return rig;
}

void gate_rig_destroy(struct gate_rig *rig)
{
    char path[128];
    gate_destroy(rig->gate);
    vsched_run(rig->v, 0);
    provider_destroy(rig->database);
    gate_rules_finish(&rig->rules);
    config_free(rig->config);
    aic_buf_finish(&rig->facts);
    free(rig->late_params);
    vsched_destroy(rig->v);
    static const char *const files[] = {"gate.db", "gate.db-wal", "gate.db-shm"};
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", rig->place, files[i]);
        (void)unlink(path);
    }
    (void)rmdir(rig->place);
    free(rig);
}

static void answered(void *data, const struct gate_verdict *verdict)
{
    struct gate_rig *rig = data;
    assert_true(rig->answers < GATE_RIG_ANSWERS);
    rig->answered_us[rig->answers] = sched_now(rig->sched);
    rig->verdicts[rig->answers++] = *verdict;
}

const char *gate_rig_id(int call)
{
    static char id[40];
    (void)snprintf(id, sizeof(id), "019b8d99-6900-7000-8000-%012d", call);
    return id;
}

struct gate_check *gate_rig_pass(struct gate_rig *rig, int call, const char *to)
{
    const struct gate_request request = {.call_id = gate_rig_id(call),
                                         .to = to,
                                         .agent = "default",
                                         .actor = "test",
                                         .has_greeting = true,
                                         .limit_ms = 1800000};
    struct gate_check *check = gate_pass(rig->gate, &request, answered, rig);
    assert_non_null(check);
    return check;
}

/* Asks for one call and lets the answer come. */
const char *gate_rig_verdict(struct gate_rig *rig, int call, const char *to)
{
    size_t before = rig->answers;
    (void)gate_rig_pass(rig, call, to);
    assert_int_equal(rig->answers, before);
    vsched_run(rig->v, 2 * SECOND);
    assert_int_equal(rig->answers, before + 1);
    return gate_reason_name(rig->verdicts[before].reason);
}

void gate_rig_change(struct gate_rig *rig, const char *name, const char *params)
{
    ask(rig, true, name, aic_str(params), NULL, NULL);
    vsched_run(rig->v, 0);
}

void gate_rig_let_go(struct gate_rig *rig)
{
    rig->storage_hangs = false;
    ask(rig, true, rig->late_name, aic_str(rig->late_params), rig->late, rig->late_data);
    vsched_run(rig->v, SECOND);
}
