/* SPDX-License-Identifier: ISC */
#include "web/lookup.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ANSWER = 48 << 20, MAX_PARAMS = 64 * 1024, MAX_LINK = 16 * 1024 };

enum { SHOWN_DIGITS = 4, NUMBER_DIGITS = 7, TAG_BYTES = 16, TAG_TEXT = 2 * TAG_BYTES + 3 };

struct lookup *lookup_begin(struct web *web, const struct visit *visit, size_t bytes)
{
    if (!web->settings.storage) {
        (void)reply_problem(visit->exchange, 404, "no-storage", "No storage is configured.");
        return NULL;
    }
    struct lookup *lookup = calloc(1, bytes);
    if (!lookup) {
        (void)reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
        return NULL;
    }
    held_begin(&lookup->held, web, visit->exchange);
    aic_buf_init(&lookup->params, MAX_PARAMS);
    aic_buf_init(&lookup->answer, MAX_ANSWER);
    aic_buf_init(&lookup->link, MAX_LINK);
    aic_json_writer_init(&lookup->w, &lookup->answer);
    lookup->hides_numbers = visit->hides_numbers;
    return lookup;
}

void lookup_end(struct lookup *lookup)
{
    (void)held_end(&lookup->held);
    if (lookup->finish) {
        lookup->finish(lookup);
    }
    aic_buf_finish(&lookup->params);
    aic_buf_finish(&lookup->answer);
    aic_buf_finish(&lookup->link);
    free(lookup);
}

void lookup_ask(struct lookup *lookup, const char *query, storage_reply reply)
{
    storage_query(lookup->held.web->settings.storage, query, aic_buf_view(&lookup->params), reply,
                  lookup);
}

bool lookup_is_good(struct lookup *lookup, int32_t status, const struct aic_error *error)
{
    bool is_late = !lookup->held.web;
    if (!is_late && status == AIC_OK) {
        return true;
    }
    if (!is_late) {
        (void)reply_storage_error(lookup->held.exchange, status, error);
    }
    lookup_end(lookup);
    return false;
}

void lookup_fail(struct lookup *lookup, int32_t status, const char *type, const char *detail)
{
    (void)reply_problem(lookup->held.exchange, status, type, detail);
    lookup_end(lookup);
}

/* The answer's ETag: what is in it, and nothing else, decides. */
static void make_tag(char tag[TAG_TEXT], struct aic_str text)
{
    unsigned char hash[TAG_BYTES];
    (void)crypto_generichash(hash, sizeof(hash), (const unsigned char *)text.ptr, text.len, NULL,
                             0);
    tag[0] = '"';
    (void)sodium_bin2hex(tag + 1, 2 * TAG_BYTES + 1, hash, sizeof(hash));
    tag[TAG_TEXT - 2] = '"';
    tag[TAG_TEXT - 1] = '\0';
}

/* Whether If-None-Match names the tag; weak or strong makes no difference there. */
static bool is_known(struct aic_str header, const char *tag)
{
    return aic_str_equal(header, "*") ||
           (header.len > 0 && memmem(header.ptr, header.len, tag, strlen(tag)));
}

void lookup_succeed(struct lookup *lookup)
{
    char tag[TAG_TEXT];
    struct aic_str link = lookup->link.failed ? AIC_STR("") : aic_buf_view(&lookup->link);
    aic_json_close(&lookup->w, '}');
    if (lookup->answer.failed) {
        lookup_fail(lookup, 503, "too-large", "The answer is too large.");
        return;
    }
    if (lookup->hides_numbers) {
        lookup_hide_numbers(lookup->answer.data, lookup->answer.len);
    }
    make_tag(tag, aic_buf_view(&lookup->answer));
    bool has_it = is_known(server_header(lookup->held.exchange, "if-none-match"), tag);
    const struct aic_header headers[] = {
        {AIC_STR("cache-control"), AIC_STR("no-store")},
        {AIC_STR("x-content-type-options"), AIC_STR("nosniff")},
        {AIC_STR("etag"), aic_str(tag)},
        {AIC_STR("link"), link},
    };
    const struct aic_response response = {.size = sizeof(response),
                                          .status = has_it ? 304 : 200,
                                          .content_type = has_it ? NULL : "application/json",
                                          .body =
                                              has_it ? AIC_STR("") : aic_buf_view(&lookup->answer),
                                          .headers = headers,
                                          .header_count = link.len > 0 ? 4 : 3,
                                          .header_size = sizeof(headers[0])};
    (void)server_respond(lookup->held.exchange, &response);
    lookup_end(lookup);
}

int32_t lookup_refuse(const struct visit *visit, const struct params *params)
{
    return reply_with(visit->exchange,
                      &(struct problem){.status = 400,
                                        .type = "bad-parameter",
                                        .detail = params->detail,
                                        .field = params->field[0] ? params->field : NULL});
}

/* Numbers that not everybody sees */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

void lookup_hide_number(char *text, size_t bytes)
{
    size_t shown = 0;
    for (size_t i = bytes; i > 0; i--) {
        if (is_digit(text[i - 1]) && ++shown > SHOWN_DIGITS) {
            text[i - 1] = '*';
        }
    }
}

void lookup_hide_numbers(char *text, size_t bytes)
{
    size_t from = 0;
    for (size_t i = 0; i <= bytes; i++) {
        if (i < bytes && from > 0 && is_digit(text[i])) {
            continue;
        }
        if (from > 0 && i - from >= NUMBER_DIGITS) {
            lookup_hide_number(text + from, i - from);
        }
        from = i < bytes && text[i] == '+' ? i + 1 : 0;
    }
}

static void put_number(struct lookup *lookup, const struct aic_json *value)
{
    struct aic_buf number;
    aic_buf_init(&number, 1024);
    aic_buf_str(&number, aic_json_text(value));
    if (number.len > 0) {
        lookup_hide_number(number.data, number.len);
    }
    aic_json_put(&lookup->w, aic_buf_view(&number));
    aic_buf_finish(&number);
}

/* The API says "from" where the table, because of SQL, says "from_number". */
static int write_call_member(void *data, const char *key, const struct aic_json *value)
{
    struct lookup *lookup = data;
    bool is_from = strcmp(key, "from_number") == 0;
    bool is_to = strcmp(key, "to_number") == 0;
    aic_json_key(&lookup->w, is_from ? "from" : is_to ? "to" : key);
    if ((is_from || is_to) && lookup->hides_numbers && aic_json_is_string(value)) {
        put_number(lookup, value);
    } else {
        aic_json_put_node(&lookup->w, value);
    }
    return 0;
}

void lookup_write_call(struct lookup *lookup, const struct aic_json *call)
{
    aic_json_open(&lookup->w, '{');
    (void)aic_json_each(call, write_call_member, lookup);
    aic_json_close(&lookup->w, '}');
}
