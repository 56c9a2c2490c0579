/* SPDX-License-Identifier: ISC */
#include "transcript.h"

#include <math.h>
#include <string.h>

/* The model's own limits, from its publication: beyond them its decoding counts as failed. */
static const double silent_no_speech = 0.6;
static const double failed_logprob = -1.0;
static const double failed_compression = 2.4;
/* Text that runs in circles is not worth more than this. */
static const double circle_confidence = 0.1;

struct tally {
    double logprob; /* weighted by duration */
    double weight;
    bool circles;
};

static struct aic_str trim(struct aic_str text)
{
    while (text.len > 0 && (unsigned char)text.ptr[0] <= ' ') {
        text = (struct aic_str){text.ptr + 1, text.len - 1};
    }
    while (text.len > 0 && (unsigned char)text.ptr[text.len - 1] <= ' ') {
        text.len--;
    }
    return text;
}

static bool is_certainty_told(const struct aic_json *segment)
{
    return aic_json_is_number(aic_json_get(segment, "avg_logprob"));
}

static bool is_noise(const struct aic_json *segment)
{
    return aic_json_get_double(segment, "no_speech_prob", 0) > silent_no_speech &&
           aic_json_get_double(segment, "avg_logprob", 0) < failed_logprob;
}

static void weigh(struct tally *tally, const struct aic_json *segment)
{
    double seconds =
        aic_json_get_double(segment, "end", 0) - aic_json_get_double(segment, "start", 0);
    double weight = seconds > 0.01 && seconds < 3600 ? seconds : 0.01;
    double logprob = aic_json_get_double(segment, "avg_logprob", 0);
    tally->logprob += weight * (logprob < 0 ? logprob : 0);
    tally->weight += weight;
    if (aic_json_get_double(segment, "compression_ratio", 0) > failed_compression) {
        tally->circles = true;
    }
}

/* Takes the text of what was said; segments that are noise are left out. */
static void take_segments(struct openai_transcript *transcript, const struct aic_json *segments)
{
    struct tally tally = {.weight = 0};
    for (size_t i = 0; i < aic_json_count(segments); i++) {
        const struct aic_json *segment = aic_json_at(segments, i);
        struct aic_str text = trim(aic_json_get_text(segment, "text"));
        if (is_noise(segment)) {
            transcript->dropped++;
        } else if (text.len > 0) {
            aic_buf_text(&transcript->text, transcript->text.len > 0 ? " " : "");
            aic_buf_str(&transcript->text, text);
            weigh(&tally, segment);
        }
    }
    if (tally.weight > 0) {
        double confidence = exp(tally.logprob / tally.weight);
        confidence = tally.circles ? fmin(confidence, circle_confidence) : confidence;
        transcript->confidence = (float)confidence;
    }
}

/* A two or three letter code; servers that give the name of a language are not translated. */
static void take_language(struct openai_transcript *transcript, struct aic_str language)
{
    if (language.len >= 2 && language.len <= 3) {
        (void)aic_str_copy(language, transcript->language, sizeof(transcript->language));
    }
}

int32_t openai_transcript_read(struct aic_str body, struct aic_str prompt,
                               struct openai_transcript *transcript)
{
    *transcript = (struct openai_transcript){.confidence = -1};
    aic_buf_init(&transcript->text, OPENAI_TRANSCRIPT_MAX_BYTES);
    struct aic_json *root = aic_json_parse(body, 0);
    if (!aic_json_is_string(aic_json_get(root, "text"))) {
        aic_json_free(root);
        return AIC_ERROR_PROTOCOL;
    }
    const struct aic_json *segments = aic_json_get(root, "segments");
    if (is_certainty_told(aic_json_at(segments, 0))) {
        take_segments(transcript, segments);
    } else {
        aic_buf_str(&transcript->text, trim(aic_json_get_text(root, "text")));
    }
    struct aic_str heard = aic_buf_view(&transcript->text);
    prompt = trim(prompt);
    if (prompt.len > 0 && heard.len == prompt.len &&
        memcmp(heard.ptr, prompt.ptr, prompt.len) == 0) {
        transcript->dropped++;
        aic_buf_clear(&transcript->text);
    }
    take_language(transcript, aic_json_get_text(root, "language"));
    (void)aic_str_copy(aic_json_text(aic_json_path(root, "x_groq", "id", NULL)), transcript->id,
                       sizeof(transcript->id));
    aic_json_free(root);
    return transcript->text.failed ? AIC_ERROR_PROTOCOL : AIC_OK;
}

void openai_transcript_finish(struct openai_transcript *transcript)
{
    aic_buf_finish(&transcript->text);
}
