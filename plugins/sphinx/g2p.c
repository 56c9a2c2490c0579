/* SPDX-License-Identifier: ISC */
#include "g2p.h"

#include "text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LONGEST = 24, /* letters or sounds of a word */
    LETTERS = 27, /* a to z, and the edge of a word */
    EDGE = 26,
    NO_SOUND = 0,
    REACH = 4,       /* letters to either side that are compared */
    CANDIDATES = 16, /* ways to say one letter */
};

/* No place. */
static const uint32_t NONE = UINT32_MAX;

static const char *const sound_names[] = {
    "",  "AA", "AE", "AH", "AO", "AW", "AY", "B", "CH", "D", "DH", "EH", "ER", "EY",
    "F", "G",  "HH", "IH", "IY", "JH", "K",  "L", "M",  "N", "NG", "OW", "OY", "P",
    "R", "S",  "SH", "T",  "TH", "UH", "UW", "V", "W",  "Y", "Z",  "ZH"};

enum { SOUNDS = sizeof(sound_names) / sizeof(sound_names[0]) };

/* What a letter may stand for, the commonest first. This only aligns letters with sounds; what is
 * said where comes from the dictionary. */
static const char *const usual[] = {"AE AA AH AO AW AY EH EY IH ER",
                                    "B",
                                    "K S CH SH",
                                    "D JH T",
                                    "EH IY IH AH EY ER AY UW Y",
                                    "F V",
                                    "G JH ZH F K NG",
                                    "HH",
                                    "IH AY IY AH Y ER EH",
                                    "JH Y HH ZH",
                                    "K",
                                    "L",
                                    "M",
                                    "N NG",
                                    "AA OW AO AH UW UH AW OY ER W",
                                    "P F",
                                    "K",
                                    "R ER",
                                    "S Z SH ZH",
                                    "T CH SH TH DH D",
                                    "AH UW UH Y W IH ER",
                                    "V F",
                                    "W V UW AW",
                                    "K G Z",
                                    "Y IY AY IH",
                                    "Z S T ZH"};

/* A letter is silent, one sound, or two. */
struct sounds {
    uint8_t first;
    uint8_t second;
};

struct candidate {
    struct sounds sounds;
    float weight;
};

/* One letter of an asked word. */
struct place {
    uint32_t word;
    uint32_t at;
    uint32_t next; /* place with the same letter and neighbours, or NONE */
    struct candidate candidates[CANDIDATES];
};

struct word {
    uint8_t letters[LONGEST + 2]; /* an edge at both ends */
    uint32_t length;              /* without the edges */
    uint32_t place;               /* of its first letter */
};

struct sphinx_g2p {
    float cost[LETTERS][SOUNDS]; /* of a letter standing for a sound */
    struct word *words;
    uint32_t count;
    struct place *places;
    uint32_t place_count;
    uint32_t first[LETTERS * LETTERS * LETTERS]; /* place by letter and neighbours */
};

static bool is_vowel_letter(uint8_t letter)
{
    return letter < EDGE && strchr("aeiouy", 'a' + letter) != NULL;
}

static uint8_t sound_number(struct aic_str name)
{
    for (int i = 1; i < SOUNDS; i++) {
        if (aic_str_equal(name, sound_names[i])) {
            return (uint8_t)i;
        }
    }
    return NO_SOUND;
}

static bool is_vowel_sound(uint8_t sound)
{
    return strchr("AEIOU", sound_names[sound][0]) != NULL && sound != NO_SOUND;
}

bool sphinx_g2p_valid(struct aic_str sounds)
{
    struct aic_str name;
    uint32_t count = 0;
    while (sphinx_text_word(&sounds, &name)) {
        if (sound_number(name) == NO_SOUND) {
            return false;
        }
        count++;
    }
    return count > 0;
}

static void fill_costs(struct sphinx_g2p *g)
{
    for (int letter = 0; letter < EDGE; letter++) {
        bool is_vowel = is_vowel_letter((uint8_t)letter);
        for (int sound = 1; sound < SOUNDS; sound++) {
            g->cost[letter][sound] = is_vowel == is_vowel_sound((uint8_t)sound) ? 1.5f : 3.0f;
        }
        struct aic_str rest = aic_str(usual[letter]);
        struct aic_str name;
        while (sphinx_text_word(&rest, &name)) {
            g->cost[letter][sound_number(name)] = 0;
        }
    }
}

struct sphinx_g2p *sphinx_g2p_create(void)
{
    struct sphinx_g2p *g = calloc(1, sizeof(*g));
    if (!g) {
        return NULL;
    }
    g->words = calloc(SPHINX_G2P_MAX_WORDS, sizeof(*g->words));
    if (!g->words) {
        free(g);
        return NULL;
    }
    fill_costs(g);
    memset(g->first, 0xFF, sizeof(g->first));
    return g;
}

void sphinx_g2p_destroy(struct sphinx_g2p *g)
{
    if (!g) {
        return;
    }
    free(g->words);
    free(g->places);
    free(g);
}

/* Letters with an edge on both sides; false for what is too long or has other characters. */
static bool read_letters(struct aic_str text, struct word *word)
{
    word->length = 0;
    word->letters[0] = EDGE;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        if (c == '\'') {
            continue;
        }
        if (c < 'a' || c > 'z' || word->length == LONGEST) {
            return false;
        }
        word->letters[++word->length] = (uint8_t)(c - 'a');
    }
    word->letters[word->length + 1] = EDGE;
    return word->length > 0;
}

static uint32_t neighbourhood(const uint8_t *letter)
{
    return ((uint32_t)letter[-1] * LETTERS + letter[0]) * LETTERS + letter[1];
}

int32_t sphinx_g2p_ask(struct sphinx_g2p *g, struct aic_str text)
{
    if (g->count == SPHINX_G2P_MAX_WORDS) {
        return AIC_ERROR_TOO_LARGE;
    }
    struct word *word = &g->words[g->count];
    if (!read_letters(text, word)) {
        word->length = 0;
    }
    struct place *places =
        realloc(g->places, (g->place_count + word->length + 1) * sizeof(*places));
    if (!places) {
        return AIC_ERROR_MEMORY;
    }
    g->places = places;
    word->place = g->place_count;
    for (uint32_t i = 1; i <= word->length; i++) {
        uint32_t *first = &g->first[neighbourhood(&word->letters[i])];
        g->places[g->place_count] = (struct place){.word = g->count, .at = i, .next = *first};
        *first = g->place_count++;
    }
    g->count++;
    return AIC_OK;
}

/* The best way to share out the sounds of a word among its letters. */
struct alignment {
    float cost[LONGEST + 1][LONGEST + 1]; /* of the first letters and the first sounds */
    uint8_t taken[LONGEST + 1][LONGEST + 1];
};

/* What it costs that letter `i` (from 1) takes `count` sounds, the first of them `sounds[j]`. */
static float step_cost(const struct sphinx_g2p *g, const struct word *word, uint32_t i,
                       const uint8_t *sounds, uint32_t count)
{
    uint8_t letter = word->letters[i];
    if (count == 0) {
        return letter == word->letters[i - 1] ? 0.3f : 0.7f;
    }
    if (count == 1) {
        return g->cost[letter][sounds[0]];
    }
    bool is_usual = letter == 'x' - 'a' || letter == 'u' - 'a';
    return (is_usual ? 0.2f : 1.2f) + fminf(g->cost[letter][sounds[0]], 1.0f) +
           fminf(g->cost[letter][sounds[1]], 1.0f);
}

/* The cheapest way to give the first i letters the first j sounds. */
static void fill_cell(const struct sphinx_g2p *g, const struct word *word, const uint8_t *sounds,
                      struct alignment *a, uint32_t i, uint32_t j)
{
    a->cost[i][j] = i == 0 && j == 0 ? 0 : 1e9f;
    for (uint32_t take = 0; i > 0 && take <= 2 && take <= j; take++) {
        float cost = a->cost[i - 1][j - take] + step_cost(g, word, i, &sounds[j - take], take);
        if (cost < a->cost[i][j]) {
            a->cost[i][j] = cost;
            a->taken[i][j] = (uint8_t)take;
        }
    }
}

static bool align(const struct sphinx_g2p *g, const struct word *word, const uint8_t *sounds,
                  uint32_t count, struct sounds shares[LONGEST])
{
    struct alignment a;
    uint32_t n = word->length;
    for (uint32_t i = 0; i <= n; i++) {
        for (uint32_t j = 0; j <= count; j++) {
            fill_cell(g, word, sounds, &a, i, j);
        }
    }
    if (a.cost[n][count] > 2.0f * (float)n) {
        return false;
    }
    for (uint32_t i = n, j = count; i > 0; i--) {
        uint32_t take = a.taken[i][j];
        j -= take;
        shares[i - 1] =
            (struct sounds){take > 0 ? sounds[j] : NO_SOUND, take > 1 ? sounds[j + 1] : NO_SOUND};
    }
    return true;
}

/* How many letters around two places are the same, beyond the nearest. */
static uint32_t likeness(const struct word *a, uint32_t i, const struct word *b, uint32_t j)
{
    uint32_t same = 0;
    for (uint32_t k = 2; k <= REACH && i >= k && j >= k && a->letters[i - k] == b->letters[j - k];
         k++) {
        same++;
    }
    for (uint32_t k = 2; k <= REACH && i + k <= a->length + 1 && j + k <= b->length + 1 &&
                         a->letters[i + k] == b->letters[j + k];
         k++) {
        same++;
    }
    return same;
}

static void vote(struct place *place, struct sounds sounds, float weight)
{
    for (uint32_t i = 0; i < CANDIDATES; i++) {
        struct candidate *c = &place->candidates[i];
        bool is_same = c->sounds.first == sounds.first && c->sounds.second == sounds.second;
        if (c->weight <= 0 || is_same) {
            c->sounds = sounds;
            c->weight += weight;
            return;
        }
    }
}

/* Whether any asked word has a letter between the same neighbours; aligning is dear. */
static bool is_of_use(const struct sphinx_g2p *g, const struct word *word)
{
    for (uint32_t i = 1; i <= word->length; i++) {
        if (g->first[neighbourhood(&word->letters[i])] != NONE) {
            return true;
        }
    }
    return false;
}

void sphinx_g2p_learn(struct sphinx_g2p *g, struct aic_str text, struct aic_str sounds)
{
    static const float weights[] = {1, 8, 64, 512, 4096, 32768, 262144};
    struct word word;
    uint8_t numbers[LONGEST];
    uint32_t count = 0;
    struct aic_str name;
    if (!read_letters(text, &word) || word.length < 2 || !is_of_use(g, &word)) {
        return;
    }
    while (sphinx_text_word(&sounds, &name)) {
        uint8_t number = sound_number(name);
        if (number == NO_SOUND || count == LONGEST) {
            return;
        }
        numbers[count++] = number;
    }
    struct sounds shares[LONGEST];
    if (count == 0 || !align(g, &word, numbers, count, shares)) {
        return;
    }
    for (uint32_t i = 1; i <= word.length; i++) {
        for (uint32_t p = g->first[neighbourhood(&word.letters[i])]; p != NONE;
             p = g->places[p].next) {
            uint32_t same = likeness(&g->words[g->places[p].word], g->places[p].at, &word, i);
            vote(&g->places[p], shares[i - 1], weights[same]);
        }
    }
}

static void say(struct aic_buf *to, const char *sound)
{
    if (to->len > 0 && to->data[to->len - 1] != ' ') {
        aic_buf_char(to, ' ');
    }
    aic_buf_text(to, sound);
}

static int32_t spell(const struct word *word, struct aic_buf *to)
{
    static const char *const names[] = {"EY",
                                        "B IY",
                                        "S IY",
                                        "D IY",
                                        "IY",
                                        "EH F",
                                        "JH IY",
                                        "EY CH",
                                        "AY",
                                        "JH EY",
                                        "K EY",
                                        "EH L",
                                        "EH M",
                                        "EH N",
                                        "OW",
                                        "P IY",
                                        "K Y UW",
                                        "AA R",
                                        "EH S",
                                        "T IY",
                                        "Y UW",
                                        "V IY",
                                        "D AH B AH L Y UW",
                                        "EH K S",
                                        "W AY",
                                        "Z IY"};
    for (uint32_t i = 1; i <= word->length; i++) {
        say(to, names[word->letters[i]]);
    }
    return to->failed ? AIC_ERROR_MEMORY : AIC_OK;
}

static bool has_vowel(const struct word *word)
{
    for (uint32_t i = 1; i <= word->length; i++) {
        if (is_vowel_letter(word->letters[i])) {
            return true;
        }
    }
    return false;
}

/* What most votes are for; where there is none, what the letter commonly stands for. */
static struct sounds best_of(const struct place *place, uint8_t letter)
{
    const struct candidate *best = &place->candidates[0];
    for (uint32_t i = 1; i < CANDIDATES; i++) {
        if (place->candidates[i].weight > best->weight) {
            best = &place->candidates[i];
        }
    }
    if (best->weight > 0) {
        return best->sounds;
    }
    struct aic_str rest = aic_str(usual[letter]);
    struct aic_str name = {NULL, 0};
    (void)sphinx_text_word(&rest, &name);
    return (struct sounds){sound_number(name), NO_SOUND};
}

int32_t sphinx_g2p_answer(const struct sphinx_g2p *g, uint32_t index, struct aic_buf *to)
{
    const struct word *word = &g->words[index];
    if (word->length == 0) {
        return AIC_ERROR_NOT_FOUND;
    }
    if (!has_vowel(word)) {
        return spell(word, to);
    }
    size_t before = to->len;
    for (uint32_t i = 0; i < word->length; i++) {
        struct sounds sounds = best_of(&g->places[word->place + i], word->letters[i + 1]);
        if (sounds.first != NO_SOUND) {
            say(to, sound_names[sounds.first]);
        }
        if (sounds.second != NO_SOUND) {
            say(to, sound_names[sounds.second]);
        }
    }
    return to->len > before ? AIC_OK : AIC_ERROR_NOT_FOUND;
}
