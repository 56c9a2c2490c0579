/* SPDX-License-Identifier: ISC */
/* Any text in the places of a document that hold text of others: markup never gets out of them. */
#include "twilio/twiml.h"
#include "twilio/whisper.h"

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

static size_t count_of(const struct aic_buf *text, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < text->len; i++) {
        count += text->data[i] == c;
    }
    return count;
}

/* A document has the tags and quotes that it should have, and only characters of XML. */
static void check_document(struct aic_buf *xml, size_t tags, size_t quotes)
{
    if (!xml->failed) {
        check(aic_utf8_valid(aic_buf_view(xml)));
        check(count_of(xml, '<') == tags && count_of(xml, '>') == tags);
        check(count_of(xml, '"') == quotes + 4);
        for (size_t i = 0; i < xml->len; i++) {
            check((unsigned char)xml->data[i] >= ' ' || xml->data[i] == '\n');
        }
    }
    aic_buf_finish(xml);
    aic_buf_init(xml, TWILIO_TWIML_MAX_BYTES);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    char *word = aic_str_dup(text);
    struct aic_buf xml;
    const struct twilio_voice voice = {.name = word, .language = "en-US"};
    size_t said = word[0] ? 2 : 0;
    aic_buf_init(&xml, TWILIO_TWIML_MAX_BYTES);
    twilio_twiml_stream(&xml, "https://voice.example.com", word, word, false);
    check_document(&xml, 11, 16);
    twilio_twiml_hangup(&xml, &voice, AIC_STR("Bye"));
    check_document(&xml, 6, 2 + said);
    twilio_twiml_digits(&xml, "https://voice.example.com", word, text);
    check_document(&xml, 6, 4);
    const struct twilio_transfer transfer = {
        .to = "+15551230009", .caller_id = word, .whisper_url = word, .action_url = word};
    twilio_twiml_transfer(&xml, &transfer);
    check_document(&xml, 7, 4 + 3 * said);
    struct aic_buf plain;
    aic_buf_init(&plain, TWILIO_WHISPER_MAX_BYTES);
    check(twilio_whisper_open(&plain, "token", text) != AIC_OK);
    check(plain.len == 0);
    aic_buf_finish(&plain);
    aic_buf_finish(&xml);
    free(word);
    return 0;
}
