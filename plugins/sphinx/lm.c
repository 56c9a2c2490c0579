/* SPDX-License-Identifier: ISC */
#include "lm.h"

#include "text.h"
#include "vocabulary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BEGIN = 0, END = 1, ORDERS = 3 };

/* What is heard in order; unused places behind the order are 0. */
struct gram {
    uint32_t word[ORDERS];
    float count;
    float probability;
    float backoff; /* what is left for words that were not seen after this */
};

struct grams {
    struct gram *at;
    size_t count;
    size_t capacity;
};

struct sphinx_lm {
    struct sphinx_vocabulary words;
    struct grams order[ORDERS];
};

struct sphinx_lm *sphinx_lm_create(void)
{
    struct sphinx_lm *lm = calloc(1, sizeof(*lm));
    if (!lm) {
        return NULL;
    }
    sphinx_vocabulary_init(&lm->words, SPHINX_LM_MAX_WORDS);
    uint32_t id = 0;
    if (sphinx_vocabulary_add(&lm->words, AIC_STR("<s>"), &id) < 0 ||
        sphinx_vocabulary_add(&lm->words, AIC_STR("</s>"), &id) < 0) {
        sphinx_lm_destroy(lm);
        return NULL;
    }
    return lm;
}

void sphinx_lm_destroy(struct sphinx_lm *lm)
{
    if (!lm) {
        return;
    }
    for (int i = 0; i < ORDERS; i++) {
        free(lm->order[i].at);
    }
    sphinx_vocabulary_finish(&lm->words);
    free(lm);
}

static int32_t reserve(struct grams *grams, size_t more)
{
    if (grams->count + more > SPHINX_LM_MAX_GRAMS) {
        return AIC_ERROR_TOO_LARGE;
    }
    if (grams->count + more > grams->capacity) {
        size_t capacity = grams->capacity * 2 + more + 64;
        struct gram *at = realloc(grams->at, capacity * sizeof(*at));
        if (!at) {
            return AIC_ERROR_MEMORY;
        }
        grams->at = at;
        grams->capacity = capacity;
    }
    return AIC_OK;
}

static void count_gram(struct sphinx_lm *lm, int order, const uint32_t *words, float weight)
{
    struct grams *grams = &lm->order[order - 1];
    struct gram *gram = &grams->at[grams->count++];
    *gram = (struct gram){.count = weight};
    memcpy(gram->word, words, (size_t)order * sizeof(*words));
}

int32_t sphinx_lm_add(struct sphinx_lm *lm, struct aic_str words, float weight)
{
    enum { LONGEST = 64 };

    uint32_t ids[LONGEST + 2] = {BEGIN};
    size_t count = 1;
    struct aic_str word;
    while (count <= LONGEST && sphinx_text_word(&words, &word)) {
        int32_t status = sphinx_vocabulary_add(&lm->words, word, &ids[count++]);
        if (status < 0) {
            return status;
        }
    }
    if (count == 1) {
        return AIC_OK;
    }
    ids[count++] = END;
    for (int order = 0; order < ORDERS; order++) {
        int32_t status = reserve(&lm->order[order], count);
        if (status < 0) {
            return status;
        }
    }
    for (size_t i = 1; i < count; i++) {
        for (int order = 1; order <= ORDERS && (size_t)order <= i + 1; order++) {
            if (order > 1 || ids[i] != BEGIN) {
                count_gram(lm, order, &ids[i + 1 - (size_t)order], weight);
            }
        }
    }
    return AIC_OK;
}

uint32_t sphinx_lm_word_count(const struct sphinx_lm *lm)
{
    return lm->words.count - 2;
}

struct aic_str sphinx_lm_word(const struct sphinx_lm *lm, uint32_t index)
{
    return sphinx_vocabulary_word(&lm->words, index + 2);
}

bool sphinx_lm_find(const struct sphinx_lm *lm, struct aic_str word, uint32_t *index)
{
    uint32_t number = 0;
    if (!sphinx_vocabulary_find(&lm->words, word, &number) || number < 2) {
        return false;
    }
    *index = number - 2;
    return true;
}

static int compare(const void *a, const void *b)
{
    const struct gram *x = a;
    const struct gram *y = b;
    for (int i = 0; i < ORDERS; i++) {
        if (x->word[i] != y->word[i]) {
            return x->word[i] < y->word[i] ? -1 : 1;
        }
    }
    return 0;
}

/* Sorts, and joins what occurred several times. */
static void merge(struct grams *grams)
{
    if (grams->count == 0) {
        return;
    }
    qsort(grams->at, grams->count, sizeof(*grams->at), compare);
    size_t last = 0;
    for (size_t i = 1; i < grams->count; i++) {
        if (compare(&grams->at[last], &grams->at[i]) == 0) {
            grams->at[last].count += grams->at[i].count;
        } else {
            grams->at[++last] = grams->at[i];
        }
    }
    grams->count = last + 1;
}

static struct gram *find(const struct grams *grams, const uint32_t *words, int order)
{
    struct gram key = {.count = 0};
    memcpy(key.word, words, (size_t)order * sizeof(*words));
    return grams->count > 0 ? bsearch(&key, grams->at, grams->count, sizeof(*grams->at), compare)
                            : NULL;
}

/*
 * Witten-Bell: after a history that was heard c times and went on in t different ways, a share of
 * t / (c + t) is kept for what was not heard. A rare source adds less than a whole way.
 */
static void estimate_group(struct gram *group, size_t count, const struct grams *shorter,
                           struct gram *history, int order)
{
    double heard = 0;
    double ways = 0;
    for (size_t i = 0; i < count; i++) {
        heard += (double)group[i].count;
        ways += fmin(1.0, (double)group[i].count);
    }
    for (size_t i = 0; i < count; i++) {
        const struct gram *tail = find(shorter, group[i].word + 1, order - 1);
        double below = tail ? (double)tail->probability : 0;
        group[i].probability = (float)(((double)group[i].count + ways * below) / (heard + ways));
    }
    if (history) {
        history->backoff = (float)(ways / (heard + ways));
    }
}

static void estimate(struct sphinx_lm *lm, int order)
{
    struct grams *grams = &lm->order[order - 1];
    struct grams *shorter = &lm->order[order - 2];
    size_t begin = 0;
    while (begin < grams->count) {
        size_t end = begin + 1;
        while (end < grams->count && memcmp(grams->at[begin].word, grams->at[end].word,
                                            (size_t)(order - 1) * sizeof(uint32_t)) == 0) {
            end++;
        }
        estimate_group(&grams->at[begin], end - begin, shorter,
                       find(shorter, grams->at[begin].word, order - 1), order);
        begin = end;
    }
}

static void estimate_words(struct sphinx_lm *lm)
{
    struct grams *grams = &lm->order[0];
    double heard = 0;
    double ways = 0;
    for (size_t i = 0; i < grams->count; i++) {
        heard += (double)grams->at[i].count;
        ways += fmin(1.0, (double)grams->at[i].count);
    }
    for (size_t i = 0; i < grams->count; i++) {
        grams->at[i].probability =
            (float)(((double)grams->at[i].count + ways / (double)grams->count) / (heard + ways));
    }
}

static double logarithm(float value)
{
    return value > 0 ? log10((double)value) : -99.0;
}

static void write_order(const struct sphinx_lm *lm, int order, struct aic_buf *arpa)
{
    const struct grams *grams = &lm->order[order - 1];
    aic_buf_printf(arpa, "\n\\%d-grams:\n", order);
    for (size_t i = 0; i < grams->count; i++) {
        const struct gram *gram = &grams->at[i];
        aic_buf_printf(arpa, "%.4f", logarithm(gram->probability));
        for (int k = 0; k < order; k++) {
            struct aic_str word = sphinx_vocabulary_word(&lm->words, gram->word[k]);
            aic_buf_char(arpa, ' ');
            aic_buf_str(arpa, word);
        }
        if (order < ORDERS) {
            aic_buf_printf(arpa, " %.4f", gram->backoff > 0 ? logarithm(gram->backoff) : 0.0);
        }
        aic_buf_char(arpa, '\n');
    }
}

int32_t sphinx_lm_write(struct sphinx_lm *lm, struct aic_buf *arpa)
{
    if (lm->order[0].count == 0) {
        return AIC_ERROR_INVALID;
    }
    for (int i = 0; i < ORDERS; i++) {
        merge(&lm->order[i]);
    }
    estimate_words(lm);
    /* The beginning is never heard itself; it only carries its back-off. */
    struct grams *words = &lm->order[0];
    if (words->at[0].word[0] != BEGIN) {
        int32_t status = reserve(words, 1);
        if (status < 0) {
            return status;
        }
        memmove(words->at + 1, words->at, words->count * sizeof(*words->at));
        words->at[0] = (struct gram){.word = {BEGIN}};
        words->count++;
    }
    estimate(lm, 2);
    estimate(lm, 3);
    aic_buf_text(arpa, "\\data\\\n");
    for (int i = 0; i < ORDERS; i++) {
        aic_buf_printf(arpa, "ngram %d=%zu\n", i + 1, lm->order[i].count);
    }
    for (int order = 1; order <= ORDERS; order++) {
        write_order(lm, order, arpa);
    }
    aic_buf_text(arpa, "\n\\end\\\n");
    return arpa->failed ? AIC_ERROR_TOO_LARGE : AIC_OK;
}
