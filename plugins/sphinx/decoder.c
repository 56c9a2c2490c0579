/* SPDX-License-Identifier: ISC */
#include "decoder.h"

#include "frontend.h"

#include <pocketsphinx.h>
#include <sphinxbase/cmn.h>
#include <sphinxbase/err.h>
#include <sphinxbase/feat.h>
#include <stdlib.h>
#include <string.h>

enum {
    CEPSTRA = 13,
    PRIOR_FRAMES = 150,       /* so many frames of 10 ms the prior counts against what is heard */
    SEGMENT_SAMPLES = 320000, /* 20 s; longer utterances are decoded in pieces */
    MAX_WORDS_BYTES = 16384,
};

/*
 * The cepstral means of telephone and of wide-band speech behind frontend.c, for the packaged model
 * (README.md tells how they were measured). Without them the first words of a call are garbage: the
 * model's own mean knows nothing of telephones, and has no fixed loudness.
 */
static const float telephone_mean[CEPSTRA] = {59.6f,  -1.3f, -4.8f, 4.5f,   0.5f, -14.6f, 8.2f,
                                              -14.7f, -4.0f, 3.4f,  -11.4f, 6.0f, -4.9f};
static const float wide_mean[CEPSTRA] = {54.0f, -4.2f, 1.2f,  7.5f,  1.0f,  -2.7f, -0.3f,
                                         -3.5f, -4.0f, -1.3f, -2.5f, -0.6f, 0.8f};

struct sphinx_decoder {
    ps_decoder_t *ps;
    struct sphinx_frontend *frontend;
    ps_decoder_t *next; /* to be used behind the end of the utterance, or NULL */
    struct aic_format format;
    bool is_open;         /* within an utterance */
    size_t samples;       /* of the piece that is being decoded */
    mfcc_t mean[CEPSTRA]; /* of the line, before the utterance */
    struct aic_buf words; /* of the pieces before; of all of them when the utterance is over */
    struct aic_buf shown; /* with the piece that is being decoded */
};

void sphinx_decoder_quiet(void)
{
    err_set_callback(NULL, NULL);
    err_set_logfp(NULL);
}

static ps_decoder_t *load(const struct sphinx_model *model)
{
    const struct sphinx_settings *settings = model->settings;
    char weight[32];
    char penalty[32];
    const char *second_pass = settings->has_second_pass ? "yes" : "no";
    (void)snprintf(weight, sizeof(weight), "%g", settings->language_weight);
    (void)snprintf(penalty, sizeof(penalty), "%g", settings->insertion_penalty);
    cmd_ln_t *config =
        cmd_ln_init(NULL, ps_args(), TRUE, "-hmm", settings->model_dir, "-lm",
                    model->is_general ? settings->general_lm_file : model->lm_path, "-dict",
                    model->is_general ? settings->dictionary : model->dict_path, "-lw", weight,
                    "-wip", penalty, "-fwdflat", second_pass, "-bestpath", second_pass, NULL);
    if (!config) {
        return NULL;
    }
    ps_decoder_t *ps = ps_init(config);
    cmd_ln_free_r(config);
    return ps;
}

/* Lets the line begin with a mean that counts as PRIOR_FRAMES of it. */
static void set_mean(ps_decoder_t *ps, const mfcc_t mean[CEPSTRA])
{
    cmn_t *cmn = ps_get_feat(ps)->cmn_struct;
    if (!cmn || cmn->veclen != CEPSTRA) {
        return;
    }
    for (int i = 0; i < CEPSTRA; i++) {
        cmn->cmn_mean[i] = mean[i];
        cmn->sum[i] = mean[i] * PRIOR_FRAMES;
    }
    cmn->nframe = PRIOR_FRAMES;
}

int32_t sphinx_decoder_create(struct sphinx_model *model, struct aic_format format,
                              struct sphinx_decoder **decoder)
{
    int32_t status = sphinx_model_make(model);
    if (status < 0) {
        return status;
    }
    struct sphinx_decoder *d = calloc(1, sizeof(*d));
    if (!d) {
        return AIC_ERROR_MEMORY;
    }
    aic_buf_init(&d->words, MAX_WORDS_BYTES);
    aic_buf_init(&d->shown, MAX_WORDS_BYTES);
    d->frontend = sphinx_frontend_create(format);
    d->ps = d->frontend ? load(model) : NULL;
    if (!d->ps) {
        status = d->frontend ? AIC_ERROR_IO : AIC_ERROR_MEMORY;
        sphinx_decoder_destroy(d);
        return status;
    }
    if (model->settings->has_english_model) {
        set_mean(d->ps, format.rate_hz == 8000 ? telephone_mean : wide_mean);
    }
    *decoder = d;
    return AIC_OK;
}

void sphinx_decoder_destroy(struct sphinx_decoder *d)
{
    if (!d) {
        return;
    }
    if (d->ps) {
        (void)ps_free(d->ps);
    }
    if (d->next) {
        (void)ps_free(d->next);
    }
    sphinx_frontend_destroy(d->frontend);
    aic_buf_finish(&d->words);
    aic_buf_finish(&d->shown);
    free(d);
}

/* What was learned about the line; false for a model of another kind. */
static bool get_mean(ps_decoder_t *ps, mfcc_t mean[CEPSTRA])
{
    const cmn_t *cmn = ps_get_feat(ps)->cmn_struct;
    if (!cmn || cmn->veclen != CEPSTRA) {
        return false;
    }
    memcpy(mean, cmn->cmn_mean, CEPSTRA * sizeof(*mean));
    return true;
}

/* What was learned moves on with the call. */
static void take_next(struct sphinx_decoder *d)
{
    mfcc_t mean[CEPSTRA];
    if (get_mean(d->ps, mean)) {
        set_mean(d->next, mean);
    }
    (void)ps_free(d->ps);
    d->ps = d->next;
    d->next = NULL;
}

int32_t sphinx_decoder_change(struct sphinx_decoder *d, struct sphinx_model *model)
{
    int32_t status = sphinx_model_make(model);
    if (status < 0) {
        return status;
    }
    ps_decoder_t *next = load(model);
    if (!next) {
        return AIC_ERROR_IO;
    }
    if (d->next) {
        (void)ps_free(d->next);
    }
    d->next = next;
    if (!d->is_open) {
        take_next(d);
    }
    return AIC_OK;
}

int32_t sphinx_decoder_begin(struct sphinx_decoder *d)
{
    sphinx_frontend_begin(d->frontend);
    aic_buf_clear(&d->words);
    d->samples = 0;
    (void)get_mean(d->ps, d->mean);
    if (ps_start_utt(d->ps) < 0) {
        return AIC_ERROR_INTERNAL;
    }
    d->is_open = true;
    return AIC_OK;
}

static void add_heard(struct sphinx_decoder *d, struct aic_buf *to)
{
    int32 score = 0;
    const char *heard = ps_get_hyp(d->ps, &score);
    if (!heard || !*heard) {
        return;
    }
    if (to->len > 0) {
        aic_buf_char(to, ' ');
    }
    aic_buf_text(to, heard);
}

/* Search effort at the end and memory grow with the length, so long utterances are cut. */
static int32_t next_piece(struct sphinx_decoder *d)
{
    if (ps_end_utt(d->ps) < 0) {
        return AIC_ERROR_INTERNAL;
    }
    add_heard(d, &d->words);
    d->samples = 0;
    return ps_start_utt(d->ps) < 0 ? AIC_ERROR_INTERNAL : AIC_OK;
}

static int32_t decode(void *data, const int16_t *samples, size_t count)
{
    struct sphinx_decoder *d = data;
    if (d->samples >= SEGMENT_SAMPLES && next_piece(d) < 0) {
        return AIC_ERROR_INTERNAL;
    }
    d->samples += count;
    return ps_process_raw(d->ps, samples, count, FALSE, FALSE) < 0 ? AIC_ERROR_INTERNAL : AIC_OK;
}

int32_t sphinx_decoder_push(struct sphinx_decoder *d, const uint8_t *sound, size_t bytes)
{
    return d->is_open ? sphinx_frontend_push(d->frontend, sound, bytes, decode, d) : AIC_OK;
}

struct aic_str sphinx_decoder_words(struct sphinx_decoder *d)
{
    if (!d->is_open) {
        return aic_buf_view(&d->words);
    }
    aic_buf_clear(&d->shown);
    aic_buf_str(&d->shown, aic_buf_view(&d->words));
    add_heard(d, &d->shown);
    return aic_buf_view(&d->shown);
}

/* Only speech tells how speech sounds on this line: what was a cough or noise is forgotten. */
static void learn(struct sphinx_decoder *d)
{
    if (d->words.len > 0) {
        sphinx_frontend_learn(d->frontend);
    } else {
        set_mean(d->ps, d->mean);
    }
}

int32_t sphinx_decoder_end(struct sphinx_decoder *d)
{
    if (!d->is_open) {
        return AIC_OK;
    }
    int32_t status = sphinx_frontend_end(d->frontend, decode, d);
    d->is_open = false;
    if (ps_end_utt(d->ps) < 0) {
        status = AIC_ERROR_INTERNAL;
    } else {
        add_heard(d, &d->words);
    }
    learn(d);
    if (d->next) {
        take_next(d);
    }
    return status;
}
