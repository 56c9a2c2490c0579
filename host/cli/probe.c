/* SPDX-License-Identifier: ISC */
#include "cli/probe.h"

#include "base/log.h"
#include "cli/net.h"
#include "cli/probe_advice.h"
#include "io/loop.h"
#include "plugin/breaker.h"
#include "plugin/guard.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ASK_ACCOUNT = 1, ASK_BALANCE = 2 };

/* One provider, created once, however many roles it has. */
struct asked {
    const struct setup_provider *setup;
    struct provider *provider; /* NULL: it can not be created */
    char why[PROBE_TEXT];
};

struct probe {
    struct probing *all;
    struct probe_result *result;
    struct provider *provider;
    void *session;
    void (*close)(void *session);
    bool is_started; /* telephony: is to be stopped */

    union {
        struct aic_stt_sink stt;
        struct aic_llm_sink llm;
        struct aic_tts_sink tts;
        struct aic_telephony_sink telephony;
    } sink;
};

struct probing {
    struct conf *conf;
    struct net net;
    struct probe_results *results;
    struct probe probes[PROBES_MAX];
    struct asked asked[PROBES_MAX];
    size_t asked_count;
    size_t pending;
    struct sched_timer *deadline;
};

/* How it ended */

static void take_error(struct probe *probe, const struct aic_error *error)
{
    struct probe_result *result = probe->result;
    struct aic_buf advice;
    result->category = error_category_name(error->category);
    (void)log_mask(result->message, sizeof(result->message), error->message);
    aic_buf_init(&advice, sizeof(result->advice) - 1);
    probe_advice(result->setup, error->category, &advice);
    (void)aic_str_copy(aic_buf_view(&advice), result->advice, sizeof(result->advice));
    aic_buf_finish(&advice);
}

static void end(struct probe *probe, enum probe_state state)
{
    if (probe->result->state != PROBE_NONE) {
        return;
    }
    probe->result->state = state;
    if (--probe->all->pending == 0) {
        loop_stop(probe->all->net.loop);
    }
}

static void fail(struct probe *probe, const struct aic_error *error)
{
    static const struct aic_error silent = {.size = sizeof(silent),
                                            .category = AIC_CATEGORY_INTERNAL,
                                            .message = AIC_STR_INIT("the plugin does not say why")};
    take_error(probe, error ? error : &silent);
    end(probe, PROBE_FAILED);
}

static void fail_as(struct probe *probe, uint32_t category, const char *message)
{
    const struct aic_error error = {
        .size = sizeof(error), .category = category, .message = aic_str(message)};
    fail(probe, &error);
}

/* A trial that is repeated says why in warnings; the deadline then has a reason. */
static void remember(struct probe *probe, const struct aic_error *error)
{
    if (error && probe->result->state == PROBE_NONE) {
        take_error(probe, error);
    }
}

static void note_rate(struct probe *probe, const struct aic_rate_info *rate)
{
    char *note = probe->result->note;
    size_t length = strlen(note);
    if (rate && rate->remaining >= 0 && rate->limit >= 0) {
        (void)snprintf(note + length, sizeof(probe->result->note) - length,
                       "%s%lld of %lld %.*s left", length > 0 ? ", " : "",
                       (long long)rate->remaining, (long long)rate->limit, (int)rate->bucket.len,
                       rate->bucket.ptr);
    }
}

static void take_stt(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct probe *probe = sink->impl;
    if (event->kind == AIC_STT_EVENT_CLOSED) {
        end(probe, PROBE_OK);
    } else if (event->kind == AIC_STT_EVENT_ERROR) {
        fail(probe, event->error);
    } else if (event->kind == AIC_STT_EVENT_WARNING) {
        remember(probe, event->error);
    }
}

static void take_llm(const struct aic_llm_sink *sink, const struct aic_llm_event *event)
{
    struct probe *probe = sink->impl;
    if (event->kind == AIC_LLM_EVENT_FINISH) {
        end(probe, PROBE_OK);
    } else if (event->kind == AIC_LLM_EVENT_ERROR) {
        fail(probe, event->error);
    } else if (event->kind == AIC_LLM_EVENT_RATE_INFO) {
        note_rate(probe, event->rate);
    }
}

static void take_tts(const struct aic_tts_sink *sink, const struct aic_tts_event *event)
{
    struct probe *probe = sink->impl;
    if (event->kind == AIC_TTS_EVENT_DONE) {
        end(probe, PROBE_OK);
    } else if (event->kind == AIC_TTS_EVENT_ERROR) {
        fail(probe, event->error);
    } else if (event->kind == AIC_TTS_EVENT_WARNING) {
        remember(probe, event->error);
    }
}

static void take_balance(struct probe *probe, struct aic_str ext)
{
    struct aic_json *root = aic_json_parse(ext, 0);
    struct aic_str balance = aic_json_get_text(root, "balance");
    struct aic_str currency = aic_json_get_text(root, "currency");
    if (balance.len > 0) {
        (void)snprintf(probe->result->note, sizeof(probe->result->note), "balance %.*s %.*s",
                       (int)balance.len, balance.ptr, (int)currency.len, currency.ptr);
    }
    if (balance.len > 0 && aic_json_get_double(root, "balance", 1) <= 0) {
        fail_as(probe, AIC_CATEGORY_QUOTA, "the account has no credit left");
    }
    aic_json_free(root);
}

static void take_telephony(const struct aic_telephony_sink *sink,
                           const struct aic_telephony_event *event)
{
    struct probe *probe = sink->impl;
    const struct aic_telephony *table = &probe->provider->telephony;
    if (event->kind != AIC_TEL_EVENT_RESULT && event->kind != AIC_TEL_EVENT_ERROR) {
        return;
    }
    if (event->request_id == ASK_ACCOUNT && event->error) {
        fail(probe, event->error);
    } else if (event->request_id == ASK_ACCOUNT) {
        int32_t status = table->control ? table->control(probe->provider->self, ASK_BALANCE,
                                                         "balance.show", AIC_STR("{}"))
                                        : AIC_ERROR_UNSUPPORTED;
        if (status != AIC_OK) {
            end(probe, PROBE_OK);
        }
    } else if (event->request_id == ASK_BALANCE) {
        /* The account was found good; a carrier that keeps its balance to itself is no fault. */
        if (!event->error) {
            take_balance(probe, event->ext);
        }
        end(probe, PROBE_OK);
    }
}

/* Asking */

static int32_t start_stt(struct probe *probe)
{
    struct provider *provider = probe->provider;
    int32_t status = AIC_ERROR_UNSUPPORTED;
    if (provider->stt.probe) {
        probe->close = provider->stt.close;
        probe->sink.stt = (struct aic_stt_sink){
            .size = sizeof(probe->sink.stt), .impl = probe, .event = take_stt};
        GUARD_MAIN(provider, "stt.probe",
                   status = provider->stt.probe(provider->self, &probe->sink.stt, &probe->session));
    }
    return status;
}

static int32_t start_llm(struct probe *probe)
{
    struct provider *provider = probe->provider;
    int32_t status = AIC_ERROR_UNSUPPORTED;
    if (provider->llm.probe) {
        probe->close = provider->llm.close;
        probe->sink.llm = (struct aic_llm_sink){
            .size = sizeof(probe->sink.llm), .impl = probe, .event = take_llm};
        GUARD_MAIN(provider, "llm.probe",
                   status = provider->llm.probe(provider->self, &probe->sink.llm, &probe->session));
    }
    return status;
}

static int32_t start_tts(struct probe *probe)
{
    struct provider *provider = probe->provider;
    int32_t status = AIC_ERROR_UNSUPPORTED;
    if (provider->tts.probe) {
        probe->close = provider->tts.close;
        probe->sink.tts = (struct aic_tts_sink){
            .size = sizeof(probe->sink.tts), .impl = probe, .event = take_tts};
        GUARD_MAIN(provider, "tts.probe",
                   status = provider->tts.probe(provider->self, &probe->sink.tts, &probe->session));
    }
    return status;
}

static int32_t start_telephony(struct probe *probe)
{
    struct provider *provider = probe->provider;
    if (!provider->telephony.probe) {
        return AIC_ERROR_UNSUPPORTED;
    }
    probe->sink.telephony = (struct aic_telephony_sink){
        .size = sizeof(probe->sink.telephony), .impl = probe, .event = take_telephony};
    int32_t status = AIC_OK;
    GUARD_MAIN(provider, "telephony.start",
               status = provider->telephony.start(provider->self, &probe->sink.telephony));
    probe->is_started = status == AIC_OK;
    if (probe->is_started) {
        GUARD_MAIN(provider, "telephony.probe",
                   status = provider->telephony.probe(provider->self, ASK_ACCOUNT));
    }
    return status;
}

/* A database answers at once, or within its own time-outs. One on this machine is left alone: it
 * would be made. */
static int32_t ask_storage(struct probe *probe)
{
    struct provider *provider = probe->provider;
    struct aic_migration migration = {.size = sizeof(migration)};
    struct aic_error error = {.size = sizeof(error), .category = AIC_CATEGORY_NETWORK};
    if (!(provider->storage_caps.flags & AIC_STORAGE_SHARED)) {
        return AIC_ERROR_UNSUPPORTED;
    }
    int32_t status = provider->storage.migration(provider->self, &migration, &error);
    if (status != AIC_OK) {
        fail(probe, &error);
    } else if (migration.current != 0 && migration.current < migration.latest) {
        fail_as(probe, AIC_CATEGORY_NOT_FOUND,
                "the database is older than this program: run aicaller migrate");
    } else if (migration.current > migration.latest) {
        fail_as(probe, AIC_CATEGORY_NOT_FOUND,
                "the database is newer than this program: install a newer one");
    } else {
        end(probe, PROBE_OK);
    }
    provider->storage.close(provider->self);
    return AIC_OK;
}

static void start(struct probe *probe)
{
    static const struct {
        const char *role;
        int32_t (*start)(struct probe *probe);
    } starts[] = {{"stt", start_stt},
                  {"llm", start_llm},
                  {"tts", start_tts},
                  {"telephony", start_telephony},
                  {"storage", ask_storage}};

    int32_t status = AIC_ERROR_UNSUPPORTED;
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (strcmp(starts[i].role, probe->result->role) == 0) {
            status = starts[i].start(probe);
        }
    }
    if (status == AIC_ERROR_UNSUPPORTED) {
        end(probe, PROBE_UNASKED);
    } else if (status != AIC_OK) {
        fail_as(probe, AIC_CATEGORY_INTERNAL, "the plugin does not ask; its log may say why");
    }
}

static void run_out(void *data)
{
    struct probing *all = data;
    all->deadline = NULL;
    for (size_t i = 0; i < all->results->count; i++) {
        struct probe *probe = &all->probes[i];
        if (probe->result->state != PROBE_NONE) {
            continue;
        }
        if (probe->result->message[0]) {
            end(probe, PROBE_FAILED);
        } else {
            fail_as(probe, AIC_CATEGORY_TIMEOUT, "no answer came");
        }
    }
}

/* Who is asked */

static struct asked *create(struct probing *all, const struct setup_provider *setup)
{
    for (size_t i = 0; i < all->asked_count; i++) {
        if (all->asked[i].setup == setup) {
            return &all->asked[i];
        }
    }
    struct asked *asked = &all->asked[all->asked_count++];
    struct config_problems problems = {.list = NULL};
    asked->setup = setup;
    asked->provider = conf_provider(all->conf, setup, &all->net.env, &problems);
    if (!asked->provider && problems.count > 0) {
        (void)snprintf(asked->why, sizeof(asked->why), "%s", problems.list[0].text);
    }
    config_problems_finish(&problems);
    return asked;
}

static void add(struct probing *all, const char *name, const char *role)
{
    struct probe_results *results = all->results;
    const struct setup *setup = all->conf->setup;
    for (size_t i = 0; i < results->count; i++) {
        if (strcmp(results->list[i].provider, name) == 0 &&
            strcmp(results->list[i].role, role) == 0) {
            return;
        }
    }
    for (size_t i = 0; i < setup->provider_count && results->count < PROBES_MAX; i++) {
        if (strcmp(setup->providers[i]->name, name) == 0) {
            struct probe_result *result = &results->list[results->count];
            *result = (struct probe_result){.provider = setup->providers[i]->name,
                                            .setup = setup->providers[i],
                                            .role = role,
                                            .category = ""};
            all->probes[results->count++] = (struct probe){.all = all, .result = result};
        }
    }
}

static void add_all(struct probing *all)
{
    static const char *const roles[] = {"telephony", "stt", "llm", "tts"};
    const struct conf *conf = all->conf;
    for (size_t k = 0; k < sizeof(roles) / sizeof(roles[0]); k++) {
        for (size_t i = 0; i < conf->agents.count; i++) {
            const struct settings *settings = conf->agents.list[i]->settings;
            for (uint32_t n = 0; n < settings_list_count(settings, roles[k]); n++) {
                add(all, settings_list_item(settings, roles[k], n), roles[k]);
            }
        }
    }
    if (conf->setup->storage[0]) {
        add(all, conf->setup->storage, "storage");
    }
}

static void ask_all(struct probing *all)
{
    struct sched *sched = all->net.sched;
    all->pending = all->results->count + 1;
    for (size_t i = 0; i < all->results->count; i++) {
        struct probe *probe = &all->probes[i];
        struct asked *asked = create(all, probe->result->setup);
        probe->provider = asked->provider;
        if (probe->provider) {
            start(probe);
        } else {
            fail_as(probe, AIC_CATEGORY_INTERNAL, asked->why);
        }
    }
    if (--all->pending > 0) {
        all->deadline = sched_timer_start(
            sched, sched_now(sched) + PROBE_DEADLINE_MS * INT64_C(1000), run_out, all);
        loop_run(all->net.loop);
        sched_timer_stop(sched, all->deadline);
    }
}

static void finish(struct probing *all)
{
    for (size_t i = 0; i < all->results->count; i++) {
        struct probe *probe = &all->probes[i];
        if (probe->session) {
            probe->close(probe->session);
        }
        if (probe->is_started) {
            probe->provider->telephony.stop(probe->provider->self);
        }
        all->results->failed += probe->result->state == PROBE_FAILED;
    }
    net_settle(&all->net);
    for (size_t i = 0; i < all->asked_count; i++) {
        provider_destroy(all->asked[i].provider);
    }
    net_close(&all->net);
}

struct probe_results *probes_run(struct conf *conf)
{
    struct probing *all = calloc(1, sizeof(*all));
    struct probe_results *results = calloc(1, sizeof(*results));
    if (!all || !results || !net_open(&all->net, conf)) {
        free(all);
        free(results);
        return NULL;
    }
    all->conf = conf;
    all->results = results;
    add_all(all);
    ask_all(all);
    finish(all);
    free(all);
    return results;
}
