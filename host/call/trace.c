/* SPDX-License-Identifier: ISC */
#include "call/trace.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

enum { VERSION_0 = 55, SPAN_AT = 36, FLAGS_AT = 53, ID_AT = 3 };

void trace_hex(char *to, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        to[2 * i] = digits[bytes[i] >> 4];
        to[2 * i + 1] = digits[bytes[i] & 15];
    }
    to[2 * count] = '\0';
}

/* Lower case only, as the standard wants it; -1 for anything else. */
static int digit(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(const char *text, uint8_t *to, size_t count)
{
    uint8_t any = 0;
    for (size_t i = 0; i < count; i++) {
        int high = digit(text[2 * i]);
        int low = digit(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        to[i] = (uint8_t)(high << 4 | low);
        any |= to[i];
    }
    return any != 0;
}

static bool has_shape(struct aic_str text)
{
    if (text.len < VERSION_0 || digit(text.ptr[0]) < 0 || digit(text.ptr[1]) < 0 ||
        text.ptr[2] != '-' || text.ptr[SPAN_AT - 1] != '-' || text.ptr[FLAGS_AT - 1] != '-' ||
        digit(text.ptr[FLAGS_AT]) < 0 || digit(text.ptr[FLAGS_AT + 1]) < 0 ||
        aic_str_starts(text, "ff")) {
        return false;
    }
    /* A later version may have more behind another hyphen. */
    return text.len == VERSION_0 || (!aic_str_starts(text, "00") && text.ptr[VERSION_0] == '-');
}

bool trace_read(struct trace_context *context, struct aic_str text)
{
    *context = (struct trace_context){.is_sampled = false};
    if (!has_shape(text) || !read_hex(text.ptr + ID_AT, context->trace_id, TRACE_ID) ||
        !read_hex(text.ptr + SPAN_AT, context->span_id, TRACE_SPAN)) {
        *context = (struct trace_context){.is_sampled = false};
        return false;
    }
    context->is_sampled = (digit(text.ptr[FLAGS_AT + 1]) & 1) != 0;
    return true;
}

bool trace_is_set(const struct trace_context *context)
{
    static const uint8_t none[TRACE_ID] = {0};
    return memcmp(context->trace_id, none, TRACE_ID) != 0;
}

void trace_write(char to[TRACE_PARENT_TEXT], const struct trace_context *context)
{
    to[0] = '\0';
    if (trace_is_set(context)) {
        char trace_id[2 * TRACE_ID + 1];
        char span_id[2 * TRACE_SPAN + 1];
        trace_hex(trace_id, context->trace_id, TRACE_ID);
        trace_hex(span_id, context->span_id, TRACE_SPAN);
        (void)snprintf(to, TRACE_PARENT_TEXT, "00-%s-%s-%s", trace_id, span_id,
                       context->is_sampled ? "01" : "00");
    }
}

bool trace_is_chosen(const uint8_t trace_id[TRACE_ID], double share)
{
    /* The last 56 bits, which are random in every kind of id. */
    uint64_t value = 0;
    for (size_t i = TRACE_ID - 7; i < TRACE_ID; i++) {
        value = value << 8 | trace_id[i];
    }
    return (double)value < share * 72057594037927936.0;
}

/* The bytes of a UUID. */
static void read_id(const char *call_id, uint8_t to[TRACE_ID])
{
    char digits[2 * TRACE_ID + 1] = "";
    size_t count = 0;
    for (const char *c = call_id; *c && count < sizeof(digits) - 1; c++) {
        if (*c != '-') {
            digits[count++] = *c;
        }
    }
    if (count < sizeof(digits) - 1 || !read_hex(digits, to, TRACE_ID)) {
        memset(to, 0, TRACE_ID);
    }
}

void trace_call_begin(struct trace_call *trace, const char *call_id, const char *traceparent,
                      double share)
{
    uint8_t own[TRACE_ID];
    read_id(call_id, own);
    *trace = (struct trace_call){.is_kept = false};
    if (traceparent && trace_read(&trace->given, aic_str(traceparent))) {
        trace->root = trace->given;
    } else {
        memcpy(trace->root.trace_id, own, TRACE_ID);
        trace->root.is_sampled = share > 0 && trace_is_chosen(own, share);
    }
    memcpy(trace->root.span_id, own + TRACE_ID - TRACE_SPAN, TRACE_SPAN);
    trace->is_kept = share >= 0 && trace->root.is_sampled && trace_is_set(&trace->root);
    if (share < 0) {
        trace->root = trace->given;
    }
}

void trace_call_span(const struct trace_call *trace, uint64_t number, uint8_t span_id[TRACE_SPAN])
{
    /* SplitMix64: a different id for each number, never the same for two calls but by chance. */
    uint64_t z = 0;
    for (size_t i = 0; i < TRACE_SPAN; i++) {
        z = z << 8 | trace->root.span_id[i];
    }
    z += (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    z = z ? z : 1;
    for (size_t i = 0; i < TRACE_SPAN; i++) {
        span_id[i] = (uint8_t)(z >> (56 - 8 * i));
    }
}

void trace_call_parent(const struct trace_call *trace, const uint8_t *span_id,
                       char to[TRACE_PARENT_TEXT])
{
    struct trace_context context = trace->root;
    if (span_id && trace->is_kept) {
        memcpy(context.span_id, span_id, TRACE_SPAN);
    }
    trace_write(to, &context);
}
