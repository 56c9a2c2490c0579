/* SPDX-License-Identifier: ISC */
#include "config_grammar.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Settings of one group: they are compared with each other. */
enum { GROUP_MAX = 1024 };

struct grammar {
    const struct config_token *at;
    const struct config_token *first;
    const struct config_token *end;
    struct config_outline *outline;
    struct config_problems *problems;
    int depth;
};

static int32_t check_settings(struct grammar *g, char closing);

void config_outline_finish(struct config_outline *outline)
{
    free(outline->list);
    *outline = (struct config_outline){.list = NULL};
}

static bool is_mark(const struct grammar *g, const char *set)
{
    return g->at < g->end && g->at->kind == CONFIG_TOKEN_MARK && strchr(set, *g->at->text.ptr);
}

static bool is_kind(const struct grammar *g, enum config_token_kind kind)
{
    return g->at < g->end && g->at->kind == kind;
}

/* A text that runs over several lines just before an error has probably lost its closing quote. */
static const struct config_token *suspicious_text(const struct grammar *g)
{
    const struct config_token *token = g->at;
    for (int back = 0; back < 3 && token > g->first; back++) {
        token--;
        if (token->kind == CONFIG_TOKEN_STRING && memchr(token->text.ptr, '\n', token->text.len)) {
            return token;
        }
    }
    return NULL;
}

static int32_t fail(struct grammar *g, const char *expected)
{
    struct config_pos pos = {.line = 0};
    char found[48] = "the end of the file";
    if (g->at < g->end) {
        int shown = g->at->text.len > 30 ? 30 : (int)g->at->text.len;
        bool is_text = g->at->kind == CONFIG_TOKEN_STRING;
        (void)snprintf(found, sizeof(found), is_text ? "a text" : "\"%.*s\"", shown,
                       g->at->text.ptr);
        pos = g->at->pos;
    } else if (g->at > g->first) {
        pos = g->at[-1].pos;
    }
    const struct config_token *text = suspicious_text(g);
    if (text) {
        config_problem_add(g->problems, pos,
                           "expected %s, found %s; did the text that begins in line %d, column %d "
                           "lose its closing quote?",
                           expected, found, text->pos.line, text->pos.column);
    } else {
        config_problem_add(g->problems, pos, "expected %s, found %s", expected, found);
    }
    return AIC_ERROR_CONFIG;
}

static int32_t add_entry(struct grammar *g, const struct config_entry *entry)
{
    struct config_outline *outline = g->outline;
    if (outline->count == outline->room) {
        size_t room = outline->room ? outline->room * 2 : 128;
        struct config_entry *list = realloc(outline->list, room * sizeof(*list));
        if (!list) {
            return AIC_ERROR_MEMORY;
        }
        outline->list = list;
        outline->room = room;
    }
    outline->list[outline->count++] = *entry;
    return AIC_OK;
}

static int32_t check_scalar(struct grammar *g)
{
    if (is_kind(g, CONFIG_TOKEN_STRING)) {
        /* Texts that follow each other are joined. */
        while (is_kind(g, CONFIG_TOKEN_STRING)) {
            g->at++;
        }
        return AIC_OK;
    }
    if (is_kind(g, CONFIG_TOKEN_INT) || is_kind(g, CONFIG_TOKEN_INT64) ||
        is_kind(g, CONFIG_TOKEN_FLOAT) || is_kind(g, CONFIG_TOKEN_BOOL)) {
        g->at++;
        return AIC_OK;
    }
    if (is_kind(g, CONFIG_TOKEN_NAME)) {
        return fail(g, "a value (text stands in quotes)");
    }
    return fail(g, "a value");
}

static int32_t check_list(struct grammar *g, char closing);

static int32_t check_value(struct grammar *g)
{
    if (!is_mark(g, "{([")) {
        return check_scalar(g);
    }
    if (g->depth == CONFIG_DEPTH_MAX) {
        return fail(g, "no more than 32 levels of brackets");
    }
    char mark = *g->at++->text.ptr;
    g->depth++;
    int32_t status = mark == '{'   ? check_settings(g, '}')
                     : mark == '(' ? check_list(g, ')')
                                   : check_list(g, ']');
    g->depth--;
    return status;
}

/* What libconfig calls an array holds plain values of one kind. */
static int32_t check_element(struct grammar *g, bool is_array, enum config_token_kind *kind)
{
    if (is_array && is_mark(g, "{([")) {
        return fail(g, "a plain value (write a list of groups or lists with \"(\" and \")\")");
    }
    if (is_array && g->at < g->end && *kind && g->at->kind != *kind &&
        g->at->kind != CONFIG_TOKEN_MARK) {
        return fail(g, "a value of the same type as the first one in [ ]");
    }
    const struct config_token *value = g->at;
    if (value < g->end) {
        *kind = value->kind;
        struct config_entry entry = {.pos = value->pos, .value = value};
        int32_t status = add_entry(g, &entry);
        if (status != AIC_OK) {
            return status;
        }
    }
    return check_value(g);
}

static int32_t check_list(struct grammar *g, char closing)
{
    const char close[] = {closing, '\0'};
    enum config_token_kind kind = 0;
    if (is_mark(g, close)) {
        g->at++;
        return AIC_OK;
    }
    for (;;) {
        int32_t status = check_element(g, closing == ']', &kind);
        if (status != AIC_OK) {
            return status;
        }
        if (is_mark(g, close)) {
            g->at++;
            return AIC_OK;
        }
        if (!is_mark(g, ",")) {
            return fail(g, closing == ']' ? "\",\" or \"]\"" : "\",\" or \")\"");
        }
        struct config_pos comma = g->at++->pos;
        if (is_mark(g, close)) {
            config_problem_add(g->problems, comma,
                               "no comma may stand behind the last value; remove it");
            return AIC_ERROR_CONFIG;
        }
    }
}

/* Compares with the settings before it in its group. */
static int32_t check_duplicate(struct grammar *g, const struct config_entry *entry)
{
    size_t count = 0;
    for (size_t index = entry->sibling; index; index = g->outline->list[index - 1].sibling) {
        const struct config_entry *other = &g->outline->list[index - 1];
        if (other->name->text.len == entry->name->text.len &&
            memcmp(other->name->text.ptr, entry->name->text.ptr, entry->name->text.len) == 0) {
            config_problem_add(g->problems, entry->pos,
                               "\"%.*s\" is set twice; the first time in %s, line %d, column %d",
                               (int)entry->name->text.len, entry->name->text.ptr, other->pos.file,
                               other->pos.line, other->pos.column);
            return AIC_ERROR_CONFIG;
        }
        if (++count == GROUP_MAX) {
            config_problem_add(g->problems, entry->pos, "more than %d settings in one group",
                               GROUP_MAX);
            return AIC_ERROR_CONFIG;
        }
    }
    return AIC_OK;
}

static int32_t check_setting(struct grammar *g, size_t *sibling)
{
    struct config_entry entry = {.pos = g->at->pos, .name = g->at, .sibling = *sibling};
    int32_t status = check_duplicate(g, &entry);
    if (status != AIC_OK) {
        return status;
    }
    g->at++;
    if (!is_mark(g, "=:")) {
        return fail(g, "\"=\" behind the name before it");
    }
    g->at++;
    entry.value = g->at;
    status = add_entry(g, &entry);
    *sibling = g->outline->count;
    if (status == AIC_OK) {
        status = check_value(g);
    }
    if (status == AIC_OK && is_mark(g, ";,")) {
        g->at++;
    }
    return status;
}

static int32_t check_settings(struct grammar *g, char closing)
{
    const char close[] = {closing, '\0'};
    size_t sibling = 0;
    while (g->at < g->end) {
        if (closing && is_mark(g, close)) {
            g->at++;
            return AIC_OK;
        }
        if (is_mark(g, ";,")) {
            return fail(g, "a name (there is nothing to end here)");
        }
        if (is_kind(g, CONFIG_TOKEN_STRING)) {
            return fail(g, "a name (names stand without quotes)");
        }
        if (!is_kind(g, CONFIG_TOKEN_NAME)) {
            return fail(g, closing ? "a name or \"}\"" : "a name");
        }
        int32_t status = check_setting(g, &sibling);
        if (status != AIC_OK) {
            return status;
        }
    }
    return closing ? fail(g, "\"}\"") : AIC_OK;
}

int32_t config_grammar_check(const struct config_tokens *tokens, struct config_outline *outline,
                             struct config_problems *problems)
{
    if (tokens->count == 0) {
        return AIC_OK;
    }
    struct grammar g = {.at = tokens->list,
                        .first = tokens->list,
                        .end = tokens->list + tokens->count,
                        .outline = outline,
                        .problems = problems};
    return check_settings(&g, '\0');
}
