/* SPDX-License-Identifier: ISC */
/* A byte that says what it is, then a message of Deepgram's, a refusal, or an operator's `extra`.
 */
#include "deepgram/problem.h"
#include "deepgram/protocol.h"
#include "deepgram/query.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "dg-secret";

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_time(int64_t time_us)
{
    check(time_us >= -1 && time_us <= INT64_C(2000000000000));
}

static void check_fault(struct speech_fault *fault)
{
    speech_fault_hide(fault, secret);
    check(fault->category != AIC_CATEGORY_NONE && fault->scope != AIC_SCOPE_NONE);
    check(fault->message[0] != '\0' && !strstr(fault->message, secret));
    check(aic_utf8_valid(aic_str(fault->message)) && aic_utf8_valid(aic_str(fault->code)));
    for (const char *text = fault->message; *text; text++) {
        check((unsigned char)*text >= ' ' && *text != 0x7F);
    }
}

static void fuzz_message(struct aic_str text)
{
    struct deepgram_message m;
    struct aic_stt_word words[8];
    if (deepgram_message_read(text, &m) != AIC_OK) {
        check(m.root == NULL);
        return;
    }
    check_time(m.start_us);
    check_time(m.end_us);
    check(aic_utf8_valid(m.text));
    check((m.confidence >= 0 && m.confidence <= 1) || m.confidence == -1);
    uint32_t count = deepgram_message_words(&m, 1000, words, 8);
    check(count <= 8);
    for (uint32_t i = 0; i < count; i++) {
        check(words[i].text.len > 0 && words[i].speaker >= -1);
        check_time(words[i].start_us);
    }
    if (m.kind == DEEPGRAM_ERROR) {
        struct speech_fault fault;
        deepgram_problem_of_message(&fault, m.code, m.description);
        check_fault(&fault);
    }
    deepgram_message_finish(&m);
}

static void fuzz_refusal(int32_t status, struct aic_str body)
{
    struct speech_fault fault;
    deepgram_problem_of_answer(&fault, status, body);
    check_fault(&fault);
    const struct aic_error error = {
        .size = sizeof(error), .category = AIC_CATEGORY_NETWORK, .message = body};
    const struct aic_ws_event event = {.size = sizeof(event),
                                       .kind = AIC_WS_EVENT_CLOSED,
                                       .error = &error,
                                       .close_code = status * 4,
                                       .http_status = status % 2 ? status : 0,
                                       .close_reason = body};
    deepgram_problem_of_close(&fault, &event);
    check_fault(&fault);
}

static void fuzz_extra(struct aic_str text)
{
    static const struct deepgram_settings settings = {
        .url = "https://api.deepgram.com", .model = "nova-3", .utterance_end_ms = 1000};
    struct aic_json *extra = aic_json_parse(text, 0);
    struct aic_str terms[] = {text, AIC_STR("Miller")};
    struct deepgram_query query = {
        .settings = &settings,
        .format = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
        .language = "en",
        .terms = terms,
        .term_count = 2};
    struct aic_buf url;
    query.extra = deepgram_extra_problem(extra) ? NULL : extra;
    aic_buf_init(&url, 8192);
    (void)deepgram_query_write(&query, &url);
    for (size_t i = 0; !url.failed && i < url.len; i++) {
        check(url.data[i] > ' ' && url.data[i] <= '~');
    }
    aic_buf_finish(&url);
    aic_json_free(extra);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1) {
        return 0;
    }
    struct aic_str text = {(const char *)data + 1, size - 1};
    if (data[0] == 'm') {
        fuzz_message(text);
    } else if (data[0] == 'x') {
        fuzz_extra(text);
    } else {
        fuzz_refusal(300 + data[0], text);
    }
    return 0;
}
