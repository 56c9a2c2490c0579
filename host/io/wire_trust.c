/* SPDX-License-Identifier: ISC */
#include "io/wire_trust.h"

#include "base/log.h"
#include "buf.h"
#include "io/loop.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <uv.h>

enum { REASON_BYTES = 200 };

/* The reading; it may outlive the trust. */
struct load {
    uv_work_t work;           /* first: a request is its load */
    struct wire_trust *trust; /* NULL: nobody waits any more */
    char *ca_file;
    SSL_CTX *context;
    char reason[REASON_BYTES];
};

struct wire_trust {
    struct loop *loop;
    char *ca_file;
    void (*loaded)(void *data);
    void *data;
    SSL_CTX *context;
    struct load *load;
};

struct wire_trust *wire_trust_create(struct loop *loop, const char *ca_file,
                                     void (*loaded)(void *data), void *data)
{
    struct wire_trust *trust = calloc(1, sizeof(*trust));
    if (!trust) {
        return NULL;
    }
    *trust = (struct wire_trust){.loop = loop, .loaded = loaded, .data = data};
    if (ca_file) {
        trust->ca_file = aic_str_dup(aic_str(ca_file));
    }
    if (ca_file && !trust->ca_file) {
        free(trust);
        return NULL;
    }
    return trust;
}

void wire_trust_destroy(struct wire_trust *trust)
{
    if (!trust) {
        return;
    }
    if (trust->load) {
        trust->load->trust = NULL;
        (void)uv_cancel((uv_req_t *)&trust->load->work);
    }
    SSL_CTX_free(trust->context);
    free(trust->ca_file);
    free(trust);
}

struct ssl_ctx_st *wire_trust_context(const struct wire_trust *trust)
{
    return trust->context;
}

static bool configure(SSL_CTX *context)
{
    static const unsigned char protocol[] = "\x08http/1.1";
    SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
                                     SSL_OP_IGNORE_UNEXPECTED_EOF);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
           SSL_CTX_set_cipher_list(context,
                                   "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20") == 1 &&
           SSL_CTX_set_alpn_protos(context, protocol, sizeof(protocol) - 1) == 0;
}

static void read_authorities(uv_work_t *work)
{
    struct load *load = (struct load *)work;
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    bool is_good = context && configure(context) &&
                   (load->ca_file ? SSL_CTX_load_verify_file(context, load->ca_file) == 1
                                  : SSL_CTX_set_default_verify_paths(context) == 1);
    if (is_good) {
        load->context = context;
    } else {
        ERR_error_string_n(ERR_peek_last_error(), load->reason, sizeof(load->reason));
        SSL_CTX_free(context);
    }
    /* libuv's threads end with the process: what OpenSSL keeps for each would never be freed. */
    OPENSSL_thread_stop();
}

static void on_read(uv_work_t *work, int status)
{
    struct load *load = (struct load *)work;
    struct wire_trust *trust = load->trust;
    if (trust) {
        trust->load = NULL;
        trust->context = load->context;
        load->context = NULL;
        if (!trust->context) {
            log_error("tls", "the certificates of authorities can not be read",
                      LOG_S("file", trust->ca_file ? trust->ca_file : "the system's"),
                      LOG_S("reason", status == 0 ? load->reason : uv_strerror(status)));
        }
        trust->loaded(trust->data);
    }
    SSL_CTX_free(load->context);
    free(load->ca_file);
    free(load);
}

bool wire_trust_load(struct wire_trust *trust)
{
    if (trust->load) {
        return true;
    }
    struct load *load = calloc(1, sizeof(*load));
    if (!load) {
        return false;
    }
    load->trust = trust;
    if (trust->ca_file) {
        load->ca_file = aic_str_dup(aic_str(trust->ca_file));
    }
    if ((trust->ca_file && !load->ca_file) ||
        uv_queue_work(loop_uv(trust->loop), &load->work, read_authorities, on_read) != 0) {
        free(load->ca_file);
        free(load);
        return false;
    }
    trust->load = load;
    return true;
}
