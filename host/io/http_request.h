/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_REQUEST_H
#define IO_HTTP_REQUEST_H
/*
 * Inside of the HTTP client: one request. http_client.c drives curl and owns the list;
 * http_request.c turns what curl says into events; http_setup.c turns a request into curl's
 * options.
 */
#include "io/http_client.h"

#include "buf.h"
#include "io/sse.h"

#include <curl/curl.h>

struct sched;
struct sched_timer;

enum { HTTP_HEADERS_MAX = 128, HTTP_HEADER_BYTES_MAX = 64 * 1024 };

/* Why we broke a request off ourselves. */
enum http_fault {
    HTTP_FAULT_NONE = 0,
    HTTP_FAULT_TOO_LARGE = 1,
    HTTP_FAULT_CONTENT_TYPE = 2,
    HTTP_FAULT_ADDRESS = 3,
    HTTP_FAULT_REPEAT = 4,
    HTTP_FAULT_HEADERS = 5,
    HTTP_FAULT_MEMORY = 6
};

struct aic_http {
    struct aic_http *next;
    struct aic_http **where; /* what points to it */
    struct http_client *client;
    struct sched *sched;
    CURL *easy;
    struct curl_slist *headers;
    char error_text[CURL_ERROR_SIZE];

    void (*event)(void *data, const struct aic_http_event *event);
    void *data;
    struct http_rules rules;
    uint32_t flags;
    bool is_plain; /* http, not https */

    bool is_added;     /* curl knows it */
    bool is_connected; /* the first request may go out */
    bool is_cancelled; /* dead: nothing is delivered any more */
    bool is_ending;    /* its last events are being delivered */
    enum http_fault fault;

    int64_t start_us;
    int64_t last_byte_us; /* 0 before the first */
    int64_t connect_us;   /* these are durations */
    int64_t first_byte_us;
    int64_t idle_us;
    int64_t total_us; /* 0 = none */
    struct sched_timer *timer;

    int32_t status;
    bool has_headers; /* told */
    bool is_sse;
    uint64_t received;
    uint64_t max_bytes;
    struct aic_buf head; /* header lines, without line ends, each closed by a 0 */
    struct aic_buf whole;
    struct sse sse;
};

/* Makes the request and its curl handle; see http_client_start. */
int32_t http_request_create(struct sched *sched, const struct aic_http_request *params,
                            const struct http_rules *rules, struct aic_http **request);
/* Accepts NULL. */
void http_request_destroy(struct aic_http *request);

/* curl's callbacks; `data` is the request. */
size_t http_request_header(char *line, size_t size, size_t count, void *data);
size_t http_request_body(char *bytes, size_t size, size_t count, void *data);
curl_socket_t http_request_open_socket(void *data, curlsocktype purpose,
                                       struct curl_sockaddr *address);
int http_request_connected(void *data, char *peer, char *own, int peer_port, int own_port);

/* Delivers the last events. */
void http_request_end(struct aic_http *request, CURLcode result);
/* The deadline that is next, and its code when that has passed. */
int64_t http_request_deadline(const struct aic_http *request);
void http_request_end_late(struct aic_http *request);

/* Called by http_request.c after the first byte, when the deadline may have come nearer. */
void http_client_rearm(struct aic_http *request);

#endif
