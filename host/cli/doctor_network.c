/* SPDX-License-Identifier: ISC */
/* What lies outside: vendors, the public address, the carriers' numbers. */
#include "cli/doctor.h"

#include "cli/carrier.h"
#include "cli/fetches.h"
#include "cli/net.h"
#include "cli/probe.h"

#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ORIGINS_MAX = 32, CLOCK_WARN_S = 10, CLOCK_FAIL_S = 120, OK_STATUS = 200 };

/* Names, TLS, time */

struct advice {
    const char *code; /* of io/http_client.h */
    const char *seen;
    const char *remedy;
};

static struct advice advice_for(const char *code)
{
    static const struct advice list[] = {
        {"resolve", "the name is not known",
         "look at the spelling, at /etc/resolv.conf, and whether this machine has a network"},
        {"connect", "no connection", "look at the network and the firewall between here and there"},
        {"connect_timeout", "no connection in time",
         "look at the network and the firewall between here and there"},
        {"tls", "TLS fails",
         "look at this machine's clock, at ca-certificates and server.ca_file, and for a proxy "
         "that opens TLS"},
        {"address", "the address is refused",
         "https:// is needed, but for servers on this machine"},
    };

    for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
        if (strcmp(list[i].code, code) == 0) {
            return list[i];
        }
    }
    return (struct advice){"", "no answer", "look at what answers there, and at the network"};
}

static void tell_unreachable(struct doctor *doctor, enum finding_state state, const char *what,
                             const struct fetched *fetched)
{
    struct advice advice = advice_for(fetched->code);
    doctor_bad(doctor, state, what, advice.remedy, "%s: %s (%s)", fetched->url, advice.seen,
               fetched->message[0] ? fetched->message : fetched->code);
}

/* "https://host:port/" of a provider's address; false where it has none that is HTTP. */
static bool take_origin(const char *url, char to[FETCH_URL])
{
    bool is_http = url && (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
    const char *host = is_http ? strstr(url, "://") + 3 : NULL;
    size_t length = host ? (size_t)(host - url) + strcspn(host, "/?#") : 0;
    if (length == 0 || length + 2 > FETCH_URL || memchr(url, '@', length)) {
        return false;
    }
    (void)snprintf(to, FETCH_URL, "%.*s/", (int)length, url);
    return true;
}

static size_t collect_origins(const struct conf *conf, struct fetched *list)
{
    size_t count = 0;
    for (size_t i = 0; i < conf->setup->provider_count && count < ORIGINS_MAX; i++) {
        const struct setup_provider *provider = conf->setup->providers[i];
        struct config_problems problems = {.list = NULL};
        struct settings *settings =
            provider->is_used ? setup_settings(conf->setup, provider, 0, &problems) : NULL;
        char origin[FETCH_URL] = "";
        bool is_new = settings && settings_has(settings, "url") &&
                      take_origin(settings_string(settings, "url"), origin);
        for (size_t k = 0; k < count; k++) {
            is_new = is_new && strcmp(list[k].url, origin) != 0;
        }
        if (is_new) {
            (void)snprintf(list[count++].url, FETCH_URL, "%s", origin);
        }
        settings_free(settings);
        config_problems_finish(&problems);
    }
    return count;
}

/* Seconds that this machine's clock is ahead; false where the answer has no date. */
static bool clock_ahead(const struct fetched *fetched, int64_t *ahead_s)
{
    struct tm parts = {0};
    const char *end = strptime(fetched->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (!fetched->date[0] || !end || *end != '\0') {
        return false;
    }
    *ahead_s = fetched->wall_us / 1000000 - (int64_t)timegm(&parts);
    return true;
}

static void look_at_clock(struct doctor *doctor, const struct fetched *list, size_t count)
{
    int64_t ahead_s = 0;
    const struct fetched *by = NULL;
    for (size_t i = 0; i < count && !by; i++) {
        by = clock_ahead(&list[i], &ahead_s) ? &list[i] : NULL;
    }
    int64_t away_s = ahead_s < 0 ? -ahead_s : ahead_s;
    if (!by) {
        doctor_bad(doctor, FINDING_WARN, "clock", "\"timedatectl\" tells whether it is kept right",
                   "no server has told the time, so this clock was not compared");
    } else if (away_s > CLOCK_WARN_S) {
        doctor_bad(doctor, away_s > CLOCK_FAIL_S ? FINDING_FAIL : FINDING_WARN, "clock",
                   "switch time synchronisation on: timedatectl set-ntp true",
                   "this clock is %lld s %s that of %s", (long long)away_s,
                   ahead_s > 0 ? "ahead of" : "behind", by->url);
    } else {
        doctor_ok(doctor, "clock", "within %d s of that of %s", CLOCK_WARN_S, by->url);
    }
}

static void look_at_vendors(struct doctor *doctor, struct net *net, const struct conf *conf)
{
    struct fetched *list = calloc(ORIGINS_MAX, sizeof(*list));
    size_t count = list ? collect_origins(conf, list) : 0;
    fetches_run(net, list, count, true);
    for (size_t i = 0; i < count; i++) {
        if (list[i].status == 0) {
            tell_unreachable(doctor, FINDING_FAIL, "network", &list[i]);
        } else {
            doctor_ok(doctor, "network", "%s answers in %lld ms", list[i].url,
                      (long long)list[i].took_ms);
        }
    }
    if (count > 0) {
        look_at_clock(doctor, list, count);
    }
    fetches_finish(list, count);
    free(list);
}

/* The public address */

enum answerer { SOMETHING_ELSE, SOME_AICALLER, THIS_SERVER, ANOTHER_SERVER };

static enum answerer who_answers(const struct doctor *doctor, const struct fetched *fetched)
{
    struct aic_json *root = aic_json_parse(aic_buf_view(&fetched->body), FETCH_BODY_MAX);
    struct aic_str instance = aic_json_get_text(root, "instance");
    enum answerer answerer = SOMETHING_ELSE;
    if (instance.len > 0 && doctor->instance[0]) {
        answerer = aic_str_equal(instance, doctor->instance) ? THIS_SERVER : ANOTHER_SERVER;
    } else if (aic_json_get_text(root, "status").len > 0) {
        answerer = SOME_AICALLER;
    }
    aic_json_free(root);
    return answerer;
}

static void judge_public(struct doctor *doctor, const struct fetched *fetched)
{
    /* Without a server of ours nobody can answer. */
    enum finding_state state = doctor->has_server ? FINDING_FAIL : FINDING_WARN;
    const char *remedy = doctor->has_server
                             ? "the proxy or tunnel must lead to server.listen and server.port"
                             : "start the server (aicaller serve), then ask again";
    enum answerer answerer = who_answers(doctor, fetched);
    if (fetched->status == 0) {
        tell_unreachable(doctor, state, "public_url", fetched);
    } else if (fetched->status >= 300 && fetched->status <= 399) {
        doctor_bad(doctor, FINDING_FAIL, "public_url",
                   "set server.public_url to where that leads: a carrier's signature is about the "
                   "exact address",
                   "%s redirects to %s", fetched->url,
                   fetched->location[0] ? fetched->location : "somewhere");
    } else if (answerer == ANOTHER_SERVER) {
        doctor_bad(doctor, FINDING_FAIL, "public_url", remedy,
                   "%s is answered by another aicaller than the one that runs here", fetched->url);
    } else if (answerer != SOMETHING_ELSE) {
        doctor_ok(doctor, "public_url", "%s is answered by aicaller%s in %lld ms", fetched->url,
                  answerer == THIS_SERVER ? ", by the very server that runs here," : "",
                  (long long)fetched->took_ms);
    } else {
        doctor_bad(doctor, state, "public_url", remedy,
                   "%s is answered with status %d by something else", fetched->url,
                   (int)fetched->status);
    }
}

static void look_at_public_url(struct doctor *doctor, struct net *net, const struct conf *conf)
{
    const char *url = conf->setup->public_url;
    bool has_carrier = carrier_find(conf, NULL) != NULL;
    if (!url[0] && has_carrier) {
        doctor_bad(doctor, FINDING_FAIL, "public_url",
                   "set it to how the carrier reaches this server, or try aicaller tunnel",
                   "server.public_url is not set: no carrier can ring, and none can be dialled");
        return;
    }
    if (!url[0]) {
        doctor_ok(doctor, "public_url", "not set, and nobody needs it");
        return;
    }
    struct fetched fetched = {.status = 0};
    (void)snprintf(fetched.url, sizeof(fetched.url), "%.400s/calls/health/", url);
    fetches_run(net, &fetched, 1, false);
    judge_public(doctor, &fetched);
    if (has_carrier && strncmp(url, "https://", 8) != 0) {
        doctor_bad(doctor, FINDING_WARN, "public_url", "put a TLS proxy in front, or server.tls",
                   "%s is not encrypted: carriers want https and wss", url);
    }
    fetches_finish(&fetched, 1);
}

/* The carriers' numbers */

static void judge_number(struct doctor *doctor, struct aic_str answer)
{
    struct aic_json *root = aic_json_parse(answer, 0);
    struct aic_str number = aic_json_get_text(root, "number");
    struct aic_str is = aic_json_get_text(root, "voice_url");
    struct aic_str wanted = aic_json_get_text(aic_json_get(root, "wanted"), "voice_url");
    struct aic_str application = aic_json_get_text(root, "voice_application_sid");
    struct aic_str trunk = aic_json_get_text(root, "trunk_sid");
    if (aic_json_get_bool(root, "is_set", false)) {
        doctor_ok(doctor, "number", "%.*s rings at %.*s", (int)number.len, number.ptr, (int)is.len,
                  is.ptr);
    } else if (application.len + trunk.len > 0) {
        doctor_bad(doctor, FINDING_WARN, "number", "aicaller number set --detach",
                   "%.*s belongs to an application or a trunk, which the carrier follows instead",
                   (int)number.len, number.ptr);
    } else {
        doctor_bad(doctor, FINDING_FAIL, "number", "aicaller number set",
                   "%.*s rings at \"%.*s\", not at %.*s", (int)number.len, number.ptr, (int)is.len,
                   is.ptr, (int)wanted.len, wanted.ptr);
    }
    aic_json_free(root);
}

static bool works(const struct probe_results *results, const char *provider)
{
    for (size_t i = 0; i < results->count; i++) {
        if (strcmp(results->list[i].provider, provider) == 0 &&
            strcmp(results->list[i].role, "telephony") == 0) {
            return results->list[i].state == PROBE_OK;
        }
    }
    return false;
}

static void look_at_numbers(struct doctor *doctor, struct net *net, struct conf *conf,
                            const struct probe_results *results)
{
    const struct setup_provider *setup = carrier_find(conf, NULL);
    struct carrier carrier;
    char why[CARRIER_WHY] = "";
    if (!setup || !conf->setup->public_url[0] || !works(results, setup->name)) {
        return;
    }
    struct aic_buf answer;
    aic_buf_init(&answer, FETCH_BODY_MAX);
    int32_t status = carrier_open(&carrier, net, conf, setup, why);
    if (status == AIC_OK) {
        status = carrier_ask(&carrier, "number.show", AIC_STR("{}"), &answer, why);
        carrier_close(&carrier);
    }
    if (status == AIC_OK) {
        judge_number(doctor, aic_buf_view(&answer));
    } else if (status != AIC_ERROR_UNSUPPORTED) {
        doctor_bad(doctor, FINDING_FAIL, "number",
                   "set the provider's `from` to a number of this account", "%s: %s", setup->name,
                   why);
    }
    aic_buf_finish(&answer);
}

static void tell_probes(struct doctor *doctor, const struct probe_results *results)
{
    for (size_t i = 0; i < results->count; i++) {
        const struct probe_result *result = &results->list[i];
        if (result->state == PROBE_FAILED) {
            doctor_bad(doctor, FINDING_FAIL, "vendor", result->advice, "%s (%s): %s: %s",
                       result->provider, result->role, result->category, result->message);
        } else {
            doctor_ok(doctor, "vendor", "%s (%s)%s%s", result->provider, result->role,
                      result->state == PROBE_UNASKED ? " has nothing to ask"
                      : result->note[0]              ? ": "
                                                     : " works",
                      result->note);
        }
    }
}

void doctor_look_outside(struct doctor *doctor, struct conf *conf)
{
    struct net net;
    struct probe_results *results = probes_run(conf);
    if (!results || !net_open(&net, conf)) {
        free(results);
        doctor_bad(doctor, FINDING_FAIL, "network", "stop something else", "out of memory");
        return;
    }
    look_at_vendors(doctor, &net, conf);
    tell_probes(doctor, results);
    look_at_public_url(doctor, &net, conf);
    look_at_numbers(doctor, &net, conf, results);
    if (carrier_find(conf, NULL) && !gate_rules_dial(&conf->outbound)) {
        doctor_bad(doctor, FINDING_WARN, "outbound",
                   "outbound.allow = [ \"GB\" ]; in the configuration says who may be dialled",
                   "outbound.allow is empty: nobody can be dialled");
    }
    net_close(&net);
    free(results);
}
