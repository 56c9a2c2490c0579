/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_CLIENT_H
#define IO_HTTP_CLIENT_H
/*
 * HTTP to the outside: libcurl's multi interface on the loop. This is the engine of the service in
 * aicaller/http.h, whose request and event structs it takes; the extra rules are the host's.
 */
#include <aicaller/http.h>
#include <stdbool.h>

struct http_client;
struct loop;

struct http_client_options {
    const char *ca_file;   /* NULL = the system's */
    const char *user_agent; /* "aicaller/0.1.0" */
};

/* What an address may be. Plugins reach what the operator wrote; users' URLs only what is public. */
struct http_rules {
    bool public_only;             /* refuse private, loopback, link-local and tunnelled addresses */
    const char *const *allow;     /* addresses or networks ("10.0.0.0/8") excepted; NULL-terminated */
    bool plain_to_loopback_only;  /* http:// only where the address is loopback */
    int64_t default_timeout_ms;   /* stands in for first_byte_ms; 0 = 5000 */
    const char *require_type_a;   /* content types that are accepted, such as "application/json" and */
    const char *require_type_b;   /* "text/"; NULL = any */
};

struct http_client *http_client_create(struct loop *loop, const struct http_client_options *options);
/* Cancels what is under way, without events. */
void http_client_destroy(struct http_client *client);

/* As aic_http_service.start. `rules` is borrowed until the request ends. */
int32_t http_client_start(struct http_client *client, const struct aic_http_request *params,
                          const struct http_rules *rules,
                          void (*event)(void *data, const struct aic_http_event *event), void *data,
                          struct aic_http **request);
void http_client_cancel(struct http_client *client, struct aic_http *request);
void http_client_warm(struct http_client *client, const char *url, const struct http_rules *rules);

/* Whether an address (of getaddrinfo) may be reached by a user's URL. Pure. */
struct sockaddr;
bool http_address_is_public(const struct sockaddr *address);
/* Whether it lies in one of the networks "a.b.c.d[/n]" or "x::y[/n]". Pure. */
bool http_address_in(const struct sockaddr *address, const char *const *networks);

#endif
