/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include "line.h"
#include "query.h"
#include "speech-core/address.h"

#include <stdlib.h>

enum { EXTRA_MAX_BYTES = 16 * 1024, URL_MAX_BYTES = 4096, KEY_MAX_BYTES = 8192 };

static void read_settings(struct deepgram_settings *settings, const struct aic_config *config)
{
    *settings = (struct deepgram_settings){
        .url = speech_setting(config, "url"),
        .api_key = speech_setting(config, "api_key"),
        .model = speech_setting(config, "model"),
        .voice = speech_setting(config, "voice"),
        .language = speech_setting(config, "language"),
        .endpointing_ms = config->get_int(config, "endpointing"),
        .utterance_end_ms = config->get_int(config, "utterance_end"),
        .eot_timeout_ms = config->get_int(config, "eot_timeout"),
        .eot_threshold = config->get_double(config, "eot_threshold"),
        .eager_eot_threshold = config->get_double(config, "eager_eot_threshold"),
        .speed = config->get_double(config, "speed"),
        .smart_format = config->get_int(config, "smart_format") != 0,
        .mip_opt_out = config->get_int(config, "mip_opt_out") != 0,
        .timeout_ms = config->get_int(config, "timeout"),
    };
}

static int32_t check_settings(const struct deepgram_provider *provider)
{
    const struct deepgram_settings *settings = &provider->settings;
    if (!speech_address_is_base(settings->url)) {
        return speech_refuse(&provider->services,
                             "url must be a base address such as https://api.deepgram.com");
    }
    if (!settings->model || !settings->voice) {
        return speech_refuse(&provider->services, "model and voice must not be empty");
    }
    if (!speech_key_is_sendable(settings->api_key)) {
        return speech_refuse(&provider->services, "api_key must be one word, without blanks and "
                                                  "line ends");
    }
    double eager = settings->eager_eot_threshold;
    if (eager > settings->eot_threshold || (eager > 0 && eager < 0.3)) {
        return speech_refuse(&provider->services,
                             "eager_eot_threshold must be 0, or from 0.3 up to eot_threshold");
    }
    if (settings->speed > 0 && settings->speed < 0.7) {
        return speech_refuse(&provider->services, "speed must be 0, or from 0.7 to 1.5");
    }
    return AIC_OK;
}

/* Everything but the keyterms, which are cut, must fit into a request's target. */
static int32_t check_target(const struct deepgram_provider *provider)
{
    const struct deepgram_query query = {
        .settings = &provider->settings,
        .extra = provider->extra,
        .format = {.codec = AIC_CODEC_MULAW, .rate_hz = 8000, .channels = 1},
        .language = ""};
    struct aic_buf url;
    aic_buf_init(&url, URL_MAX_BYTES);
    (void)deepgram_query_write(&query, &url);
    bool fits = !url.failed && url.len < DEEPGRAM_TARGET_MAX_BYTES;
    aic_buf_finish(&url);
    return fits ? AIC_OK
                : speech_refuse(&provider->services, "url and extra together are too long");
}

static int32_t take_extra(struct deepgram_provider *provider)
{
    const char *text = speech_setting(provider->config, "extra");
    if (!text) {
        return AIC_OK;
    }
    provider->extra = aic_json_parse(aic_str(text), EXTRA_MAX_BYTES);
    const char *problem =
        provider->extra ? deepgram_extra_problem(provider->extra) : "extra must be a group";
    return problem ? speech_refuse(&provider->services, problem) : AIC_OK;
}

static int32_t prepare(struct deepgram_provider *provider)
{
    int32_t status = check_settings(provider);
    if (status == AIC_OK) {
        status = take_extra(provider);
    }
    if (status == AIC_OK) {
        status = check_target(provider);
    }
    if (status == AIC_OK) {
        provider->is_flux = deepgram_model_is_flux(provider->settings.model);
        aic_buf_text(&provider->authorization, "Token ");
        aic_buf_text(&provider->authorization, provider->settings.api_key);
        status = provider->authorization.failed ? AIC_ERROR_MEMORY : AIC_OK;
    }
    return status;
}

int32_t deepgram_provider_create(const struct aic_host *host, const struct aic_config *config,
                                 void **self)
{
    struct deepgram_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->config = config;
    aic_buf_init(&provider->authorization, KEY_MAX_BYTES);
    read_settings(&provider->settings, config);
    int32_t status = speech_services_take(&provider->services, host);
    if (status == AIC_OK) {
        status = prepare(provider);
    }
    if (status != AIC_OK) {
        deepgram_provider_destroy(provider);
        return status;
    }
    *self = provider;
    return AIC_OK;
}

void deepgram_provider_destroy(void *self)
{
    struct deepgram_provider *provider = self;
    if (provider) {
        deepgram_lines_drop(provider);
        aic_json_free(provider->extra);
        aic_buf_finish(&provider->authorization);
        free(provider);
    }
}
