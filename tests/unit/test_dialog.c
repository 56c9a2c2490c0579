/* SPDX-License-Identifier: ISC */
#include "call/dialog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const uint8_t random_bytes[10] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
static const int64_t at_us = 1767607200 * INT64_C(1000000);

static struct dialog_message *add(struct dialog *dialog, enum dialog_role role, const char *text)
{
    struct dialog_message *message =
        dialog_add(dialog, role, 1, aic_str(text), at_us, random_bytes);
    assert_non_null(message);
    return message;
}

static void assert_written(const struct dialog *dialog, const char *prompt, const char *note,
                           const char *provider, int64_t max_tokens, const char *expected)
{
    struct aic_buf buf;
    aic_buf_init(&buf, 1u << 20);
    dialog_write(dialog, aic_str(prompt), aic_str(note), provider, max_tokens, &buf);
    char *text = aic_buf_detach(&buf);
    assert_string_equal(text, expected);
    free(text);
}

static void test_the_model_knows_what_was_heard_and_no_more(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    add(&dialog, DIALOG_USER, "hi");
    struct dialog_message *agent = add(&dialog, DIALOG_ASSISTANT, "Hello. How can I help?");
    assert_true(dialog_set(&agent->heard, AIC_STR("Hello.")));
    add(&dialog, DIALOG_ASSISTANT, "Nobody heard this.");
    assert_written(&dialog, "Be kind.", "", NULL, 0,
                   "[{\"role\":\"system\",\"content\":\"Be kind.\"},"
                   "{\"role\":\"user\",\"content\":\"hi\"},"
                   "{\"role\":\"assistant\",\"content\":\"Hello.\"}]");
    dialog_finish(&dialog);
}

static void test_the_budget_drops_the_oldest_and_begins_with_the_caller(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    for (int i = 0; i < 10; i++) {
        char text[64];
        (void)snprintf(text, sizeof(text), "question %d, in forty bytes or so, is long", i);
        add(&dialog, DIALOG_USER, text);
        struct dialog_message *agent = add(&dialog, DIALOG_ASSISTANT, "yes");
        assert_true(dialog_set(&agent->heard, AIC_STR("yes")));
    }
    add(&dialog, DIALOG_USER, "last");
    assert_written(&dialog, "", "now", NULL, 30,
                   "[{\"role\":\"user\",\"content\":\"question 9, in forty bytes or so, is long\"},"
                   "{\"role\":\"assistant\",\"content\":\"yes\"},"
                   "{\"role\":\"user\",\"content\":\"last\"},"
                   "{\"role\":\"system\",\"content\":\"now\"}]");
    assert_written(&dialog, "", "", NULL, 1, "[{\"role\":\"user\",\"content\":\"last\"}]");
    dialog_finish(&dialog);
}

static void test_a_tools_result_never_goes_without_its_call(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    add(&dialog, DIALOG_USER, "what is free on monday");
    struct dialog_message *agent = add(&dialog, DIALOG_ASSISTANT, "");
    assert_true(dialog_set(&agent->tool_calls, AIC_STR("[{\"id\":\"t1\"}]")));
    struct dialog_message *result = add(&dialog, DIALOG_TOOL, "{\"free\":[]}");
    assert_true(dialog_set(&result->tool_id, AIC_STR("t1")));
    add(&dialog, DIALOG_USER, "so");
    assert_written(&dialog, "", "", NULL, 0,
                   "[{\"role\":\"user\",\"content\":\"what is free on monday\"},"
                   "{\"role\":\"assistant\",\"content\":\"\",\"tool_calls\":[{\"id\":\"t1\"}]},"
                   "{\"role\":\"tool\",\"content\":\"{\\\"free\\\":[]}\",\"tool_call_id\":\"t1\"},"
                   "{\"role\":\"user\",\"content\":\"so\"}]");
    assert_written(&dialog, "", "", NULL, 16, "[{\"role\":\"user\",\"content\":\"so\"}]");
    dialog_finish(&dialog);
}

static void test_a_providers_own_state_goes_to_no_other(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    struct dialog_message *agent = add(&dialog, DIALOG_ASSISTANT, "x");
    assert_true(dialog_set(&agent->heard, AIC_STR("x")));
    assert_true(dialog_set(&agent->state, AIC_STR("secret")));
    assert_true(dialog_set(&agent->state_provider, AIC_STR("one")));
    assert_written(&dialog, "", "", "two", 0, "[{\"role\":\"assistant\",\"content\":\"x\"}]");
    assert_written(&dialog, "", "", "one", 0,
                   "[{\"role\":\"assistant\",\"content\":\"x\",\"provider_state\":\"secret\"}]");
    dialog_finish(&dialog);
}

static void test_no_two_messages_share_a_millisecond(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    add(&dialog, DIALOG_USER, "one");
    add(&dialog, DIALOG_USER, "two");
    assert_true(dialog.messages[1].at_wall_us / 1000 > dialog.messages[0].at_wall_us / 1000);
    assert_true(strcmp(dialog.messages[0].id, dialog.messages[1].id) < 0);
    dialog_drop_last(&dialog);
    assert_string_equal(dialog_last(&dialog, DIALOG_USER)->content, "one");
    assert_null(dialog_last(&dialog, DIALOG_TOOL));
    dialog_finish(&dialog);
}

static void test_a_call_has_a_greatest_number_of_messages(void **state)
{
    (void)state;
    struct dialog dialog;
    dialog_init(&dialog);
    size_t added = 0;
    while (added <= DIALOG_MAX_MESSAGES &&
           dialog_add(&dialog, DIALOG_USER, 1, AIC_STR("x"), at_us, random_bytes)) {
        added++;
    }
    assert_int_equal(added, DIALOG_MAX_MESSAGES);
    dialog_finish(&dialog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_model_knows_what_was_heard_and_no_more),
        cmocka_unit_test(test_the_budget_drops_the_oldest_and_begins_with_the_caller),
        cmocka_unit_test(test_a_tools_result_never_goes_without_its_call),
        cmocka_unit_test(test_a_providers_own_state_goes_to_no_other),
        cmocka_unit_test(test_no_two_messages_share_a_millisecond),
        cmocka_unit_test(test_a_call_has_a_greatest_number_of_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
