/* SPDX-License-Identifier: ISC */
#ifndef SPHINX_MODEL_H
#define SPHINX_MODEL_H
/*
 * What a decoder loads: a language model and a dictionary, made from phrases. Calls that expect the
 * same phrases share one model. It is made by the first pool job that needs it, while others that
 * need it wait; from then on it does not change. Counted references, on the loop alone.
 */
#include "settings.h"

struct sphinx_model {
    uint32_t references; /* loop thread only */
    bool is_reported;    /* loop thread only: `guessed` was logged */
    bool is_general;     /* the packaged model of free speech */
    struct sphinx_settings *settings;
    struct aic_buf phrases; /* as given, a line each */
    pthread_mutex_t lock;   /* guards what follows until it is made */
    bool is_made;
    int32_t status; /* of the making */
    int lm_file;    /* memory files, -1 = none */
    int dict_file;
    char lm_path[32]; /* by which the library opens them */
    char dict_path[32];
    struct aic_buf guessed; /* words without an entry, see dict.h */
    uint32_t words;
};

/* For `phrases` (lines), or for free speech. Keeps a reference to `settings`. [call] */
struct sphinx_model *sphinx_model_create(struct sphinx_settings *settings, struct aic_str phrases,
                                         bool is_general);
struct sphinx_model *sphinx_model_retain(struct sphinx_model *model);
/* Accepts NULL. [call] */
void sphinx_model_release(struct sphinx_model *model);
/* Makes it, unless that is done. AIC_OK, or why it can not be made. [pool] */
int32_t sphinx_model_make(struct sphinx_model *model);

enum { SPHINX_MODELS_KEPT = 4 };

/* The models of a provider that were used last. Loop thread only. */
struct sphinx_models {
    struct sphinx_model *recent[SPHINX_MODELS_KEPT];
};

/* A reference to the model of these phrases, an old one where there is one; NULL out of memory. */
struct sphinx_model *sphinx_models_get(struct sphinx_models *models,
                                       struct sphinx_settings *settings, struct aic_str phrases,
                                       bool is_general);
/* The next call shall make it anew. */
void sphinx_models_forget(struct sphinx_models *models, struct sphinx_model *model);
void sphinx_models_finish(struct sphinx_models *models);

#endif
