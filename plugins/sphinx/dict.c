/* SPDX-License-Identifier: ISC */
#include "dict.h"

#include "g2p.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

/* One line of a dictionary. */
struct entry {
    struct aic_str line;
    struct aic_str word; /* without the "(2)" of a further pronunciation */
    struct aic_str sounds;
};

struct build {
    const struct sphinx_lm *lm;
    uint8_t *has_entry; /* by word: 1 own, 2 packaged */
    struct aic_buf *entries;
};

/* Takes the next line off *rest; false at the end. */
static bool next_entry(struct aic_str *rest, struct entry *entry)
{
    if (rest->len == 0) {
        return false;
    }
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t length = end ? (size_t)(end - rest->ptr) : rest->len;
    entry->line = (struct aic_str){rest->ptr, length};
    rest->ptr += length + (end != NULL);
    rest->len -= length + (end != NULL);
    if (length > 0 && entry->line.ptr[length - 1] == '\r') {
        entry->line.len--;
    }
    struct aic_str left = entry->line;
    const char *space = memchr(left.ptr, ' ', left.len);
    size_t word = space ? (size_t)(space - left.ptr) : left.len;
    entry->sounds = (struct aic_str){left.ptr + word, left.len - word};
    const char *bracket = word > 1 ? memchr(left.ptr + 1, '(', word - 1) : NULL;
    entry->word = (struct aic_str){left.ptr, bracket ? (size_t)(bracket - left.ptr) : word};
    return true;
}

static bool is_blank(const struct entry *entry)
{
    return entry->line.len == 0 || entry->line.ptr[0] == '#';
}

uint32_t sphinx_dict_check(struct aic_str entries)
{
    struct entry entry;
    for (uint32_t line = 1; next_entry(&entries, &entry); line++) {
        if (!is_blank(&entry) && (entry.word.len == 0 || !sphinx_g2p_valid(entry.sounds))) {
            return line;
        }
    }
    return 0;
}

/* Copies the entries of wanted words; `source` is noted in has_entry. */
static void copy_entries(struct build *b, struct aic_str from, uint8_t source)
{
    struct entry entry;
    while (next_entry(&from, &entry)) {
        uint32_t number = 0;
        if (is_blank(&entry) || !sphinx_lm_find(b->lm, entry.word, &number) ||
            (b->has_entry[number] != 0 && b->has_entry[number] != source)) {
            continue;
        }
        b->has_entry[number] = source;
        aic_buf_str(b->entries, entry.line);
        aic_buf_char(b->entries, '\n');
    }
}

static void answer(struct build *b, const struct sphinx_g2p *g2p, const uint32_t *asked,
                   uint32_t count, uint32_t too_many, struct aic_buf *guessed)
{
    if (too_many > 0) {
        aic_buf_printf(guessed, "%u words too many are left out", too_many);
    }
    struct aic_buf sounds;
    aic_buf_init(&sounds, 512);
    for (uint32_t i = 0; i < count; i++) {
        struct aic_str word = sphinx_lm_word(b->lm, asked[i]);
        aic_buf_clear(&sounds);
        bool is_known = sphinx_g2p_answer(g2p, i, &sounds) == AIC_OK;
        if (is_known) {
            aic_buf_printf(b->entries, "%.*s %s\n", (int)word.len, word.ptr, sounds.data);
        }
        aic_buf_printf(guessed, "%s%.*s %s", guessed->len > 0 ? ", " : "", (int)word.len, word.ptr,
                       is_known ? sounds.data : "left out");
    }
    aic_buf_finish(&sounds);
}

/* Finds the words without an entry and guesses how they are said. */
static int32_t guess(struct build *b, struct aic_str patterns, struct aic_buf *guessed)
{
    uint32_t words = sphinx_lm_word_count(b->lm);
    uint32_t *asked = calloc((size_t)words + 1, sizeof(*asked));
    struct sphinx_g2p *g2p = sphinx_g2p_create();
    int32_t status = asked && g2p ? AIC_OK : AIC_ERROR_MEMORY;
    uint32_t count = 0;
    uint32_t too_many = 0;
    for (uint32_t i = 0; i < words && status == AIC_OK; i++) {
        if (b->has_entry[i]) {
            continue;
        }
        if (count == SPHINX_G2P_MAX_WORDS) {
            too_many++;
            continue;
        }
        asked[count++] = i;
        status = sphinx_g2p_ask(g2p, sphinx_lm_word(b->lm, i));
    }
    if (status == AIC_OK && count > 0) {
        struct entry entry;
        while (next_entry(&patterns, &entry)) {
            sphinx_g2p_learn(g2p, entry.word, entry.sounds);
        }
        answer(b, g2p, asked, count, too_many, guessed);
    }
    sphinx_g2p_destroy(g2p);
    free(asked);
    return status;
}

int32_t sphinx_dict_build(const struct sphinx_dict_sources *sources, const struct sphinx_lm *lm,
                          struct aic_buf *entries, struct aic_buf *guessed)
{
    struct build b = {.lm = lm, .entries = entries};
    uint32_t words = sphinx_lm_word_count(lm);
    b.has_entry = calloc((size_t)words + 1, sizeof(*b.has_entry));
    if (!b.has_entry) {
        return AIC_ERROR_MEMORY;
    }
    copy_entries(&b, sources->own, 1);
    copy_entries(&b, sources->packaged, 2);
    int32_t status = guess(&b, sources->packaged, guessed);
    free(b.has_entry);
    return status < 0 || !entries->failed ? status : AIC_ERROR_TOO_LARGE;
}
