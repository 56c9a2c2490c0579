/* SPDX-License-Identifier: ISC */
#ifndef CLI_MOVE_BOOK_H
#define CLI_MOVE_BOOK_H
/* What a move knows of each table, in memory and in a file. */
#include "buf.h"

#include <stdbool.h>

enum { MOVE_TABLES = 40, MOVE_NAME = 64, MOVE_KEY = 256, MOVE_IDENTITY = 256 };

/* Rows without their order: their number, and a sum of their hashes. */
struct move_sum {
    uint64_t rows;
    uint64_t parts[2];
};

struct move_table {
    char name[MOVE_NAME];
    char key[MOVE_NAME]; /* its column */
    bool is_appended;    /* facts; others are loaded */
    bool is_done;
    char after[MOVE_KEY];  /* the key of the last row written; "" = none */
    struct move_sum sum;   /* of what was read */
    struct move_sum found; /* of what is at the other end */
};

struct move_book {
    char from[MOVE_IDENTITY];
    char to[MOVE_IDENTITY];
    struct move_table tables[MOVE_TABLES];
    size_t count;
    char path[4096];
    bool is_resumed;
};

void move_sum_add(struct move_sum *sum, struct aic_str row);
bool move_sum_equal(const struct move_sum *a, const struct move_sum *b);

/* Takes over how far an earlier move between the same two databases came. */
void move_book_read(struct move_book *book);
/* Writes it; false after saying why it can not. */
bool move_book_write(const struct move_book *book);
void move_book_delete(const struct move_book *book);

#endif
