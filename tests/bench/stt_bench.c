/* SPDX-License-Identifier: ISC */
/*
 * What the recogniser hears in WAV files, each of them a call of its own:
 *
 *     stt_bench [-s SCRIPT] [-p PHRASES] [-g] [-o NAME=VALUE] WAV...
 *
 * -s takes the phrases of a dialogue script as hints, -p those of a text file, -g the general
 * language model, -o any option of the plugin. Frames of 20 ms go through the host's own voice
 * detector; an utterance ends after 500 ms of silence, as in a call. Prints a JSON line for every
 * utterance and one with the costs at the end; tests/bench/stt_wer makes tables of them.
 */
#include "fake_host.h"

#include "base/audio.h"
#include "call/vad.h"
#include "json.h"
#include "wav.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

const struct aic_plugin *aicaller_plugin_sphinx(void);
const struct aic_plugin *aicaller_plugin_script(void);

enum {
    FRAME_US = 20000,
    PRE_ROLL_US = 300000,
    SILENCE_US = 500000,
    MAX_UTTERANCES = 4096,
    MAX_SETTINGS = 8
};

struct bench {
    struct vsched *v;
    struct fake_host *fake;
    const struct aic_stt *stt;
    void *self;
    struct aic_stt_sink sink;
    void *session;
    struct aic_str *hints;
    uint32_t hint_count;
    const char *file;
    uint64_t id;
    int partials;
    int64_t first_partial_us; /* of sound, from the begin of the utterance */
    int64_t began_us;
    int64_t now_us;    /* media time */
    int64_t speech_us; /* in utterances */
    int64_t audio_us;
    double decode_s;
    double end_ms[MAX_UTTERANCES];
    size_t ends;
    long session_kb;
};

static double cpu_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long rss_kb(void)
{
    long pages = 0;
    char line[128];
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fgets(line, sizeof(line), file)) {
        char *second = NULL;
        (void)strtol(line, &second, 10);
        pages = strtol(second, NULL, 10);
    }
    if (file) {
        (void)fclose(file);
    }
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void print_line(struct aic_buf *buf)
{
    (void)printf("%s\n", buf->data);
    aic_buf_finish(buf);
}

static void on_event(const struct aic_stt_sink *sink, const struct aic_stt_event *event)
{
    struct bench *b = sink->impl;
    if (event->kind == AIC_STT_EVENT_ERROR || event->kind == AIC_STT_EVENT_WARNING) {
        (void)fprintf(stderr, "%s: %.*s\n", b->file, (int)event->error->message.len,
                      event->error->message.ptr);
    }
    if (event->kind != AIC_STT_EVENT_TRANSCRIPT) {
        return;
    }
    if (event->stability != AIC_STT_FINAL) {
        b->first_partial_us = b->first_partial_us < 0 && event->text.len > 0
                                  ? b->now_us - b->began_us
                                  : b->first_partial_us;
        b->partials++;
        return;
    }
    struct aic_buf line;
    struct aic_json_writer w;
    aic_buf_init(&line, 1u << 16);
    aic_json_writer_init(&w, &line);
    aic_json_open(&w, '{');
    aic_json_member_text(&w, "file", b->file);
    aic_json_member_double(&w, "start_s", (double)event->start_us / 1e6);
    aic_json_member_double(&w, "end_s", (double)event->end_us / 1e6);
    aic_json_member_int(&w, "partials", b->partials);
    aic_json_member_double(&w, "first_partial_s", (double)b->first_partial_us / 1e6);
    aic_json_member(&w, "text", event->text);
    aic_json_close(&w, '}');
    print_line(&line);
}

/* Lets the lane work; counts what it costs. */
static double work(struct bench *b, int64_t us)
{
    double before = cpu_s();
    vsched_run(b->v, us);
    double cost = cpu_s() - before;
    b->decode_s += cost;
    return cost;
}

static void begin(struct bench *b, const struct vad *vad)
{
    b->id++;
    b->partials = 0;
    b->first_partial_us = -1;
    b->began_us = vad->started_us;
    int64_t at_us = vad->started_us - PRE_ROLL_US;
    (void)b->stt->utterance(b->session, AIC_STT_UTTERANCE_BEGIN, b->id, at_us > 0 ? at_us : 0);
    work(b, 0);
}

static void end(struct bench *b, const struct vad *vad)
{
    (void)b->stt->utterance(b->session, AIC_STT_UTTERANCE_END, b->id, b->now_us);
    double cost = work(b, 0);
    b->speech_us += vad->last_voiced_us - b->began_us;
    if (b->ends < MAX_UTTERANCES) {
        b->end_ms[b->ends++] = cost * 1000;
    }
}

static void listen(struct bench *b, struct aic_format format, const uint8_t *sound, size_t bytes)
{
    struct vad vad;
    struct vad_settings settings = vad_defaults();
    vad_init(&vad, &settings);
    size_t frame = audio_bytes_for_us(format, FRAME_US);
    bool is_open = false;
    b->now_us = 0;
    for (size_t at = 0; at + frame <= bytes; at += frame) {
        struct aic_audio audio = {.size = sizeof(audio),
                                  .format = format,
                                  .data = sound + at,
                                  .bytes = frame,
                                  .time_us = b->now_us};
        (void)b->stt->push_audio(b->session, &audio);
        b->now_us += FRAME_US;
        double level = audio_level_dbfs(format, audio.data, audio.bytes);
        enum vad_event event = vad_push(&vad, level, -100, b->now_us);
        if (event == VAD_STARTED && !is_open) {
            is_open = true;
            begin(b, &vad);
        }
        if (is_open && !vad.is_speech && b->now_us - vad.last_voiced_us >= SILENCE_US) {
            is_open = false;
            end(b, &vad);
        }
        work(b, FRAME_US);
    }
    if (is_open) {
        end(b, &vad);
    }
    b->audio_us += b->now_us;
}

static char *read_file(const char *path, size_t *bytes)
{
    FILE *file = fopen(path, "rb");
    struct aic_buf buf;
    char block[4096];
    aic_buf_init(&buf, 64 << 20);
    for (size_t got; file && (got = fread(block, 1, sizeof(block), file)) > 0;) {
        aic_buf_add(&buf, block, got);
    }
    if (file) {
        (void)fclose(file);
    }
    *bytes = buf.len;
    return aic_buf_detach(&buf);
}

static int call(struct bench *b, const char *path)
{
    size_t bytes = 0;
    char *data = read_file(path, &bytes);
    struct aic_wav wav;
    if (!data || aic_wav_parse((struct aic_str){data, bytes}, bytes, &wav) < 0) {
        (void)fprintf(stderr, "%s is no WAV file\n", path);
        free(data);
        return 1;
    }
    struct aic_stt_open params = {.size = sizeof(params),
                                  .format = wav.format,
                                  .call_id = "bench",
                                  .language = "en",
                                  .hints = b->hints,
                                  .hint_count = b->hint_count,
                                  .hint_size = sizeof(*b->hints)};
    params.format.frame_bytes = 0;
    b->file = path;
    int32_t status = b->stt->open(b->self, &params, &b->sink, &b->session);
    if (status < 0) {
        (void)fprintf(stderr, "%s: can not be heard (%d)\n%s", path, status, fake_log(b->fake));
        free(data);
        return 1;
    }
    long before_kb = rss_kb();
    vsched_run(b->v, FRAME_US);
    listen(b, params.format, (const uint8_t *)data + wav.data_offset, wav.data_bytes);
    b->session_kb = rss_kb() - before_kb > b->session_kb ? rss_kb() - before_kb : b->session_kb;
    b->stt->close(b->session);
    vsched_run(b->v, FRAME_US);
    free(data);
    return 0;
}

static void add_hint(void *data, struct aic_str phrase)
{
    struct bench *b = data;
    struct aic_str *hints = realloc(b->hints, (b->hint_count + 1) * sizeof(*hints));
    char *copy = aic_str_dup(phrase);
    if (!hints || !copy) {
        abort();
    }
    b->hints = hints;
    b->hints[b->hint_count++] = (struct aic_str){copy, phrase.len};
}

static void add_script(struct bench *b, const char *path)
{
    const struct aic_plugin *plugin = aicaller_plugin_script();
    struct fake_setting settings[] = {{"script", path}, {NULL, NULL}};
    void *self = NULL;
    if (fake_provider_create(b->fake, plugin, settings, &self) < 0) {
        (void)fprintf(stderr, "%s", fake_log(b->fake));
        exit(1);
    }
    const struct aic_llm *llm = plugin->get_interface(AIC_LLM);
    (void)llm->phrases(self, add_hint, b);
    plugin->destroy(self);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_costs(struct bench *b)
{
    qsort(b->end_ms, b->ends, sizeof(b->end_ms[0]), compare);
    struct aic_buf line;
    struct aic_json_writer w;
    aic_buf_init(&line, 4096);
    aic_json_writer_init(&w, &line);
    aic_json_open(&w, '{');
    aic_json_member_int(&w, "hints", b->hint_count);
    aic_json_member_double(&w, "audio_s", (double)b->audio_us / 1e6);
    aic_json_member_double(&w, "speech_s", (double)b->speech_us / 1e6);
    aic_json_member_double(&w, "cpu_s", b->decode_s);
    if (b->ends > 0) {
        aic_json_member_double(&w, "end_median_ms", b->end_ms[b->ends / 2]);
        aic_json_member_double(&w, "end_p95_ms", b->end_ms[b->ends * 95 / 100]);
        aic_json_member_double(&w, "end_max_ms", b->end_ms[b->ends - 1]);
    }
    aic_json_member_int(&w, "session_kb", b->session_kb);
    aic_json_close(&w, '}');
    print_line(&line);
}

int main(int argc, char **argv)
{
    struct bench b = {.v = vsched_create(1)};
    b.fake = fake_host_create(b.v);
    b.sink = (struct aic_stt_sink){.size = sizeof(b.sink), .impl = &b, .event = on_event};
    struct fake_setting settings[MAX_SETTINGS + 1] = {{NULL, NULL}};
    size_t count = 0;
    for (int option; (option = getopt(argc, argv, "s:p:go:")) != -1;) {
        char *equals = option == 'o' ? strchr(optarg, '=') : NULL;
        if (count == MAX_SETTINGS) {
            return 2;
        }
        if (equals) {
            *equals = 0;
            settings[count++] = (struct fake_setting){optarg, equals + 1};
        } else if (option == 's') {
            add_script(&b, optarg);
        } else if (option == 'p') {
            settings[count++] = (struct fake_setting){"phrases_file", optarg};
        } else if (option == 'g') {
            settings[count++] = (struct fake_setting){"general_lm", "always"};
        } else {
            return 2;
        }
    }
    const struct aic_plugin *plugin = aicaller_plugin_sphinx();
    if (fake_provider_create(b.fake, plugin, settings, &b.self) < 0) {
        (void)fprintf(stderr, "%s", fake_log(b.fake));
        return 1;
    }
    b.stt = plugin->get_interface(AIC_STT);
    int failed = 0;
    for (int i = optind; i < argc; i++) {
        failed |= call(&b, argv[i]);
    }
    print_costs(&b);
    plugin->destroy(b.self);
    (void)fprintf(stderr, "%s", fake_log(b.fake) ? fake_log(b.fake) : "");
    for (uint32_t i = 0; i < b.hint_count; i++) {
        char *text = NULL;
        memcpy(&text, &b.hints[i].ptr, sizeof(text));
        free(text);
    }
    free(b.hints);
    fake_host_destroy(b.fake);
    vsched_destroy(b.v);
    return failed;
}
