/* SPDX-License-Identifier: ISC */
#include "web/audit.h"

#include "base/timefmt.h"
#include "base/uuid.h"

enum { COLUMNS_BYTES = 4096 };

static void put(struct aic_json_writer *w, const char *key, const char *text)
{
    if (text) {
        aic_json_member_text(w, key, text);
    }
}

void web_audit(struct web *web, const char *actor, const struct web_deed *deed)
{
    struct sched *sched = web->settings.sched;
    struct journal *journal = web->settings.spool ? spool_journal(web->settings.spool) : NULL;
    if (!journal) {
        return;
    }
    char id[UUID_TEXT];
    char at[TIME_TEXT];
    uint8_t random[10];
    struct aic_buf buf;
    struct aic_json_writer w;
    sched_random(sched, random, sizeof(random));
    uuid7_format(id, sched_wall(sched), random);
    time_format(at, sched_wall(sched));
    aic_buf_init(&buf, COLUMNS_BYTES);
    aic_json_writer_init(&w, &buf);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "at", at);
    put(&w, "call_id", deed->call_id);
    put(&w, "actor", actor);
    put(&w, "action", deed->action);
    put(&w, "object", deed->object);
    put(&w, "outcome", deed->outcome);
    put(&w, "reason", deed->reason);
    if (deed->name && deed->name[0]) {
        aic_json_key(&w, "detail");
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "name", deed->name);
        aic_json_close(&w, '}');
    }
    aic_json_close(&w, '}');
    const struct journal_fact fact = {.table = "audit",
                                      .id = id,
                                      .call_id = deed->call_id ? deed->call_id : "",
                                      .revision = 1,
                                      .columns = aic_buf_view(&buf)};
    if (!buf.failed) {
        journal->write(journal, &fact, false, NULL, NULL);
    }
    aic_buf_finish(&buf);
}

const char *web_actor(const struct visit *visit)
{
    if (visit->user) {
        return visit->user->name;
    }
    return visit->key ? visit->key->name : "this machine";
}
