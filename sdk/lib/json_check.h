/* SPDX-License-Identifier: ISC */
#ifndef AIC_LIB_JSON_CHECK_H
#define AIC_LIB_JSON_CHECK_H
/*
 * Whether a text is JSON to the letter (RFC 8259). json-c takes more than that when it is lenient,
 * and version 0.18 takes less when it is strict, so its own modes are not used. Pure.
 */
#include "buf.h"

#include <stdbool.h>

/* One value, with white space around it, no deeper than `max_depth` containers. The bytes must be
 * UTF-8 already (utf8.h). */
bool aic_json_is_valid(struct aic_str text, int max_depth);

#endif
