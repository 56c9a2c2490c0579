/* SPDX-License-Identifier: ISC */
#include "config_tree.h"

#include "buf.h"
#include "json.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16384 };

/* Memory is taken from blocks, and given back with all of them at once. */
struct config_block {
    struct config_block *next;
    size_t used;
    size_t room;
    alignas(max_align_t) unsigned char data[];
};

struct config *config_tree_create(void)
{
    return calloc(1, sizeof(struct config));
}

void config_free(struct config *config)
{
    if (!config) {
        return;
    }
    struct config_block *block = config->blocks;
    while (block) {
        struct config_block *next = block->next;
        /* It held secrets. */
        explicit_bzero(block->data, block->used);
        free(block);
        block = next;
    }
    free(config);
}

void *config_tree_alloc(struct config *config, size_t bytes)
{
    if (bytes > SIZE_MAX / 2) {
        return NULL;
    }
    bytes = (bytes + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct config_block *block = config->blocks;
    if (!block || bytes > block->room - block->used) {
        size_t room = bytes > BLOCK_BYTES ? bytes : BLOCK_BYTES;
        block = calloc(1, sizeof(*block) + room);
        if (!block) {
            return NULL;
        }
        block->room = room;
        block->next = config->blocks;
        config->blocks = block;
    }
    void *memory = block->data + block->used;
    block->used += bytes;
    return memory;
}

const char *config_tree_text(struct config *config, struct aic_str text)
{
    char *copy = config_tree_alloc(config, text.len + 1);
    if (copy && text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    return copy;
}

struct config_node *config_tree_node(struct config *config, enum config_kind kind)
{
    struct config_node *node = config_tree_alloc(config, sizeof(*node));
    if (node) {
        node->kind = kind;
    }
    return node;
}

int32_t config_tree_room(struct config *config, struct config_node *node, size_t count)
{
    if (count > SIZE_MAX / 2 / sizeof(struct config_node *)) {
        return AIC_ERROR_TOO_LARGE;
    }
    node->items = config_tree_alloc(config, count * sizeof(struct config_node *));
    return node->items ? AIC_OK : AIC_ERROR_MEMORY;
}

const struct config_node *config_root(const struct config *config)
{
    return config ? config->root : NULL;
}

enum config_kind config_kind(const struct config_node *node)
{
    return node ? node->kind : CONFIG_NONE;
}

const char *config_name(const struct config_node *node)
{
    return node ? node->name : NULL;
}

struct config_pos config_pos(const struct config_node *node)
{
    if (!node) {
        return (struct config_pos){.file = ""};
    }
    return (struct config_pos){node->file->name, node->line, node->column};
}

const char *config_folder(const struct config_node *node)
{
    return node ? node->file->folder : "/";
}

size_t config_count(const struct config_node *node)
{
    return node ? node->count : 0;
}

const struct config_node *config_at(const struct config_node *node, size_t index)
{
    return node && index < node->count ? node->items[index] : NULL;
}

const struct config_node *config_get(const struct config_node *group, const char *name)
{
    if (config_kind(group) != CONFIG_GROUP) {
        return NULL;
    }
    for (size_t i = 0; i < group->count; i++) {
        if (strcmp(group->items[i]->name, name) == 0) {
            return group->items[i];
        }
    }
    return NULL;
}

const char *config_string(const struct config_node *node)
{
    return node ? node->string : NULL;
}

const char *config_unset(const struct config_node *node)
{
    return node ? node->unset : NULL;
}

const char *config_written(const struct config_node *node)
{
    return node ? node->written : NULL;
}

bool config_is_reference(const struct config_node *node)
{
    return node && node->is_reference;
}

bool config_is_exposed(const struct config_node *node)
{
    return node && node->is_exposed;
}

int64_t config_int(const struct config_node *node)
{
    return node ? node->integer : 0;
}

double config_float(const struct config_node *node)
{
    if (config_kind(node) == CONFIG_INT) {
        return (double)node->integer;
    }
    return node ? node->number : 0;
}

bool config_bool(const struct config_node *node)
{
    return node && node->boolean;
}

static void put_json(const struct config_node *node, struct aic_json_writer *w)
{
    bool is_group = config_kind(node) == CONFIG_GROUP;
    switch (config_kind(node)) {
    case CONFIG_GROUP:
    case CONFIG_LIST:
        aic_json_open(w, is_group ? '{' : '[');
        for (size_t i = 0; i < node->count; i++) {
            if (is_group) {
                aic_json_key(w, node->items[i]->name);
            }
            put_json(node->items[i], w);
        }
        aic_json_close(w, is_group ? '}' : ']');
        break;
    case CONFIG_INT:
        aic_json_put_int(w, node->integer);
        break;
    case CONFIG_FLOAT:
        aic_json_put_double(w, node->number);
        break;
    case CONFIG_BOOL:
        aic_json_put_bool(w, node->boolean);
        break;
    case CONFIG_STRING:
        if (node->string) {
            aic_json_put(w, aic_str(node->string));
            break;
        }
        aic_json_put_null(w);
        break;
    default:
        aic_json_put_null(w);
        break;
    }
}

void config_json(const struct config_node *node, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    put_json(node, &w);
}
