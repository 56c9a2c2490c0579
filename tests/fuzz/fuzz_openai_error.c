/* SPDX-License-Identifier: ISC */
/* Lines of headers, an empty line, and a body: what a server says when it refuses. */
#include "openai-core/fault.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "sk-secret";

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_text(const char *text)
{
    check(aic_utf8_valid(aic_str(text)));
    for (; *text; text++) {
        check((unsigned char)*text >= ' ' && *text != 0x7F);
    }
}

/* Takes the headers off the front. */
static struct aic_str take_headers(struct openai_head *head, struct aic_str text)
{
    while (text.len > 0) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t length = end ? (size_t)(end - text.ptr) : text.len;
        const char *colon = memchr(text.ptr, ':', length);
        size_t name = colon ? (size_t)(colon - text.ptr) : length;
        size_t skip = colon ? name + 1 : name;
        openai_head_take(head, (struct aic_str){text.ptr, name},
                         (struct aic_str){text.ptr + skip, length - skip},
                         INT64_C(1767607200000000));
        size_t taken = end ? length + 1 : length;
        text = (struct aic_str){text.ptr + taken, text.len - taken};
        if (length == 0) {
            break;
        }
    }
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct openai_head head;
    struct openai_fault fault;
    openai_head_init(&head, 300 + (data[0] * 256 + data[1]) % 300);
    struct aic_str body = take_headers(&head, (struct aic_str){(const char *)data + 2, size - 2});
    check(head.retry_after_ms >= -1 && head.retry_after_ms <= 86400000);
    check(head.tokens.reset_ms >= -1 && head.tokens.limit >= -1 && head.tokens.remaining >= -1);
    openai_fault_of_answer(&fault, &head, body);
    openai_fault_hide(&fault, secret);
    check(fault.category != AIC_CATEGORY_NONE && fault.scope != AIC_SCOPE_NONE);
    check(fault.message[0] != '\0' && !strstr(fault.message, secret));
    check(fault.retry_after_ms >= 0 && fault.retry_after_ms <= 86400000);
    check_text(fault.message);
    check_text(fault.code);
    openai_fault_hide_words(&fault, body);
    check_text(fault.message);
    return 0;
}
