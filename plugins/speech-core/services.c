/* SPDX-License-Identifier: ISC */
#include "services.h"

#include <stdarg.h>
#include <string.h>

enum { KEY_MAX_BYTES = 4096, LINE_MAX_BYTES = 1024 };

int32_t speech_services_take(struct speech_services *services, const struct aic_host *host)
{
    *services = (struct speech_services){
        .host = host,
        .http = host->get_service(host, AIC_SERVICE_HTTP),
        .ws = host->get_service(host, AIC_SERVICE_WEBSOCKET),
        .timer = host->get_service(host, AIC_SERVICE_TIMER),
        .clock = host->get_service(host, AIC_SERVICE_CLOCK),
        .log = host->get_service(host, AIC_SERVICE_LOG),
    };
    bool has_all = services->timer && services->clock && services->log;
    return has_all ? AIC_OK : AIC_ERROR_UNSUPPORTED;
}

int64_t speech_now_us(const struct speech_services *services)
{
    return services->clock->now_us(services->host);
}

void speech_log(const struct speech_services *services, uint32_t level, const char *format, ...)
{
    if (!services->log->enabled(services->host, level)) {
        return;
    }
    va_list args;
    va_start(args, format);
    struct aic_buf line;
    aic_buf_init(&line, LINE_MAX_BYTES);
    (void)aic_buf_vprintf(&line, format, args);
    va_end(args);
    services->log->write(services->host, level, aic_buf_view(&line));
    aic_buf_finish(&line);
}

int32_t speech_refuse(const struct speech_services *services, const char *text)
{
    services->log->write(services->host, AIC_LOG_ERROR, aic_str(text));
    return AIC_ERROR_CONFIG;
}

int32_t speech_wait(const struct speech_services *services, struct aic_timer **timer, int64_t ms,
                    void (*fire)(void *data), void *data)
{
    speech_stop_waiting(services, timer);
    int32_t status = services->timer->start(services->host, speech_now_us(services) + ms * 1000,
                                            fire, data, timer);
    if (status != AIC_OK) {
        *timer = NULL;
    }
    return status;
}

void speech_stop_waiting(const struct speech_services *services, struct aic_timer **timer)
{
    struct aic_timer *running = *timer;
    *timer = NULL;
    services->timer->stop(services->host, running);
}

const char *speech_setting(const struct aic_config *config, const char *name)
{
    const char *text = config->get_string(config, name);
    return text && text[0] ? text : NULL;
}

bool speech_key_is_sendable(const char *key)
{
    size_t length = key ? strlen(key) : 0;
    for (size_t i = 0; i < length; i++) {
        if (key[i] <= ' ' || key[i] > '~') {
            return false;
        }
    }
    return length > 0 && length <= KEY_MAX_BYTES;
}
