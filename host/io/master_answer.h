/* SPDX-License-Identifier: ISC */
#ifndef IO_MASTER_ANSWER_H
#define IO_MASTER_ANSWER_H
/* What master and children tell each other, as bytes: settings, the check child's answer, what a
 * worker is born with. The parsers are pure and trust nothing. */
#include "io/master.h"

#include "io/pack.h"

/* Environment variables with the descriptor of a child's line, or of its sealed beginnings. */
#define MASTER_CHECK_FD   "AICALLER_CHECK"
#define MASTER_WORKER_FD  "AICALLER_WORKER"
#define MASTER_UPGRADE_FD "AICALLER_UPGRADE"

enum {
    MASTER_ANSWER_BYTES = 160 << 10,
    MASTER_ANSWER_FDS = 1 + MASTER_PLUGINS,
    /* Of what a master hands to its successor; changes whenever that or the shared memory does. */
    MASTER_STATE_FORMAT = 1
};

/* A parsed answer: `texts` keeps what `check` borrows. */
struct master_answer {
    struct master_check check;
    int64_t state_format; /* what the child's program could take over */
    int64_t shm_bytes;
};

void master_settings_pack(const struct master_settings *settings, struct aic_buf *to);
/* Defaults for what is missing; AIC_ERROR_PROTOCOL: not ours; AIC_ERROR_CONFIG: out of range, then
 * `why` says what. */
int32_t master_settings_parse(struct aic_str bytes, struct master_settings *settings,
                              const char **why);

/* Writes an answer; descriptors go beside it: the configuration's, then one per plugin. */
void master_answer_pack(const struct master_check *check, struct aic_buf *to);
/* Parses one that came with `fd_count` descriptors; `answer` borrows from `bytes`. NULL: good; else
 * a sentence about what is wrong with it. */
const char *master_answer_parse(struct aic_str bytes, const int *fds, size_t fd_count,
                                struct master_answer *answer);

/* What a worker is born with; `config_fd` stands for its configuration. */
void master_worker_pack(const struct master_worker *worker, int config_fd, struct aic_buf *to);
int32_t master_worker_parse(struct aic_str bytes, struct master_worker *worker, int *config_fd);

#endif
