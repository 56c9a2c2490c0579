/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_TOOLS_H
#define OPENAI_TOOLS_H
/* Puts tool calls together from the fragments in which they are streamed. Pure. */
#include "buf.h"

enum { OPENAI_TOOLS_MAX = 16, OPENAI_TOOL_ARGUMENTS_MAX_BYTES = 16 * 1024 };

struct openai_tool {
    int64_t index; /* the server's; -1 where it gives none */
    struct aic_buf id;
    struct aic_buf name;
    struct aic_buf arguments;
};

struct openai_tools {
    struct openai_tool calls[OPENAI_TOOLS_MAX]; /* in the order in which they began */
    uint32_t count;
};

struct openai_tool_part {
    int64_t index; /* -1 none */
    struct aic_str id;
    struct aic_str name;
    struct aic_str arguments;
};

/* Frees what a zeroed or used struct holds. */
void openai_tools_finish(struct openai_tools *tools);
/* Adds a fragment. AIC_ERROR_TOO_LARGE: more calls or longer arguments than any sense makes. */
int32_t openai_tools_add(struct openai_tools *tools, const struct openai_tool_part *part);

#endif
