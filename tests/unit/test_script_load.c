/* SPDX-License-Identifier: ISC */
#include "script/script_load.h"

#include "buf.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct lines {
    struct aic_buf text;
};

static void collect(void *data, uint32_t level, struct aic_str line)
{
    struct lines *lines = data;
    (void)level;
    aic_buf_str(&lines->text, line);
    aic_buf_char(&lines->text, '\n');
}

/* Loads a text; the script, or NULL with what was reported in `lines`. */
static struct script *load(struct lines *lines, struct aic_str text)
{
    aic_buf_init(&lines->text, 1 << 16);
    struct script_problems problems = {.file = "s.conf", .report = collect, .data = lines};
    struct script *script = script_load_text(text, &problems);
    assert_true((script != NULL) == (problems.count == 0));
    return script;
}

/* A good script with one part replaced. */
static char *with(const char *old, const char *new)
{
    static const char good[] =
        "start = \"ask\";\n"                                                     /* 1 */
        "variables = { shop = \"Example Ltd\"; };\n"                             /* 2 */
        "words = { day = [ \"Monday\", \"Friday\" ]; };\n"                       /* 3 */
        "slots = { day = { from = \"day\"; }; };\n"                              /* 4 */
        "intents = {\n"                                                          /* 5 */
        "  bye = { global = true; any = [ \"bye\" ];\n"                          /* 6 */
        "          then = { say = \"Goodbye.\"; action = \"hangup\"; }; };\n"    /* 7 */
        "  yes = { any = [ \"yes\" ]; };\n"                                      /* 8 */
        "};\n"                                                                   /* 9 */
        "misses = { max = 2; say = \"What?\"; then = { next = \"end\"; }; };\n"  /* 10 */
        "states = {\n"                                                           /* 11 */
        "  ask = { say = \"Which day?\"; slot = \"day\"; next = \"check\"; };\n" /* 12 */
        "  check = { say = \"{day|A day} at {shop}?\";\n"                        /* 13 */
        "            on = { yes = { say = \"Good.\"; next = \"end\"; }; }; };\n" /* 14 */
        "  end = { say = \"Bye.\"; action = \"hangup\"; };\n"                    /* 15 */
        "};\n";
    const char *at = strstr(good, old);
    assert_non_null(at);
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    aic_buf_add(&text, good, (size_t)(at - good));
    aic_buf_text(&text, new);
    aic_buf_text(&text, at + strlen(old));
    return aic_buf_detach(&text);
}

/* What is reported when `old` of the good script is replaced by `new`. */
static void assert_reports(const char *old, const char *new, const char *expected)
{
    struct lines lines;
    char *text = with(old, new);
    struct script *script = load(&lines, aic_str(text));
    const char *reported = lines.text.data ? lines.text.data : "";
    if (script || !strstr(reported, expected)) {
        fail_msg("with \"%s\" expected \"%s\", got \"%s\"", new, expected, reported);
    }
    aic_buf_finish(&lines.text);
    free(text);
}

static void test_a_good_script_is_loaded_without_a_word(void **state)
{
    (void)state;
    struct lines lines;
    char *text = with("start", "start");
    struct script *script = load(&lines, aic_str(text));
    assert_non_null(script);
    assert_null(lines.text.data);
    assert_int_equal(script->state_count, 3);
    assert_string_equal(script->states[script->start].name, "ask");
    script_destroy(script);
    free(text);
}

static void test_the_demo_script_is_good(void **state)
{
    (void)state;
    struct lines lines;
    aic_buf_init(&lines.text, 1 << 16);
    struct script_problems problems = {.file = "demo", .report = collect, .data = &lines};
    struct script *script =
        script_load_file(TEST_SOURCE "/conf/scripts/appointment.conf", &problems);
    if (lines.text.data) {
        fail_msg("%s", lines.text.data);
    }
    assert_non_null(script);
    script_destroy(script);
}

static void test_the_example_of_the_readme_is_good(void **state)
{
    (void)state;
    struct aic_buf text;
    aic_buf_init(&text, 1 << 20);
    FILE *file = fopen(TEST_SOURCE "/plugins/script/README.md", "re");
    assert_non_null(file);
    char part[1000];
    while (fgets(part, sizeof(part), file)) {
        aic_buf_text(&text, part);
    }
    (void)fclose(file);
    const char *begin = strstr(text.data, "```conf\n");
    assert_non_null(begin);
    begin += strlen("```conf\n");
    const char *end = strstr(begin, "```");
    assert_non_null(end);
    struct lines lines;
    struct script *script = load(&lines, (struct aic_str){begin, (size_t)(end - begin)});
    if (lines.text.data) {
        fail_msg("%s", lines.text.data);
    }
    script_destroy(script);
    aic_buf_finish(&text);
}

static void test_unknown_names_get_a_hint(void **state)
{
    (void)state;
    assert_reports("next = \"check\"", "next = \"chek\"",
                   "s.conf:12: unknown state \"chek\"; did you mean \"check\"?");
    assert_reports("on = { yes", "on = { yess",
                   "s.conf:14: unknown intent \"yess\"; did you mean \"yes\"?");
    assert_reports("from = \"day\"", "from = \"days\"",
                   "s.conf:4: unknown word list \"days\"; did you mean \"day\"?");
    assert_reports("slot = \"day\"", "slot = \"dya\"", "s.conf:12: unknown slot \"dya\"");
    assert_reports("global = true", "globl = true",
                   "s.conf:6: unknown key \"globl\" in an intent; did you mean \"global\"?");
    assert_reports("states = {", "stats = {",
                   "s.conf:11: unknown key \"stats\" in the script; did "
                   "you mean \"states\"?");
    assert_reports("at {shop}?", "at {shpo}?",
                   "s.conf:13: unknown variable {shpo}; did you mean \"shop\"?");
    assert_reports("action = \"hangup\"; };\n};", "action = \"hang_up\"; };\n};",
                   "s.conf:15: unknown action \"hang_up\" (hangup, transfer, repeat or none); did "
                   "you mean \"hangup\"?");
    assert_reports("start = \"ask\"", "start = \"aks\"", "s.conf:1: unknown state \"aks\"");
    assert_reports("\"Monday\"", "\"{dey} Monday\"",
                   "s.conf:3: unknown word list \"dey\"; did you mean \"day\"?");
    assert_reports("say = \"Good.\"", "say = \"Good.\"; set = { shp = \"x\"; }",
                   "\"shp\" is neither a slot nor a variable; did you mean \"shop\"?");
    assert_reports("say = \"Good.\"", "say = \"Good.\"; clear = [ \"dey\" ]",
                   "\"dey\" is neither a slot nor a variable; did you mean \"day\"?");
}

static void test_a_state_that_nothing_leads_to_is_an_error(void **state)
{
    (void)state;
    assert_reports("states = {\n", "states = {\n  lost = { say = \"Hm.\"; next = \"ask\"; };\n",
                   "s.conf:12: state \"lost\" is never reached");
}

static void test_a_loop_without_the_caller_is_an_error(void **state)
{
    (void)state;
    assert_reports("  end = {",
                   "  a = { say = \"A.\"; next = \"b\"; };\n"
                   "  b = { say = \"B.\"; next = \"a\"; };\n  end = {",
                   "s.conf:15: a loop of states without the caller: a -> b -> a");
    assert_reports("next = \"check\"", "next = \"ask\"",
                   "s.conf:12: a loop of states without the caller: ask -> ask");
    assert_reports("check = { say = \"{day|A day} at {shop}?\";\n"
                   "            on = { yes = { say = \"Good.\"; next = \"end\"; }; }; };",
                   "check = { say = \"x\"; slot = \"day\"; next = \"ask\"; };",
                   "a loop of states without the caller: ask -> check -> ask");
}

static void test_empty_replies_are_errors(void **state)
{
    (void)state;
    assert_reports("\"Which day?\"", "\"\"", "s.conf:12: an empty reply");
    assert_reports("\"Which day?\"", "[ \"Which day?\", \" \" ]", "s.conf:12: an empty reply");
    assert_reports("say = \"Which day?\"; ", "", "s.conf:12: an empty reply: state \"ask\"");
    assert_reports("say = \"Good.\"; next = \"end\"; ", "", "s.conf:14: an empty reply: a rule");
    assert_reports("say = \"Goodbye.\"; ", "", "s.conf:7: an empty reply: say something before");
    assert_reports("{day|A day} at {shop}?", "{day}?", "is an empty reply when its variables are");
}

static void test_a_dialogue_without_an_end_is_an_error(void **state)
{
    (void)state;
    struct lines lines;
    struct script *script =
        load(&lines,
             aic_str("start = \"a\";\n"
                     "intents = { yes = { any = \"yes\"; }; };\n"
                     "misses = { max = 2; say = \"What?\"; then = { say = \"No.\";\n"
                     "  action = \"hangup\"; }; };\n"
                     "states = { a = { say = \"A?\"; on = { yes = { next = \"a\"; }; }; }; };\n"));
    assert_null(script);
    assert_string_equal(lines.text.data,
                        "s.conf:5: from state \"a\" there is no way to end the call: no rule leads "
                        "to action = \"hangup\" or \"transfer\"\n");
    aic_buf_finish(&lines.text);
}

static void test_names_may_be_used_once(void **state)
{
    (void)state;
    assert_reports("  end = {", "  ask = { say = \"A.\"; next = \"end\"; };\n  end = {",
                   "s.conf:15: duplicate setting name, here or just before: ask = {");
    assert_reports("shop = \"Example Ltd\";", "shop = \"Example Ltd\"; day = \"x\";",
                   "s.conf:2: \"day\" is a slot already");
    assert_reports("shop = \"Example Ltd\";", "shop = \"Example Ltd\"; from = \"x\";",
                   "s.conf:2: \"from\" has a meaning of its own");
}

static void test_wrong_types_are_told(void **state)
{
    (void)state;
    assert_reports("max = 2", "max = \"2\"", "s.conf:10: max of misses must be a number");
    assert_reports("max = 2", "max = 99", "s.conf:10: max must lie between 1 and 10");
    assert_reports("global = true", "global = 1", "s.conf:6: global of an intent must be true");
    assert_reports("any = [ \"yes\" ]", "any = 7", "s.conf:8: any of an intent must be a text, or");
    assert_reports("yes = { any = [ \"yes\" ]; }", "yes = \"yes\"",
                   "s.conf:8: intent \"yes\" must be a group");
    assert_reports("[ \"Monday\", \"Friday\" ]", "\"\"", "s.conf:3: a phrase without a word in it");
    assert_reports("[ \"Monday\", \"Friday\" ]", "[ ]", "s.conf:3: word list \"day\" must be");
    assert_reports("[ \"Monday\", \"Friday\" ]", "( \"Monday\", { say = \"Fri\"; } )",
                   "s.conf:3: an entry in {} needs say and value");
    assert_reports("[ \"Monday\", \"Friday\" ]", "( { say = \"x\"; value = \"{day}\"; } )",
                   "value: {day} does not stand in \"x\"");
    assert_reports("shop = \"Example Ltd\"", "shop = 3", "s.conf:2: shop must be a text");
    assert_reports("ask = { say", "ask = 3; as2 = { say", "state \"ask\" must be a group");
}

static void test_what_makes_no_sense_is_told(void **state)
{
    (void)state;
    assert_reports("slot = \"day\"; next = \"check\"", "slot = \"day\"",
                   "next must say where to go");
    assert_reports("slot = \"day\"; next = \"check\"; ", "", "state \"ask\" goes nowhere");
    assert_reports("{ say = \"Good.\"; next = \"end\"; }",
                   "{ say = \"Good.\"; next = \"end\"; action = \"hangup\"; }",
                   "nothing comes after \"hangup\"");
    assert_reports("{ say = \"Good.\"; next", "{ action = \"repeat\"; say = \"Good.\"; next",
                   "say and next do not go with it");
    assert_reports("{ say = \"Good.\"; next", "{ reason = \"x\"; say = \"Good.\"; next",
                   "reason goes with action = \"hangup\" only");
    assert_reports("then = { next = \"end\"; }", "then = { say = \"Hm.\"; }",
                   "s.conf:10: after too many misses something else must come");
    assert_reports("misses = { max = 2; say = \"What?\"; then = { next = \"end\"; }; };", "",
                   "a script needs misses");
    assert_reports("any = [ \"yes\" ];", "", "s.conf:8: intent \"yes\" can never be heard");
    assert_reports("then = { say = \"Goodbye.\"; action = \"hangup\"; };", "",
                   "the global intent \"bye\" needs then");
    assert_reports("\"Which day?\"", "\"Hm. {question}\"", "{question} would be this text itself");
    assert_reports("{shop}?", "{shop?", "a brace without its other half");
    assert_reports("\"Monday\"", "\"{day} Monday\"", "leads back in a circle");
    assert_reports("slot = \"day\"; next = \"check\"",
                   "slot = \"day\"; next = \"check\"; expect = [ \"yes\" ]",
                   "expects \"yes\", which has no then");
}

static void test_bad_expressions_are_refused(void **state)
{
    (void)state;
    assert_reports("any = [ \"yes\" ]", "regex = \"(yes\"", "s.conf:8: regex is no expression: ");
    assert_reports("any = [ \"yes\" ]", "regex = \"(a)\\\\1\"", "references such as");
    assert_reports("any = [ \"yes\" ]", "regex = \"((a{90}){90}){9}\"",
                   "multiply to more than 1000");
    assert_reports("any = [ \"yes\" ]", "regex = \"\"", "s.conf:8: regex is no expression");
    assert_reports("from = \"day\"", "regex = \"(x)\"; group = 2",
                   "group must lie between 0 and 1");
}

static void test_syntax_errors_point_at_their_cause(void **state)
{
    (void)state;
    assert_reports("\"Which day?\"", "\"Which day?", "s.conf:12: a quotation mark is missing");
    assert_reports("\"Friday\" ]", "\"Friday\", ]", "s.conf:3: a comma before ']': take it out");
    assert_reports("\"Friday\" ]", "\"Friday\" )",
                   "s.conf:3: ')' where ']' is needed for the '[' of line 3");
    assert_reports("variables = {", "variables = { /*", "s.conf:2: this comment is never closed");
    assert_reports("\"hangup\"; };\n};\n", "\"hangup\"; };\n",
                   "s.conf:11: this '{' is never closed");
    assert_reports("misses = {", "} misses = {", "s.conf:10: '}' closes nothing");
    assert_reports("max = 2", "max = 10000000000", "s.conf:10: this number is too large");
    assert_reports("max = 2", "max 2", "s.conf:10: syntax error");
    assert_reports("variables", "@include \"/\"\nvariables",
                   "s.conf:2: a script cannot include files");
    assert_reports("variables", "/*\n  @include \"/\"\n*/variables",
                   "s.conf:3: a script cannot include files");
    assert_reports("start", "\xef\xbb\xbfstart",
                   "s.conf:1: the file begins with a byte order mark");
    assert_reports("Which", "\xff", "s.conf:12: not a text file in UTF-8");
}

static void test_all_problems_come_in_one_run(void **state)
{
    (void)state;
    struct lines lines;
    struct script *script =
        load(&lines, aic_str("start = \"a\";\nstats = { };\nwords = { d = [ \"{x}\" ]; };\n"
                             "states = { a = { sya = \"A\"; next = \"b\"; }; };\n"));
    assert_null(script);
    assert_non_null(strstr(lines.text.data, "s.conf:2: unknown key \"stats\""));
    assert_non_null(strstr(lines.text.data, "s.conf:3: unknown word list \"x\""));
    assert_non_null(strstr(lines.text.data,
                           "s.conf:4: unknown key \"sya\" in a state; did you mean "
                           "\"say\"?"));
    assert_non_null(strstr(lines.text.data, "s.conf:4: unknown state \"b\""));
    aic_buf_finish(&lines.text);
}

static void test_a_flood_of_problems_is_cut(void **state)
{
    (void)state;
    struct aic_buf text;
    aic_buf_init(&text, 1 << 16);
    for (int i = 0; i < 100; i++) {
        aic_buf_printf(&text, "nonsense%d = 1;\n", i);
    }
    struct lines lines;
    assert_null(load(&lines, aic_buf_view(&text)));
    assert_non_null(strstr(lines.text.data, "further errors are not shown"));
    assert_null(strstr(lines.text.data, "nonsense70"));
    aic_buf_finish(&lines.text);
    aic_buf_finish(&text);
}

static void test_an_intent_that_nobody_listens_for_is_a_warning(void **state)
{
    (void)state;
    struct lines lines;
    char *text = with("  yes = {", "  may = { any = \"maybe\"; };\n  yes = {");
    struct script *script = load(&lines, aic_str(text));
    assert_non_null(script);
    assert_string_equal(lines.text.data, "s.conf:8: no state listens for intent \"may\"\n");
    aic_buf_finish(&lines.text);
    script_destroy(script);
    free(text);
}

static void assert_unreadable(const char *path, const char *expected)
{
    struct lines lines;
    aic_buf_init(&lines.text, 1 << 16);
    struct script_problems problems = {.file = path, .report = collect, .data = &lines};
    assert_null(script_load_file(path, &problems));
    assert_non_null(strstr(lines.text.data, expected));
    aic_buf_finish(&lines.text);
}

static void test_files_that_are_no_scripts_are_refused(void **state)
{
    (void)state;
    char folder[] = "/tmp/script-XXXXXX";
    assert_non_null(mkdtemp(folder));
    char path[64];
    (void)snprintf(path, sizeof(path), "%s/x", folder);
    assert_unreadable(path, "cannot read the script: No such file");
    assert_unreadable(folder, "cannot read the script: Is a directory");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_unreadable(path, "cannot read the script: Invalid argument");
    assert_int_equal(unlink(path), 0);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_unreadable(path, "a script needs a group \"states\"");
    assert_int_equal(ftruncate(fd, SCRIPT_FILE_MAX_BYTES + 1), 0);
    assert_unreadable(path, "cannot read the script: File too large");
    close(fd);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_good_script_is_loaded_without_a_word),
        cmocka_unit_test(test_the_demo_script_is_good),
        cmocka_unit_test(test_the_example_of_the_readme_is_good),
        cmocka_unit_test(test_unknown_names_get_a_hint),
        cmocka_unit_test(test_a_state_that_nothing_leads_to_is_an_error),
        cmocka_unit_test(test_a_loop_without_the_caller_is_an_error),
        cmocka_unit_test(test_empty_replies_are_errors),
        cmocka_unit_test(test_a_dialogue_without_an_end_is_an_error),
        cmocka_unit_test(test_names_may_be_used_once),
        cmocka_unit_test(test_wrong_types_are_told),
        cmocka_unit_test(test_what_makes_no_sense_is_told),
        cmocka_unit_test(test_bad_expressions_are_refused),
        cmocka_unit_test(test_syntax_errors_point_at_their_cause),
        cmocka_unit_test(test_all_problems_come_in_one_run),
        cmocka_unit_test(test_a_flood_of_problems_is_cut),
        cmocka_unit_test(test_an_intent_that_nobody_listens_for_is_a_warning),
        cmocka_unit_test(test_files_that_are_no_scripts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
