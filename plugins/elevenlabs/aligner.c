/* SPDX-License-Identifier: ISC */
#include "aligner.h"

#include <string.h>

enum { TEXT_MAX_BYTES = 256 * 1024 };

void eleven_spans_init(struct eleven_spans *spans)
{
    spans->count = 0;
    aic_buf_init(&spans->text, TEXT_MAX_BYTES);
}

void eleven_spans_finish(struct eleven_spans *spans)
{
    aic_buf_finish(&spans->text);
}

void eleven_spans_seal(struct eleven_spans *spans)
{
    const char *text = spans->text.data;
    for (size_t i = 0; i < spans->count; i++) {
        spans->list[i].text.ptr = text;
        text += spans->list[i].text.len;
    }
}

static bool is_blank(struct aic_str text)
{
    return text.len == 0 ||
           (text.len == 1 && (text.ptr[0] == ' ' || (text.ptr[0] >= '\t' && text.ptr[0] <= '\r')));
}

int64_t eleven_chars(struct aic_str text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool is_inner = ((unsigned char)text.ptr[i] & 0xC0) == 0x80;
        count += !is_inner && !is_blank((struct aic_str){text.ptr + i, 1});
    }
    return count;
}

static void end_word(struct eleven_aligner *aligner, struct eleven_spans *spans)
{
    size_t bytes = aligner->word_bytes;
    aligner->word_bytes = 0;
    if (bytes == 0 || spans->count == ELEVEN_SPANS_MAX ||
        aic_buf_add(&spans->text, aligner->word, bytes) != AIC_OK) {
        return;
    }
    spans->list[spans->count++] =
        (struct aic_tts_span){.text = {NULL, bytes},
                              .start_us = aligner->word_start_us,
                              .duration_us = aligner->word_end_us - aligner->word_start_us};
}

static void take_char(struct eleven_aligner *aligner, struct aic_str text, int64_t start_us,
                      int64_t end_us, struct eleven_spans *spans)
{
    if (is_blank(text)) {
        end_word(aligner, spans);
        return;
    }
    aligner->chars++;
    if (aligner->word_bytes == 0) {
        aligner->word_start_us = start_us;
        aligner->word_end_us = start_us;
    }
    if (aligner->word_bytes + text.len <= sizeof(aligner->word)) {
        memcpy(aligner->word + aligner->word_bytes, text.ptr, text.len);
        aligner->word_bytes += text.len;
    }
    if (end_us > aligner->word_end_us) {
        aligner->word_end_us = end_us;
    }
}

void eleven_aligner_take(struct eleven_aligner *aligner, const struct aic_json *alignment,
                         int64_t base_us, struct eleven_spans *spans)
{
    size_t count = eleven_alignment_count(alignment);
    for (size_t i = 0; i < count; i++) {
        struct eleven_char c = eleven_alignment_at(alignment, i);
        int64_t start_us = base_us + c.start_us;
        take_char(aligner, c.text, start_us, start_us + c.duration_us, spans);
    }
}

void eleven_aligner_end(struct eleven_aligner *aligner, struct eleven_spans *spans)
{
    end_word(aligner, spans);
}
