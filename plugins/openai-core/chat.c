/* SPDX-License-Identifier: ISC */
#include "chat.h"

#include <string.h>

enum { MESSAGES_MAX_BYTES = 2 << 20 };

static int write_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    aic_json_key(w, key);
    aic_json_put_node(w, value);
    return 0;
}

/* Servers read the arguments that their model wrote: what is no JSON would make them refuse each
 * request from then on. The model was told of its mistake in the tool's answer. */
static int write_function_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    if (strcmp(key, "arguments") != 0 || !aic_json_is_string(value)) {
        return write_member(w, key, value);
    }
    struct aic_json *arguments = aic_json_parse(aic_json_text(value), 0);
    aic_json_member(w, key, aic_json_is_object(arguments) ? aic_json_text(value) : AIC_STR("{}"));
    aic_json_free(arguments);
    return 0;
}

static int write_call_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    if (strcmp(key, "function") != 0 || !aic_json_is_object(value)) {
        return write_member(w, key, value);
    }
    aic_json_key(w, key);
    aic_json_open(w, '{');
    (void)aic_json_each(value, write_function_member, w);
    aic_json_close(w, '}');
    return 0;
}

static void write_calls(struct aic_json_writer *w, const struct aic_json *calls)
{
    aic_json_open(w, '[');
    for (size_t i = 0; i < aic_json_count(calls); i++) {
        aic_json_open(w, '{');
        (void)aic_json_each(aic_json_at(calls, i), write_call_member, w);
        aic_json_close(w, '}');
    }
    aic_json_close(w, ']');
}

/* A member of a message; what only this host knows stays here. */
static int write_message_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    if (strcmp(key, "provider_state") == 0) {
        return 0;
    }
    if (strcmp(key, "tool_calls") != 0 || !aic_json_is_array(value)) {
        return write_member(w, key, value);
    }
    aic_json_key(w, key);
    write_calls(w, value);
    return 0;
}

static int32_t write_messages(struct aic_json_writer *w, struct aic_str messages)
{
    struct aic_json *root = aic_json_parse(messages, MESSAGES_MAX_BYTES);
    int32_t status =
        aic_json_is_array(root) && aic_json_count(root) > 0 ? AIC_OK : AIC_ERROR_INVALID;
    aic_json_key(w, "messages");
    aic_json_open(w, '[');
    for (size_t i = 0; i < aic_json_count(root) && status == AIC_OK; i++) {
        const struct aic_json *message = aic_json_at(root, i);
        status = aic_json_is_object(message) ? AIC_OK : AIC_ERROR_INVALID;
        aic_json_open(w, '{');
        (void)aic_json_each(message, write_message_member, w);
        aic_json_close(w, '}');
    }
    aic_json_close(w, ']');
    aic_json_free(root);
    return status;
}

/* An empty list is refused by servers: no tools means no member. */
static int32_t write_tools(struct aic_json_writer *w, struct aic_str tools)
{
    if (tools.len == 0) {
        return AIC_OK;
    }
    struct aic_json *root = aic_json_parse(tools, 0);
    int32_t status = aic_json_is_array(root) ? AIC_OK : AIC_ERROR_INVALID;
    if (aic_json_count(root) > 0) {
        aic_json_key(w, "tools");
        aic_json_put_node(w, root);
    }
    aic_json_free(root);
    return status;
}

static bool is_ours(const struct openai_chat_settings *settings, const char *key)
{
    return !aic_json_get(settings->extra, key);
}

static void write_text(struct aic_json_writer *w, const struct openai_chat_settings *settings,
                       const char *key, const char *value)
{
    if (value && value[0] && is_ours(settings, key)) {
        aic_json_member_text(w, key, value);
    }
}

static void write_limits(struct aic_json_writer *w, const struct openai_chat_settings *settings,
                         const struct aic_llm_request *request)
{
    int64_t max = request->max_tokens > 0 ? request->max_tokens : settings->max_tokens;
    if (max > 0 && is_ours(settings, settings->max_tokens_field)) {
        aic_json_member_int(w, settings->max_tokens_field, max);
    }
    double heat = request->temperature >= 0 ? request->temperature : settings->temperature;
    if (heat >= 0 && is_ours(settings, "temperature")) {
        aic_json_member_double(w, "temperature", heat);
    }
}

static void write_options(struct aic_json_writer *w, const struct openai_chat_settings *settings)
{
    write_text(w, settings, "reasoning_effort", settings->reasoning_effort);
    /* The two exclude each other. */
    if (settings->hides_reasoning && is_ours(settings, "include_reasoning") &&
        is_ours(settings, "reasoning_format")) {
        aic_json_member_bool(w, "include_reasoning", false);
    }
    if (settings->asks_for_usage && is_ours(settings, "stream_options")) {
        aic_json_member_raw(w, "stream_options", AIC_STR("{\"include_usage\":true}"));
    }
}

int32_t openai_chat_write(const struct openai_chat_settings *settings,
                          const struct aic_llm_request *request, struct aic_buf *to)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    write_text(&w, settings, "model", settings->model);
    int32_t status = write_messages(&w, request->messages);
    if (status == AIC_OK) {
        status = write_tools(&w, request->tools);
    }
    write_limits(&w, settings, request);
    write_options(&w, settings);
    aic_json_member_bool(&w, "stream", true);
    (void)aic_json_each(settings->extra, write_member, &w);
    aic_json_close(&w, '}');
    if (status == AIC_OK && to->failed) {
        status = AIC_ERROR_TOO_LARGE;
    }
    return status;
}

void openai_chat_words(struct aic_str messages, struct aic_buf *to)
{
    struct aic_json *root = aic_json_parse(messages, MESSAGES_MAX_BYTES);
    for (size_t i = 0; i < aic_json_count(root); i++) {
        const struct aic_json *message = aic_json_at(root, i);
        struct aic_str words = aic_json_get_text(message, "content");
        if (aic_str_equal(aic_json_get_text(message, "role"), "system") ||
            words.len + 1 > to->max) {
            continue;
        }
        if (to->len + words.len + 1 > to->max) {
            aic_buf_clear(to);
        }
        aic_buf_str(to, words);
        aic_buf_char(to, '\n');
    }
    aic_json_free(root);
}

const char *openai_chat_extra_problem(const struct aic_json *extra)
{
    static const char *const hosts[] = {"messages", "tools", "stream", "n"};
    for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
        if (aic_json_get(extra, hosts[i])) {
            return hosts[i];
        }
    }
    return NULL;
}
