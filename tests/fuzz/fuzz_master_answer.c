/* SPDX-License-Identifier: ISC */
/* The check child's answer and what a worker is born with. The first byte says how many descriptors
 * came along; an accepted answer keeps every promise that the master relies on. */
#include "io/master_answer.h"
#include "io/shm.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void parse_answer(struct aic_str bytes, size_t fd_count)
{
    static struct master_answer answer;
    int fds[MASTER_ANSWER_FDS];
    for (size_t i = 0; i < MASTER_ANSWER_FDS; i++) {
        fds[i] = 1000 + (int)i;
    }
    if (master_answer_parse(bytes, fds, fd_count, &answer) || !answer.check.is_good) {
        return;
    }
    const struct master_check *check = &answer.check;
    const struct master_settings *settings = &check->settings;
    bool is_sound = check->plugin_count + 1 == fd_count && check->config_fd == 1000 &&
                    settings->listen[0] && settings->state_dir[0] == '/' && settings->port >= 0 &&
                    settings->port <= 65535 && settings->workers >= 0 &&
                    settings->workers <= MASTER_WORKERS && settings->drain_timeout_ms >= 0;
    if (!is_sound || strlen(settings->listen) >= sizeof(settings->listen)) {
        abort();
    }
}

static void parse_worker(struct aic_str bytes)
{
    static struct master_worker worker;
    int config_fd;
    if (master_worker_parse(bytes, &worker, &config_fd) != AIC_OK) {
        return;
    }
    if (worker.worker < 0 || worker.worker >= SHM_WORKERS ||
        worker.listen_count > MASTER_LISTENERS || worker.plugin_count > MASTER_PLUGINS) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct aic_str bytes = {(const char *)data + 1, size - 1};
    parse_answer(bytes, data[0] % (MASTER_ANSWER_FDS + 1));
    parse_worker(bytes);
    return 0;
}
