/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_REPLY_H
#define SCRIPT_REPLY_H
/*
 * Replies: texts with {name} and {name|fallback} in them. A name is a slot, a variable, or one of
 * from, to, direction (of the call) and question (what the state at hand says).
 */
#include "buf.h"
#include "json.h"
#include "memory.h"
#include "script.h"

/* One piece of a reply: plain text where `is_name` is false. */
struct script_piece {
    struct aic_str text; /* plain text, or the name */
    struct aic_str fallback;
    bool is_name;
    bool is_broken; /* a brace without its other half */
};

/* Takes the next piece off *at; false at the end. */
bool script_reply_next(const char **at, struct script_piece *piece);

/* What a name stands for: what the dialogue has set, else the call's own variables, else the
 * script's. `from`, `to` and `direction` come from the context. Empty where nothing is known. */
struct aic_str script_reply_value(const struct script *script, const struct script_memory *memory,
                                  const struct aic_json *context, struct aic_str name);

/*
 * Appends alternative `turn` of `texts`, and a space before it where something stands already.
 * `question` is what {question} becomes; NULL within a question.
 */
struct script_telling {
    const struct script *script;
    const struct script_memory *memory;
    const struct aic_json *context;
    const char *question;
};

void script_reply_put(struct aic_buf *to, const struct script_telling *telling, const char *text);

#endif
