/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/counters.h"
#include "io/shm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * 200 "ok"; 200 "degraded" while something is broken but calls still work; 503 when no new call can
 * be served. Details are for those who may use the API.
 */

enum { INSTANCE_DIGITS = 16 };

struct health {
    const char *status;
    const char *why;
    int32_t code;
};

enum breaker_state health_state(const struct provider *provider)
{
    enum breaker_state worst = BREAKER_CLOSED;
    for (int role = 0; role < PROVIDER_ROLES; role++) {
        enum breaker_state state = breaker_state(&provider->breakers[role]);
        worst = state == BREAKER_OPEN || worst == BREAKER_CLOSED ? state : worst;
    }
    return worst;
}

static bool role_is_down(const struct chain *chain, enum provider_role role)
{
    for (size_t i = 0; i < chain->count; i++) {
        if (breaker_state(&chain->providers[i]->breakers[role]) == BREAKER_CLOSED) {
            return false;
        }
    }
    return chain->count > 0;
}

static bool agent_is_down(const struct agent *agent)
{
    return role_is_down(&agent->llm, PROVIDER_LLM) || role_is_down(&agent->stt, PROVIDER_STT) ||
           role_is_down(&agent->tts, PROVIDER_TTS);
}

static bool any_provider_is_down(const struct web *web)
{
    for (size_t i = 0; i < web->settings.provider_count; i++) {
        if (health_state(web->settings.providers[i]) != BREAKER_CLOSED) {
            return true;
        }
    }
    return false;
}

static struct health judge(const struct web *web)
{
    if (web->is_draining) {
        return (struct health){"draining", "the server is stopping; live calls go on", 503};
    }
    size_t down = 0;
    for (size_t i = 0; i < web->settings.agents->count; i++) {
        down += agent_is_down(web->settings.agents->list[i]);
    }
    if (down > 0 && down == web->settings.agents->count) {
        return (struct health){"failed", "no agent has a working provider for every role", 503};
    }
    struct spool_status spool = {.waiting = 0};
    if (web->settings.spool) {
        spool_status(web->settings.spool, &spool);
    }
    if (spool.disk_is_bad) {
        return (struct health){
            "degraded", "the spool can not be written: make room on the disk of state_dir", 200};
    }
    if (spool.storage_down_us != 0) {
        return (struct health){"degraded", "the storage is away; facts wait in the spool", 200};
    }
    if (any_provider_is_down(web)) {
        return (struct health){"degraded", "a provider is not working; others stand in", 200};
    }
    return (struct health){"ok", NULL, 200};
}

static void write_providers(const struct web *web, struct aic_json_writer *w)
{
    aic_json_key(w, "providers");
    aic_json_open(w, '{');
    for (size_t i = 0; i < web->settings.provider_count; i++) {
        const struct provider *provider = web->settings.providers[i];
        aic_json_key(w, provider->name);
        aic_json_open(w, '{');
        aic_json_member_text(w, "state", breaker_state_name(health_state(provider)));
        aic_json_member_text(w, "plugin", provider->plugin->id);
        aic_json_close(w, '}');
    }
    aic_json_close(w, '}');
}

static void write_spool(const struct web *web, struct aic_json_writer *w)
{
    if (!web->settings.spool) {
        return;
    }
    struct spool_status status;
    spool_status(web->settings.spool, &status);
    aic_json_key(w, "spool");
    aic_json_open(w, '{');
    aic_json_member_int(w, "waiting", (int64_t)status.waiting);
    aic_json_member_int(w, "rejected", (int64_t)status.rejected);
    aic_json_member_int(w, "dropped", (int64_t)status.dropped);
    aic_json_close(w, '}');
}

/* What all workers have counted, in groups that lie behind each other. */
static void write_counters(const struct web *web, struct aic_json_writer *w)
{
    uint64_t *totals = web->settings.shm ? malloc(SHM_COUNTERS * sizeof(*totals)) : NULL;
    const char *group = "";
    if (!totals) {
        return;
    }
    shm_totals(web->settings.shm, totals);
    aic_json_key(w, "counters");
    aic_json_open(w, '{');
    for (int i = 0; i < COUNTERS; i++) {
        enum counter counter = (enum counter)i;
        if (strcmp(group, counter_group(counter)) != 0) {
            if (i > 0) {
                aic_json_close(w, '}');
            }
            group = counter_group(counter);
            aic_json_key(w, group);
            aic_json_open(w, '{');
        }
        aic_json_member_int(w, counter_name(counter), (int64_t)totals[METRICS_LOSSES + i]);
    }
    aic_json_close(w, '}');
    aic_json_close(w, '}');
    free(totals);
}

bool web_instance(const struct web *web, char to[DIGEST_TEXT])
{
    const struct shm *shm = web->settings.shm;
    char text[64];
    if (!shm || !web->settings.secret) {
        return false;
    }
    (void)snprintf(text, sizeof(text), "instance %lld",
                   (long long)atomic_load(&shm->started_wall_us));
    bool is_good = digest_sign(to, web->settings.secret, aic_str(text));
    to[INSTANCE_DIGITS] = '\0';
    return is_good;
}

bool health_request(struct web *web, const struct link_request *request)
{
    char instance[DIGEST_TEXT];
    if (strcmp(request->kind, "instance") != 0) {
        return false;
    }
    bool is_known = web_instance(web, instance);
    link_answer(web->settings.link, request->id, is_known ? AIC_OK : AIC_ERROR_UNSUPPORTED,
                is_known ? aic_str(instance) : AIC_STR(""));
    return true;
}

static int32_t answer(struct web *web, struct aic_exchange *exchange, bool with_details,
                      int64_t active)
{
    struct health health = judge(web);
    struct aic_buf buf;
    struct aic_json_writer w;
    aic_buf_init(&buf, 64 * 1024);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "status", health.status);
    if (health.why) {
        aic_json_member_text(&w, "why", health.why);
    }
    char instance[DIGEST_TEXT];
    if (web_instance(web, instance)) {
        aic_json_member_text(&w, "instance", instance);
    }
    if (with_details) {
        aic_json_member_text(&w, "version", AICALLER_VERSION);
        aic_json_member_int(&w, "active_calls", active);
        write_providers(web, &w);
        write_spool(web, &w);
        write_counters(web, &w);
    }
    aic_json_close(&w, '}');
    int32_t result = reply_json(exchange, health.code, aic_buf_view(&buf));
    aic_buf_finish(&buf);
    return result;
}

static void calls_are_known(void *data, int32_t status, struct aic_str list)
{
    struct held *held = data;
    if (!held_end(held)) {
        free(held);
        return;
    }
    struct aic_json *root = status == AIC_OK ? aic_json_parse(list, 4 << 20) : NULL;
    int64_t active = root ? 0 : (int64_t)calls_live(held->web->settings.calls);
    for (size_t i = 0; i < aic_json_count(root); i++) {
        struct aic_str state = aic_json_get_text(aic_json_at(root, i), "state");
        active += !aic_str_equal(state, "waiting");
    }
    aic_json_free(root);
    (void)answer(held->web, held->exchange, true, active);
    free(held);
}

static int32_t get_health(struct web *web, const struct visit *visit)
{
    if (!visit->is_trusted) {
        return answer(web, visit->exchange, false, 0);
    }
    struct held *held = malloc(sizeof(*held));
    if (!held) {
        return answer(web, visit->exchange, true, (int64_t)calls_live(web->settings.calls));
    }
    held_begin(held, web, visit->exchange);
    link_list_calls(web->settings.link, calls_are_known, held);
    return AIC_OK;
}

void health_routes(struct web *web)
{
    web_route(web, AIC_METHOD_GET, "/calls/health/", &(struct web_route){.handle = get_health});
}
