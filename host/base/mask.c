/* SPDX-License-Identifier: ISC */
#include "mask.h"

#include "buf.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

/* Digits of a number that are shown at its front; two more are shown at its end. */
enum { FRONT_DIGITS = 5, NUMBER_DIGITS = 8 };

/* The writing end. Digits of a number beyond the first ones are held back until it is known
 * whether the number is long enough to be hidden. */
struct output {
    char *to;
    size_t room;
    size_t len;
    bool is_full;
    bool in_number;
    size_t digits;
    char held[2];
    char before[2]; /* the last two bytes, to see "%2B" */
};

int32_t mask_add(struct mask_secrets *secrets, struct aic_str value)
{
    if (value.len < MASK_SECRET_MIN) {
        return AIC_OK;
    }
    for (size_t i = 0; i < secrets->count; i++) {
        if (secrets->list[i].len == value.len &&
            memcmp(secrets->list[i].text, value.ptr, value.len) == 0) {
            return AIC_OK;
        }
    }
    struct mask_secret *list = realloc(secrets->list, (secrets->count + 1) * sizeof(*list));
    if (!list) {
        return AIC_ERROR_MEMORY;
    }
    secrets->list = list;
    char *copy = aic_str_dup(value);
    if (!copy) {
        return AIC_ERROR_MEMORY;
    }
    list[secrets->count++] = (struct mask_secret){copy, value.len};
    secrets->starts[(unsigned char)value.ptr[0]] = true;
    return AIC_OK;
}

void mask_finish(struct mask_secrets *secrets)
{
    for (size_t i = 0; i < secrets->count; i++) {
        explicit_bzero(secrets->list[i].text, secrets->list[i].len);
        free(secrets->list[i].text);
    }
    free(secrets->list);
    *secrets = (struct mask_secrets){.list = NULL};
}

/* Bytes at the start of `text` that belong to a secret; 0 for none. */
static size_t secret_at(const struct mask_secrets *secrets, struct aic_str text, bool is_cut)
{
    if (!secrets->starts[(unsigned char)text.ptr[0]]) {
        return 0;
    }
    size_t longest = 0;
    for (size_t i = 0; i < secrets->count; i++) {
        size_t length = secrets->list[i].len;
        if (length > text.len) {
            if (!is_cut) {
                continue;
            }
            length = text.len;
        }
        if (length > longest && memcmp(text.ptr, secrets->list[i].text, length) == 0) {
            longest = length;
        }
    }
    return longest;
}

static void put(struct output *out, const char *text, size_t bytes)
{
    if (out->is_full || bytes > out->room - out->len) {
        out->is_full = true;
        return;
    }
    memcpy(out->to + out->len, text, bytes);
    out->len += bytes;
}

static void end_number(struct output *out)
{
    if (!out->in_number) {
        return;
    }
    out->in_number = false;
    if (out->digits >= NUMBER_DIGITS) {
        put(out, "*****", 5);
        put(out, out->held, 2);
    } else if (out->digits > FRONT_DIGITS) {
        size_t held = out->digits - FRONT_DIGITS;
        put(out, out->held + 2 - held, held);
    }
}

static void put_byte(struct output *out, char c)
{
    bool is_plus = c == '+' || ((c == 'B' || c == 'b') && memcmp(out->before, "%2", 2) == 0);
    out->before[0] = out->before[1];
    out->before[1] = c;
    if (out->in_number && c >= '0' && c <= '9') {
        out->digits++;
        if (out->digits <= FRONT_DIGITS) {
            put(out, &c, 1);
        } else {
            out->held[0] = out->held[1];
            out->held[1] = c;
        }
        return;
    }
    end_number(out);
    put(out, &c, 1);
    if (is_plus) {
        out->in_number = true;
        out->digits = 0;
    }
}

size_t mask_text(const struct mask_secrets *secrets, struct aic_str text, bool is_cut, char *to,
                 size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    struct output out = {.to = to, .room = bytes - 1};
    /* Secrets may overlap: what is hidden ends where the last one of them ends. */
    size_t hidden_end = 0;
    for (size_t i = 0; i < text.len && !out.is_full; i++) {
        struct aic_str rest = {text.ptr + i, text.len - i};
        size_t length = secret_at(secrets, rest, is_cut);
        if (length > 0 && i >= hidden_end) {
            end_number(&out);
            put(&out, "***", 3);
        }
        if (i + length > hidden_end && length > 0) {
            hidden_end = i + length;
        }
        if (i >= hidden_end) {
            put_byte(&out, text.ptr[i]);
        }
    }
    end_number(&out);
    if (out.is_full || is_cut) {
        out.len -= aic_utf8_incomplete_tail((struct aic_str){to, out.len});
    }
    to[out.len] = '\0';
    return out.len;
}
