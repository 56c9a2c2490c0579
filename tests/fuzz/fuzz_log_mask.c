/* SPDX-License-Identifier: ISC */
/* No text whatever may show a secret or a whole number, or break the line it stands in. */
#include "base/log_line.h"

#include "buf.h"
#include "json.h"
#include "utf8.h"

#include <stdlib.h>
#include <string.h>

static const char *const hidden[] = {"sk-secret", "secretary", "sk-secret-longer", "aaaaaaa",
                                     "4915123456"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_good)
{
    if (!is_good) {
        abort();
    }
}

static void check_text(const char *text, size_t length)
{
    for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
        check(!memmem(text, length, hidden[i], strlen(hidden[i])));
    }
    size_t digits = 0;
    bool in_number = false;
    for (size_t i = 0; i < length; i++) {
        bool is_digit = text[i] >= '0' && text[i] <= '9';
        digits = is_digit && in_number ? digits + 1 : 0;
        in_number = text[i] == '+' || (in_number && is_digit);
        check(digits < 8);
    }
}

static int check_member(void *data, const char *key, const struct aic_json *value)
{
    (void)data;
    (void)key;
    struct aic_str text = aic_json_text(value);
    check_text(text.ptr, text.len);
    return 0;
}

static void check_line(const struct mask_secrets *secrets, const struct log_line *line,
                       enum log_format format)
{
    char text[LOG_LINE_MAX];
    size_t length = log_line_format(text, format, secrets, line);
    check(length > 0 && length <= LOG_LINE_MAX);
    check(memchr(text, '\n', length) == text + length - 1);
    check(aic_utf8_valid((struct aic_str){text, length}));
    if (format == LOG_FORMAT_JSON) {
        struct aic_json *json = aic_json_parse((struct aic_str){text, length}, 0);
        check(json);
        (void)aic_json_each(json, check_member, NULL);
        aic_json_free(json);
    } else if (!memmem(text, length, "\\u", 2)) {
        /* The digits of an escape may complete what looks like a secret and is none. */
        check_text(text, length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct mask_secrets secrets;
    if (secrets.count == 0) {
        for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++) {
            check(mask_add(&secrets, aic_str(hidden[i])) == AIC_OK);
        }
    }
    if (size < 2) {
        return 0;
    }
    char masked[300];
    size_t room = 1 + data[0];
    struct aic_str text = {(const char *)data + 2, size - 2};
    size_t length = mask_text(&secrets, text, data[1] & 1, masked, room);
    check(length < room && masked[length] == '\0');
    check_text(masked, length);

    size_t half = text.len / 2;
    const struct log_field fields[] = {LOG_T("a", text),
                                       LOG_T("b", ((struct aic_str){text.ptr, half})),
                                       LOG_I("n", size),
                                       {.key = NULL}};
    struct log_line line = {.level = AIC_LOG_INFO,
                            .is_cut = data[1] & 1,
                            .area = "fuzz",
                            .message = {text.ptr + half, text.len - half},
                            .fields = fields,
                            .worker = -1};
    check_line(&secrets, &line, LOG_FORMAT_JSON);
    check_line(&secrets, &line, LOG_FORMAT_LOGFMT);
    return 0;
}
