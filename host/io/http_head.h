/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_HEAD_H
#define IO_HTTP_HEAD_H
/*
 * The head of a request to our port or of an answer to us (RFC 9112), strictly: what two programs
 * could read in two ways is refused. Pure. Path and query are kept as they were sent, because
 * carriers sign them so.
 */
#include <aicaller/route.h>
#include <stdbool.h>

enum { HTTP_HEAD_BYTES = 16384, HTTP_HEAD_HEADERS = 100 };

/* Slices of the text that was parsed. */
struct http_head {
    struct aic_str method_name;
    uint32_t method; /* one of AIC_METHOD_..., 0 for others; GET for HEAD */
    bool is_head;
    bool is_http_1_0;
    struct aic_str path;  /* begins with '/' */
    struct aic_str query; /* without '?' */
    struct aic_header headers[HTTP_HEAD_HEADERS];
    uint32_t header_count;
};

/* Whether a head can begin with this byte at all. */
bool http_head_may_begin(char first);
/* Length of the head that `text` begins with, its blank line included; 0 while it is not complete.
 * `seen` bytes were looked at before. */
size_t http_head_length(struct aic_str text, size_t seen);
/* Parses a complete head. 0, or the HTTP status of the refusal: 400, 431, 505. */
int32_t http_head_parse(struct aic_str text, struct http_head *head);
/* The same for an answer that we got: its headers, and its status. 0, or AIC_ERROR_PROTOCOL. */
int32_t http_head_parse_answer(struct aic_str text, struct http_head *head, int32_t *status);
/* How long the body is. 0, or the status of the refusal: 400, 411, 413. */
int32_t http_head_body(const struct http_head *head, uint64_t *bytes);

/* First value of a header by its name in any case; empty when absent. */
struct aic_str http_head_find(const struct http_head *head, const char *name);
size_t http_head_count(const struct http_head *head, const char *name);
/* Whether a header that is a list ("a, b"), in one line or several, has this word in any case. */
bool http_head_has_word(const struct http_head *head, const char *name, const char *word);

/* Takes the next element from a comma-separated list; false at its end. */
bool http_list_next(struct aic_str *list, struct aic_str *element);

#endif
