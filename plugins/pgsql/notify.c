/* SPDX-License-Identifier: ISC */
#include "pgsql.h"

#include <stdio.h>
#include <string.h>

enum { PAYLOAD_MAX = 4096, ROW_MAX = 65536 };

/* A name that needs no quotes, so that it can stand in a statement. */
static bool is_channel(const char *name)
{
    size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return length > 0 && length < PGSQL_CHANNEL_BYTES && name[length] == '\0' &&
           (name[0] < '0' || name[0] > '9');
}

static int32_t refuse_channel(struct sqlcore *core)
{
    return sql_fail(core, AIC_ERROR_INVALID, AIC_CATEGORY_BAD_REQUEST,
                    "channel: expected are small letters, digits and _, at most %d of them",
                    PGSQL_CHANNEL_BYTES - 1);
}

int32_t pgsql_notify(void *self, const char *channel, struct aic_str payload,
                     struct aic_error *error)
{
    struct sqlcore *core = self;
    int32_t status = sqlcore_enter(core);
    if (status == AIC_OK && !is_channel(channel)) {
        status = refuse_channel(core);
    }
    if (status == AIC_OK && payload.len >= PAYLOAD_MAX) {
        status = sql_fail(core, AIC_ERROR_TOO_LARGE, AIC_CATEGORY_BAD_REQUEST,
                          "payload: it must be under %d bytes", PAYLOAD_MAX);
    }
    struct sql_value values[] = {sql_text(aic_str(channel)), sql_text(payload)};
    status = status ? status : sql_execute(core, "SELECT pg_notify($1, $2)", values, 2, NULL);
    return sqlcore_leave(core, status, error);
}

static int32_t listen_to(struct pgsql_storage *s, const char *channel)
{
    for (uint32_t i = 0; i < s->channel_count; i++) {
        if (strcmp(s->channels[i], channel) == 0) {
            return AIC_OK;
        }
    }
    if (!is_channel(channel)) {
        return refuse_channel(&s->core);
    }
    if (s->channel_count == PGSQL_CHANNELS) {
        return sql_fail(&s->core, AIC_ERROR_TOO_LARGE, AIC_CATEGORY_BAD_REQUEST,
                        "at most %d channels can be listened to", PGSQL_CHANNELS);
    }
    char text[PGSQL_CHANNEL_BYTES + 8];
    (void)snprintf(text, sizeof(text), "LISTEN %s", channel);
    struct sql_command command = {.text = aic_str(text)};
    int32_t status = pgsql_run(&s->core, &command, 1, NULL, NULL);
    if (status == AIC_OK) {
        (void)snprintf(s->channels[s->channel_count++], PGSQL_CHANNEL_BYTES, "%s", channel);
    }
    return status;
}

/* Hands on what has arrived; 1 if there was something. */
static int hand_on(struct pgsql_storage *s, aic_row_handler row, void *data)
{
    int handed = 0;
    bool is_stopped = false;
    for (PGnotify *note = PQnotifies(s->connection); note; note = PQnotifies(s->connection)) {
        struct aic_buf buf;
        struct aic_json_writer w;
        aic_buf_init(&buf, ROW_MAX);
        aic_json_writer_init(&w, &buf);
        aic_json_open(&w, '{');
        aic_json_member_text(&w, "channel", note->relname);
        aic_json_member_text(&w, "payload", note->extra);
        aic_json_close(&w, '}');
        PQfreemem(note);
        handed = 1;
        is_stopped = is_stopped || buf.failed || row(data, aic_buf_view(&buf)) != 0;
        aic_buf_finish(&buf);
    }
    return handed;
}

static int32_t wait_for_notes(struct pgsql_storage *s, int64_t timeout_ms, aic_row_handler row,
                              void *data)
{
    int64_t deadline_ms = pgsql_clock_ms() + timeout_ms;
    while (!hand_on(s, row, data)) {
        int32_t status = pgsql_wait(s, false, deadline_ms);
        if (status == AIC_ERROR_TIMEOUT) {
            return AIC_OK;
        }
        if (status == AIC_ERROR_CANCELLED) {
            return sql_fail(&s->core, status, AIC_CATEGORY_CANCELLED, "interrupted");
        }
        if (status || PQconsumeInput(s->connection) != 1) {
            return pgsql_connection_problem(s, AIC_ERROR_IO);
        }
    }
    return AIC_OK;
}

// NOLINTNEXTLINE(readability-function-size): the parameters are the role's
int32_t pgsql_listen(void *self, const char *const *channels, uint32_t count, int64_t timeout_ms,
                     aic_row_handler row, void *data, struct aic_error *error)
{
    struct sqlcore *core = self;
    int32_t status = sqlcore_enter(core);
    for (uint32_t i = 0; status == AIC_OK && i < count; i++) {
        status = listen_to(pgsql_of(core), channels[i]);
    }
    status = status ? status : wait_for_notes(pgsql_of(core), timeout_ms, row, data);
    return sqlcore_leave(core, status, error);
}
