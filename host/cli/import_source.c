/* SPDX-License-Identifier: ISC */
#include "cli/import_source.h"

#include <stdio.h>
#include <string.h>

struct naming {
    enum import_field field;
    const char *names[6];
};

static const char *const endings[IMPORT_TABLES] = {"callsession", "conversationmessage",
                                                   "callevent"};

static const struct naming call_names[] = {
    {IMPORT_ID, {"id", NULL}},
    {IMPORT_AT, {"created_at", "started_at", "start_time", "created", "timestamp", NULL}},
    {IMPORT_SID, {"call_sid", "sid", "twilio_call_sid", "twilio_sid", NULL}},
    {IMPORT_FROM, {"from_number", "from", "caller", NULL}},
    {IMPORT_TO, {"to_number", "to", "phone_number", "callee", NULL}},
    {IMPORT_DIRECTION, {"direction", "call_type", NULL}},
    {IMPORT_STATUS, {"status", "call_status", NULL}},
    {IMPORT_ENDED, {"ended_at", "end_time", "completed_at", NULL}},
    {IMPORT_DURATION, {"duration", "duration_seconds", "call_duration", NULL}},
    {IMPORT_PROMPT, {"system_prompt", "prompt", NULL}},
    {IMPORT_URL, {"context_url", NULL}},
    {IMPORT_DATA, {"context_data", "context", NULL}},
};

static const struct naming message_names[] = {
    {IMPORT_ID, {"id", NULL}},
    {IMPORT_SESSION, {"session_id", "call_session_id", "callsession_id", "call_id", NULL}},
    {IMPORT_AT, {"timestamp", "created_at", "created", NULL}},
    {IMPORT_ROLE, {"role", "speaker", NULL}},
    {IMPORT_TEXT, {"content", "message", "text", NULL}},
};

static const struct naming event_names[] = {
    {IMPORT_ID, {"id", NULL}},
    {IMPORT_SESSION, {"session_id", "call_session_id", "callsession_id", "call_id", NULL}},
    {IMPORT_AT, {"timestamp", "created_at", "created", NULL}},
    {IMPORT_ROLE, {"event_type", "type", "event", NULL}},
    {IMPORT_TEXT, {"detail", "details", "data", "message", NULL}},
};

#define NAMES(list) list, sizeof(list) / sizeof((list)[0])

static const struct {
    const struct naming *list;
    size_t count;
} namings[IMPORT_TABLES] = {{NAMES(call_names)}, {NAMES(message_names)}, {NAMES(event_names)}};

const char *import_kind_name(enum import_kind kind)
{
    static const char *const names[IMPORT_TABLES] = {"calls", "messages", "events"};
    return names[kind];
}

/* The kind of a table by the end of its name, underscores and case aside; -1 = none of ours. What
 * stands before is its prefix. */
static int kind_of(struct aic_str table, size_t *prefix)
{
    for (int kind = 0; kind < IMPORT_TABLES; kind++) {
        size_t at = table.len;
        size_t left = strlen(endings[kind]);
        while (at > 0 && left > 0) {
            char c = table.ptr[at - 1];
            c = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
            if (c != '_' && c != endings[kind][left - 1]) {
                break;
            }
            left -= c != '_';
            at--;
        }
        if (left == 0 && (at == 0 || table.ptr[at - 1] == '_')) {
            *prefix = at;
            return kind;
        }
    }
    return -1;
}

static bool is_wanted(struct import_source *source, const char *wanted, struct aic_str prefix)
{
    char text[IMPORT_NAME];
    (void)aic_str_copy(prefix, text, sizeof(text));
    if (wanted) {
        size_t length = strlen(wanted);
        bool is_same = strncmp(text, wanted, length) == 0 &&
                       (text[length] == '\0' || strcmp(text + length, "_") == 0);
        return is_same;
    }
    if (!source->has_prefix) {
        source->has_prefix = true;
        (void)aic_str_copy(prefix, source->prefix, sizeof(source->prefix));
    }
    if (strcmp(source->prefix, text) == 0) {
        return true;
    }
    source->is_ambiguous = true;
    (void)aic_str_copy(prefix, source->other, sizeof(source->other));
    return false;
}

void import_source_add(struct import_source *source, const char *wanted, struct aic_str table,
                       struct aic_str column)
{
    size_t prefix = 0;
    int kind = table.len < IMPORT_NAME && column.len < IMPORT_NAME ? kind_of(table, &prefix) : -1;
    if (kind < 0 || !is_wanted(source, wanted, (struct aic_str){table.ptr, prefix})) {
        return;
    }
    struct import_table *to = &source->tables[kind];
    (void)aic_str_copy(table, to->name, sizeof(to->name));
    if (to->count < IMPORT_COLUMNS) {
        (void)aic_str_copy(column, to->columns[to->count++], IMPORT_NAME);
    }
}

static int find_column(const struct import_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->columns[i], name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static void find_fields(struct import_table *table, enum import_kind kind)
{
    for (size_t i = 0; i < IMPORT_FIELDS; i++) {
        table->fields[i] = -1;
    }
    for (size_t i = 0; i < namings[kind].count; i++) {
        const struct naming *naming = &namings[kind].list[i];
        for (size_t k = 0; naming->names[k] && table->fields[naming->field] < 0; k++) {
            table->fields[naming->field] = find_column(table, naming->names[k]);
        }
    }
}

static const char *missing_field(const struct import_table *table, enum import_kind kind)
{
    static const enum import_field needed[IMPORT_TABLES][4] = {
        {IMPORT_ID, IMPORT_ID, IMPORT_ID, IMPORT_ID},
        {IMPORT_ID, IMPORT_SESSION, IMPORT_ROLE, IMPORT_TEXT},
        {IMPORT_ID, IMPORT_SESSION, IMPORT_ROLE, IMPORT_ID}};

    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < namings[kind].count; k++) {
            if (namings[kind].list[k].field == needed[kind][i] &&
                table->fields[needed[kind][i]] < 0) {
                return namings[kind].list[k].names[0];
            }
        }
    }
    return NULL;
}

const char *import_source_finish(struct import_source *source, char *to, size_t bytes)
{
    (void)snprintf(to, bytes, "%s", "");
    if (source->is_ambiguous) {
        (void)snprintf(to, bytes,
                       "there are such tables of two applications: name one with --prefix \"%s\" "
                       "or --prefix \"%s\"",
                       source->prefix, source->other);
    } else if (!source->tables[IMPORT_CALLS].name[0]) {
        (void)snprintf(to, bytes,
                       "there is no table of calls: its name would end in \"callsession\"");
    }
    for (int kind = 0; kind < IMPORT_TABLES; kind++) {
        struct import_table *table = &source->tables[kind];
        find_fields(table, (enum import_kind)kind);
        const char *missing = table->name[0] ? missing_field(table, (enum import_kind)kind) : NULL;
        if (missing && !to[0]) {
            (void)snprintf(to, bytes, "table %s has no column \"%s\"", table->name, missing);
        }
    }
    return to;
}

const char *import_column(const struct import_table *table, enum import_field field)
{
    int index = table->fields[field];
    return index < 0 ? NULL : table->columns[index];
}

/* What may hold a key or a password of the application that contexts came from stays there. */
static bool is_secret(const char *name)
{
    static const char *const words[] = {"header", "token", "secret", "password", "key", "auth"};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strstr(name, words[i])) {
            return true;
        }
    }
    return false;
}

bool import_is_extra(const struct import_table *table, size_t column)
{
    for (size_t i = 0; i < IMPORT_FIELDS; i++) {
        if (table->fields[i] == (int)column) {
            return false;
        }
    }
    return !is_secret(table->columns[column]);
}
