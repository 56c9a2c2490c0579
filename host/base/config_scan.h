/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_SCAN_H
#define BASE_CONFIG_SCAN_H
/*
 * The words of a configuration file with their places. Pure; it finds what libconfig 1.5 reports
 * at the wrong place or not at all: what was opened and never closed, numbers that would wrap,
 * characters that have no business there.
 */
#include "config.h"

/* Brackets within brackets. */
enum { CONFIG_DEPTH_MAX = 32 };

enum config_token_kind {
    CONFIG_TOKEN_NAME = 1,
    CONFIG_TOKEN_STRING = 2, /* with its quotes */
    CONFIG_TOKEN_INT = 3,
    CONFIG_TOKEN_INT64 = 4, /* with its L */
    CONFIG_TOKEN_FLOAT = 5,
    CONFIG_TOKEN_BOOL = 6,
    CONFIG_TOKEN_MARK = 7,   /* one of = : ; , { } ( ) [ ] */
    CONFIG_TOKEN_INCLUDE = 8 /* `text` is the path */
};

struct config_token {
    enum config_token_kind kind;
    struct config_pos pos;
    struct aic_str text; /* within the scanned text */
};

struct config_tokens {
    struct config_token *list;
    size_t count;
    size_t room;
};

/*
 * Appends the words of `text` to `tokens`, and what is wrong with it to `problems`; `file` names
 * it in positions. AIC_ERROR_CONFIG when something was wrong, AIC_ERROR_MEMORY.
 */
int32_t config_scan(const char *file, struct aic_str text, struct config_tokens *tokens,
                    struct config_problems *problems);
int32_t config_tokens_add(struct config_tokens *tokens, const struct config_token *token);
/* Accepts a zeroed one. */
void config_tokens_finish(struct config_tokens *tokens);

#endif
