/* SPDX-License-Identifier: ISC */
#ifndef DEEPGRAM_LINE_H
#define DEEPGRAM_LINE_H
/*
 * The way of a session's sound to the vendor: a socket, the sound that nobody has settled yet, and
 * one new connection when a good one breaks, on which that sound is sent again. It keeps the
 * vendor's clock, which begins anew with each connection, in step with the session's.
 */
#include "problem.h"
#include "provider.h"
#include "ring.h"

struct deepgram_line_events {
    void *data;
    /* A connection is there: the first, or a new one after which `lost_us` of sound are missing. */
    void (*opened)(void *data, bool is_again, int64_t lost_us);
    void (*message)(void *data, struct aic_str text);
    /* Some seconds have passed. */
    void (*ticked)(void *data);
    /* The connection is lost for good; nothing follows. */
    void (*lost)(void *data, const struct speech_fault *fault);
    /* The end that was asked for; nothing follows. */
    void (*finished)(void *data);
    /* The line was closed and none of its functions runs any more: free it. */
    void (*gone)(void *data);
};

struct deepgram_line {
    struct deepgram_provider *provider;
    struct deepgram_line *next; /* of those that say goodbye, see provider */
    struct deepgram_line_events events;
    struct deepgram_ring ring;
    struct aic_format format;
    struct aic_buf url;
    struct aic_ws *ws;
    struct aic_timer *ticker;
    struct aic_timer *deadline; /* of the end */
    struct speech_fault fault;  /* what the vendor said before it closed; category 0: nothing */
    int64_t opened_us;
    int64_t sent_at_us; /* when sound was sent last */
    int64_t sent;       /* place in the session's sound that comes next */
    int64_t origin;     /* place at which this connection's clock stood at 0 */
    int64_t settled;    /* place before which nothing has to be heard again */
    int64_t skipped;    /* bytes that the ring forgot before they could be sent */
    int64_t used_bytes; /* of sound sent, all connections */
    int64_t used_us;    /* connected, without the present connection */
    size_t block_bytes; /* of one message; 0 = as the sound comes */
    bool is_open;
    bool was_open;
    bool has_sound; /* this connection got some */
    bool is_finishing;
    bool is_over; /* lost or finished */
    bool is_closed;
    int depth; /* of functions that run */
};

/* `url` is copied. Nothing is told before this returns; on failure nothing is left behind. */
int32_t deepgram_line_open(struct deepgram_line *line, struct deepgram_provider *provider,
                           struct aic_format format, struct aic_str url,
                           const struct deepgram_line_events *events);
/* Ends it: nothing but `gone` is told after this; before this returns, or later while the vendor is
 * told that no more sound comes. */
void deepgram_line_close(struct deepgram_line *line);
/* Ends the lines of a provider that say goodbye. */
void deepgram_lines_drop(struct deepgram_provider *provider);

/* AIC_ERROR_CLOSED when it is over. */
int32_t deepgram_line_push(struct deepgram_line *line, struct aic_str sound);
/* Sends a command after all sound so far. AIC_ERROR_CLOSED where there is no connection. */
int32_t deepgram_line_command(struct deepgram_line *line, struct aic_str text);
/* Sends what is left and asks the vendor for the rest of its results. */
int32_t deepgram_line_finish(struct deepgram_line *line);
/* The vendor has said what was left to say. */
void deepgram_line_is_done(struct deepgram_line *line);

/* The address that a new connection will use. */
void deepgram_line_readdress(struct deepgram_line *line, struct aic_str url);
/* The vendor's message makes no sense, or says that it gives up. */
void deepgram_line_break(struct deepgram_line *line, const struct speech_fault *fault);
/* Remembers what the vendor said, for when it closes. */
void deepgram_line_note(struct deepgram_line *line, const struct speech_fault *fault);
/* The session's time of the connection's time 0. */
int64_t deepgram_line_offset_us(const struct deepgram_line *line);
/* Sound before this time of the session need not be heard again. */
void deepgram_line_settle(struct deepgram_line *line, int64_t before_us);
int64_t deepgram_line_sound_us(const struct deepgram_line *line, int64_t bytes);
/* How long it has been connected in all. */
int64_t deepgram_line_connected_us(const struct deepgram_line *line);

#endif
