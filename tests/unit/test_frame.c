/* SPDX-License-Identifier: ISC */
#include "io/frame.h"
#include "io/pack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void a_frame_survives_its_way_through_bytes(void **state)
{
    (void)state;
    struct frame frame = {.type = FRAME_REQUEST,
                          .status = AIC_ERROR_BUSY,
                          .id = UINT64_MAX - 1,
                          .number = {INT64_MIN, 0, INT64_MAX},
                          .call_id = "0190-call",
                          .kind = "hangup",
                          .body = AIC_STR("{\"a\":1}")};
    struct aic_buf bytes;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    assert_int_equal(frame_write(&frame, &bytes), AIC_OK);

    struct frame read;
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_OK);
    assert_int_equal(read.type, FRAME_REQUEST);
    assert_int_equal(read.status, AIC_ERROR_BUSY);
    assert_true(read.id == UINT64_MAX - 1);
    assert_memory_equal(read.number, frame.number, sizeof(frame.number));
    assert_string_equal(read.call_id, "0190-call");
    assert_string_equal(read.kind, "hangup");
    assert_int_equal(read.body.len, 7);
    assert_memory_equal(read.body.ptr, "{\"a\":1}", 7);
    aic_buf_finish(&bytes);
}

static void absent_names_are_read_as_empty_texts(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct frame read;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    assert_int_equal(frame_write(&(struct frame){.type = FRAME_READY}, &bytes), AIC_OK);
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_OK);
    assert_string_equal(read.call_id, "");
    assert_string_equal(read.kind, "");
    assert_int_equal(read.body.len, 0);
    aic_buf_finish(&bytes);
}

static void every_prefix_of_a_frame_is_refused(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct frame read;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    struct frame frame = {.type = FRAME_CLAIM, .call_id = "id", .kind = "k", .body = AIC_STR("{}")};
    assert_int_equal(frame_write(&frame, &bytes), AIC_OK);
    for (size_t length = 0; length < bytes.len; length++) {
        /* On the heap, so that a sanitizer sees a read beyond the end. */
        char *part = malloc(length + 1);
        memcpy(part, bytes.data, length);
        assert_int_equal(frame_parse((struct aic_str){part, length}, &read), AIC_ERROR_PROTOCOL);
        free(part);
    }
    aic_buf_char(&bytes, 'x');
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_ERROR_PROTOCOL);
    aic_buf_finish(&bytes);
}

static void a_name_with_a_zero_inside_is_refused(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct frame read;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    assert_int_equal(frame_write(&(struct frame){.type = FRAME_CLAIM, .call_id = "abc"}, &bytes),
                     AIC_OK);
    bytes.data[FRAME_HEAD_BYTES + 1] = '\0';
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_ERROR_PROTOCOL);
    bytes.data[FRAME_HEAD_BYTES + 1] = 'b';
    bytes.data[FRAME_HEAD_BYTES + 3] = 'x';
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_ERROR_PROTOCOL);
    aic_buf_finish(&bytes);
}

static void another_version_is_refused(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct frame read;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    assert_int_equal(frame_write(&(struct frame){.type = FRAME_READY}, &bytes), AIC_OK);
    bytes.data[0] = FRAME_VERSION + 1;
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_ERROR_PROTOCOL);
    aic_buf_finish(&bytes);
}

static void what_is_too_long_is_not_written(void **state)
{
    (void)state;
    char *body = calloc(1, FRAME_BODY_MAX + 1);
    char name[FRAME_NAME_MAX + 2];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    struct aic_buf bytes;
    aic_buf_init(&bytes, FRAME_MAX_BYTES);
    struct frame frame = {.type = FRAME_REQUEST, .body = {body, FRAME_BODY_MAX + 1}};
    assert_int_equal(frame_write(&frame, &bytes), AIC_ERROR_TOO_LARGE);
    frame.body.len = FRAME_BODY_MAX;
    frame.kind = name;
    assert_int_equal(frame_write(&frame, &bytes), AIC_ERROR_TOO_LARGE);
    name[FRAME_NAME_MAX] = '\0';
    assert_int_equal(frame_write(&frame, &bytes), AIC_OK);
    struct frame read;
    assert_int_equal(frame_parse(aic_buf_view(&bytes), &read), AIC_OK);
    assert_int_equal(read.body.len, FRAME_BODY_MAX);
    aic_buf_finish(&bytes);
    free(body);
}

static void packed_items_come_back_in_order_and_unknown_ones_can_be_skipped(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct pack_item item;
    aic_buf_init(&bytes, 1024);
    pack_int(&bytes, 7, -12);
    pack_str(&bytes, 900, AIC_STR("from the future"));
    pack_str(&bytes, 8, AIC_STR("text"));
    struct aic_str from = aic_buf_view(&bytes);
    assert_int_equal(pack_next(&from, &item), 1);
    assert_int_equal(item.tag, 7);
    assert_int_equal(item.number, -12);
    assert_int_equal(pack_next(&from, &item), 1);
    assert_int_equal(pack_next(&from, &item), 1);
    char text[5];
    assert_true(pack_copy(&item, text, sizeof(text)));
    assert_string_equal(text, "text");
    char small[4];
    assert_false(pack_copy(&item, small, sizeof(small)));
    assert_int_equal(pack_next(&from, &item), 0);
    aic_buf_finish(&bytes);
}

static void cut_items_are_refused(void **state)
{
    (void)state;
    struct aic_buf bytes;
    struct pack_item item;
    aic_buf_init(&bytes, 1024);
    pack_str(&bytes, 1, AIC_STR("0123456789"));
    for (size_t length = 1; length < bytes.len; length++) {
        char *part = malloc(length);
        memcpy(part, bytes.data, length);
        struct aic_str from = {part, length};
        assert_int_equal(pack_next(&from, &item), AIC_ERROR_PROTOCOL);
        free(part);
    }
    bytes.data[10] = '\0';
    struct aic_str from = aic_buf_view(&bytes);
    char text[32];
    assert_int_equal(pack_next(&from, &item), 1);
    assert_false(pack_copy(&item, text, sizeof(text)));
    aic_buf_finish(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_survives_its_way_through_bytes),
        cmocka_unit_test(absent_names_are_read_as_empty_texts),
        cmocka_unit_test(every_prefix_of_a_frame_is_refused),
        cmocka_unit_test(a_name_with_a_zero_inside_is_refused),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(what_is_too_long_is_not_written),
        cmocka_unit_test(packed_items_come_back_in_order_and_unknown_ones_can_be_skipped),
        cmocka_unit_test(cut_items_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
