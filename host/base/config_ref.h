/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_REF_H
#define BASE_CONFIG_REF_H
/* Values that stand elsewhere: "env:NAME", "env:NAME:-default", "file:PATH", "cred:NAME". */
#include "config_tree.h"

/* Whether `text` has the form of a reference. */
bool config_ref_is(const char *text);
/* Reads the value of the reference in node->written into node->string, or the reason why there is
 * none into node->unset. Only memory can make it fail. */
int32_t config_ref_resolve(struct config *config, struct config_node *node,
                           const char *(*env)(const char *name));

#endif
