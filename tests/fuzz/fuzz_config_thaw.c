/* SPDX-License-Identifier: ISC */
/* Any bytes may come; what is accepted is a tree that can be walked and written again. */
#include "base/config.h"

#include "buf.h"
#include "json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_good)
{
    if (!is_good) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct config *config = NULL;
    struct config *again = NULL;
    int32_t status = config_thaw((struct aic_str){(const char *)data, size}, &config);
    check((status == AIC_OK) == (config != NULL));
    if (!config) {
        return 0;
    }
    struct aic_buf frozen;
    struct aic_buf json;
    aic_buf_init(&frozen, 64 << 20);
    aic_buf_init(&json, 64 << 20);
    check(config_freeze(config, &frozen) == AIC_OK);
    check(frozen.len == size && memcmp(frozen.data, data, size) == 0);
    check(config_thaw(aic_buf_view(&frozen), &again) == AIC_OK);
    config_json(config_root(config), &json);
    check(!json.failed);
    check(strlen(config_pos(config_root(config)).file) < size);
    config_free(config);
    config_free(again);
    aic_buf_finish(&frozen);
    aic_buf_finish(&json);
    return 0;
}
