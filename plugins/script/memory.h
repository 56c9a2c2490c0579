/* SPDX-License-Identifier: ISC */
#ifndef SCRIPT_MEMORY_H
#define SCRIPT_MEMORY_H
/*
 * What a dialogue knows between two requests. It travels as JSON text with the conversation, so
 * that any worker can answer any request, and the same request always gets the same answer.
 */
#include "buf.h"
#include "script.h"

/* All values at their longest, and escaped. */
enum { SCRIPT_MEMORY_MAX_BYTES = 512 << 10 };

struct script_memory {
    uint32_t state;  /* SCRIPT_NONE: the dialogue has not begun */
    uint32_t failed; /* where to go on if the transfer under way fails; else SCRIPT_NONE */
    uint32_t misses; /* in this state, one after the other */
    char **values;   /* per name of the script; NULL = not set, "" = cleared */
    uint32_t *told;  /* per reply: how often */
    char *last;      /* the last reply as a whole; NULL */
};

int32_t script_memory_init(struct script_memory *memory, const struct script *script);
/* Accepts a zeroed memory. */
void script_memory_finish(struct script_memory *memory, const struct script *script);

/* Sets a value (cut to SCRIPT_MAX_VALUE); empty text clears it. */
int32_t script_memory_set(struct script_memory *memory, uint32_t name, struct aic_str value);
int32_t script_memory_set_last(struct script_memory *memory, struct aic_str text);

void script_memory_write(const struct script_memory *memory, const struct script *script,
                         struct aic_buf *to);
/* Fills a fresh memory. AIC_ERROR_PROTOCOL when the text is no memory of this script; the memory
 * is as fresh as before then. */
int32_t script_memory_read(struct script_memory *memory, const struct script *script,
                           struct aic_str text);

#endif
