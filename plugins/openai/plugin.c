/* SPDX-License-Identifier: ISC */
#include "openai-core/provider.h"
#include "openai-core/speak.h"

#include <string.h>

static const char *text_of(const struct aic_config *config, const char *name)
{
    const char *text = config->get_string(config, name);
    return text && text[0] && strcmp(text, "auto") != 0 ? text : NULL;
}

/* Whether an address is OpenAI's own, of whatever region. */
static bool is_openais(const char *url)
{
    static const char name[] = "api.openai.com";
    const char *scheme = url ? strstr(url, "://") : NULL;
    if (!scheme) {
        return false;
    }
    const char *host = scheme + 3;
    size_t length = strcspn(host, ":/?#");
    if (length < sizeof(name) - 1) {
        return false;
    }
    const char *end = host + length - (sizeof(name) - 1);
    return strncasecmp(end, name, sizeof(name) - 1) == 0 && (end == host || end[-1] == '.');
}

/* OpenAI's newer models refuse the old name, many other servers do not know the new one. */
static const char *max_tokens_field(const struct aic_config *config, bool is_openai)
{
    const char *field = text_of(config, "max_tokens_field");
    if (field) {
        return field;
    }
    return is_openai ? "max_completion_tokens" : "max_tokens";
}

/* OpenAI's own transcribers tell nothing of their certainty in any form but Whisper's. */
static const char *stt_format(const struct aic_config *config, const char *model)
{
    const char *format = text_of(config, "stt_format");
    if (format) {
        return format;
    }
    return strstr(model, "transcribe") ? "json" : "verbose_json";
}

static void read_speech(struct openai_settings *settings, const struct aic_config *config)
{
    static const char *const recognisers[] = {"whisper", "transcribe", NULL};
    static const char *const voices[] = {"tts", NULL};
    settings->stt_model =
        openai_settings_model(settings, settings->stt_model, recognisers, "whisper-1");
    settings->stt_format = stt_format(config, settings->stt_model);
    settings->tts_model =
        openai_settings_model(settings, text_of(config, "tts_model"), voices, "tts-1");
    settings->tts_format = config->get_string(config, "tts_format");
    settings->tts_extra = text_of(config, "tts_extra");
    settings->tts_max_bytes = (uint32_t)config->get_int(config, "tts_max_bytes");
    settings->voice = config->get_string(config, "voice");
    settings->sample_rate_hz = config->get_int(config, "sample_rate");
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    struct openai_settings settings;
    openai_settings_read(&settings, config);
    bool is_openai = is_openais(settings.url);
    settings.api_key_header = text_of(config, "api_key_header");
    settings.reasoning_field = text_of(config, "reasoning_field");
    settings.chat.max_tokens_field = max_tokens_field(config, is_openai);
    settings.chat.asks_for_usage = strcmp(config->get_string(config, "usage_mode"), "ask") == 0;
    read_speech(&settings, config);
    if (is_openai && !settings.api_key) {
        const struct aic_log_service *log = host->get_service(host, AIC_SERVICE_LOG);
        log->write(host, AIC_LOG_ERROR,
                   AIC_STR("api.openai.com needs an api_key; for another server set url"));
        return AIC_ERROR_CONFIG;
    }
    return openai_provider_create(host, &settings, self);
}

static const void *get_interface(const char *id)
{
    if (strcmp(id, AIC_LLM) == 0) {
        return openai_llm();
    }
    if (strcmp(id, AIC_STT) == 0) {
        return openai_stt();
    }
    return strcmp(id, AIC_TTS) == 0 ? openai_tts() : NULL;
}

static const char *const usage_modes[] = {"ask", "none", NULL};
static const char *const token_fields[] = {"auto", "max_tokens", "max_completion_tokens", NULL};
static const char *const stt_formats[] = {"auto", "verbose_json", "json", NULL};
static const char *const tts_formats[] = {"pcm", "wav", NULL};

static const struct aic_option options[] = {
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .help = "The key; servers of your own may do without."},
    {.name = "api_key_header",
     .type = AIC_OPTION_STRING,
     .help = "Header that carries the bare key, such as \"api-key\", instead of Authorization."},
    {.name = "url",
     .type = AIC_OPTION_URL,
     .fallback = "https://api.openai.com/v1",
     .help = "Base address, such as \"http://127.0.0.1:11434/v1\" of Ollama."},
    {.name = "model",
     .type = AIC_OPTION_STRING,
     .help = "The language model; servers with only one may do without."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .min = 100,
     .max = 120000,
     .help = "How long the first word, a transcript, or the first sound may take; longer for a "
             "server that loads its model first."},
    {.name = "temperature",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .min = 0,
     .max = 2,
     .help = "How freely the model chooses its words; without it the model's own."},
    {.name = "max_tokens",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .help = "Longest answer, thoughts included; 0 = the model's own."},
    {.name = "max_tokens_field",
     .type = AIC_OPTION_ENUM,
     .fallback = "auto",
     .choices = token_fields,
     .help = "What the server calls that; auto = by the address."},
    {.name = "reasoning_effort",
     .type = AIC_OPTION_STRING,
     .help = "How much a reasoning model thinks, such as \"low\"; not sent without."},
    {.name = "reasoning_field",
     .type = AIC_OPTION_STRING,
     .help = "Where the server puts thoughts, besides reasoning and reasoning_content."},
    {.name = "usage_mode",
     .type = AIC_OPTION_ENUM,
     .fallback = "ask",
     .choices = usage_modes,
     .help = "none = do not ask for the tokens used, for servers that refuse stream_options."},
    {.name = "extra",
     .type = AIC_OPTION_JSON,
     .help = "Further members of each request to the language model, such as { top_k = 20; }."},
    {.name = "headers",
     .type = AIC_OPTION_LIST,
     .help = "Further headers of each request, as \"Name: value\"."},
    {.name = "language",
     .type = AIC_OPTION_STRING,
     .help = "Language of the recogniser; \"auto\" = it finds out; without it the agent's."},
    {.name = "stt_model",
     .type = AIC_OPTION_STRING,
     .help = "Model of the recogniser; whisper-1 unless `model` names a recogniser."},
    {.name = "stt_format",
     .type = AIC_OPTION_ENUM,
     .fallback = "auto",
     .choices = stt_formats,
     .help = "Form of transcripts; only verbose_json tells how certain they are."},
    {.name = "stt_extra",
     .type = AIC_OPTION_JSON,
     .help = "Further fields of each request to the recogniser, such as { temperature = 0.2; }."},
    {.name = "voice", .type = AIC_OPTION_STRING, .fallback = "alloy", .help = "Who speaks."},
    {.name = "tts_model",
     .type = AIC_OPTION_STRING,
     .help = "Model of the voice; tts-1 unless `model` names a voice."},
    {.name = "tts_max_bytes",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "4096",
     .min = 50,
     .max = OPENAI_SPEECH_MAX_BYTES,
     .help = "The longest text that the voice takes; what is longer is said in several pieces."},
    {.name = "tts_format",
     .type = AIC_OPTION_ENUM,
     .fallback = "pcm",
     .choices = tts_formats,
     .help = "What to ask the server for; both are understood whatever was asked."},
    {.name = "sample_rate",
     .type = AIC_OPTION_INT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "24000",
     .min = 8000,
     .max = 48000,
     .help = "Samples a second of the server's voice."},
    {.name = "tts_extra",
     .type = AIC_OPTION_JSON,
     .help = "Further members of each request for speech, such as { speed = 1.1; }."},
};

static const char *const roles[] = {AIC_LLM, AIC_STT, AIC_TTS};

AIC_PLUGIN(openai)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "openai",
        .version = "0.1.0",
        .summary = "OpenAI and every server that speaks its protocol: models, recognisers, voices.",
        .license = "ISC",
        .provides = roles,
        .provides_count = sizeof(roles) / sizeof(roles[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(struct aic_option),
        .options = options,
        .create = create,
        .get_interface = get_interface,
        .destroy = openai_provider_destroy,
    };
    return &plugin;
}
