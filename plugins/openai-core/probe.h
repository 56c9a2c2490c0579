/* SPDX-License-Identifier: ISC */
#ifndef OPENAI_PROBE_H
#define OPENAI_PROBE_H
/* Asks the server for its models, which costs nothing: is the key good, is the model there? */
#include "job.h"

/* Takes the outcome once; `fault` is NULL when all is well. */
typedef void (*openai_probed)(const void *sink, const struct openai_fault *fault);

/* Starts a probe in a list of jobs. `model` NULL or empty: any will do. */
int32_t openai_probe(const struct openai_provider *provider, struct openai_jobs *jobs,
                     const char *model, openai_probed probed, const void *sink);

#endif
