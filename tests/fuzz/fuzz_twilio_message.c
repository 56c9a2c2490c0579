/* SPDX-License-Identifier: ISC */
/* A text message of a media stream. */
#include "twilio/protocol.h"

#include "base64.h"
#include "utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_media(const struct aic_media_message *media)
{
    static uint8_t sound[TWILIO_MESSAGE_MAX_BYTES];
    check(media->payload.len <= TWILIO_MESSAGE_MAX_BYTES);
    int64_t bytes = aic_base64_decode(sound, media->payload.ptr, media->payload.len);
    check(bytes <= (int64_t)AIC_BASE64_DECODED(media->payload.len));
}

/* What is kept of a start can stand in JSON, in an address and in a path. */
static void check_start(const struct twilio_message *m)
{
    check(twilio_is_sid(m->stream_sid) && twilio_is_sid(m->account_sid));
    check(twilio_is_sid(m->call_sid));
    check(m->token.len == 0 || twilio_is_word(m->token, "-_.", TWILIO_TOKEN_MAX_BYTES));
    check(m->call_id.len == 0 || twilio_is_call_id(m->call_id));
}

/* An echo of ours says what we have asked. */
static void check_mark(const struct twilio_message *m)
{
    struct twilio_message again;
    const char *problem = NULL;
    char text[TWILIO_CONTROL_MAX_BYTES];
    size_t bytes = twilio_write_mark(text, "MZ1", m->generation, m->mark_id);
    check(bytes > 0);
    check(twilio_message_parse((struct aic_str){text, bytes}, &again, &problem) == AIC_OK);
    check(again.kind == TWILIO_MARK && again.generation == m->generation);
    check(again.mark_id == m->mark_id);
    twilio_message_finish(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct twilio_message m;
    const char *problem = NULL;
    if (size > TWILIO_MESSAGE_MAX_BYTES) {
        return 0;
    }
    if (twilio_message_parse((struct aic_str){(const char *)data, size}, &m, &problem) != AIC_OK) {
        check(problem && problem[0]);
        return 0;
    }
    switch (m.kind) {
    case TWILIO_START:
        check_start(&m);
        break;
    case TWILIO_MEDIA:
        check_media(&m.media);
        break;
    case TWILIO_DTMF:
        check(m.digit.len == 1 && strchr("0123456789*#ABCD", m.digit.ptr[0]));
        break;
    case TWILIO_MARK:
        check_mark(&m);
        break;
    default:
        break;
    }
    twilio_message_finish(&m);
    return 0;
}
