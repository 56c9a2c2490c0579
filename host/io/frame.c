/* SPDX-License-Identifier: ISC */
#include "io/frame.h"

/* Without gaps, so that its bytes are what goes over the line. */
struct head {
    uint8_t version;
    uint8_t reserved;
    uint16_t type;
    int32_t status;
    uint64_t id;
    int64_t number[3];
    uint16_t call_id_bytes;
    uint16_t kind_bytes;
    uint32_t body_bytes;
};

_Static_assert(sizeof(struct head) == FRAME_HEAD_BYTES, "the layout of a frame is fixed");

/* A name of `length` bytes and its 0 at the front of `from`; NULL when it is none. */
static const char *take_name(struct aic_str *from, size_t length)
{
    if (length > FRAME_NAME_MAX || from->len < length + 1) {
        return NULL;
    }
    const char *name = from->ptr;
    if (memchr(name, 0, length + 1) != name + length) {
        return NULL;
    }
    from->ptr += length + 1;
    from->len -= length + 1;
    return name;
}

int32_t frame_parse(struct aic_str bytes, struct frame *frame)
{
    struct head head;
    if (bytes.len < sizeof(head)) {
        return AIC_ERROR_PROTOCOL;
    }
    memcpy(&head, bytes.ptr, sizeof(head));
    if (head.version != FRAME_VERSION) {
        return AIC_ERROR_PROTOCOL;
    }
    struct aic_str rest = {bytes.ptr + sizeof(head), bytes.len - sizeof(head)};
    const char *call_id = take_name(&rest, head.call_id_bytes);
    const char *kind = call_id ? take_name(&rest, head.kind_bytes) : NULL;
    if (!kind || head.body_bytes > FRAME_BODY_MAX || head.body_bytes != rest.len) {
        return AIC_ERROR_PROTOCOL;
    }
    *frame = (struct frame){.type = head.type,
                            .status = head.status,
                            .id = head.id,
                            .call_id = call_id,
                            .kind = kind,
                            .body = rest};
    memcpy(frame->number, head.number, sizeof(frame->number));
    return AIC_OK;
}

int32_t frame_head(const struct frame *frame, unsigned char head[FRAME_HEAD_BYTES])
{
    size_t call_id_bytes = frame->call_id ? strlen(frame->call_id) : 0;
    size_t kind_bytes = frame->kind ? strlen(frame->kind) : 0;
    if (call_id_bytes > FRAME_NAME_MAX || kind_bytes > FRAME_NAME_MAX ||
        frame->body.len > FRAME_BODY_MAX) {
        return AIC_ERROR_TOO_LARGE;
    }
    struct head fixed = {.version = FRAME_VERSION,
                         .type = frame->type,
                         .status = frame->status,
                         .id = frame->id,
                         .call_id_bytes = (uint16_t)call_id_bytes,
                         .kind_bytes = (uint16_t)kind_bytes,
                         .body_bytes = (uint32_t)frame->body.len};
    memcpy(fixed.number, frame->number, sizeof(fixed.number));
    memcpy(head, &fixed, sizeof(fixed));
    return AIC_OK;
}

int32_t frame_write(const struct frame *frame, struct aic_buf *to)
{
    unsigned char head[FRAME_HEAD_BYTES];
    int32_t status = frame_head(frame, head);
    if (status != AIC_OK) {
        return status;
    }
    const char *call_id = frame->call_id ? frame->call_id : "";
    const char *kind = frame->kind ? frame->kind : "";
    if (aic_buf_reserve(to, sizeof(head) + strlen(call_id) + strlen(kind) + 2 + frame->body.len) !=
        AIC_OK) {
        return AIC_ERROR_TOO_LARGE;
    }
    (void)aic_buf_add(to, head, sizeof(head));
    (void)aic_buf_add(to, call_id, strlen(call_id) + 1);
    (void)aic_buf_add(to, kind, strlen(kind) + 1);
    return aic_buf_str(to, frame->body);
}
