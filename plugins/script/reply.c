/* SPDX-License-Identifier: ISC */
#include "reply.h"

#include <string.h>

bool script_reply_next(const char **at, struct script_piece *piece)
{
    const char *p = *at;
    *piece = (struct script_piece){0};
    size_t plain = strcspn(p, "{}");
    if (plain > 0) {
        piece->text = (struct aic_str){p, plain};
        *at = p + plain;
        return true;
    }
    if (*p == '\0') {
        return false;
    }
    size_t inside = *p == '{' ? strcspn(p + 1, "{}") : 0;
    if (*p == '}' || p[1 + inside] != '}') {
        piece->is_broken = true;
        piece->text = (struct aic_str){p, 1};
        *at = p + 1;
        return true;
    }
    const char *bar = memchr(p + 1, '|', inside);
    size_t name = bar ? (size_t)(bar - p - 1) : inside;
    piece->is_name = true;
    piece->text = (struct aic_str){p + 1, name};
    if (bar) {
        piece->fallback = (struct aic_str){bar + 1, inside - name - 1};
    }
    *at = p + inside + 2;
    return true;
}

static struct aic_str from_context(const struct aic_json *object, struct aic_str name)
{
    char key[SCRIPT_MAX_VALUE];
    const struct aic_json *value =
        aic_str_copy(name, key, sizeof(key)) ? aic_json_get(object, key) : NULL;
    struct aic_str text = {"", 0};
    if (aic_json_is_string(value)) {
        text = aic_json_text(value);
    } else if (aic_json_is_number(value)) {
        text = aic_json_print(value);
    }
    return text.len <= SCRIPT_MAX_VALUE ? text : (struct aic_str){"", 0};
}

struct aic_str script_reply_value(const struct script *script, const struct script_memory *memory,
                                  const struct aic_json *context, struct aic_str name)
{
    uint32_t index = script_name_find(script, name);
    if (index == SCRIPT_NONE) {
        return from_context(context, name);
    }
    if (memory->values[index]) {
        return aic_str(memory->values[index]);
    }
    struct aic_str given = from_context(aic_json_get(context, "variables"), name);
    return given.len > 0 ? given : aic_str(script->names[index].initial);
}

void script_reply_put(struct aic_buf *to, const struct script_telling *telling, const char *text)
{
    if (to->len > 0) {
        aic_buf_char(to, ' ');
    }
    struct script_piece piece;
    while (script_reply_next(&text, &piece)) {
        struct aic_str spoken = piece.text;
        if (piece.is_name && aic_str_equal(piece.text, "question")) {
            spoken = aic_str(telling->question);
        } else if (piece.is_name) {
            spoken =
                script_reply_value(telling->script, telling->memory, telling->context, piece.text);
        }
        aic_buf_str(to, spoken.len > 0 ? spoken : piece.fallback);
    }
}
