/* SPDX-License-Identifier: ISC */
/* A byte that says what it is, then a message of ElevenLabs' socket, a refusal, or `extra`. */
#include "elevenlabs/aligner.h"
#include "elevenlabs/problem.h"
#include "elevenlabs/request.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char secret[] = "xi-secret";

static void check(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_fault(struct speech_fault *fault)
{
    speech_fault_hide(fault, secret);
    check(fault->category != AIC_CATEGORY_NONE && fault->scope != AIC_SCOPE_NONE);
    check(fault->message[0] != '\0' && !strstr(fault->message, secret));
    check(aic_utf8_valid(aic_str(fault->message)) && aic_utf8_valid(aic_str(fault->code)));
}

static void check_spans(struct eleven_spans *spans)
{
    eleven_spans_seal(spans);
    check(spans->count <= ELEVEN_SPANS_MAX);
    for (size_t i = 0; i < spans->count; i++) {
        check(spans->list[i].text.len > 0 && spans->list[i].text.len <= ELEVEN_WORD_MAX_BYTES);
        check(spans->list[i].start_us >= 0 && spans->list[i].duration_us >= 0);
        check(spans->list[i].text.ptr >= spans->text.data);
        check(spans->list[i].text.ptr + spans->list[i].text.len <=
              spans->text.data + spans->text.len);
    }
}

static void fuzz_message(struct aic_str text)
{
    struct eleven_message m;
    if (eleven_message_read(text, &m) != AIC_OK) {
        check(m.root == NULL);
        return;
    }
    struct eleven_aligner aligner = {.chars = 0};
    struct eleven_spans spans;
    eleven_spans_init(&spans);
    eleven_aligner_take(&aligner, m.alignment, 0, &spans);
    eleven_aligner_take(&aligner, m.alignment, 1000000, &spans);
    eleven_aligner_end(&aligner, &spans);
    check_spans(&spans);
    eleven_spans_finish(&spans);
    struct speech_fault fault;
    eleven_problem_of_message(&fault, m.error, m.description);
    check_fault(&fault);
    eleven_message_finish(&m);
}

static void fuzz_refusal(int32_t status, struct aic_str body)
{
    struct speech_fault fault;
    eleven_problem_of_answer(&fault, status, body);
    check_fault(&fault);
    const struct aic_ws_event event = {.size = sizeof(event),
                                       .kind = AIC_WS_EVENT_CLOSED,
                                       .close_code = status * 4,
                                       .http_status = status % 2 ? status : 0,
                                       .close_reason = body};
    eleven_problem_of_close(&fault, &event);
    check_fault(&fault);
    check(eleven_number(body) >= -1);
}

static void fuzz_extra(struct aic_str text)
{
    struct aic_json *extra = aic_json_parse(text, 0);
    struct eleven_settings settings = {.url = "https://api.elevenlabs.io",
                                       .model = "eleven_flash_v2_5",
                                       .voice = "v",
                                       .normalization = "auto",
                                       .stability = 0.5,
                                       .similarity = -1,
                                       .style = -1,
                                       .speed = -1};
    const struct eleven_request request = {.settings = &settings,
                                           .voice = "v",
                                           .language = "en",
                                           .format = {AIC_CODEC_MULAW, 8000, 1, 0}};
    struct aic_buf url;
    struct aic_buf body;
    settings.extra = eleven_extra_problem(extra) ? NULL : extra;
    aic_buf_init(&url, 1 << 20);
    aic_buf_init(&body, 1 << 20);
    eleven_socket_url(&request, &url);
    eleven_body_write(&request, text, text, &body);
    struct aic_json *written = aic_json_parse(aic_buf_view(&body), 1 << 20);
    check(body.failed || aic_json_is_object(written));
    aic_json_free(written);
    aic_buf_clear(&body);
    eleven_begin_write(&settings, 1, &body);
    written = aic_json_parse(aic_buf_view(&body), 1 << 20);
    check(body.failed || aic_str_equal(aic_json_get_text(written, "context_id"), "1"));
    aic_json_free(written);
    aic_buf_finish(&url);
    aic_buf_finish(&body);
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
