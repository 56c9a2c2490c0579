/* SPDX-License-Identifier: ISC */
#ifndef FAKES_NET_FRAMES_H
#define FAKES_NET_FRAMES_H
/* WebSocket frames by hand, good or bad, on sockets of net_peer.h. */
#include <stdbool.h>
#include <stddef.h>

struct aic_buf;

/* Appends a frame with this first byte (0x81: a whole text); masked as clients do. */
void net_frame_add(struct aic_buf *to, int first_byte, const void *payload, size_t count,
                   bool is_masked);
void net_frame_send(int fd, int first_byte, const void *payload, size_t count, bool is_masked);
/* Reads a frame and takes its mask off; the payload, terminated, to be freed. NULL at the end of
 * the stream, and when it is masked though it should not, or the reverse. */
char *net_frame_read(int fd, bool is_masked, int *first_byte, size_t *count);
/* Whether the next frame is this one. */
bool net_frame_is(int fd, bool is_masked, int first_byte, const void *payload, size_t count);
/* Reads up to a close frame; its code, 1005 for none, -1 when the stream ends before. */
int net_frame_close_code(int fd, bool is_masked);
/* Answers the client's handshake, which was read into `request`; `more` are further header lines.
 */
bool net_frame_answer_handshake(int fd, const char *request, const char *more);

#endif
