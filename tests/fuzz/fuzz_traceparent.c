/* SPDX-License-Identifier: ISC */
/* The header traceparent: what is taken is written back as it was, up to what versions add. */
#include "call/trace.h"

#include "buf.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_context context;
    char text[TRACE_PARENT_TEXT];
    /* On the heap, so that a byte read behind it is found. */
    char *copy = malloc(size ? size : 1);
    if (!copy) {
        return 0;
    }
    memcpy(copy, data, size);
    bool is_good = trace_read(&context, (struct aic_str){copy, size});
    if (is_good != trace_is_set(&context)) {
        abort();
    }
    if (is_good) {
        struct trace_context again;
        trace_write(text, &context);
        /* From behind the version to the flags. */
        if (memcmp(text + 3, copy + 3, 50) != 0 || !trace_read(&again, aic_str(text)) ||
            memcmp(&again, &context, sizeof(again)) != 0) {
            abort();
        }
    }
    free(copy);
    return 0;
}
