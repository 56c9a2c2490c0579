/* SPDX-License-Identifier: ISC */
#ifndef IO_PACK_H
#define IO_PACK_H
/*
 * Tagged values in a row, for what one of our processes writes and another reads, perhaps another
 * version of the program: a reader skips the tags that it does not know. Pure.
 */
#include "buf.h"

/* Failures stick to the buffer; test `failed` once at the end. */
void pack_int(struct aic_buf *to, uint32_t tag, int64_t value);
void pack_str(struct aic_buf *to, uint32_t tag, struct aic_str value);

struct pack_item {
    uint32_t tag;
    int64_t number;      /* of an integer; else 0 */
    struct aic_str text; /* of any item; borrowed */
};

/* Takes the next item from the front of `from`. 1: there is one; 0: the end;
 * AIC_ERROR_PROTOCOL: these bytes are not ours. */
int32_t pack_next(struct aic_str *from, struct pack_item *item);
/* Copies a text item; false if it does not fit or holds a 0. */
bool pack_copy(const struct pack_item *item, char *to, size_t bytes);

#endif
