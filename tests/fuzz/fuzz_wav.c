/* SPDX-License-Identifier: ISC */
/* A head of any bytes, in a file that may be longer than it by the number in its first byte. */
#include "wav.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct aic_wav *wav, int32_t status, size_t head, uint64_t file)
{
    if (status == AIC_ERROR_TOO_LARGE) {
        /* It must ask for more than it had, and for no more than there is. */
        if (wav->need_bytes <= head || wav->need_bytes > file) {
            abort();
        }
        return;
    }
    if (status == AIC_OK && (wav->problem != AIC_WAV_GOOD || wav->data_offset > file ||
                             wav->data_bytes > file - wav->data_offset)) {
        abort();
    }
    struct aic_buf why;
    aic_buf_init(&why, 1000);
    bool good = aic_wav_is_caller(wav, &why);
    if (why.failed || good != (why.len == 0) || (good && wav->data_bytes == 0)) {
        abort();
    }
    aic_buf_finish(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    uint64_t beyond = (uint64_t)data[0] * data[0] * data[0] * 300;
    struct aic_str head = {(const char *)data + 1, size - 1};
    struct aic_wav wav;
    int32_t status = aic_wav_parse(head, head.len + beyond, &wav);
    check(&wav, status, head.len, head.len + beyond);
    return 0;
}
