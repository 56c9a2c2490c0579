/* SPDX-License-Identifier: ISC */
#include "base64.h"
#include "form.h"
#include "protocol.h"
#include "rest.h"
#include "stream.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define API_VERSION "2010-04-01"

enum { EXTRA_MAX_BYTES = 4096 };

/* Settings */

static int32_t refuse(const struct twilio_provider *provider, const char *text)
{
    twilio_log(provider, AIC_LOG_ERROR, "%s", text);
    return AIC_ERROR_CONFIG;
}

/* A text, or NULL where there is none. */
static const char *text_of(const struct aic_config *config, const char *name)
{
    const char *text = config->get_string(config, name);
    return text && text[0] ? text : NULL;
}

/* The API's host: api[.edge][.region].twilio.com. */
static int32_t make_base(struct twilio_provider *provider, const struct aic_config *config)
{
    const char *url = text_of(config, "url");
    const char *region = text_of(config, "region");
    const char *edge = text_of(config, "edge");
    struct aic_buf base;
    if (url && (region || edge)) {
        return refuse(provider, "url already says where the API is: leave out region and edge");
    }
    if ((region && !twilio_is_word(aic_str(region), "-", 30)) ||
        (edge && !twilio_is_word(aic_str(edge), "-", 30))) {
        return refuse(provider, "region and edge are words such as \"ie1\" and \"dublin\"");
    }
    aic_buf_init(&base, TWILIO_TEXT_MAX_BYTES);
    if (url) {
        aic_buf_text(&base, url);
        while (base.len > 0 && base.data[base.len - 1] == '/') {
            base.data[--base.len] = '\0';
        }
    } else {
        /* An edge leads to a region; without a name that is us1. */
        aic_buf_printf(&base, "https://api%s%s%s%s.twilio.com", edge ? "." : "", edge ? edge : "",
                       region || edge ? "." : "", region ? region : (edge ? "us1" : ""));
    }
    aic_buf_printf(&base, "/" API_VERSION "/Accounts/%s", provider->settings.account_sid);
    provider->settings.base = aic_buf_detach(&base);
    return provider->settings.base ? AIC_OK : AIC_ERROR_MEMORY;
}

static int32_t make_authorization(struct twilio_provider *provider, const struct aic_config *config)
{
    const char *key = text_of(config, "api_key");
    const char *secret = text_of(config, "api_key_secret");
    struct aic_buf pair;
    struct aic_buf header;
    if (!key != !secret) {
        return refuse(provider, "api_key and api_key_secret belong together");
    }
    if (!key) {
        key = provider->settings.account_sid;
        secret = provider->settings.tokens.token[0];
    }
    aic_buf_init(&pair, 1024);
    aic_buf_init(&header, 2048);
    aic_buf_printf(&pair, "%s:%s", key, secret);
    aic_buf_text(&header, "Basic ");
    if (!pair.failed && aic_buf_reserve(&header, AIC_BASE64_ENCODED(pair.len)) == AIC_OK) {
        header.len += aic_base64_encode(header.data + header.len, pair.data, pair.len);
    }
    header.failed |= pair.failed;
    aic_buf_finish(&pair);
    provider->settings.authorization = aic_buf_detach(&header);
    return provider->settings.authorization ? AIC_OK
                                            : refuse(provider, "the credentials are too long");
}

struct extra {
    struct aic_buf form;
    const char *problem;
};

static int add_extra(void *data, const char *key, const struct aic_json *value)
{
    static const char *const ours[] = {"To",
                                       "From",
                                       "Url",
                                       "Twiml",
                                       "ApplicationSid",
                                       "Method",
                                       "StatusCallback",
                                       "StatusCallbackEvent",
                                       "StatusCallbackMethod",
                                       "Timeout",
                                       "TimeLimit",
                                       "MachineDetection",
                                       "AsyncAmd",
                                       "AsyncAmdStatusCallback",
                                       "AsyncAmdStatusCallbackMethod",
                                       "Record",
                                       "RecordingChannels",
                                       "RecordingStatusCallback",
                                       "RecordingStatusCallbackEvent"};
    struct extra *extra = data;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(key, ours[i]) == 0) {
            extra->problem = "extra may not hold what this plugin sets itself, such as To or Url";
            return 1;
        }
    }
    bool is_value =
        aic_json_is_string(value) || aic_json_is_number(value) || aic_json_is_bool(value);
    if (!twilio_is_word(aic_str(key), "", 64) || !is_value) {
        extra->problem = "extra holds parameters of Calls.json: names with texts or numbers";
        return 1;
    }
    bool is_string = aic_json_is_string(value);
    twilio_form_add(&extra->form, key, is_string ? aic_json_text(value) : aic_json_print(value));
    return 0;
}

static int32_t make_extra(struct twilio_provider *provider, const struct aic_config *config)
{
    const char *text = text_of(config, "extra");
    if (!text) {
        return AIC_OK;
    }
    struct extra extra = {.problem = NULL};
    aic_buf_init(&extra.form, EXTRA_MAX_BYTES);
    struct aic_json *root = aic_json_parse(aic_str(text), 0);
    if (!aic_json_is_object(root)) {
        extra.problem = "extra must be a group of parameters of Calls.json";
    }
    (void)aic_json_each(root, add_extra, &extra);
    aic_json_free(root);
    if (!extra.problem && extra.form.failed) {
        extra.problem = "extra is too long";
    }
    if (extra.problem) {
        aic_buf_finish(&extra.form);
        return refuse(provider, extra.problem);
    }
    provider->settings.extra = extra.form.len > 0 ? aic_buf_detach(&extra.form) : NULL;
    aic_buf_finish(&extra.form);
    return AIC_OK;
}

static const char *detection_of(const char *word)
{
    if (word && strcmp(word, "start") == 0) {
        return "Enable";
    }
    return word && strcmp(word, "end") == 0 ? "DetectMessageEnd" : NULL;
}

static int32_t check_settings(struct twilio_provider *provider)
{
    const struct twilio_settings *settings = &provider->settings;
    if (!settings->account_sid || !twilio_is_sid(aic_str(settings->account_sid)) ||
        !aic_str_starts(aic_str(settings->account_sid), "AC")) {
        return refuse(provider, "account_sid begins with AC; the name of an API key, which begins "
                                "with SK, belongs into api_key");
    }
    if (!settings->tokens.token[0]) {
        return refuse(provider, "auth_token is missing: Twilio's requests could not be told from "
                                "anybody's");
    }
    if (settings->from && !twilio_is_number(aic_str(settings->from)) &&
        strncmp(settings->from, "client:", 7) != 0 && strncmp(settings->from, "sip:", 4) != 0) {
        return refuse(provider, "from must be a number such as \"+15551234567\"");
    }
    return AIC_OK;
}

static int32_t read_settings(struct twilio_provider *provider, const struct aic_config *config)
{
    struct twilio_settings *settings = &provider->settings;
    const char *digits = text_of(config, "digits");
    settings->account_sid = text_of(config, "account_sid");
    settings->tokens.token[0] = text_of(config, "auth_token");
    settings->tokens.token[1] = text_of(config, "auth_token_secondary");
    settings->from = text_of(config, "from");
    settings->detection = detection_of(text_of(config, "machine_detection"));
    settings->records = config->get_int(config, "record") != 0;
    settings->calls_per_second = config->get_double(config, "calls_per_second");
    settings->ring_s = config->get_int(config, "ring_timeout") / 1000;
    settings->timeout_ms = config->get_int(config, "timeout");
    settings->digits =
        digits && strcmp(digits, "play") == 0 ? TWILIO_DIGITS_PLAY : TWILIO_DIGITS_TONES;
    settings->voice = (struct twilio_voice){text_of(config, "voice"), text_of(config, "language")};
    settings->apology = text_of(config, "apology") ? text_of(config, "apology") : "";
    int32_t status = check_settings(provider);
    if (status == AIC_OK) {
        status = make_base(provider, config);
    }
    if (status == AIC_OK) {
        status = make_authorization(provider, config);
    }
    return status == AIC_OK ? make_extra(provider, config) : status;
}

/* Life */

static void destroy(void *self)
{
    struct twilio_provider *provider = self;
    if (!provider) {
        return;
    }
    twilio_stream_finish(provider);
    twilio_dial_finish(provider);
    twilio_rings_finish(&provider->rings);
    free(provider->settings.base);
    if (provider->settings.authorization) {
        OPENSSL_cleanse(provider->settings.authorization, strlen(provider->settings.authorization));
    }
    free(provider->settings.authorization);
    free(provider->settings.extra);
    free(provider);
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct twilio_provider *provider = calloc(1, sizeof(*provider));
    if (!provider) {
        return AIC_ERROR_MEMORY;
    }
    provider->host = host;
    provider->log = host->get_service(host, AIC_SERVICE_LOG);
    provider->clock = host->get_service(host, AIC_SERVICE_CLOCK);
    provider->timer = host->get_service(host, AIC_SERVICE_TIMER);
    provider->http = host->get_service(host, AIC_SERVICE_HTTP);
    provider->ws = host->get_service(host, AIC_SERVICE_WEBSOCKET);
    provider->route = host->get_service(host, AIC_SERVICE_ROUTE);
    int32_t status = read_settings(provider, config);
    if (status != AIC_OK) {
        destroy(provider);
        return status;
    }
    *self = provider;
    return AIC_OK;
}

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_TELEPHONY) == 0 ? &twilio_telephony : NULL;
}

static const char *const provides[] = {AIC_TELEPHONY};
static const char *const detections[] = {"off", "start", "end", NULL};
static const char *const digit_ways[] = {"tones", "play", NULL};

static const struct aic_option options[] = {
    {.name = "account_sid",
     .type = AIC_OPTION_STRING,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The account's SID; it begins with AC."},
    {.name = "auth_token",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help =
         "The account's auth token. Requests of Twilio are believed by it, so it is needed even "
         "with an API key."},
    {.name = "auth_token_secondary",
     .type = AIC_OPTION_SECRET,
     .help = "A second token that is believed as well, while one replaces the other."},
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .help = "SID of an API key for our own requests; it begins with SK. Default: the account."},
    {.name = "api_key_secret", .type = AIC_OPTION_SECRET, .help = "The secret of that key."},
    {.name = "from",
     .type = AIC_OPTION_STRING,
     .help = "The number to dial from, such as +15551234567. Without it calls only come in."},
    {.name = "url",
     .type = AIC_OPTION_URL,
     .help = "Base address of the API. Default: https://api.twilio.com, or that of region and "
             "edge."},
    {.name = "region", .type = AIC_OPTION_STRING, .help = "Region of the account, such as ie1."},
    {.name = "edge", .type = AIC_OPTION_STRING, .help = "Edge location, such as dublin."},
    {.name = "machine_detection",
     .type = AIC_OPTION_ENUM,
     .fallback = "off",
     .help = "Whether Twilio listens for an answering machine on calls that are dialled: start "
             "tells when a machine answers, end when its greeting is over. Twilio charges for it.",
     .choices = detections},
    {.name = "record",
     .type = AIC_OPTION_BOOL,
     .fallback = "false",
     .help = "Records every call at Twilio, in two channels."},
    {.name = "calls_per_second",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1.0",
     .help = "How fast a worker process dials; Twilio's own limit is 1 for new accounts.",
     .min = 0.01,
     .max = 100},
    {.name = "ring_timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .help = "How long a call that is dialled may ring; 0 means Twilio's 60 s.",
     .max = 600000},
    {.name = "digits",
     .type = AIC_OPTION_ENUM,
     .fallback = "tones",
     .help = "How keys are pressed: tones sends their sound in the stream; play has Twilio press "
             "them, for which the stream is interrupted.",
     .choices = digit_ways},
    {.name = "voice",
     .type = AIC_OPTION_STRING,
     .help = "Twilio's own voice, for the few words that it says itself, such as Polly.Joanna."},
    {.name = "language", .type = AIC_OPTION_STRING, .help = "Its language, such as en-US."},
    {.name = "apology",
     .type = AIC_OPTION_STRING,
     .fallback = "We are sorry, nobody can be reached. Good-bye.",
     .help =
         "What Twilio says before it hangs up when nobody takes a transferred call, or when the "
         "conversation can not go on."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "10s",
     .help = "How long Twilio's answer to a request may take.",
     .min = 100,
     .max = 60000},
    {.name = "extra",
     .type = AIC_OPTION_JSON,
     .help = "Further parameters of a dial (Calls.json), such as { CallReason = \"...\"; }."},
};

AIC_PLUGIN(twilio)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "twilio",
        .version = "0.1.0",
        .summary = "Telephone calls over Twilio: webhooks, Media Streams, the REST API.",
        .license = "ISC",
        .provides = provides,
        .provides_count = sizeof(provides) / sizeof(provides[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(options[0]),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = destroy,
    };
    return &plugin;
}
