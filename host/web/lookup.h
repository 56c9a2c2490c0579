/* SPDX-License-Identifier: ISC */
#ifndef WEB_LOOKUP_H
#define WEB_LOOKUP_H
/*
 * A request that takes several questions to the storage, one after the other, and whose answer is
 * written piece by piece. Embedded first in what belongs to the request.
 */
#include "web/params.h"
#include "web/web_private.h"

struct lookup {
    struct held held; /* first */
    struct aic_buf params;
    struct aic_buf answer;
    struct aic_json_writer w; /* of the answer */
    struct aic_buf link;      /* the header Link; empty = none */
    bool hides_numbers;
    void (*finish)(struct lookup *lookup); /* frees what else is kept; may be NULL */
};

/* `bytes` of zeroed memory that begin with a lookup; NULL after answering why not. */
struct lookup *lookup_begin(struct web *web, const struct visit *visit, size_t bytes);
/* Ends without an answer: it was given already. */
void lookup_end(struct lookup *lookup);
/* Asks with `params`. */
void lookup_ask(struct lookup *lookup, const char *query, storage_reply reply);
/* Whether what the storage said is of use; if not, the lookup is over. */
bool lookup_is_good(struct lookup *lookup, int32_t status, const struct aic_error *error);
/* Ends with a problem, */
void lookup_fail(struct lookup *lookup, int32_t status, const char *type, const char *detail);
/* or with the answer, whose last bracket is still open: 200, or 304 where the client has it. */
void lookup_succeed(struct lookup *lookup);

/* Tells what is wrong with a parameter. */
int32_t lookup_refuse(const struct visit *visit, const struct params *params);

/* Hides all but the last 4 digits of a telephone number. In place. */
void lookup_hide_number(char *text, size_t bytes);
/* The same for each number of 7 digits or more behind a '+' in a longer text. */
void lookup_hide_numbers(char *text, size_t bytes);

/* A row of the table of calls, as the API has it. */
void lookup_write_call(struct lookup *lookup, const struct aic_json *call);

#endif
