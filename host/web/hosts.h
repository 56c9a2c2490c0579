/* SPDX-License-Identifier: ISC */
#ifndef WEB_HOSTS_H
#define WEB_HOSTS_H
/* By which names this server may be asked. Pure. */
#include <aicaller/abi.h>
#include <stdbool.h>

/* Whether the value of a Host header, with or without a port, is one of `names` (NULL-terminated)
 * or the host of `public_url`, which may be NULL. Without names any is. */
bool hosts_allow(const char *const *names, const char *public_url, struct aic_str header);

#endif
