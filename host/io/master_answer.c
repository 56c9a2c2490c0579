/* SPDX-License-Identifier: ISC */
#include "io/master_answer.h"

#include "io/shm.h"

#include <aicaller/log.h>

/* Tags of items; values are never reused. */
enum {
    /* settings */
    PACK_LISTEN = 1,
    PACK_PORT = 2,
    PACK_WORKERS = 3,
    PACK_DRAIN_TIMEOUT = 4,
    PACK_HEARTBEAT_LIMIT = 5,
    PACK_STATE_DIR = 6,
    PACK_LOG_FORMAT = 7,
    PACK_LOG_LEVEL = 8,
    /* an answer */
    PACK_IS_GOOD = 20,
    PACK_PROBLEMS = 21,
    PACK_SETTINGS = 22,
    PACK_PLUGIN = 23,
    PACK_STATE_FORMAT = 24,
    PACK_SHM_BYTES = 25,
    PACK_END = 26,
    /* a worker */
    PACK_WORKER = 40,
    PACK_GENERATION = 41,
    PACK_SPOOL = 42,
    PACK_LINK_FD = 43,
    PACK_SHM_FD = 44,
    PACK_CONFIG_FD = 45,
    PACK_LISTEN_FD = 46,
    PACK_PLUGIN_FD = 47
};

void master_settings_pack(const struct master_settings *settings, struct aic_buf *to)
{
    pack_str(to, PACK_LISTEN, aic_str(settings->listen));
    pack_int(to, PACK_PORT, settings->port);
    pack_int(to, PACK_WORKERS, settings->workers);
    pack_int(to, PACK_DRAIN_TIMEOUT, settings->drain_timeout_ms);
    pack_int(to, PACK_HEARTBEAT_LIMIT, settings->heartbeat_limit_ms);
    pack_str(to, PACK_STATE_DIR, aic_str(settings->state_dir));
    pack_int(to, PACK_LOG_FORMAT, settings->log_format);
    pack_int(to, PACK_LOG_LEVEL, settings->log_level);
}

static bool set_setting(const struct pack_item *item, struct master_settings *settings)
{
    switch (item->tag) {
    case PACK_LISTEN:
        return pack_copy(item, settings->listen, sizeof(settings->listen));
    case PACK_STATE_DIR:
        return pack_copy(item, settings->state_dir, sizeof(settings->state_dir));
    case PACK_PORT:
        settings->port = item->number;
        return true;
    case PACK_WORKERS:
        settings->workers = item->number;
        return true;
    case PACK_DRAIN_TIMEOUT:
        settings->drain_timeout_ms = item->number;
        return true;
    case PACK_HEARTBEAT_LIMIT:
        settings->heartbeat_limit_ms = item->number;
        return true;
    case PACK_LOG_FORMAT:
        settings->log_format = item->number;
        return true;
    case PACK_LOG_LEVEL:
        settings->log_level = item->number;
        return true;
    default:
        return true;
    }
}

static const char *out_of_range(const struct master_settings *settings)
{
    const int64_t year_ms = INT64_C(366) * 86400 * 1000;
    if (!settings->listen[0]) {
        return "server.listen is missing";
    }
    if (settings->port < 0 || settings->port > 65535) {
        return "server.port must be from 0 to 65535";
    }
    if (settings->workers < 0 || settings->workers > MASTER_WORKERS) {
        return "server.workers must be from 0 (one per core) to 64";
    }
    if (settings->drain_timeout_ms < 0 || settings->drain_timeout_ms > year_ms) {
        return "server.drain_timeout must be from 0 to a year";
    }
    if (settings->heartbeat_limit_ms < 0 || settings->heartbeat_limit_ms > year_ms) {
        return "the heartbeat limit must be from 0 to a year";
    }
    if (settings->state_dir[0] != '/') {
        return "server.state_dir must be an absolute path";
    }
    return NULL;
}

int32_t master_settings_parse(struct aic_str bytes, struct master_settings *settings,
                              const char **why)
{
    struct pack_item item;
    int32_t status;
    *settings = (struct master_settings){.listen = "", .log_level = AIC_LOG_INFO};
    *why = "it is not what the program wrote";
    while ((status = pack_next(&bytes, &item)) == 1) {
        if (!set_setting(&item, settings)) {
            return AIC_ERROR_PROTOCOL;
        }
    }
    if (status != 0) {
        return status;
    }
    *why = out_of_range(settings);
    return *why ? (int32_t)AIC_ERROR_CONFIG : (int32_t)AIC_OK;
}

void master_answer_pack(const struct master_check *check, struct aic_buf *to)
{
    struct aic_buf settings;
    aic_buf_init(&settings, 4096);
    master_settings_pack(&check->settings, &settings);
    struct aic_str problems = check->problems;
    if (problems.len > MASTER_PROBLEM_BYTES) {
        problems.len = MASTER_PROBLEM_BYTES;
    }
    pack_int(to, PACK_STATE_FORMAT, MASTER_STATE_FORMAT);
    pack_int(to, PACK_SHM_BYTES, (int64_t)sizeof(struct shm));
    pack_int(to, PACK_IS_GOOD, check->is_good);
    pack_str(to, PACK_PROBLEMS, problems);
    pack_str(to, PACK_SETTINGS, aic_buf_view(&settings));
    for (size_t i = 0; i < check->plugin_count; i++) {
        pack_str(to, PACK_PLUGIN, aic_str(check->plugins[i].name));
    }
    pack_int(to, PACK_END, 1);
    aic_buf_finish(&settings);
}

static const char *set_answer(const struct pack_item *item, struct master_answer *answer)
{
    struct master_check *check = &answer->check;
    const char *why = NULL;
    switch (item->tag) {
    case PACK_STATE_FORMAT:
        answer->state_format = item->number;
        break;
    case PACK_SHM_BYTES:
        answer->shm_bytes = item->number;
        break;
    case PACK_IS_GOOD:
        check->is_good = item->number == 1;
        break;
    case PACK_PROBLEMS:
        check->problems = item->text;
        break;
    case PACK_SETTINGS:
        if (check->is_good) {
            (void)master_settings_parse(item->text, &check->settings, &why);
        }
        break;
    case PACK_PLUGIN:
        if (check->plugin_count == MASTER_PLUGINS) {
            return "it names more than 64 plugins";
        }
        if (!pack_copy(item, check->plugins[check->plugin_count].name, MASTER_PATH)) {
            return "the name of a plugin is too long";
        }
        check->plugin_count++;
        break;
    default:
        break;
    }
    return why;
}

const char *master_answer_parse(struct aic_str bytes, const int *fds, size_t fd_count,
                                struct master_answer *answer)
{
    struct pack_item item = {.tag = 0};
    int32_t status;
    memset(answer, 0, sizeof(*answer));
    answer->check.config_fd = -1;
    while ((status = pack_next(&bytes, &item)) == 1) {
        const char *why = set_answer(&item, answer);
        if (why) {
            return why;
        }
    }
    if (status != 0 || item.tag != PACK_END) {
        return "the answer is damaged";
    }
    if (!answer->check.is_good) {
        return NULL;
    }
    if (!answer->check.settings.listen[0]) {
        return "the answer has no settings";
    }
    if (fd_count != answer->check.plugin_count + 1) {
        return "the answer came without its files";
    }
    answer->check.config_fd = fds[0];
    for (size_t i = 0; i < answer->check.plugin_count; i++) {
        answer->check.plugins[i].fd = fds[1 + i];
    }
    return NULL;
}

void master_worker_pack(const struct master_worker *worker, int config_fd, struct aic_buf *to)
{
    pack_int(to, PACK_WORKER, worker->worker);
    pack_int(to, PACK_GENERATION, worker->generation);
    pack_str(to, PACK_SPOOL, aic_str(worker->spool));
    pack_str(to, PACK_STATE_DIR, aic_str(worker->state_dir));
    pack_int(to, PACK_LINK_FD, worker->link_fd);
    pack_int(to, PACK_SHM_FD, worker->shm_fd);
    pack_int(to, PACK_CONFIG_FD, config_fd);
    for (size_t i = 0; i < worker->listen_count; i++) {
        pack_int(to, PACK_LISTEN_FD, worker->listen_fds[i]);
    }
    for (size_t i = 0; i < worker->plugin_count; i++) {
        pack_str(to, PACK_PLUGIN, aic_str(worker->plugins[i].name));
        pack_int(to, PACK_PLUGIN_FD, worker->plugins[i].fd);
    }
}

static bool set_worker_plugin(const struct pack_item *item, struct master_worker *worker)
{
    if (item->tag == PACK_PLUGIN) {
        return worker->plugin_count < MASTER_PLUGINS &&
               pack_copy(item, worker->plugins[worker->plugin_count].name, MASTER_PATH);
    }
    if (worker->plugin_count == MASTER_PLUGINS) {
        return false;
    }
    worker->plugins[worker->plugin_count++].fd = (int)item->number;
    return true;
}

static bool set_worker(const struct pack_item *item, struct master_worker *worker, int *config_fd)
{
    switch (item->tag) {
    case PACK_WORKER:
        worker->worker = (int)item->number;
        return item->number >= 0 && item->number < SHM_WORKERS;
    case PACK_GENERATION:
        worker->generation = item->number;
        return true;
    case PACK_SPOOL:
        return pack_copy(item, worker->spool, sizeof(worker->spool));
    case PACK_STATE_DIR:
        return pack_copy(item, worker->state_dir, sizeof(worker->state_dir));
    case PACK_LINK_FD:
        worker->link_fd = (int)item->number;
        return true;
    case PACK_SHM_FD:
        worker->shm_fd = (int)item->number;
        return true;
    case PACK_CONFIG_FD:
        *config_fd = (int)item->number;
        return true;
    case PACK_LISTEN_FD:
        if (worker->listen_count == MASTER_LISTENERS) {
            return false;
        }
        worker->listen_fds[worker->listen_count++] = (int)item->number;
        return true;
    case PACK_PLUGIN:
    case PACK_PLUGIN_FD:
        return set_worker_plugin(item, worker);
    default:
        return true;
    }
}

int32_t master_worker_parse(struct aic_str bytes, struct master_worker *worker, int *config_fd)
{
    struct pack_item item;
    int32_t status;
    memset(worker, 0, sizeof(*worker));
    worker->link_fd = -1;
    worker->shm_fd = -1;
    *config_fd = -1;
    while ((status = pack_next(&bytes, &item)) == 1) {
        if (!set_worker(&item, worker, config_fd)) {
            return AIC_ERROR_PROTOCOL;
        }
    }
    return status;
}
