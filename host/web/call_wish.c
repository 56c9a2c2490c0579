/* SPDX-License-Identifier: ISC */
#include "web/call_wish.h"

#include "call/number.h"
#include "io/http_client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const fields[] = {"to",          "agent",           "system_prompt",
                                     "context_url", "context_headers", "metadata"};

__attribute__((format(printf, 3, 4))) static bool
complain(struct call_wish_problem *problem, const char *field, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    problem->field = field;
    (void)vsnprintf(problem->detail, sizeof(problem->detail), format, args);
    va_end(args);
    return false;
}

static int find_unknown(void *data, const char *key, const struct aic_json *value)
{
    struct call_wish_problem *problem = data;
    (void)value;
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(key, fields[i]) == 0) {
            return 0;
        }
    }
    /* The name is the client's own text: it is not repeated. */
    (void)complain(problem, "",
                   "The body has a member that is not known here. Known are to, agent, "
                   "system_prompt, context_url, context_headers and metadata.");
    return 1;
}

static size_t count_characters(struct aic_str text)
{
    size_t count = 0;
    for (size_t i = 0; i < text.len; i++) {
        count += ((unsigned char)text.ptr[i] & 0xc0) != 0x80;
    }
    return count;
}

/* Visible ASCII, as numbers, names and URLs are. */
static bool is_plain(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] <= ' ' || text.ptr[i] > '~') {
            return false;
        }
    }
    return text.len > 0;
}

/* A member that is a text or not there; null is as good as that. */
static bool text_of(const struct aic_json *root, const char *field, struct aic_str *text,
                    struct call_wish_problem *problem)
{
    const struct aic_json *node = aic_json_get(root, field);
    *text = aic_json_text(node);
    return !node || aic_json_is_string(node) ||
           complain(problem, field, "\"%s\" must be a text.", field);
}

static bool read_to(struct call_wish *wish, struct call_wish_problem *problem)
{
    struct aic_str text;
    struct number number;
    if (!text_of(wish->root, "to", &text, problem)) {
        return false;
    }
    number_parse(&number, text);
    if (number.kind == NUMBER_NOT_E164 || !aic_str_starts(text, "+")) {
        return complain(problem, "to",
                        "\"to\" must be a number in the form of E.164: a plus sign, the country "
                        "code and the number, at most 15 digits, such as \"+14155550123\".");
    }
    wish->to = aic_str_dup(text);
    return wish->to || complain(problem, "to", "Out of memory; try again.");
}

static bool read_texts(struct call_wish *wish, struct call_wish_problem *problem)
{
    struct aic_str agent;
    if (!text_of(wish->root, "agent", &agent, problem) ||
        !text_of(wish->root, "system_prompt", &wish->prompt, problem)) {
        return false;
    }
    if (agent.len > CALL_WISH_AGENT || (agent.len > 0 && memchr(agent.ptr, '\0', agent.len))) {
        return complain(problem, "agent", "\"agent\" must be the name of an agent.");
    }
    size_t characters = count_characters(wish->prompt);
    if (characters > CALL_WISH_PROMPT) {
        return complain(problem, "system_prompt",
                        "\"system_prompt\" has %zu characters; at most %d are taken.", characters,
                        CALL_WISH_PROMPT);
    }
    if (wish->prompt.len > 0 && memchr(wish->prompt.ptr, '\0', wish->prompt.len)) {
        return complain(problem, "system_prompt", "\"system_prompt\" holds a NUL character.");
    }
    wish->agent = agent.len > 0 ? aic_str_dup(agent) : NULL;
    return true;
}

static bool read_url(struct call_wish *wish, struct call_wish_problem *problem)
{
    struct aic_str url;
    if (!text_of(wish->root, "context_url", &url, problem)) {
        return false;
    }
    if (url.len == 0) {
        return true;
    }
    if (url.len > CALL_WISH_URL || !is_plain(url) ||
        (!aic_str_starts(url, "https://") && !aic_str_starts(url, "http://"))) {
        return complain(problem, "context_url",
                        "\"context_url\" must be an https address of at most %d characters.",
                        CALL_WISH_URL);
    }
    wish->context_url = aic_str_dup(url);
    return wish->context_url || complain(problem, "context_url", "Out of memory; try again.");
}

struct header_reading {
    struct call_wish *wish;
    struct call_wish_problem *problem;
    size_t bytes;
};

static int read_header(void *data, const char *key, const struct aic_json *value)
{
    struct header_reading *reading = data;
    struct call_wish *wish = reading->wish;
    struct aic_header header = {aic_str(key), aic_json_text(value)};
    if (wish->header_count == CONTEXT_HEADERS) {
        (void)complain(reading->problem, "context_headers",
                       "\"context_headers\" has more than %d headers.", CONTEXT_HEADERS);
        return 1;
    }
    reading->bytes += header.name.len + header.value.len;
    if (!aic_json_is_string(value) || reading->bytes > CALL_WISH_HEADER_BYTES ||
        !http_header_is_sendable(header.name, header.value)) {
        /* Values are secrets, and names may be anything: neither is repeated. */
        (void)complain(reading->problem, "context_headers",
                       "Header %u of \"context_headers\" cannot be sent: a name and a text of one "
                       "line are expected, not Host nor one that frames a message, and at most %d "
                       "bytes in all.",
                       wish->header_count + 1, CALL_WISH_HEADER_BYTES);
        return 1;
    }
    wish->headers[wish->header_count++] = header;
    return 0;
}

static bool read_headers(struct call_wish *wish, struct call_wish_problem *problem)
{
    const struct aic_json *node = aic_json_get(wish->root, "context_headers");
    struct header_reading reading = {wish, problem, 0};
    if (!node) {
        return true;
    }
    if (!aic_json_is_object(node)) {
        return complain(problem, "context_headers",
                        "\"context_headers\" must be an object of names and texts.");
    }
    if (!wish->context_url && aic_json_count(node) > 0) {
        return complain(problem, "context_headers",
                        "\"context_headers\" are sent to \"context_url\", which is not given.");
    }
    return aic_json_each(node, read_header, &reading) == 0;
}

static bool read_metadata(struct call_wish *wish, struct call_wish_problem *problem)
{
    const struct aic_json *node = aic_json_get(wish->root, "metadata");
    if (!node) {
        return true;
    }
    struct aic_str text = aic_json_print(node);
    if (!aic_json_is_object(node) || text.len > CALL_WISH_METADATA) {
        return complain(problem, "metadata", "\"metadata\" must be an object of at most %d bytes.",
                        CALL_WISH_METADATA);
    }
    wish->metadata = aic_str_dup(text);
    return wish->metadata || complain(problem, "metadata", "Out of memory; try again.");
}

bool call_wish_read(struct call_wish *wish, struct aic_json *root,
                    struct call_wish_problem *problem)
{
    *wish = (struct call_wish){.root = root, .prompt = AIC_STR("")};
    *problem = (struct call_wish_problem){.field = ""};
    return aic_json_each(root, find_unknown, problem) == 0 && read_to(wish, problem) &&
           read_texts(wish, problem) && read_url(wish, problem) && read_headers(wish, problem) &&
           read_metadata(wish, problem);
}

void call_wish_finish(struct call_wish *wish)
{
    free(wish->to);
    free(wish->agent);
    free(wish->context_url);
    free(wish->metadata);
    aic_json_free(wish->root);
    *wish = (struct call_wish){.root = NULL};
}
