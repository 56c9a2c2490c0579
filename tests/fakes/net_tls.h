/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_TLS_H
#define FAKES_NET_TLS_H

/* Certificates for tests: an authority of its own, and what it signs. */

enum { NET_TLS_PATH = 128 };

struct net_tls {
    char folder[NET_TLS_PATH - 16];
    char ca[NET_TLS_PATH];
    char cert[NET_TLS_PATH];
    char key[NET_TLS_PATH];
};

enum net_tls_flaw { NET_TLS_GOOD = 0, NET_TLS_EXPIRED = 1, NET_TLS_SELF_SIGNED = 2 };

/* Makes a folder with an authority and a certificate for `name` and 127.0.0.1. */
void net_tls_create(struct net_tls *tls, const char *name);
/* Writes a new authority and certificate over them. */
void net_tls_renew(struct net_tls *tls, const char *name);
/* The same with a certificate that nobody should take; the authority is good. */
void net_tls_renew_flawed(struct net_tls *tls, const char *name, enum net_tls_flaw flaw);
void net_tls_remove(struct net_tls *tls);

#endif
