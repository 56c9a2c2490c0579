/* SPDX-License-Identifier: ISC */
#ifndef ELEVENLABS_SESSION_H
#define ELEVENLABS_SESSION_H
/*
 * A voice of one call and its utterances. Text is kept until an utterance is over; how it is spoken
 * is the transport's business: socket.c (all utterances in contexts of one socket) or stream.c (a
 * request for what has come so far, then the next). Where the socket can not be had, the session
 * goes on with requests.
 */
#include "aligner.h"
#include "problem.h"
#include "provider.h"
#include "speech-core/exchange.h"
#include "speech-core/samples.h"

enum { ELEVEN_PIECES_MAX = 256, ELEVEN_TEXT_MAX_BYTES = 30000 };

/* Text that was given at once: whole sentences. */
struct eleven_piece {
    size_t end;    /* in the utterance's text */
    int64_t chars; /* up to there, as the aligner counts */
    uint64_t mark_id;
    bool has_mark;
};

/* What the headers of an answer say. */
struct eleven_head {
    int64_t cost;           /* credits; -1 unknown */
    int64_t concurrent;     /* requests at this moment; -1 unknown */
    int64_t concurrent_max; /* that the plan allows; -1 unknown */
    char request_id[SPEECH_ID_BYTES];
    bool is_sound;
};

struct eleven_session;

struct eleven_utterance {
    struct eleven_utterance *next;
    struct eleven_session *session;
    uint64_t id;
    struct aic_buf text;
    struct aic_buf previous; /* said before it */
    struct eleven_piece pieces[ELEVEN_PIECES_MAX];
    size_t piece_count;
    size_t sent;        /* pieces that the vendor got */
    size_t asked;       /* stream.c: pieces before the present request's */
    size_t flushed;     /* pieces whose sound was delivered */
    uint64_t late_mark; /* of a flush that came after the sound */
    struct speech_samples samples;
    struct aic_timer *timer;
    void (*fire)(struct eleven_utterance *u);
    struct speech_exchange exchange; /* stream.c */
    struct eleven_head head;
    uint64_t sound_before; /* the present answer */
    int64_t credits;       /* reported by the vendor; 0 = it did not */
    bool is_ended;         /* no more text */
    bool is_cancelled;     /* the host waits for CANCELLED */
    bool is_told;          /* its last event was told */
    bool is_gone;          /* to be freed as soon as nothing runs */
    bool is_begun;         /* socket.c: its context is there */
    bool is_closed;        /* socket.c: its context was told to end */
    bool is_final;         /* socket.c: its context is over */
    bool was_quiet;
    struct eleven_aligner aligner;
};

struct eleven_session {
    const struct eleven_provider *provider;
    const struct aic_tts_sink *sink;
    struct eleven_request request;
    char *voice;
    char *language;
    struct eleven_utterance *first;
    uint32_t count;
    struct aic_ws *ws;
    struct aic_timer *keeper;     /* of the contexts' clocks */
    struct speech_fault fault;    /* what the vendor said before it closed; category 0: nothing */
    struct speech_exchange probe; /* probe.c */
    struct aic_buf decoded;       /* sound of one message */
    int64_t opened_us;            /* of the socket */
    bool is_socket;               /* else requests */
    bool is_open;                 /* the socket */
    bool is_closed;
    int depth; /* of functions that run */
};

/* NULL when out of memory. The caller sets the format. */
struct eleven_session *eleven_session_create(const struct eleven_provider *provider,
                                             const char *voice, const char *language,
                                             const struct aic_tts_sink *sink);
/* Nothing is told after this. */
void eleven_session_close(struct eleven_session *session);
/* AIC_ERROR_BUSY when there are too many. */
int32_t eleven_utterance_create(struct eleven_session *session, uint64_t id,
                                struct aic_str previous);

/* Frame every function that the host calls back; the session may be gone after `leave`. */
void eleven_enter(struct eleven_session *session);
void eleven_leave(struct eleven_session *session);

/* Events of an utterance that has not had its last. */
void eleven_tell(struct eleven_utterance *u, uint32_t kind, struct aic_tts_event event);
void eleven_tell_sound(struct eleven_utterance *u, struct aic_str sound);
/* The vendor has spoken the first `pieces` pieces. */
void eleven_flushed(struct eleven_utterance *u, size_t pieces);
/* DONE or CANCELLED, with usage. */
void eleven_done(struct eleven_utterance *u);
void eleven_cancelled(struct eleven_utterance *u);
/* ERROR, with usage. */
void eleven_fail(struct eleven_utterance *u, const struct speech_fault *fault);
/* ERROR for all utterances; of the session where there is none. */
void eleven_fail_all(struct eleven_session *session, const struct speech_fault *fault);
int64_t eleven_sound_us(const struct eleven_utterance *u);
/* Calls `fire` in so many ms instead of what was waited for. */
void eleven_wait(struct eleven_utterance *u, int64_t ms, void (*fire)(struct eleven_utterance *u));
void eleven_stop_waiting(struct eleven_utterance *u);

/* The last of a text that is too long to be sent again, from the begin of a word. */
struct aic_str eleven_tail(struct aic_str text);

/* The socket. AIC_OK also while it is being opened. */
int32_t eleven_socket_open(struct eleven_session *session);
/* Sends what has not been sent. */
void eleven_socket_pump(struct eleven_session *session);
void eleven_socket_close(struct eleven_session *session);

/* Requests. Starts one for the text that waits, if none is under way. */
int32_t eleven_stream_pump(struct eleven_utterance *u);

int32_t eleven_probe_start(struct eleven_session *session);

#endif
