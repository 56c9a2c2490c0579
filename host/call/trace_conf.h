/* SPDX-License-Identifier: ISC */
#ifndef CALL_TRACE_CONF_H
#define CALL_TRACE_CONF_H
/* The group `traces` of the configuration: the collector that is sent spans. */
#include "base/config.h"
#include "base/settings.h"
#include "call/trace.h"

#include <aicaller/http.h>

struct trace_conf {
    struct settings *settings; /* NULL: nothing is traced */
    char *url;                 /* with /v1/traces */
    struct aic_header headers[TRACE_HEADERS];
    uint32_t header_count;
};

extern const struct settings_table trace_table;

/* Reads the group (NULL: nothing is traced). */
void trace_conf_load(struct trace_conf *conf, const struct config_node *group,
                     struct config_problems *problems);
void trace_conf_finish(struct trace_conf *conf);

#endif
