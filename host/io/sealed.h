/* SPDX-License-Identifier: ISC */
#ifndef IO_SEALED_H
#define IO_SEALED_H
/* Bytes in memory that nobody can change any more, handed from process to process as a descriptor.
 */
#include <aicaller/abi.h>

/* A sealed memfd with these bytes, closed on exec; -1 on failure. */
int sealed_create(const char *name, struct aic_str bytes);
/* Maps one, for as long as the process likes. AIC_ERROR_PROTOCOL: it is not sealed, so it could
 * change under the reader; AIC_ERROR_TOO_LARGE: longer than `max`. */
int32_t sealed_map(int fd, size_t max, struct aic_str *bytes);
void sealed_unmap(struct aic_str bytes);

#endif
