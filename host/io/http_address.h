/* SPDX-License-Identifier: ISC */
#ifndef IO_HTTP_ADDRESS_H
#define IO_HTTP_ADDRESS_H
/*
 * What may be reached at which address. Pure: the decision is made on the address that a connection
 * is about to be opened to, never on a name or on the text of a URL, so that no spelling of a
 * number and no answer of a name server can go round it.
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct sockaddr;

/* A network such as 10.0.0.0/8. IPv4 is kept in its mapped form, ::ffff:a.b.c.d. */
struct http_network {
    uint8_t bytes[16];
    uint8_t bits;
};

/* Reads "a.b.c.d", "a.b.c.d/n", "x::y" or "x::y/n"; AIC_ERROR_INVALID for anything else, also for
 * bits set behind the prefix. */
int32_t http_network_parse(struct aic_str text, struct http_network *network);

/* Whether an address may be reached by a user's URL: not private, loopback, link-local, shared,
 * multicast, reserved, documentation, and none that carries IPv4 inside of IPv6. */
bool http_address_is_public(const struct sockaddr *address);
bool http_address_is_loopback(const struct sockaddr *address);
/* Whether it lies in one of the networks; entries that can not be read hold nothing. NULL is fine.
 */
bool http_address_in(const struct sockaddr *address, const char *const *networks);

struct http_rules;
/* The whole decision; `is_plain` for http and ws. */
bool http_address_allowed(const struct sockaddr *address, const struct http_rules *rules,
                          bool is_plain);

/* Space for an address as text. */
enum { HTTP_ADDRESS_TEXT = 64 };

/* "192.0.2.1", "2001:db8::1"; mapped IPv4 as IPv4. Empty when it is neither. */
void http_address_text(const struct sockaddr *address, char to[HTTP_ADDRESS_TEXT]);

#endif
