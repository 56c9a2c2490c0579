/* SPDX-License-Identifier: ISC */
#ifndef CLI_PROBE_ADVICE_H
#define CLI_PROBE_ADVICE_H
/* What an operator can do about a failure of a vendor. */
#include "plugin/setup.h"

struct aic_buf;

/* Appends a sentence; `category` is one of AIC_CATEGORY_. */
void probe_advice(const struct setup_provider *provider, uint32_t category, struct aic_buf *to);

#endif
