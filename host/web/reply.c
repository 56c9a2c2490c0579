/* SPDX-License-Identifier: ISC */
#include "web/web_private.h"

#include "base/counters.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct aic_header api_headers[] = {
    {AIC_STR_INIT("cache-control"), AIC_STR_INIT("no-store")},
    {AIC_STR_INIT("x-content-type-options"), AIC_STR_INIT("nosniff")},
};

int32_t reply_json(struct aic_exchange *exchange, int32_t status, struct aic_str json)
{
    const struct aic_response response = {.size = sizeof(response),
                                          .status = status,
                                          .content_type = "application/json",
                                          .body = json,
                                          .headers = api_headers,
                                          .header_count = 2,
                                          .header_size = sizeof(api_headers[0])};
    return server_respond(exchange, &response);
}

static const char *title_of(int32_t status)
{
    switch (status) {
    case 400:
        return "Bad request";
    case 401:
        return "Not signed in";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 409:
        return "Conflict";
    case 413:
        return "Too large";
    case 415:
        return "Unsupported media type";
    case 416:
        return "Range not satisfiable";
    case 422:
        return "Cannot be processed";
    case 429:
        return "Too many requests";
    case 502:
        return "Refused elsewhere";
    case 503:
        return "Not now";
    default:
        return "Failed";
    }
}

static void write_problem(struct aic_buf *buf, const struct problem *problem)
{
    struct aic_json_writer w;
    struct aic_buf address;
    aic_json_writer_init(&w, buf);
    aic_json_open(&w, '{');
    aic_buf_init(&address, 256);
    aic_buf_printf(&address, "/docs/http-api#%s", problem->type);
    aic_json_member(&w, "type", aic_buf_view(&address));
    aic_buf_finish(&address);
    aic_json_member_text(&w, "title", title_of(problem->status));
    aic_json_member_int(&w, "status", problem->status);
    aic_json_member_text(&w, "detail", problem->detail);
    if (problem->reason) {
        aic_json_member_text(&w, "reason", problem->reason);
    }
    if (problem->field) {
        aic_json_member_text(&w, "field", problem->field);
    }
    if (problem->call_id) {
        aic_json_member_text(&w, "call_id", problem->call_id);
    }
    aic_json_close(&w, '}');
}

int32_t reply_with(struct aic_exchange *exchange, const struct problem *problem)
{
    struct aic_header headers[6] = {api_headers[0], api_headers[1]};
    uint32_t count = 2;
    if (problem->status == 401 || problem->status == 403 || problem->status == 404 ||
        problem->status == 429) {
        counter_refuse(problem->type);
    }
    char seconds[24];
    (void)snprintf(seconds, sizeof(seconds), "%" PRId64, problem->retry_after_s);
    if (problem->retry_after_s > 0) {
        headers[count++] = (struct aic_header){AIC_STR("retry-after"), aic_str(seconds)};
    }
    if (problem->authenticate) {
        headers[count++] =
            (struct aic_header){AIC_STR("www-authenticate"), aic_str(problem->authenticate)};
    }
    if (problem->content_range) {
        headers[count++] =
            (struct aic_header){AIC_STR("content-range"), aic_str(problem->content_range)};
    }
    if (problem->cookie) {
        headers[count++] = (struct aic_header){AIC_STR("set-cookie"), aic_str(problem->cookie)};
    }
    struct aic_buf buf;
    aic_buf_init(&buf, 8192);
    write_problem(&buf, problem);
    const struct aic_response response = {.size = sizeof(response),
                                          .status = problem->status,
                                          .content_type = "application/problem+json",
                                          .body = aic_buf_view(&buf),
                                          .headers = headers,
                                          .header_count = count,
                                          .header_size = sizeof(headers[0])};
    int32_t result = server_respond(exchange, &response);
    aic_buf_finish(&buf);
    return result;
}

int32_t reply_problem(struct aic_exchange *exchange, int32_t status, const char *type,
                      const char *detail)
{
    return reply_with(exchange,
                      &(struct problem){.status = status, .type = type, .detail = detail});
}

int32_t reply_see_other(struct aic_exchange *exchange, struct aic_str location, const char *cookie)
{
    struct aic_header headers[4] = {api_headers[0], api_headers[1],
                                    (struct aic_header){AIC_STR("location"), location}};
    uint32_t count = 3;
    if (cookie) {
        headers[count++] = (struct aic_header){AIC_STR("set-cookie"), aic_str(cookie)};
    }
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 303,
                                          .headers = headers,
                                          .header_count = count,
                                          .header_size = sizeof(headers[0])};
    return server_respond(exchange, &response);
}

int32_t reply_storage_error(struct aic_exchange *exchange, int32_t status,
                            const struct aic_error *error)
{
    char text[512] = "";
    if (error) {
        (void)aic_str_copy(error->message, text, sizeof(text));
    }
    if (status == AIC_ERROR_INVALID) {
        /* "status: expected ..." */
        char field[32] = "";
        size_t length = strcspn(text, ":");
        bool is_named = length < sizeof(field) && text[length] == ':' &&
                        strspn(text, "abcdefghijklmnopqrstuvwxyz_") == length;
        (void)aic_str_copy((struct aic_str){text, length}, field, sizeof(field));
        return reply_with(exchange, &(struct problem){.status = 400,
                                                      .type = "bad-parameter",
                                                      .detail = text,
                                                      .field = is_named ? field : NULL});
    }
    if (status == AIC_ERROR_NOT_FOUND) {
        return reply_problem(exchange, 404, "not-found", text);
    }
    return reply_problem(exchange, 503, "storage",
                         "The storage does not answer now. Calls go on; try again.");
}

static bool is_json_type(struct aic_str type)
{
    size_t length = 0;
    while (length < type.len && type.ptr[length] != ';' && type.ptr[length] != ' ') {
        length++;
    }
    return aic_str_equal_nocase((struct aic_str){type.ptr, length}, "application/json");
}

struct aic_json *reply_parse_body(struct aic_exchange *exchange, const struct aic_request *request)
{
    if (!is_json_type(server_header(exchange, "content-type"))) {
        (void)reply_problem(exchange, 415, "content-type",
                            "The body must be sent as Content-Type: application/json.");
        return NULL;
    }
    struct aic_json *root = aic_json_parse(request->body, 0);
    if (!aic_json_is_object(root)) {
        aic_json_free(root);
        (void)reply_problem(exchange, 400, "bad-json",
                            "The body is not a JSON object in valid UTF-8.");
        return NULL;
    }
    return root;
}
