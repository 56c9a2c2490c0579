/* SPDX-License-Identifier: ISC */
#include "script/fold.h"
#include "script/match.h"
#include "script/memory.h"
#include "script/phrases.h"
#include "script/reply.h"
#include "script/script_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
    "start = \"ask\";\n"
    "variables = { shop = \"Example Ltd\"; patient = \"\"; };\n"
    "words = {\n"
    "  hour = ( \"nine\", \"ten\", \"eleven\", { say = [ \"11\" ]; value = \"eleven\"; } );\n"
    "  minutes = [ \"fifteen\", \"thirty\" ];\n"
    "  clock = ( \"{hour} {minutes}\", \"{hour} o'clock\",\n"
    "            { say = \"quarter past {hour}\"; value = \"{hour} fifteen\"; } );\n"
    "  time = ( \"{clock} in the morning\", \"{clock}\",\n"
    "           { say = \"at {hour}\"; value = \"{hour} o'clock\"; } );\n"
    "  day = [ \"Monday\", \"Wednesday\", \"Friday\" ];\n"
    "  digit = [ \"one\", \"two\", \"three\" ];\n"
    "  code = ( { say = \"{digit} {digit} {digit}\"; value = \"{digit}-{digit}-{digit}\"; } );\n"
    "};\n"
    "slots = {\n"
    "  day = { from = \"day\"; };\n"
    "  time = { from = \"time\"; asked = \"hour\"; };\n"
    "  code = { from = \"code\"; };\n"
    "  order = { regex = \"order (number )?([0-9]+)\"; group = 2; };\n"
    "};\n"
    "intents = {\n"
    "  bye = { global = true; any = [ \"goodbye\", \"bye bye\" ];\n"
    "          then = { say = \"Bye.\"; action = \"hangup\"; }; };\n"
    "  move = { any = [ \"move\", \"change\" ]; all = [ \"appointment\" ]; not = [ \"don't\" ]; "
    "};\n"
    "  when = { regex = \"^when (is|was) \"; };\n"
    "  bring = { examples = [ \"I would like to bring my brother along\",\n"
    "                         \"can my friend come with me on {day}\" ]; };\n"
    "  park = { examples = [ \"I would like to park my car nearby\", \"where is the car park\" ]; "
    "};\n"
    "  hindi = { any = [ \"अपॉइंटमेंट बदलना\", \"फ़ोन\" ]; };\n"
    "};\n"
    "misses = { say = \"What?\"; max = 2; then = { say = \"Bye.\"; action = \"hangup\"; }; };\n"
    "states = { ask = { say = [ \"One, {patient|friend}?\", \"Two?\" ];\n"
    "                   on = { move = { say = \"m\"; }; when = { say = \"w\"; };\n"
    "                          bring = { say = \"b\"; }; park = { say = \"p\"; };\n"
    "                          hindi = { say = \"h\"; }; }; }; };\n";

static void show(void *data, uint32_t level, struct aic_str line)
{
    (void)data;
    (void)level;
    (void)fprintf(stderr, "%.*s\n", (int)line.len, line.ptr);
}

static int load(void **state)
{
    struct script_problems problems = {.file = "t", .report = show};
    *state = script_load_text(aic_str(text), &problems);
    return *state ? 0 : -1;
}

static int unload(void **state)
{
    script_destroy(*state);
    return 0;
}

static void assert_folds(const char *from, const char *expected)
{
    struct aic_buf to;
    aic_buf_init(&to, 1000);
    script_fold(&to, aic_str(from));
    assert_string_equal(to.data ? to.data : "", expected);
    aic_buf_finish(&to);
}

static void test_folding_leaves_what_is_compared(void **state)
{
    (void)state;
    assert_folds("Hello, World!", "hello world");
    assert_folds("  That's  O\u2019Clock... ", "thats oclock");
    assert_folds("Caf\u00e9 CAFE\u0301 \u00dcber Stra\u00dfe", "cafe cafe uber strasse");
    assert_folds("10:30 a.m.", "10 30 a m");
    assert_folds("\uff28\uff49 \ufb01ne", "hi fine");
    assert_folds("\xff\xfe"
                 "a\xc3",
                 "a");
    assert_folds("...", "");
    assert_folds("", "");
    /* Devanagari: vowel signs stay, the nukta goes, candrabindu and anusvara are one, digits. */
    assert_folds("\u092e\u0948\u0902 \u0939\u093e\u0901\u0964",
                 "\u092e\u0948\u0902 \u0939\u093e\u0902");
    assert_folds("\u095e\u094b\u0928 \u092b\u093c\u094b\u0928",
                 "\u092b\u094b\u0928 \u092b\u094b\u0928");
    assert_folds("\u0967\u0968", "12");
}

static const struct script_intent *intent_named(const struct script *script, const char *name)
{
    for (uint32_t i = 0; i < script->intent_count; i++) {
        if (strcmp(script->intents[i].name, name) == 0) {
            return &script->intents[i];
        }
    }
    fail_msg("no intent %s", name);
    return NULL;
}

static bool hears(const struct script *script, const char *name, const char *said)
{
    struct script_match match;
    assert_int_equal(script_match_init(&match, script, aic_str(said)), AIC_OK);
    bool heard = script_match_intent(&match, intent_named(script, name));
    script_match_finish(&match);
    return heard;
}

static void test_intents_are_found_by_words_and_expressions(void **state)
{
    const struct script *script = *state;
    assert_true(hears(script, "bye", "today at ten you Goodbye!"));
    assert_true(hears(script, "bye", "okay bye-bye then"));
    assert_false(hears(script, "bye", "bye for now"));
    assert_true(hears(script, "move", "can I move the appointment"));
    assert_false(hears(script, "move", "can I move the meeting"));
    assert_false(hears(script, "move", "no, don't move the appointment"));
    assert_false(hears(script, "move", "removed appointments"));
    assert_true(hears(script, "when", "When is my appointment?"));
    assert_false(hears(script, "when", "say when is it"));
    assert_true(hears(script, "hindi", "मुझे अपना अपॉइंटमेंट बदलना है"));
    assert_true(hears(script, "hindi", "फोन"));
    assert_false(hears(script, "hindi", "बदलना"));
    assert_false(hears(script, "bye", ""));
}

static void test_a_whole_example_within_the_sentence_counts(void **state)
{
    const struct script *script = *state;
    assert_true(hears(script, "bring", "well can my friend come with me on Friday please"));
    assert_false(hears(script, "bring", "can my friend come with me on Sunday"));
}

static float likeness(const struct script *script, const char *name, const char *said)
{
    struct script_match match;
    assert_int_equal(script_match_init(&match, script, aic_str(said)), AIC_OK);
    float share = script_match_likeness(&match, intent_named(script, name));
    script_match_finish(&match);
    return share;
}

static void test_likeness_counts_the_words_that_tell_intents_apart(void **state)
{
    const struct script *script = *state;
    assert_true(likeness(script, "bring", "I would to bring my brother along") > 0.8F);
    assert_true(likeness(script, "bring", "would like bring my brother a long") > 0.6F);
    /* All of "I would like to ... my ..." is shared with the other intent. */
    assert_true(likeness(script, "bring", "I would like to see my doctor") < 0.55F);
    assert_true(likeness(script, "park", "where is a car park") > 0.7F);
    assert_true(likeness(script, "park", "") == 0);
}

static void assert_slot(const struct script *script, const char *name, bool asked, const char *said,
                        const char *expected)
{
    struct script_match match;
    struct aic_buf value;
    aic_buf_init(&value, 1000);
    assert_int_equal(script_match_init(&match, script, aic_str(said)), AIC_OK);
    uint32_t slot = script_name_find(script, aic_str(name));
    bool found = script_match_slot(&match, &script->slots[slot], asked, &value);
    if (found != (expected != NULL) || (expected && strcmp(value.data, expected) != 0)) {
        fail_msg("\"%s\": %s is \"%s\"", said, name, found ? value.data : "(not found)");
    }
    aic_buf_finish(&value);
    script_match_finish(&match);
}

static void test_slots_get_canonical_values(void **state)
{
    const struct script *script = *state;
    assert_slot(script, "day", false, "on wednesday please", "Wednesday");
    assert_slot(script, "day", false, "on sunday", NULL);
    assert_slot(script, "time", false, "at ten thirty in the morning", "ten thirty in the morning");
    assert_slot(script, "time", false, "quarter past eleven", "eleven fifteen");
    assert_slot(script, "time", false, "11 o'clock", "eleven o'clock");
    assert_slot(script, "time", false, "at ten", "ten o'clock");
    assert_slot(script, "time", false, "uh at at ten fifteen uh", "ten fifteen");
    assert_slot(script, "code", false, "it is one three two", "one-three-two");
    assert_slot(script, "order", false, "My Order Number 4711!", "4711");
    assert_slot(script, "order", false, "my order", NULL);
}

static void test_of_several_findings_the_longest_and_then_the_last_counts(void **state)
{
    const struct script *script = *state;
    assert_slot(script, "day", false, "not Monday but Friday", "Friday");
    assert_slot(script, "time", false, "ten thirty in the morning or at nine",
                "ten thirty in the morning");
}

static void test_asked_words_count_only_when_asked(void **state)
{
    const struct script *script = *state;
    assert_slot(script, "time", false, "ten", NULL);
    assert_slot(script, "time", true, "ten", "ten");
    assert_slot(script, "time", true, "nine or at ten", "ten o'clock");
}

static void test_of_a_long_speech_the_end_counts(void **state)
{
    const struct script *script = *state;
    struct aic_buf said;
    aic_buf_init(&said, 10000);
    aic_buf_text(&said, "goodbye ");
    for (int i = 0; i < 70; i++) {
        aic_buf_text(&said, "and ");
    }
    assert_false(hears(script, "bye", said.data));
    aic_buf_text(&said, "on Friday");
    assert_slot(script, "day", false, said.data, "Friday");
    for (int i = 0; i < 2000; i++) {
        aic_buf_text(&said, "\xe0\xa4");
    }
    aic_buf_text(&said, " monday");
    assert_slot(script, "day", false, said.data, "Monday");
    aic_buf_finish(&said);
}

static void put(const struct script *script, const struct script_memory *memory,
                const struct aic_json *context, const char *reply, const char *expected)
{
    struct aic_buf to;
    aic_buf_init(&to, 1000);
    struct script_telling telling = {
        .script = script, .memory = memory, .context = context, .question = "Well?"};
    script_reply_put(&to, &telling, reply);
    assert_string_equal(to.data, expected);
    aic_buf_finish(&to);
}

static void test_replies_take_variables_in_their_order(void **state)
{
    const struct script *script = *state;
    struct script_memory memory;
    assert_int_equal(script_memory_init(&memory, script), AIC_OK);
    struct aic_json *context = aic_json_parse(
        AIC_STR("{\"from\":\"+15550100\",\"variables\":{\"patient\":\"Ada\",\"shop\":7}}"), 0);
    put(script, &memory, NULL, "{patient|friend} of {shop}, {question}",
        "friend of Example Ltd, Well?");
    put(script, &memory, context, "{patient|friend} of {shop} {from}", "Ada of 7 +15550100");
    uint32_t patient = script_name_find(script, AIC_STR("patient"));
    assert_int_equal(script_memory_set(&memory, patient, AIC_STR("Bob")), AIC_OK);
    put(script, &memory, context, "{patient|friend}", "Bob");
    assert_int_equal(script_memory_set(&memory, patient, AIC_STR("")), AIC_OK);
    put(script, &memory, context, "{patient|friend}!", "friend!");
    aic_json_free(context);
    script_memory_finish(&memory, script);
}

static void test_memory_survives_its_journey(void **state)
{
    const struct script *script = *state;
    struct script_memory memory;
    assert_int_equal(script_memory_init(&memory, script), AIC_OK);
    memory.state = 0;
    memory.misses = 1;
    memory.told[0] = 3;
    assert_int_equal(script_memory_set(&memory, 0, AIC_STR("Fri\"day")), AIC_OK);
    assert_int_equal(script_memory_set_last(&memory, AIC_STR("Well?")), AIC_OK);
    struct aic_buf first;
    aic_buf_init(&first, 10000);
    script_memory_write(&memory, script, &first);
    script_memory_finish(&memory, script);

    assert_int_equal(script_memory_init(&memory, script), AIC_OK);
    assert_int_equal(script_memory_read(&memory, script, aic_buf_view(&first)), AIC_OK);
    assert_string_equal(memory.values[0], "Fri\"day");
    struct aic_buf second;
    aic_buf_init(&second, 10000);
    script_memory_write(&memory, script, &second);
    assert_string_equal(first.data, second.data);
    script_memory_finish(&memory, script);
    aic_buf_finish(&first);
    aic_buf_finish(&second);
}

static void test_memory_of_something_else_is_refused(void **state)
{
    const struct script *script = *state;
    static const char *const bad[] = {"x",
                                      "{}",
                                      "[]",
                                      "{\"v\":2,\"state\":\"ask\"}",
                                      "{\"v\":1,\"state\":\"gone\"}",
                                      "{\"v\":1,\"state\":\"ask\",\"failed\":\"gone\"}"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct script_memory memory;
        assert_int_equal(script_memory_init(&memory, script), AIC_OK);
        assert_int_equal(script_memory_read(&memory, script, aic_str(bad[i])), AIC_ERROR_PROTOCOL);
        assert_int_equal(memory.state, SCRIPT_NONE);
        script_memory_finish(&memory, script);
    }
}

static void test_memory_from_another_version_keeps_what_fits(void **state)
{
    const struct script *script = *state;
    struct script_memory memory;
    assert_int_equal(script_memory_init(&memory, script), AIC_OK);
    assert_int_equal(
        script_memory_read(&memory, script,
                           AIC_STR("{\"v\":1,\"state\":\"ask\",\"misses\":99,\"values\":{\"day\":"
                                   "\"Friday\",\"gone\":\"x\",\"time\":3,\"code\":\"a\\u0000b\"},"
                                   "\"told\":{\"0\":-1,\"999\":1,\"x\":1,\"1\":2}}")),
        AIC_OK);
    assert_string_equal(memory.values[0], "Friday");
    assert_null(memory.values[1]);
    assert_null(memory.values[2]);
    assert_int_equal(memory.misses, 0);
    assert_int_equal(memory.told[0], 0);
    assert_int_equal(memory.told[1], 2);
    script_memory_finish(&memory, script);
}

struct collected {
    struct aic_buf text; /* "|phrase|phrase|" */
    uint32_t count;
};

static void collect(void *data, struct aic_str phrase)
{
    struct collected *collected = data;
    aic_buf_str(&collected->text, phrase);
    aic_buf_char(&collected->text, '|');
    collected->count++;
}

static void collect_all(const struct script *script, uint32_t max, struct collected *collected)
{
    *collected = (struct collected){0};
    aic_buf_init(&collected->text, 1 << 20);
    aic_buf_char(&collected->text, '|');
    uint32_t given = script_phrases(script, max, collect, collected);
    assert_int_equal(given, collected->count);
    assert_true(collected->count <= max);
}

static void test_phrases_write_out_lists_as_they_are_spoken(void **state)
{
    const struct script *script = *state;
    struct collected all;
    collect_all(script, 5000, &all);
    static const char *const expected[] = {"|goodbye|",
                                           "|move|",
                                           "|appointment|",
                                           "|can my friend come with me on Wednesday|",
                                           "|nine o'clock|",
                                           "|ten thirty in the morning|",
                                           "|quarter past eleven|",
                                           "|at nine|",
                                           "|eleven|",
                                           "|Monday|",
                                           "|one three two|",
                                           "|अपॉइंटमेंट बदलना|"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        if (!strstr(all.text.data, expected[i])) {
            fail_msg("%s is missing in %s", expected[i], all.text.data);
        }
    }
    assert_null(strstr(all.text.data, "11"));
    assert_null(strstr(all.text.data, "{"));
    assert_null(strstr(all.text.data, "don't"));
    aic_buf_finish(&all.text);
}

static void test_too_many_phrases_are_sampled_evenly(void **state)
{
    const struct script *script = *state;
    struct collected some;
    struct collected again;
    collect_all(script, 60, &some);
    assert_true(some.count >= 50);
    static const char *const expected[] = {"Monday|", "Wednesday|", "Friday|", "one ",     " three",
                                           "nine",    "ten",        "eleven",  "|goodbye|"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
        assert_non_null(strstr(some.text.data, expected[i]));
    }
    collect_all(script, 60, &again);
    assert_string_equal(some.text.data, again.text.data);
    aic_buf_finish(&some.text);
    aic_buf_finish(&again.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_folding_leaves_what_is_compared),
        cmocka_unit_test(test_intents_are_found_by_words_and_expressions),
        cmocka_unit_test(test_a_whole_example_within_the_sentence_counts),
        cmocka_unit_test(test_likeness_counts_the_words_that_tell_intents_apart),
        cmocka_unit_test(test_slots_get_canonical_values),
        cmocka_unit_test(test_of_several_findings_the_longest_and_then_the_last_counts),
        cmocka_unit_test(test_asked_words_count_only_when_asked),
        cmocka_unit_test(test_of_a_long_speech_the_end_counts),
        cmocka_unit_test(test_replies_take_variables_in_their_order),
        cmocka_unit_test(test_memory_survives_its_journey),
        cmocka_unit_test(test_memory_of_something_else_is_refused),
        cmocka_unit_test(test_memory_from_another_version_keeps_what_fits),
        cmocka_unit_test(test_phrases_write_out_lists_as_they_are_spoken),
        cmocka_unit_test(test_too_many_phrases_are_sampled_evenly),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
