/* SPDX-License-Identifier: ISC */
#include "load/line.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 16 << 20, READ_BYTES = 65536, BACKLOG = 1024 };

enum line_kind { LINE_REQUESTS, LINE_ANSWERS, LINE_SOCKET };

struct line {
    struct pump *pump;
    struct pump_watch watch;
    struct line_port *port; /* NULL: it goes out */
    struct line_events events;
    void *data;
    enum line_kind kind;
    struct ws_reader reader;
    struct aic_buf in;
    struct aic_buf out;
    struct aic_buf message;
    struct pump_timer grave; /* who ends it may still be using it */
    bool is_over;
    bool is_ending; /* once everything is sent */
    bool waits_for_room;
};

static void on_ready(void *data, uint32_t events);
static void destroy(void *data);

static struct line *create(struct pump *pump, int fd, uint32_t events)
{
    struct line *line = calloc(1, sizeof(*line));
    if (!line) {
        pump_die("out of memory");
    }
    int yes = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    line->pump = pump;
    line->watch = (struct pump_watch){.fd = fd, .ready = on_ready, .data = line};
    line->grave = (struct pump_timer){.fire = destroy, .data = line};
    aic_buf_init(&line->in, BUFFER_BYTES);
    aic_buf_init(&line->out, BUFFER_BYTES);
    aic_buf_init(&line->message, BUFFER_BYTES);
    pump_add(pump, &line->watch, events);
    return line;
}

static void destroy(void *data)
{
    struct line *line = data;
    aic_buf_finish(&line->in);
    aic_buf_finish(&line->out);
    aic_buf_finish(&line->message);
    free(line);
}

/* The descriptor goes at once, the memory when nobody uses it any more. */
static void end(struct line *line, bool is_told)
{
    if (line->is_over) {
        return;
    }
    line->is_over = true;
    pump_remove(line->pump, &line->watch);
    (void)close(line->watch.fd);
    if (is_told && line->events.closed) {
        line->events.closed(line->data, line);
    }
    pump_set(line->pump, &line->grave, pump_now_us());
}

void line_drop(struct line *line)
{
    end(line, false);
}

void line_own(struct line *line, const struct line_events *events, void *data)
{
    line->events = *events;
    line->data = data;
}

void *line_data(const struct line *line, const struct line_events *events)
{
    return line->events.closed == events->closed ? line->data : NULL;
}

static void wish(struct line *line)
{
    if (!line->is_over && line->waits_for_room != (line->out.len > 0)) {
        line->waits_for_room = line->out.len > 0;
        pump_change(line->pump, &line->watch, line->waits_for_room ? EPOLLIN | EPOLLOUT : EPOLLIN);
    }
}

static void flush(struct line *line)
{
    while (line->out.len > 0 && !line->is_over) {
        ssize_t count = send(line->watch.fd, line->out.data, line->out.len, MSG_NOSIGNAL);
        if (count < 0 && (errno == EAGAIN || errno == ENOTCONN)) {
            break;
        }
        if (count < 0) {
            end(line, true);
            return;
        }
        aic_buf_drop(&line->out, (size_t)count);
    }
    if (line->is_ending && line->out.len == 0) {
        end(line, true);
        return;
    }
    wish(line);
}

void line_send(struct line *line, struct aic_str bytes)
{
    if (!line->is_over && aic_buf_str(&line->out, bytes) == AIC_OK) {
        flush(line);
    }
}

static void send_frame(struct line *line, uint8_t opcode, struct aic_str payload)
{
    /* Any mask is a mask: the server has to take it off all the same. */
    static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
    char head[WS_HEAD_BYTES];
    bool is_client = !line->port;
    if (line->is_over) {
        return;
    }
    size_t count = ws_frame_head(head, opcode, payload.len, is_client ? mask : NULL);
    aic_buf_add(&line->out, head, count);
    size_t from = line->out.len;
    if (aic_buf_str(&line->out, payload) == AIC_OK && is_client) {
        ws_frame_mask(line->out.data + from, payload.len, mask, 0);
    }
    flush(line);
}

void line_send_text(struct line *line, struct aic_str message)
{
    send_frame(line, WS_TEXT, message);
}

void line_close(struct line *line, int code)
{
    char payload[2] = {(char)(code >> 8), (char)code};
    line->is_ending = true;
    send_frame(line, WS_CLOSE, (struct aic_str){payload, code > 0 ? 2 : 0});
}

void line_upgrade(struct line *line, const struct http_head *head)
{
    char accept[WS_ACCEPT_BYTES];
    struct aic_buf answer;
    if (!ws_accept_key(http_head_find(head, "sec-websocket-key"), accept)) {
        line_drop(line);
        return;
    }
    aic_buf_init(&answer, 1024);
    aic_buf_printf(&answer,
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   accept);
    line->kind = LINE_SOCKET;
    ws_reader_init(&line->reader, true, BUFFER_BYTES);
    line_send(line, aic_buf_view(&answer));
    aic_buf_finish(&answer);
}

static void take_piece(struct line *line, const struct ws_piece *piece)
{
    if (piece->kind == WS_PIECE_WRONG) {
        end(line, true);
    } else if (piece->kind == WS_PIECE_CONTROL && piece->opcode == WS_CLOSE) {
        line->is_ending = true;
        send_frame(line, WS_CLOSE, piece->bytes);
    } else if (piece->kind == WS_PIECE_CONTROL && piece->opcode == WS_PING) {
        send_frame(line, WS_PONG, piece->bytes);
    } else if (piece->kind == WS_PIECE_DATA) {
        aic_buf_str(&line->message, piece->bytes);
        if (piece->is_last) {
            line->events.message(line->data, line, piece->is_text, aic_buf_view(&line->message));
            aic_buf_clear(&line->message);
        }
    }
}

static void read_frames(struct line *line)
{
    size_t at = 0;
    while (!line->is_over && !line->is_ending && at < line->in.len) {
        struct ws_piece piece;
        at += ws_reader_next(&line->reader, line->in.data + at, line->in.len - at, &piece);
        take_piece(line, &piece);
    }
    aic_buf_clear(&line->in);
}

/* A message of HTTP with its body; false while it is not complete. */
static bool read_http(struct line *line)
{
    struct http_head head;
    int32_t status = 0;
    size_t head_bytes = http_head_length(aic_buf_view(&line->in), 0);
    if (head_bytes == 0) {
        return false;
    }
    struct aic_str text = {line->in.data, head_bytes};
    bool is_answer = line->kind == LINE_ANSWERS;
    if (is_answer ? http_head_parse_answer(text, &head, &status) : http_head_parse(text, &head)) {
        end(line, true);
        return false;
    }
    struct aic_str length = http_head_find(&head, "content-length");
    size_t body_bytes = length.len > 0 ? (size_t)strtoul(length.ptr, NULL, 10) : 0;
    if (line->in.len < head_bytes + body_bytes) {
        return false;
    }
    struct aic_str body = {line->in.data + head_bytes, body_bytes};
    if (!is_answer) {
        line->port->asked(line->port->data, line, &head, body);
    } else if (status == 101) {
        line->kind = LINE_SOCKET;
        ws_reader_init(&line->reader, false, BUFFER_BYTES);
        line->events.opened(line->data, line);
    } else {
        line->events.answered(line->data, line, status, body);
    }
    if (!line->is_over) {
        aic_buf_drop(&line->in, head_bytes + body_bytes);
    }
    return true;
}

static void take(struct line *line)
{
    while (!line->is_over && line->in.len > 0) {
        if (line->kind == LINE_SOCKET) {
            read_frames(line);
        } else if (!read_http(line)) {
            return;
        }
    }
}

static void on_ready(void *data, uint32_t events)
{
    struct line *line = data;
    if (events & EPOLLOUT) {
        flush(line);
    }
    if (!line->is_over && (events & (EPOLLIN | EPOLLHUP | EPOLLERR))) {
        static char bytes[READ_BYTES];
        ssize_t count = recv(line->watch.fd, bytes, sizeof(bytes), 0);
        if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) {
            end(line, true);
        } else if (count > 0) {
            aic_buf_add(&line->in, bytes, (size_t)count);
            take(line);
        }
    }
}

static struct sockaddr_in address_of(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static void on_arrival(void *data, uint32_t events)
{
    struct line_port *at = data;
    (void)events;
    int fd = accept4(at->watch.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        struct line *line = create(at->pump, fd, EPOLLIN);
        line->port = at;
    }
}

void line_listen(struct line_port *at, struct pump *pump, int port, line_asked asked, void *data)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int yes = 1;
    struct sockaddr_in address = address_of(port);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, BACKLOG) != 0) {
        pump_die("cannot listen");
    }
    *at = (struct line_port){.pump = pump,
                             .watch = {.fd = fd, .ready = on_arrival, .data = at},
                             .asked = asked,
                             .data = data};
    pump_add(pump, &at->watch, EPOLLIN);
}

struct line *line_ask(struct pump *pump, int port, struct aic_str request,
                      const struct line_events *events, void *data)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = address_of(port);
    if (fd < 0 || (connect(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 &&
                   errno != EINPROGRESS)) {
        pump_die("cannot connect to the server");
    }
    struct line *line = create(pump, fd, EPOLLIN | EPOLLOUT);
    line->kind = LINE_ANSWERS;
    line->waits_for_room = true;
    line_own(line, events, data);
    aic_buf_str(&line->out, request);
    return line;
}
