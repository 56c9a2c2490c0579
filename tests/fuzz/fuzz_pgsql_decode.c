/* SPDX-License-Identifier: ISC */
/* Values in PostgreSQL's binary form, and texts of refused connections. */
#include "pgsql/pgsql.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint32_t types[] = {16, 20, 21, 23, 25, 114, 701, 1043, 1184, 2278, 2950, 1700};
    if (size < 1) {
        return 0;
    }
    char scratch[PGSQL_SCRATCH];
    struct sql_value value;
    struct aic_str bytes = {(const char *)data + 1, size - 1};
    if (pgsql_decode(types[data[0] % 12], bytes, scratch, &value) && value.type == SQL_TIME &&
        value.text.len != SQL_TIME_TEXT) {
        abort();
    }
    char *text = aic_str_dup(bytes);
    char state[6];
    if (text && pgsql_find_state(text, state)) {
        struct sql_problem problem = {0};
        pgsql_classify(state, &problem);
        if (problem.status == AIC_OK) {
            abort();
        }
    }
    free(text);
    return 0;
}
