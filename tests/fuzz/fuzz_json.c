/* SPDX-License-Identifier: ISC */
/* What is taken is JSON, json-c understands it, and printed it is taken again. */
#include "json.h"
#include "json_check.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct aic_json *root = aic_json_parse(text, 0);
    /* A document that is just null has no node. */
    if (!root) {
        return 0;
    }
    if (!aic_json_is_valid(text, AIC_JSON_MAX_DEPTH)) {
        abort();
    }
    struct aic_str printed = aic_json_print(root);
    struct aic_json *again = aic_json_parse(printed, 8 * size + 1024);
    if (!again) {
        abort();
    }
    (void)aic_json_get_text(root, "a");
    (void)aic_json_get_int(root, "a", 0);
    (void)aic_json_get_double(aic_json_at(root, 0), "a", 0);
    aic_json_free(again);
    aic_json_free(root);
    return 0;
}
