/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H
/*
 * HTTP to the outside: libcurl's multi interface on the loop. This is the engine of the service in
 * aicaller/http.h, whose request and event structs it takes; the extra rules are the host's.
 *
 * An ERROR event says more in `code`: "address" (refused by the rules), "resolve", "connect",
 * "tls", "connect_timeout", "first_byte_timeout", "idle_timeout", "total_timeout", "too_large",
 * "content_type", "protocol", "network", "repeat" (see AIC_HTTP_ONCE) or "internal".
 */
#include <aicaller/http.h>
#include <stdbool.h>

struct http_client;
struct loop;

struct http_client_options {
    const char *ca_file;    /* NULL = the system's */
    const char *user_agent; /* "aicaller/0.1.0" */
};

/* What an address may be. Plugins reach what the operator wrote; users' URLs only what is public.
 */
struct http_rules {
    bool public_only;            /* refuse all that http_address_is_public does not take */
    bool plain_to_loopback_only; /* http:// and ws:// only where the address is loopback */
    const char *const *allow;    /* addresses or networks ("10.0.0.0/8") excepted from both;
                                  * NULL-terminated; NULL = none */
    int64_t default_timeout_ms;  /* stands in for first_byte_ms; 0 = 5000 */
    const char *require_type_a;  /* content types of a 2xx answer that are accepted, such as */
    const char *require_type_b;  /* "application/json" or "text/"; both NULL = any */
};

/* Whether a header may stand in a request of ours: it breaks no line and frames no message. */
bool http_header_is_sendable(struct aic_str name, struct aic_str value);

/* NULL on failure. */
struct http_client *http_client_create(struct loop *loop,
                                       const struct http_client_options *options);
/* Cancels what is under way, without events. Accepts NULL. Not from inside an event function. */
void http_client_destroy(struct http_client *client);

/*
 * As aic_http_service.start. AIC_ERROR_INVALID: URL, method or a header is not acceptable (also
 * user names in URLs, and headers that frame a message); AIC_ERROR_UNSUPPORTED: neither http nor
 * https. What `rules` points to is borrowed until the request ends; NULL = no rules.
 */
int32_t http_client_start(struct http_client *client, const struct aic_http_request *params,
                          const struct http_rules *rules,
                          void (*event)(void *data, const struct aic_http_event *event), void *data,
                          struct aic_http **request);
void http_client_cancel(struct http_client *client, struct aic_http *request);
void http_client_warm(struct http_client *client, const char *url, const struct http_rules *rules);

#endif
