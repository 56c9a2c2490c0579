/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_DIALOG_H
#define SCRIPT_DIALOG_H
/*
 * One turn of a dialogue, as a pure decision: what was known and what was said gives the reply and
 * what is known then.
 *
 * What was said is held against, in this order: the global intents; corrections of slots that the
 * state `takes`; the state's intents; the slot that it asks for; and, where none of these is
 * found, the examples of all these intents by likeness.
 */
#include "buf.h"
#include "json.h"
#include "memory.h"
#include "script.h"

struct script_turn {
    bool spoke;                     /* false: nobody has said anything since the last reply */
    struct aic_str said;            /* where `spoke` */
    struct aic_str heard;           /* the last reply as the caller heard it; may be empty */
    const struct aic_json *context; /* of the request; NULL */
    bool transfer_failed;           /* the tool call of the last answer came back as an error */
    bool cannot_transfer;           /* the host has no transfer to offer */
};

struct script_answer {
    struct aic_buf text;
    struct script_end end;  /* to be done after the text */
    const char *understood; /* for the log: an intent, "slot", "correction", "miss" or NULL */
};

void script_answer_init(struct script_answer *answer);
void script_answer_finish(struct script_answer *answer);

/* Fills a fresh answer and changes the memory. After an error (out of memory, or an answer of more
 * than 16 KiB) both are to be thrown away. */
int32_t script_dialog(const struct script *script, struct script_memory *memory,
                      const struct script_turn *turn, struct script_answer *answer);

#endif
