/* SPDX-License-Identifier: ISC */
/* Frames of two workers, as bytes with a length before each: whatever they say, every request is
 * answered at most once, and with time passing exactly once. */
#include "io/board.h"
#include "io/hub.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct tally {
    size_t asked;
    size_t answered;
};

static void deliver(void *data, const struct frame *frame)
{
    struct tally *tally = data;
    tally->answered += frame->type == FRAME_ANSWER;
}

static void ignore_worker(void *data, int worker)
{
    (void)data;
    (void)worker;
}

static bool is_master_business(void *data, const struct hub_request *request)
{
    (void)data;
    return request->kind[0] == 'm';
}

static void ignore_answer(void *data, uint64_t tag, int32_t status, struct aic_str answer)
{
    (void)data;
    (void)tag;
    (void)status;
    (void)answer;
}

static bool is_question(uint16_t type)
{
    return type == FRAME_CLAIM || type == FRAME_TOKEN || type == FRAME_TAKE ||
           type == FRAME_REQUEST;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct hub_handler handler = {.ready = ignore_worker,
                                               .lost = ignore_worker,
                                               .request = is_master_business,
                                               .answered = ignore_answer};
    struct tally tally = {.asked = 0};
    struct hub *hub = hub_create(&handler);
    (void)hub_add_local(hub, 0, deliver, &tally);
    (void)hub_add_local(hub, 1, deliver, &tally);
    hub_set_open(hub, 1, true);
    while (size > 2) {
        size_t length = ((size_t)data[0] << 8 | data[1]) % (size - 1);
        struct frame frame;
        if (frame_parse((struct aic_str){(const char *)data + 2, length}, &frame) == AIC_OK) {
            tally.asked += is_question(frame.type);
            hub_receive(hub, (int)(frame.id % 2), &frame);
        }
        if (tally.answered > tally.asked) {
            abort();
        }
        data += 2 + length;
        size -= 2 + length;
    }
    (void)hub_tick(hub, INT64_MAX);
    if (tally.answered != tally.asked) {
        abort();
    }
    struct aic_buf list;
    aic_buf_init(&list, 1 << 20);
    board_list(hub_board(hub), &list);
    aic_buf_finish(&list);
    hub_destroy(hub);
    return 0;
}
