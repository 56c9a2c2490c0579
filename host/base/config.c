/* SPDX-License-Identifier: ISC */
/*
 * From text to tree. libconfig only ever sees words that were checked one by one, each on a line of
 * its own, so it can neither include, nor wrap, nor disagree about where something stands.
 */
#include "config.h"

#include "config_files.h"
#include "config_grammar.h"
#include "config_ref.h"
#include "utf8.h"

#include <libconfig.h>
#include <stdlib.h>
#include <string.h>

/* Words and the line feeds between them: at most twice what was read. */
enum { WORDS_MAX = 4 << 20 };

struct build {
    struct config *config;
    const struct config_outline *outline;
    size_t next; /* the entry of the value that comes next */
    const char *(*env)(const char *name);
    struct config_problems *problems;
};

static int32_t fill(struct build *b, struct config_node *node, const config_setting_t *from);

static const struct config_file *file_of(const struct config *config, const char *name)
{
    size_t i = 0;
    while (i + 1 < config->file_count && config->files[i].name != name) {
        i++;
    }
    return &config->files[i];
}

static const char *getenv_plain(const char *name)
{
    return getenv(name);
}

static int32_t fill_members(struct build *b, struct config_node *node, const config_setting_t *from)
{
    size_t count = (size_t)config_setting_length(from);
    int32_t status = config_tree_room(b->config, node, count);
    for (size_t i = 0; i < count && status == AIC_OK; i++) {
        const config_setting_t *member = config_setting_get_elem(from, (unsigned)i);
        const char *name = config_setting_name(member);
        if (b->next == b->outline->count) {
            return AIC_ERROR_INTERNAL;
        }
        const struct config_entry *entry = &b->outline->list[b->next++];
        if ((name != NULL) != (entry->name != NULL) ||
            (name && !aic_str_equal(entry->name->text, name))) {
            return AIC_ERROR_INTERNAL;
        }
        struct config_node *child = config_tree_node(b->config, CONFIG_NONE);
        if (!child) {
            return AIC_ERROR_MEMORY;
        }
        child->file = file_of(b->config, entry->pos.file);
        child->line = entry->pos.line;
        child->column = entry->pos.column;
        child->is_exposed = child->file->is_exposed;
        child->name = name ? config_tree_text(b->config, aic_str(name)) : NULL;
        child->written = config_tree_text(b->config, entry->value->text);
        if ((name && !child->name) || !child->written) {
            return AIC_ERROR_MEMORY;
        }
        node->items[node->count++] = child;
        status = fill(b, child, member);
    }
    return status;
}

static int32_t fill_string(struct build *b, struct config_node *node, const char *text)
{
    /* A text of several pieces, with escapes, is told as it reads. */
    node->kind = CONFIG_STRING;
    node->written = config_tree_text(b->config, aic_str(text));
    if (!node->written) {
        return AIC_ERROR_MEMORY;
    }
    if (!aic_utf8_valid(aic_str(text))) {
        config_problem_add(b->problems, config_pos(node),
                           "this text is not UTF-8 with the \\x escapes in it");
        return AIC_ERROR_CONFIG;
    }
    if (config_ref_is(text)) {
        return config_ref_resolve(b->config, node, b->env);
    }
    node->string = node->written;
    return AIC_OK;
}

static int32_t fill(struct build *b, struct config_node *node, const config_setting_t *from)
{
    switch (config_setting_type(from)) {
    case CONFIG_TYPE_GROUP:
        node->kind = CONFIG_GROUP;
        node->written = NULL;
        return fill_members(b, node, from);
    case CONFIG_TYPE_LIST:
    case CONFIG_TYPE_ARRAY:
        node->kind = CONFIG_LIST;
        node->written = NULL;
        return fill_members(b, node, from);
    case CONFIG_TYPE_STRING:
        return fill_string(b, node, config_setting_get_string(from));
    case CONFIG_TYPE_INT:
        node->kind = CONFIG_INT;
        node->integer = config_setting_get_int(from);
        return AIC_OK;
    case CONFIG_TYPE_INT64:
        node->kind = CONFIG_INT;
        node->integer = config_setting_get_int64(from);
        return AIC_OK;
    case CONFIG_TYPE_FLOAT:
        node->kind = CONFIG_FLOAT;
        node->number = config_setting_get_float(from);
        return AIC_OK;
    case CONFIG_TYPE_BOOL:
        node->kind = CONFIG_BOOL;
        node->boolean = config_setting_get_bool(from) != 0;
        return AIC_OK;
    default:
        return AIC_ERROR_INTERNAL;
    }
}

/* The place of a line that libconfig complains about. */
static struct config_pos pos_of_line(const struct config_tokens *tokens, int line)
{
    int at = 1;
    for (size_t i = 0; i < tokens->count; i++) {
        struct aic_str text = tokens->list[i].text;
        for (size_t j = 0; j < text.len; j++) {
            at += text.ptr[j] == '\n';
        }
        if (at >= line) {
            return tokens->list[i].pos;
        }
        at++;
    }
    return (struct config_pos){.file = ""};
}

static int32_t build_tree(struct build *b, const struct config_tokens *tokens, const char *text)
{
    config_t parsed;
    config_init(&parsed);
    int32_t status = AIC_ERROR_CONFIG;
    if (config_read_string(&parsed, text) == CONFIG_TRUE) {
        b->config->root = config_tree_node(b->config, CONFIG_GROUP);
        if (b->config->root) {
            b->config->root->file = &b->config->files[0];
            status = fill(b, b->config->root, config_root_setting(&parsed));
        } else {
            status = AIC_ERROR_MEMORY;
        }
    } else {
        config_problem_add(b->problems, pos_of_line(tokens, config_error_line(&parsed)), "%s",
                           config_error_text(&parsed));
    }
    config_destroy(&parsed);
    return status;
}

static int32_t build(struct config_files *files, const char *(*env)(const char *name))
{
    struct config_outline outline = {.list = NULL};
    int32_t status = config_grammar_check(&files->tokens, &outline, files->problems);
    struct aic_buf words;
    aic_buf_init(&words, WORDS_MAX);
    for (size_t i = 0; i < files->tokens.count && status == AIC_OK; i++) {
        aic_buf_str(&words, files->tokens.list[i].text);
        status = aic_buf_char(&words, '\n');
    }
    if (status == AIC_OK) {
        struct build b = {.config = files->config,
                          .outline = &outline,
                          .env = env ? env : getenv_plain,
                          .problems = files->problems};
        status = build_tree(&b, &files->tokens, words.len ? words.data : "");
    }
    aic_buf_finish(&words);
    config_outline_finish(&outline);
    return status;
}

static int32_t load(const char *name, const struct aic_str *text,
                    const char *(*env)(const char *name), struct config_problems *problems,
                    struct config **config)
{
    size_t errors = problems->errors;
    *config = NULL;
    struct config_files *files = calloc(1, sizeof(*files));
    struct config *made = config_tree_create();
    int32_t status = AIC_ERROR_MEMORY;
    if (files && made) {
        files->config = made;
        files->problems = problems;
        status = text ? config_files_parse(files, name, *text) : config_files_load(files, name);
        if (status == AIC_OK) {
            status = build(files, env);
        }
        config_files_finish(files);
    }
    free(files);
    if (status == AIC_OK) {
        *config = made;
        return AIC_OK;
    }
    config_free(made);
    if (problems->errors == errors) {
        config_problem_add(problems, (struct config_pos){.file = name}, "%s",
                           status == AIC_ERROR_MEMORY ? "there is not enough memory to read it"
                                                      : "libconfig reads it in another way");
    }
    return status;
}

int32_t config_load(const char *path, const char *(*env)(const char *name),
                    struct config_problems *problems, struct config **config)
{
    return load(path, NULL, env, problems, config);
}

int32_t config_parse(const char *name, struct aic_str text, const char *(*env)(const char *name),
                     struct config_problems *problems, struct config **config)
{
    return load(name, &text, env, problems, config);
}
