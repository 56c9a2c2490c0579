/* SPDX-License-Identifier: ISC */
#include "query.h"

#include "speech-core/address.h"

#include <string.h>

enum { ENDPOINTING_MS = 300 };

struct writing {
    const struct deepgram_query *query;
    struct aic_buf *to;
};

static const char *encoding_of(uint32_t codec)
{
    switch (codec) {
    case AIC_CODEC_MULAW:
        return "mulaw";
    case AIC_CODEC_ALAW:
        return "alaw";
    case AIC_CODEC_PCM_S16LE:
        return "linear16";
    default:
        return NULL;
    }
}

bool deepgram_format_is_known(struct aic_format format)
{
    return encoding_of(format.codec) && format.channels == 1 && format.rate_hz >= 8000 &&
           format.rate_hz <= 48000;
}

static bool begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool deepgram_model_is_flux(const char *model)
{
    return begins(model, "flux");
}

static int check_member(void *data, const char *key, const struct aic_json *value)
{
    static const char *const ours[] = {"model",        "encoding",        "sample_rate",
                                       "channels",     "multichannel",    "callback",
                                       "callback_url", "callback_method", "interim_results"};
    const char **problem = data;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(key, ours[i]) == 0) {
            *problem = "extra must not hold model, callback, interim_results, or what says how "
                       "the sound is sent: these are the call's own";
            return 1;
        }
    }
    if (aic_json_is_object(value) ||
        strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789_") != strlen(key)) {
        *problem = "extra must hold texts, numbers, booleans and lists of them, by the names of "
                   "Deepgram's query parameters";
        return 1;
    }
    return 0;
}

const char *deepgram_extra_problem(const struct aic_json *extra)
{
    const char *problem = NULL;
    if (extra && !aic_json_is_object(extra)) {
        return "extra must be a group";
    }
    (void)aic_json_each(extra, check_member, &problem);
    return problem;
}

/* A parameter of ours gives way to the operator's own of that name. */
static bool is_ours(const struct writing *w, const char *name)
{
    return !aic_json_get(w->query->extra, name);
}

static void put(const struct writing *w, const char *name, const char *value)
{
    if (is_ours(w, name)) {
        speech_address_member(w->to, name, aic_str(value));
    }
}

static void put_number(const struct writing *w, const char *name, double value)
{
    if (is_ours(w, name)) {
        speech_address_number(w->to, name, value);
    }
}

static void put_flag(const struct writing *w, const char *name, bool value)
{
    if (is_ours(w, name)) {
        speech_address_flag(w->to, name, value);
    }
}

static void put_value(struct aic_buf *to, const char *name, const struct aic_json *value)
{
    bool is_text = aic_json_is_string(value);
    speech_address_member(to, name, is_text ? aic_json_text(value) : aic_json_print(value));
}

static int put_extra(void *data, const char *key, const struct aic_json *value)
{
    struct aic_buf *to = data;
    if (!aic_json_is_array(value)) {
        put_value(to, key, value);
    }
    for (size_t i = 0; aic_json_is_array(value) && i < aic_json_count(value); i++) {
        put_value(to, key, aic_json_at(value, i));
    }
    return 0;
}

static const char *language_of(const struct deepgram_query *query)
{
    return query->settings->language ? query->settings->language : query->language;
}

static void put_nova(const struct writing *w)
{
    const struct deepgram_settings *settings = w->query->settings;
    int64_t endpointing_ms =
        settings->endpointing_ms > 0 ? settings->endpointing_ms : w->query->endpointing_ms;
    if (language_of(w->query)[0]) {
        put(w, "language", language_of(w->query));
    }
    put_flag(w, "interim_results", true);
    put_flag(w, "vad_events", true);
    put_flag(w, "smart_format", settings->smart_format);
    put_number(w, "endpointing", (double)(endpointing_ms > 0 ? endpointing_ms : ENDPOINTING_MS));
    if (settings->utterance_end_ms > 0) {
        put_number(w, "utterance_end_ms", (double)settings->utterance_end_ms);
    }
}

static void put_flux(const struct writing *w)
{
    const struct deepgram_settings *settings = w->query->settings;
    const char *language = language_of(w->query);
    put_number(w, "eot_threshold", settings->eot_threshold);
    put_number(w, "eot_timeout_ms", (double)settings->eot_timeout_ms);
    if (settings->eager_eot_threshold > 0) {
        put_number(w, "eager_eot_threshold", settings->eager_eot_threshold);
    }
    bool is_hint = strcmp(settings->model, "flux-general-multi") == 0 && language[0] &&
                   strcmp(language, "multi") != 0;
    if (is_hint && is_ours(w, "language_hint")) {
        speech_address_member(w->to, "language_hint",
                              (struct aic_str){language, strcspn(language, "-_")});
    }
}

/* Rather too many than too few: a token is seldom shorter than three letters. */
static size_t tokens(struct aic_str term)
{
    return term.len / 3 + 1;
}

uint32_t deepgram_terms_within(const struct aic_str *terms, uint32_t count)
{
    size_t sum = 0;
    uint32_t taken = 0;
    while (taken < count && taken < DEEPGRAM_TERMS_MAX &&
           sum + tokens(terms[taken]) <= DEEPGRAM_KEYTERM_TOKENS) {
        sum += tokens(terms[taken++]);
    }
    return taken;
}

/* Older models have another name for it, and read single words only. */
static const char *term_name(const struct deepgram_settings *settings)
{
    bool takes_terms = begins(settings->model, "nova-3") || deepgram_model_is_flux(settings->model);
    return takes_terms ? "keyterm" : "keywords";
}

static uint32_t put_terms(const struct writing *w, size_t max_bytes)
{
    const struct deepgram_query *query = w->query;
    const char *name = term_name(query->settings);
    uint32_t most = deepgram_terms_within(query->terms, query->term_count);
    for (uint32_t i = 0; i < most; i++) {
        size_t before = w->to->len;
        speech_address_member(w->to, name, query->terms[i]);
        if (w->to->len > max_bytes || w->to->failed) {
            w->to->len = before;
            w->to->data[before] = '\0';
            w->to->failed = false;
            return i;
        }
    }
    return most;
}

uint32_t deepgram_query_write(const struct deepgram_query *query, struct aic_buf *to)
{
    const struct deepgram_settings *settings = query->settings;
    const struct writing w = {query, to};
    bool is_flux = deepgram_model_is_flux(settings->model);
    speech_address_socket(to, settings->url);
    size_t origin_bytes = to->len - speech_address_path_bytes(settings->url);
    aic_buf_text(to, is_flux ? "/v2/listen" : "/v1/listen");
    speech_address_member(to, "model", aic_str(settings->model));
    speech_address_member(to, "encoding", aic_str(encoding_of(query->format.codec)));
    speech_address_number(to, "sample_rate", query->format.rate_hz);
    if (is_flux) {
        put_flux(&w);
    } else {
        speech_address_number(to, "channels", query->format.channels);
        put_nova(&w);
    }
    if (settings->mip_opt_out) {
        put_flag(&w, "mip_opt_out", true);
    }
    (void)aic_json_each(query->extra, put_extra, to);
    return to->failed ? 0 : put_terms(&w, origin_bytes + DEEPGRAM_TARGET_MAX_BYTES);
}

/* Without `container` sound begins with a file's header, which clicks. */
void deepgram_speak_url(const struct deepgram_settings *settings, const char *voice,
                        struct aic_format format, struct aic_buf *to)
{
    speech_address_http(to, settings->url);
    aic_buf_text(to, "/v1/speak");
    speech_address_member(to, "model", aic_str(voice));
    speech_address_member(to, "encoding", aic_str(encoding_of(format.codec)));
    speech_address_number(to, "sample_rate", format.rate_hz);
    speech_address_member(to, "container", AIC_STR("none"));
    if (settings->speed > 0) {
        speech_address_number(to, "speed", settings->speed);
    }
    if (settings->mip_opt_out) {
        speech_address_flag(to, "mip_opt_out", true);
    }
}

void deepgram_token_url(const struct deepgram_settings *settings, struct aic_buf *to)
{
    speech_address_http(to, settings->url);
    aic_buf_text(to, "/v1/auth/token");
}
