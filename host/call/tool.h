/* SPDX-License-Identifier: ISC */
#ifndef CALL_TOOL_H
#define CALL_TOOL_H
/*
 * Tools of an agent that are requests to somebody's HTTP server: as the configuration declares
 * them, and what a request with a model's arguments looks like. No I/O. A model chooses arguments,
 * never an address: those it puts into a URL are encoded, and only where the operator left a place
 * in braces.
 */
#include "base/config.h"
#include "base/settings.h"

#include "buf.h"
#include "json.h"

#include <aicaller/http.h>

enum { TOOL_HEADERS = 16, TOOLS_MAX = 32 };

struct tool {
    char *name;
    const char *description;
    const char *method;
    const char *url;
    const char *parameters; /* JSON Schema */
    struct aic_json *schema;
    int64_t timeout_ms;
    struct settings *settings;
    struct aic_header headers[TOOL_HEADERS]; /* borrowed from the configuration */
    uint32_t header_count;
};

struct tools {
    struct tool *list[TOOLS_MAX];
    size_t count;
    const char *builtins[TOOLS_MAX]; /* of the host's own, those that the agent may use */
    size_t builtin_count;
    bool has_list; /* else all of the host's own */
};

extern const struct settings_table tool_table;

/* Reads `tools` of an agent (NULL: the host's own). */
void tools_load(struct tools *tools, const struct config_node *node,
                struct config_problems *problems);
void tools_finish(struct tools *tools);
const struct tool *tools_find(const struct tools *tools, const char *name);
bool tools_allow(const struct tools *tools, const char *builtin);

/* Whether arguments fit the schema: an object, required members there, types and choices right.
 * Appends to `why` what is wrong, as a sentence for the model. */
bool tool_check(const struct tool *tool, const struct aic_json *arguments, struct aic_buf *why);
/* The URL with the arguments in it, and the body to send; both may be empty after `failed`. */
void tool_request(const struct tool *tool, const struct aic_json *arguments, struct aic_buf *url,
                  struct aic_buf *body);
/* What the model is told of an answer: JSON. `error` instead of an answer; NULL. */
void tool_result(int32_t status, struct aic_str body, const char *error, struct aic_buf *to);

#endif
