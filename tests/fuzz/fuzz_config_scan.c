/* SPDX-License-Identifier: ISC */
/* Whatever the scan and the grammar accept, libconfig reads in the same way; a refusal has a reason
 * with a place. */
#include "base/config_grammar.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool is_good)
{
    if (!is_good) {
        abort();
    }
}

static const char *no_variable(const char *name)
{
    return strcmp(name, "SET") == 0 ? "value" : NULL;
}

static bool has_include(const struct config_tokens *tokens)
{
    for (size_t i = 0; i < tokens->count; i++) {
        if (tokens->list[i].kind == CONFIG_TOKEN_INCLUDE) {
            return true;
        }
    }
    return false;
}

static void check_thaw(const struct config *config)
{
    struct aic_buf first;
    struct aic_buf second;
    struct config *thawed = NULL;
    aic_buf_init(&first, 64 << 20);
    aic_buf_init(&second, 64 << 20);
    check(config_freeze(config, &first) == AIC_OK);
    check(config_thaw(aic_buf_view(&first), &thawed) == AIC_OK);
    check(config_freeze(thawed, &second) == AIC_OK);
    check(first.len == second.len && memcmp(first.data, second.data, first.len) == 0);
    config_free(thawed);
    aic_buf_finish(&first);
    aic_buf_finish(&second);
}

static void check_parse(struct aic_str text)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    int32_t status = config_parse("fuzz.conf", text, no_variable, &problems, &config);
    if (status == AIC_OK) {
        check_thaw(config);
    } else {
        /* The one thing that is known only after libconfig resolved the escapes. */
        check(status == AIC_ERROR_CONFIG && problems.errors == 1);
        check(strstr(problems.list[0].text, "\\x escapes") != NULL);
    }
    config_free(config);
    config_problems_finish(&problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct aic_str text = {(const char *)data, size};
    struct config_tokens tokens = {.list = NULL};
    struct config_outline outline = {.list = NULL};
    struct config_problems problems = {.list = NULL};
    int32_t status = config_scan("fuzz.conf", text, &tokens, &problems);
    if (status == AIC_OK) {
        status = config_grammar_check(&tokens, &outline, &problems);
        if (status == AIC_OK && !has_include(&tokens)) {
            check_parse(text);
        }
    }
    check((status == AIC_OK) == (problems.errors == 0));
    for (size_t i = 0; i < problems.count; i++) {
        check(problems.list[i].pos.line > 0 && problems.list[i].pos.column > 0);
        check(problems.list[i].text[0] != '\0');
    }
    config_outline_finish(&outline);
    config_tokens_finish(&tokens);
    config_problems_finish(&problems);
    return 0;
}
