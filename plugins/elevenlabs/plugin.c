/* SPDX-License-Identifier: ISC */
#include "provider.h"

#include <string.h>

static const void *get_interface(const char *id)
{
    return strcmp(id, AIC_TTS) == 0 ? eleven_tts() : NULL;
}

static const char *const transports[] = {"websocket", "http", NULL};
static const char *const normalizations[] = {"auto", "on", "off", NULL};

static const struct aic_option options[] = {
    {.name = "api_key",
     .type = AIC_OPTION_SECRET,
     .flags = AIC_OPTION_REQUIRED,
     .help = "The key of an ElevenLabs account."},
    {.name = "url",
     .type = AIC_OPTION_URL,
     .fallback = "https://api.elevenlabs.io",
     .help = "Base address; regional ones are for accounts with data residency."},
    {.name = "voice",
     .type = AIC_OPTION_STRING,
     .fallback = "21m00Tcm4TlvDq8ikWAM",
     .help = "Id of the voice that speaks."},
    {.name = "model",
     .type = AIC_OPTION_STRING,
     .fallback = "eleven_flash_v2_5",
     .help = "The model; the flash models answer quickest and cost half."},
    {.name = "language",
     .type = AIC_OPTION_STRING,
     .help = "Language of the text; without it the agent's, with models that take one."},
    {.name = "transport",
     .type = AIC_OPTION_ENUM,
     .fallback = "websocket",
     .choices = transports,
     .help = "websocket = one connection for each call, which tells when each word is heard; http "
             "= a request for each answer."},
    {.name = "stability",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .min = 0,
     .max = 1,
     .help = "How much alike the voice speaks each time; without it the voice's own."},
    {.name = "similarity",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .min = 0,
     .max = 1,
     .help = "How close it stays to its original; without it the voice's own."},
    {.name = "style",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .min = 0,
     .max = 1,
     .help = "How much it exaggerates, which takes time; without it the voice's own."},
    {.name = "speed",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .min = 0.7,
     .max = 1.2,
     .help = "How fast it speaks; without it the voice's own pace."},
    {.name = "normalization",
     .type = AIC_OPTION_ENUM,
     .fallback = "auto",
     .choices = normalizations,
     .help = "Whether numbers and dates are written out before they are spoken."},
    {.name = "logging",
     .type = AIC_OPTION_BOOL,
     .fallback = "true",
     .help = "false = ElevenLabs keeps nothing of texts and sound; for enterprise plans only."},
    {.name = "timeout",
     .type = AIC_OPTION_DURATION,
     .flags = AIC_OPTION_RANGE,
     .fallback = "3s",
     .min = 100,
     .max = 60000,
     .help = "How long a connection, or the first sound, may take."},
    {.name = "extra",
     .type = AIC_OPTION_JSON,
     .help = "Further members of each request, such as { seed = 7; }."},
};

static const char *const roles[] = {AIC_TTS};

AIC_PLUGIN(elevenlabs)
{
    static const struct aic_plugin plugin = {
        .size = sizeof(plugin),
        .abi_major = AIC_ABI_MAJOR,
        .abi_minor = AIC_ABI_MINOR,
        .id = "elevenlabs",
        .version = "0.1.0",
        .summary = "ElevenLabs: voices over a socket with several contexts, or over requests.",
        .license = "ISC",
        .provides = roles,
        .provides_count = sizeof(roles) / sizeof(roles[0]),
        .option_count = sizeof(options) / sizeof(options[0]),
        .option_size = sizeof(struct aic_option),
        .options = options,
        .create = eleven_provider_create,
        .get_interface = get_interface,
        .destroy = eleven_provider_destroy,
    };
    return &plugin;
}
