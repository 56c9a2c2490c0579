/* SPDX-License-Identifier: ISC */
#include "form.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes text to where `*to` points, and moves it on. */
static struct aic_str decode(char **to, struct aic_str text)
{
    char *begin = *to;
    char *out = begin;
    for (size_t i = 0; i < text.len; i++) {
        int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;
        if (low >= 0) {
            *out++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *out++ = (char)(text.ptr[i] == '+' ? ' ' : text.ptr[i]);
        }
    }
    *to = out;
    return (struct aic_str){begin, (size_t)(out - begin)};
}

static struct aic_str cut(struct aic_str *text, char at)
{
    const char *end = text->len > 0 ? memchr(text->ptr, at, text->len) : NULL;
    struct aic_str part = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
    size_t skip = part.len + (end ? 1 : 0);
    *text = (struct aic_str){text->ptr + skip, text->len - skip};
    return part;
}

int32_t twilio_form_parse(struct aic_str text, struct twilio_form *form)
{
    form->count = 0;
    form->memory = malloc(text.len + 1);
    if (!form->memory) {
        return AIC_ERROR_MEMORY;
    }
    char *to = form->memory;
    while (text.len > 0) {
        struct aic_str value = cut(&text, '&');
        if (value.len == 0) {
            continue;
        }
        if (form->count == TWILIO_FORM_PAIRS) {
            twilio_form_finish(form);
            return AIC_ERROR_TOO_LARGE;
        }
        struct aic_str name = cut(&value, '=');
        struct twilio_pair *pair = &form->pairs[form->count++];
        pair->name = decode(&to, name);
        pair->value = decode(&to, value);
    }
    return AIC_OK;
}

void twilio_form_finish(struct twilio_form *form)
{
    free(form->memory);
    form->memory = NULL;
    form->count = 0;
}

struct aic_str twilio_form_get(const struct twilio_form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        struct aic_str value = form->pairs[i].value;
        if (aic_str_equal(form->pairs[i].name, name)) {
            bool is_text = aic_utf8_valid(value) && !memchr(value.ptr, '\0', value.len);
            return is_text ? value : (struct aic_str){"", 0};
        }
    }
    return (struct aic_str){"", 0};
}

static int compare_text(struct aic_str a, struct aic_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_pairs(const void *a, const void *b)
{
    const struct twilio_pair *left = a;
    const struct twilio_pair *right = b;
    int order = compare_text(left->name, right->name);
    return order != 0 ? order : compare_text(left->value, right->value);
}

void twilio_form_join(struct aic_buf *to, struct twilio_form *form)
{
    qsort(form->pairs, form->count, sizeof(form->pairs[0]), compare_pairs);
    for (size_t i = 0; i < form->count; i++) {
        if (i > 0 && compare_pairs(&form->pairs[i - 1], &form->pairs[i]) == 0) {
            continue;
        }
        aic_buf_str(to, form->pairs[i].name);
        aic_buf_str(to, form->pairs[i].value);
    }
}

void twilio_form_escape(struct aic_buf *to, struct aic_str text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (is_letter || (c >= '0' && c <= '9') || (c != '\0' && strchr("-_.~", c))) {
            aic_buf_char(to, (char)c);
            continue;
        }
        const char escape[] = {'%', digits[c >> 4], digits[c & 15]};
        aic_buf_add(to, escape, sizeof(escape));
    }
}

void twilio_form_add(struct aic_buf *to, const char *name, struct aic_str value)
{
    if (to->len > 0) {
        aic_buf_char(to, '&');
    }
    aic_buf_text(to, name);
    aic_buf_char(to, '=');
    twilio_form_escape(to, value);
}
