/* SPDX-License-Identifier: ISC */
/*
 * A worker's spool alone: writes numbered facts at an even rate, and says when each was given to
 * it. tests/bench/kill_spool kills it, tests/bench/outage takes its database away.
 *
 *     spool_writer FOLDER NAME PLUGINS sqlite|pgsql PLACE RATE ROWS
 *
 * The spool is FOLDER/NAME.db; it adopts what dead writers left in FOLDER. PLACE is the database, a
 * file or a URL. RATE facts a second go to the table events, with call_id made of NAME (a number)
 * and a detail that says which fact it is, until there are ROWS; 0: it moves what is there already.
 * For each fact a line "NUMBER MICROSECONDS" is printed. It ends once all is in the database.
 */
#include "call/spool.h"
#include "io/loop.h"
#include "plugin/provider.h"
#include "plugin/setup.h"

#include "buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVERY_MS = 5, GRACE_MS = 60000, TEXT_BYTES = 200 };

struct writer {
    struct loop *loop;
    struct sched *sched;
    struct spool *spool;
    unsigned name;
    int64_t rate;
    uint64_t rows;
    uint64_t given;
    int64_t begun_us;
};

/* An id of version 7 with nothing by chance in it. */
static void write_id(char to[48], unsigned name, uint64_t number)
{
    (void)snprintf(to, 48, "019b8d99-6900-7%03x-8000-%012" PRIx64, name & 0xfff, number);
}

static void give(struct writer *w)
{
    char id[48];
    char call_id[48];
    char detail[TEXT_BYTES + 100];
    char line[64];
    uint64_t number = ++w->given;
    write_id(id, w->name, number);
    write_id(call_id, w->name, 0);
    /* The text is as long as real ones, and its first and last part say the same. */
    (void)snprintf(detail, sizeof(detail),
                   "{\"type\":\"written\",\"detail\":{\"first\":%" PRIu64
                   ",\"text\":\"%0*d\",\"last\":%" PRIu64 "}}",
                   number, (int)TEXT_BYTES, 0, number);
    const struct journal_fact fact = {.table = "events",
                                      .id = id,
                                      .call_id = call_id,
                                      .revision = 1,
                                      .columns = {detail, strlen(detail)}};
    struct journal *journal = spool_journal(w->spool);
    journal->write(journal, &fact, false, NULL, NULL);
    int length =
        snprintf(line, sizeof(line), "%" PRIu64 " %" PRId64 "\n", number, sched_now(w->sched));
    if (write(STDOUT_FILENO, line, (size_t)length) != length) {
        exit(1);
    }
}

static void tick(void *data)
{
    struct writer *w = data;
    struct spool_status status;
    int64_t now_us = sched_now(w->sched);
    uint64_t due = (uint64_t)((now_us - w->begun_us) * w->rate / 1000000);
    while (w->given < w->rows && w->given < due) {
        give(w);
    }
    spool_status(w->spool, &status);
    if (w->given == w->rows && status.waiting == 0) {
        loop_stop(w->loop);
        return;
    }
    (void)sched_timer_start(w->sched, now_us + (int64_t)EVERY_MS * 1000, tick, w);
}

static struct setup *read_setup(char **argv, struct config_problems *problems)
{
    struct config *config = NULL;
    struct aic_buf text;
    bool is_file = strcmp(argv[4], "sqlite") == 0;
    aic_buf_init(&text, 64 * 1024);
    aic_buf_printf(&text,
                   "server = { state_dir = \"%s\"; plugin_dir = \"%s\"; }; storage = \"it\"; "
                   "providers = { it = { plugin = \"%s.so\"; %s = \"%s\"; }; };",
                   argv[1], argv[3], argv[4], is_file ? "path" : "url", argv[5]);
    const struct setup_folders folders = {.plugins = argv[3], .state = argv[1], .data = argv[1]};
    int32_t status = config_parse("spool_writer", aic_buf_view(&text), NULL, problems, &config);
    aic_buf_finish(&text);
    return status == AIC_OK ? setup_create(config, &folders, problems) : NULL;
}

static struct provider *make_storage(const struct setup *setup, struct plugin_env *env,
                                     struct config_problems *problems)
{
    char error[512] = "";
    const struct setup_provider *found = setup->providers[0];
    struct settings *settings = setup_settings(setup, found, 0, problems);
    struct provider *provider =
        provider_create(found->name, found->plugin, settings, env, error, sizeof(error));
    if (!provider) {
        (void)fprintf(stderr, "spool_writer: %s\n", error);
    }
    return provider;
}

static int run(struct writer *w, const struct setup *setup, char **argv,
               struct config_problems *problems)
{
    char error[512] = "";
    struct plugin_env env = {.sched = w->sched, .public_url = ""};
    struct provider *storage = make_storage(setup, &env, problems);
    w->spool =
        storage ? spool_create(w->sched, argv[1], argv[2], storage, error, sizeof(error)) : NULL;
    if (!w->spool) {
        (void)fprintf(stderr, "spool_writer: %s\n", error);
        return 1;
    }
    w->begun_us = sched_now(w->sched);
    (void)sched_timer_start(w->sched, 0, tick, w);
    loop_run(w->loop);
    struct spool_status status;
    spool_status(w->spool, &status);
    spool_destroy(w->spool, GRACE_MS);
    return status.dropped + status.rejected > 0;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        (void)fprintf(stderr, "usage: spool_writer FOLDER NAME PLUGINS sqlite|pgsql PLACE RATE "
                              "ROWS\n");
        return 2;
    }
    const struct loop_options options = {.pool_threads = 1};
    struct config_problems problems = {.list = NULL};
    struct writer w = {.loop = loop_create(&options),
                       .name = (unsigned)strtoul(argv[2], NULL, 10),
                       .rate = strtoll(argv[6], NULL, 10),
                       .rows = strtoull(argv[7], NULL, 10)};
    struct setup *setup = w.loop ? read_setup(argv, &problems) : NULL;
    int status = 1;
    if (setup && problems.errors == 0) {
        w.sched = loop_sched(w.loop);
        status = run(&w, setup, argv, &problems);
    }
    for (size_t i = 0; i < problems.count; i++) {
        (void)fprintf(stderr, "spool_writer: %s\n", problems.list[i].text);
    }
    config_problems_finish(&problems);
    loop_destroy(w.loop);
    setup_destroy(setup);
    return status;
}
