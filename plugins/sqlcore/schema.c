/* SPDX-License-Identifier: ISC */
#include "sqlcore/schema.h"

#include <string.h>

enum { NAME = 200, WORDS = 1000, LONG = 8000, HUGE_TEXT = 1 << 20 };

static const char *const directions[] = {"inbound", "outbound", NULL};
static const char *const statuses[] = {"queued",    "ringing", "in_progress", "completed", "busy",
                                       "no_answer", "failed",  "canceled",    NULL};
static const char *const speakers[] = {"user", "assistant", "tool", "system", NULL};
static const char *const roles[] = {"viewer", "operator", "admin", NULL};

#define KEY(n)           .name = (n), .type = SQL_UUID
#define CALL             .name = "call_id", .type = SQL_UUID
#define TEXT(n, max)     .name = (n), .type = SQL_TEXT, .max_bytes = (max)
#define WORD(n, words)   TEXT(n, NAME), .choices = (words)
#define BIG(n, max)      TEXT(n, max), .flags = SQL_COLUMN_BIG
#define SECRET(n)        TEXT(n, WORDS), .flags = SQL_COLUMN_PRIVATE
#define OBJECT(n)        .name = (n), .type = SQL_JSON, .max_bytes = HUGE_TEXT
#define COLUMN(n, t)     .name = (n), .type = (t)
#define FIRST(n, t, max) .name = (n), .type = (t), .max_bytes = (max), .rule = SQL_RULE_FIRST
#define NUMBER           TEXT("number", NAME)
#define NUMBER_HASH      TEXT("number_hash", NAME), .flags = SQL_COLUMN_DERIVED

static const struct sql_column calls_columns[] = {
    {KEY("call_id")},
    {TEXT("call_sid", NAME)},
    {TEXT("provider", NAME)},
    {WORD("direction", directions)},
    {TEXT("from_number", NAME)},
    {TEXT("to_number", NAME)},
    {TEXT("agent", NAME)},
    {WORD("status", statuses), .rule = SQL_RULE_STATUS},
    {FIRST("end_reason", SQL_TEXT, NAME)},
    {COLUMN("created_at", SQL_TIME)},
    {FIRST("started_at", SQL_TIME, 0)},
    {FIRST("answered_at", SQL_TIME, 0)},
    {FIRST("ended_at", SQL_TIME, 0)},
    {COLUMN("duration_s", SQL_REAL)},
    {COLUMN("cost", SQL_REAL)},
    {TEXT("language", NAME)},
    {TEXT("answered_by", NAME)},
    {TEXT("owner", NAME)},
    {OBJECT("metadata"), .flags = SQL_COLUMN_BIG},
    {BIG("context_url", LONG)},
    {BIG("system_prompt", HUGE_TEXT)},
    {BIG("context_data", HUGE_TEXT)},
};

static const struct sql_column messages_columns[] = {
    {KEY("message_id")},
    {CALL, .flags = SQL_COLUMN_NEEDED},
    {COLUMN("turn", SQL_INT)},
    {WORD("role", speakers)},
    {TEXT("content", HUGE_TEXT)},
    {TEXT("heard", HUGE_TEXT)},
    {COLUMN("at", SQL_TIME)},
    {TEXT("provider", NAME)},
    {TEXT("language", NAME)},
    {COLUMN("confidence", SQL_REAL)},
    {COLUMN("interrupted", SQL_BOOL)},
    {TEXT("name", NAME)},
    {OBJECT("detail")},
};

static const struct sql_column events_columns[] = {
    {KEY("event_id")},         {CALL},
    {TEXT("type", NAME)},      {COLUMN("at", SQL_TIME)},
    {COLUMN("turn", SQL_INT)}, {TEXT("provider", NAME)},
    {OBJECT("detail")},
};

static const struct sql_column turns_columns[] = {
    {KEY("turn_id")},
    {CALL, .flags = SQL_COLUMN_NEEDED},
    {COLUMN("turn", SQL_INT)},
    {COLUMN("at", SQL_TIME)},
    {COLUMN("endpointing_ms", SQL_INT)},
    {COLUMN("stt_ms", SQL_INT)},
    {COLUMN("llm_ms", SQL_INT)},
    {COLUMN("tts_ms", SQL_INT)},
    {COLUMN("playout_ms", SQL_INT)},
    {COLUMN("response_ms", SQL_INT)},
    {TEXT("stt_provider", NAME)},
    {TEXT("llm_provider", NAME)},
    {TEXT("tts_provider", NAME)},
    {COLUMN("interrupted", SQL_BOOL)},
    {COLUMN("failovers", SQL_INT)},
    {OBJECT("detail")},
};

static const struct sql_column usage_columns[] = {
    {KEY("usage_id")},          {CALL},
    {COLUMN("turn", SQL_INT)},  {COLUMN("at", SQL_TIME)},
    {TEXT("provider", NAME)},   {TEXT("role", NAME)},
    {TEXT("model", NAME)},      {OBJECT("units")},
    {COLUMN("cost", SQL_REAL)}, {COLUMN("estimated", SQL_BOOL)},
};

static const struct sql_column recordings_columns[] = {
    {KEY("recording_id")},
    {CALL, .flags = SQL_COLUMN_NEEDED},
    {TEXT("path", LONG)},
    {TEXT("format", NAME)},
    {COLUMN("channels", SQL_INT)},
    {COLUMN("rate_hz", SQL_INT)},
    {COLUMN("bytes", SQL_INT)},
    {COLUMN("duration_s", SQL_REAL)},
    {COLUMN("started_at", SQL_TIME)},
    {COLUMN("ended_at", SQL_TIME)},
    {COLUMN("consent", SQL_BOOL)},
    {TEXT("sha256", NAME)},
};

static const struct sql_column consents_columns[] = {
    {KEY("consent_id")},
    {CALL},
    {NUMBER},
    {NUMBER_HASH},
    {TEXT("scope", NAME)},
    {TEXT("source", NAME)},
    {TEXT("text_version", NAME)},
    {TEXT("evidence", LONG)},
    {COLUMN("obtained_at", SQL_TIME)},
    {COLUMN("expires_at", SQL_TIME)},
    {FIRST("revoked_at", SQL_TIME, 0)},
    {FIRST("revoked_by", SQL_TEXT, NAME)},
};

static const struct sql_column do_not_call_columns[] = {
    {KEY("entry_id")},
    {CALL},
    {NUMBER},
    {NUMBER_HASH},
    {TEXT("source", NAME)},
    {TEXT("reason", WORDS)},
    {FIRST("added_at", SQL_TIME, 0)},
    {TEXT("added_by", NAME)},
    {COLUMN("removed_at", SQL_TIME)},
    {TEXT("removed_by", NAME)},
};

static const struct sql_column audit_columns[] = {
    {KEY("audit_id")},
    {CALL},
    {COLUMN("at", SQL_TIME)},
    {TEXT("actor", NAME)},
    {TEXT("action", NAME)},
    {TEXT("object", WORDS)},
    {TEXT("outcome", NAME)},
    {TEXT("reason", WORDS)},
    {NUMBER},
    {NUMBER_HASH},
    {OBJECT("detail")},
};

static const struct sql_column tombstones_columns[] = {
    {TEXT("subject", NAME)},
    {COLUMN("erased_at", SQL_TIME)},
    {COLUMN("erasure_id", SQL_UUID)},
};

static const struct sql_column erasures_columns[] = {
    {KEY("erasure_id")},   {TEXT("subject", NAME)},       {COLUMN("at", SQL_TIME)},
    {TEXT("actor", NAME)}, {TEXT("reason", WORDS)},       {OBJECT("counts")},
    {OBJECT("files")},     {COLUMN("done_at", SQL_TIME)},
};

static const struct sql_column jobs_columns[] = {
    {KEY("job_id")},
    {TEXT("kind", NAME)},
    {TEXT("state", NAME)},
    {COLUMN("priority", SQL_INT)},
    {COLUMN("run_at", SQL_TIME)},
    {CALL},
    {TEXT("number", NAME)},
    {TEXT("dedupe_key", NAME)},
    {TEXT("owner", NAME)},
    {COLUMN("lease_until", SQL_TIME)},
    {COLUMN("attempts", SQL_INT)},
    {COLUMN("created_at", SQL_TIME)},
    {COLUMN("finished_at", SQL_TIME)},
    {TEXT("last_error", WORDS)},
    {OBJECT("note")},
    {OBJECT("result")},
    {OBJECT("payload"), .flags = SQL_COLUMN_BIG},
};

static const struct sql_column reservations_columns[] = {
    {COLUMN("reservation_id", SQL_UUID)}, {TEXT("counter", NAME)},
    {COLUMN("amount", SQL_INT)},          {COLUMN("at", SQL_TIME)},
    {COLUMN("expires_at", SQL_TIME)},     {COLUMN("settled", SQL_BOOL)},
};

static const struct sql_column idempotency_columns[] = {
    {TEXT("key", NAME)},
    {TEXT("fingerprint", NAME)},
    {TEXT("state", NAME)},
    {COLUMN("status", SQL_INT)},
    {CALL},
    {COLUMN("created_at", SQL_TIME)},
    {COLUMN("lease_until", SQL_TIME)},
    {COLUMN("expires_at", SQL_TIME)},
    {BIG("response", HUGE_TEXT)},
};

static const struct sql_column tokens_columns[] = {
    {TEXT("token_hash", NAME)},
    {COLUMN("used_at", SQL_TIME)},
    {COLUMN("expires_at", SQL_TIME)},
};

static const struct sql_column users_columns[] = {
    {KEY("user_id")},
    {TEXT("name", NAME)},
    {WORD("role", roles)},
    {SECRET("password_hash")},
    {COLUMN("disabled", SQL_BOOL)},
    {COLUMN("created_at", SQL_TIME)},
    {COLUMN("last_login_at", SQL_TIME)},
    {COLUMN("failures", SQL_INT)},
    {COLUMN("locked_until", SQL_TIME)},
};

static const struct sql_column sessions_columns[] = {
    {SECRET("session_hash")},         {COLUMN("user_id", SQL_UUID)},
    {COLUMN("created_at", SQL_TIME)}, {COLUMN("seen_at", SQL_TIME)},
    {COLUMN("expires_at", SQL_TIME)}, {TEXT("address", NAME)},
    {TEXT("client", NAME)},
};

static const struct sql_column api_keys_columns[] = {
    {KEY("key_id")},
    {TEXT("name", NAME)},
    {SECRET("key_hash")},
    {TEXT("prefix", NAME)},
    {OBJECT("scopes")},
    {OBJECT("limits")},
    {COLUMN("created_at", SQL_TIME)},
    {TEXT("created_by", NAME)},
    {COLUMN("expires_at", SQL_TIME)},
    {COLUMN("used_at", SQL_TIME)},
    {COLUMN("revoked_at", SQL_TIME)},
};

#define TABLE(n, bits, when)                                                                       \
    static const struct sql_table n##_table = {.name = #n,                                         \
                                               .flags = (bits),                                    \
                                               .column_count =                                     \
                                                   sizeof(n##_columns) / sizeof(n##_columns[0]),   \
                                               .columns = n##_columns,                             \
                                               .time = (when)};                                    \
    _Static_assert(sizeof(n##_columns) / sizeof(n##_columns[0]) <= SQL_MAX_COLUMNS, #n)

TABLE(calls, SQL_TABLE_FACTS | SQL_TABLE_MERGES, "created_at");
TABLE(messages, SQL_TABLE_FACTS | SQL_TABLE_MERGES, "at");
TABLE(events, SQL_TABLE_FACTS, "at");
TABLE(turns, SQL_TABLE_FACTS | SQL_TABLE_MERGES, "at");
TABLE(usage, SQL_TABLE_FACTS | SQL_TABLE_MERGES, "at");
TABLE(recordings, SQL_TABLE_FACTS | SQL_TABLE_MERGES, "started_at");
TABLE(consents, SQL_TABLE_FACTS | SQL_TABLE_MERGES | SQL_TABLE_NUMBER, "obtained_at");
TABLE(do_not_call, SQL_TABLE_FACTS | SQL_TABLE_MERGES | SQL_TABLE_NUMBER, "added_at");
TABLE(audit, SQL_TABLE_FACTS | SQL_TABLE_NUMBER, "at");
TABLE(tombstones, 0, "erased_at");
TABLE(erasures, 0, "at");
TABLE(jobs, SQL_TABLE_APPENDED, "created_at");
TABLE(reservations, 0, "at");
TABLE(idempotency, 0, "created_at");
TABLE(tokens, 0, "used_at");
TABLE(users, 0, "created_at");
TABLE(sessions, 0, "created_at");
TABLE(api_keys, 0, "created_at");

const struct sql_table *const sql_tables[] = {
    &calls_table,      &messages_table, &events_table,       &turns_table,       &usage_table,
    &recordings_table, &consents_table, &do_not_call_table,  &audit_table,       &tombstones_table,
    &erasures_table,   &jobs_table,     &reservations_table, &idempotency_table, &tokens_table,
    &users_table,      &sessions_table, &api_keys_table,
};
const size_t sql_table_count = sizeof(sql_tables) / sizeof(sql_tables[0]);

const struct sql_table *sql_table_find(struct aic_str name)
{
    for (size_t i = 0; i < sql_table_count; i++) {
        if (aic_str_equal(name, sql_tables[i]->name)) {
            return sql_tables[i];
        }
    }
    return NULL;
}

int sql_column_find(const struct sql_table *table, const char *name)
{
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

int sql_status_rank(struct aic_str status)
{
    for (int i = 0; statuses[i]; i++) {
        if (aic_str_equal(status, statuses[i])) {
            return i + 1;
        }
    }
    return 0;
}
