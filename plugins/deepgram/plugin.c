/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <string.h>

static const void *get_interface(const char *id)
{
    if (strcmp(id, AIC_STT) == 0) {
        return deepgram_stt();
    }
    return strcmp(id, AIC_TTS) == 0 ? deepgram_tts() : NULL;
}

static const struct aic_option options[] = {
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The key of a Deepgram project."},
    {.name = "url",
     .type = AIC_OPTION_URL,
     .fallback = "https://api.deepgram.com",
     .help = "Base address; \"https://api.eu.deepgram.com\" keeps the sound in Europe."},
    {.name = "model",
     .type = AIC_OPTION_STRING,
     .fallback = "nova-3",
     .help = "The recogniser: nova-3, nova-2 ..., or flux-general-en, which knows by itself when "
             "a turn is over."},
    {.name = "language",
     .type = AIC_OPTION_STRING,
     .help = "Language of the recogniser, such as \"en-IN\", or \"multi\"; without it the "
             "agent's."},
    {.name = "keyterms",
     .type = AIC_OPTION_LIST,
     .help = "Words and phrases to expect in every call, before the agent's own hints."},
    {.name = "endpointing",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .min = 0,
     .max = 10000,
     .help = "Silence that ends a turn with Nova; 0 = the agent's endpointing_min_ms."},
    {.name = "utterance_end",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "1s",
     .min = 1000,
     .max = 5000,
     .help = "Time without words that ends a turn with Nova where noise hides the silence."},
    {.name = "smart_format",
     .type = AIC_OPTION_BOOL,
     .fallback = "true",
     .help = "Nova writes punctuation, numbers and dates as people do."},
    {.name = "eot_threshold",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0.7",
     .min = 0.5,
     .max = 1,
     .help = "How sure Flux must be that a turn is over."},
    {.name = "eager_eot_threshold",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .min = 0,
     .max = 0.9,
     .help = "How sure Flux must be for the agent to think ahead, from 0.3; 0 = it never does. "
             "Quicker answers for more requests to the language model."},
    {.name = "eot_timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "5s",
     .min = 500,
     .max = 60000,
     .help = "Silence after which a turn is over with Flux, sure or not."},
    {.name = "mip_opt_out",
     .type = AIC_OPTION_BOOL,
     .fallback = "false",
     .help = "Keeps the sound out of Deepgram's training, for a higher price."},
    {.name = "voice",
     .type = AIC_OPTION_STRING,
     .fallback = "aura-2-thalia-en",
     .help = "The voice of Aura that speaks, where the provider is used as one."},
    {.name = "speed",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0",
     .min = 0,
     .max = 1.5,
     .help = "How fast the voice speaks, from 0.7 to 1.5; 0 = its own pace."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "3s",
     .min = 100,
     .max = 60000,
     .help = "How long a connection, or the first sound, may take."},
    {.name = "extra",
     .type = AIC_OPTION_JSON,
     .help = "Further query parameters for the recogniser, such as { numerals = true; }."},
};

static const char *const roles[] = {AIC_STT, AIC_TTS};

AIC_PLUGIN(deepgram)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "deepgram",
        .version = "0.1.0",
        .summary = "Deepgram: the recognisers Nova and Flux, the voices of Aura.",
        .license = "ISC",
        .provides = roles,
        .provides_count = sizeof(roles) / sizeof(roles[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(struct aic_option),
        .options = options,
        .create = deepgram_provider_create,
        .get_interface = get_interface,
        .destroy = deepgram_provider_destroy,
    };
    return &plugin;
}
