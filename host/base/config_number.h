/* SPDX-License-Identifier: ISC */
#ifndef BASE_CONFIG_NUMBER_H
#define BASE_CONFIG_NUMBER_H
/* How libconfig would read a number, and where it would silently read another one. Pure. */
#include <aicaller/abi.h>

enum config_number {
    CONFIG_NUMBER_NONE = 0, /* no number at all */
    CONFIG_NUMBER_INT = 1,  /* "-12", "0x1F": fits into 32 bits */
    CONFIG_NUMBER_INT64 = 2,
    CONFIG_NUMBER_FLOAT = 3,
    CONFIG_NUMBER_NEEDS_L = 4,  /* would wrap: beyond 32 bits and not marked */
    CONFIG_NUMBER_TOO_LARGE = 5 /* beyond 64 bits, or beyond a double */
};

enum config_number config_number_classify(struct aic_str text);

#endif
