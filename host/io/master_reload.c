/* SPDX-License-Identifier: ISC */
/* From a wish for a new configuration (or program) to a generation that has it, or to a refusal
 * that changes nothing. */
#include "io/master_private.h"

#include "base/log.h"

#include "io/control.h"
#include "io/notify.h"
#include "io/now.h"

#include "json.h"

static void add_ticket(struct master *master, struct tickets *tickets, uint64_t ticket)
{
    if (ticket == 0) {
        return;
    }
    if (tickets->count == RELOAD_TICKETS) {
        hub_answer(master->hub, ticket, AIC_ERROR_BUSY, (struct aic_str){NULL, 0});
        return;
    }
    tickets->ids[tickets->count++] = ticket;
}

static void answer_tickets(struct master *master, int32_t status, struct aic_str answer)
{
    struct tickets tickets = master->reload.tickets;
    master->reload.tickets.count = 0;
    for (size_t i = 0; i < tickets.count; i++) {
        hub_answer(master->hub, tickets.ids[i], status, answer);
    }
}

/* Gets ready for the next one, and begins it if something was asked meanwhile. */
static void finish(struct master *master)
{
    struct reload *reload = &master->reload;
    check_finish(&reload->check);
    reload->state = RELOAD_NONE;
    reload->generation = NULL;
    if (master->phase == MASTER_ENDING) {
        return;
    }
    if (reload->upgrade_asked) {
        reload->upgrade_asked = false;
        reload_begin(master, RELOAD_NEW_BINARY);
    } else if (reload->again) {
        reload->again = false;
        reload->tickets = reload->again_tickets;
        reload->again_tickets.count = 0;
        reload_begin(master, RELOAD_ASKED);
    }
}

/* The first start failed: what is wrong goes to the person who typed the command. */
static void refuse_start(struct master *master, int32_t status, const char *why,
                         struct aic_str problems)
{
    if (problems.len > 0) {
        (void)fprintf(stderr, "%.*s%s", (int)problems.len, problems.ptr,
                      problems.ptr[problems.len - 1] == '\n' ? "" : "\n");
    } else {
        (void)fprintf(stderr, "aicaller: %s\n", why);
    }
    master_end(master, status == AIC_ERROR_CONFIG ? 78 : 1, STOP_GRACE_MS);
}

static void log_lines(uint32_t level, struct aic_str text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        struct aic_str line = {text.ptr, end ? (size_t)(end - text.ptr) : text.len};
        if (line.len > 0) {
            log_at(level, "config", "problem", LOG_T("text", line));
        }
        size_t used = end ? line.len + 1 : line.len;
        text.ptr += used;
        text.len -= used;
    }
}

static void refuse_reload(struct master *master, int32_t status, const char *why,
                          struct aic_str problems)
{
    const struct generation *current = generation_current(master);
    log_lines(AIC_LOG_ERROR, problems);
    log_error("master",
              master->reload.why == RELOAD_NEW_BINARY ? "upgrade refused, nothing has changed"
                                                      : "reload refused, nothing has changed",
              LOG_S("why", why), LOG_I("generation", current ? current->number : 0));
    struct aic_buf answer;
    struct aic_json_writer w;
    aic_buf_init(&answer, 2 * MASTER_ANSWER_BYTES);
    aic_json_writer_init(&w, &answer);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "why", why);
    aic_json_member(&w, "problems", problems.ptr ? problems : (struct aic_str){"", 0});
    aic_json_member_int(&w, "generation", current ? current->number : 0);
    aic_json_close(&w, '}');
    answer_tickets(master, status, aic_buf_view(&answer));
    aic_buf_finish(&answer);
    notify_send("READY=1\nSTATUS=reload refused: %.200s", why);
}

void reload_fail(struct master *master, int32_t status, const char *why, struct aic_str problems)
{
    struct reload *reload = &master->reload;
    if (reload->generation) {
        generation_abandon(master, reload->generation);
        reload->generation = NULL;
    }
    if (reload->why == RELOAD_FIRST) {
        refuse_start(master, status, why, problems);
    } else {
        refuse_reload(master, status, why, problems);
    }
    finish(master);
}

/* For reasons that are not in the configuration's text. */
static void fail(struct master *master, const char *why)
{
    reload_fail(master, AIC_ERROR_IO, why, (struct aic_str){NULL, 0});
}

void reload_cancel(struct master *master)
{
    struct reload *reload = &master->reload;
    if (reload->generation) {
        generation_abandon(master, reload->generation);
    }
    reload->again = false;
    reload->upgrade_asked = false;
    answer_tickets(master, AIC_ERROR_CANCELLED, (struct aic_str){NULL, 0});
    reload->tickets = reload->again_tickets;
    reload->again_tickets.count = 0;
    answer_tickets(master, AIC_ERROR_CANCELLED, (struct aic_str){NULL, 0});
    finish(master);
}

void reload_begin(struct master *master, enum reload_why why)
{
    struct reload *reload = &master->reload;
    reload->state = RELOAD_CHECKING;
    reload->why = why;
    reload->began_us = master->now_us;
    if (why != RELOAD_FIRST) {
        notify_reloading();
    }
    char **argv = master_child_argv(master, MASTER_CHECK_WORD);
    const char *path = why == RELOAD_NEW_BINARY ? master->options->binary : "/proc/self/exe";
    int32_t status =
        argv ? check_start(&reload->check, path, argv, master->now_us) : (int32_t)AIC_ERROR_MEMORY;
    free(argv);
    if (status != AIC_OK) {
        fail(master, "the check of the configuration could not be started");
    }
}

void reload_ask(struct master *master, uint64_t ticket)
{
    struct reload *reload = &master->reload;
    if (master->phase != MASTER_RUNNING) {
        if (ticket != 0) {
            hub_answer(master->hub, ticket, AIC_ERROR_CLOSED, (struct aic_str){NULL, 0});
        }
        return;
    }
    if (reload->state == RELOAD_NONE) {
        add_ticket(master, &reload->tickets, ticket);
        reload_begin(master, RELOAD_ASKED);
    } else {
        reload->again = true;
        add_ticket(master, &reload->again_tickets, ticket);
    }
}

void reload_ask_upgrade(struct master *master)
{
    if (master->phase != MASTER_RUNNING) {
        log_warn("master", "upgrade refused while stopping", LOG_I("phase", master->phase));
    } else if (master->reload.state == RELOAD_NONE) {
        reload_begin(master, RELOAD_NEW_BINARY);
    } else {
        master->reload.upgrade_asked = true;
    }
}

/* The first configuration says where this server lives. */
static bool move_in(struct master *master, const struct master_settings *settings)
{
    char why[STATE_DIR_WHY];
    if (state_dir_open(&master->state_dir, settings->state_dir, why) != AIC_OK) {
        fail(master, why);
        return false;
    }
    int fd = control_listen(master->state_dir.fd);
    if (fd < 0 || hub_listen(master->hub, fd, control_admit) != AIC_OK) {
        fail(master, "the control socket could not be made in server.state_dir");
        return false;
    }
    return true;
}

static bool keeps_state_dir(struct master *master, const struct master_settings *settings)
{
    const struct generation *current = generation_current(master);
    if (!current || strcmp(current->settings.state_dir, settings->state_dir) == 0) {
        return true;
    }
    fail(master, "server.state_dir has changed, which only a restart can do");
    return false;
}

static void start_generation(struct master *master)
{
    char why[LISTENER_WHY];
    struct reload *reload = &master->reload;
    struct master_check *check = &reload->check.answer.check;
    log_lines(AIC_LOG_WARN, check->problems);
    bool may_go_on = reload->why == RELOAD_FIRST ? move_in(master, &check->settings)
                                                 : keeps_state_dir(master, &check->settings);
    if (!may_go_on) {
        return;
    }
    reload->generation = generation_create(master, check, why);
    if (!reload->generation) {
        fail(master, why);
        return;
    }
    reload->state = RELOAD_STARTING;
    int32_t status = generation_start(master, reload->generation);
    if (status != AIC_OK) {
        fail(master, status == AIC_ERROR_BUSY
                         ? "too many workers of older generations still have calls; wait until "
                           "they end, or lower server.drain_timeout"
                         : "the workers could not be started");
    }
}

static void upgrade(struct master *master)
{
    const struct master_answer *answer = &master->reload.check.answer;
    const char *why = "the new program cannot take over from this one while it runs; restart it";
    if (answer->state_format == MASTER_STATE_FORMAT &&
        answer->shm_bytes == (int64_t)sizeof(struct shm)) {
        why = upgrade_exec(master);
    }
    fail(master, why);
}

bool reload_reaped(struct master *master, pid_t pid, int wait_status)
{
    struct reload *reload = &master->reload;
    char why[CHECK_WHY];
    int32_t status;
    if (reload->state != RELOAD_CHECKING || reload->check.pid != pid) {
        return false;
    }
    status = check_judge(&reload->check, wait_status, why);
    if (status != AIC_OK) {
        reload_fail(master, status, why, reload->check.answer.check.problems);
    } else if (reload->why == RELOAD_NEW_BINARY) {
        upgrade(master);
    } else {
        start_generation(master);
    }
    return true;
}

static bool is_all_ready(const struct master *master, const struct generation *generation)
{
    int64_t ready = 0;
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct worker *worker = &master->workers[i];
        ready += worker->pid > 0 && worker->generation == generation && worker->is_ready;
    }
    return ready == generation->settings.workers;
}

void reload_ready(struct master *master)
{
    struct reload *reload = &master->reload;
    struct generation *generation = reload->generation;
    if (reload->state != RELOAD_STARTING || !is_all_ready(master, generation)) {
        return;
    }
    generation_promote(master, generation);
    char listen[LISTENER_NAME] = "?";
    if (generation->listeners.count > 0) {
        listener_name(generation->listeners.fds[0], listen);
    }
    log_info("master", reload->why == RELOAD_FIRST ? "ready" : "a new generation has taken over",
             LOG_I("generation", generation->number),
             LOG_I("workers", generation->settings.workers), LOG_S("listen", listen),
             LOG_I("after_ms", (now_us() - reload->began_us) / 1000));
    char answer[64];
    int length =
        snprintf(answer, sizeof(answer), "{\"generation\":%lld}", (long long)generation->number);
    answer_tickets(master, AIC_OK, (struct aic_str){answer, (size_t)length});
    notify_send("READY=1\nMAINPID=%ld", (long)getpid());
    if (reload->why == RELOAD_FIRST) {
        bequest_orphans(master);
    }
    finish(master);
}

void reload_tick(struct master *master)
{
    struct reload *reload = &master->reload;
    if (reload->state == RELOAD_CHECKING && master_due(master, reload->check.deadline_us)) {
        check_expire(&reload->check);
    }
    if (reload->state == RELOAD_STARTING && master_due(master, reload->generation->deadline_us)) {
        fail(master, "the new generation was not ready within 15 s");
    }
}
