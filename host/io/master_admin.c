/* SPDX-License-Identifier: ISC */
#include "io/master_private.h"

#include "json.h"

enum { ANSWER_BYTES = 128 << 10 };

static const char *state_of(const struct worker *worker)
{
    if (worker->is_stopping || worker->is_aborted) {
        return "stopping";
    }
    if (worker->generation->state == GENERATION_DRAINING) {
        return "draining";
    }
    return worker->is_ready ? "ready" : "starting";
}

static void put_worker(const struct master *master, int slot, struct aic_json_writer *w)
{
    const struct worker *worker = &master->workers[slot];
    const struct shm_worker *numbers = &master->shm->workers[slot];
    aic_json_open(w, '{');
    aic_json_member_int(w, "worker", slot);
    aic_json_member_int(w, "pid", worker->pid);
    aic_json_member_int(w, "generation", worker->generation->number);
    aic_json_member_text(w, "state", state_of(worker));
    aic_json_member_int(w, "calls", atomic_load(&numbers->calls));
    aic_json_member_int(w, "viewers", atomic_load(&numbers->viewers));
    aic_json_member_int(w, "lag_us", atomic_load(&numbers->lag_us));
    aic_json_member_int(w, "age_s", (master->now_us - worker->began_us) / 1000000);
    aic_json_member_int(w, "refused", (int64_t)hub_refused(master->hub, slot));
    aic_json_close(w, '}');
}

static void put_listeners(const struct master *master, struct aic_json_writer *w)
{
    const struct generation *current = generation_current(master);
    aic_json_key(w, "listen");
    aic_json_open(w, '[');
    for (size_t i = 0; current && i < current->listeners.count; i++) {
        char name[LISTENER_NAME];
        listener_name(current->listeners.fds[i], name);
        aic_json_put(w, aic_str(name));
    }
    aic_json_close(w, ']');
}

static void put_workers(const struct master *master, struct aic_json_writer *w)
{
    aic_json_member_int(w, "generation", atomic_load(&master->shm->generation));
    aic_json_member_text(w, "state", master->phase == MASTER_RUNNING ? "running" : "stopping");
    aic_json_member_int(w, "restarts", master->restarts);
    put_listeners(master, w);
    aic_json_key(w, "workers");
    aic_json_open(w, '[');
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid > 0) {
            put_worker(master, i, w);
        }
    }
    aic_json_close(w, ']');
}

static void put_version(const struct master *master, struct aic_json_writer *w)
{
    aic_json_member_text(w, "version", AICALLER_VERSION);
    aic_json_member_int(w, "pid", getpid());
    aic_json_member_int(w, "started_wall_us", master->started_wall_us);
    aic_json_member_int(w, "generation", atomic_load(&master->shm->generation));
    aic_json_member_text(w, "config", master->options->config_path);
}

static void answer(struct master *master, uint64_t ticket,
                   void (*put)(const struct master *master, struct aic_json_writer *w))
{
    struct aic_buf text;
    struct aic_json_writer w;
    aic_buf_init(&text, ANSWER_BYTES);
    aic_json_writer_init(&w, &text);
    aic_json_open(&w, '{');
    put(master, &w);
    aic_json_close(&w, '}');
    hub_answer(master->hub, ticket, text.failed ? AIC_ERROR_MEMORY : AIC_OK,
               text.failed ? (struct aic_str){NULL, 0} : aic_buf_view(&text));
    aic_buf_finish(&text);
}

bool admin_request(struct master *master, const struct hub_request *request)
{
    if (strcmp(request->kind, "workers.list") == 0) {
        answer(master, request->ticket, put_workers);
    } else if (strcmp(request->kind, "version") == 0) {
        answer(master, request->ticket, put_version);
    } else if (strcmp(request->kind, "reload") == 0) {
        reload_ask(master, request->ticket);
    } else {
        return false;
    }
    return true;
}
