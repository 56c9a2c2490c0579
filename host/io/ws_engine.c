/* SPDX-License-Identifier: ISC */
#include "io/ws_engine.h"

#include "base/log.h"
#include "buf.h"
#include "io/loop.h"
#include "io/ws_client.h"
#include "io/ws_frame.h"

#include <libwebsockets.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <uv.h>

enum {
    READ_BYTES = 16 * 1024,
    WRITE_BYTES = 64 * 1024 * 1024, /* more than any message */
    HEAD_BYTES = 32 * 1024,         /* of a handshake, either way */
    SOCKETS_MAX = 4096,
    OWN_DEADLINE_S = 60, /* of lws; ours are shorter */
    TURNS = 32
};

struct ws_engine {
    struct loop *loop;
    struct lws_context *context; /* lws clears it once it is gone */
    struct lws_vhost *vhost;
    struct ws_engine_link *sockets;
    char *user_agent;
    struct aic_buf out; /* a message with the room that lws wants in front */
};

/* lws has one log for the process. The last complaint explains a failed handshake. */
static _Thread_local char last_complaint[160];

static void on_log(int level, const char *line)
{
    (void)level;
    struct aic_str text = aic_str(line);
    while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= ' ') {
        text.len--;
    }
    (void)aic_str_copy(text, last_complaint, sizeof(last_complaint));
    log_text(AIC_LOG_DEBUG, "lws", "%s", last_complaint);
}

struct sched *ws_engine_sched(struct ws_engine *engine)
{
    return loop_sched(engine->loop);
}

struct uv_loop_s *ws_engine_uv(struct ws_engine *engine)
{
    return loop_uv(engine->loop);
}

const char *ws_engine_user_agent(const struct ws_engine *engine)
{
    return engine->user_agent;
}

size_t ws_engine_path_max(void)
{
    return LWS_LIBRARY_VERSION_NUMBER < 4002000 ? 2000 : 8000;
}

bool ws_engine_is_reachable(const struct sockaddr *address)
{
    /* To connect a datagram socket sends nothing, and fails where a stream would fail at once. */
    int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    socklen_t size =
        address->sa_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    bool is_reachable = fd >= 0 && connect(fd, address, size) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return is_reachable;
}

void ws_engine_link(struct ws_engine *engine, struct aic_ws *ws, struct ws_engine_link *link)
{
    link->ws = ws;
    link->next = engine->sockets;
    link->where = &engine->sockets;
    if (link->next) {
        link->next->where = &link->next;
    }
    engine->sockets = link;
}

void ws_engine_unlink(struct ws_engine_link *link)
{
    *link->where = link->next;
    if (link->next) {
        link->next->where = link->where;
    }
}

/* What lws calls */

static int append_headers(const struct ws_client *client, void *in, size_t room)
{
    char **at = in;
    struct aic_str headers = ws_client_headers(client);
    if (headers.len > room) {
        return -1;
    }
    memcpy(*at, headers.ptr, headers.len);
    *at += headers.len;
    return 0;
}

static int received(struct lws *wsi, struct ws_client *client, const char *bytes, size_t count)
{
    const struct ws_client_piece piece = {.bytes = {bytes, count},
                                          .is_text = lws_frame_is_binary(wsi) == 0,
                                          .is_first = lws_is_first_fragment(wsi) != 0,
                                          .is_last = lws_is_final_fragment(wsi) != 0};
    return ws_client_received(client, &piece) ? 0 : -1;
}

static int writable(struct lws *wsi, struct ws_client *client)
{
    if (!ws_engine_is_free(wsi)) {
        lws_callback_on_writable(wsi);
        return 0;
    }
    return ws_client_writable(client) ? 0 : -1;
}

static void failed(struct lws *wsi, struct ws_client *client, const char *text, size_t length)
{
    char why[160];
    bool is_tls = text && memmem(text, length, "SSL", 3) != NULL;
    struct aic_str said = is_tls && last_complaint[0] ? aic_str(last_complaint)
                                                      : (struct aic_str){text, text ? length : 0};
    (void)aic_str_copy(said, why, sizeof(why));
    /* A vendor that says why it refuses a handshake. */
    char vendor_text[256];
    int vendor_length = lws_hdr_custom_copy(wsi, vendor_text, sizeof(vendor_text), "dg-error:", 9);
    int32_t status = (int32_t)lws_http_client_http_response(wsi);
    ws_client_failed(client, status, why,
                     (struct aic_str){vendor_text, vendor_length > 0 ? (size_t)vendor_length : 0});
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                    size_t length)
{
    (void)user;
    struct ws_client *client = lws_get_opaque_user_data(wsi);
    if (!client) {
        /* It was killed: nobody listens any more. */
        return reason == LWS_CALLBACK_CLIENT_RECEIVE || reason == LWS_CALLBACK_CLIENT_WRITEABLE ||
                       reason == LWS_CALLBACK_CLIENT_ESTABLISHED
                   ? -1
                   : 0;
    }
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return append_headers(client, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        ws_client_established(client);
        /* NULL now: it was dropped from inside. */
        return lws_get_opaque_user_data(wsi) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return received(wsi, client, in, length);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        ws_client_ponged(client);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return writable(wsi, client);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return ws_client_peer_closed(client, (struct aic_str){in, length}) ? 0 : -1;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        lws_set_opaque_user_data(wsi, NULL);
        failed(wsi, client, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        lws_set_opaque_user_data(wsi, NULL);
        ws_client_closed(client);
        return 0;
    default:
        return 0;
    }
}

static const struct lws_protocols protocols[] = {
    {.name = "aicaller",
     .callback = on_event,
     .rx_buffer_size = READ_BYTES,
     .tx_packet_size = WRITE_BYTES},
    {.name = NULL},
};

/* The guarded functions */

bool ws_engine_open(struct ws_engine *engine, const struct ws_engine_target *target,
                    struct ws_client *client, struct lws **wsi)
{
    const struct lws_client_connect_info info = {
        .context = engine->context,
        .vhost = engine->vhost,
        .address = target->address,
        .port = target->port,
        .host = target->host,
        .path = target->path,
        .protocol = target->subprotocol,
        .local_protocol_name = protocols[0].name,
        .alpn = "http/1.1",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (target->is_tls ? LCCSCF_USE_SSL : 0),
        .opaque_user_data = client,
        .pwsi = wsi,
    };
    last_complaint[0] = '\0';
    *wsi = NULL;
    return lws_client_connect_via_info(&info) != NULL && *wsi != NULL;
}

void ws_engine_kill(struct ws_engine *engine, struct lws *wsi)
{
    if (wsi) {
        lws_set_opaque_user_data(wsi, NULL);
        lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
        lws_cancel_service(engine->context);
    }
}

bool ws_engine_is_free(struct lws *wsi)
{
    return lws_partial_buffered(wsi) == 0;
}

bool ws_engine_write(struct ws_engine *engine, struct lws *wsi, uint8_t opcode,
                     struct aic_str payload)
{
    static const char room[LWS_PRE] = {0};

    static const enum lws_write_protocol kinds[] = {
        [WS_TEXT] = LWS_WRITE_TEXT, [WS_BINARY] = LWS_WRITE_BINARY, [WS_PING] = LWS_WRITE_PING};

    aic_buf_clear(&engine->out);
    if (aic_buf_add(&engine->out, room, sizeof(room)) != AIC_OK ||
        aic_buf_str(&engine->out, payload) != AIC_OK) {
        return false;
    }
    unsigned char *bytes = (unsigned char *)engine->out.data + LWS_PRE;
    /* Only a negative result means anything. */
    return lws_write(wsi, bytes, payload.len, kinds[opcode]) >= 0;
}

void ws_engine_say_goodbye(struct lws *wsi, int32_t code, struct aic_str reason)
{
    unsigned char text[WS_CONTROL_BYTES];
    if (reason.len > 0) {
        memcpy(text, reason.ptr, reason.len);
    }
    lws_close_reason(wsi, (enum lws_close_status)code, text, reason.len);
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_SYNC);
}

void ws_engine_want_write(struct lws *wsi)
{
    (void)lws_callback_on_writable(wsi);
}

/* Life */

static bool create_context(struct ws_engine *engine, const struct ws_engine_options *options)
{
    /* No pings of its own: ours have deadlines. */
    static const lws_retry_bo_t no_pings = {0};
    void *loops[] = {loop_uv(engine->loop)};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT,
        .foreign_loops = loops,
        .pcontext = &engine->context,
        .fd_limit_per_thread = SOCKETS_MAX,
        .max_http_header_data = HEAD_BYTES,
        .pt_serv_buf_size = HEAD_BYTES,
        .timeout_secs = OWN_DEADLINE_S,
        .connect_timeout_secs = OWN_DEADLINE_S,
        .retry_and_idle_policy = &no_pings,
    };
    lws_set_log_level(LLL_ERR | LLL_WARN, on_log);
    engine->context = lws_create_context(&info);
    if (!engine->context) {
        return false;
    }
    info.protocols = protocols;
    info.vhost_name = "client";
    info.alpn = "http/1.1";
    info.client_ssl_ca_filepath = options->ca_file;
    info.client_ssl_cipher_list = "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20";
    info.ssl_client_options_set = SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 | SSL_OP_NO_COMPRESSION;
    info.ka_time = 30;
    info.ka_interval = 10;
    info.ka_probes = 3;
    engine->vhost = lws_create_vhost(engine->context, &info);
    return engine->vhost != NULL;
}

struct ws_engine *ws_engine_create(struct loop *loop, const struct ws_engine_options *options)
{
    static const struct ws_engine_options defaults;
    options = options ? options : &defaults;
    struct ws_engine *engine = calloc(1, sizeof(*engine));
    if (!engine) {
        return NULL;
    }
    engine->loop = loop;
    aic_buf_init(&engine->out, WRITE_BYTES);
    if (options->user_agent) {
        engine->user_agent = aic_str_dup(aic_str(options->user_agent));
    }
    if ((options->user_agent && !engine->user_agent) || !create_context(engine, options)) {
        ws_engine_destroy(engine);
        return NULL;
    }
    return engine;
}

/* Lets lws close its handles, which takes some turns of the loop. */
static void turn(struct ws_engine *engine)
{
    for (int i = 0; i < TURNS && engine->context; i++) {
        (void)uv_run(loop_uv(engine->loop), UV_RUN_NOWAIT);
    }
}

void ws_engine_destroy(struct ws_engine *engine)
{
    if (!engine) {
        return;
    }
    while (engine->sockets) {
        ws_drop(engine->sockets->ws);
    }
    if (engine->context) {
        lws_context_destroy(engine->context);
        turn(engine);
    }
    if (engine->context) {
        lws_context_destroy(engine->context);
        turn(engine);
    }
    if (engine->context) {
        log_text(AIC_LOG_ERROR, "ws", "the context of libwebsockets did not end");
    }
    aic_buf_finish(&engine->out);
    free(engine->user_agent);
    free(engine);
}
