/* SPDX-License-Identifier: ISC */
/*
 * A loaded tree as bytes for another process of the same machine. Numbers are little endian; a text
 * is a length and its bytes, its length + 1 so that 0 means none. The reader trusts nothing.
 */
#include "buf.h"
#include "config_scan.h"
#include "config_tree.h"

#include <string.h>

static const char magic[] = "aicaller config 1";

enum { FLAG_REFERENCE = 1, FLAG_EXPOSED = 2, FLAG_TRUE = 4, FLAGS = 7, NODE_BYTES_MIN = 31 };

static void put_u64(struct aic_buf *to, uint64_t value)
{
    char bytes[8];
    for (int i = 0; i < 8; i++) {
        bytes[i] = (char)(unsigned char)(value >> (8 * i));
    }
    aic_buf_add(to, bytes, sizeof(bytes));
}

static void put_u32(struct aic_buf *to, uint32_t value)
{
    char bytes[4];
    for (int i = 0; i < 4; i++) {
        bytes[i] = (char)(unsigned char)(value >> (8 * i));
    }
    aic_buf_add(to, bytes, sizeof(bytes));
}

static void put_text(struct aic_buf *to, const char *text)
{
    size_t length = text ? strlen(text) : 0;
    put_u32(to, text ? (uint32_t)length + 1 : 0);
    aic_buf_add(to, text, length);
}

static void put_node(const struct config *config, const struct config_node *node,
                     struct aic_buf *to)
{
    unsigned flags = (node->is_reference ? FLAG_REFERENCE : 0u) |
                     (node->is_exposed ? FLAG_EXPOSED : 0u) | (node->boolean ? FLAG_TRUE : 0u);
    aic_buf_char(to, (char)node->kind);
    aic_buf_char(to, (char)flags);
    aic_buf_char(to, (char)(node->file - config->files));
    put_u32(to, (uint32_t)node->line);
    put_u32(to, (uint32_t)node->column);
    put_text(to, node->name);
    put_text(to, node->written);
    switch (node->kind) {
    case CONFIG_INT:
        put_u64(to, (uint64_t)node->integer);
        break;
    case CONFIG_FLOAT: {
        uint64_t bits = 0;
        memcpy(&bits, &node->number, sizeof(bits));
        put_u64(to, bits);
        break;
    }
    default:
        put_text(to, node->string);
        put_text(to, node->unset);
        break;
    }
    put_u32(to, (uint32_t)node->count);
    for (size_t i = 0; i < node->count; i++) {
        put_node(config, node->items[i], to);
    }
}

int32_t config_freeze(const struct config *config, struct aic_buf *to)
{
    aic_buf_add(to, magic, sizeof(magic));
    put_u32(to, (uint32_t)config->file_count);
    for (size_t i = 0; i < config->file_count; i++) {
        aic_buf_char(to, config->files[i].is_exposed ? 1 : 0);
        put_text(to, config->files[i].name);
        put_text(to, config->files[i].folder);
    }
    put_node(config, config->root, to);
    return to->failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}

struct reader {
    struct config *config;
    const unsigned char *at;
    size_t left;
    int32_t status;
};

static int32_t fail(struct reader *r, int32_t status)
{
    r->status = r->status == AIC_OK ? status : r->status;
    r->left = 0;
    return r->status;
}

/* Numbers read as 0 once something failed. */
static uint64_t get_number(struct reader *r, size_t bytes)
{
    uint64_t value = 0;
    if (bytes > r->left) {
        (void)fail(r, AIC_ERROR_PROTOCOL);
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) {
        value |= (uint64_t)r->at[i] << (8 * i);
    }
    r->at += bytes;
    r->left -= bytes;
    return value;
}

/* A number that may not be above `most`. */
static uint64_t get_up_to(struct reader *r, size_t bytes, uint64_t most)
{
    uint64_t value = get_number(r, bytes);
    if (value > most) {
        (void)fail(r, AIC_ERROR_PROTOCOL);
        return 0;
    }
    return value;
}

static const char *get_text(struct reader *r)
{
    size_t length = (size_t)get_number(r, 4);
    if (length == 0) {
        return NULL;
    }
    length--;
    if (length > r->left || memchr(r->at, '\0', length)) {
        (void)fail(r, AIC_ERROR_PROTOCOL);
        return NULL;
    }
    const char *text = config_tree_text(r->config, (struct aic_str){(const char *)r->at, length});
    if (!text) {
        (void)fail(r, AIC_ERROR_MEMORY);
    }
    r->at += length;
    r->left -= length;
    return text;
}

static int32_t get_files(struct reader *r)
{
    size_t count = (size_t)get_up_to(r, 4, CONFIG_FILES_MAX);
    for (size_t i = 0; i < count; i++) {
        struct config_file *file = &r->config->files[i];
        file->is_exposed = get_up_to(r, 1, 1) == 1;
        file->name = get_text(r);
        file->folder = get_text(r);
        if (!file->name || !file->folder) {
            return fail(r, AIC_ERROR_PROTOCOL);
        }
    }
    r->config->file_count = count;
    return count > 0 ? r->status : fail(r, AIC_ERROR_PROTOCOL);
}

static void get_value(struct reader *r, struct config_node *node)
{
    uint64_t bits = 0;
    switch (node->kind) {
    case CONFIG_INT:
        node->integer = (int64_t)get_number(r, 8);
        break;
    case CONFIG_FLOAT:
        bits = get_number(r, 8);
        memcpy(&node->number, &bits, sizeof(bits));
        break;
    default:
        node->string = get_text(r);
        node->unset = get_text(r);
        break;
    }
}

static struct config_node *get_node(struct reader *r, enum config_kind parent, int depth)
{
    enum config_kind kind = (enum config_kind)get_up_to(r, 1, CONFIG_BOOL);
    struct config_node *node = config_tree_node(r->config, kind);
    /* A value in the innermost brackets is one level below them. */
    if (!node || kind == CONFIG_NONE || depth > CONFIG_DEPTH_MAX + 1) {
        (void)fail(r, node ? AIC_ERROR_PROTOCOL : AIC_ERROR_MEMORY);
        return NULL;
    }
    uint64_t flags = get_up_to(r, 1, FLAGS);
    node->is_reference = flags & FLAG_REFERENCE;
    node->is_exposed = flags & FLAG_EXPOSED;
    node->boolean = flags & FLAG_TRUE;
    node->file = &r->config->files[get_up_to(r, 1, r->config->file_count - 1)];
    node->line = (int)get_up_to(r, 4, INT32_MAX);
    node->column = (int)get_up_to(r, 4, INT32_MAX);
    node->name = get_text(r);
    node->written = get_text(r);
    get_value(r, node);
    bool is_inner = kind == CONFIG_GROUP || kind == CONFIG_LIST;
    /* No more members than there are bytes for. */
    size_t count = (size_t)get_up_to(r, 4, is_inner ? r->left / NODE_BYTES_MIN : 0);
    bool is_named = node->name != NULL;
    if (is_named != (parent == CONFIG_GROUP) ||
        (kind == CONFIG_STRING && !node->string == !node->unset)) {
        (void)fail(r, AIC_ERROR_PROTOCOL);
    }
    if (r->status == AIC_OK && config_tree_room(r->config, node, count) != AIC_OK) {
        (void)fail(r, AIC_ERROR_MEMORY);
    }
    for (size_t i = 0; i < count && r->status == AIC_OK; i++) {
        node->items[i] = get_node(r, kind, depth + 1);
        node->count += node->items[i] ? 1 : 0;
    }
    return node;
}

int32_t config_thaw(struct aic_str frozen, struct config **config)
{
    *config = NULL;
    if (frozen.len < sizeof(magic) || memcmp(frozen.ptr, magic, sizeof(magic)) != 0) {
        return AIC_ERROR_PROTOCOL;
    }
    struct config *made = config_tree_create();
    if (!made) {
        return AIC_ERROR_MEMORY;
    }
    struct reader r = {.config = made,
                       .at = (const unsigned char *)frozen.ptr + sizeof(magic),
                       .left = frozen.len - sizeof(magic)};
    if (get_files(&r) == AIC_OK) {
        /* The root has no name, as if it stood in a list. */
        made->root = get_node(&r, CONFIG_LIST, 0);
    }
    if (r.status == AIC_OK && (r.left > 0 || config_kind(made->root) != CONFIG_GROUP)) {
        (void)fail(&r, AIC_ERROR_PROTOCOL);
    }
    if (r.status != AIC_OK) {
        config_free(made);
        return r.status;
    }
    *config = made;
    return AIC_OK;
}
