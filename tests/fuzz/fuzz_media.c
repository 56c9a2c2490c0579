/* SPDX-License-Identifier: ISC */
/* What the scanner of media messages takes, the JSON parser takes and reads in the same way. */
#include "base64.h"
#include "json.h"
#include "media.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static bool same(struct aic_str a, struct aic_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The member that is there of several names. */
static const struct aic_json *first_of(const struct aic_json *object, const char *a, const char *b,
                                       const char *c)
{
    const struct aic_json *value = aic_json_get(object, a);
    value = value ? value : aic_json_get(object, b);
    return value ? value : aic_json_get(object, c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct aic_media_message m;
    if (!aic_media_scan(text, &m)) {
        return 0;
    }
    struct aic_json *root = aic_json_parse(text, 0);
    const struct aic_json *media = aic_json_get(root, "media");
    check(aic_str_equal(aic_json_get_text(root, "event"), "media"));
    check(same(aic_json_text(first_of(root, "streamSid", "stream_id", "streamId")), m.stream));
    check(aic_json_int(first_of(root, "sequenceNumber", "sequence_number", "sequence_number"),
                       -1) == m.sequence);
    check(same(aic_json_get_text(media, "track"), m.track));
    check(aic_json_get_int(media, "chunk", -1) == m.chunk);
    check(aic_json_get_int(media, "timestamp", -1) == m.timestamp_ms);
    check(aic_json_is_string(aic_json_get(media, "payload")));
    check(same(aic_json_get_text(media, "payload"), m.payload));

    /* What is decoded and written again is the same. */
    uint8_t *sound = malloc(AIC_BASE64_DECODED(m.payload.len) + 1);
    int64_t bytes = aic_base64_decode(sound, m.payload.ptr, m.payload.len);
    if (bytes >= 0) {
        struct aic_buf written;
        aic_buf_init(&written, m.payload.len + 2);
        check(aic_media_write(&written, AIC_STR("<"), sound, (size_t)bytes, AIC_STR(">")) ==
              AIC_OK);
        check(written.len == m.payload.len + 2 &&
              memcmp(written.data + 1, m.payload.ptr, m.payload.len) == 0);
        aic_buf_finish(&written);
    }
    free(sound);
    aic_json_free(root);
    return 0;
}
