/* SPDX-License-Identifier: ISC */
#ifndef FAKES_FAKE_VENDOR_PRIVATE_H
#define FAKES_FAKE_VENDOR_PRIVATE_H
/* What the files of the fake vendor share. */
#include "fake_vendor.h"

int64_t fake_now(const struct fake_vendor *vendor);
struct aic_timer *fake_after(const struct fake_vendor *vendor, int64_t us, void (*fire)(void *),
                             void *data);
void fake_stop(const struct fake_vendor *vendor, struct aic_timer *timer);
struct aic_error fake_failure(uint32_t category);
const void *fake_line_table(void);
const void *fake_model_table(void);

#endif
