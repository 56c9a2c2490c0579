/* SPDX-License-Identifier: ISC */
#include "io/http_head.h"

#include "buf.h"

size_t http_head_length(struct aic_str text, size_t seen)
{
    size_t from = seen > 3 ? seen - 3 : 0;
    if (text.len < 4 || from > text.len) {
        return 0;
    }
    const char *end = memmem(text.ptr + from, text.len - from, "\r\n\r\n", 4);
    return end ? (size_t)(end - text.ptr) + 4 : 0;
}

static bool is_token_char(char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) {
        return true;
    }
    return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool http_head_may_begin(char first)
{
    return is_token_char(first) || first == '\r';
}

static bool is_token(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_token_char(text.ptr[i])) {
            return false;
        }
    }
    return text.len > 0;
}

/* Field values may hold visible characters, spaces, tabs and bytes above 0x7f. */
static bool is_value(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool is_target(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c <= 0x20 || c >= 0x7f || c == '#') {
            return false;
        }
    }
    return text.len > 0;
}

static struct aic_str trim(struct aic_str text)
{
    while (text.len > 0 && (text.ptr[0] == ' ' || text.ptr[0] == '\t')) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t')) {
        text.len--;
    }
    return text;
}

/* Cuts `text` at the first `c`; false when there is none. */
static bool cut(struct aic_str *text, char c, struct aic_str *before)
{
    const char *at = text->len > 0 ? memchr(text->ptr, c, text->len) : NULL;
    if (!at) {
        return false;
    }
    size_t length = (size_t)(at - text->ptr);
    *before = (struct aic_str){text->ptr, length};
    *text = (struct aic_str){at + 1, text->len - length - 1};
    return true;
}

/* Takes a line that ends in CR LF and has neither of them inside. */
static bool take_line(struct aic_str *text, struct aic_str *line)
{
    if (!cut(text, '\n', line) || line->len == 0 || line->ptr[line->len - 1] != '\r') {
        return false;
    }
    line->len--;
    return line->len == 0 || memchr(line->ptr, '\r', line->len) == NULL;
}

static uint32_t method_of(struct aic_str name)
{
    static const struct {
        const char *name;
        uint32_t method;
    } known[] = {{"GET", AIC_METHOD_GET},     {"HEAD", AIC_METHOD_GET},
                 {"POST", AIC_METHOD_POST},   {"PUT", AIC_METHOD_PUT},
                 {"PATCH", AIC_METHOD_PATCH}, {"DELETE", AIC_METHOD_DELETE}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (aic_str_equal(name, known[i].name)) {
            return known[i].method;
        }
    }
    return AIC_METHOD_NONE;
}

/* "/path?query", or the same behind "http://host", whose host says nothing to us. */
static int32_t parse_target(struct aic_str target, struct http_head *head)
{
    if (!is_target(target)) {
        return 400;
    }
    static const char *const schemes[] = {"http://", "https://"};
    for (size_t i = 0; i < 2; i++) {
        if (aic_str_starts(target, schemes[i])) {
            size_t skip = strlen(schemes[i]);
            while (skip < target.len && target.ptr[skip] != '/') {
                skip++;
            }
            target = (struct aic_str){target.ptr + skip, target.len - skip};
        }
    }
    if (target.len == 0 || target.ptr[0] != '/') {
        return 400;
    }
    head->query = target;
    if (!cut(&head->query, '?', &head->path)) {
        head->path = target;
        head->query = (struct aic_str){"", 0};
    }
    return 0;
}

static int32_t parse_request_line(struct aic_str line, struct http_head *head)
{
    struct aic_str target = {0};
    if (!cut(&line, ' ', &head->method_name) || !cut(&line, ' ', &target) ||
        !is_token(head->method_name)) {
        return 400;
    }
    head->method = method_of(head->method_name);
    head->is_head = aic_str_equal(head->method_name, "HEAD");
    head->is_http_1_0 = aic_str_equal(line, "HTTP/1.0");
    if (!head->is_http_1_0 && !aic_str_equal(line, "HTTP/1.1")) {
        return line.len == 8 && aic_str_starts(line, "HTTP/") ? 505 : 400;
    }
    return parse_target(target, head);
}

static int32_t parse_headers(struct aic_str text, struct http_head *head)
{
    struct aic_str line = {0};
    for (;;) {
        if (!take_line(&text, &line)) {
            return 400;
        }
        if (line.len == 0) {
            return text.len == 0 ? 0 : 400;
        }
        struct aic_header header = {.value = line};
        /* A space in front of the colon, or a folded line, makes the name no token. */
        if (!cut(&header.value, ':', &header.name) || !is_token(header.name) ||
            !is_value(header.value)) {
            return 400;
        }
        if (head->header_count == HTTP_HEAD_HEADERS) {
            return 431;
        }
        header.value = trim(header.value);
        head->headers[head->header_count++] = header;
    }
}

int32_t http_head_parse(struct aic_str text, struct http_head *head)
{
    head->header_count = 0;
    struct aic_str line = {0};
    /* Some clients send an empty line behind the body of their last request. */
    while (aic_str_starts(text, "\r\n")) {
        text = (struct aic_str){text.ptr + 2, text.len - 2};
    }
    if (!take_line(&text, &line)) {
        return 400;
    }
    int32_t status = parse_request_line(line, head);
    if (status == 0) {
        status = parse_headers(text, head);
    }
    if (status != 0) {
        return status;
    }
    size_t hosts = http_head_count(head, "host");
    return hosts == 1 || (hosts == 0 && head->is_http_1_0) ? 0 : 400;
}

/* "HTTP/1.1 101 Switching Protocols"; the phrase may be missing. */
static bool parse_status_line(struct aic_str line, struct http_head *head, int32_t *status)
{
    bool is_http_1_1 = aic_str_starts(line, "HTTP/1.1 ");
    head->is_http_1_0 = !is_http_1_1;
    if ((!is_http_1_1 && !aic_str_starts(line, "HTTP/1.0 ")) || line.len < 12 ||
        (line.len > 12 && line.ptr[12] != ' ')) {
        return false;
    }
    *status = 0;
    for (size_t i = 9; i < 12; i++) {
        if (line.ptr[i] < '0' || line.ptr[i] > '9') {
            return false;
        }
        *status = *status * 10 + (line.ptr[i] - '0');
    }
    return *status >= 100 && is_value(line);
}

int32_t http_head_parse_answer(struct aic_str text, struct http_head *head, int32_t *status)
{
    struct aic_str line = {0};
    head->header_count = 0;
    if (!take_line(&text, &line) || !parse_status_line(line, head, status) ||
        parse_headers(text, head) != 0) {
        return AIC_ERROR_PROTOCOL;
    }
    return AIC_OK;
}

int32_t http_head_body(const struct http_head *head, uint64_t *bytes)
{
    *bytes = 0;
    if (http_head_count(head, "transfer-encoding") > 0) {
        return 411;
    }
    size_t lengths = http_head_count(head, "content-length");
    if (lengths == 0) {
        return 0;
    }
    struct aic_str text = http_head_find(head, "content-length");
    if (lengths > 1 || text.len == 0) {
        return 400;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9') {
            return 400;
        }
        *bytes = *bytes * 10 + (uint64_t)(text.ptr[i] - '0');
        if (*bytes > UINT64_MAX / 100) {
            return 413;
        }
    }
    return 0;
}

struct aic_str http_head_find(const struct http_head *head, const char *name)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (aic_str_equal_nocase(head->headers[i].name, name)) {
            return head->headers[i].value;
        }
    }
    return (struct aic_str){"", 0};
}

size_t http_head_count(const struct http_head *head, const char *name)
{
    size_t count = 0;
    for (uint32_t i = 0; i < head->header_count; i++) {
        count += aic_str_equal_nocase(head->headers[i].name, name);
    }
    return count;
}

bool http_list_next(struct aic_str *list, struct aic_str *element)
{
    while (list->len > 0) {
        if (!cut(list, ',', element)) {
            *element = *list;
            list->len = 0;
        }
        *element = trim(*element);
        if (element->len > 0) {
            return true;
        }
    }
    return false;
}

bool http_head_has_word(const struct http_head *head, const char *name, const char *word)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        struct aic_str list = head->headers[i].value;
        struct aic_str element = {0};
        if (!aic_str_equal_nocase(head->headers[i].name, name)) {
            continue;
        }
        while (http_list_next(&list, &element)) {
            if (aic_str_equal_nocase(element, word)) {
                return true;
            }
        }
    }
    return false;
}
