/* SPDX-License-Identifier: ISC */
#ifndef IO_MASTER_CHECK_H
#define IO_MASTER_CHECK_H
/* One run of the check child: started, listened to, judged when it has ended. Whatever else it does
 * than answer well and exit with 0, its configuration is refused. */
#include "io/master_answer.h"

#include <sys/types.h>

enum { CHECK_LIMIT_MS = 30000, CHECK_WHY = 256 };

struct check {
    pid_t pid; /* 0 = none runs */
    int fd;    /* its line; -1 = none, or it has ended */
    int64_t deadline_us;
    bool is_late;
    bool has_answer;
    const char *damage; /* what is wrong with the answer; NULL */
    char *bytes;        /* what `answer` borrows from */
    struct master_answer answer;
};

void check_init(struct check *check);
/* Starts `path` with `argv`. */
int32_t check_start(struct check *check, const char *path, char *const *argv, int64_t now_us);
/* Takes its answer; to be called when its line is readable. */
void check_read(struct check *check);
/* Ends a child that takes too long. */
void check_expire(struct check *check);
/*
 * The child has ended as `wait_status` says. AIC_OK: the configuration is good, `answer.check` has
 * everything. AIC_ERROR_CONFIG: it is not; AIC_ERROR_TIMEOUT: nobody knows. Then `why` says why in
 * a sentence, and `answer.check.problems` may say more.
 */
int32_t check_judge(struct check *check, int wait_status, char why[CHECK_WHY]);
/* Forgets the run: kills a child that still runs, closes descriptors that nobody took over. */
void check_finish(struct check *check);

#endif
