/* SPDX-License-Identifier: ISC */
#include "io/wire_tls.h"

#include "base/log.h"
#include "buf.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <sys/stat.h>

struct wire_tls {
    SSL_CTX *context;
    char *cert_file;
    char *key_file;
    struct timespec changed; /* of the certificate in use */
};

enum { PROBLEM_BYTES = 160, NAME_BYTES = 256 };

struct wire_tls_end {
    SSL *ssl;
    char problem[PROBLEM_BYTES];
};

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                           const unsigned char *in, unsigned int in_length, void *data)
{
    (void)ssl;
    (void)data;
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;
    if (SSL_select_next_proto(&chosen, out_length, ours, sizeof(ours) - 1, in, in_length) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static SSL_CTX *load(const char *cert_file, const char *key_file)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (!context) {
        return NULL;
    }
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_use_certificate_chain_file(context, cert_file) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key_file, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(context) != 1) {
        char reason[256];
        ERR_error_string_n(ERR_peek_last_error(), reason, sizeof(reason));
        log_error("server", "certificate or key can not be used", LOG_S("cert", cert_file),
                  LOG_S("key", key_file), LOG_S("reason", reason));
        ERR_clear_error();
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}

static struct timespec changed_at(const char *path)
{
    struct stat status = {0};
    (void)stat(path, &status);
    return status.st_mtim;
}

struct wire_tls *wire_tls_create(const char *cert_file, const char *key_file)
{
    struct wire_tls *tls = calloc(1, sizeof(*tls));
    if (!tls) {
        return NULL;
    }
    tls->changed = changed_at(cert_file);
    tls->cert_file = aic_str_dup(aic_str(cert_file));
    tls->key_file = aic_str_dup(aic_str(key_file));
    if (tls->cert_file && tls->key_file) {
        tls->context = load(cert_file, key_file);
    }
    if (!tls->context) {
        wire_tls_destroy(tls);
        return NULL;
    }
    return tls;
}

void wire_tls_destroy(struct wire_tls *tls)
{
    if (tls) {
        SSL_CTX_free(tls->context);
        free(tls->cert_file);
        free(tls->key_file);
        free(tls);
    }
}

void wire_tls_refresh(struct wire_tls *tls)
{
    struct timespec changed = changed_at(tls->cert_file);
    if (changed.tv_sec == tls->changed.tv_sec && changed.tv_nsec == tls->changed.tv_nsec) {
        return;
    }
    /* The key may be written a moment later: what does not fit is tried again. */
    SSL_CTX *context = load(tls->cert_file, tls->key_file);
    if (context) {
        SSL_CTX_free(tls->context);
        tls->context = context;
        tls->changed = changed;
        log_info("server", "certificate loaded again", LOG_S("cert", tls->cert_file));
    }
}

static struct wire_tls_end *create_end(SSL_CTX *context, int fd)
{
    struct wire_tls_end *end = calloc(1, sizeof(*end));
    if (!end) {
        return NULL;
    }
    end->ssl = SSL_new(context);
    if (!end->ssl || SSL_set_fd(end->ssl, fd) != 1) {
        wire_tls_free(end);
        return NULL;
    }
    return end;
}

struct wire_tls_end *wire_tls_accept(struct wire_tls *tls, int fd)
{
    struct wire_tls_end *end = create_end(tls->context, fd);
    if (end) {
        SSL_set_accept_state(end->ssl);
    }
    return end;
}

/* Whom the peer has to be. A name also goes into the handshake (SNI), an address may not, and no
 * certificate has the dot that may end a name. */
static bool expect(SSL *ssl, const char *peer)
{
    char name[NAME_BYTES];
    struct aic_str text = aic_str(peer);
    text.len -= text.len > 1 && text.ptr[text.len - 1] == '.';
    if (!aic_str_copy(text, name, sizeof(name))) {
        return false;
    }
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    unsigned char address[sizeof(struct in6_addr)];
    if (inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1) {
        return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
    }
    return SSL_set1_host(ssl, name) == 1 && SSL_set_tlsext_host_name(ssl, name) == 1;
}

struct wire_tls_end *wire_tls_connect(struct ssl_ctx_st *context, const char *name, int fd)
{
    struct wire_tls_end *end = create_end(context, fd);
    if (end && !expect(end->ssl, name)) {
        wire_tls_free(end);
        return NULL;
    }
    if (end) {
        SSL_set_connect_state(end->ssl);
    }
    return end;
}

void wire_tls_free(struct wire_tls_end *end)
{
    if (end) {
        SSL_free(end->ssl);
        free(end);
    }
}

static void note_problem(struct wire_tls_end *end, int error)
{
    long verified = SSL_get_verify_result(end->ssl);
    unsigned long code = ERR_peek_error();
    const char *text = code != 0 ? ERR_reason_error_string(code) : NULL;
    if (verified != X509_V_OK) {
        (void)snprintf(end->problem, sizeof(end->problem), "the certificate is not accepted: %s",
                       X509_verify_cert_error_string(verified));
    } else if (error == SSL_ERROR_SSL) {
        (void)snprintf(end->problem, sizeof(end->problem), "TLS failed: %s",
                       text ? text : "unknown");
    }
}

static enum wire_tls_want want_of(struct wire_tls_end *end, int result)
{
    int error = SSL_get_error(end->ssl, result);
    switch (error) {
    case SSL_ERROR_WANT_READ:
        return WIRE_TLS_READ;
    case SSL_ERROR_WANT_WRITE:
        return WIRE_TLS_WRITE;
    case SSL_ERROR_ZERO_RETURN:
        return WIRE_TLS_END;
    default:
        note_problem(end, error);
        ERR_clear_error();
        return WIRE_TLS_ERROR;
    }
}

enum wire_tls_want wire_tls_handshake(struct wire_tls_end *end)
{
    ERR_clear_error();
    int result = SSL_do_handshake(end->ssl);
    return result == 1 ? WIRE_TLS_DONE : want_of(end, result);
}

enum wire_tls_want wire_tls_read(struct wire_tls_end *end, char *to, size_t bytes, size_t *got)
{
    ERR_clear_error();
    int result = SSL_read_ex(end->ssl, to, bytes, got);
    return result == 1 ? WIRE_TLS_DONE : want_of(end, result);
}

enum wire_tls_want wire_tls_write(struct wire_tls_end *end, const char *from, size_t bytes,
                                  size_t *sent)
{
    ERR_clear_error();
    int result = SSL_write_ex(end->ssl, from, bytes, sent);
    return result == 1 ? WIRE_TLS_DONE : want_of(end, result);
}

const char *wire_tls_problem(const struct wire_tls_end *end)
{
    return end->problem;
}

void wire_tls_goodbye(struct wire_tls_end *end)
{
    ERR_clear_error();
    (void)SSL_shutdown(end->ssl);
    ERR_clear_error();
}
