/* SPDX-License-Identifier: ISC */
#include "settings.h"

#include "dict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODEL_ROOT        "/usr/share/pocketsphinx/model/en-us/"
#define DEFAULT_MODEL_DIR MODEL_ROOT "en-us"

enum { MAX_FILE_BYTES = 1 << 20, MAX_LOG_BYTES = 4096 };

static const char *const general_choices[] = {"never", "without_hints", "always", NULL};

const struct aic_option sphinx_options[SPHINX_OPTION_COUNT] = {
    {.name = "phrases",
     .type = AIC_OPTION_LIST,
     .help = "What callers are expected to say, in addition to the hints of agent and script."},
    {.name = "phrases_file",
     .type = AIC_OPTION_PATH,
     .help = "The same in a text file, a phrase per line."},
    {.name = "pronunciations",
     .type = AIC_OPTION_PATH,
     .help = "Own dictionary entries, a line each such as \"kowalski K AH V AA L S K IY\"."},
    {.name = "general_lm",
     .type = AIC_OPTION_ENUM,
     .fallback = "never",
     .choices = general_choices,
     .help = "When to use the packaged model of free speech (100 MB per call, many errors) instead "
             "of phrases."},
    {.name = "language_weight",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "6.5",
     .min = 1,
     .max = 20,
     .help = "How much the phrases count against the sound."},
    {.name = "word_insertion_penalty",
     .type = AIC_OPTION_FLOAT,
     .flags = AIC_OPTION_RANGE,
     .fallback = "0.65",
     .min = 0.001,
     .max = 10,
     .help = "Below 1 the recogniser hears fewer words, above more."},
    {.name = "second_pass",
     .type = AIC_OPTION_BOOL,
     .fallback = "true",
     .help = "Searches an utterance once more at its end: fewer errors on noisy lines for a third "
             "more CPU time and 50 ms."},
    {.name = "model_dir",
     .type = AIC_OPTION_PATH,
     .fallback = DEFAULT_MODEL_DIR,
     .help = "Folder of the acoustic model, for 16 kHz audio."},
    {.name = "dictionary",
     .type = AIC_OPTION_PATH,
     .fallback = MODEL_ROOT "cmudict-en-us.dict",
     .help = "Pronouncing dictionary of the language."},
    {.name = "general_lm_file",
     .type = AIC_OPTION_PATH,
     .fallback = MODEL_ROOT "en-us.lm.bin",
     .help = "The model of free speech."},
};

void sphinx_log(const struct aic_host *host, uint32_t level, const char *format, ...)
{
    const struct aic_log_service *log = host->get_service(host, AIC_SERVICE_LOG);
    struct aic_buf line;
    va_list args;
    aic_buf_init(&line, MAX_LOG_BYTES);
    va_start(args, format);
    (void)aic_buf_vprintf(&line, format, args);
    va_end(args);
    if (log && line.len > 0) {
        log->write(host, level, aic_buf_view(&line));
    }
    aic_buf_finish(&line);
}

static int32_t read_file(const struct aic_host *host, const char *option, const char *path,
                         struct aic_buf *to)
{
    FILE *file = fopen(path, "re");
    if (!file) {
        sphinx_log(host, AIC_LOG_ERROR, "%s: can not open \"%s\": %s", option, path,
                   strerror(errno));
        return AIC_ERROR_CONFIG;
    }
    char block[4096];
    size_t bytes = 0;
    while (!to->failed && (bytes = fread(block, 1, sizeof(block), file)) > 0) {
        aic_buf_add(to, block, bytes);
    }
    bool has_error = ferror(file) != 0;
    (void)fclose(file);
    if (to->failed || has_error) {
        sphinx_log(host, AIC_LOG_ERROR, "%s: \"%s\" can not be read, or has more than 1 MB", option,
                   path);
        return AIC_ERROR_CONFIG;
    }
    return AIC_OK;
}

static int32_t read_phrases(const struct aic_host *host, const struct aic_config *config,
                            struct aic_buf *phrases)
{
    for (uint32_t i = 0; i < config->list_count(config, "phrases"); i++) {
        aic_buf_text(phrases, config->list_item(config, "phrases", i));
        aic_buf_char(phrases, '\n');
    }
    const char *path = config->get_string(config, "phrases_file");
    if (!path) {
        return phrases->failed ? AIC_ERROR_MEMORY : AIC_OK;
    }
    int32_t status = read_file(host, "phrases_file", path, phrases);
    aic_buf_char(phrases, '\n');
    return status;
}

static int32_t read_pronunciations(const struct aic_host *host, const struct aic_config *config,
                                   struct aic_buf *entries)
{
    const char *path = config->get_string(config, "pronunciations");
    int32_t status = path ? read_file(host, "pronunciations", path, entries) : AIC_OK;
    uint32_t line = status == AIC_OK ? sphinx_dict_check(aic_buf_view(entries)) : 0;
    if (line > 0) {
        sphinx_log(host, AIC_LOG_ERROR,
                   "pronunciations: \"%s\" line %u is no entry; write a word and its sounds, such "
                   "as \"hello HH AH L OW\"",
                   path, line);
        return AIC_ERROR_CONFIG;
    }
    return status;
}

/* The library ends the process on some kinds of broken models, so what can be seen is seen here. */
static int32_t check_files(const struct aic_host *host, const struct sphinx_settings *s)
{
    static const char *const parts[] = {"mdef", "means", "variances", "transition_matrices",
                                        "feat.params"};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        struct aic_buf path;
        aic_buf_init(&path, 8192);
        aic_buf_printf(&path, "%s/%s", s->model_dir, parts[i]);
        bool is_there = !path.failed && access(path.data, R_OK) == 0;
        aic_buf_finish(&path);
        if (!is_there) {
            sphinx_log(host, AIC_LOG_ERROR,
                       "model_dir: \"%s\" is no acoustic model, \"%s\" is missing in it; install "
                       "the package pocketsphinx-en-us or set model_dir",
                       s->model_dir, parts[i]);
            return AIC_ERROR_CONFIG;
        }
    }
    if (access(s->dictionary, R_OK) != 0) {
        sphinx_log(host, AIC_LOG_ERROR, "dictionary: can not read \"%s\": %s", s->dictionary,
                   strerror(errno));
        return AIC_ERROR_CONFIG;
    }
    if (s->general != SPHINX_GENERAL_NEVER && access(s->general_lm_file, R_OK) != 0) {
        sphinx_log(host, AIC_LOG_ERROR, "general_lm_file: can not read \"%s\": %s",
                   s->general_lm_file, strerror(errno));
        return AIC_ERROR_CONFIG;
    }
    return AIC_OK;
}

static int32_t read_settings(const struct aic_host *host, const struct aic_config *config,
                             struct sphinx_settings *s)
{
    s->model_dir = aic_str_dup(aic_str(config->get_string(config, "model_dir")));
    s->dictionary = aic_str_dup(aic_str(config->get_string(config, "dictionary")));
    s->general_lm_file = aic_str_dup(aic_str(config->get_string(config, "general_lm_file")));
    if (!s->model_dir || !s->dictionary || !s->general_lm_file) {
        return AIC_ERROR_MEMORY;
    }
    const char *general = config->get_string(config, "general_lm");
    while (strcmp(general, general_choices[s->general]) != 0) {
        s->general++;
    }
    s->language_weight = config->get_double(config, "language_weight");
    s->insertion_penalty = config->get_double(config, "word_insertion_penalty");
    s->has_second_pass = config->get_int(config, "second_pass") != 0;
    s->has_english_model = strcmp(s->model_dir, DEFAULT_MODEL_DIR) == 0;
    int32_t status = check_files(host, s);
    if (status == AIC_OK) {
        status = read_phrases(host, config, &s->phrases);
    }
    return status == AIC_OK ? read_pronunciations(host, config, &s->pronunciations) : status;
}

int32_t sphinx_settings_create(const struct aic_host *host, const struct aic_config *config,
                               struct sphinx_settings **settings)
{
    struct sphinx_settings *s = calloc(1, sizeof(*s));
    if (!s) {
        return AIC_ERROR_MEMORY;
    }
    s->references = 1;
    aic_buf_init(&s->phrases, MAX_FILE_BYTES * 2);
    aic_buf_init(&s->pronunciations, MAX_FILE_BYTES);
    int32_t status = read_settings(host, config, s);
    if (status < 0) {
        sphinx_settings_release(s);
        return status;
    }
    *settings = s;
    return AIC_OK;
}

struct sphinx_settings *sphinx_settings_retain(struct sphinx_settings *settings)
{
    settings->references++;
    return settings;
}

void sphinx_settings_release(struct sphinx_settings *settings)
{
    if (!settings || --settings->references > 0) {
        return;
    }
    free(settings->model_dir);
    free(settings->dictionary);
    free(settings->general_lm_file);
    aic_buf_finish(&settings->phrases);
    aic_buf_finish(&settings->pronunciations);
    free(settings);
}
