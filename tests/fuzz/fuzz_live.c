/* SPDX-License-Identifier: ISC */
/* News of calls, whatever a worker says they are, as viewers read them: one whole event each. */
#include "web/live_format.h"
#include "web/live_log.h"

#include <stdlib.h>
#include <string.h>

enum { ROOM = 64 << 10, LOG_BYTES = 4096, LOG_ENTRIES = 16 };

static void expect(bool is_so)
{
    if (!is_so) {
        abort();
    }
}

/* An event ends with the only blank line in it. */
static void check_event(struct aic_str event)
{
    expect(event.len > 2 && memcmp(event.ptr + event.len - 2, "\n\n", 2) == 0);
    expect(memmem(event.ptr, event.len - 1, "\n\n", 2) == NULL);
}

static void write_event(const struct live_news *news, bool hides_numbers, struct live_log *log)
{
    struct aic_buf event;
    struct aic_str bytes;
    struct aic_buf room;
    aic_buf_init(&event, ROOM);
    aic_buf_init(&room, ROOM);
    live_write_event(&event, news, hides_numbers);
    if (!event.failed) {
        check_event(aic_buf_view(&event));
        uint64_t at = live_log_end(log);
        if (live_log_add(log, news->number, news->call_id, aic_buf_view(&event)) == AIC_OK) {
            (void)live_log_read(log, at, hides_numbers ? "a" : "", ROOM, &room, &bytes);
            expect(bytes.len == event.len && memcmp(bytes.ptr, event.data, event.len) == 0);
        }
    }
    aic_buf_finish(&event);
    aic_buf_finish(&room);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct live_log *log = live_log_create(LOG_BYTES, LOG_ENTRIES);
    struct live_news news = {.number = 1, .call_id = "a", .at_wall_us = 1};
    struct aic_json *body = aic_json_parse((struct aic_str){(const char *)data, size}, 0);
    struct aic_buf list;
    aic_buf_init(&list, ROOM);
    live_log_restart(log, 0);
    if (live_understand(body, &news)) {
        for (int i = 0; i < 20; i++) {
            write_event(&news, i % 2 == 1, log);
            news.number++;
        }
    }
    live_write_list(&list, body, "", true);
    aic_buf_finish(&list);
    aic_json_free(body);
    live_log_destroy(log);
    return 0;
}
