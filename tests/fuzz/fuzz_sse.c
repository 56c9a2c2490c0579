/* SPDX-License-Identifier: ISC */
/* However a stream is cut, its events are the same. The first byte chooses the cuts. */
#include "io/sse.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void note(void *data, struct aic_str name, struct aic_str text)
{
    struct aic_buf *record = data;
    aic_buf_printf(record, "%zu:", name.len);
    aic_buf_str(record, name);
    aic_buf_printf(record, "%zu:", text.len);
    aic_buf_str(record, text);
}

static int32_t run(struct aic_str stream, size_t step, struct aic_buf *record)
{
    struct sse sse;
    sse_init(&sse, 256);
    int32_t status = AIC_OK;
    for (size_t at = 0; at < stream.len && status == AIC_OK; at += step) {
        size_t bytes = stream.len - at < step ? stream.len - at : step;
        status = sse_push(&sse, (struct aic_str){stream.ptr + at, bytes}, note, record);
    }
    if (status == AIC_OK) {
        status = sse_end(&sse, note, record);
    }
    sse_finish(&sse);
    return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct aic_str stream = {(const char *)data + 1, size - 1};
    struct aic_buf whole;
    struct aic_buf cut;
    aic_buf_init(&whole, 1u << 22);
    aic_buf_init(&cut, 1u << 22);
    int32_t whole_status = run(stream, stream.len, &whole);
    int32_t cut_status = run(stream, 1u + data[0] % 17u, &cut);
    if (whole_status == AIC_OK && cut_status == AIC_OK &&
        (whole.len != cut.len || (whole.len > 0 && memcmp(whole.data, cut.data, whole.len) != 0))) {
        abort();
    }
    aic_buf_finish(&whole);
    aic_buf_finish(&cut);
    return 0;
}
