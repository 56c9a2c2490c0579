/* SPDX-License-Identifier: ISC */
#include "request.h"

#include "speech-core/address.h"

#include <stdio.h>
#include <string.h>

/* Longer than any pause between two answers that a call survives; the most that is allowed. */
enum { INACTIVITY_S = 180 };

const char *eleven_format_name(struct aic_format format)
{
    static const struct {
        struct aic_format format;
        const char *name;
    } names[] = {
        {{AIC_CODEC_MULAW, 8000, 1, 0}, "ulaw_8000"},
        {{AIC_CODEC_ALAW, 8000, 1, 0}, "alaw_8000"},
        {{AIC_CODEC_PCM_S16LE, 8000, 1, 0}, "pcm_8000"},
        {{AIC_CODEC_PCM_S16LE, 16000, 1, 0}, "pcm_16000"},
        {{AIC_CODEC_PCM_S16LE, 24000, 1, 0}, "pcm_24000"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct aic_format *known = &names[i].format;
        if (known->codec == format.codec && known->rate_hz == format.rate_hz &&
            known->channels == format.channels) {
            return names[i].name;
        }
    }
    return NULL;
}

static int check_member(void *data, const char *key, const struct aic_json *value)
{
    static const char *const ours[] = {
        "text",          "model_id",      "voice_id",      "context_id",    "output_format",
        "auto_mode",     "flush",         "close_context", "close_socket",  "xi_api_key",
        "authorization", "previous_text", "next_text",     "sync_alignment"};
    const char **problem = data;
    (void)value;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
        if (strcmp(key, ours[i]) == 0) {
            *problem = "extra must not hold text, model, voice, key, or what says how the sound "
                       "is sent: these are the call's own";
            return 1;
        }
    }
    return 0;
}

const char *eleven_extra_problem(const struct aic_json *extra)
{
    const char *problem = NULL;
    if (extra && !aic_json_is_object(extra)) {
        return "extra must be a group";
    }
    (void)aic_json_each(extra, check_member, &problem);
    return problem;
}

/* The language in the two letters that the vendor wants; only some models take one at all. */
static struct aic_str language_of(const struct eleven_request *request)
{
    const struct eleven_settings *settings = request->settings;
    const char *language = settings->language;
    if (!language && (strstr(settings->model, "v2_5") || strstr(settings->model, "v3"))) {
        language = request->language;
    }
    language = language ? language : "";
    return (struct aic_str){language, strcspn(language, "-_")};
}

static bool is_ours(const struct eleven_settings *settings, const char *name)
{
    return !aic_json_get(settings->extra, name);
}

static void put_path(const struct eleven_request *request, const char *form, struct aic_buf *to)
{
    aic_buf_text(to, "/v1/text-to-speech/");
    speech_address_escape(to, aic_str(request->voice));
    aic_buf_text(to, form);
}

static void put_common(const struct eleven_request *request, struct aic_buf *to)
{
    const char *format = eleven_format_name(request->format);
    speech_address_member(to, "output_format", aic_str(format ? format : ""));
    if (!request->settings->keeps_logs) {
        speech_address_flag(to, "enable_logging", false);
    }
}

/* On the socket single values belong into its address, groups into each context's first message. */
static bool is_single(const struct aic_json *value)
{
    return !aic_json_is_object(value) && !aic_json_is_array(value);
}

static int put_single(void *data, const char *key, const struct aic_json *value)
{
    struct aic_buf *to = data;
    if (is_single(value)) {
        speech_address_member(
            to, key, aic_json_is_string(value) ? aic_json_text(value) : aic_json_print(value));
    }
    return 0;
}

void eleven_socket_url(const struct eleven_request *request, struct aic_buf *to)
{
    const struct eleven_settings *settings = request->settings;
    struct aic_str language = language_of(request);
    speech_address_socket(to, settings->url);
    put_path(request, "/multi-stream-input", to);
    speech_address_member(to, "model_id", aic_str(settings->model));
    put_common(request, to);
    speech_address_flag(to, "auto_mode", true);
    speech_address_flag(to, "sync_alignment", true);
    if (is_ours(settings, "inactivity_timeout")) {
        speech_address_number(to, "inactivity_timeout", INACTIVITY_S);
    }
    if (language.len > 0 && is_ours(settings, "language_code")) {
        speech_address_member(to, "language_code", language);
    }
    if (strcmp(settings->normalization, "auto") != 0) {
        speech_address_member(to, "apply_text_normalization", aic_str(settings->normalization));
    }
    (void)aic_json_each(settings->extra, put_single, to);
}

void eleven_stream_url(const struct eleven_request *request, struct aic_buf *to)
{
    speech_address_http(to, request->settings->url);
    put_path(request, "/stream", to);
    put_common(request, to);
}

void eleven_voice_url(const struct eleven_settings *settings, struct aic_buf *to)
{
    speech_address_http(to, settings->url);
    aic_buf_text(to, "/v1/voices/");
    speech_address_escape(to, aic_str(settings->voice));
}

static void put_number(struct aic_json_writer *w, const char *name, double value)
{
    if (value >= 0) {
        aic_json_member_double(w, name, value);
    }
}

static void put_voice_settings(const struct eleven_settings *settings, struct aic_json_writer *w)
{
    bool is_set = settings->stability >= 0 || settings->similarity >= 0 || settings->style >= 0 ||
                  settings->speed >= 0;
    if (!is_set || !is_ours(settings, "voice_settings")) {
        return;
    }
    aic_json_key(w, "voice_settings");
    aic_json_open(w, '{');
    put_number(w, "stability", settings->stability);
    put_number(w, "similarity_boost", settings->similarity);
    put_number(w, "style", settings->style);
    put_number(w, "speed", settings->speed);
    aic_json_close(w, '}');
}

static int put_member(void *data, const char *key, const struct aic_json *value)
{
    struct aic_json_writer *w = data;
    aic_json_key(w, key);
    aic_json_put_node(w, value);
    return 0;
}

void eleven_body_write(const struct eleven_request *request, struct aic_str text,
                       struct aic_str previous, struct aic_buf *to)
{
    const struct eleven_settings *settings = request->settings;
    struct aic_str language = language_of(request);
    struct aic_json_writer w;
    aic_json_writer_init(&w, to);
    aic_json_open(&w, '{');
    aic_json_member(&w, "text", text);
    aic_json_member_text(&w, "model_id", settings->model);
    if (language.len > 0 && is_ours(settings, "language_code")) {
        aic_json_member(&w, "language_code", language);
    }
    if (previous.len > 0) {
        aic_json_member(&w, "previous_text", previous);
    }
    if (strcmp(settings->normalization, "auto") != 0) {
        aic_json_member_text(&w, "apply_text_normalization", settings->normalization);
    }
    put_voice_settings(settings, &w);
    (void)aic_json_each(settings->extra, put_member, &w);
    aic_json_close(&w, '}');
}

static void open_message(struct aic_json_writer *w, struct aic_buf *to)
{
    aic_json_writer_init(w, to);
    aic_json_open(w, '{');
}

static void close_message(struct aic_json_writer *w, uint64_t context)
{
    char name[24];
    (void)snprintf(name, sizeof(name), "%llu", (unsigned long long)context);
    aic_json_member_text(w, "context_id", name);
    aic_json_close(w, '}');
}

static int put_group(void *data, const char *key, const struct aic_json *value)
{
    return is_single(value) ? 0 : put_member(data, key, value);
}

void eleven_begin_write(const struct eleven_settings *settings, uint64_t context,
                        struct aic_buf *to)
{
    struct aic_json_writer w;
    open_message(&w, to);
    aic_json_member_text(&w, "text", " ");
    put_voice_settings(settings, &w);
    (void)aic_json_each(settings->extra, put_group, &w);
    close_message(&w, context);
}

void eleven_text_write(uint64_t context, struct aic_str text, struct aic_buf *to)
{
    struct aic_json_writer w;
    open_message(&w, to);
    aic_json_member(&w, "text", text);
    aic_json_member_bool(&w, "flush", true);
    close_message(&w, context);
}

void eleven_keep_write(uint64_t context, struct aic_buf *to)
{
    struct aic_json_writer w;
    open_message(&w, to);
    aic_json_member_text(&w, "text", "");
    close_message(&w, context);
}

void eleven_close_write(uint64_t context, struct aic_buf *to)
{
    struct aic_json_writer w;
    open_message(&w, to);
    aic_json_member_bool(&w, "close_context", true);
    close_message(&w, context);
}
