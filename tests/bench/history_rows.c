/* SPDX-License-Identifier: ISC */
/*
 * A year of calls for tests/bench/history_bench: rows of the real tables, always the same ones.
 *
 *     history_rows sqlite FILE  CALLS MESSAGES   fills a database that `aicaller migrate` made
 *     history_rows copy   TABLE CALLS MESSAGES   prints the rows for PostgreSQL's COPY
 *     history_rows columns TABLE                 prints the names of the columns filled
 *
 * MESSAGES are those of all calls. Calls come by day, between 8:00 and 20:00, most of them answered
 * and completed; a few own numbers ring 150,000 customers by 20 agents. What is said follows
 * Zipf's law over 50,000 words, the commonest of which are English. The index of the full text is
 * not filled: that is quicker when all texts are there.
 */
#include "buf.h"

#include <inttypes.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { VOCABULARY = 50000, CUSTOMERS = 150000, AGENTS = 20, EVENTS = 6, USAGES = 3, SPREAD = 256 };

static const int64_t FIRST_MS = 1735718400000; /* 2025-01-01, 8:00 */
static const int64_t DAY_MS = 86400000;
static const int64_t OPEN_MS = 43200000; /* of each day */

struct table {
    const char *name;
    const char *columns;
    unsigned count; /* of columns */
};

static const struct table tables[] = {
    {"calls",
     "call_id,call_sid,provider,direction,from_number,to_number,agent,status,end_reason,"
     "created_at,started_at,answered_at,ended_at,duration_s,cost,language,revision,system_prompt",
     18},
    {"messages",
     "message_id,call_id,turn,role,content,heard,at,provider,language,confidence,revision", 11},
    {"turns",
     "turn_id,call_id,turn,at,endpointing_ms,stt_ms,llm_ms,tts_ms,playout_ms,response_ms,"
     "stt_provider,llm_provider,tts_provider,revision",
     14},
    {"events", "event_id,call_id,type,at,provider,revision,detail", 7},
    {"usage", "usage_id,call_id,at,provider,role,model,units,cost,revision", 9},
};

/* Where rows go: a statement, or standard output. */
struct out {
    sqlite3_stmt *insert;
    int column;
    struct aic_buf line;
};

struct world {
    struct out *out;
    const struct table *table;
    unsigned calls;
    unsigned messages; /* of a call */
    double *weights;   /* of words, summed up */
    uint64_t seed;
};

struct call {
    unsigned number;
    int64_t at_ms;
    char id[48];
    char at[32];
    bool is_answered;
};

/* splitmix64: number `n` of a stream of its own. */
static uint64_t mix(uint64_t n)
{
    n += UINT64_C(0x9e3779b97f4a7c15);
    n = (n ^ (n >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    n = (n ^ (n >> 27)) * UINT64_C(0x94d049bb133111eb);
    return n ^ (n >> 31);
}

static unsigned pick(struct world *w, unsigned below)
{
    return (unsigned)(mix(w->seed++) % below);
}

static void put(struct out *out, const char *text)
{
    if (out->insert) {
        (void)sqlite3_bind_text(out->insert, ++out->column, text, -1, SQLITE_TRANSIENT);
        return;
    }
    aic_buf_text(&out->line, out->column++ ? "\t" : "");
    aic_buf_text(&out->line, text ? text : "\\N");
}

static void put_int(struct out *out, int64_t value)
{
    char text[24];
    if (out->insert) {
        (void)sqlite3_bind_int64(out->insert, ++out->column, value);
        return;
    }
    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    put(out, text);
}

static void put_real(struct out *out, double value)
{
    char text[32];
    if (out->insert) {
        (void)sqlite3_bind_double(out->insert, ++out->column, value);
        return;
    }
    (void)snprintf(text, sizeof(text), "%.4f", value);
    put(out, text);
}

static void end_row(struct out *out)
{
    out->column = 0;
    if (!out->insert) {
        aic_buf_char(&out->line, '\n');
        (void)fwrite(out->line.data, 1, out->line.len, stdout);
        aic_buf_clear(&out->line);
        return;
    }
    if (sqlite3_step(out->insert) != SQLITE_DONE) {
        (void)fprintf(stderr, "history_rows: %s\n", sqlite3_errmsg(sqlite3_db_handle(out->insert)));
        exit(1);
    }
    (void)sqlite3_reset(out->insert);
}

static void write_time(char to[32], int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    (void)gmtime_r(&seconds, &tm);
    size_t len = strftime(to, 32, "%Y-%m-%dT%H:%M:%S", &tm);
    (void)snprintf(to + len, 32 - len, ".%03dZ", (int)(ms % 1000));
}

/* An id of version 7; `kind` keeps those of different tables apart. */
static void write_id(char to[48], int64_t ms, unsigned kind, unsigned call)
{
    (void)snprintf(to, 48, "%08llx-%04llx-7%03x-%04x-%012x", (unsigned long long)ms >> 16,
                   (unsigned long long)ms & 0xffff, call & 0xfff, 0x8000 + kind, call);
}

/* The times of calls that run at once differ in their lowest bits, so that no two messages of the
 * world have the same time. */
static int64_t own_time(const struct call *call, int64_t ms)
{
    return (ms / SPREAD) * SPREAD + call->number % SPREAD;
}

/* A number below VOCABULARY; the first ones come often. */
static unsigned pick_word(struct world *w)
{
    double wanted =
        (double)(mix(w->seed++) >> 11) / 9007199254740992.0 * w->weights[VOCABULARY - 1];
    unsigned low = 0;
    unsigned high = VOCABULARY - 1;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (w->weights[middle] < wanted) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void add_word(struct aic_buf *to, unsigned n)
{
    static const char *const common[] = {
        "the",     "you",     "to",      "I",       "a",         "is",      "and",    "for",
        "it",      "of",      "your",    "that",    "in",        "can",     "we",     "on",
        "have",    "this",    "please",  "my",      "are",       "me",      "what",   "at",
        "not",     "with",    "would",   "do",      "be",        "thank",   "will",   "so",
        "yes",     "no",      "was",     "help",    "if",        "but",     "like",   "how",
        "just",    "know",    "there",   "today",   "when",      "time",    "about",  "need",
        "account", "number",  "call",    "back",    "tomorrow",  "payment", "order",  "speak",
        "moment",  "let",     "check",   "address", "okay",      "right",   "name",   "sorry",
        "morning", "Tuesday", "monday",  "day",     "delivery",  "bill",    "card",   "email",
        "agent",   "minutes", "waiting", "problem", "question",  "confirm", "phone",  "hello",
        "refund",  "invoice", "branch",  "amount",  "afternoon", "week",    "again",  "appointment",
        "sure",    "calling", "office",  "doctor",  "balance",   "cancel",  "change", "company"};
    static const char *const parts[] = {"ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru",
                                        "sa", "te", "vi", "wo", "zu", "ka", "re", "ti", "no", "mu"};
    if (n < sizeof(common) / sizeof(common[0])) {
        aic_buf_text(to, common[n]);
        return;
    }
    aic_buf_printf(to, "%s%s%s%s", parts[n % 20], parts[n / 20 % 20], parts[n / 400 % 20],
                   parts[n / 8000 % 20]);
}

static void write_words(struct world *w, struct aic_buf *to, unsigned count)
{
    aic_buf_clear(to);
    for (unsigned i = 0; i < count; i++) {
        aic_buf_text(to, i ? " " : "");
        add_word(to, pick_word(w));
    }
}

static struct call make_call(const struct world *w, unsigned n)
{
    unsigned per_day = w->calls / 365 + 1;
    int64_t gap_ms = OPEN_MS / per_day;
    int64_t jitter_ms = (int64_t)(mix(n) % (uint64_t)(gap_ms > 1 ? gap_ms / 2 : 1));
    struct call call = {.number = n};
    call.at_ms = FIRST_MS + n / per_day * DAY_MS + n % per_day * gap_ms + jitter_ms;
    call.is_answered = mix(n + UINT64_C(0x100000000)) % 100 < 85;
    write_id(call.id, call.at_ms, 0, n);
    write_time(call.at, call.at_ms);
    return call;
}

static void add_call(struct world *w, const struct call *call)
{
    static const char *const unanswered[] = {"no_answer", "no_answer", "busy", "failed",
                                             "canceled"};
    struct out *out = w->out;
    bool is_inbound = pick(w, 5) < 2;
    unsigned seconds = call->is_answered ? w->messages * 6 + pick(w, 20) : 0;
    char sid[40];
    char customer[32];
    char own[32];
    char agent[32];
    char answered[32];
    char ended[32];
    (void)snprintf(sid, sizeof(sid), "CA%016" PRIx64 "%016x", mix(call->number), call->number);
    (void)snprintf(customer, sizeof(customer), "+9198%08u", pick(w, CUSTOMERS) * 613);
    (void)snprintf(own, sizeof(own), "+1415555%04u", pick(w, 3) + 100);
    (void)snprintf(agent, sizeof(agent), "agent%u", pick(w, AGENTS));
    write_time(answered, call->at_ms + 4000);
    write_time(ended, call->at_ms + 4000 + seconds * 1000);
    put(out, call->id);
    put(out, sid);
    put(out, "twilio");
    put(out, is_inbound ? "inbound" : "outbound");
    put(out, is_inbound ? customer : own);
    put(out, is_inbound ? own : customer);
    put(out, agent);
    put(out, call->is_answered ? "completed" : unanswered[pick(w, 5)]);
    put(out, call->is_answered ? "caller_hangup" : "not_answered");
    put(out, call->at);
    put(out, call->at);
    put(out, call->is_answered ? answered : NULL);
    put(out, ended);
    put_real(out, seconds);
    put_real(out, seconds * 0.0004);
    put(out, "en");
    put_int(out, 1);
    put(out, "You are a helpful phone assistant of Example Ltd. Answer in one or two short "
             "sentences. Say that you are an AI when you are asked. Never promise a refund; offer "
             "a call back by a person instead. Confirm dates and amounts by repeating them.");
    end_row(out);
}

static void add_messages(struct world *w, const struct call *call)
{
    struct out *out = w->out;
    struct aic_buf text;
    aic_buf_init(&text, 4096);
    for (unsigned i = 0; i < w->messages; i++) {
        int64_t ms = own_time(call, call->at_ms + 4000 + i * 6000 + pick(w, 3000));
        char id[48];
        char at[32];
        bool is_agent = i % 2 == 0;
        write_id(id, ms, 1, call->number);
        write_time(at, ms);
        write_words(w, &text, is_agent ? 8 + pick(w, 14) : 2 + pick(w, 12));
        if (i == 1) {
            aic_buf_printf(&text, " order ref%u", call->number);
        }
        put(out, id);
        put(out, call->id);
        put_int(out, i / 2);
        put(out, is_agent ? "assistant" : "user");
        put(out, text.data);
        put(out, is_agent ? text.data : NULL);
        put(out, at);
        put(out, is_agent ? "groq" : "deepgram");
        put(out, "en");
        if (is_agent) {
            put(out, NULL);
        } else {
            put_real(out, 0.8 + pick(w, 20) / 100.0);
        }
        put_int(out, 1);
        if (out->insert) {
            put_int(out, ms);
        }
        end_row(out);
    }
    aic_buf_finish(&text);
}

static void add_turns(struct world *w, const struct call *call)
{
    struct out *out = w->out;
    for (unsigned i = 0; i < w->messages / 2; i++) {
        int64_t ms = own_time(call, call->at_ms + 10000 + i * 12000);
        unsigned parts[] = {300 + pick(w, 300), 80 + pick(w, 200), 150 + pick(w, 500),
                            100 + pick(w, 300), 20 + pick(w, 60)};
        unsigned sum = 0;
        char id[48];
        char at[32];
        write_id(id, ms, 2, call->number);
        write_time(at, ms);
        put(out, id);
        put(out, call->id);
        put_int(out, i);
        put(out, at);
        for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
            put_int(out, parts[k]);
            sum += parts[k];
        }
        put_int(out, sum);
        put(out, "deepgram");
        put(out, "groq");
        put(out, "elevenlabs");
        put_int(out, 1);
        end_row(out);
    }
}

static void add_events(struct world *w, const struct call *call)
{
    static const char *const types[EVENTS] = {"queued",        "ringing", "answered",
                                              "media_started", "hang_up", "ended"};
    for (unsigned i = 0; i < EVENTS; i++) {
        int64_t ms = own_time(call, call->at_ms + i * 1000);
        char id[48];
        char at[32];
        write_id(id, ms, 3, call->number);
        write_time(at, ms);
        put(w->out, id);
        put(w->out, call->id);
        put(w->out, types[i]);
        put(w->out, at);
        put(w->out, "twilio");
        put_int(w->out, 1);
        put(w->out, "{\"reason\":\"as planned\",\"attempt\":1}");
        end_row(w->out);
    }
}

static void add_usage(struct world *w, const struct call *call)
{
    static const char *const rows[USAGES][4] = {
        {"deepgram", "stt", "nova-3", "{\"seconds\":120}"},
        {"groq", "llm", "openai/gpt-oss-20b", "{\"input_tokens\":2400,\"output_tokens\":310}"},
        {"elevenlabs", "tts", "eleven_flash_v2_5", "{\"characters\":900}"}};
    for (unsigned i = 0; i < USAGES && call->is_answered; i++) {
        int64_t ms = own_time(call, call->at_ms + 124000 + i * 512);
        char id[48];
        char at[32];
        write_id(id, ms, 4, call->number);
        write_time(at, ms);
        put(w->out, id);
        put(w->out, call->id);
        put(w->out, at);
        for (unsigned k = 0; k < 4; k++) {
            put(w->out, rows[i][k]);
        }
        put_real(w->out, pick(w, 300) / 10000.0);
        put_int(w->out, 1);
        end_row(w->out);
    }
}

static void add_rows(struct world *w)
{
    static void (*const adders[])(struct world *, const struct call *) = {
        add_call, add_messages, add_turns, add_events, add_usage};
    size_t number = (size_t)(w->table - tables);
    for (unsigned n = 0; n < w->calls; n++) {
        struct call call = make_call(w, n);
        w->seed = mix(n) + number * 1000003;
        adders[number](w, &call);
    }
}

static void run_sql(sqlite3 *db, const char *sql)
{
    char *error = NULL;
    if (sqlite3_exec(db, sql, NULL, NULL, &error) != SQLITE_OK) {
        (void)fprintf(stderr, "history_rows: %s\n", error);
        exit(1);
    }
}

static sqlite3_stmt *prepare_insert(sqlite3 *db, const struct table *table)
{
    struct aic_buf sql;
    sqlite3_stmt *insert = NULL;
    bool has_seq = strcmp(table->name, "messages") == 0;
    aic_buf_init(&sql, 4096);
    aic_buf_printf(&sql, "INSERT INTO %s (%s%s) VALUES (?", table->name, table->columns,
                   has_seq ? ",seq" : "");
    for (unsigned i = 1; i < table->count + has_seq; i++) {
        aic_buf_text(&sql, ",?");
    }
    aic_buf_char(&sql, ')');
    if (sqlite3_prepare_v2(db, sql.data, -1, &insert, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "history_rows: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
    aic_buf_finish(&sql);
    return insert;
}

static int fill_sqlite(struct world *w, const char *path)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "history_rows: %s: %s\n", path, sqlite3_errmsg(db));
        (void)sqlite3_close(db);
        return 1;
    }
    run_sql(db,
            "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-500000; BEGIN");
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        struct out out = {.insert = prepare_insert(db, &tables[i])};
        w->table = &tables[i];
        w->out = &out;
        add_rows(w);
        (void)sqlite3_finalize(out.insert);
        w->out = NULL;
        (void)fprintf(stderr, "%s\n", tables[i].name);
    }
    run_sql(db, "COMMIT; PRAGMA journal_mode=WAL");
    return sqlite3_close(db) == SQLITE_OK ? 0 : 1;
}

static const struct table *find_table(const char *name)
{
    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        if (strcmp(tables[i].name, name) == 0) {
            return &tables[i];
        }
    }
    return NULL;
}

static int print_rows(struct world *w)
{
    struct out out = {.insert = NULL};
    aic_buf_init(&out.line, 1 << 16);
    w->out = &out;
    add_rows(w);
    aic_buf_finish(&out.line);
    w->out = NULL;
    return fflush(stdout) == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct world w = {.calls = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 0};
    bool is_sqlite = argc == 5 && strcmp(argv[1], "sqlite") == 0;
    w.table = argc > 2 ? find_table(argv[2]) : NULL;
    if (argc == 3 && strcmp(argv[1], "columns") == 0 && w.table) {
        return puts(w.table->columns) < 0;
    }
    if (argc != 5 || w.calls == 0 || (!is_sqlite && (!w.table || strcmp(argv[1], "copy") != 0))) {
        (void)fprintf(stderr, "usage: history_rows sqlite FILE | copy TABLE  CALLS MESSAGES\n"
                              "       history_rows columns TABLE\n");
        return 2;
    }
    w.messages = (unsigned)(strtoul(argv[4], NULL, 10) / w.calls);
    w.weights = malloc(VOCABULARY * sizeof(double));
    for (unsigned i = 0; w.weights && i < VOCABULARY; i++) {
        w.weights[i] = (i ? w.weights[i - 1] : 0) + 1.0 / (i + 2);
    }
    int status = !w.weights ? 1 : is_sqlite ? fill_sqlite(&w, argv[2]) : print_rows(&w);
    free(w.weights);
    return status;
}
