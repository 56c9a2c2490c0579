/* SPDX-License-Identifier: ISC */
/* A form of anybody's, as a webhook's body or query. */
#include "twilio/form.h"

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

static bool is_same(struct aic_str a, struct aic_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* What is written from the pairs is read as the same pairs. */
static void check_round_trip(const struct twilio_form *form)
{
    struct twilio_form again;
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    for (size_t i = 0; i < form->count; i++) {
        aic_buf_char(&text, '&');
        twilio_form_escape(&text, form->pairs[i].name);
        aic_buf_char(&text, '=');
        twilio_form_escape(&text, form->pairs[i].value);
    }
    check(twilio_form_parse(aic_buf_view(&text), &again) == AIC_OK);
    check(again.count == form->count);
    for (size_t i = 0; i < form->count; i++) {
        check(is_same(again.pairs[i].name, form->pairs[i].name));
        check(is_same(again.pairs[i].value, form->pairs[i].value));
    }
    twilio_form_finish(&again);
    aic_buf_finish(&text);
}

/* A signature does not depend on the order in which fields come. */
static void check_join(struct twilio_form *form)
{
    struct aic_buf once;
    struct aic_buf twice;
    aic_buf_init(&once, 1 << 20);
    aic_buf_init(&twice, 1 << 20);
    twilio_form_join(&once, form);
    for (size_t i = 0; i < form->count / 2; i++) {
        struct twilio_pair pair = form->pairs[i];
        form->pairs[i] = form->pairs[form->count - 1 - i];
        form->pairs[form->count - 1 - i] = pair;
    }
    twilio_form_join(&twice, form);
    check(!once.failed && is_same(aic_buf_view(&once), aic_buf_view(&twice)));
    aic_buf_finish(&once);
    aic_buf_finish(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct twilio_form form;
    if (twilio_form_parse((struct aic_str){(const char *)data, size}, &form) != AIC_OK) {
        return 0;
    }
    check(form.count <= TWILIO_FORM_PAIRS);
    struct aic_str value = twilio_form_get(&form, "CallSid");
    check(aic_utf8_valid(value) && (value.len == 0 || !memchr(value.ptr, '\0', value.len)));
    check_round_trip(&form);
    check_join(&form);
    twilio_form_finish(&form);
    return 0;
}
