/* SPDX-License-Identifier: ISC */
/*
 * USR2: the master becomes the new program without ceasing to be this process. Workers, their
 * lines, listening sockets, shared memory and the control socket stay open across the exec; what is
 * known about them goes along in a sealed memfd. Signals are blocked all the while, so none is
 * lost.
 */
#include "io/master_private.h"

#include "base/log.h"

#include "io/control.h"
#include "io/pack.h"
#include "io/sealed.h"
#include "io/spawn.h"

#include <errno.h>

enum { STATE_BYTES = 64 << 20 };

/* Tags of items; values are never reused (hub and board begin at 100). */
enum {
    PACK_STARTED = 1,
    PACK_LAST_GENERATION = 2,
    PACK_LAST_SPOOL = 3,
    PACK_RESTARTS = 4,
    PACK_SHM_FD = 5,
    PACK_STATE_DIR_FD = 6,
    PACK_LOCK_FD = 7,
    PACK_ACTIVATED_FD = 8,
    PACK_GENERATION = 9,
    PACK_WORKER = 10,
    PACK_TICKET = 11,
    /* in a generation or worker */
    FIELD_NUMBER = 1,
    FIELD_STATE = 2,
    FIELD_SETTINGS = 3,
    FIELD_CONFIG_FD = 4,
    FIELD_PLUGIN = 5,
    FIELD_PLUGIN_FD = 6,
    FIELD_LISTEN_FD = 7,
    FIELD_BEGAN = 8,
    FIELD_DEADLINE = 9,
    FIELD_RESTART_AT = 10,
    FIELD_RESTART_LIMIT = 11,
    FIELD_SLOT = 12,
    FIELD_PID = 13,
    FIELD_IS_READY = 14,
    FIELD_IS_STOPPING = 15,
    FIELD_IS_ABORTED = 16,
    FIELD_KILL_AT = 17,
    FIELD_SPOOL = 18,
    FIELD_BINARY_FD = 19,
    FIELDS = 20
};

static void keep_fd(struct aic_buf *to, uint32_t tag, int fd)
{
    pack_int(to, tag, fd);
    spawn_keep(fd);
}

static void save_generation(const struct generation *generation, struct aic_buf *to)
{
    struct aic_buf item;
    struct aic_buf settings;
    aic_buf_init(&item, MASTER_ANSWER_BYTES);
    aic_buf_init(&settings, 4096);
    master_settings_pack(&generation->settings, &settings);
    pack_int(&item, FIELD_NUMBER, generation->number);
    pack_int(&item, FIELD_STATE, generation->state);
    pack_str(&item, FIELD_SETTINGS, aic_buf_view(&settings));
    keep_fd(&item, FIELD_BINARY_FD, generation->binary_fd);
    keep_fd(&item, FIELD_CONFIG_FD, generation->config_fd);
    for (size_t i = 0; i < generation->plugin_count; i++) {
        pack_str(&item, FIELD_PLUGIN, aic_str(generation->plugins[i].name));
        keep_fd(&item, FIELD_PLUGIN_FD, generation->plugins[i].fd);
    }
    for (size_t i = 0; i < generation->listeners.count; i++) {
        keep_fd(&item, FIELD_LISTEN_FD, generation->listeners.fds[i]);
    }
    pack_int(&item, FIELD_BEGAN, generation->began_us);
    pack_int(&item, FIELD_DEADLINE, generation->deadline_us);
    pack_int(&item, FIELD_RESTART_AT, generation->restart_at_us);
    pack_str(&item, FIELD_RESTART_LIMIT,
             (struct aic_str){(const char *)&generation->restarts, sizeof(generation->restarts)});
    pack_str(to, PACK_GENERATION, aic_buf_view(&item));
    to->failed |= item.failed;
    aic_buf_finish(&settings);
    aic_buf_finish(&item);
}

static void save_worker(const struct worker *worker, int slot, struct aic_buf *to)
{
    struct aic_buf item;
    aic_buf_init(&item, 4096);
    pack_int(&item, FIELD_SLOT, slot);
    pack_int(&item, FIELD_PID, worker->pid);
    pack_int(&item, FIELD_NUMBER, worker->generation->number);
    pack_int(&item, FIELD_IS_READY, worker->is_ready);
    pack_int(&item, FIELD_IS_STOPPING, worker->is_stopping);
    pack_int(&item, FIELD_IS_ABORTED, worker->is_aborted);
    pack_int(&item, FIELD_BEGAN, worker->began_us);
    pack_int(&item, FIELD_KILL_AT, worker->kill_at_us);
    pack_str(&item, FIELD_SPOOL, aic_str(worker->spool));
    pack_str(to, PACK_WORKER, aic_buf_view(&item));
    aic_buf_finish(&item);
}

static void save_all(struct master *master, struct aic_buf *to)
{
    pack_int(to, PACK_STARTED, master->started_wall_us);
    pack_int(to, PACK_LAST_GENERATION, master->last_generation);
    pack_int(to, PACK_LAST_SPOOL, master->last_spool);
    pack_int(to, PACK_RESTARTS, master->restarts);
    keep_fd(to, PACK_SHM_FD, master->shm_fd);
    keep_fd(to, PACK_STATE_DIR_FD, master->state_dir.fd);
    keep_fd(to, PACK_LOCK_FD, master->state_dir.lock_fd);
    for (size_t i = 0; i < master->activated.count; i++) {
        keep_fd(to, PACK_ACTIVATED_FD, master->activated.fds[i]);
    }
    for (const struct generation *each = master->generations; each; each = each->next) {
        save_generation(each, to);
    }
    for (int i = 0; i < SHM_WORKERS; i++) {
        if (master->workers[i].pid > 0) {
            save_worker(&master->workers[i], i, to);
        }
    }
    const struct tickets *tickets = &master->reload.again_tickets;
    for (size_t i = 0; i < tickets->count; i++) {
        pack_int(to, PACK_TICKET, (int64_t)tickets->ids[i]);
    }
    bequests_save(master, to);
    hub_save(master->hub, to);
}

const char *upgrade_exec(struct master *master)
{
    struct aic_buf state;
    aic_buf_init(&state, STATE_BYTES);
    save_all(master, &state);
    int fd = state.failed ? -1 : sealed_create("aicaller-upgrade", aic_buf_view(&state));
    aic_buf_finish(&state);
    char **env = fd >= 0 ? spawn_environment(MASTER_UPGRADE_FD, fd) : NULL;
    if (env) {
        log_info("master", "the new program takes over", LOG_S("path", master->options->binary));
        spawn_keep(fd);
        (void)execve(master->options->binary, master->options->argv, env);
        log_error("master", "the new program could not be started", LOG_S("why", strerror(errno)));
    }
    free(env);
    spawn_keep_none();
    if (fd >= 0) {
        (void)close(fd);
    }
    return "the new program could not be started in place of this one";
}

/* Fields that occur once; lists are handled as they come. */
struct fields {
    struct pack_item of[FIELDS];
};

static int64_t number(const struct fields *fields, uint32_t tag)
{
    return fields->of[tag].number;
}

static bool add_to_generation(struct generation *generation, const struct pack_item *item)
{
    if (item->tag == FIELD_LISTEN_FD && generation->listeners.count < LISTENERS) {
        generation->listeners.fds[generation->listeners.count++] = (int)item->number;
    } else if (item->tag == FIELD_PLUGIN && generation->plugin_count < MASTER_PLUGINS) {
        return pack_copy(item, generation->plugins[generation->plugin_count].name, MASTER_PATH);
    } else if (item->tag == FIELD_PLUGIN_FD && generation->plugin_count < MASTER_PLUGINS) {
        generation->plugins[generation->plugin_count++].fd = (int)item->number;
    }
    return true;
}

static bool read_fields(struct aic_str from, struct fields *fields, struct generation *generation)
{
    struct pack_item item;
    int32_t status;
    memset(fields, 0, sizeof(*fields));
    while ((status = pack_next(&from, &item)) == 1) {
        if (item.tag < FIELDS) {
            fields->of[item.tag] = item;
        }
        if (generation && !add_to_generation(generation, &item)) {
            return false;
        }
    }
    return status == 0;
}

static int32_t load_generation(struct master *master, const struct pack_item *item)
{
    const char *why;
    struct fields fields;
    struct generation *generation = calloc(1, sizeof(*generation));
    if (!generation) {
        return AIC_ERROR_MEMORY;
    }
    generation->next = master->generations;
    master->generations = generation;
    if (!read_fields(item->text, &fields, generation) ||
        master_settings_parse(fields.of[FIELD_SETTINGS].text, &generation->settings, &why) !=
            AIC_OK) {
        return AIC_ERROR_PROTOCOL;
    }
    generation->number = number(&fields, FIELD_NUMBER);
    generation->state = (enum generation_state)number(&fields, FIELD_STATE);
    generation->binary_fd = (int)number(&fields, FIELD_BINARY_FD);
    generation->config_fd = (int)number(&fields, FIELD_CONFIG_FD);
    generation->began_us = number(&fields, FIELD_BEGAN);
    generation->deadline_us = number(&fields, FIELD_DEADLINE);
    generation->restart_at_us = number(&fields, FIELD_RESTART_AT);
    struct aic_str limit = fields.of[FIELD_RESTART_LIMIT].text;
    if (limit.len == sizeof(generation->restarts)) {
        memcpy(&generation->restarts, limit.ptr, limit.len);
    }
    return AIC_OK;
}

static int32_t load_worker(struct master *master, const struct pack_item *item)
{
    struct fields fields;
    if (!read_fields(item->text, &fields, NULL)) {
        return AIC_ERROR_PROTOCOL;
    }
    int64_t slot = number(&fields, FIELD_SLOT);
    struct generation *generation = master->generations;
    while (generation && generation->number != number(&fields, FIELD_NUMBER)) {
        generation = generation->next;
    }
    if (slot < 0 || slot >= SHM_WORKERS || !generation) {
        return AIC_ERROR_PROTOCOL;
    }
    struct worker *worker = &master->workers[slot];
    *worker = (struct worker){.pid = (pid_t)number(&fields, FIELD_PID),
                              .generation = generation,
                              .is_ready = number(&fields, FIELD_IS_READY) != 0,
                              .is_stopping = number(&fields, FIELD_IS_STOPPING) != 0,
                              .is_aborted = number(&fields, FIELD_IS_ABORTED) != 0,
                              .began_us = number(&fields, FIELD_BEGAN),
                              .kill_at_us = number(&fields, FIELD_KILL_AT)};
    return pack_copy(&fields.of[FIELD_SPOOL], worker->spool, sizeof(worker->spool))
               ? (int32_t)AIC_OK
               : (int32_t)AIC_ERROR_PROTOCOL;
}

static int32_t load_shm(struct master *master, int fd)
{
    master->shm_fd = fd;
    master->shm = shm_map(fd);
    return master->shm ? (int32_t)AIC_OK : (int32_t)AIC_ERROR_PROTOCOL;
}

static int32_t load_item(struct master *master, const struct pack_item *item)
{
    struct tickets *tickets = &master->reload.tickets;
    switch (item->tag) {
    case PACK_STARTED:
        master->started_wall_us = item->number;
        return AIC_OK;
    case PACK_LAST_GENERATION:
        master->last_generation = item->number;
        return AIC_OK;
    case PACK_LAST_SPOOL:
        master->last_spool = item->number;
        return AIC_OK;
    case PACK_RESTARTS:
        master->restarts = item->number;
        return AIC_OK;
    case PACK_SHM_FD:
        return load_shm(master, (int)item->number);
    case PACK_STATE_DIR_FD:
        master->state_dir.fd = (int)item->number;
        return AIC_OK;
    case PACK_LOCK_FD:
        master->state_dir.lock_fd = (int)item->number;
        return AIC_OK;
    case PACK_ACTIVATED_FD:
        if (master->activated.count < LISTENERS) {
            master->activated.fds[master->activated.count++] = (int)item->number;
        }
        return AIC_OK;
    case PACK_GENERATION:
        return load_generation(master, item);
    case PACK_WORKER:
        return load_worker(master, item);
    case PACK_TICKET:
        if (tickets->count < RELOAD_TICKETS) {
            tickets->ids[tickets->count++] = (uint64_t)item->number;
        }
        return AIC_OK;
    default:
        bequests_load(master, item);
        hub_load(master->hub, item, control_admit);
        return AIC_OK;
    }
}

int32_t upgrade_restore(struct master *master, int fd)
{
    struct aic_str state;
    struct pack_item item;
    spawn_keep_none();
    int32_t status = sealed_map(fd, STATE_BYTES, &state);
    (void)close(fd);
    if (status != AIC_OK) {
        return status;
    }
    struct aic_str rest = state;
    int32_t more;
    while (status == AIC_OK && (more = pack_next(&rest, &item)) != 0) {
        status = more < 0 ? more : load_item(master, &item);
    }
    sealed_unmap(state);
    bool is_whole = master->shm && generation_current(master);
    return status == AIC_OK && !is_whole ? (int32_t)AIC_ERROR_PROTOCOL : status;
}
