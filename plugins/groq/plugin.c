/* SPDX-License-Identifier: ISC */
#include "openai-core/provider.h"

#include <string.h>

/* These think before they speak; on the telephone they should think little and in silence. */
static bool is_reasoning_model(const char *model)
{
    return model && strstr(model, "gpt-oss");
}

static int32_t create(const struct aic_host *host, const struct aic_config *config, void **self)
{
    static const char *const recognisers[] = {"whisper", NULL};
    struct openai_settings settings;
    openai_settings_read(&settings, config);
    settings.chat.max_tokens_field = "max_completion_tokens";
    if (is_reasoning_model(settings.chat.model)) {
        settings.chat.hides_reasoning = true;
        if (!settings.chat.reasoning_effort) {
            settings.chat.reasoning_effort = "low";
        }
    }
    settings.stt_model =
        openai_settings_model(&settings, settings.stt_model, recognisers, "whisper-large-v3-turbo");
    settings.stt_format = "verbose_json";
    return openai_provider_create(host, &settings, self);
}

static const void *get_interface(const char *id)
{
    if (strcmp(id, AIC_LLM) == 0) {
        return openai_llm();
    }
    return strcmp(id, AIC_STT) == 0 ? openai_stt() : NULL;
}

static const struct aic_option options[] = {
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The key of your Groq account."},
    {.name = "url",
     .type = AIC_OPTION_URL,
     .fallback = "https://api.groq.com/openai/v1",
     .help = "Base address; of a proxy, for instance."},
    {.name = "model",
     .type = AIC_OPTION_STRING,
     .fallback = "openai/gpt-oss-20b",
     .help = "The language model."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .min = 100,
     .max = 120000,
     .help = "How long the first word of an answer, or a transcript, may take."},
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
    {.name = "reasoning_effort",
     .type = AIC_OPTION_STRING,
     .help = "How much the model thinks: none, default, low, medium or high, as it allows; \"low\" "
             "for gpt-oss."},
    {.name = "extra",
     .type = AIC_OPTION_JSON,
     .help = "Further members of each request to the language model, such as { seed = 1; }."},
    {.name = "headers",
     .type = AIC_OPTION_LIST,
     .help = "Further headers of each request, as \"Name: value\"."},
    {.name = "language",
     .type = AIC_OPTION_STRING,
     .help = "Language of the recogniser; \"auto\" = it finds out; without it the agent's."},
    {.name = "stt_model",
     .type = AIC_OPTION_STRING,
     .help = "Model of the recogniser; whisper-large-v3-turbo unless `model` names a Whisper."},
    {.name = "stt_extra",
     .type = AIC_OPTION_JSON,
     .help = "Further fields of each request to the recogniser, such as { temperature = 0.2; }."},
};

static const char *const roles[] = {AIC_LLM, AIC_STT};

AIC_PLUGIN(groq)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "groq",
        .version = "0.1.0",
        .summary = "Groq: language models, and Whisper as a recogniser.",
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
