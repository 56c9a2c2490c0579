/* SPDX-License-Identifier: ISC */
#include "io/master_private.h"

#include "base/log.h"

#include "io/board.h"
#include "io/pack.h"

#include <dirent.h>
#include <fcntl.h>

#include "json.h"

/*
 * What a worker that is gone leaves behind: calls that were interrupted, and its spool. It is
 * offered to open workers until one takes it. Who takes a spool holds it until its file is gone; if
 * the holder dies before, it is offered again.
 */
enum { ATTEMPTS = 10, RETRY_MS = 1000, BUSY_RETRY_MS = 15000, NOBODY = -1 };

#define SPOOL_FOLDER "spool"
#define SPOOL_ENDING ".db"

struct bequest {
    struct bequest *next;
    uint64_t tag;
    char spool[MASTER_SPOOL_NAME + sizeof(SPOOL_ENDING)]; /* a file; "" = interrupted calls */
    char *body;
    int asked;  /* worker that was offered it; NOBODY */
    int holder; /* worker that took it; NOBODY */
    int attempts;
    int64_t next_us;
};

/* Tags of items; values are never reused. */
enum {
    PACK_BEQUEST = 60,
    FIELD_SPOOL = 1,
    FIELD_BODY = 2,
    FIELD_HOLDER = 3,
    FIELD_ASKED = 4,
    FIELD_TAG = 5
};

static struct bequest *add(struct master *master, const char *spool, struct aic_str body)
{
    struct bequest *bequest = calloc(1, sizeof(*bequest));
    char *copy = aic_str_dup(body);
    if (!bequest || !copy) {
        free(bequest);
        free(copy);
        log_error("master", "no memory to pass on what a worker left", LOG_S("spool", spool));
        return NULL;
    }
    bequest->tag = ++master->last_bequest;
    (void)aic_str_copy(aic_str(spool), bequest->spool, sizeof(bequest->spool));
    bequest->body = copy;
    bequest->asked = NOBODY;
    bequest->holder = NOBODY;
    bequest->next_us = master->now_us;
    bequest->next = master->bequests;
    master->bequests = bequest;
    return bequest;
}

static void drop(struct master *master, struct bequest *bequest)
{
    struct bequest **at = &master->bequests;
    while (*at != bequest) {
        at = &(*at)->next;
    }
    *at = bequest->next;
    free(bequest->body);
    free(bequest);
}

void bequests_free(struct master *master)
{
    while (master->bequests) {
        drop(master, master->bequests);
    }
}

static bool spool_exists(const struct master *master, const char *name)
{
    char path[MASTER_SPOOL_NAME + sizeof(SPOOL_FOLDER) + sizeof(SPOOL_ENDING) + 1];
    (void)snprintf(path, sizeof(path), SPOOL_FOLDER "/%s", name);
    return faccessat(master->state_dir.fd, path, F_OK, 0) == 0;
}

static void add_spool(struct master *master, const char *name)
{
    struct aic_buf body;
    struct aic_json_writer w;
    if (!spool_exists(master, name)) {
        return;
    }
    aic_buf_init(&body, 4 * MASTER_SPOOL_NAME);
    aic_json_writer_init(&w, &body);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "spool", name);
    aic_json_close(&w, '}');
    (void)add(master, name, aic_buf_view(&body));
    aic_buf_finish(&body);
}

static void add_calls(struct master *master, int worker)
{
    struct aic_buf body;
    size_t count;
    aic_buf_init(&body, FRAME_BODY_MAX);
    while ((count = board_take_calls(hub_board(master->hub), worker, &body)) > 0) {
        log_warn("master", "calls are interrupted", LOG_I("worker", worker), LOG_I("calls", count));
        (void)add(master, "", aic_buf_view(&body));
        aic_buf_clear(&body);
    }
    aic_buf_finish(&body);
}

void bequest_worker(struct master *master, int worker)
{
    struct bequest *next;
    for (struct bequest *bequest = master->bequests; bequest; bequest = next) {
        next = bequest->next;
        if (bequest->holder != NOBODY && !spool_exists(master, bequest->spool)) {
            drop(master, bequest);
        } else if (bequest->holder == worker) {
            bequest->holder = NOBODY;
            bequest->next_us = master->now_us;
        }
    }
    add_calls(master, worker);
    char name[MASTER_SPOOL_NAME + sizeof(SPOOL_ENDING)];
    (void)snprintf(name, sizeof(name), "%s" SPOOL_ENDING, master->workers[worker].spool);
    add_spool(master, name);
}

static bool is_somebodys(const struct master *master, const char *name)
{
    size_t length = strlen(name) - (sizeof(SPOOL_ENDING) - 1);
    for (int i = 0; i < SHM_WORKERS; i++) {
        const struct worker *worker = &master->workers[i];
        if (worker->pid > 0 && aic_str_equal((struct aic_str){name, length}, worker->spool)) {
            return true;
        }
    }
    for (const struct bequest *bequest = master->bequests; bequest; bequest = bequest->next) {
        if (strcmp(bequest->spool, name) == 0) {
            return true;
        }
    }
    return false;
}

void bequest_orphans(struct master *master)
{
    int fd = openat(master->state_dir.fd, SPOOL_FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    if (!folder) {
        return;
    }
    const struct dirent *entry;
    while ((entry = readdir(folder)) != NULL) {
        size_t length = strlen(entry->d_name);
        size_t ending = sizeof(SPOOL_ENDING) - 1;
        bool is_spool = length > ending && length < MASTER_SPOOL_NAME &&
                        strcmp(entry->d_name + length - ending, SPOOL_ENDING) == 0;
        if (is_spool && !is_somebodys(master, entry->d_name)) {
            log_info("master", "a spool of an earlier run is passed on",
                     LOG_S("spool", entry->d_name));
            add_spool(master, entry->d_name);
        }
    }
    (void)closedir(folder);
}

static void give_up(struct master *master, struct bequest *bequest, int32_t status)
{
    log_error("master",
              bequest->spool[0] ? "no worker takes over a spool; the next start tries again"
                                : "no worker takes over interrupted calls; they are given up",
              LOG_S("spool", bequest->spool), LOG_I("status", status));
    drop(master, bequest);
}

void bequest_answered(struct master *master, uint64_t tag, int32_t status)
{
    struct bequest *bequest = master->bequests;
    while (bequest && bequest->tag != tag) {
        bequest = bequest->next;
    }
    if (!bequest) {
        return;
    }
    int worker = bequest->asked;
    bequest->asked = NOBODY;
    if (status == AIC_OK && bequest->spool[0]) {
        bequest->holder = worker;
    } else if (status == AIC_OK || (status == AIC_ERROR_NOT_FOUND && bequest->spool[0])) {
        drop(master, bequest);
    } else if (status == AIC_ERROR_BUSY) {
        /* Another process still has it open, perhaps one that outlived an earlier master. */
        bequest->next_us = master->now_us + BUSY_RETRY_MS * INT64_C(1000);
    } else if (++bequest->attempts >= ATTEMPTS) {
        give_up(master, bequest, status);
    } else {
        bequest->next_us = master->now_us + RETRY_MS * INT64_C(1000);
    }
}

void bequests_tick(struct master *master)
{
    if (master->phase == MASTER_ENDING) {
        return;
    }
    struct bequest *next;
    for (struct bequest *bequest = master->bequests; bequest; bequest = next) {
        next = bequest->next;
        if (bequest->holder != NOBODY || bequest->asked != NOBODY ||
            !master_due(master, bequest->next_us)) {
            continue;
        }
        const char *kind = bequest->spool[0] ? "spool.adopt" : "interrupted";
        if (!hub_ask(master->hub, kind, aic_str(bequest->body), bequest->tag, &bequest->asked)) {
            /* Nobody is open now; as soon as one is, it will do. */
            bequest->asked = NOBODY;
            bequest->next_us = master->now_us + RETRY_MS * INT64_C(1000) / 10;
            (void)master_due(master, bequest->next_us);
        }
    }
}

bool bequests_wait(const struct master *master)
{
    for (const struct bequest *bequest = master->bequests; bequest; bequest = bequest->next) {
        if (!bequest->spool[0]) {
            return true;
        }
    }
    return false;
}

void bequests_save(const struct master *master, struct aic_buf *to)
{
    struct aic_buf item;
    aic_buf_init(&item, FRAME_BODY_MAX + 256);
    for (const struct bequest *bequest = master->bequests; bequest; bequest = bequest->next) {
        aic_buf_clear(&item);
        pack_str(&item, FIELD_SPOOL, aic_str(bequest->spool));
        pack_str(&item, FIELD_BODY, aic_str(bequest->body));
        pack_int(&item, FIELD_HOLDER, bequest->holder);
        pack_int(&item, FIELD_ASKED, bequest->asked);
        pack_int(&item, FIELD_TAG, (int64_t)bequest->tag);
        pack_str(to, PACK_BEQUEST, aic_buf_view(&item));
    }
    aic_buf_finish(&item);
}

void bequests_load(struct master *master, const struct pack_item *item)
{
    struct pack_item field;
    struct pack_item fields[FIELD_TAG + 1] = {{.tag = 0}};
    struct aic_str from = item->text;
    char spool[MASTER_SPOOL_NAME + sizeof(SPOOL_ENDING)];
    if (item->tag != PACK_BEQUEST) {
        return;
    }
    while (pack_next(&from, &field) == 1) {
        if (field.tag <= FIELD_TAG) {
            fields[field.tag] = field;
        }
    }
    if (!pack_copy(&fields[FIELD_SPOOL], spool, sizeof(spool))) {
        return;
    }
    struct bequest *bequest = add(master, spool, fields[FIELD_BODY].text);
    if (bequest) {
        bequest->holder = (int)fields[FIELD_HOLDER].number;
        bequest->asked = (int)fields[FIELD_ASKED].number;
        bequest->tag = (uint64_t)fields[FIELD_TAG].number;
        if (bequest->tag > master->last_bequest) {
            master->last_bequest = bequest->tag;
        }
    }
}
