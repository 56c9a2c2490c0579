/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_TREE_H
#define BASE_CONFIG_TREE_H
/* What a loaded configuration is made of; for the files that build one. */
#include "config.h"

enum { CONFIG_FILES_MAX = 65 /* the main file and 64 that it includes */ };

struct config_file {
    const char *name;   /* as it is shown */
    const char *folder; /* absolute */
    bool is_exposed;    /* others than owner and group may read it */
};

struct config_node {
    enum config_kind kind;
    bool is_reference;
    bool is_exposed;
    bool boolean;
    int line;
    int column;
    const struct config_file *file;
    const char *name;
    const char *string;  /* the value, references replaced */
    const char *written; /* of plain values */
    const char *unset;
    int64_t integer;
    double number;
    struct config_node **items;
    size_t count;
};

struct config_block;

struct config {
    struct config_block *blocks; /* all memory of the tree */
    struct config_file files[CONFIG_FILES_MAX];
    size_t file_count;
    struct config_node *root;
};

struct config *config_tree_create(void);
/* Zeroed memory that lives as long as the configuration; NULL when there is none. */
void *config_tree_alloc(struct config *config, size_t bytes);
const char *config_tree_text(struct config *config, struct aic_str text);
struct config_node *config_tree_node(struct config *config, enum config_kind kind);
/* Gives a group or list room for `count` members. */
int32_t config_tree_room(struct config *config, struct config_node *node, size_t count);

#endif
