/* SPDX-License-Identifier: ISC */
#ifndef AICALLER_STT_H
#define AICALLER_STT_H
/*
 * Role: speech to text. A session lives as long as a leg's audio. The host pushes every frame,
 * speech or not, and tells what its own voice detector thinks; the session tells what it hears.
 * When to answer is the host's decision: TURN_END is advice.
 *
 * Vendors mean three different things by "final", and some repeat the whole text while others send
 * what came on top. So every transcript says its scope, its text mode and its stability.
 */
#include <aicaller/abi.h>
#include <aicaller/audio.h>
#include <aicaller/error.h>
#include <aicaller/usage.h>

AIC_BEGIN_DECLS

#define AIC_STT "aicaller.stt/1"

enum {
    AIC_STT_STREAMING = 1u << 0,    /* transcripts while the caller speaks */
    AIC_STT_NEEDS_VAD = 1u << 1,    /* works on utterances that the host's detector cuts out */
    AIC_STT_INTERIM = 1u << 2,      /* sends PARTIAL transcripts */
    AIC_STT_NATIVE_TURNS = 1u << 3, /* decides ends of turns itself, better than silence can */
    AIC_STT_EAGER_TURNS = 1u << 4,  /* sends TURN_EAGER_END and TURN_RESUMED */
    AIC_STT_FINALIZE = 1u << 5,     /* `finalize` hastens what is pending */
    AIC_STT_VAD_EVENTS = 1u << 6,   /* sends SPEECH_STARTED */
    AIC_STT_CONFIDENCE = 1u << 7,   /* its confidences mean something */
    AIC_STT_WORD_TIMES = 1u << 8,
    AIC_STT_CONTINUOUS = 1u << 9,    /* needs audio all the time, silence included */
    AIC_STT_UPDATE_HINTS = 1u << 10, /* `update` takes new hints during the session */
    AIC_STT_LANGUAGES = 1u << 11     /* tells the language it heard */
};

struct aic_stt_caps {
    uint32_t size; /* set by the host; the plugin fills what fits */
    uint32_t flags;
    const struct aic_format *formats; /* accepted, best first; static data */
    uint32_t format_count;
    uint32_t format_size;       /* sizeof(struct aic_format) */
    int64_t max_session_us;     /* 0 = none; the host rotates sessions before */
    int64_t preferred_block_us; /* of audio per push; 0 = as it comes */
};

enum {
    AIC_STT_EVENT_NONE = 0,
    AIC_STT_EVENT_READY = 1,          /* connected; audio pushed before is not lost */
    AIC_STT_EVENT_SPEECH_STARTED = 2, /* a voice; may repeat, may be missing */
    AIC_STT_EVENT_TRANSCRIPT = 3,     /* text, see scope, text_mode and stability */
    AIC_STT_EVENT_TURN_EAGER_END = 4, /* probably done: a good moment to think ahead */
    AIC_STT_EVENT_TURN_RESUMED = 5,   /* not done after all; follows an eager end */
    AIC_STT_EVENT_TURN_END = 6,       /* done, as far as the recogniser can tell; once per turn */
    AIC_STT_EVENT_SPEECH_ENDED = 7,
    AIC_STT_EVENT_FINALIZED = 8, /* answers `finalize`; `id` repeats its id */
    AIC_STT_EVENT_UPDATED = 9,   /* answers `update` */
    AIC_STT_EVENT_REVISION = 10, /* better text for a finished turn (formatting, speaker) */
    AIC_STT_EVENT_USAGE = 11,
    AIC_STT_EVENT_WARNING = 12,     /* `error` tells; the session goes on */
    AIC_STT_EVENT_ERROR = 13,       /* `error` tells; by its scope the session is dead or not */
    AIC_STT_EVENT_RECONNECTED = 14, /* audio of `duration_us` may have been lost */
    AIC_STT_EVENT_CLOSED = 15       /* answers `finish`: everything pending was delivered */
};

/* What a transcript covers. */
enum {
    AIC_STT_SCOPE_NONE = 0,
    AIC_STT_SCOPE_SEGMENT = 1, /* a piece of the turn */
    AIC_STT_SCOPE_TURN = 2     /* the turn so far */
};

/* How it relates to earlier transcripts of the same scope. */
enum {
    AIC_STT_TEXT_NONE = 0,
    AIC_STT_TEXT_REPLACE = 1, /* instead of the last one of this segment or turn */
    AIC_STT_TEXT_APPEND = 2   /* comes after the finished segments of the turn */
};

enum {
    AIC_STT_STABILITY_NONE = 0,
    AIC_STT_PARTIAL = 1, /* may still change; an empty one tells that it listens */
    AIC_STT_EAGER = 2,   /* will not change unless the caller goes on */
    AIC_STT_FINAL = 3
};

enum { AIC_STT_FORMATTED = 1u << 0 /* punctuation and numerals are in place */ };

struct aic_stt_word {
    struct aic_str text;
    int64_t start_us; /* media time of the session */
    int64_t end_us;
    float confidence; /* 0 to 1; -1 unknown */
    int32_t speaker;  /* -1 unknown */
};

struct aic_stt_event {
    uint32_t size;
    uint32_t kind;
    uint64_t id;         /* the turn or utterance; FINALIZED: the finalize id */
    uint64_t segment_id; /* counts within the turn */
    uint32_t scope;
    uint32_t text_mode;
    uint32_t stability;
    uint32_t flags;
    struct aic_str text;
    struct aic_str language; /* BCP 47; empty unknown */
    float confidence;        /* of the text, or of the end of turn; 0 to 1; -1 unknown */
    int32_t channel;         /* 0 */
    int64_t start_us;        /* media time of the session; -1 unknown */
    int64_t end_us;          /* -1 unknown */
    int64_t duration_us;     /* with RECONNECTED */
    const struct aic_stt_word *words;
    uint32_t word_count;
    uint32_t word_size; /* sizeof(struct aic_stt_word) */
    const struct aic_error *error;
    const struct aic_usage *usage;
    struct aic_str vendor_id; /* the vendor's request id */
    struct aic_str ext;       /* JSON of what fits nowhere else; empty = none */
};

struct aic_stt_sink {
    uint32_t size;
    uint32_t reserved; /* 0 */
    void *impl;
    /* Takes one event; never called from inside an operation of the session, nor after `close`.
     * [call] */
    void (*event)(const struct aic_stt_sink *sink, const struct aic_stt_event *event);
};

struct aic_stt_open {
    uint32_t size;
    uint32_t reserved;           /* 0 */
    struct aic_format format;    /* one of the accepted ones */
    const char *call_id;         /* for logs and vendor tags */
    const char *language;        /* BCP 47, such as "en" or "en-IN"; "" = the provider's own */
    const struct aic_str *hints; /* words and phrases to expect */
    uint32_t hint_count;
    uint32_t hint_size;     /* sizeof(struct aic_str) */
    int64_t endpointing_ms; /* silence that ends a turn, where the vendor wants to be told; 0 */
};

/* The host's voice detector says that an utterance begins or ends; needed by NEEDS_VAD. */
enum { AIC_STT_UTTERANCE_NONE = 0, AIC_STT_UTTERANCE_BEGIN = 1, AIC_STT_UTTERANCE_END = 2 };

struct aic_stt {
    uint32_t size;
    uint32_t reserved; /* 0 */

    /* Fills caps->flags and formats. [main] */
    int32_t (*capabilities)(void *self, struct aic_stt_caps *caps);
    /* Opens a session. Audio may be pushed at once, before READY. `sink` is valid until `close`
     * returns; the rest of `params` is borrowed. [call] */
    int32_t (*open)(void *self, const struct aic_stt_open *params, const struct aic_stt_sink *sink,
                    void **session);
    /* Takes the next block. AIC_ERROR_BUSY: dropped, because the way to the vendor is full.
     * [call] */
    int32_t (*push_audio)(void *session, const struct aic_audio *audio);
    /* Ends the session now; no event after this. Accepts NULL. [call] */
    void (*close)(void *session);

    /* Optional from here on. */

    /* Utterance `id` begins at or ended before media time `at_us`; a begin may lie up to 500 ms
     * in the past, and the session keeps that much audio. TRANSCRIPT FINAL with this id, empty
     * where nothing was understood, and TURN_END follow an end. [call] */
    int32_t (*utterance)(void *session, uint32_t what, uint64_t id, int64_t at_us);
    /* Asks for what is pending to become final now; FINALIZED with `id` follows, but not surely.
     * [call] */
    int32_t (*finalize)(void *session, uint64_t id);
    /* New hints for the rest of the session. [call] */
    int32_t (*update_hints)(void *session, const struct aic_str *hints, uint32_t count,
                            uint32_t hint_size);
    /* No audio will come for a while (1) or comes again (0). [call] */
    int32_t (*pause)(void *session, uint32_t is_paused);
    /* No more audio: deliver what is pending, then CLOSED. [call] */
    int32_t (*finish)(void *session);
    /* Asks the vendor whether key and model work, without cost where possible; one event: CLOSED,
     * or ERROR. `sink` as with `open`; ended by `close`. For `aicaller check --deep`, and in the
     * background before a provider that failed is used again. [call] */
    int32_t (*probe)(void *self, const struct aic_stt_sink *sink, void **session);
    /* Opens connections ahead of a call. Best effort. [call] */
    void (*prewarm)(void *self);
};

AIC_END_DECLS
#endif
