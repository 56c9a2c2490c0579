/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <stdlib.h>
#include <string.h>

enum { EXTRA_MAX_BYTES = 64 * 1024, URL_MAX_BYTES = 2048, KEY_MAX_BYTES = 8192 };

static const char *text_of(const struct aic_config *config, const char *name)
{
    const char *text = config->get_string(config, name);
    return text && text[0] ? text : NULL;
}

void openai_settings_read(struct openai_settings *settings, const struct aic_config *config)
{
    *settings = (struct openai_settings){
        .name = config->provider,
        .url = text_of(config, "url"),
        .api_key = text_of(config, "api_key"),
        .config = config,
        .timeout_ms = config->get_int(config, "timeout"),
        .chat =
            {
                .model = text_of(config, "model"),
                .reasoning_effort = text_of(config, "reasoning_effort"),
                .temperature = config->has(config, "temperature")
                                   ? config->get_double(config, "temperature")
                                   : -1,
                .max_tokens = config->get_int(config, "max_tokens"),
            },
        .extra = text_of(config, "extra"),
        .stt_model = text_of(config, "stt_model"),
        .stt_extra = text_of(config, "stt_extra"),
        .language = text_of(config, "language"),
    };
}

const char *openai_settings_model(const struct openai_settings *settings, const char *own,
                                  const char *const *words, const char *fallback)
{
    if (own) {
        return own;
    }
    for (; settings->chat.model && *words; words++) {
        if (strstr(settings->chat.model, *words)) {
            return settings->chat.model;
        }
    }
    return fallback;
}

/* Complains; the text says what is wrong with which setting. */
static int32_t refuse(const struct openai_provider *provider, const char *text)
{
    provider->log->write(provider->host, AIC_LOG_ERROR, aic_str(text));
    return AIC_ERROR_CONFIG;
}

static int32_t take_url(struct openai_provider *provider)
{
    const char *url = provider->settings.url;
    if (!url || (strncasecmp(url, "https://", 8) != 0 && strncasecmp(url, "http://", 7) != 0)) {
        return refuse(provider, "url must begin with https://, or http:// on this machine");
    }
    size_t length = strcspn(url, "?#");
    provider->query = url[length] == '?' ? aic_str(url + length) : (struct aic_str){"", 0};
    while (length > 0 && url[length - 1] == '/') {
        length--;
    }
    aic_buf_init(&provider->base, URL_MAX_BYTES);
    aic_buf_str(&provider->base, (struct aic_str){url, length});
    return provider->base.failed ? refuse(provider, "url is too long") : AIC_OK;
}

static void add_header(struct openai_provider *provider, struct aic_str name, struct aic_str value)
{
    provider->headers[provider->header_count++] = (struct aic_header){name, value};
}

static int32_t take_key(struct openai_provider *provider)
{
    const char *key = provider->settings.api_key;
    const char *header = provider->settings.api_key_header;
    for (const char *p = key; p && *p; p++) {
        if (*p <= ' ' || *p > '~') {
            return refuse(provider, "api_key must be one word, without blanks and line ends");
        }
    }
    aic_buf_init(&provider->key, KEY_MAX_BYTES);
    if (key) {
        aic_buf_text(&provider->key, header ? "" : "Bearer ");
        aic_buf_text(&provider->key, key);
        add_header(provider, aic_str(header ? header : "Authorization"),
                   aic_buf_view(&provider->key));
    }
    return provider->key.failed ? refuse(provider, "api_key is too long") : AIC_OK;
}

/* Takes one "Name: value". */
static int32_t take_header(struct openai_provider *provider, const char *line)
{
    const char *colon = strchr(line, ':');
    if (!colon || colon == line || strpbrk(line, "\r\n")) {
        return refuse(provider, "headers must be a list of texts such as \"Name: value\"");
    }
    if (provider->header_count == OPENAI_HEADERS_MAX) {
        return refuse(provider, "headers has more entries than can be sent");
    }
    const char *value = colon + 1 + strspn(colon + 1, " ");
    add_header(provider, (struct aic_str){line, (size_t)(colon - line)}, aic_str(value));
    return AIC_OK;
}

static int32_t take_headers(struct openai_provider *provider)
{
    const struct aic_config *config = provider->settings.config;
    uint32_t count = config->list_count(config, "headers");
    int32_t status = AIC_OK;
    for (uint32_t i = 0; i < count && status == AIC_OK; i++) {
        status = take_header(provider, config->list_item(config, "headers", i));
    }
    return status;
}

static int32_t parse_group(struct openai_provider *provider, const char *text,
                           const char *complaint, struct aic_json **group)
{
    *group = text ? aic_json_parse(aic_str(text), EXTRA_MAX_BYTES) : NULL;
    return text && !aic_json_is_object(*group) ? refuse(provider, complaint) : AIC_OK;
}

static int32_t take_extra(struct openai_provider *provider)
{
    struct openai_settings *settings = &provider->settings;
    int32_t status =
        parse_group(provider, settings->extra, "extra must be a group", &provider->extra);
    settings->chat.extra = provider->extra;
    if (status == AIC_OK && openai_chat_extra_problem(provider->extra)) {
        status = refuse(provider, "extra must not hold messages, tools, stream or n: these are "
                                  "the call's own");
    }
    if (status == AIC_OK) {
        status = parse_group(provider, settings->stt_extra, "stt_extra must be a group",
                             &provider->stt_extra);
    }
    if (status == AIC_OK) {
        status = parse_group(provider, settings->tts_extra, "tts_extra must be a group",
                             &provider->tts_extra);
    }
    return status;
}

static bool take_services(struct openai_provider *provider, const struct aic_host *host)
{
    provider->host = host;
    provider->http = host->get_service(host, AIC_SERVICE_HTTP);
    provider->timer = host->get_service(host, AIC_SERVICE_TIMER);
    provider->clock = host->get_service(host, AIC_SERVICE_CLOCK);
    provider->log = host->get_service(host, AIC_SERVICE_LOG);
    return provider->timer && provider->clock && provider->log;
}

int32_t openai_provider_create(const struct aic_host *host, const struct openai_settings *settings,
                               void **self)
{
    struct openai_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->settings = *settings;
    provider->tts_format = (struct aic_format){
        .codec = AIC_CODEC_PCM_S16LE, .rate_hz = (uint32_t)settings->sample_rate_hz, .channels = 1};
    int32_t status = take_services(provider, host) ? AIC_OK : AIC_ERROR_UNSUPPORTED;
    int32_t (*const steps[])(struct openai_provider *) = {take_url, take_key, take_headers,
                                                          take_extra};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && status == AIC_OK; i++) {
        status = steps[i](provider);
    }
    if (status != AIC_OK) {
        openai_provider_destroy(provider);
        return status;
    }
    *self = provider;
    return AIC_OK;
}

void openai_provider_destroy(void *self)
{
    struct openai_provider *provider = self;
    if (!provider) {
        return;
    }
    aic_buf_finish(&provider->key);
    aic_buf_finish(&provider->base);
    aic_json_free(provider->extra);
    aic_json_free(provider->stt_extra);
    aic_json_free(provider->tts_extra);
    free(provider);
}

void openai_provider_url(const struct openai_provider *provider, const char *path,
                         struct aic_buf *to)
{
    aic_buf_str(to, aic_buf_view(&provider->base));
    aic_buf_text(to, path);
    aic_buf_str(to, provider->query);
}

void openai_provider_warm(const struct openai_provider *provider)
{
    if (provider->http) {
        provider->http->warm(provider->host, provider->base.data);
    }
}
