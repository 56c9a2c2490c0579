/* SPDX-License-Identifier: ISC */
#include "net_tls.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { DAY_S = 86400 };

static void need(int is_good)
{
    if (!is_good) {
        (void)fprintf(stderr, "net_tls: a certificate could not be made\n");
        abort();
    }
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    need(extension && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* An authority where there is no name for the certificate to bear. */
struct wish {
    const char *subject;
    const char *name;
    long ends_in_s;
};

static X509 *make(const struct wish *wish, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial = 1;
    X509 *cert = X509_new();
    need(cert != NULL);
    X509_NAME *subject = X509_get_subject_name(cert);
    need(X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -2 * DAY_S) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), wish->ends_in_s) && X509_set_pubkey(cert, key) &&
         X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                    (const unsigned char *)wish->subject, -1, -1, 0) &&
         X509_set_issuer_name(cert, X509_get_subject_name(issuer ? issuer : cert)));
    if (wish->name) {
        char names[256];
        (void)snprintf(names, sizeof(names), "DNS:%s,IP:127.0.0.1", wish->name);
        add_extension(cert, issuer ? issuer : cert, NID_subject_alt_name, names);
    } else {
        add_extension(cert, cert, NID_basic_constraints, "critical,CA:TRUE");
    }
    need(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

static void write_cert(const char *path, X509 *cert)
{
    FILE *file = fopen(path, "w");
    need(file && PEM_write_X509(file, cert) == 1);
    (void)fclose(file);
}

void net_tls_renew(struct net_tls *tls, const char *name)
{
    net_tls_renew_flawed(tls, name, NET_TLS_GOOD);
}

void net_tls_renew_flawed(struct net_tls *tls, const char *name, enum net_tls_flaw flaw)
{
    const struct wish authority = {.subject = "Test Authority", .ends_in_s = DAY_S};
    const struct wish wish = {
        .subject = name, .name = name, .ends_in_s = flaw == NET_TLS_EXPIRED ? -DAY_S : DAY_S};
    bool is_alone = flaw == NET_TLS_SELF_SIGNED;
    EVP_PKEY *ca_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    need(ca_key && key);
    X509 *ca = make(&authority, ca_key, NULL, ca_key);
    X509 *cert = make(&wish, key, is_alone ? NULL : ca, is_alone ? key : ca_key);
    write_cert(tls->ca, ca);
    FILE *file = fopen(tls->key, "w");
    need(file && PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL) == 1);
    (void)fclose(file);
    write_cert(tls->cert, cert);
    X509_free(ca);
    X509_free(cert);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(key);
}

void net_tls_create(struct net_tls *tls, const char *name)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(tls->folder, sizeof(tls->folder), "%s/aicaller-tls-XXXXXX",
                   base ? base : "/tmp");
    need(mkdtemp(tls->folder) != NULL);
    (void)snprintf(tls->ca, sizeof(tls->ca), "%s/ca.pem", tls->folder);
    (void)snprintf(tls->cert, sizeof(tls->cert), "%s/cert.pem", tls->folder);
    (void)snprintf(tls->key, sizeof(tls->key), "%s/key.pem", tls->folder);
    net_tls_renew(tls, name);
}

void net_tls_remove(struct net_tls *tls)
{
    (void)unlink(tls->ca);
    (void)unlink(tls->cert);
    (void)unlink(tls->key);
    (void)rmdir(tls->folder);
}
