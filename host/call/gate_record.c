/* SPDX-License-Identifier: ISC */
#include "call/gate_private.h"

#include "base/timefmt.h"

#include "buf.h"
#include "json.h"

enum { COLUMNS_BYTES = 4096 };

struct draft {
    struct aic_buf buf;
    struct aic_json_writer w;
};

static void draft_begin(struct draft *draft, struct gate_check *check)
{
    char at[TIME_TEXT];
    time_format(at, sched_wall(check->sched));
    aic_buf_init(&draft->buf, COLUMNS_BYTES);
    aic_json_writer_init(&draft->w, &draft->buf);
    aic_json_open(&draft->w, '{');
    aic_json_member_text(&draft->w, "call_id", check->call_id);
    aic_json_member_text(&draft->w, "at", at);
}

static void put_detail(struct draft *draft, const struct gate_check *check)
{
    aic_json_key(&draft->w, "detail");
    aic_json_open(&draft->w, '{');
    aic_json_member_text(&draft->w, "reason", gate_reason_name(check->verdict.reason));
    aic_json_member_text(&draft->w, "why", check->verdict.text);
    aic_json_member_text(&draft->w, "region", check->facts.number.region);
    aic_json_member_text(&draft->w, "type", number_type_name(check->facts.number.type));
    aic_json_close(&draft->w, '}');
}

static void draft_write(struct draft *draft, struct gate_check *check, const char *table,
                        void (*done)(void *data, int32_t status))
{
    struct journal *journal = check->gate->settings.journal;
    uint8_t random[10];
    char id[UUID_TEXT];
    sched_random(check->sched, random, sizeof(random));
    uuid7_format(id, sched_wall(check->sched), random);
    aic_json_close(&draft->w, '}');
    struct aic_buf buf = draft->buf;
    const struct journal_fact fact = {.table = table,
                                      .id = id,
                                      .call_id = check->call_id,
                                      .revision = 1,
                                      .columns = aic_buf_view(&buf)};
    /* `done` may free the check. */
    journal->write(journal, &fact, done != NULL, done, check);
    aic_buf_finish(&buf);
}

void gate_record_event(struct gate_check *check)
{
    struct draft draft;
    if (!check->gate->settings.journal) {
        return;
    }
    draft_begin(&draft, check);
    aic_json_member_text(&draft.w, "type", "dial_refused");
    put_detail(&draft, check);
    draft_write(&draft, check, "events", NULL);
}

void gate_record_audit(struct gate_check *check, void (*done)(void *data, int32_t status))
{
    struct draft draft;
    bool is_allowed = check->verdict.reason == GATE_ALLOWED;
    if (!check->gate->settings.journal) {
        if (done) {
            done(check, AIC_OK);
        }
        return;
    }
    draft_begin(&draft, check);
    aic_json_member_text(&draft.w, "actor", check->actor);
    aic_json_member_text(&draft.w, "action", "dial");
    aic_json_member_text(&draft.w, "object", check->agent);
    aic_json_member_text(&draft.w, "outcome", is_allowed ? "allowed" : "refused");
    aic_json_member_text(&draft.w, "reason", gate_reason_name(check->verdict.reason));
    aic_json_member_text(&draft.w, "number", check->to);
    put_detail(&draft, check);
    draft_write(&draft, check, "audit", done);
}
