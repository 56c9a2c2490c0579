/* SPDX-License-Identifier: ISC */
#include "expression.h"

#include "buf.h"
#include "fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { REPEATS_MAX = 1000, NESTING_MAX = 20 };

/* The larger count of "{2,5}", which begins at `p`; 1 where it is none. */
static unsigned long counts_of(const char *p)
{
    char *end = NULL;
    unsigned long low = strtoul(p + 1, &end, 10);
    unsigned long high = *end == ',' ? strtoul(end + 1, &end, 10) : low;
    unsigned long most = low > high ? low : high;
    return most > 0 ? most : 1;
}

static const char *refuse(const char *text)
{
    unsigned long repeats = 1;
    int nesting = 0;
    for (const char *p = text; *p; p++) {
        if (*p == '\\' && p[1] >= '0' && p[1] <= '9') {
            return "references such as \\1 are not allowed";
        }
        if (*p == '\\' && p[1]) {
            p++;
            continue;
        }
        nesting += (*p == '(') - (*p == ')');
        if (nesting > NESTING_MAX) {
            return "too many brackets inside each other";
        }
        if (*p == '{') {
            unsigned long counts = counts_of(p);
            if (counts > REPEATS_MAX || repeats * counts > REPEATS_MAX) {
                return "the counts in {} multiply to more than 1000";
            }
            repeats *= counts;
        }
    }
    return NULL;
}

int32_t script_expression_compile(const char *text, regex_t *regex, char *why, size_t why_bytes)
{
    const char *reason = refuse(text);
    if (strlen(text) > SCRIPT_EXPRESSION_MAX) {
        reason = "it is longer than 300 bytes";
    }
    if (reason) {
        (void)snprintf(why, why_bytes, "%s", reason);
        return AIC_ERROR_CONFIG;
    }
    struct aic_buf folded;
    aic_buf_init(&folded, 4096);
    script_fold_regex(&folded, aic_str(text));
    int32_t status = AIC_OK;
    if (folded.failed || folded.len == 0) {
        (void)snprintf(why, why_bytes, "it is empty");
        status = AIC_ERROR_CONFIG;
    } else {
        int error = regcomp(regex, folded.data, REG_EXTENDED | REG_ICASE);
        if (error != 0) {
            (void)regerror(error, regex, why, why_bytes);
            status = AIC_ERROR_CONFIG;
        }
    }
    aic_buf_finish(&folded);
    return status;
}
