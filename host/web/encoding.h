/* SPDX-License-Identifier: ISC */
#ifndef WEB_ENCODING_H
#define WEB_ENCODING_H
/* How a client wants its answers packed (RFC 9110, 12.5.3). Pure. */
#include "buf.h"

#include <stdbool.h>

/* Whether a value of Accept-Encoding, empty without one, lets an answer be sent as gzip. */
bool encoding_takes_gzip(struct aic_str accept_encoding);

#endif
