/* SPDX-License-Identifier: ISC */
#include "form.h"

#include <stdio.h>

void openai_form_begin(struct openai_form *form, struct aic_buf *to, const uint8_t random[16])
{
    static const char digits[] = "0123456789abcdef";
    form->to = to;
    size_t at = (size_t)snprintf(form->boundary, sizeof(form->boundary), "form-");
    for (size_t i = 0; i < 16; i++) {
        form->boundary[at++] = digits[random[i] >> 4];
        form->boundary[at++] = digits[random[i] & 15];
    }
    form->boundary[at] = '\0';
}

static void put_name(struct aic_buf *to, const char *name)
{
    for (; *name; name++) {
        if (*name == '"' || *name == '\r' || *name == '\n') {
            aic_buf_printf(to, "%%%02X", (unsigned)*name);
        } else {
            aic_buf_char(to, *name);
        }
    }
}

static void begin_part(struct openai_form *form, const char *name)
{
    aic_buf_printf(form->to, "%s--%s\r\nContent-Disposition: form-data; name=\"",
                   form->to->len > 0 ? "\r\n" : "", form->boundary);
    put_name(form->to, name);
    aic_buf_char(form->to, '"');
}

void openai_form_field(struct openai_form *form, const char *name, struct aic_str value)
{
    begin_part(form, name);
    aic_buf_text(form->to, "\r\n\r\n");
    aic_buf_str(form->to, value);
}

static void put_value(struct openai_form *form, const char *name, const struct aic_json *value)
{
    bool is_text = aic_json_is_string(value);
    openai_form_field(form, name, is_text ? aic_json_text(value) : aic_json_print(value));
}

static int put_member(void *data, const char *key, const struct aic_json *value)
{
    if (!aic_json_is_array(value)) {
        put_value(data, key, value);
    }
    for (size_t i = 0; aic_json_is_array(value) && i < aic_json_count(value); i++) {
        put_value(data, key, aic_json_at(value, i));
    }
    return 0;
}

void openai_form_members(struct openai_form *form, const struct aic_json *object)
{
    (void)aic_json_each(object, put_member, form);
}

void openai_form_file(struct openai_form *form, const char *name, const char *file,
                      const char *type)
{
    begin_part(form, name);
    aic_buf_printf(form->to, "; filename=\"%s\"\r\nContent-Type: %s\r\n\r\n", file, type);
}

void openai_form_end(struct openai_form *form)
{
    aic_buf_printf(form->to, "\r\n--%s--\r\n", form->boundary);
}
