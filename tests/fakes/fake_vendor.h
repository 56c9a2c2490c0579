/* SPDX-License-Identifier: ISC */
#ifndef FAKES_FAKE_VENDOR_H
#define FAKES_FAKE_VENDOR_H
/*
 * A plugin for whole calls in virtual time: a recogniser, a model, a voice and a line that do after
 * fixed times what the test wrote down. One instance per provider; `of` finds it by the provider.
 */
#include "call/call.h"
#include "plugin/provider.h"

enum { FAKE_TEXTS = 32, FAKE_SPEECHES = 32 };

/* What a model or recogniser answers next. */
struct fake_text {
    const char *text;      /* NULL: as `failure` says */
    const char *tool;      /* a tool that is called behind the text; NULL = none */
    const char *arguments; /* JSON */
    uint32_t failure;      /* AIC_CATEGORY_...: an error instead; with text: after it */
    bool hangs;            /* nothing ever comes */
};

struct fake_vendor {
    struct provider *provider;
    const struct aic_host *host;
    /* Recogniser: transcripts of the utterances to come, and how it behaves. */
    struct fake_text heard[FAKE_TEXTS];
    size_t heard_count;
    size_t heard_next;
    uint32_t stt_flags;
    int64_t stt_delay_us;
    float confidence;
    uint64_t stt_bytes; /* of sound it was given, over all sessions */
    int stt_sessions;   /* open ones */
    int stt_opened;
    struct fake_stt *stt; /* the newest session */
    /* Model. */
    struct fake_text replies[FAKE_TEXTS];
    size_t reply_count;
    size_t reply_next;
    uint32_t llm_flags;
    int64_t llm_delay_us; /* to the first token */
    int64_t token_us;     /* between words */
    int llm_sessions;
    int requests;
    int cancels;
    char messages[16384];   /* of the last request */
    struct fake_text probe; /* how a probe of the model ends; only failure and hangs count */
    int64_t probe_delay_us; /* 0: from inside the probe */
    int probes;
    /* Voice: sound of 50 ms per byte of text. */
    int64_t tts_delay_us;
    bool aligns;
    bool streams_in;
    struct fake_text voice_trouble[FAKE_TEXTS]; /* by utterance; only failure and hangs count */
    size_t utterances;
    int tts_sessions;
    char spoken[16384]; /* all text it was given, a line per piece */
    /* Line. */
    struct fake_line *line;
    uint32_t line_flags;
};

/* The descriptor; every instance has all four roles. */
const struct aic_plugin *fake_vendor_plugin(void);
struct fake_vendor *fake_vendor_of(const struct provider *provider);

/* The recogniser tells something by itself now (partial, native end of turn ...). */
void fake_hear(struct fake_vendor *vendor, uint32_t kind, uint32_t stability, const char *text);

/* A caller's speech on the line. */
struct fake_speech {
    int64_t from_us; /* since the line was opened */
    int64_t until_us;
};

/* What the line has seen. */
struct fake_line {
    struct fake_vendor *vendor;
    const struct aic_telephony_sink *sink;
    struct aic_timer *timer;
    struct fake_speech speeches[FAKE_SPEECHES];
    size_t speech_count;
    int64_t opened_us;
    int64_t next_frame_us;
    bool is_attached;
    bool is_closed;
    bool hung_up; /* by the host */
    bool is_mute; /* no frames at all */
    /* The remote buffer, when line_flags has AIC_TEL_REMOTE_BUFFER. */
    int64_t buffered_until_us;
    uint64_t marks[64];
    int64_t mark_us[64];
    size_t mark_count;
    int clears;
    /* Sound of the agent: when it was heard, by 20 ms frames since the line was opened. */
    uint8_t heard[60 * 120];
    uint64_t sent_bytes;
    char notes[65536];       /* what leg_notify got, a line each */
    char transferred_to[32]; /* "" = nobody */
    int64_t transferred_us;  /* since the line was opened */
    int32_t transfer_status; /* what a transfer is answered with */
};

/* Opens a line and joins it to a call, as MEDIA_START does. */
struct fake_line *fake_line_open(struct fake_vendor *vendor, struct call *call,
                                 const struct fake_speech *speeches, size_t count);
/* The caller presses keys. */
void fake_line_press(struct fake_line *line, const char *keys);
/* The carrier tells what was used so far. */
void fake_line_use(struct fake_line *line, const struct aic_usage *usage);
/* The other end hangs up. */
void fake_line_hang_up(struct fake_line *line, uint32_t cause);
/* First and last moment at which the agent is heard after `from_us`; -1 if never. */
int64_t fake_line_agent_starts(const struct fake_line *line, int64_t from_us);
int64_t fake_line_agent_stops(const struct fake_line *line, int64_t from_us);

#endif
