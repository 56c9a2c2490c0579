/* SPDX-License-Identifier: ISC */
#ifndef SPEECH_SERVICES_H
#define SPEECH_SERVICES_H
/* The services of the host that a speech vendor's plugin needs, and short words for them. */
#include "buf.h"

#include <aicaller/aicaller.h>

struct speech_services {
    const struct aic_host *host;
    const struct aic_http_service *http;    /* NULL where a configuration is only checked */
    const struct aic_websocket_service *ws; /* the same */
    const struct aic_timer_service *timer;
    const struct aic_clock_service *clock;
    const struct aic_log_service *log;
};

/* AIC_ERROR_UNSUPPORTED where the host lacks one that every host has. */
int32_t speech_services_take(struct speech_services *services, const struct aic_host *host);

int64_t speech_now_us(const struct speech_services *services);
void speech_log(const struct speech_services *services, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Logs what is wrong with a setting; gives AIC_ERROR_CONFIG. */
int32_t speech_refuse(const struct speech_services *services, const char *text);

/* Starts a timer in so many ms in place of the one in *timer. On failure *timer is NULL. */
int32_t speech_wait(const struct speech_services *services, struct aic_timer **timer, int64_t ms,
                    void (*fire)(void *data), void *data);
void speech_stop_waiting(const struct speech_services *services, struct aic_timer **timer);

/* Text of a setting; NULL when it is not set or empty. */
const char *speech_setting(const struct aic_config *config, const char *name);
/* Whether a key can stand in a header: one word, not too long. */
bool speech_key_is_sendable(const char *key);

#endif
