/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_PROVIDER_H
#define SPHINX_PROVIDER_H
/* One provider instance. */
#include "model.h"

struct sphinx_provider {
    const struct aic_host *host;
    const struct aic_pool_service *pool;
    struct sphinx_settings *settings;
    struct sphinx_models models;
};

extern const struct aic_stt sphinx_stt;

#endif
