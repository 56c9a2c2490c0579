/* SPDX-License-Identifier: ISC */
#include "call/dialog.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

enum { BYTES_PER_TOKEN = 4, MESSAGE_OVERHEAD = 16 };

void dialog_init(struct dialog *dialog)
{
    *dialog = (struct dialog){.messages = NULL};
}

static void finish_message(struct dialog_message *message)
{
    free(message->content);
    free(message->heard);
    free(message->tool_calls);
    free(message->tool_id);
    free(message->tool_name);
    free(message->state);
    free(message->state_provider);
}

void dialog_finish(struct dialog *dialog)
{
    for (size_t i = 0; i < dialog->count; i++) {
        finish_message(&dialog->messages[i]);
    }
    free(dialog->messages);
    *dialog = (struct dialog){.messages = NULL};
}

bool dialog_set(char **field, struct aic_str text)
{
    char *copy = aic_str_dup(text);
    if (!copy) {
        return false;
    }
    free(*field);
    *field = copy;
    return true;
}

bool dialog_extend(char **field, const char *between, struct aic_str text)
{
    if (!*field || !(*field)[0]) {
        return dialog_set(field, text);
    }
    struct aic_buf buf;
    aic_buf_init(&buf, 1u << 20);
    aic_buf_text(&buf, *field);
    aic_buf_text(&buf, between);
    aic_buf_str(&buf, text);
    char *joined = aic_buf_detach(&buf);
    if (!joined) {
        return false;
    }
    free(*field);
    *field = joined;
    return true;
}

static bool make_room(struct dialog *dialog)
{
    if (dialog->count < dialog->cap) {
        return true;
    }
    size_t cap = dialog->cap ? dialog->cap * 2 : 16;
    if (cap > DIALOG_MAX_MESSAGES) {
        return false;
    }
    struct dialog_message *messages = realloc(dialog->messages, cap * sizeof(*messages));
    if (!messages) {
        return false;
    }
    dialog->messages = messages;
    dialog->cap = cap;
    return true;
}

struct dialog_message *dialog_add(struct dialog *dialog, enum dialog_role role, uint64_t turn,
                                  struct aic_str content, int64_t at_wall_us,
                                  const uint8_t random[10])
{
    if (!make_room(dialog)) {
        return NULL;
    }
    /* The records sort messages by their milliseconds: no two of a call share one. */
    if (dialog->count > 0) {
        int64_t last_ms = dialog->messages[dialog->count - 1].at_wall_us / 1000;
        at_wall_us = at_wall_us / 1000 > last_ms ? at_wall_us : (last_ms + 1) * 1000;
    }
    struct dialog_message *message = &dialog->messages[dialog->count];
    *message = (struct dialog_message){
        .role = role, .turn = turn, .at_wall_us = at_wall_us, .revision = 1};
    if (!dialog_set(&message->content, content)) {
        return NULL;
    }
    uuid7_format(message->id, at_wall_us, random);
    dialog->count++;
    return message;
}

struct dialog_message *dialog_last(struct dialog *dialog, enum dialog_role role)
{
    for (size_t i = dialog->count; i > 0; i--) {
        if (dialog->messages[i - 1].role == role) {
            return &dialog->messages[i - 1];
        }
    }
    return NULL;
}

void dialog_drop_last(struct dialog *dialog)
{
    if (dialog->count > 0) {
        finish_message(&dialog->messages[--dialog->count]);
    }
}

const char *dialog_role_name(enum dialog_role role)
{
    switch (role) {
    case DIALOG_USER:
        return "user";
    case DIALOG_ASSISTANT:
        return "assistant";
    case DIALOG_TOOL:
        return "tool";
    }
    return "unknown";
}

/* What a model is told of a message; empty where it should not know of it. */
static struct aic_str known_text(const struct dialog_message *message)
{
    if (message->role == DIALOG_ASSISTANT) {
        return message->heard ? aic_str(message->heard) : AIC_STR("");
    }
    return aic_str(message->content);
}

static bool is_known(const struct dialog_message *message)
{
    return known_text(message).len > 0 || message->tool_calls || message->role == DIALOG_TOOL;
}

static int64_t cost(const struct dialog_message *message)
{
    size_t bytes = known_text(message).len + MESSAGE_OVERHEAD;
    bytes += message->tool_calls ? strlen(message->tool_calls) : 0;
    return (int64_t)(bytes / BYTES_PER_TOKEN) + 1;
}

/* Where the part that is sent begins: a user's message, or the beginning of everything. */
static size_t first_sent(const struct dialog *dialog, int64_t max_tokens)
{
    size_t first = dialog->count;
    for (int64_t left = max_tokens; first > 0; first--) {
        left -= cost(&dialog->messages[first - 1]);
        if (max_tokens > 0 && left < 0) {
            break;
        }
    }
    while (first > 0 && first < dialog->count && dialog->messages[first].role != DIALOG_USER) {
        first++;
    }
    /* The newest message goes out whatever it costs. */
    return first == dialog->count && first > 0 ? first - 1 : first;
}

static void write_system(struct aic_json_writer *w, struct aic_str text)
{
    if (text.len > 0) {
        aic_json_open(w, '{');
        aic_json_member(w, "role", AIC_STR("system"));
        aic_json_member(w, "content", text);
        aic_json_close(w, '}');
    }
}

static void write_message(struct aic_json_writer *w, const struct dialog_message *message,
                          const char *provider)
{
    aic_json_open(w, '{');
    aic_json_member_text(w, "role", dialog_role_name(message->role));
    aic_json_member(w, "content", known_text(message));
    if (message->tool_calls) {
        aic_json_member_raw(w, "tool_calls", aic_str(message->tool_calls));
    }
    if (message->tool_id) {
        aic_json_member_text(w, "tool_call_id", message->tool_id);
    }
    if (message->state && provider && message->state_provider &&
        strcmp(message->state_provider, provider) == 0) {
        aic_json_member_text(w, "provider_state", message->state);
    }
    aic_json_close(w, '}');
}

void dialog_write(const struct dialog *dialog, struct aic_str prompt, struct aic_str note,
                  const char *provider, int64_t max_tokens, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '[');
    write_system(&w, prompt);
    for (size_t i = first_sent(dialog, max_tokens); i < dialog->count; i++) {
        if (is_known(&dialog->messages[i])) {
            write_message(&w, &dialog->messages[i], provider);
        }
    }
    write_system(&w, note);
    aic_json_close(&w, ']');
}
