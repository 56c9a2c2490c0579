/* SPDX-License-Identifier: ISC */
#include "call/gate_private.h"

#include "base/log.h"
#include "base/timefmt.h"

#include "buf.h"
#include "json.h"

enum { COLUMNS_BYTES = 4096 };

struct draft {
    struct aic_buf buf;
    struct aic_json_writer w;
};

static void put_time(struct draft *draft, const struct gate *gate, const char *name)
{
    char at[TIME_TEXT];
    time_format(at, sched_wall(gate->settings.sched));
    aic_json_member_text(&draft->w, name, at);
}

static void draft_begin(struct draft *draft, const char *call_id)
{
    aic_buf_init(&draft->buf, COLUMNS_BYTES);
    aic_json_writer_init(&draft->w, &draft->buf);
    aic_json_open(&draft->w, '{');
    aic_json_member_text(&draft->w, "call_id", call_id);
}

static void new_id(const struct gate *gate, char id[UUID_TEXT])
{
    uint8_t random[10];
    sched_random(gate->settings.sched, random, sizeof(random));
    uuid7_format(id, sched_wall(gate->settings.sched), random);
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

/* Where a fact belongs. */
struct address {
    const char *table;
    const char *id;
    const char *call_id;
};

static void draft_write(struct draft *draft, const struct gate *gate, const struct address *to,
                        void (*done)(void *data, int32_t status), void *data)
{
    struct journal *journal = gate->settings.journal;
    aic_json_close(&draft->w, '}');
    struct aic_buf buf = draft->buf;
    const struct journal_fact fact = {.table = to->table,
                                      .id = to->id,
                                      .call_id = to->call_id,
                                      .revision = 1,
                                      .columns = aic_buf_view(&buf)};
    /* `done` may free what the draft was about. */
    journal->write(journal, &fact, done != NULL, done, data);
    aic_buf_finish(&buf);
}

void gate_record_event(struct gate_check *check)
{
    struct draft draft;
    char id[UUID_TEXT];
    if (!check->gate->settings.journal) {
        return;
    }
    new_id(check->gate, id);
    draft_begin(&draft, check->call_id);
    put_time(&draft, check->gate, "at");
    aic_json_member_text(&draft.w, "type", "dial_refused");
    put_detail(&draft, check);
    const struct address to = {"events", id, check->call_id};
    draft_write(&draft, check->gate, &to, NULL, NULL);
}

/* Who did what to whom, and how it went. */
struct deed {
    const char *call_id;
    const char *actor;
    const char *action;
    const char *object;
    const char *outcome;
    const char *reason;
    const char *number;
};

static void begin_deed(struct draft *draft, const struct gate *gate, const struct deed *deed)
{
    draft_begin(draft, deed->call_id);
    put_time(draft, gate, "at");
    aic_json_member_text(&draft->w, "actor", deed->actor);
    aic_json_member_text(&draft->w, "action", deed->action);
    aic_json_member_text(&draft->w, "object", deed->object);
    aic_json_member_text(&draft->w, "outcome", deed->outcome);
    aic_json_member_text(&draft->w, "reason", deed->reason);
    aic_json_member_text(&draft->w, "number", deed->number);
}

void gate_record_audit(struct gate_check *check, void (*done)(void *data, int32_t status))
{
    struct draft draft;
    char id[UUID_TEXT];
    const struct deed deed = {
        .call_id = check->call_id,
        .actor = check->actor,
        .action = "dial",
        .object = check->agent,
        .outcome = check->verdict.reason == GATE_ALLOWED ? "allowed" : "refused",
        .reason = gate_reason_name(check->verdict.reason),
        .number = check->to,
    };
    if (!check->gate->settings.journal) {
        if (done) {
            done(check, AIC_OK);
        }
        return;
    }
    new_id(check->gate, id);
    begin_deed(&draft, check->gate, &deed);
    put_detail(&draft, check);
    const struct address to = {"audit", id, check->call_id};
    draft_write(&draft, check->gate, &to, done, check);
}

static void entry_is_safe(void *data, int32_t status)
{
    (void)data;
    if (status != AIC_OK) {
        log_error("gate", "a wish not to be called could not be written to the disk",
                  LOG_I("status", status));
    }
}

static void put_entry(struct draft *draft, const char *number)
{
    aic_json_member_text(&draft->w, "number", number);
    aic_json_member_text(&draft->w, "source", "caller");
    aic_json_member_text(&draft->w, "reason", "said so in a call");
    aic_json_member_text(&draft->w, "added_by", "aicaller");
}

void gate_opt_out(struct gate *gate, const char *call_id, const char *number)
{
    const struct gate_ports *ports = &gate->settings.ports;
    const struct deed deed = {.call_id = call_id,
                              .actor = "caller",
                              .action = "do_not_call",
                              .object = "do_not_call",
                              .outcome = "listed",
                              .reason = "opt_out",
                              .number = number};
    struct draft draft;
    char id[UUID_TEXT];
    new_id(gate, id);
    if (gate->settings.journal) {
        draft_begin(&draft, call_id);
        put_entry(&draft, number);
        put_time(&draft, gate, "added_at");
        const struct address entry = {"do_not_call", id, call_id};
        draft_write(&draft, gate, &entry, entry_is_safe, NULL);
        char deed_id[UUID_TEXT];
        new_id(gate, deed_id);
        begin_deed(&draft, gate, &deed);
        const struct address audit = {"audit", deed_id, call_id};
        draft_write(&draft, gate, &audit, NULL, NULL);
    }
    /* Facts reach the storage a little later; the very next dial must see it already. */
    draft_begin(&draft, call_id);
    put_entry(&draft, number);
    aic_json_member_text(&draft.w, "entry_id", id);
    aic_json_close(&draft.w, '}');
    ports->change(ports->data, "do_not_call.add", aic_buf_view(&draft.buf), NULL, NULL);
    aic_buf_finish(&draft.buf);
}
