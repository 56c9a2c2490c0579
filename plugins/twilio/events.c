/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdio.h>

static const int64_t rarely_us = INT64_C(60000000);

int64_t twilio_now(const struct twilio_provider *provider)
{
    return provider->clock->now_us(provider->host);
}

int64_t twilio_random_below(const struct twilio_provider *provider, int64_t limit)
{
    uint64_t random = 0;
    provider->clock->random(provider->host, &random, sizeof(random));
    return (int64_t)(random % (uint64_t)limit);
}

const char *twilio_public_url(const struct twilio_provider *provider)
{
    return provider->route ? provider->route->public_url(provider->host) : NULL;
}

void twilio_log(const struct twilio_provider *provider, uint32_t level, const char *format, ...)
{
    va_list args;
    struct aic_buf line;
    aic_buf_init(&line, TWILIO_LOG_MAX_BYTES);
    va_start(args, format);
    aic_buf_vprintf(&line, format, args);
    va_end(args);
    if (line.len > 0) {
        provider->log->write(provider->host, level, aic_buf_view(&line));
    }
    aic_buf_finish(&line);
}

void twilio_warn_rarely(const struct twilio_provider *provider, struct twilio_rarely *line,
                        const char *text)
{
    int64_t now_us = twilio_now(provider);
    if (line->was_written && now_us - line->at_us < rarely_us) {
        line->kept_back++;
        return;
    }
    twilio_log(provider, AIC_LOG_WARN, "%s (%llu more since the last line)", text,
               (unsigned long long)line->kept_back);
    *line = (struct twilio_rarely){.was_written = true, .at_us = now_us};
}

struct aic_telephony_event twilio_event(uint32_t kind)
{
    return (struct aic_telephony_event){
        .size = sizeof(struct aic_telephony_event), .kind = kind, .sequence = -1, .duration_s = -1};
}

void twilio_tell(const struct twilio_provider *provider, const struct aic_telephony_event *event)
{
    if (provider->sink) {
        provider->sink->event(provider->sink, event);
    }
}
