/* SPDX-License-Identifier: ISC */
#ifndef SPEECH_ADDRESS_H
#define SPEECH_ADDRESS_H
/* From the operator's `url` to the addresses of requests and sockets. Pure. */
#include "buf.h"

enum { SPEECH_BASE_MAX_BYTES = 1024 };

/* Whether it is a base address: http or https, no query, not too long. */
bool speech_address_is_base(const char *url);
/* Appends the base without closing slashes. */
void speech_address_http(struct aic_buf *to, const char *url);
/* The same with ws or wss in front. */
void speech_address_socket(struct aic_buf *to, const char *url);
/* Bytes of the base's path: what a socket's request line has before our own path. */
size_t speech_address_path_bytes(const char *url);

/* Appends text as it may stand in a path or a query. */
void speech_address_escape(struct aic_buf *to, struct aic_str text);
/* Appends "?name=value" or "&name=value", whichever is due. */
void speech_address_member(struct aic_buf *to, const char *name, struct aic_str value);
void speech_address_number(struct aic_buf *to, const char *name, double value);
void speech_address_flag(struct aic_buf *to, const char *name, bool value);

#endif
