/* SPDX-License-Identifier: ISC */
#include "protocol.h"

/* Longer than any socket lives. */
static const double longest_s = 1e6;

static int64_t seconds_us(const struct aic_json *object, const char *key)
{
    double seconds = aic_json_get_double(object, key, -1);
    if (!(seconds >= 0)) {
        return -1;
    }
    return (int64_t)((seconds < longest_s ? seconds : longest_s) * 1e6 + 0.5);
}

static float share(const struct aic_json *object, const char *key)
{
    double value = aic_json_get_double(object, key, -1);
    return value >= 0 && value <= 1 ? (float)value : -1;
}

static struct aic_str first_of(const struct aic_json *list)
{
    return aic_json_text(aic_json_at(list, 0));
}

static bool read_results(struct deepgram_message *m)
{
    const struct aic_json *channel = aic_json_get(m->root, "channel");
    const struct aic_json *best = aic_json_at(aic_json_get(channel, "alternatives"), 0);
    const struct aic_json *text = aic_json_get(best, "transcript");
    m->start_us = seconds_us(m->root, "start");
    int64_t duration_us = seconds_us(m->root, "duration");
    if (!aic_json_is_string(text) || m->start_us < 0 || duration_us < 0) {
        return false;
    }
    m->end_us = m->start_us + duration_us;
    m->text = aic_json_text(text);
    m->confidence = share(best, "confidence");
    m->language = first_of(aic_json_get(best, "languages"));
    m->words = aic_json_get(best, "words");
    m->is_final = aic_json_get_bool(m->root, "is_final", false);
    m->speech_final = aic_json_get_bool(m->root, "speech_final", false);
    m->from_finalize = aic_json_get_bool(m->root, "from_finalize", false);
    m->request_id = aic_json_get_text(aic_json_get(m->root, "metadata"), "request_id");
    return true;
}

static enum deepgram_turn turn_of(struct aic_str event)
{
    static const struct {
        const char *name;
        enum deepgram_turn turn;
    } turns[] = {{"StartOfTurn", DEEPGRAM_TURN_START},
                 {"Update", DEEPGRAM_TURN_UPDATE},
                 {"EagerEndOfTurn", DEEPGRAM_TURN_EAGER_END},
                 {"TurnResumed", DEEPGRAM_TURN_RESUMED},
                 {"EndOfTurn", DEEPGRAM_TURN_END}};

    for (size_t i = 0; i < sizeof(turns) / sizeof(turns[0]); i++) {
        if (aic_str_equal(event, turns[i].name)) {
            return turns[i].turn;
        }
    }
    return DEEPGRAM_TURN_OTHER;
}

/* Flux tells how sure it is of each word, not of the text. */
static float worst_word(const struct aic_json *words)
{
    float worst = -1;
    for (size_t i = 0; i < aic_json_count(words); i++) {
        float confidence = share(aic_json_at(words, i), "confidence");
        if (confidence >= 0 && (worst < 0 || confidence < worst)) {
            worst = confidence;
        }
    }
    return worst;
}

static bool read_turn(struct deepgram_message *m)
{
    const struct aic_json *text = aic_json_get(m->root, "transcript");
    const struct aic_json *event = aic_json_get(m->root, "event");
    if (!aic_json_is_string(text) || !aic_json_is_string(event)) {
        return false;
    }
    m->turn = turn_of(aic_json_text(event));
    m->text = aic_json_text(text);
    m->words = aic_json_get(m->root, "words");
    m->confidence = worst_word(m->words);
    m->end_confidence = share(m->root, "end_of_turn_confidence");
    m->start_us = seconds_us(m->root, "audio_window_start");
    m->end_us = seconds_us(m->root, "audio_window_end");
    m->language = first_of(aic_json_get(m->root, "languages"));
    return true;
}

static bool read_speech_started(struct deepgram_message *m)
{
    m->start_us = seconds_us(m->root, "timestamp");
    return true;
}

static bool read_utterance_end(struct deepgram_message *m)
{
    m->end_us = seconds_us(m->root, "last_word_end");
    return true;
}

static bool read_metadata(struct deepgram_message *m)
{
    m->end_us = seconds_us(m->root, "duration");
    return true;
}

static bool read_error(struct deepgram_message *m)
{
    m->code = aic_json_get_text(m->root, "code");
    if (m->code.len == 0) {
        m->code = aic_json_get_text(m->root, "variant");
    }
    m->description = aic_json_get_text(m->root, "description");
    return true;
}

static bool read_nothing(struct deepgram_message *m)
{
    (void)m;
    return true;
}

static bool read_by_type(struct deepgram_message *m)
{
    static const struct {
        const char *type;
        enum deepgram_kind kind;
        bool (*read)(struct deepgram_message *m);
    } kinds[] = {{"Results", DEEPGRAM_RESULTS, read_results},
                 {"TurnInfo", DEEPGRAM_TURN, read_turn},
                 {"SpeechStarted", DEEPGRAM_SPEECH_STARTED, read_speech_started},
                 {"UtteranceEnd", DEEPGRAM_UTTERANCE_END, read_utterance_end},
                 {"Metadata", DEEPGRAM_METADATA, read_metadata},
                 {"ConfigureSuccess", DEEPGRAM_CONFIGURED, read_nothing},
                 {"ConfigureFailure", DEEPGRAM_CONFIGURE_REFUSED, read_error},
                 {"Error", DEEPGRAM_ERROR, read_error},
                 {"Connected", DEEPGRAM_CONNECTED, read_nothing}};

    struct aic_str type = aic_json_get_text(m->root, "type");
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (aic_str_equal(type, kinds[i].type)) {
            m->kind = kinds[i].kind;
            m->request_id = aic_json_get_text(m->root, "request_id");
            return kinds[i].read(m);
        }
    }
    return type.len > 0;
}

int32_t deepgram_message_read(struct aic_str text, struct deepgram_message *message)
{
    *message = (struct deepgram_message){.root = aic_json_parse(text, 0),
                                         .confidence = -1,
                                         .end_confidence = -1,
                                         .start_us = -1,
                                         .end_us = -1};
    if (!aic_json_is_object(message->root) || !read_by_type(message)) {
        deepgram_message_finish(message);
        return AIC_ERROR_PROTOCOL;
    }
    return AIC_OK;
}

void deepgram_message_finish(struct deepgram_message *message)
{
    aic_json_free(message->root);
    message->root = NULL;
}

static int64_t moved(int64_t time_us, int64_t offset_us)
{
    return time_us < 0 ? -1 : time_us + offset_us;
}

static struct aic_str text_of_word(const struct aic_json *word)
{
    struct aic_str text = aic_json_get_text(word, "punctuated_word");
    return text.len > 0 ? text : aic_json_get_text(word, "word");
}

uint32_t deepgram_message_words(const struct deepgram_message *message, int64_t offset_us,
                                struct aic_stt_word *to, uint32_t max)
{
    uint32_t count = 0;
    for (size_t i = 0; i < aic_json_count(message->words) && count < max; i++) {
        const struct aic_json *word = aic_json_at(message->words, i);
        struct aic_str text = text_of_word(word);
        int64_t speaker = aic_json_get_int(word, "speaker", -1);
        if (text.len > 0) {
            to[count++] = (struct aic_stt_word){
                .text = text,
                .start_us = moved(seconds_us(word, "start"), offset_us),
                .end_us = moved(seconds_us(word, "end"), offset_us),
                .confidence = share(word, "confidence"),
                .speaker = speaker >= 0 && speaker <= INT32_MAX ? (int32_t)speaker : -1,
            };
        }
    }
    return count;
}

void deepgram_configure_write(struct aic_buf *to, const struct aic_str *keyterms, uint32_t count)
{
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "type", "Configure");
    aic_json_key(&w, "keyterms");
    aic_json_open(&w, '[');
    for (uint32_t i = 0; i < count; i++) {
        aic_json_put(&w, keyterms[i]);
    }
    aic_json_close(&w, ']');
    aic_json_close(&w, '}');
}
