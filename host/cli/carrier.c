/* SPDX-License-Identifier: ISC */
#include "cli/carrier.h"

#include "base/log.h"
#include "io/loop.h"
#include "plugin/guard.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

enum { REQUEST = 1 };

/* The browser and recorded callers have nothing to administer. */
static bool has_verbs(const struct setup_provider *setup)
{
    const struct aic_telephony *table = setup->plugin->get_interface(AIC_TELEPHONY);
    return table && AIC_HAS(struct aic_telephony, table, control);
}

static const struct setup_provider *find(const struct setup *setup, const char *name)
{
    for (size_t i = 0; i < setup->provider_count; i++) {
        if (strcmp(setup->providers[i]->name, name) == 0) {
            return setup->providers[i];
        }
    }
    return NULL;
}

const struct setup_provider *carrier_find(const struct conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->agents.count; i++) {
        const struct settings *settings = conf->agents.list[i]->settings;
        for (uint32_t n = 0; n < settings_list_count(settings, "telephony"); n++) {
            const char *item = settings_list_item(settings, "telephony", n);
            const struct setup_provider *found =
                !name || strcmp(name, item) == 0 ? find(conf->setup, item) : NULL;
            if (found && has_verbs(found)) {
                return found;
            }
        }
    }
    return NULL;
}

static void end(struct carrier *carrier, int32_t status)
{
    carrier->status = status;
    carrier->is_waiting = false;
    loop_stop(carrier->net->loop);
}

static void take(const struct aic_telephony_sink *sink, const struct aic_telephony_event *event)
{
    struct carrier *carrier = sink->impl;
    bool is_answer = event->kind == AIC_TEL_EVENT_RESULT || event->kind == AIC_TEL_EVENT_ERROR;
    if (!is_answer || event->request_id != REQUEST || !carrier->is_waiting) {
        return;
    }
    if (event->error) {
        (void)log_mask(carrier->why, CARRIER_WHY, event->error->message);
        end(carrier, AIC_ERROR_IO);
    } else {
        end(carrier, aic_buf_str(carrier->answer, event->ext));
    }
}

static void run_out(void *data)
{
    struct carrier *carrier = data;
    carrier->deadline = NULL;
    (void)snprintf(carrier->why, CARRIER_WHY, "no answer came within %d s",
                   CARRIER_DEADLINE_MS / 1000);
    end(carrier, AIC_ERROR_TIMEOUT);
}

int32_t carrier_open(struct carrier *carrier, struct net *net, struct conf *conf,
                     const struct setup_provider *setup, char why[CARRIER_WHY])
{
    struct config_problems problems = {.list = NULL};
    *carrier = (struct carrier){.net = net};
    carrier->provider = conf_provider(conf, setup, &net->env, &problems);
    if (!carrier->provider) {
        (void)snprintf(why, CARRIER_WHY, "%s",
                       problems.count > 0 ? problems.list[0].text : "it can not be created");
    }
    config_problems_finish(&problems);
    if (!carrier->provider) {
        return AIC_ERROR_CONFIG;
    }
    struct provider *provider = carrier->provider;
    int32_t status = provider->telephony.control ? AIC_OK : AIC_ERROR_UNSUPPORTED;
    if (status == AIC_OK) {
        carrier->sink = (struct aic_telephony_sink){
            .size = sizeof(carrier->sink), .impl = carrier, .event = take};
        GUARD_MAIN(provider, "telephony.start",
                   status = provider->telephony.start(provider->self, &carrier->sink));
        (void)snprintf(why, CARRIER_WHY, "its plugin does not start");
    }
    if (status != AIC_OK) {
        provider_destroy(provider);
        carrier->provider = NULL;
    }
    return status;
}

void carrier_close(struct carrier *carrier)
{
    if (carrier->provider) {
        carrier->provider->telephony.stop(carrier->provider->self);
        net_settle(carrier->net);
        provider_destroy(carrier->provider);
        carrier->provider = NULL;
    }
}

int32_t carrier_ask(struct carrier *carrier, const char *verb, struct aic_str params,
                    struct aic_buf *answer, char why[CARRIER_WHY])
{
    struct provider *provider = carrier->provider;
    struct sched *sched = carrier->net->sched;
    carrier->answer = answer;
    carrier->why = why;
    carrier->is_waiting = true;
    int32_t status = AIC_OK;
    GUARD_MAIN(provider, "telephony.control",
               status = provider->telephony.control(provider->self, REQUEST, verb, params));
    if (status != AIC_OK) {
        carrier->is_waiting = false;
        (void)snprintf(why, CARRIER_WHY, "%s",
                       status == AIC_ERROR_UNSUPPORTED ? "this carrier's plugin can not do that"
                                                       : "the plugin refuses the question");
        return status;
    }
    carrier->deadline = sched_timer_start(
        sched, sched_now(sched) + CARRIER_DEADLINE_MS * INT64_C(1000), run_out, carrier);
    loop_run(carrier->net->loop);
    sched_timer_stop(sched, carrier->deadline);
    carrier->deadline = NULL;
    return carrier->status;
}
