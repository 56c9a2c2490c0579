/* SPDX-License-Identifier: ISC */
/*
 * Jobs: a dial that waits for its turn, a webhook that must go out. A job is claimed with a lease;
 * when the lease runs out another may claim it. `attempt` tells one claim from the next, so that a
 * worker that was thought dead can not finish what is somebody else's by now.
 */
#include "sqlcore/change.h"

#include <string.h>

enum { MIN_LEASE_MS = 100 };

#define LEASE                                                                                      \
    {                                                                                              \
        "lease_ms", SQL_INT, SQL_ARG_REQUIRED, MIN_LEASE_MS, SQL_MAX_MS, NULL                      \
    }
#define HOLDER                                                                                     \
    SQL_NEEDS("job_id", SQL_UUID), SQL_NEEDS("owner", SQL_TEXT), SQL_NEEDS("attempt", SQL_INT)

static const char *const ends[] = {"done", "failed", NULL};

static const struct sql_param of_add[] = {
    SQL_NEEDS("job_id", SQL_UUID), SQL_NEEDS("kind", SQL_TEXT),    SQL_OF("payload", SQL_JSON),
    SQL_OF("run_at", SQL_TIME),    SQL_OF("priority", SQL_INT),    SQL_OF("call_id", SQL_UUID),
    SQL_OF("number", SQL_TEXT),    SQL_OF("dedupe_key", SQL_TEXT), SQL_AT};
static const struct sql_param of_claim[] = {
    {"kind", SQL_TEXT, SQL_ARG_REQUIRED | SQL_ARG_LIST, 0, 0, NULL},
    SQL_NEEDS("owner", SQL_TEXT),
    LEASE,
    SQL_AT};
static const struct sql_param of_extend[] = {HOLDER, LEASE, SQL_OF("note", SQL_JSON), SQL_AT};
static const struct sql_param of_complete[] = {HOLDER,
                                               {"state", SQL_TEXT, 0, 0, 0, ends},
                                               SQL_OF("result", SQL_JSON),
                                               SQL_LONG("last_error", 1000),
                                               SQL_AT};
static const struct sql_param of_release[] = {HOLDER, SQL_NEEDS("run_at", SQL_TIME),
                                              SQL_OF("note", SQL_JSON),
                                              SQL_LONG("last_error", 1000), SQL_AT};
static const struct sql_param of_cancel[] = {SQL_NEEDS("job_id", SQL_UUID),
                                             SQL_LONG("last_error", 1000), SQL_AT};

static int32_t run_add(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    int64_t added = 0;
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("queued")));
    sql_pairs_set(&pairs, "priority", sql_int(0));
    sql_pairs_set(&pairs, "attempts", sql_int(0));
    sql_pairs_set(&pairs, "run_at", c->now);
    sql_pairs_set(&pairs, "created_at", c->now);
    sql_pairs_take(&pairs, sql_table_find(AIC_STR("jobs")), c->args);
    int32_t status = sql_insert(c->core, "jobs", &pairs, &added);
    struct sql_value job_id = sql_arg(c->args, "job_id");
    if (status == AIC_OK && added == 0) {
        struct sql_value keys[] = {job_id, sql_arg(c->args, "dedupe_key")};
        status = sql_fetch_one(c->core,
                               "SELECT job_id FROM jobs WHERE job_id = $1 OR dedupe_key = $2 "
                               "ORDER BY created_at LIMIT 1",
                               keys, 2, &c->arena, &job_id);
    }
    aic_json_member_bool(c->w, "added", added > 0);
    aic_json_member(c->w, "job_id", job_id.text);
    return status;
}

/* Takes the first job that the condition leaves, unless another transaction is taking it. */
static int32_t claim_one(struct sql_changing *c, struct sql_value kind, bool is_expired,
                         struct sql_written *written)
{
    struct sql_text text;
    sql_text_init(&text);
    sql_add(&text, "UPDATE jobs SET state = 'claimed', attempts = attempts + 1, owner = ");
    sql_bind(&text, sql_arg(c->args, "owner"));
    sql_add(&text, ", lease_until = ");
    sql_bind(&text, sql_later(c, sql_arg_int(c->args, "lease_ms", 0)));
    sql_add(&text, " WHERE job_id = (SELECT job_id FROM jobs WHERE kind = ");
    sql_bind(&text, kind);
    sql_add(&text, is_expired ? " AND state = 'claimed' AND lease_until < "
                              : " AND state = 'queued' AND run_at <= ");
    sql_bind(&text, c->now);
    sql_add(&text, is_expired ? " ORDER BY lease_until, job_id LIMIT 1"
                              : " ORDER BY priority DESC, run_at, job_id LIMIT 1");
    sql_add(&text, c->core->driver->dialect == SQL_PGSQL ? " FOR UPDATE SKIP LOCKED)" : ")");
    sql_add(&text, " RETURNING");
    const struct sql_table *table = sql_table_find(AIC_STR("jobs"));
    for (uint32_t i = 0; i < table->column_count; i++) {
        sql_add_field(&text, table->columns[i].name, table->columns[i].name,
                      table->columns[i].type);
    }
    written->fields = text.fields;
    written->field_count = text.field_count;
    struct sql_command command = sql_text_command(&text);
    int32_t status = sql_text_status(&text)
                         ? sql_out_of_memory(c->core)
                         : c->core->driver->run(c->core, &command, 1, sql_write_answer, written);
    written->fields = NULL;
    sql_text_finish(&text);
    return status;
}

/* What a dead worker left behind goes first. */
static int32_t run_claim(struct sql_changing *c)
{
    uint32_t count = 0;
    const struct sql_value *kinds = sql_arg_list(c->args, "kind", &count);
    struct sql_written written = {.w = c->w};
    int32_t status = AIC_OK;
    aic_json_key(c->w, "job");
    for (int is_expired = 1; is_expired >= 0; is_expired--) {
        for (uint32_t i = 0; i < count && status == AIC_OK && written.count == 0; i++) {
            status = claim_one(c, kinds[i], is_expired, &written);
        }
    }
    if (written.count == 0) {
        aic_json_put_null(c->w);
    }
    return status;
}

/* Updates the job if this claim still holds it. */
static int32_t update_held(struct sql_changing *c, const struct sql_pairs *pairs)
{
    struct sql_pairs where = {0};
    int64_t changes = 0;
    sql_pairs_set(&where, "job_id", sql_arg(c->args, "job_id"));
    sql_pairs_set(&where, "owner", sql_arg(c->args, "owner"));
    sql_pairs_set(&where, "attempts", sql_arg(c->args, "attempt"));
    sql_pairs_set(&where, "state", sql_text(AIC_STR("claimed")));
    int32_t status = sql_update(c->core, "jobs", pairs, &where, &changes);
    aic_json_member_bool(c->w, "held", changes > 0);
    return status;
}

static void take(struct sql_pairs *pairs, const struct sql_args *args, const char *name)
{
    if (sql_arg_has(args, name)) {
        sql_pairs_set(pairs, name, sql_arg(args, name));
    }
}

static int32_t run_extend(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    sql_pairs_set(&pairs, "lease_until", sql_later(c, sql_arg_int(c->args, "lease_ms", 0)));
    take(&pairs, c->args, "note");
    return update_held(c, &pairs);
}

static int32_t run_complete(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("done")));
    sql_pairs_set(&pairs, "finished_at", c->now);
    take(&pairs, c->args, "state");
    take(&pairs, c->args, "result");
    take(&pairs, c->args, "last_error");
    return update_held(c, &pairs);
}

static int32_t run_release(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("queued")));
    take(&pairs, c->args, "run_at");
    take(&pairs, c->args, "note");
    take(&pairs, c->args, "last_error");
    return update_held(c, &pairs);
}

static int32_t run_cancel(struct sql_changing *c)
{
    struct sql_pairs pairs = {0};
    struct sql_pairs where = {0};
    int64_t changes = 0;
    sql_pairs_set(&pairs, "state", sql_text(AIC_STR("canceled")));
    sql_pairs_set(&pairs, "finished_at", c->now);
    take(&pairs, c->args, "last_error");
    sql_pairs_set(&where, "job_id", sql_arg(c->args, "job_id"));
    sql_pairs_set(&where, "state", sql_text(AIC_STR("queued")));
    int32_t status = sql_update(c->core, "jobs", &pairs, &where, &changes);
    aic_json_member_bool(c->w, "canceled", changes > 0);
    return status;
}

const struct sql_change sql_job_changes[] = {
    {.name = "job.add", SQL_PARAMS(of_add), .run = run_add},
    {.name = "job.claim", SQL_PARAMS(of_claim), .run = run_claim},
    {.name = "job.extend", SQL_PARAMS(of_extend), .run = run_extend},
    {.name = "job.complete", SQL_PARAMS(of_complete), .run = run_complete},
    {.name = "job.release", SQL_PARAMS(of_release), .run = run_release},
    {.name = "job.cancel", SQL_PARAMS(of_cancel), .run = run_cancel},
};
const size_t sql_job_change_count = sizeof(sql_job_changes) / sizeof(sql_job_changes[0]);
