/* SPDX-License-Identifier: ISC */
/* A frame that is accepted is written back as the same bytes; packed items never reach beyond. */
#include "io/frame.h"
#include "io/pack.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str bytes = {(const char *)data, size};
    struct frame frame;
    if (frame_parse(bytes, &frame) == AIC_OK) {
        struct aic_buf written;
        aic_buf_init(&written, FRAME_MAX_BYTES);
        if (frame_write(&frame, &written) != AIC_OK || written.len != size) {
            abort();
        }
        /* The one reserved byte is not kept. */
        if (written.data[0] != bytes.ptr[0] ||
            memcmp(written.data + 2, bytes.ptr + 2, size - 2) != 0) {
            abort();
        }
        aic_buf_finish(&written);
    }
    struct pack_item item;
    size_t taken = 0;
    while (pack_next(&bytes, &item) == 1) {
        char text[16];
        (void)pack_copy(&item, text, sizeof(text));
        taken += 8 + item.text.len;
    }
    if (taken > size) {
        abort();
    }
    return 0;
}
