/* SPDX-License-Identifier: ISC */
/*
 * Plays carrier, callers, recogniser, model and voice for a server under test, all in one process
 * with one clock, and says how much time the server itself took.
 *
 *     load_bench --port PORT --server PORT [--calls 50] [--turns 8] ...
 *
 * It listens on --port as all vendors. A line on standard input begins the calls; figures are one
 * line of JSON on standard output. tests/bench/calls_load runs it, and the server with it.
 */
#include "json.h"
#include "load/carrier.h"
#include "load/vendors.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

struct bench {
    struct pump pump;
    struct traces traces;
    struct vendors vendors;
    struct carrier carrier;
    struct pump_watch input;
    bool has_begun;
    int64_t begun_us;
};

enum option_number {
    OPTION_PORT,
    OPTION_SERVER,
    OPTION_CALLS,
    OPTION_TURNS,
    OPTION_FINAL,
    OPTION_EAGER,
    OPTION_TOKEN_MS,
    OPTION_SOUND,
    OPTION_FLUX,
    OPTION_BARGE,
    OPTION_SECRET
};

static const struct option options[] = {
    {"port", required_argument, NULL, OPTION_PORT},
    {"server", required_argument, NULL, OPTION_SERVER},
    {"calls", required_argument, NULL, OPTION_CALLS},
    {"turns", required_argument, NULL, OPTION_TURNS},
    {"final-ms", required_argument, NULL, OPTION_FINAL},
    {"eager-ms", required_argument, NULL, OPTION_EAGER},
    {"token-ms", required_argument, NULL, OPTION_TOKEN_MS},
    {"sound-ms", required_argument, NULL, OPTION_SOUND},
    {"flux", no_argument, NULL, OPTION_FLUX},
    {"barge-every", required_argument, NULL, OPTION_BARGE},
    {"auth-token", required_argument, NULL, OPTION_SECRET},
    {NULL, 0, NULL, 0},
};

static void take_option(struct plan *plan, int *port, int option, const char *text)
{
    int number = text ? (int)strtol(text, NULL, 10) : 0;
    switch (option) {
    case OPTION_PORT:
        *port = number;
        return;
    case OPTION_SERVER:
        plan->server_port = number;
        return;
    case OPTION_CALLS:
        plan->calls = number;
        return;
    case OPTION_TURNS:
        plan->turns = number;
        return;
    case OPTION_FINAL:
        plan->final_us = number * INT64_C(1000);
        return;
    case OPTION_EAGER:
        plan->eager_us = number * INT64_C(1000);
        return;
    case OPTION_TOKEN_MS:
        plan->token_us = number * INT64_C(1000);
        return;
    case OPTION_SOUND:
        plan->sound_us = number * INT64_C(1000);
        return;
    case OPTION_FLUX:
        plan->kind = KIND_FLUX;
        return;
    case OPTION_BARGE:
        plan->barge_every = number;
        return;
    case OPTION_SECRET:
        plan->token = text;
        return;
    default:
        exit(2);
    }
}

static void on_input(void *data, uint32_t events)
{
    struct bench *bench = data;
    char bytes[64];
    (void)events;
    if (read(bench->input.fd, bytes, sizeof(bytes)) <= 0) {
        bench->pump.is_over = true;
    } else if (!bench->has_begun) {
        bench->has_begun = true;
        bench->begun_us = pump_now_us();
        bench->pump.fired_late = traces_late;
        bench->pump.late_data = &bench->traces;
        carrier_begin(&bench->carrier);
    }
}

static double cpu_seconds(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void report(struct bench *bench)
{
    struct aic_buf text;
    struct aic_json_writer w;
    aic_buf_init(&text, 65536);
    aic_json_writer_init(&w, &text);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "calls", bench->traces.plan.calls);
    aic_json_member_int(&w, "calls_failed", bench->carrier.failed);
    aic_json_member_double(&w, "seconds", (double)(pump_now_us() - bench->begun_us) / 1e6);
    aic_json_member_double(&w, "generator_cpu_s", cpu_seconds());
    traces_report(&bench->traces, &w);
    aic_json_close(&w, '}');
    (void)printf("%s\n", text.data);
    aic_buf_finish(&text);
}

int main(int argc, char **argv)
{
    static struct bench bench;
    int port = 0;
    struct plan plan = {.calls = 50,
                        .turns = 8,
                        .final_us = 300000,
                        .token_us = 200000,
                        .sound_us = 150000,
                        .speech_us = 1200000,
                        .answer_us = 2000000,
                        .barge_every = 2,
                        .token = "",
                        .public_url = "https://voice.example.com"};
    for (int option = 0; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        take_option(&plan, &port, option, optarg);
    }
    if (port <= 0 || plan.server_port <= 0 || plan.calls < 1 || plan.calls > TRACE_CALLS_MAX - 2 ||
        plan.turns < 1 || plan.turns > TRACE_TURNS_MAX) {
        (void)fprintf(stderr,
                      "usage: load_bench --port PORT --server PORT [--calls 1 to %d] "
                      "[--turns 1 to %d]\n",
                      TRACE_CALLS_MAX - 2, TRACE_TURNS_MAX);
        return 2;
    }
    pump_init(&bench.pump);
    traces_init(&bench.traces, &plan);
    vendors_open(&bench.vendors, &bench.pump, &bench.traces, port);
    carrier_open(&bench.carrier, &bench.pump, &bench.traces);
    bench.vendors.hung_up = carrier_hung_up;
    bench.vendors.data = &bench.carrier;
    bench.input = (struct pump_watch){.fd = STDIN_FILENO, .ready = on_input, .data = &bench};
    pump_add(&bench.pump, &bench.input, EPOLLIN);
    pump_run(&bench.pump);
    report(&bench);
    carrier_close(&bench.carrier);
    traces_finish(&bench.traces);
    pump_finish(&bench.pump);
    return bench.carrier.failed > 0;
}
