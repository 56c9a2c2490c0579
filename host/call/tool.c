/* SPDX-License-Identifier: ISC */
#include "call/tool.h"

#include "utf8.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RESULT = 16 * 1024, MAX_NAME = 64 };

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", NULL};

static const struct aic_option options[] = {
    {.name = "name",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "What the model calls it: letters, digits, _ and -."},
    {.name = "description",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "For the model: what it does and when to use it."},
    {.name = "url",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "Address to ask. {NAME} is replaced by the argument of that name."},
    {.name = "method",
     .type = AIC_OPTION_ENUM,
     .choices = methods,
     .fallback = "POST",
     .help = "GET sends further arguments in the query, the others as a JSON object in the body."},
    {.name = "parameters",
     .type = AIC_OPTION_JSON,
     .help = "JSON Schema of the arguments, as a group or as text in JSON."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .help = "How long it may take.",
     .min = 100,
     .max = 60000},
};

const struct settings_table tool_table = {options, sizeof(options) / sizeof(options[0]), 0};

static bool name_is_good(const char *name)
{
    size_t length = strlen(name);
    return length > 0 && length <= MAX_NAME &&
           strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") ==
               length;
}

static void load_headers(struct tool *tool, const struct config_node *node,
                         struct config_problems *problems)
{
    for (size_t i = 0; i < config_count(node); i++) {
        const struct config_node *header = config_at(node, i);
        const char *value = config_string(header);
        if (!value || tool->header_count == TOOL_HEADERS) {
            const char *unset = config_unset(header);
            config_problem_add(problems, config_pos(header), "header \"%s\": %s",
                               config_name(header) ? config_name(header) : "",
                               unset                                ? unset
                               : tool->header_count == TOOL_HEADERS ? "too many headers"
                                                                    : "the value must be a text");
            continue;
        }
        tool->headers[tool->header_count++] =
            (struct aic_header){aic_str(config_name(header)), aic_str(value)};
    }
}

static void load_schema(struct tool *tool, struct config_problems *problems)
{
    const char *text = settings_string(tool->settings, "parameters");
    struct config_pos pos = settings_pos(tool->settings, "parameters");
    tool->schema = aic_json_parse(aic_str(text ? text : "{}"), 0);
    /* Written as a text, it comes as a JSON string that holds JSON. */
    if (aic_json_is_string(tool->schema)) {
        struct aic_json *inner = aic_json_parse(aic_json_text(tool->schema), 0);
        aic_json_free(tool->schema);
        tool->schema = inner;
    }
    if (!aic_json_is_object(tool->schema)) {
        config_problem_add(problems, pos, "parameters must be a JSON Schema of an object");
        return;
    }
    tool->parameters = aic_json_count(tool->schema) > 0 ? aic_json_print(tool->schema).ptr
                                                        : "{\"type\":\"object\",\"properties\":{}}";
}

static void check_tool(struct tools *tools, struct tool *tool, struct config_problems *problems)
{
    struct config_pos pos = settings_pos(tool->settings, "url");
    bool is_http = tool->url && (strncmp(tool->url, "https://", 8) == 0 ||
                                 strncmp(tool->url, "http://", 7) == 0);
    if (tool->name && !name_is_good(tool->name)) {
        config_problem_add(problems, settings_pos(tool->settings, "name"),
                           "tool name \"%s\": letters, digits, _ and - only, at most %d",
                           tool->name, MAX_NAME);
    }
    if (tool->name && tools_find(tools, tool->name)) {
        config_problem_add(problems, settings_pos(tool->settings, "name"),
                           "there are two tools \"%s\"", tool->name);
    }
    if (tool->url && !is_http) {
        config_problem_add(problems, pos, "url must begin with https:// or http://");
    }
    const char *host = is_http ? strstr(tool->url, "://") + 3 : "";
    if (strchr(host, '{') && strchr(host, '{') < host + strcspn(host, "/?")) {
        config_problem_add(problems, pos, "an argument can not stand in the host of a url");
    }
}

static void load_tool(struct tools *tools, const struct config_node *node,
                      struct config_problems *problems)
{
    static const char *const others[] = {"headers", NULL};
    struct tool *tool = calloc(1, sizeof(*tool));
    if (!tool) {
        return;
    }
    tool->settings = settings_check("tool", node, &tool_table, 1, others, 0, problems);
    const char *name = settings_string(tool->settings, "name");
    tool->name = name ? strdup(name) : NULL;
    tool->description = settings_string(tool->settings, "description");
    tool->url = settings_string(tool->settings, "url");
    tool->method = settings_string(tool->settings, "method");
    tool->timeout_ms = settings_int(tool->settings, "timeout");
    load_headers(tool, config_get(node, "headers"), problems);
    load_schema(tool, problems);
    check_tool(tools, tool, problems);
    tools->list[tools->count++] = tool;
}

void tools_load(struct tools *tools, const struct config_node *node,
                struct config_problems *problems)
{
    *tools = (struct tools){.has_list = node != NULL};
    if (node && config_kind(node) != CONFIG_LIST) {
        config_problem_add(problems, config_pos(node),
                           "tools must be a list of names and groups: tools = ( \"end_call\", { "
                           "name = ... } )");
        return;
    }
    for (size_t i = 0; i < config_count(node); i++) {
        const struct config_node *item = config_at(node, i);
        if (tools->count == TOOLS_MAX || tools->builtin_count == TOOLS_MAX) {
            config_problem_add(problems, config_pos(item), "too many tools");
            return;
        }
        if (config_kind(item) == CONFIG_GROUP) {
            load_tool(tools, item, problems);
        } else if (config_string(item)) {
            tools->builtins[tools->builtin_count++] = config_string(item);
        } else {
            config_problem_add(problems, config_pos(item), "a tool is a name or a group");
        }
    }
}

void tools_finish(struct tools *tools)
{
    for (size_t i = 0; i < tools->count; i++) {
        settings_free(tools->list[i]->settings);
        aic_json_free(tools->list[i]->schema);
        free(tools->list[i]->name);
        free(tools->list[i]);
    }
    *tools = (struct tools){.count = 0};
}

const struct tool *tools_find(const struct tools *tools, const char *name)
{
    for (size_t i = 0; i < tools->count; i++) {
        if (tools->list[i]->name && strcmp(tools->list[i]->name, name) == 0) {
            return tools->list[i];
        }
    }
    return NULL;
}

bool tools_allow(const struct tools *tools, const char *builtin)
{
    bool is_listed = !tools->has_list;
    for (size_t i = 0; i < tools->builtin_count && !is_listed; i++) {
        is_listed = strcmp(tools->builtins[i], builtin) == 0;
    }
    return is_listed;
}

/* Arguments. */

static bool has_type(const struct aic_json *value, struct aic_str type)
{
    static const struct {
        const char *name;
        bool (*is)(const struct aic_json *node);
    } types[] = {
        {"string", aic_json_is_string},  {"number", aic_json_is_number},
        {"integer", aic_json_is_number}, {"boolean", aic_json_is_bool},
        {"array", aic_json_is_array},    {"object", aic_json_is_object},
    };

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (aic_str_equal(type, types[i].name)) {
            return types[i].is(value);
        }
    }
    return true; /* several types, or none given */
}

static bool is_choice(const struct aic_json *choices, const struct aic_json *value)
{
    struct aic_str text = aic_json_print(value);
    for (size_t i = 0; i < aic_json_count(choices); i++) {
        struct aic_str choice = aic_json_print(aic_json_at(choices, i));
        if (choice.len == text.len && memcmp(choice.ptr, text.ptr, text.len) == 0) {
            return true;
        }
    }
    return aic_json_count(choices) == 0;
}

struct checking {
    const struct aic_json *arguments;
    struct aic_buf *why;
    bool is_good;
};

static int check_property(void *data, const char *key, const struct aic_json *schema)
{
    struct checking *checking = data;
    const struct aic_json *value = aic_json_get(checking->arguments, key);
    struct aic_str type = aic_json_get_text(schema, "type");
    if (!value) {
        return 0;
    }
    if (!has_type(value, type)) {
        aic_buf_printf(checking->why, "\"%s\" must be of type %.*s. ", key, (int)type.len,
                       type.ptr);
        checking->is_good = false;
    } else if (!is_choice(aic_json_get(schema, "enum"), value)) {
        aic_buf_printf(checking->why, "\"%s\" is none of the allowed values. ", key);
        checking->is_good = false;
    }
    return 0;
}

bool tool_check(const struct tool *tool, const struct aic_json *arguments, struct aic_buf *why)
{
    struct checking checking = {arguments, why, aic_json_is_object(arguments)};
    if (!checking.is_good) {
        aic_buf_text(why, "The arguments are not a JSON object. ");
        return false;
    }
    const struct aic_json *required = aic_json_get(tool->schema, "required");
    for (size_t i = 0; i < aic_json_count(required); i++) {
        char name[MAX_NAME + 1];
        (void)aic_str_copy(aic_json_text(aic_json_at(required, i)), name, sizeof(name));
        if (!aic_json_get(arguments, name)) {
            aic_buf_printf(why, "\"%s\" is missing. ", name);
            checking.is_good = false;
        }
    }
    (void)aic_json_each(aic_json_get(tool->schema, "properties"), check_property, &checking);
    return checking.is_good;
}

/* The request. */

static void add_encoded(struct aic_buf *to, struct aic_str text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_~";
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] && strchr(plain, text.ptr[i])) {
            aic_buf_char(to, text.ptr[i]);
        } else {
            aic_buf_printf(to, "%%%02X", (unsigned)(unsigned char)text.ptr[i]);
        }
    }
}

static void add_value(struct aic_buf *to, const struct aic_json *value)
{
    add_encoded(to, aic_json_is_string(value) ? aic_json_text(value) : aic_json_print(value));
}

/* Whether the URL has a place for an argument. */
static bool has_place(const char *url, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = strchr(url, '{'); at; at = strchr(at + 1, '{')) {
        if (strncmp(at + 1, name, length) == 0 && at[1 + length] == '}') {
            return true;
        }
    }
    return false;
}

struct querying {
    const struct tool *tool;
    struct aic_buf *url;
    bool has_query;
};

static int add_to_query(void *data, const char *key, const struct aic_json *value)
{
    struct querying *q = data;
    if (!has_place(q->tool->url, key)) {
        aic_buf_char(q->url, q->has_query ? '&' : '?');
        add_encoded(q->url, aic_str(key));
        aic_buf_char(q->url, '=');
        add_value(q->url, value);
        q->has_query = true;
    }
    return 0;
}

static void add_url(const struct tool *tool, const struct aic_json *arguments, struct aic_buf *url)
{
    const char *at = tool->url;
    for (const char *open = strchr(at, '{'); open; open = strchr(at, '{')) {
        const char *end = strchr(open, '}');
        char name[MAX_NAME + 1];
        if (!end) {
            break;
        }
        aic_buf_str(url, (struct aic_str){at, (size_t)(open - at)});
        (void)aic_str_copy((struct aic_str){open + 1, (size_t)(end - open - 1)}, name,
                           sizeof(name));
        const struct aic_json *value = aic_json_get(arguments, name);
        if (value) {
            add_value(url, value);
        }
        at = end + 1;
    }
    aic_buf_text(url, at);
}

void tool_request(const struct tool *tool, const struct aic_json *arguments, struct aic_buf *url,
                  struct aic_buf *body)
{
    add_url(tool, arguments, url);
    if (strcmp(tool->method, "GET") == 0 || strcmp(tool->method, "DELETE") == 0) {
        struct querying q = {tool, url, strchr(tool->url, '?') != NULL};
        (void)aic_json_each(arguments, add_to_query, &q);
    } else {
        aic_buf_str(body, aic_json_print(arguments));
    }
}

void tool_result(int32_t status, struct aic_str body, const char *error, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    if (body.len > MAX_RESULT) {
        body.len = aic_utf8_cut(body, MAX_RESULT);
    }
    struct aic_json *json = error ? NULL : aic_json_parse(body, MAX_RESULT);
    bool is_good = !error && status >= 200 && status < 300;
    if (is_good && aic_json_is_object(json)) {
        aic_buf_str(to, aic_json_print(json));
        aic_json_free(json);
        return;
    }
    aic_json_open(&w, '{');
    if (error) {
        aic_json_member_text(&w, "error", error);
    } else if (!is_good) {
        aic_json_key(&w, "error");
        char text[32];
        (void)snprintf(text, sizeof(text), "HTTP status %d", (int)status);
        aic_json_put(&w, aic_str(text));
    }
    if (json) {
        aic_json_member_raw(&w, "result", aic_json_print(json));
    } else if (body.len > 0) {
        aic_json_member(&w, "result", body);
    }
    aic_json_close(&w, '}');
    aic_json_free(json);
}
