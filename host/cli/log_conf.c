/* SPDX-License-Identifier: ISC */
#include "cli/log_conf.h"

#include "base/log.h"

#include <string.h>

int log_conf_format(const struct conf *conf)
{
    const char *format = settings_string(conf->setup->log, "format");
    if (strcmp(format, "json") == 0) {
        return LOG_FORMAT_JSON;
    }
    return strcmp(format, "logfmt") == 0 ? LOG_FORMAT_LOGFMT : LOG_FORMAT_AUTO;
}

int log_conf_level(const struct conf *conf)
{
    static const char *const names[] = {"", "debug", "info", "warn", "error"};
    const char *level = settings_string(conf->setup->log, "level");
    for (int i = AIC_LOG_DEBUG; i <= AIC_LOG_ERROR; i++) {
        if (strcmp(names[i], level) == 0) {
            return i;
        }
    }
    return AIC_LOG_INFO;
}

void log_conf_apply(const struct conf *conf)
{
    log_setup((enum log_format)log_conf_format(conf), (uint32_t)log_conf_level(conf));
}
