/* SPDX-License-Identifier: ISC */
#include "script/dialog.h"
#include "script/phrases.h"
#include "script/script_load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp): the sanitizer's name
const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the text that it was reading when it meets a syntax error. */
// NOLINTNEXTLINE(bugprone-reserved-identifier,cert-dcl37-c,cert-dcl51-cpp)
const char *__lsan_default_suppressions(void)
{
    return "leak:libconfig\n";
}

static void ignore_line(void *data, uint32_t level, struct aic_str line)
{
    (void)data;
    (void)level;
    (void)line;
}

static void ignore_phrase(void *data, struct aic_str phrase)
{
    (void)data;
    (void)phrase;
}

/* A script that was accepted must hold what the checks promise: each turn of it ends. */
static void talk(const struct script *script)
{
    static const char *const sentences[] = {"", "yes", "a b c", "at ten thirty on Monday", "bye"};
    struct script_memory memory;
    if (script_memory_init(&memory, script) != AIC_OK) {
        return;
    }
    for (size_t i = 0; i < sizeof(sentences) / sizeof(sentences[0]); i++) {
        struct script_answer answer;
        struct script_turn turn = {.spoke = i > 0, .said = aic_str(sentences[i])};
        script_answer_init(&answer);
        (void)script_dialog(script, &memory, &turn, &answer);
        script_answer_finish(&answer);
    }
    script_memory_finish(&memory, script);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script_problems problems = {.file = "f", .report = ignore_line};
    struct aic_str text = {(const char *)data, size};
    struct script *script = script_load_text(text, &problems);
    if (script) {
        (void)script_phrases(script, 50, ignore_phrase, NULL);
        talk(script);
        script_destroy(script);
    }
    return 0;
}
