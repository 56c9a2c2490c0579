/* SPDX-License-Identifier: ISC */
#include "io/http_request.h"

#include "base/sched.h"
#include "io/http_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void tell(struct aic_http *request, struct aic_http_event event)
{
    if (request->is_cancelled || !request->event) {
        return;
    }
    event.size = sizeof(event);
    event.status = request->status;
    request->event(request->data, &event);
}

static void tell_sse(void *data, struct aic_str name, struct aic_str text)
{
    tell(data, (struct aic_http_event){.kind = AIC_HTTP_EVENT_SSE, .name = name, .data = text});
}

/* Header */

/* Cuts the gathered lines into names and values; returns their number. */
static uint32_t split_head(struct aic_str head, struct aic_header *headers)
{
    uint32_t count = 0;
    for (size_t at = 0; at < head.len && count < HTTP_HEADERS_MAX;) {
        const char *line = head.ptr + at;
        size_t length = strlen(line);
        const char *colon = memchr(line, ':', length);
        at += length + 1;
        if (!colon || colon == line) {
            continue;
        }
        const char *value = colon + 1;
        while (*value == ' ' || *value == '\t') {
            value++;
        }
        size_t value_length = length - (size_t)(value - line);
        while (value_length > 0 &&
               (value[value_length - 1] == ' ' || value[value_length - 1] == '\t')) {
            value_length--;
        }
        headers[count++] =
            (struct aic_header){{line, (size_t)(colon - line)}, {value, value_length}};
    }
    return count;
}

static struct aic_str find(const struct aic_header *headers, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++) {
        if (aic_str_equal_nocase(headers[i].name, name)) {
            return headers[i].value;
        }
    }
    return (struct aic_str){"", 0};
}

/* "text/" takes all of text/..., "application/json" only itself; parameters do not count. */
static bool type_matches(struct aic_str type, const char *wanted)
{
    struct aic_str word = aic_str(wanted);
    const char *end = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;
    size_t length = end ? (size_t)(end - type.ptr) : type.len;
    while (length > 0 && type.ptr[length - 1] == ' ') {
        length--;
    }
    bool is_prefix = word.len > 0 && word.ptr[word.len - 1] == '/';
    if (is_prefix && length > word.len) {
        length = word.len;
    }
    return aic_str_equal_nocase((struct aic_str){type.ptr, length}, wanted);
}

static bool type_accepted(const struct http_rules *rules, struct aic_str type)
{
    if (!rules->require_type_a && !rules->require_type_b) {
        return true;
    }
    return (rules->require_type_a && type_matches(type, rules->require_type_a)) ||
           (rules->require_type_b && type_matches(type, rules->require_type_b));
}

static void tell_headers(struct aic_http *request)
{
    struct aic_header headers[HTTP_HEADERS_MAX];
    uint32_t count = split_head(aic_buf_view(&request->head), headers);
    struct aic_str type = find(headers, count, "content-type");
    bool is_good = request->status >= 200 && request->status <= 299;
    if (is_good && !type_accepted(&request->rules, type)) {
        request->fault = HTTP_FAULT_CONTENT_TYPE;
        return;
    }
    request->is_sse =
        is_good && (request->flags & AIC_HTTP_SSE) && type_matches(type, "text/event-stream");
    request->has_headers = true;
    tell(request,
         (struct aic_http_event){.kind = AIC_HTTP_EVENT_HEADERS,
                                 .headers = headers,
                                 .header_count = count,
                                 .header_size = sizeof(headers[0]),
                                 .ttfb_us = sched_now(request->sched) - request->start_us});
}

size_t http_request_header(char *line, size_t size, size_t count, void *data)
{
    struct aic_http *request = data;
    size_t bytes = size * count;
    size_t length = bytes;
    if (request->has_headers) {
        return bytes; /* trailers */
    }
    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r')) {
        length--;
    }
    if (length >= 5 && memcmp(line, "HTTP/", 5) == 0) {
        aic_buf_clear(&request->head); /* what came before was an interim answer */
        return bytes;
    }
    if (length > 0) {
        if (!memchr(line, '\0', length)) {
            aic_buf_add(&request->head, line, length);
            aic_buf_char(&request->head, '\0');
        }
        if (request->head.failed) {
            request->fault = HTTP_FAULT_HEADERS;
            return 0;
        }
        return bytes;
    }
    long status = 0;
    curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200) {
        request->status = (int32_t)status;
        tell_headers(request);
    }
    return request->fault != HTTP_FAULT_NONE || request->is_cancelled ? 0 : bytes;
}

/* Body */

static enum http_fault take_body(struct aic_http *request, struct aic_str bytes)
{
    request->received += bytes.len;
    if (request->received > request->max_bytes) {
        return HTTP_FAULT_TOO_LARGE;
    }
    if (request->is_sse) {
        int32_t status = sse_push(&request->sse, bytes, tell_sse, request);
        return status == AIC_OK ? HTTP_FAULT_NONE : HTTP_FAULT_TOO_LARGE;
    }
    if (request->flags & AIC_HTTP_WHOLE) {
        int32_t status = aic_buf_str(&request->whole, bytes);
        return status == AIC_OK ? HTTP_FAULT_NONE : HTTP_FAULT_MEMORY;
    }
    tell(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_DATA, .data = bytes});
    return HTTP_FAULT_NONE;
}

size_t http_request_body(char *bytes, size_t size, size_t count, void *data)
{
    struct aic_http *request = data;
    size_t length = size * count;
    if (request->is_cancelled) {
        return 0;
    }
    bool is_first = request->last_byte_us == 0;
    request->last_byte_us = sched_now(request->sched);
    if (is_first) {
        http_client_rearm(request);
    }
    request->fault = take_body(request, (struct aic_str){bytes, length});
    return request->fault != HTTP_FAULT_NONE || request->is_cancelled ? 0 : length;
}

/* Connection */

curl_socket_t http_request_open_socket(void *data, curlsocktype purpose,
                                       struct curl_sockaddr *address)
{
    (void)purpose;
    struct aic_http *request = data;
    if (!http_address_allowed(&address->addr, &request->rules, request->is_plain)) {
        request->fault = HTTP_FAULT_ADDRESS;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool peer_allowed(const struct aic_http *request, const char *peer)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    const void *address = NULL;
    if (inet_pton(AF_INET, peer, &v4.sin_addr) == 1) {
        address = &v4;
    } else if (inet_pton(AF_INET6, peer, &v6.sin6_addr) == 1) {
        address = &v6;
    }
    return address && http_address_allowed(address, &request->rules, request->is_plain);
}

/* Before each request goes out, also on a connection that somebody else has opened under other
 * rules. */
int http_request_connected(void *data, char *peer, char *own, int peer_port, int own_port)
{
    (void)own;
    (void)peer_port;
    (void)own_port;
    struct aic_http *request = data;
    if (!peer_allowed(request, peer)) {
        request->fault = HTTP_FAULT_ADDRESS;
        return CURL_PREREQFUNC_ABORT;
    }
    if (request->is_connected && (request->flags & AIC_HTTP_ONCE)) {
        request->fault = HTTP_FAULT_REPEAT;
        return CURL_PREREQFUNC_ABORT;
    }
    /* An address that was refused on the way here does not matter: another one was good. */
    request->fault = HTTP_FAULT_NONE;
    request->is_connected = true;
    return CURL_PREREQFUNC_OK;
}

/* End */

struct verdict {
    uint32_t category;
    const char *code;
    const char *message; /* NULL: curl's */
};

static struct verdict verdict_of_fault(enum http_fault fault)
{
    static const struct verdict verdicts[] = {
        [HTTP_FAULT_TOO_LARGE] = {AIC_CATEGORY_PROTOCOL, "too_large", "the answer is too large"},
        [HTTP_FAULT_CONTENT_TYPE] = {AIC_CATEGORY_PROTOCOL, "content_type",
                                     "the answer's content type is not accepted"},
        [HTTP_FAULT_ADDRESS] = {AIC_CATEGORY_PERMISSION, "address",
                                "this address may not be reached"},
        [HTTP_FAULT_REPEAT] = {AIC_CATEGORY_NETWORK, "repeat",
                               "the connection broke; it is not known whether the request arrived"},
        [HTTP_FAULT_HEADERS] = {AIC_CATEGORY_PROTOCOL, "too_large",
                                "the answer's headers are too large"},
        [HTTP_FAULT_MEMORY] = {AIC_CATEGORY_INTERNAL, "internal", "out of memory"},
    };
    return verdicts[fault];
}

static struct verdict verdict_of_result(CURLcode result)
{
    switch (result) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return (struct verdict){AIC_CATEGORY_NETWORK, "resolve", NULL};
    case CURLE_COULDNT_CONNECT:
        return (struct verdict){AIC_CATEGORY_NETWORK, "connect", NULL};
    case CURLE_OPERATION_TIMEDOUT:
        return (struct verdict){AIC_CATEGORY_TIMEOUT, "connect_timeout", NULL};
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_USE_SSL_FAILED:
        return (struct verdict){AIC_CATEGORY_TLS, "tls", NULL};
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9; other schemes were refused at the start */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
        return (struct verdict){AIC_CATEGORY_PROTOCOL, "protocol", NULL};
    case CURLE_OUT_OF_MEMORY:
        return (struct verdict){AIC_CATEGORY_INTERNAL, "internal", NULL};
    default:
        return (struct verdict){AIC_CATEGORY_NETWORK, "network", NULL};
    }
}

static void tell_error(struct aic_http *request, const struct verdict *verdict,
                       struct aic_str message)
{
    bool is_final = verdict->category == AIC_CATEGORY_PERMISSION;
    const struct aic_error error = {.size = sizeof(error),
                                    .category = verdict->category,
                                    .scope = AIC_SCOPE_REQUEST,
                                    .retry = is_final ? AIC_RETRY_NEVER : AIC_RETRY_NONE,
                                    .http_status = request->status,
                                    .output_started = request->last_byte_us > 0,
                                    .code = aic_str(verdict->code),
                                    .message = message};
    tell(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_ERROR, .error = &error});
}

static void tell_end(struct aic_http *request)
{
    if (request->is_sse) {
        if (sse_end(&request->sse, tell_sse, request) != AIC_OK) {
            struct verdict verdict = verdict_of_fault(HTTP_FAULT_TOO_LARGE);
            tell_error(request, &verdict, aic_str(verdict.message));
            return;
        }
    } else if (request->whole.len > 0) {
        tell(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_DATA,
                                              .data = aic_buf_view(&request->whole)});
    }
    tell(request, (struct aic_http_event){.kind = AIC_HTTP_EVENT_DONE});
}

void http_request_end(struct aic_http *request, CURLcode result)
{
    if (result == CURLE_OK) {
        tell_end(request);
        return;
    }
    struct verdict verdict = request->fault != HTTP_FAULT_NONE ? verdict_of_fault(request->fault)
                                                               : verdict_of_result(result);
    const char *message = verdict.message;
    if (!message) {
        message = request->error_text[0] ? request->error_text : curl_easy_strerror(result);
    }
    tell_error(request, &verdict, aic_str(message));
}

/* Deadlines */

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t http_request_deadline(const struct aic_http *request)
{
    int64_t next = request->last_byte_us > 0 ? request->last_byte_us + request->idle_us
                                             : request->start_us + request->first_byte_us;
    if (!request->is_connected) {
        next = earlier(next, request->start_us + request->connect_us);
    }
    if (request->total_us > 0) {
        next = earlier(next, request->start_us + request->total_us);
    }
    return next;
}

void http_request_end_late(struct aic_http *request)
{
    int64_t spent_us = sched_now(request->sched) - request->start_us;
    struct verdict verdict = {AIC_CATEGORY_TIMEOUT, "first_byte_timeout", NULL};
    const char *what = "no answer within";
    int64_t limit_us = request->first_byte_us;
    if (request->total_us > 0 && spent_us >= request->total_us) {
        verdict.code = "total_timeout";
        what = "the answer was not complete within";
        limit_us = request->total_us;
    } else if (!request->is_connected) {
        verdict.code = "connect_timeout";
        what = "no connection within";
        limit_us = earlier(request->connect_us, request->first_byte_us);
    } else if (request->last_byte_us > 0) {
        verdict.code = "idle_timeout";
        what = "the answer paused for";
        limit_us = request->idle_us;
    }
    char message[80];
    (void)snprintf(message, sizeof(message), "%s %lld ms", what, (long long)(limit_us / 1000));
    tell_error(request, &verdict, aic_str(message));
}
