/* SPDX-License-Identifier: ISC */
#ifndef CALL_DIALOG_H
#define CALL_DIALOG_H
/*
 * What was said so far, as the language model gets it and as the transcript shows it. An agent's
 * message holds what was generated and what of it was heard; the model only ever sees the latter.
 */
#include "base/uuid.h"
#include "buf.h"

#include <stdbool.h>

enum dialog_role { DIALOG_USER = 1, DIALOG_ASSISTANT = 2, DIALOG_TOOL = 3 };

struct dialog_message {
    char id[UUID_TEXT];
    enum dialog_role role;
    uint64_t turn;
    uint64_t revision; /* of the fact; rises with each change */
    int64_t at_wall_us;
    int64_t began_wall_us; /* its sound; 0 = unknown */
    int64_t ended_wall_us;
    char *content;    /* recognised or generated */
    char *heard;      /* of an agent's message; NULL while nothing was */
    char *tool_calls; /* of an agent's message: JSON array; NULL */
    char *tool_id;    /* of a tool's result */
    char *tool_name;
    char *state;          /* a provider's own, see llm.h; NULL */
    char *state_provider; /* whose */
};

struct dialog {
    struct dialog_message *messages;
    size_t count;
    size_t cap;
};

enum { DIALOG_MAX_MESSAGES = 4096 };

void dialog_init(struct dialog *dialog);
void dialog_finish(struct dialog *dialog);
/*
 * Appends a message, not earlier than those before it; NULL without memory or beyond the maximum.
 * Borrowed until the next append.
 */
struct dialog_message *dialog_add(struct dialog *dialog, enum dialog_role role, uint64_t turn,
                                  struct aic_str content, int64_t at_wall_us,
                                  const uint8_t random[10]);
/* The newest message of a role, or NULL. */
struct dialog_message *dialog_last(struct dialog *dialog, enum dialog_role role);
/* Takes the newest message away again. */
void dialog_drop_last(struct dialog *dialog);

bool dialog_set(char **field, struct aic_str text);
/* Appends to a text field, with `between` in the middle when it is not empty. */
bool dialog_extend(char **field, const char *between, struct aic_str text);

/*
 * Writes the messages as a JSON array for a provider (aicaller/llm.h): the system prompt, then as
 * much of the latest conversation as fits into `max_tokens` (four bytes each, 0 = all), never a
 * tool's result without its call. `note` is a further system message at the end, or empty.
 */
void dialog_write(const struct dialog *dialog, struct aic_str prompt, struct aic_str note,
                  const char *provider, int64_t max_tokens, struct aic_buf *to);
const char *dialog_role_name(enum dialog_role role);

#endif
