/* SPDX-License-Identifier: ISC */
#include "think.h"

#include <string.h>

static const char *const words[] = {"think", "thinking", "thought", "reasoning"};

enum tag { TAG_NONE, TAG_PART, TAG_OPEN, TAG_CLOSE };

/* What the bytes from a '<' on are: a tag, the beginning of one, or neither. */
static enum tag look(const char *text, size_t bytes)
{
    bool is_part = false;
    for (size_t i = 0; i < 2 * sizeof(words) / sizeof(words[0]); i++) {
        char tag[OPENAI_TAG_BYTES] = "<";
        bool closes = i % 2 == 1;
        size_t length = 1;
        if (closes) {
            tag[length++] = '/';
        }
        size_t word = strlen(words[i / 2]);
        memcpy(tag + length, words[i / 2], word);
        length += word;
        tag[length++] = '>';
        if (bytes <= length && memcmp(tag, text, bytes) == 0) {
            if (bytes == length) {
                return closes ? TAG_CLOSE : TAG_OPEN;
            }
            is_part = true;
        }
    }
    return is_part ? TAG_PART : TAG_NONE;
}

static void give(struct openai_think *think, struct aic_str text,
                 const struct openai_think_sink *sink)
{
    while (!think->is_inside && think->trims && text.len > 0 && strchr(" \t\r\n", text.ptr[0])) {
        text = (struct aic_str){text.ptr + 1, text.len - 1};
    }
    if (text.len == 0) {
        return;
    }
    if (think->is_inside) {
        sink->thought(sink->data, text);
    } else {
        think->trims = false;
        sink->text(sink->data, text);
    }
}

static void give_held(struct openai_think *think, const struct openai_think_sink *sink)
{
    size_t bytes = think->held_bytes;
    think->held_bytes = 0;
    give(think, (struct aic_str){think->held, bytes}, sink);
}

/* Adds one byte to what is held, if that can become a tag, which takes effect when it is complete.
 * Otherwise gives what is held; false: the byte is still to be looked at. */
static bool hold(struct openai_think *think, char c, const struct openai_think_sink *sink)
{
    think->held[think->held_bytes] = c;
    enum tag tag = look(think->held, think->held_bytes + 1);
    if (tag == TAG_NONE) {
        give_held(think, sink);
        return false;
    }
    think->held_bytes++;
    if (tag != TAG_PART) {
        /* A closing tag alone ends thoughts that began before the answer did. */
        think->held_bytes = 0;
        think->is_inside = tag == TAG_OPEN;
        think->trims = true;
    }
    return true;
}

void openai_think_push(struct openai_think *think, struct aic_str text,
                       const struct openai_think_sink *sink)
{
    while (text.len > 0) {
        size_t bytes = 1;
        if (think->held_bytes > 0 || text.ptr[0] == '<') {
            bytes = hold(think, text.ptr[0], sink) ? 1 : 0;
        } else {
            const char *open = memchr(text.ptr, '<', text.len);
            bytes = open ? (size_t)(open - text.ptr) : text.len;
            give(think, (struct aic_str){text.ptr, bytes}, sink);
        }
        text = (struct aic_str){text.ptr + bytes, text.len - bytes};
    }
}

void openai_think_end(struct openai_think *think, const struct openai_think_sink *sink)
{
    give_held(think, sink);
}
