/* SPDX-License-Identifier: ISC */
/* Whole dialogues, by text. */
#include "script_talk.h"

#include <unistd.h>

static void test_first_caller_changes_an_appointment(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "system", "You are an assistant.", NULL);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "I would like to change my appointment", "Which day");
    assert_says(&f, "Wednesday please", "time on Wednesday");
    assert_says(&f, "at ten thirty in the morning", "name");
    assert_says(&f, "my name is Mary Johnson",
                "Wednesday, ten thirty in the morning, for Mary Johnson. Is that right?");
    assert_says(&f, "yes that is right", "the change is noted. Is there anything else");
    assert_ends(&f, "no thank you goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_second_caller_says_it_in_other_words(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "hello, can I move my appointment to another day", "Which day");
    assert_says(&f, "Friday would be good", "time on Friday");
    assert_says(&f, "at three o'clock in the afternoon", "name");
    assert_says(&f, "this is Peter Miller",
                "Friday, three o'clock in the afternoon, for Peter Mil");
    assert_says(&f, "yes that's correct", "anything else");
    assert_ends(&f, "that is all, thank you, bye bye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_third_caller_books_a_new_appointment(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "I need a new appointment please", "Which day");
    assert_says(&f, "on Monday", "time on Monday");
    assert_says(&f, "nine o'clock", "name");
    assert_says(&f, "my name is Anna Smith", "Monday, nine o'clock, for Anna Smith");
    assert_says(&f, "yes please", "the new appointment is noted");
    assert_ends(&f, "goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

/* As a recogniser writes it down on a bad line. */
static void test_misheard_neighbours_do_not_matter(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "a would like the change might appointment", "Which day");
    assert_says(&f, "wednesday these", "time on Wednesday");
    assert_says(&f, "a ten thirty in the morning", "name");
    assert_says(&f, "may name is mary johnson", "for Mary Johnson");
    assert_says(&f, "yes that a right", "noted");
    assert_ends(&f, "today at ten you goodbye", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
}

static void test_one_sentence_may_answer_several_questions(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "can I move it to Wednesday at ten", "name");
    assert_says(&f, "I am Anna Smith", "Wednesday, ten o'clock, for Anna Smith");
    finish(&f);
}

static void test_the_read_back_may_be_corrected(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "change my appointment");
    (void)say(&f, "Wednesday at ten");
    assert_says(&f, "John Brown", "Wednesday, ten o'clock, for John Brown");
    assert_says(&f, "no, on Friday", "Friday, ten o'clock, for John Brown");
    assert_says(&f, "no that is wrong", "Sorry about that. ");
    assert_says(&f, "on Monday at nine o'clock", "Monday, nine o'clock, for John Brown");
    assert_says(&f, "yes Monday is right", "noted");
    finish(&f);
}

static void test_control_intents_work_everywhere(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "help", "You can change, book or cancel");
    (void)say(&f, "change my appointment");
    assert_says(&f, "are you a robot", "automated assistant with fixed answers");
    assert_says(&f, "sorry can you say that again", "automated assistant with fixed answers");
    assert_ends(&f, "I want to talk to an agent", "transfer", "{}");
    assert_ends(&f, "please stop calling me", "end_call", "{\"reason\":\"opt_out\"}");
    finish(&f);
}

static void test_repeat_before_anything_was_said_repeats_the_greeting(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "pardon", GREETING);
    finish(&f);
}

static void test_without_a_greeting_the_script_greets(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    assert_string_equal(answer(&f)->text, "How can I help you?");
    assert_says(&f, "book an appointment", "Which day");
    finish(&f);
}

static void test_a_host_that_asks_again_gets_the_question_again(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "book an appointment");
    assert_string_equal(answer(&f)->text, "What day would you like?");
    finish(&f);
}

static void test_misses_get_varied_replies_and_then_a_colleague(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    char first[1000];
    struct answer *a = say(&f, "purple elephants");
    assert_true(aic_str_copy(aic_str(a->text), first, sizeof(first)));
    a = say(&f, "purple elephants");
    assert_string_not_equal(a->text, first);
    assert_ends(&f, "purple elephants", "transfer", "{}");
    finish(&f);
}

static void test_an_understood_answer_forgives_misses(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    (void)say(&f, "book an appointment");
    assert_says(&f, "hm", "which day");
    assert_says(&f, "hm", "such as Monday");
    assert_says(&f, "what are my options", "You can");
    assert_says(&f, "hm", "which day");
    finish(&f);
}

static void test_variables_of_the_call_appear_in_replies(void **state)
{
    (void)state;
    struct fixture f;
    begin(&f);
    add_message(&f, "assistant", GREETING, NULL);
    assert_says(&f, "when is my appointment", "is the one in your letter.");
    f.context = "{\"call_id\":\"c\",\"variables\":{\"booked\":\"on Tuesday at noon\"}}";
    assert_says(&f, "when is my appointment", "is on Tuesday at noon.");
    finish(&f);
}

static const char hindi[] =
    "start = \"poochho\";\n"
    "variables = { naam = \"\"; };\n"
    "words = { din = [ \"सोमवार\", \"बुधवार\", \"शुक्रवार\" ]; };\n"
    "slots = { din = { from = \"din\"; }; };\n"
    "intents = {\n"
    "  alvida = { global = true; any = [ \"अलविदा\", \"फिर मिलेंगे\", \"नमस्ते जी बस\" ];\n"
    "             then = { say = \"धन्यवाद। अलविदा।\"; action = \"hangup\"; }; };\n"
    "  haan = { any = [ \"हाँ\", \"जी\" ]; };\n"
    "  nahin = { any = \"नहीं\"; };\n"
    "};\n"
    "misses = { max = 3; say = \"माफ़ कीजिए, फिर से कहिए।\";\n"
    "           then = { say = \"अलविदा।\"; action = \"hangup\"; }; };\n"
    "states = {\n"
    "  poochho = { say = \"कौन सा दिन?\"; slot = \"din\"; next = \"pakka\"; };\n"
    "  pakka = { say = \"{din|वह दिन} ठीक है?\";\n"
    "            on = { nahin = { clear = \"din\"; next = \"poochho\"; };\n"
    "                   haan = { next = \"ant\"; }; }; };\n"
    "  ant = { say = \"ठीक है। अलविदा।\"; action = \"hangup\"; };\n"
    "};\n";

static void test_a_dialogue_in_hindi(void **state)
{
    (void)state;
    char path[] = "/tmp/script-XXXXXX";
    int fd = mkstemp(path);
    assert_int_equal(write(fd, hindi, sizeof(hindi) - 1), sizeof(hindi) - 1);
    close(fd);
    struct fixture f;
    begin_with(&f, path);
    assert_string_equal(answer(&f)->text, "कौन सा दिन?");
    assert_says(&f, "बुधवार को।", "बुधवार ठीक है?");
    assert_says(&f, "नहीं, शुक्रवार", "शुक्रवार ठीक है?");
    assert_ends(&f, "हां जी", "end_call", "{\"reason\":\"completed\"}");
    assert_ends(&f, "अच्छा अलविदा!", "end_call", "{\"reason\":\"completed\"}");
    finish(&f);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_caller_changes_an_appointment),
        cmocka_unit_test(test_second_caller_says_it_in_other_words),
        cmocka_unit_test(test_third_caller_books_a_new_appointment),
        cmocka_unit_test(test_misheard_neighbours_do_not_matter),
        cmocka_unit_test(test_one_sentence_may_answer_several_questions),
        cmocka_unit_test(test_the_read_back_may_be_corrected),
        cmocka_unit_test(test_control_intents_work_everywhere),
        cmocka_unit_test(test_repeat_before_anything_was_said_repeats_the_greeting),
        cmocka_unit_test(test_without_a_greeting_the_script_greets),
        cmocka_unit_test(test_a_host_that_asks_again_gets_the_question_again),
        cmocka_unit_test(test_misses_get_varied_replies_and_then_a_colleague),
        cmocka_unit_test(test_an_understood_answer_forgives_misses),
        cmocka_unit_test(test_variables_of_the_call_appear_in_replies),
        cmocka_unit_test(test_a_dialogue_in_hindi),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
