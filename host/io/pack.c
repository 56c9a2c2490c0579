/* SPDX-License-Identifier: ISC */
#include "io/pack.h"

struct head {
    uint32_t tag;
    uint32_t bytes;
};

static void put(struct aic_buf *to, uint32_t tag, const void *value, size_t bytes)
{
    if (bytes > UINT32_MAX) {
        to->failed = true;
        return;
    }
    struct head head = {.tag = tag, .bytes = (uint32_t)bytes};
    (void)aic_buf_add(to, &head, sizeof(head));
    (void)aic_buf_add(to, value, bytes);
}

void pack_int(struct aic_buf *to, uint32_t tag, int64_t value)
{
    put(to, tag, &value, sizeof(value));
}

void pack_str(struct aic_buf *to, uint32_t tag, struct aic_str value)
{
    put(to, tag, value.ptr, value.len);
}

int32_t pack_next(struct aic_str *from, struct pack_item *item)
{
    struct head head;
    if (from->len == 0) {
        return 0;
    }
    if (from->len < sizeof(head)) {
        return AIC_ERROR_PROTOCOL;
    }
    memcpy(&head, from->ptr, sizeof(head));
    if (head.bytes > from->len - sizeof(head)) {
        return AIC_ERROR_PROTOCOL;
    }
    *item = (struct pack_item){.tag = head.tag, .text = {from->ptr + sizeof(head), head.bytes}};
    if (head.bytes == sizeof(item->number)) {
        memcpy(&item->number, item->text.ptr, sizeof(item->number));
    }
    from->ptr += sizeof(head) + head.bytes;
    from->len -= sizeof(head) + head.bytes;
    return 1;
}

bool pack_copy(const struct pack_item *item, char *to, size_t bytes)
{
    if (item->text.len > 0 && memchr(item->text.ptr, 0, item->text.len)) {
        return false;
    }
    return aic_str_copy(item->text, to, bytes);
}
