/* SPDX-License-Identifier: ISC */
#include "cli/import_row.h"

#include "base/timefmt.h"

#include "json.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIME_MAX = 64, NUMBER_MAX = 64, EXTRA_MAX = 2000, DURATION_MAX_S = 7 * 86400 };

static struct aic_str field_of(const struct import_table *table, const struct aic_json *row,
                               enum import_field field)
{
    const char *column = import_column(table, field);
    return column ? aic_json_get_text(row, column) : (struct aic_str){"", 0};
}

bool import_time(struct aic_str text, int64_t *wall_us)
{
    char copy[TIME_MAX];
    if (text.len < 10 || text.len + 8 > sizeof(copy) || !aic_str_copy(text, copy, sizeof(copy))) {
        return false;
    }
    size_t length = text.len;
    if (length == 10) {
        return time_parse(aic_str(copy), wall_us);
    }
    copy[10] = copy[10] == ' ' ? 'T' : copy[10];
    const char *zone = strpbrk(copy + 11, "+-Zz");
    if (!zone) {
        (void)snprintf(copy + length, sizeof(copy) - length, "Z");
    } else if (strlen(zone) == 3) { /* PostgreSQL writes an offset of whole hours as "+00". */
        (void)snprintf(copy + length, sizeof(copy) - length, ":00");
    }
    return time_parse(aic_str(copy), wall_us);
}

/* The order of rows with one time is that of their ids. */
static void make_id(char to[UUID_TEXT], int64_t at_us, const char *kind, const char *key,
                    struct aic_str id)
{
    unsigned char hash[16];
    uint8_t random[10];
    char text[IMPORT_KEY * 2];
    char number[NUMBER_MAX];
    int length =
        snprintf(text, sizeof(text), "aicaller import|%s|%s|%.*s", kind, key, (int)id.len, id.ptr);
    size_t bytes = length > 0 && (size_t)length < sizeof(text) ? (size_t)length : sizeof(text) - 1;
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text, bytes, NULL, 0);
    memcpy(random, hash, sizeof(random));
    (void)aic_str_copy(id, number, sizeof(number));
    unsigned long long order = strtoull(number, NULL, 10);
    random[0] = (uint8_t)(order >> 8);
    random[1] = (uint8_t)order;
    uuid7_format(to, at_us, random);
}

static void put_time(struct aic_json_writer *w, const char *name, int64_t wall_us)
{
    char text[TIME_TEXT];
    time_format(text, wall_us);
    aic_json_member_text(w, name, text);
}

static void put_text(struct aic_json_writer *w, const char *name, struct aic_str text)
{
    if (text.len > 0) {
        aic_json_member(w, name, text);
    }
}

/* Without what people put between digits. */
static void put_number(struct aic_json_writer *w, const char *name, struct aic_str text)
{
    char number[NUMBER_MAX];
    size_t length = 0;
    bool is_number = text.len > 0 && text.len < sizeof(number);
    for (size_t i = 0; is_number && i < text.len; i++) {
        if (!strchr(" -().", text.ptr[i])) {
            number[length++] = text.ptr[i];
            is_number = text.ptr[i] == '+' || (text.ptr[i] >= '0' && text.ptr[i] <= '9');
        }
    }
    put_text(w, name, is_number ? (struct aic_str){number, length} : text);
}

struct word {
    const char *theirs;
    const char *ours;
};

static const char *translate(struct aic_str text, const struct word *words)
{
    char plain[NUMBER_MAX];
    (void)aic_str_copy(text, plain, sizeof(plain));
    for (char *c = plain; *c; c++) {
        *c = *c == '-' || *c == ' ' ? '_' : *c;
    }
    for (size_t i = 0; words[i].theirs; i++) {
        if (aic_str_equal_nocase(aic_str(plain), words[i].theirs)) {
            return words[i].ours;
        }
    }
    return NULL;
}

/* A call of the past has ended, whatever its row says; "" stands for one that was still open. */
static const struct word statuses[] = {{"completed", "completed"},
                                       {"complete", "completed"},
                                       {"ended", "completed"},
                                       {"busy", "busy"},
                                       {"no_answer", "no_answer"},
                                       {"failed", "failed"},
                                       {"error", "failed"},
                                       {"canceled", "canceled"},
                                       {"cancelled", "canceled"},
                                       {"queued", ""},
                                       {"initiated", ""},
                                       {"ringing", ""},
                                       {"in_progress", ""},
                                       {"answered", ""},
                                       {"active", ""},
                                       {"pending", ""},
                                       {"", ""},
                                       {NULL, NULL}};
static const struct word directions[] = {
    {"inbound", "inbound"},       {"incoming", "inbound"},       {"in", "inbound"},
    {"outbound", "outbound"},     {"outgoing", "outbound"},      {"out", "outbound"},
    {"outbound_api", "outbound"}, {"outbound_dial", "outbound"}, {NULL, NULL}};
static const struct word speakers[] = {
    {"user", "user"},           {"caller", "user"},  {"human", "user"},    {"customer", "user"},
    {"assistant", "assistant"}, {"ai", "assistant"}, {"bot", "assistant"}, {"agent", "assistant"},
    {"system", "system"},       {"tool", "tool"},    {"function", "tool"}, {NULL, NULL}};

static double read_duration(struct aic_str text, struct import_fact *fact)
{
    char copy[NUMBER_MAX];
    char *rest = copy;
    (void)aic_str_copy(text, copy, sizeof(copy));
    double seconds = strtod(copy, &rest);
    if (text.len == 0) {
        return 0;
    }
    if (rest == copy || *rest || !(seconds >= 0) || seconds > DURATION_MAX_S) {
        (void)snprintf(fact->note, sizeof(fact->note), "its duration is no number of seconds");
        return 0;
    }
    return seconds;
}

static void put_status(struct aic_json_writer *w, struct aic_str text, double duration_s,
                       struct import_fact *fact)
{
    const char *status = translate(text, statuses);
    if (!status) {
        (void)snprintf(fact->note, sizeof(fact->note), "its status is unknown");
    }
    if (status && status[0]) {
        aic_json_member_text(w, "status", status);
        return;
    }
    aic_json_member_text(w, "status", duration_s > 0 ? "completed" : "failed");
    aic_json_member_text(w, "end_reason", "imported_unfinished");
}

static void put_extras(struct aic_json_writer *w, const struct import_table *table,
                       const struct aic_json *row)
{
    aic_json_key(w, "metadata");
    aic_json_open(w, '{');
    aic_json_key(w, "imported");
    aic_json_open(w, '{');
    aic_json_member(w, "id", field_of(table, row, IMPORT_ID));
    for (size_t i = 0; i < table->count; i++) {
        struct aic_str text = aic_json_get_text(row, table->columns[i]);
        if (import_is_extra(table, i) && text.len > 0 && text.len <= EXTRA_MAX) {
            aic_json_member(w, table->columns[i], text);
        }
    }
    aic_json_close(w, '}');
    aic_json_close(w, '}');
}

static bool refuse(struct import_fact *fact, const char *reason)
{
    (void)snprintf(fact->reason, sizeof(fact->reason), "%s", reason);
    return false;
}

static struct aic_json_writer begin(struct import_fact *fact)
{
    struct aic_json_writer w;
    fact->reason[0] = '\0';
    fact->note[0] = '\0';
    aic_buf_clear(&fact->columns);
    aic_json_writer_init(&w, &fact->columns);
    aic_json_open(&w, '{');
    return w;
}

static bool finish(struct import_fact *fact, struct aic_json_writer *w)
{
    aic_json_close(w, '}');
    return !fact->columns.failed || refuse(fact, "it is too large");
}

bool import_call_row(const struct import_table *table, const struct aic_json *row,
                     int64_t fallback_us, struct import_fact *fact)
{
    struct aic_json_writer w = begin(fact);
    struct aic_str id = field_of(table, row, IMPORT_ID);
    struct aic_str at = field_of(table, row, IMPORT_AT);
    struct aic_str sid = field_of(table, row, IMPORT_SID);
    struct aic_str direction = field_of(table, row, IMPORT_DIRECTION);
    char key[IMPORT_KEY];
    int64_t at_us = fallback_us;
    int64_t ended_us = 0;
    if (id.len == 0) {
        return refuse(fact, "it has no id");
    }
    if (at.len > 0 ? !import_time(at, &at_us) : fallback_us == 0) {
        return refuse(fact, at.len > 0 ? "its time can not be read" : "it has no time");
    }
    (void)aic_str_copy(sid, key, sizeof(key));
    make_id(fact->id, at_us, "call", key, id);
    (void)snprintf(fact->call.call_id, sizeof(fact->call.call_id), "%s", fact->id);
    fact->call.at_us = at_us;
    double duration_s = read_duration(field_of(table, row, IMPORT_DURATION), fact);
    bool has_end = import_time(field_of(table, row, IMPORT_ENDED), &ended_us) && ended_us >= at_us;
    put_text(&w, "call_sid", sid);
    put_number(&w, "from_number", field_of(table, row, IMPORT_FROM));
    put_number(&w, "to_number", field_of(table, row, IMPORT_TO));
    if (direction.len > 0 && translate(direction, directions)) {
        aic_json_member_text(&w, "direction", translate(direction, directions));
    }
    put_status(&w, field_of(table, row, IMPORT_STATUS), duration_s, fact);
    put_time(&w, "created_at", at_us);
    put_time(&w, "started_at", at_us);
    if (duration_s > 0) {
        int64_t spoken_us = (int64_t)(duration_s * 1e6);
        bool fits = has_end && ended_us - spoken_us >= at_us;
        put_time(&w, "answered_at", fits ? ended_us - spoken_us : at_us);
        ended_us = has_end ? ended_us : at_us + spoken_us;
    }
    if (has_end || duration_s > 0) {
        put_time(&w, "ended_at", ended_us);
    }
    aic_json_member_double(&w, "duration_s", duration_s);
    put_text(&w, "system_prompt", field_of(table, row, IMPORT_PROMPT));
    put_text(&w, "context_url", field_of(table, row, IMPORT_URL));
    put_text(&w, "context_data", field_of(table, row, IMPORT_DATA));
    put_extras(&w, table, row);
    return finish(fact, &w);
}

/* The time of a row that belongs to a call; that of the call where it has none. */
static bool take_time(const struct import_table *table, const struct aic_json *row,
                      struct import_fact *fact, int64_t *at_us)
{
    struct aic_str at = field_of(table, row, IMPORT_AT);
    *at_us = fact->call.at_us;
    if (at.len == 0) {
        (void)snprintf(fact->note, sizeof(fact->note), "it has no time and gets its call's");
        return true;
    }
    return import_time(at, at_us) || refuse(fact, "its time can not be read");
}

bool import_message_row(const struct import_table *table, const struct aic_json *row,
                        struct import_fact *fact)
{
    struct aic_json_writer w = begin(fact);
    struct aic_str id = field_of(table, row, IMPORT_ID);
    struct aic_str content = field_of(table, row, IMPORT_TEXT);
    const char *role = translate(field_of(table, row, IMPORT_ROLE), speakers);
    int64_t at_us = 0;
    if (id.len == 0) {
        return refuse(fact, "it has no id");
    }
    if (!role) {
        return refuse(fact, "its role is unknown");
    }
    if (!take_time(table, row, fact, &at_us)) {
        return false;
    }
    make_id(fact->id, at_us, "message", fact->call.call_id, id);
    aic_json_member_text(&w, "call_id", fact->call.call_id);
    aic_json_member_text(&w, "role", role);
    aic_json_member(&w, "content", content);
    if (strcmp(role, "assistant") == 0) {
        aic_json_member(&w, "heard", content);
    }
    put_time(&w, "at", at_us);
    return finish(fact, &w);
}

bool import_event_row(const struct import_table *table, const struct aic_json *row,
                      struct import_fact *fact)
{
    struct aic_json_writer w = begin(fact);
    struct aic_str id = field_of(table, row, IMPORT_ID);
    struct aic_str type = field_of(table, row, IMPORT_ROLE);
    struct aic_str detail = field_of(table, row, IMPORT_TEXT);
    int64_t at_us = 0;
    if (id.len == 0 || type.len == 0) {
        return refuse(fact, id.len == 0 ? "it has no id" : "it has no type");
    }
    if (!take_time(table, row, fact, &at_us)) {
        return false;
    }
    make_id(fact->id, at_us, "event", fact->call.call_id, id);
    aic_json_member_text(&w, "call_id", fact->call.call_id);
    aic_json_member(&w, "type", type);
    put_time(&w, "at", at_us);
    struct aic_json *parsed = aic_json_parse(detail, 0);
    if (aic_json_is_object(parsed)) {
        aic_json_member_raw(&w, "detail", aic_json_print(parsed));
    } else if (detail.len > 0) {
        aic_json_key(&w, "detail");
        aic_json_open(&w, '{');
        aic_json_member(&w, "text", detail);
        aic_json_close(&w, '}');
    }
    aic_json_free(parsed);
    return finish(fact, &w);
}
