/* SPDX-License-Identifier: ISC */
#ifndef WEB_QUERY_H
#define WEB_QUERY_H
/* Queries and forms: "name=value&name=value", percent-encoded. Pure. */
#include "buf.h"

#include <stdbool.h>

/* Takes the next pair off `query`, as it was sent; false at the end. A pair may be empty. */
bool query_next(struct aic_str *query, struct aic_str *name, struct aic_str *value);
/* Undoes percent and plus; what is malformed stays as it is. */
void query_decode(struct aic_str text, struct aic_buf *to);
/* The other way: what need not be encoded stays as it is. */
void query_encode(struct aic_str text, struct aic_buf *to);
/* The decoded value of a name in a query or form; false when it is not there. */
bool query_get(struct aic_str query, const char *name, struct aic_buf *to);

#endif
