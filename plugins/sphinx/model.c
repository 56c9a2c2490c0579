/* SPDX-License-Identifier: ISC */
#include "model.h"

#include "book.h"
#include "dict.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_DICT_BYTES = 8 << 20, MAX_GUESSED_BYTES = 2048, MAX_PHRASE_BYTES = 4096 };

/* Where a call has phrases of its own, the built-in ones are heard this often beside them. */
static const float BACKGROUND = 0.03f;

struct sphinx_model *sphinx_model_create(struct sphinx_settings *settings, struct aic_str phrases,
                                         bool is_general)
{
    struct sphinx_model *model = calloc(1, sizeof(*model));
    if (!model) {
        return NULL;
    }
    model->references = 1;
    model->is_general = is_general;
    model->lm_file = -1;
    model->dict_file = -1;
    aic_buf_init(&model->phrases, phrases.len);
    aic_buf_init(&model->guessed, MAX_GUESSED_BYTES);
    if (aic_buf_str(&model->phrases, phrases) < 0 || pthread_mutex_init(&model->lock, NULL) != 0) {
        aic_buf_finish(&model->phrases);
        free(model);
        return NULL;
    }
    model->settings = sphinx_settings_retain(settings);
    return model;
}

struct sphinx_model *sphinx_model_retain(struct sphinx_model *model)
{
    model->references++;
    return model;
}

static void close_file(int file)
{
    if (file >= 0) {
        (void)close(file);
    }
}

void sphinx_model_release(struct sphinx_model *model)
{
    if (!model || --model->references > 0) {
        return;
    }
    close_file(model->lm_file);
    close_file(model->dict_file);
    aic_buf_finish(&model->phrases);
    aic_buf_finish(&model->guessed);
    (void)pthread_mutex_destroy(&model->lock);
    sphinx_settings_release(model->settings);
    free(model);
}

/* A file that exists in memory alone, since the library reads files only; -1 on failure. */
static int memory_file(const char *name, struct aic_str text, char path[32])
{
    int file = memfd_create(name, MFD_CLOEXEC);
    size_t written = 0;
    while (file >= 0 && written < text.len) {
        ssize_t bytes = write(file, text.ptr + written, text.len - written);
        if (bytes < 0 && errno != EINTR) {
            (void)close(file);
            return -1;
        }
        written += bytes > 0 ? (size_t)bytes : 0;
    }
    (void)snprintf(path, 32, "/proc/self/fd/%d", file);
    return file;
}

static int32_t add_lines(struct sphinx_lm *lm, struct aic_str lines)
{
    struct aic_buf words;
    int32_t status = AIC_OK;
    aic_buf_init(&words, MAX_PHRASE_BYTES);
    while (lines.len > 0 && status == AIC_OK) {
        const char *end = memchr(lines.ptr, '\n', lines.len);
        size_t length = end ? (size_t)(end - lines.ptr) : lines.len;
        aic_buf_clear(&words);
        sphinx_text_normalise((struct aic_str){lines.ptr, length}, &words);
        status = sphinx_lm_add(lm, aic_buf_view(&words), 1);
        lines.ptr += length + (end != NULL);
        lines.len -= length + (end != NULL);
    }
    aic_buf_finish(&words);
    return status;
}

struct background {
    struct sphinx_lm *lm;
    float weight;
};

static int32_t add_background(void *data, struct aic_str phrase, float weight)
{
    struct background *background = data;
    return sphinx_lm_add(background->lm, phrase, weight * background->weight);
}

/* Phrases beyond the maximum are left out; those of the call come first. */
static int32_t fill(struct sphinx_model *model, struct sphinx_lm *lm)
{
    int32_t status = add_lines(lm, aic_buf_view(&model->phrases));
    if (status == AIC_OK) {
        status = add_lines(lm, aic_buf_view(&model->settings->phrases));
    }
    if (status == AIC_OK && model->settings->has_english_model) {
        struct background background = {lm, sphinx_lm_word_count(lm) > 0 ? BACKGROUND : 1};
        status = sphinx_book_phrases(add_background, &background);
    }
    return status == AIC_ERROR_TOO_LARGE ? AIC_OK : status;
}

static int32_t make_dict(struct sphinx_model *model, const struct sphinx_lm *lm)
{
    int file = open(model->settings->dictionary, O_RDONLY | O_CLOEXEC);
    struct stat info;
    if (file < 0 || fstat(file, &info) < 0 || info.st_size <= 0) {
        close_file(file);
        return AIC_ERROR_IO;
    }
    void *text = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    (void)close(file);
    if (text == MAP_FAILED) {
        return AIC_ERROR_IO;
    }
    struct sphinx_dict_sources sources = {.own = aic_buf_view(&model->settings->pronunciations),
                                          .packaged = {text, (size_t)info.st_size}};
    struct aic_buf entries;
    aic_buf_init(&entries, MAX_DICT_BYTES);
    int32_t status = sphinx_dict_build(&sources, lm, &entries, &model->guessed);
    (void)munmap(text, (size_t)info.st_size);
    if (status == AIC_OK) {
        model->dict_file = memory_file("sphinx-dict", aic_buf_view(&entries), model->dict_path);
        status = model->dict_file < 0 ? AIC_ERROR_IO : AIC_OK;
    }
    aic_buf_finish(&entries);
    return status;
}

static int32_t make_from_phrases(struct sphinx_model *model)
{
    struct sphinx_lm *lm = sphinx_lm_create();
    if (!lm) {
        return AIC_ERROR_MEMORY;
    }
    struct aic_buf arpa;
    aic_buf_init(&arpa, SPHINX_LM_MAX_BYTES);
    int32_t status = fill(model, lm);
    if (status == AIC_OK) {
        status = sphinx_lm_write(lm, &arpa);
    }
    if (status == AIC_OK) {
        model->lm_file = memory_file("sphinx-lm", aic_buf_view(&arpa), model->lm_path);
        status = model->lm_file < 0 ? AIC_ERROR_IO : make_dict(model, lm);
    }
    model->words = sphinx_lm_word_count(lm);
    aic_buf_finish(&arpa);
    sphinx_lm_destroy(lm);
    return status;
}

int32_t sphinx_model_make(struct sphinx_model *model)
{
    (void)pthread_mutex_lock(&model->lock);
    if (!model->is_made) {
        model->status = model->is_general ? AIC_OK : make_from_phrases(model);
        model->is_made = true;
    }
    int32_t status = model->status;
    (void)pthread_mutex_unlock(&model->lock);
    return status;
}

static bool is_for(const struct sphinx_model *model, struct aic_str phrases, bool is_general)
{
    return model->is_general == is_general && model->phrases.len == phrases.len &&
           (phrases.len == 0 || memcmp(model->phrases.data, phrases.ptr, phrases.len) == 0);
}

struct sphinx_model *sphinx_models_get(struct sphinx_models *models,
                                       struct sphinx_settings *settings, struct aic_str phrases,
                                       bool is_general)
{
    int at = 0;
    while (at < SPHINX_MODELS_KEPT && models->recent[at] &&
           !is_for(models->recent[at], phrases, is_general)) {
        at++;
    }
    struct sphinx_model *model = at < SPHINX_MODELS_KEPT ? models->recent[at] : NULL;
    if (!model) {
        at = at < SPHINX_MODELS_KEPT ? at : SPHINX_MODELS_KEPT - 1;
        model = sphinx_model_create(settings, phrases, is_general);
        if (!model) {
            return NULL;
        }
        sphinx_model_release(models->recent[at]);
    }
    memmove(&models->recent[1], &models->recent[0], (size_t)at * sizeof(models->recent[0]));
    models->recent[0] = model;
    return sphinx_model_retain(model);
}

void sphinx_models_forget(struct sphinx_models *models, struct sphinx_model *model)
{
    for (int i = 0; i < SPHINX_MODELS_KEPT; i++) {
        if (models->recent[i] == model) {
            memmove(&models->recent[i], &models->recent[i + 1],
                    (size_t)(SPHINX_MODELS_KEPT - 1 - i) * sizeof(models->recent[0]));
            models->recent[SPHINX_MODELS_KEPT - 1] = NULL;
            sphinx_model_release(model);
            return;
        }
    }
}

void sphinx_models_finish(struct sphinx_models *models)
{
    for (int i = 0; i < SPHINX_MODELS_KEPT; i++) {
        sphinx_model_release(models->recent[i]);
        models->recent[i] = NULL;
    }
}
