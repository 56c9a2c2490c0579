/* SPDX-License-Identifier: ISC */
#include "protocol.h"

static const int64_t longest_ms = 3600000;

static const struct aic_json *either(const struct aic_json *object, const char *name,
                                     const char *other)
{
    const struct aic_json *found = aic_json_get(object, name);
    return found ? found : aic_json_get(object, other);
}

/* Contexts of ours are named by numbers. */
static uint64_t context_of(struct aic_str name)
{
    uint64_t context = 0;
    if (name.len == 0 || name.len > 19) {
        return 0;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.ptr[i] < '0' || name.ptr[i] > '9') {
            return 0;
        }
        context = context * 10 + (uint64_t)(name.ptr[i] - '0');
    }
    return context;
}

static void read_error(struct eleven_message *m)
{
    m->error = aic_json_get_text(m->root, "error");
    m->description = aic_json_get_text(m->root, "message");
    m->code = (int32_t)(aic_json_get_int(m->root, "code", 0) & 0xFFFF);
    /* One form has only a sentence, as the error itself. */
    if (m->description.len == 0) {
        m->description = m->error;
    }
}

int32_t eleven_message_read(struct aic_str text, struct eleven_message *message)
{
    *message = (struct eleven_message){.root = aic_json_parse(text, ELEVEN_MESSAGE_MAX_BYTES)};
    const struct aic_json *audio = aic_json_get(message->root, "audio");
    if (!aic_json_is_object(message->root) || (audio && !aic_json_is_string(audio))) {
        eleven_message_finish(message);
        return AIC_ERROR_PROTOCOL;
    }
    message->context = context_of(aic_json_text(either(message->root, "contextId", "context_id")));
    message->audio = aic_json_text(audio);
    message->alignment = aic_json_get(message->root, "alignment");
    message->is_final = aic_json_bool(either(message->root, "isFinal", "is_final"), false);
    message->is_flush_done = aic_str_equal(aic_json_get_text(message->root, "type"), "flush_done");
    read_error(message);
    return AIC_OK;
}

void eleven_message_finish(struct eleven_message *message)
{
    aic_json_free(message->root);
    message->root = NULL;
}

static const struct aic_json *chars_of(const struct aic_json *alignment)
{
    return aic_json_get(alignment, "chars");
}

static const struct aic_json *starts_of(const struct aic_json *alignment)
{
    return either(alignment, "charStartTimesMs", "charsStartTimesMs");
}

static const struct aic_json *durations_of(const struct aic_json *alignment)
{
    return either(alignment, "charDurationsMs", "charsDurationsMs");
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t eleven_alignment_count(const struct aic_json *alignment)
{
    return least(
        aic_json_count(chars_of(alignment)),
        least(aic_json_count(starts_of(alignment)), aic_json_count(durations_of(alignment))));
}

static int64_t ms_at(const struct aic_json *list, size_t index)
{
    int64_t ms = aic_json_int(aic_json_at(list, index), 0);
    if (ms < 0) {
        return 0;
    }
    return ms < longest_ms ? ms : longest_ms;
}

struct eleven_char eleven_alignment_at(const struct aic_json *alignment, size_t index)
{
    return (struct eleven_char){
        .text = aic_json_text(aic_json_at(chars_of(alignment), index)),
        .start_us = ms_at(starts_of(alignment), index) * 1000,
        .duration_us = ms_at(durations_of(alignment), index) * 1000,
    };
}

int64_t eleven_number(struct aic_str text)
{
    int64_t number = 0;
    if (text.len == 0 || text.len > 15) {
        return -1;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return -1;
        }
        number = number * 10 + (text.ptr[i] - '0');
    }
    return number;
}

bool eleven_type_is_sound(struct aic_str type)
{
    return aic_str_starts(type, "audio/") || aic_str_starts(type, "application/octet-stream");
}
