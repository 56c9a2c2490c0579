/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include "speech-core/address.h"

#include <stdlib.h>
#include <string.h>

enum { EXTRA_MAX_BYTES = 16 * 1024 };

static double number(const struct aic_config *config, const char *name)
{
    return config->has(config, name) ? config->get_double(config, name) : ELEVEN_NO_NUMBER;
}

static void read_settings(struct eleven_provider *provider, const struct aic_config *config)
{
    provider->settings = (struct eleven_settings){
        .url = speech_setting(config, "url"),
        .model = speech_setting(config, "model"),
        .voice = speech_setting(config, "voice"),
        .language = speech_setting(config, "language"),
        .normalization = config->get_string(config, "normalization"),
        .stability = number(config, "stability"),
        .similarity = number(config, "similarity"),
        .style = number(config, "style"),
        .speed = number(config, "speed"),
        .keeps_logs = config->get_int(config, "logging") != 0,
    };
    provider->api_key = speech_setting(config, "api_key");
    provider->timeout_ms = config->get_int(config, "timeout");
    provider->is_socket = strcmp(config->get_string(config, "transport"), "websocket") == 0;
}

static int32_t check_settings(const struct eleven_provider *provider)
{
    const struct eleven_settings *settings = &provider->settings;
    if (!speech_address_is_base(settings->url)) {
        return speech_refuse(&provider->services,
                             "url must be a base address such as https://api.elevenlabs.io");
    }
    if (!settings->model || !settings->voice) {
        return speech_refuse(&provider->services, "model and voice must not be empty");
    }
    if (!speech_key_is_sendable(provider->api_key)) {
        return speech_refuse(&provider->services, "api_key must be one word, without blanks and "
                                                  "line ends");
    }
    return AIC_OK;
}

static int32_t take_extra(struct eleven_provider *provider, const struct aic_config *config)
{
    const char *text = speech_setting(config, "extra");
    if (!text) {
        return AIC_OK;
    }
    provider->extra = aic_json_parse(aic_str(text), EXTRA_MAX_BYTES);
    provider->settings.extra = provider->extra;
    const char *problem =
        provider->extra ? eleven_extra_problem(provider->extra) : "extra must be a group";
    return problem ? speech_refuse(&provider->services, problem) : AIC_OK;
}

static int32_t check_address(const struct eleven_provider *provider)
{
    const struct eleven_request request = {
        .settings = &provider->settings,
        .voice = provider->settings.voice,
        .language = "en",
        .format = {.codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1}};
    struct aic_buf url;
    aic_buf_init(&url, ELEVEN_URL_MAX_BYTES);
    eleven_socket_url(&request, &url);
    bool fits = !url.failed;
    aic_buf_finish(&url);
    return fits ? AIC_OK
                : speech_refuse(&provider->services, "url, voice and extra together are too long");
}

static int32_t prepare(struct eleven_provider *provider, const struct aic_config *config)
{
    int32_t status = check_settings(provider);
    if (status == AIC_OK) {
        status = take_extra(provider, config);
    }
    return status == AIC_OK ? check_address(provider) : status;
}

int32_t eleven_provider_create(const struct aic_host *host, const struct aic_config *config,
                               void **self)
{
    struct eleven_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    read_settings(provider, config);
    int32_t status = speech_services_take(&provider->services, host);
    if (status == AIC_OK) {
        status = prepare(provider, config);
    }
    if (status != AIC_OK) {
        eleven_provider_destroy(provider);
        return status;
    }
    *self = provider;
    return AIC_OK;
}

void eleven_provider_destroy(void *self)
{
    struct eleven_provider *provider = self;
    if (provider) {
        aic_json_free(provider->extra);
        free(provider);
    }
}
