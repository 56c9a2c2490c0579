/* SPDX-License-Identifier: ISC */
#include "web/range.h"
#include "web/recording.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * GET /calls/<id>/recording/: a file of any length, in pieces that the pool reads one by one, each
 * when the one before has found room.
 */

enum { HEADERS = 6, LINE = 160 };

static void read_piece(void *data)
{
    struct recording_request *r = data;
    size_t wanted = r->left < RECORDING_PIECE ? (size_t)r->left : RECORDING_PIECE;
    ssize_t got = -1;
    do {
        got = pread(r->fd, r->piece, wanted, (off_t)r->at);
    } while (got < 0 && errno == EINTR);
    r->piece_bytes = got > 0 ? (size_t)got : 0;
}

static void piece_is_read(void *data, int32_t status);

static void read_next(struct recording_request *r)
{
    if (r->left == 0) {
        server_stream_end(r->stream);
        return;
    }
    r->is_reading = true;
    if (sched_lane_run(r->sched, r->lane, read_piece, piece_is_read, r) != AIC_OK) {
        r->is_reading = false;
        server_stream_end(r->stream);
    }
}

static void send_piece(struct recording_request *r)
{
    int32_t status = server_stream_write(r->stream, (struct aic_str){r->piece, r->piece_bytes});
    if (status == AIC_ERROR_BUSY) {
        return; /* room_is_there follows */
    }
    if (status != AIC_OK) {
        server_stream_end(r->stream);
        return;
    }
    if (!r->is_told) {
        r->is_told = true;
        recording_tell(r, "recording.read");
    }
    r->at += r->piece_bytes;
    r->left -= r->piece_bytes;
    r->piece_bytes = 0;
    read_next(r);
}

static void piece_is_read(void *data, int32_t status)
{
    struct recording_request *r = data;
    r->is_reading = false;
    if (!r->stream) {
        recording_end(r);
    } else if (status != AIC_OK || r->piece_bytes == 0) {
        /* The file became shorter, or can not be read: the client misses what was promised. */
        server_stream_end(r->stream);
    } else {
        send_piece(r);
    }
}

static void room_is_there(void *data)
{
    struct recording_request *r = data;
    if (!r->is_reading && r->piece_bytes > 0) {
        send_piece(r);
    }
}

static void stream_is_closed(void *data)
{
    struct recording_request *r = data;
    r->stream = NULL;
    if (!r->is_reading) {
        recording_end(r);
    }
}

/* What the client gets, and how it is called. */
struct answer {
    int32_t status;
    struct range range;
    char disposition[LINE];
    char content_range[LINE];
};

static void decide(struct recording_request *r, struct answer *answer)
{
    struct aic_exchange *exchange = r->held.exchange;
    struct aic_str wanted = server_header(exchange, "range");
    if (!range_is_current(server_header(exchange, "if-range"), r->tag)) {
        wanted.len = 0;
    }
    enum range_kind kind = range_parse(wanted, r->bytes, &answer->range);
    answer->status = kind == RANGE_PART ? 206 : kind == RANGE_OUTSIDE ? 416 : 200;
    if (range_is_known(server_header(exchange, "if-none-match"), r->tag)) {
        answer->status = 304;
    }
    if (kind == RANGE_PART) {
        (void)snprintf(answer->content_range, LINE, "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64,
                       answer->range.first, answer->range.first + answer->range.count - 1,
                       r->bytes);
    } else {
        (void)snprintf(answer->content_range, LINE, "bytes */%" PRIu64, r->bytes);
    }
}

static uint32_t make_headers(const struct recording_request *r, const struct answer *answer,
                             struct aic_header headers[HEADERS])
{
    uint32_t count = 0;
    headers[count++] = (struct aic_header){AIC_STR("etag"), aic_str(r->tag)};
    headers[count++] = (struct aic_header){AIC_STR("accept-ranges"), AIC_STR("bytes")};
    headers[count++] = (struct aic_header){AIC_STR("cache-control"), AIC_STR("private, no-cache")};
    headers[count++] = (struct aic_header){AIC_STR("x-content-type-options"), AIC_STR("nosniff")};
    headers[count++] =
        (struct aic_header){AIC_STR("content-disposition"), aic_str(answer->disposition)};
    if (answer->status == 206) {
        headers[count++] =
            (struct aic_header){AIC_STR("content-range"), aic_str(answer->content_range)};
    }
    return count;
}

static void send_file(struct recording_request *r, const struct answer *answer)
{
    static const struct server_stream_handler handlers = {.writable = room_is_there,
                                                          .closed = stream_is_closed};
    struct aic_header headers[HEADERS];
    struct server_stream_handler handler = handlers;
    handler.data = r;
    const struct aic_response head = {.size = sizeof(head),
                                      .status = answer->status,
                                      .content_type = r->is_opus ? "audio/ogg" : "audio/wav",
                                      .headers = headers,
                                      .header_count = make_headers(r, answer, headers),
                                      .header_size = sizeof(headers[0])};
    r->at = answer->range.first;
    r->left = answer->range.count;
    r->piece = malloc(RECORDING_PIECE);
    if (!r->piece) {
        (void)reply_problem(r->held.exchange, 503, "memory", "Out of memory; try again.");
        recording_end(r);
        return;
    }
    r->stream = r->held.exchange;
    if (server_stream_begin(r->stream, &head, (int64_t)r->left, &handler) != AIC_OK) {
        r->stream = NULL;
        recording_end(r);
        return;
    }
    read_next(r);
}

static void answer_unchanged(struct recording_request *r, const struct answer *answer)
{
    struct aic_header headers[HEADERS];
    const struct aic_response response = {.size = sizeof(response),
                                          .status = 304,
                                          .headers = headers,
                                          .header_count = make_headers(r, answer, headers),
                                          .header_size = sizeof(headers[0])};
    (void)server_respond(r->held.exchange, &response);
    recording_end(r);
}

static void send_opened(struct recording_request *r)
{
    struct answer answer = {.status = 200};
    const char *ending = strrchr(r->name, '.');
    (void)held_end(&r->held);
    decide(r, &answer);
    (void)snprintf(answer.disposition, LINE, "%s; filename=\"%s%s\"",
                   r->is_download ? "attachment" : "inline", r->call_id, ending ? ending : "");
    if (answer.status == 304) {
        answer_unchanged(r, &answer);
    } else if (answer.status == 416) {
        (void)reply_with(r->held.exchange,
                         &(struct problem){.status = 416,
                                           .type = "range",
                                           .detail = "The recording ends before this range.",
                                           .content_range = answer.content_range});
        recording_end(r);
    } else {
        send_file(r, &answer);
    }
}

int32_t recording_get(struct web *web, const struct visit *visit)
{
    return recording_begin(web, visit, false, send_opened);
}
