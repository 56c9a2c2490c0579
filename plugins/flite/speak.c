/* SPDX-License-Identifier: ISC */
#include "speak.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_TOKENS = 200, /* of a sentence; flite takes time and memory with its length */
    BLOCKS_PER_SECOND = 25,
};

struct speaking {
    cst_voice *voice;
    const struct flt_manner *manner;
    const struct flt_listener *listener;
    struct flt_clean clean;
    uint32_t rate_hz;
    size_t at;         /* of the clean text: where the next word is looked for */
    int64_t made;      /* samples of the sentences before */
    int64_t made_here; /* samples of this sentence */
    bool has_words;    /* of this sentence, told */
    bool is_stopped;
};

/* The end of a word's last sound, in seconds since the sentence began; 0 where it has none. */
static double end_of(const cst_item *word)
{
    return word ? (double)flite_ffeature_float(word,
                                               "R:SylStructure.daughtern.daughtern.R:Segment.end")
                : 0;
}

static double start_of(const cst_item *word)
{
    return (double)flite_ffeature_float(word, "R:SylStructure.daughter1.daughter1.R:Segment.p.end");
}

/* Finds a token of flite's in the text, with its punctuation. */
static bool place_of(struct speaking *s, const cst_item *token, struct flt_word *word)
{
    static const char *const parts[] = {"prepunctuation", "name", "punc"};
    const char *text = s->clean.text + s->at;
    const char *name = item_feat_string(token, "name");
    const char *found = *name ? strstr(text, name) : NULL;
    if (!found) {
        return false;
    }
    size_t length[3];
    for (int i = 0; i < 3; i++) {
        length[i] =
            item_feat_present(token, parts[i]) ? strlen(item_feat_string(token, parts[i])) : 0;
    }
    size_t begin = s->at + (size_t)(found - text);
    size_t end = begin + length[1] + length[2];
    begin -= length[0] <= begin - s->at ? length[0] : 0;
    s->at = end <= s->clean.len ? end : s->clean.len;
    word->begin = s->clean.origin[begin];
    word->end = s->clean.origin[s->at];
    return true;
}

static bool tell_words(struct speaking *s, const cst_utterance *sentence)
{
    struct flt_word words[MAX_TOKENS + 1];
    size_t count = 0;
    int64_t before_us = s->made * 1000000 / s->rate_hz;
    const cst_item *token = relation_head(utt_relation(sentence, "Token"));
    for (; token && count <= MAX_TOKENS; token = item_next(token)) {
        const cst_item *first = item_daughter(token);
        const cst_item *last = item_last_daughter(token);
        struct flt_word *word = &words[count];
        if (!place_of(s, token, word) || end_of(last) <= 0) {
            continue;
        }
        int64_t start_us = (int64_t)(start_of(first) * 1e6);
        int64_t end_us = (int64_t)(end_of(last) * 1e6);
        word->start_us = before_us + start_us;
        word->duration_us = end_us > start_us ? end_us - start_us : 0;
        count++;
    }
    return count == 0 || s->listener->words(s->listener->data, words, count);
}

/* Called by flite while it makes a sentence's sound. */
static int take_sound(const cst_wave *wave, int start, int size, int last,
                      cst_audio_streaming_info *info)
{
    struct speaking *s = info->userdata;
    (void)last;
    if (!s->has_words) {
        s->has_words = true;
        s->is_stopped = !tell_words(s, info->utt);
    }
    if (!s->is_stopped && size > 0) {
        s->made_here += size;
        s->is_stopped = !s->listener->sound(s->listener->data, wave->samples + start, (size_t)size);
    }
    return s->is_stopped ? CST_AUDIO_STREAM_STOP : CST_AUDIO_STREAM_CONT;
}

/* Makes the sound of a sentence of tokens, and frees it. */
static int32_t speak_sentence(struct speaking *s, cst_utterance *sentence)
{
    cst_audio_streaming_info *info = new_audio_streaming_info();
    if (!info) {
        delete_utterance(sentence);
        return AIC_ERROR_MEMORY;
    }
    info->min_buffsize = (int)(s->rate_hz / BLOCKS_PER_SECOND);
    info->asc = take_sound;
    info->userdata = s;
    float stretch = flite_get_param_float(s->voice->features, "duration_stretch", 1.0f);
    utt_init(sentence, s->voice);
    flite_feat_set(sentence->features, "streaming_info", audio_streaming_info_val(info));
    flite_feat_set_float(sentence->features, "duration_stretch", stretch / s->manner->speed);
    flite_feat_set_float(sentence->features, "f0_shift", s->manner->pitch);
    s->has_words = false;
    s->made_here = 0;
    cst_utterance *spoken = utt_synth_tokens(sentence);
    s->made += s->made_here;
    delete_utterance(sentence);
    return spoken ? AIC_OK : AIC_ERROR_INTERNAL;
}

static void add_token(const cst_tokenstream *stream, const char *name, cst_relation *tokens)
{
    cst_item *token = relation_append(tokens, NULL);
    item_set_string(token, "name", name);
    item_set_string(token, "whitespace", stream->whitespace);
    item_set_string(token, "prepunctuation", stream->prepunctuation);
    item_set_string(token, "punc", stream->postpunctuation);
}

/* Whether a sentence ends before the token `name`. */
static bool is_end(const struct speaking *s, cst_tokenstream *stream, const char *name,
                   cst_relation *tokens, int count)
{
    const cst_val *rule = flite_get_param_val(s->voice->features, "utt_break", NULL);
    cst_breakfunc is_break = rule ? val_breakfunc(rule) : default_utt_break;
    return count >= MAX_TOKENS || is_break(stream, name, tokens);
}

/* The next token's name, or NULL at the end. */
static const char *next_token(cst_tokenstream *stream)
{
    while (!ts_eof(stream)) {
        const char *name = ts_get(stream);
        if (*name) {
            return name;
        }
    }
    return NULL;
}

static int32_t speak_stream(struct speaking *s, cst_tokenstream *stream)
{
    int32_t status = AIC_OK;
    const char *name = next_token(stream);
    while (name && status == AIC_OK && !s->is_stopped) {
        cst_utterance *sentence = new_utterance();
        cst_relation *tokens = utt_relation_create(sentence, "Token");
        int count = 0;
        do {
            add_token(stream, name, tokens);
            count++;
            name = next_token(stream);
        } while (name && !is_end(s, stream, name, tokens, count));
        status = speak_sentence(s, sentence);
    }
    return status;
}

int32_t flt_speak(cst_voice *voice, const struct flt_manner *manner, struct aic_str text,
                  const struct flt_listener *listener)
{
    struct speaking s = {.voice = voice,
                         .manner = manner,
                         .listener = listener,
                         .rate_hz = flt_voice_rate_hz(voice)};
    int32_t status = flt_clean_init(&s.clean, text);
    if (status < 0 || !flt_clean_has_words(&s.clean)) {
        flt_clean_finish(&s.clean);
        return status;
    }
    const cst_features *features = voice->features;
    cst_tokenstream *stream =
        ts_open_string(s.clean.text, flite_get_param_string(features, "text_whitespace", NULL),
                       flite_get_param_string(features, "text_singlecharsymbols", NULL),
                       flite_get_param_string(features, "text_prepunctuation", NULL),
                       flite_get_param_string(features, "text_postpunctuation", NULL));
    if (stream) {
        status = speak_stream(&s, stream);
        ts_close(stream);
    } else {
        status = AIC_ERROR_MEMORY;
    }
    flt_clean_finish(&s.clean);
    return status;
}
