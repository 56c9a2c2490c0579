/* SPDX-License-Identifier: ISC */
#ifndef LOAD_TRACE_H
#define LOAD_TRACE_H
/*
 * When each thing happened in each turn of each call, and what was said: carrier and vendors are
 * one process with one clock. Whose turn a request is about is written into everything that the
 * server passes on: the callers' sound, its transcript, the model's answer, the voice's sound.
 */
#include "json.h"
#include "load/pump.h"

enum {
    SOUND_FRAME = 160, /* 20 ms of mu-law */
    SOUND_FRAME_US = 20000,
    VAD_FRAMES = 4, /* the server's own detector needs so many voiced frames */
    TRACE_CALLS_MAX = 4096,
    TRACE_TURNS_MAX = 256
};

enum vendor_kind { KIND_NOVA, KIND_FLUX };

/* Fixed times of the vendors, and what the callers do. */
struct plan {
    int calls;
    int turns;
    int server_port;
    enum vendor_kind kind;
    int64_t final_us;       /* from the end of speech to the recogniser's last word */
    int64_t eager_us;       /* ... to Flux' first guess; 0 = none */
    int64_t token_us;       /* the model */
    int64_t sound_us;       /* the voice */
    int64_t speech_us;      /* how long callers speak */
    int64_t answer_us;      /* how long the agent does */
    int barge_every;        /* so many-th turns interrupt; 0 = none */
    const char *token;      /* with which the carrier signs */
    const char *public_url; /* "https://voice.example.com" */
};

/* Times are 0 until it happens. */
struct trace {
    int64_t began_us;       /* the caller's first voiced frame was sent */
    int64_t vad_us;         /* the one with which the server's detector is sure */
    int64_t started_us;     /* the recogniser told of it */
    int64_t cleared_us;     /* "clear" came to the carrier */
    int64_t stopped_us;     /* the caller's last voiced frame was sent */
    int64_t heard_us;       /* it came to the recogniser */
    int64_t final_us;       /* the recogniser sent the end of the turn */
    int64_t asked_us;       /* the model was asked */
    int64_t token_us;       /* it began to answer */
    int64_t text_us;        /* the voice got text */
    int64_t sound_us;       /* it began to send sound */
    int64_t reached_us;     /* that came to the carrier */
    bool is_barge;          /* the caller spoke while the agent did */
    bool is_cut;            /* the agent's answer was interrupted */
    bool by_recogniser;     /* the interruption was told by it before the detector could */
    struct aic_buf spoken;  /* the voice's sound of the answer */
    struct aic_buf arrived; /* what came of it to the carrier */
};

struct traces {
    struct plan plan;
    struct trace *list;
    /* Sound of each caller: out of the carrier, into the recogniser. */
    struct aic_buf *said;
    struct aic_buf *heard;
    uint64_t requests; /* of all vendors */
    int64_t *late_us;  /* of our own timers */
    size_t late_count;
    size_t late_capacity;
    uint64_t strange; /* what nobody expected */
};

void traces_init(struct traces *traces, const struct plan *plan);
void traces_finish(struct traces *traces);
/* NULL for a call or turn that there is not. */
struct trace *traces_find(struct traces *traces, int call, int turn);
void traces_late(void *data, int64_t late_us);
/* Writes all figures as members of an object. */
void traces_report(struct traces *traces, struct aic_json_writer *w);

/* A frame of loud sound that says whose it is, and a frame of a quiet line. */
void sound_voice(uint8_t frame[SOUND_FRAME], int call, int turn, int number);
void sound_quiet(uint8_t frame[SOUND_FRAME], uint64_t number);
bool sound_is_voice(const uint8_t *frame);
/* Reads call and turn from the first bytes of a frame. */
void sound_read(const uint8_t *frame, int *call, int *turn);

/* Whose words these are: the last "call N turn M" in a text; false when there is none. */
bool words_read(struct aic_str text, int *call, int *turn);

#endif
