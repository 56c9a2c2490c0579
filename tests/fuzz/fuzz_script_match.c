/* SPDX-License-Identifier: ISC */
#include "script/dialog.h"
#include "script/script_load.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Lists within lists, several ways to split a sentence, expressions, two scripts of letters. */
static const char text[] =
    "start = \"ask\";\n"
    "variables = { shop = \"Example Ltd\"; };\n"
    "words = {\n"
    "  hour = [ \"nine\", \"ten\", \"ten ten\" ];\n"
    "  clock = ( \"{hour} {hour}\", \"{hour} o'clock\", \"{hour}\" );\n"
    "  time = ( \"{clock} {clock} {clock}\", { say = \"at {clock}\"; value = \"{clock} sharp\"; } "
    ");\n"
    "  day = [ \"Monday\", \"सोमवार\", \"next {clock}\" ];\n"
    "};\n"
    "slots = { day = { from = \"day\"; }; time = { from = \"time\"; asked = \"clock\"; };\n"
    "          code = { regex = \"code (([a-c]|[0-9]+ ?)+)\"; }; };\n"
    "intents = {\n"
    "  bye = { global = true; any = \"bye\"; then = { say = \"Bye.\"; action = \"hangup\"; }; };\n"
    "  human = { global = true; any = \"agent\"; not = \"no {clock}\";\n"
    "            then = { say = \"Wait.\"; action = \"transfer\"; to = \"+15550100\";\n"
    "                     next = \"failed\"; }; };\n"
    "  again = { global = true; any = \"again\"; then = { action = \"repeat\"; }; };\n"
    "  no = { any = \"no\"; examples = [ \"no that is not what I said\" ]; };\n"
    "  yes = { regex = \"^(yes|yeah|हा)\"; examples = [ \"that is what I said on {day}\" ]; };\n"
    "};\n"
    "misses = { max = 2; say = [ \"{question}\", \"Hm? {question}\" ];\n"
    "           then = { set = { shop = \"x\"; }; next = \"end\"; }; };\n"
    "states = {\n"
    "  ask = { say = \"Day?\"; slot = \"day\"; next = \"when\"; };\n"
    "  when = { say = \"Time?\"; slot = \"time\"; takes = \"day\"; next = \"check\"; };\n"
    "  check = { say = \"{day|d}, {time|t}, {code|c}, {from|f}?\"; takes = [ \"day\", \"time\" ];\n"
    "            on = { no = { clear = [ \"day\", \"code\" ]; next = \"ask\"; };\n"
    "                   yes = { next = \"end\"; }; }; };\n"
    "  failed = { say = \"Nobody.\"; next = \"ask\"; };\n"
    "  end = { say = \"Bye {shop}.\"; action = \"hangup\"; };\n"
    "};\n";

static struct script *script;

static void report(void *data, uint32_t level, struct aic_str line)
{
    (void)data;
    (void)level;
    (void)line;
    abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    struct script_problems problems = {.file = "f", .report = report};
    script = script_load_text(AIC_STR(text), &problems);
    return 0;
}

/* Input: a memory on the first line, what is said in each turn on the others. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script_memory memory;
    struct aic_str rest = {(const char *)data, size};
    if (script_memory_init(&memory, script) != AIC_OK) {
        return 0;
    }
    for (int line = 0; line < 8 && (rest.len > 0 || line == 0); line++) {
        const char *end = rest.len > 0 ? memchr(rest.ptr, '\n', rest.len) : NULL;
        struct aic_str part = {rest.ptr, end ? (size_t)(end - rest.ptr) : rest.len};
        rest.ptr += part.len + (end != NULL);
        rest.len -= part.len + (end != NULL);
        if (line == 0) {
            (void)script_memory_read(&memory, script, part);
            continue;
        }
        struct script_answer answer;
        struct script_turn turn = {.spoke = part.len > 0, .said = part, .transfer_failed = true};
        script_answer_init(&answer);
        (void)script_dialog(script, &memory, &turn, &answer);
        struct aic_buf state;
        aic_buf_init(&state, SCRIPT_MEMORY_MAX_BYTES);
        script_memory_write(&memory, script, &state);
        if (state.failed) {
            abort();
        }
        aic_buf_finish(&state);
        script_answer_finish(&answer);
    }
    script_memory_finish(&memory, script);
    return 0;
}
