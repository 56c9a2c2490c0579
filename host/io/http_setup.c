/* SPDX-License-Identifier: ISC */
/* From a request's struct to curl's options. */
#include "base/sched.h"
#include "io/http_request.h"

enum {
    CONNECT_MS = 2000,
    FIRST_BYTE_MS = 5000,
    IDLE_MS = 5000,
    WHOLE_BYTES = 1024 * 1024,
    STREAM_BYTES = 16 * 1024 * 1024,
    HEADER_VALUE_MAX = 16 * 1024
};

static bool is_method(const char *method)
{
    static const char *const known[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
    for (size_t i = 0; method && i < sizeof(known) / sizeof(known[0]); i++) {
        if (strcmp(method, known[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Checks the URL and tells whether it is http rather than https. */
static int32_t check_url(const char *url, bool *is_plain)
{
    CURLU *parsed = curl_url();
    if (!parsed) {
        return AIC_ERROR_MEMORY;
    }
    int32_t status = AIC_OK;
    char *scheme = NULL;
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_DISALLOW_USER);
    if (code == CURLUE_UNSUPPORTED_SCHEME) {
        status = AIC_ERROR_UNSUPPORTED;
    } else if (code != CURLUE_OK ||
               curl_url_get(parsed, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK) {
        status = AIC_ERROR_INVALID;
    } else if (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0) {
        status = AIC_ERROR_UNSUPPORTED;
    } else {
        *is_plain = strcmp(scheme, "http") == 0;
    }
    curl_free(scheme);
    curl_url_cleanup(parsed);
    return status;
}

static bool is_token(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool is_alnum = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!is_alnum && (c == '\0' || !strchr("!#$%&'*+-.^_`|~", c))) {
            return false;
        }
    }
    return text.len > 0 && text.len <= 256;
}

static bool is_value(struct aic_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return text.len <= HEADER_VALUE_MAX;
}

/* Headers that frame the message or name the host are ours alone. */
static bool is_ours(struct aic_str name)
{
    static const char *const ours[] = {"host",       "content-length", "transfer-encoding",
                                       "connection", "upgrade",        "expect",
                                       "te",         "trailer"};
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (aic_str_equal_nocase(name, ours[i])) {
            return true;
        }
    }
    return false;
}

static int32_t append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (!longer) {
        return AIC_ERROR_MEMORY;
    }
    *list = longer;
    return AIC_OK;
}

bool http_header_is_sendable(struct aic_str name, struct aic_str value)
{
    return is_token(name) && is_value(value) && !is_ours(name);
}

static int32_t add_header(struct curl_slist **list, const struct aic_header *header)
{
    if (!http_header_is_sendable(header->name, header->value)) {
        return AIC_ERROR_INVALID;
    }
    struct aic_buf line;
    aic_buf_init(&line, HEADER_VALUE_MAX + 300);
    aic_buf_str(&line, header->name);
    /* curl writes an empty value only with this mark; "name:" would remove the header. */
    aic_buf_text(&line, header->value.len > 0 ? ": " : ";");
    aic_buf_str(&line, header->value);
    int32_t status = line.failed ? AIC_ERROR_MEMORY : append(list, line.data);
    aic_buf_finish(&line);
    return status;
}

static const struct aic_header *header_at(const struct aic_http_request *params, uint32_t index)
{
    const char *base = (const char *)params->headers;
    return (const struct aic_header *)(const void *)(base + (size_t)index * params->header_size);
}

static int32_t add_headers(struct aic_http *request, const struct aic_http_request *params)
{
    bool has_type = false;
    for (uint32_t i = 0; i < params->header_count; i++) {
        const struct aic_header *header = header_at(params, i);
        int32_t status = add_header(&request->headers, header);
        if (status != AIC_OK) {
            return status;
        }
        has_type = has_type || aic_str_equal_nocase(header->name, "content-type");
    }
    /* Without these curl would wait for 100 Continue, and call every body a form. */
    int32_t status = append(&request->headers, "Expect:");
    if (status == AIC_OK && !has_type) {
        status = append(&request->headers, "Content-Type:");
    }
    return status;
}

static int64_t us(int64_t ms, int64_t otherwise_ms)
{
    return (ms > 0 ? ms : otherwise_ms) * 1000;
}

static void set_limits(struct aic_http *request, const struct aic_http_request *params)
{
    int64_t first_byte_ms =
        request->rules.default_timeout_ms > 0 ? request->rules.default_timeout_ms : FIRST_BYTE_MS;
    request->connect_us = us(params->connect_ms, CONNECT_MS);
    request->first_byte_us = us(params->first_byte_ms, first_byte_ms);
    request->idle_us = us(params->idle_ms, IDLE_MS);
    request->total_us = us(params->total_ms, 0);
    uint64_t bytes = params->flags & AIC_HTTP_WHOLE ? WHOLE_BYTES : STREAM_BYTES;
    request->max_bytes = params->max_bytes > 0 ? params->max_bytes : bytes;
    aic_buf_init(&request->head, HTTP_HEADER_BYTES_MAX);
    aic_buf_init(&request->whole, (size_t)request->max_bytes);
    sse_init(&request->sse, (size_t)request->max_bytes);
}

/* What all requests have in common: safety first. */
static void set_rules(struct aic_http *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST,
                     "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, 30L);
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, 10L);
    /* Deadlines are ours; curl's own would only be a second opinion. */
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, 600000L);
    /* Else curl waits, on the loop, for the resolver's thread of a cancelled request. */
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
}

static void set_callbacks(struct aic_http *request)
{
    CURL *easy = request->easy;
    curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error_text);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, http_request_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, http_request_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, http_request_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, request);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, http_request_connected);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, request);
}

static int32_t set_message(struct aic_http *request, const struct aic_http_request *params)
{
    CURL *easy = request->easy;
    bool has_body = params->body.len > 0 || strcmp(params->method, "POST") == 0 ||
                    strcmp(params->method, "PUT") == 0 || strcmp(params->method, "PATCH") == 0;
    if (strcmp(params->method, "HEAD") == 0) {
        curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (has_body) {
        curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)params->body.len);
        if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS,
                             params->body.len > 0 ? params->body.ptr : "") != CURLE_OK) {
            return AIC_ERROR_MEMORY;
        }
    }
    if (curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, params->method) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, params->url) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_HTTPHEADER, request->headers) != CURLE_OK) {
        return AIC_ERROR_MEMORY;
    }
    if (params->flags & AIC_HTTP_WHOLE) {
        /* Compression delays what streams. */
        curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    }
    return AIC_OK;
}

int32_t http_request_create(struct sched *sched, const struct aic_http_request *params,
                            const struct http_rules *rules, struct aic_http **request)
{
    bool is_plain = false;
    if (!params->url || !is_method(params->method)) {
        return AIC_ERROR_INVALID;
    }
    int32_t status = check_url(params->url, &is_plain);
    if (status != AIC_OK) {
        return status;
    }
    struct aic_http *new = calloc(1, sizeof(*new));
    if (!new) {
        return AIC_ERROR_MEMORY;
    }
    new->sched = sched;
    new->flags = params->flags;
    new->is_plain = is_plain;
    new->rules = rules ? *rules : (struct http_rules){0};
    set_limits(new, params);
    new->easy = curl_easy_init();
    status = new->easy ? add_headers(new, params) : AIC_ERROR_MEMORY;
    if (status == AIC_OK) {
        set_rules(new);
        set_callbacks(new);
        status = set_message(new, params);
    }
    if (status != AIC_OK) {
        http_request_destroy(new);
        return status;
    }
    new->start_us = sched_now(sched);
    *request = new;
    return AIC_OK;
}

void http_request_destroy(struct aic_http *request)
{
    if (!request) {
        return;
    }
    sched_timer_stop(request->sched, request->timer);
    curl_easy_cleanup(request->easy);
    curl_slist_free_all(request->headers);
    aic_buf_finish(&request->head);
    aic_buf_finish(&request->whole);
    sse_finish(&request->sse);
    free(request);
}
