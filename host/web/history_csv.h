/* SPDX-License-Identifier: ISC */
#ifndef WEB_HISTORY_CSV_H
#define WEB_HISTORY_CSV_H
/* The history as a table of RFC 4180: all calls that a query finds, in pieces, as the client takes
 * them. */
#include "web/history_query.h"
#include "web/web_private.h"

/* Answers, and takes over what is in `query`. */
int32_t history_csv(struct web *web, const struct visit *visit, const struct history_query *query);

/* Appends a field, quoted where it has to be. A spreadsheet would take what begins with "=", "@",
 * "+" or "-" as a formula: unless it is a number, "'" goes before it. */
void history_csv_field(struct aic_buf *to, struct aic_str text);

#endif
