/* SPDX-License-Identifier: ISC */
#include "web/password_desk.h"

#include "base/sched.h"

#include "buf.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

struct job {
    struct job *next;
    struct password_desk *desk; /* NULL: it is gone */
    bool has_hash;
    char hash[PASSWORD_HASH];
    char *given;
    char *wanted;
    int32_t status;
    char made[PASSWORD_HASH];
    password_reply reply;
    void *data;
};

struct password_desk {
    struct sched *sched;
    struct sched_lane *lane;
    struct job *jobs;
    int waiting;
};

struct password_desk *password_desk_create(struct sched *sched)
{
    struct password_desk *desk = calloc(1, sizeof(*desk));
    if (desk) {
        desk->sched = sched;
        desk->lane = sched_lane_open(sched);
    }
    if (desk && !desk->lane) {
        free(desk);
        return NULL;
    }
    return desk;
}

void password_desk_destroy(struct password_desk *desk)
{
    if (desk) {
        for (struct job *job = desk->jobs; job; job = job->next) {
            job->desk = NULL;
        }
        sched_lane_close(desk->sched, desk->lane, NULL, NULL);
        free(desk);
    }
}

static void forget(char *text)
{
    if (text) {
        sodium_memzero(text, strlen(text));
        free(text);
    }
}

static void job_free(struct job *job)
{
    if (job) {
        forget(job->given);
        forget(job->wanted);
        sodium_memzero(job, sizeof(*job));
        free(job);
    }
}

static void work(void *data)
{
    struct job *job = data;
    job->status = AIC_OK;
    if (job->has_hash && !password_check(job->hash, aic_str(job->given))) {
        job->status = AIC_ERROR_DENIED;
    } else if (job->wanted[0] && !password_hash(job->made, aic_str(job->wanted))) {
        job->status = AIC_ERROR_MEMORY;
    }
}

static void done(void *data, int32_t status)
{
    struct job *job = data;
    struct password_desk *desk = job->desk;
    if (desk) {
        struct job **at = &desk->jobs;
        while (*at != job) {
            at = &(*at)->next;
        }
        *at = job->next;
        desk->waiting--;
    }
    bool is_done = desk && status == AIC_OK;
    job->reply(job->data, is_done ? job->status : AIC_ERROR_CLOSED, job->made);
    job_free(job);
}

int32_t password_desk_run(struct password_desk *desk, const struct password_task *task,
                          password_reply reply, void *data)
{
    if (desk->waiting >= PASSWORD_DESK_QUEUE) {
        return AIC_ERROR_BUSY;
    }
    struct job *job = calloc(1, sizeof(*job));
    if (!job) {
        return AIC_ERROR_MEMORY;
    }
    job->given = aic_str_dup(task->given);
    job->wanted = aic_str_dup(task->wanted);
    job->has_hash = task->hash != NULL;
    job->reply = reply;
    job->data = data;
    (void)aic_str_copy(aic_str(task->hash), job->hash, sizeof(job->hash));
    int32_t status = job->given && job->wanted
                         ? sched_lane_run(desk->sched, desk->lane, work, done, job)
                         : AIC_ERROR_MEMORY;
    if (status != AIC_OK) {
        job_free(job);
        return status;
    }
    job->desk = desk;
    job->next = desk->jobs;
    desk->jobs = job;
    desk->waiting++;
    return AIC_OK;
}
