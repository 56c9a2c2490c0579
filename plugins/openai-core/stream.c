/* SPDX-License-Identifier: ISC */
#include "stream.h"

#include <aicaller/llm.h>

static void fail(struct openai_stream *stream, uint32_t category, uint32_t retry,
                 const char *message)
{
    stream->has_failed = true;
    openai_fault_set(&stream->fault, category, retry, message);
}

/* Ends an answer that has no measure. */
static void enough(struct openai_stream *stream)
{
    stream->is_done = true;
    stream->is_endless = true;
    stream->finish = AIC_LLM_FINISH_LENGTH;
}

static void take_spoken(void *data, struct aic_str text)
{
    struct openai_stream *stream = data;
    stream->text_bytes += text.len;
    if (stream->text_bytes > OPENAI_TEXT_MAX_BYTES) {
        enough(stream);
        return;
    }
    stream->sink.text(stream->sink.data, text);
}

static void take_thought(void *data, struct aic_str text)
{
    struct openai_stream *stream = data;
    stream->thought_bytes += text.len;
    if (stream->thought_bytes > OPENAI_THOUGHT_MAX_BYTES) {
        enough(stream);
        return;
    }
    stream->sink.thought(stream->sink.data, text);
}

void openai_stream_init(struct openai_stream *stream, const char *reasoning_field,
                        const struct openai_think_sink *sink)
{
    *stream = (struct openai_stream){.reasoning_field = reasoning_field, .sink = *sink};
}

void openai_stream_finish(struct openai_stream *stream)
{
    openai_tools_finish(&stream->tools);
}

static void take_text(struct openai_stream *stream, struct aic_str text)
{
    const struct openai_think_sink sink = {
        .data = stream, .text = take_spoken, .thought = take_thought};
    stream->has_moved = stream->has_moved || text.len > 0;
    openai_think_push(&stream->think, text, &sink);
}

/* Content is a text, or a list of parts of which some are texts and some are thoughts. */
static void take_content(struct openai_stream *stream, const struct aic_json *content)
{
    take_text(stream, aic_json_text(content));
    size_t count = aic_json_is_array(content) ? aic_json_count(content) : 0;
    for (size_t i = 0; i < count; i++) {
        const struct aic_json *part = aic_json_at(content, i);
        if (aic_str_equal(aic_json_get_text(part, "type"), "text")) {
            take_text(stream, aic_json_get_text(part, "text"));
        } else {
            stream->has_moved = true;
        }
    }
}

static void take_reasoning(struct openai_stream *stream, const struct aic_json *delta)
{
    const char *const fields[] = {"reasoning", "reasoning_content", stream->reasoning_field};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && fields[i]; i++) {
        struct aic_str thought = aic_json_get_text(delta, fields[i]);
        if (thought.len > 0) {
            stream->has_moved = true;
            take_thought(stream, thought);
            return; /* servers in transition send the same under both names */
        }
    }
}

static void take_refusal(struct openai_stream *stream, struct aic_str refusal)
{
    if (refusal.len > 0) {
        stream->has_refused = true;
        stream->has_moved = true;
        take_spoken(stream, refusal);
    }
}

static void take_tool(struct openai_stream *stream, const struct aic_json *call, int64_t index)
{
    const struct aic_json *function = aic_json_get(call, "function");
    const struct aic_json *arguments = aic_json_get(function, "arguments");
    struct openai_tool_part part = {.index = index,
                                    .id = aic_json_get_text(call, "id"),
                                    .name = aic_json_get_text(function, "name"),
                                    .arguments = aic_json_text(arguments)};
    if (aic_json_is_object(arguments)) {
        part.arguments = aic_json_print(arguments);
    }
    stream->has_moved = true;
    if (openai_tools_add(&stream->tools, &part) != AIC_OK) {
        fail(stream, AIC_CATEGORY_TOOL_FORMAT, AIC_RETRY_NOW,
             "the model calls more tools, or with longer arguments, than makes sense");
    }
}

static void take_tools(struct openai_stream *stream, const struct aic_json *calls)
{
    for (size_t i = 0; i < aic_json_count(calls) && aic_json_is_array(calls); i++) {
        const struct aic_json *call = aic_json_at(calls, i);
        take_tool(stream, call, aic_json_get_int(call, "index", -1));
    }
}

static void take_finish(struct openai_stream *stream, struct aic_str reason)
{
    if (aic_str_equal(reason, "error")) {
        fail(stream, AIC_CATEGORY_SERVER, AIC_RETRY_NOW, "the server broke the answer off");
    } else if (reason.len > 0) {
        stream->finish = openai_finish_of(reason);
    }
}

static void take_choice(struct openai_stream *stream, const struct aic_json *choice)
{
    const struct aic_json *delta = aic_json_get(choice, "delta");
    if (!delta) {
        delta = aic_json_get(choice, "message"); /* of an answer in one document */
    }
    take_reasoning(stream, delta);
    take_content(stream, aic_json_get(delta, "content"));
    take_refusal(stream, aic_json_get_text(delta, "refusal"));
    take_tools(stream, aic_json_get(delta, "tool_calls"));
    take_finish(stream, aic_json_get_text(choice, "finish_reason"));
}

static void take_id(struct openai_stream *stream, const struct aic_json *root)
{
    struct aic_str id = aic_json_text(aic_json_path(root, "x_groq", "id", NULL));
    if (id.len == 0) {
        id = aic_json_get_text(root, "id");
    }
    if (stream->id[0] == '\0') {
        (void)aic_str_copy(id, stream->id, sizeof(stream->id));
    }
}

static void take_usage(struct openai_stream *stream, const struct aic_json *root)
{
    if (!openai_usage_read(aic_json_get(root, "usage"), &stream->usage)) {
        (void)openai_usage_read(aic_json_path(root, "x_groq", "usage", NULL), &stream->usage);
    }
}

static void take_chunk(struct openai_stream *stream, const struct aic_json *root, bool is_error)
{
    struct openai_problem problem;
    if (openai_problem_read(root, is_error, &problem) || is_error) {
        stream->has_failed = true;
        openai_fault_of_problem(&stream->fault, &problem);
        return;
    }
    take_id(stream, root);
    take_usage(stream, root);
    const struct aic_json *choices = aic_json_get(root, "choices");
    if (aic_json_count(choices) > 0) {
        take_choice(stream, aic_json_at(choices, 0));
    }
}

void openai_stream_push(struct openai_stream *stream, struct aic_str name, struct aic_str data)
{
    stream->has_moved = false;
    if (stream->is_done || stream->has_failed) {
        return;
    }
    if (aic_str_equal(data, "[DONE]")) {
        stream->is_done = true;
        return;
    }
    bool is_error = aic_str_equal(name, "error");
    struct aic_json *root = aic_json_parse(data, 0);
    if (root || is_error) {
        take_chunk(stream, root, is_error);
    } else {
        fail(stream, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NOW, "a piece of the answer is not JSON");
    }
    aic_json_free(root);
}

static bool has_nameless_tool(const struct openai_stream *stream)
{
    for (uint32_t i = 0; i < stream->tools.count; i++) {
        if (stream->tools.calls[i].name.len == 0) {
            return true;
        }
    }
    return false;
}

/* What is wrong with an answer that has come to its end. One that was stopped before its first word
 * is none: the caller would hear nothing. */
static void judge(struct openai_stream *stream)
{
    bool is_empty = stream->text_bytes == 0 && stream->tools.count == 0;
    if (stream->finish == AIC_LLM_FINISH_NONE && !stream->is_done) {
        fail(stream, AIC_CATEGORY_NETWORK, AIC_RETRY_NOW, "the answer broke off");
    } else if (stream->finish == AIC_LLM_FINISH_NONE && is_empty) {
        fail(stream, AIC_CATEGORY_PROTOCOL, AIC_RETRY_NOW, "the server's answer is empty");
    } else if (stream->finish == AIC_LLM_FINISH_LENGTH && is_empty) {
        fail(stream, AIC_CATEGORY_BAD_REQUEST, AIC_RETRY_FALL_BACK,
             "the model came to max_tokens before its first word, as one that thinks does: raise "
             "max_tokens, or lower reasoning_effort");
    } else if (stream->finish == AIC_LLM_FINISH_CONTENT_FILTER && is_empty) {
        fail(stream, AIC_CATEGORY_CONTENT_FILTER, AIC_RETRY_NEVER,
             "the server's content filter held the answer back");
    } else if (has_nameless_tool(stream)) {
        fail(stream, AIC_CATEGORY_TOOL_FORMAT, AIC_RETRY_NOW,
             "the model calls a tool without a name");
    }
}

void openai_stream_end(struct openai_stream *stream)
{
    const struct openai_think_sink sink = {
        .data = stream, .text = take_spoken, .thought = take_thought};
    openai_think_end(&stream->think, &sink);
    if (!stream->has_failed) {
        judge(stream);
    }
    if (stream->has_failed) {
        return;
    }
    if (stream->finish == AIC_LLM_FINISH_NONE || stream->finish == AIC_LLM_FINISH_STOP) {
        stream->finish = stream->tools.count > 0 ? AIC_LLM_FINISH_TOOL_CALLS
                         : stream->has_refused   ? AIC_LLM_FINISH_REFUSAL
                                                 : AIC_LLM_FINISH_STOP;
    }
}
