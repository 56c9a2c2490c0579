/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_TTS_H
#define AICALLER_TTS_H
/*
 * Role: text to speech. A session belongs to a call. An utterance is one answer of the agent; its
 * text comes in pieces (whole sentences unless the capabilities ask for less), its audio goes out
 * as it is made. A barge-in cancels with the position that the caller really heard.
 */
#include <aicaller/abi.h>
#include <aicaller/audio.h>
#include <aicaller/error.h>
#include <aicaller/usage.h>

AIC_BEGIN_DECLS

#define AIC_TTS "aicaller.tts/1"

enum {
    AIC_TTS_STREAM_IN = 1u << 0,  /* an utterance's text may come in several pieces */
    AIC_TTS_STREAM_OUT = 1u << 1, /* audio comes before the utterance is complete */
    AIC_TTS_PARALLEL = 1u << 2,   /* several utterances at once in one session */
    AIC_TTS_ALIGN_WORDS = 1u << 3,
    AIC_TTS_ALIGN_CHARS = 1u << 4,
    AIC_TTS_REPORTS_SPOKEN = 1u << 5, /* CANCELLED tells what was spoken */
    AIC_TTS_WORDS_IN = 1u << 6        /* wants text as it comes, word by word */
};

struct aic_tts_caps {
    uint32_t size; /* set by the host; the plugin fills what fits */
    uint32_t flags;
    const struct aic_format *formats; /* that it can make, best first; static data */
    uint32_t format_count;
    uint32_t format_size;    /* sizeof(struct aic_format) */
    uint32_t max_text_bytes; /* per push; 0 = none */
    uint32_t reserved;       /* 0 */
};

enum {
    AIC_TTS_EVENT_NONE = 0,
    AIC_TTS_EVENT_STARTED = 1,   /* the vendor answered; no audio yet */
    AIC_TTS_EVENT_AUDIO = 2,     /* the next block of the utterance */
    AIC_TTS_EVENT_ALIGNMENT = 3, /* which text is heard when */
    AIC_TTS_EVENT_FLUSHED = 4,   /* all audio of the text before `flush` was delivered */
    AIC_TTS_EVENT_DONE = 5,      /* the utterance is complete; its last event */
    AIC_TTS_EVENT_CANCELLED = 6, /* answers `cancel`; its last event */
    AIC_TTS_EVENT_USAGE = 7,
    AIC_TTS_EVENT_WARNING = 8,
    AIC_TTS_EVENT_ERROR = 9, /* by its scope the utterance, the session or the provider is lost */
    AIC_TTS_EVENT_RATE_INFO = 10
};

/* One piece of text and when it is heard, counted from the utterance's first sample. */
struct aic_tts_span {
    struct aic_str text;
    int64_t start_us;
    int64_t duration_us;
};

struct aic_tts_event {
    uint32_t size;
    uint32_t kind;
    uint64_t id;      /* of the utterance; 0 = the session as a whole */
    uint64_t mark_id; /* with FLUSHED */
    const struct aic_audio *audio;
    const struct aic_tts_span *spans; /* with ALIGNMENT; already relative to the utterance */
    uint32_t span_count;
    uint32_t span_size;         /* sizeof(struct aic_tts_span) */
    struct aic_str text_spoken; /* with CANCELLED, where the vendor tells */
    struct aic_str text_remaining;
    struct aic_str vendor_id; /* the vendor's request id */
    const struct aic_usage *usage;
    const struct aic_rate_info *rate;
    const struct aic_error *error;
};

struct aic_tts_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void *impl;
    /* Takes one event; never called from inside an operation of the session, nor after `close`.
     * [call] */
    void (*event)(const struct aic_tts_sink *sink, const struct aic_tts_event *event);
};

struct aic_tts_open {
    uint32_t size;
    uint32_t reserved;        /* 0 */
    struct aic_format format; /* one of the plugin's own */
    const char *call_id;
    const char *voice;    /* "" = the provider's own */
    const char *language; /* BCP 47; "" = the provider's own */
};

struct aic_tts_utterance {
    uint32_t size;
    uint32_t reserved;            /* 0 */
    uint64_t id;                  /* never reused in a session */
    struct aic_str previous_text; /* what the agent said before, for the melody; may be empty */
};

struct aic_tts {
    uint32_t size;
    uint32_t reserved; /* 0 */

    /* Fills caps. [main] */
    int32_t (*capabilities)(void *self, struct aic_tts_caps *caps);
    /* Opens a session. `sink` is valid until `close` returns. [call] */
    int32_t (*open)(void *self, const struct aic_tts_open *params, const struct aic_tts_sink *sink,
                    void **session);
    /* Begins an utterance; `params` is borrowed. Without PARALLEL the one before is done. [call] */
    int32_t (*begin)(void *session, const struct aic_tts_utterance *params);
    /* Adds text. [call] */
    int32_t (*push_text)(void *session, uint64_t id, struct aic_str text);
    /* No more text: the rest is spoken, then DONE. [call] */
    int32_t (*end)(void *session, uint64_t id);
    /* Stops an utterance; `played_us` of it was heard (-1 unknown). The host drops what audio still
     * comes; one CANCELLED, DONE or ERROR ends it. [call] */
    int32_t (*cancel)(void *session, uint64_t id, int64_t played_us);
    /* Ends the session now; no event after this. Accepts NULL. [call] */
    void (*close)(void *session);

    /* Optional from here on. */

    /* Asks for everything so far to be spoken without waiting for more; FLUSHED follows. [call] */
    int32_t (*flush)(void *session, uint64_t id, uint64_t mark_id);
    /* How far the caller has heard an utterance, some times a second. [call] */
    int32_t (*progress)(void *session, uint64_t id, int64_t played_us);
    /* Opens connections ahead of a call. Best effort. [call] */
    void (*prewarm)(void *self);
    /* Asks the vendor whether key and voice work, without cost where possible; one event of id 0:
     * DONE, or ERROR. Ended by `close`. For `aicaller check --deep`, and in the
     * background before a provider that failed is used again. [call] */
    int32_t (*probe)(void *self, const struct aic_tts_sink *sink, void **session);
};

AIC_END_DECLS
#endif
