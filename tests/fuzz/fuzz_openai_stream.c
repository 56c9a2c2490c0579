/* SPDX-License-Identifier: ISC */
/* A streamed answer as it comes from the network, in pieces as long as the first byte says. */
#include "openai-core/stream.h"

#include "io/sse.h"
#include "utf8.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct heard {
    struct openai_stream stream;
    size_t text_bytes;
};

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void hear_text(void *data, struct aic_str text)
{
    struct heard *heard = data;
    heard->text_bytes += text.len;
    check(text.len > 0 && aic_utf8_valid(text));
    check(heard->text_bytes <= OPENAI_TEXT_MAX_BYTES);
}

static void hear_thought(void *data, struct aic_str text)
{
    (void)data;
    check(text.len > 0 && aic_utf8_valid(text));
}

static void push(void *data, struct aic_str name, struct aic_str text)
{
    struct heard *heard = data;
    openai_stream_push(&heard->stream, name, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct heard heard = {.text_bytes = 0};
    const struct openai_think_sink sink = {
        .data = &heard, .text = hear_text, .thought = hear_thought};
    struct sse sse;
    size_t step = (size_t)data[0] + 1;
    struct aic_str bytes = {(const char *)data + 1, size - 1};
    openai_stream_init(&heard.stream, "musings", &sink);
    sse_init(&sse, 1 << 16);
    while (bytes.len > 0) {
        size_t part = bytes.len < step ? bytes.len : step;
        if (sse_push(&sse, (struct aic_str){bytes.ptr, part}, push, &heard) != AIC_OK) {
            break;
        }
        bytes = (struct aic_str){bytes.ptr + part, bytes.len - part};
    }
    (void)sse_end(&sse, push, &heard);
    openai_stream_end(&heard.stream);
    check(heard.stream.has_failed || heard.stream.finish != 0);
    check(!heard.stream.has_failed || heard.stream.fault.category != 0);
    check(heard.stream.tools.count <= OPENAI_TOOLS_MAX);
    openai_stream_finish(&heard.stream);
    sse_finish(&sse);
    return 0;
}
