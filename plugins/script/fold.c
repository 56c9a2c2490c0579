/* SPDX-License-Identifier: ISC */
#include "fold.h"

#include "utf8.h"

#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

enum { DECOMPOSED_MAX = 32 };

enum {
    NUKTA = 0x093c,
    CANDRABINDU = 0x0901,
    ANUSVARA = 0x0902,
    DIGIT_ZERO = 0x0966,
    DIGIT_NINE = 0x096f
};

static bool is_apostrophe(uint32_t code)
{
    return code == '\'' || code == '`' || code == 0x2018 || code == 0x2019 || code == 0x02bc;
}

/* Accents in the narrow sense: marks that belong to no script of their own. */
static bool is_accent(utf8proc_int32_t code)
{
    return (code >= 0x0300 && code <= 0x036f) || (code >= 0x1ab0 && code <= 0x1aff) ||
           (code >= 0x1dc0 && code <= 0x1dff) || (code >= 0x20d0 && code <= 0x20ff) ||
           (code >= 0xfe20 && code <= 0xfe2f) || code == NUKTA;
}

static bool is_of_a_word(utf8proc_int32_t code)
{
    switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
        return true;
    default:
        return false;
    }
}

static utf8proc_int32_t unify(utf8proc_int32_t code)
{
    if (code >= DIGIT_ZERO && code <= DIGIT_NINE) {
        return '0' + (code - DIGIT_ZERO);
    }
    return code == CANDRABINDU ? ANUSVARA : code;
}

static void put_space(struct aic_buf *to)
{
    if (to->len > 0 && to->data[to->len - 1] != ' ') {
        aic_buf_char(to, ' ');
    }
}

/* Appends what is left of one character. */
static void put_folded(struct aic_buf *to, uint32_t character)
{
    utf8proc_int32_t codes[DECOMPOSED_MAX];
    int boundary = 0;
    utf8proc_ssize_t count = utf8proc_decompose_char(
        (utf8proc_int32_t)character, codes, DECOMPOSED_MAX,
        UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE, &boundary);
    for (utf8proc_ssize_t i = 0; i < count && i < DECOMPOSED_MAX; i++) {
        if (is_accent(codes[i])) {
            continue;
        }
        if (!is_of_a_word(codes[i])) {
            put_space(to);
            continue;
        }
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t length = utf8proc_encode_char(unify(codes[i]), bytes);
        aic_buf_add(to, bytes, (size_t)length);
    }
}

void script_fold(struct aic_buf *to, struct aic_str text)
{
    size_t begin = to->len;
    for (size_t i = 0; i < text.len;) {
        uint32_t code = 0;
        size_t length = aic_utf8_decode(text.ptr + i, text.len - i, &code);
        i += length ? length : 1;
        if (length == 0) {
            put_space(to);
        } else if (!is_apostrophe(code)) {
            put_folded(to, code);
        }
    }
    if (to->len > begin && to->data[to->len - 1] == ' ') {
        to->data[--to->len] = '\0';
    }
}

void script_fold_regex(struct aic_buf *to, struct aic_str expression)
{
    for (size_t i = 0; i < expression.len;) {
        uint32_t code = 0;
        size_t length = aic_utf8_decode(expression.ptr + i, expression.len - i, &code);
        if (length > 1) {
            put_folded(to, code);
        } else {
            aic_buf_char(to, expression.ptr[i]);
        }
        i += length ? length : 1;
    }
}

struct aic_str script_fold_next(struct aic_str *folded)
{
    while (folded->len > 0 && folded->ptr[0] == ' ') {
        folded->ptr++;
        folded->len--;
    }
    size_t length = 0;
    while (length < folded->len && folded->ptr[length] != ' ') {
        length++;
    }
    struct aic_str word = {folded->ptr, length};
    folded->ptr += length;
    folded->len -= length;
    return word;
}
