/* SPDX-License-Identifier: ISC */
/*
 * A model's arguments and a server's answer: whatever they are, the host of the request stays the
 * operator's, and the model is told JSON. The first line is the arguments, the rest the answer.
 */
#include "call/tool.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char declared[] =
    "tools = ( { name = \"t\"; description = \"d\"; url = \"https://h.example/{a}/x?b={b}\"; "
    "method = \"GET\"; parameters = { required = [ \"a\" ]; properties = { a = { type = "
    "\"string\"; }; c = { enum = [ 1, 2 ]; }; }; }; } );";

static struct tools tools;

static void load(void)
{
    struct config_problems problems = {.list = NULL};
    struct config *config = NULL;
    if (config_parse("t", aic_str(declared), NULL, &problems, &config) != AIC_OK) {
        abort();
    }
    tools_load(&tools, config_get(config_root(config), "tools"), &problems);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (tools.count == 0) {
        load();
    }
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    size_t first = end ? (size_t)(end - data) : size;
    struct aic_json *arguments = aic_json_parse((struct aic_str){(const char *)data, first}, 0);
    struct aic_buf url;
    struct aic_buf body;
    struct aic_buf told;
    aic_buf_init(&url, 1 << 16);
    aic_buf_init(&body, 1 << 16);
    aic_buf_init(&told, 1 << 18);
    if (tool_check(tools.list[0], arguments, &told)) {
        tool_request(tools.list[0], arguments, &url, &body);
        const char *begin = "https://h.example/";
        if (!url.failed &&
            (strncmp(url.data, begin, strlen(begin)) != 0 ||
             strpbrk(url.data + strlen(begin), "\r\n {}\"<>\\#@") || strstr(url.data, ".."))) {
            abort();
        }
    }
    aic_buf_clear(&told);
    size_t rest = end ? first + 1 : size;
    tool_result((int32_t)(size % 600), (struct aic_str){(const char *)data + rest, size - rest},
                size % 7 == 0 ? "network" : NULL, &told);
    struct aic_json *json = aic_json_parse(aic_buf_view(&told), 1 << 18);
    if (!told.failed && !aic_json_is_object(json)) {
        abort();
    }
    aic_json_free(json);
    aic_json_free(arguments);
    aic_buf_finish(&url);
    aic_buf_finish(&body);
    aic_buf_finish(&told);
    return 0;
}
