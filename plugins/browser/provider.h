/* SPDX-License-Identifier: ISC */
#ifndef BROWSER_PROVIDER_H
#define BROWSER_PROVIDER_H
/*
 * What the files of this plugin share. A session is one WebSocket of a page; once the page has said
 * "start" it is a leg as well. It is freed when the socket is gone, the host has closed the leg and
 * the last event is out.
 */
#include "protocol.h"

#include <aicaller/aicaller.h>

enum { BROWSER_QUEUE_MAX_BYTES = 256 << 10 };

struct browser_provider {
    const struct aic_host *host;
    const struct aic_log_service *log;
    const struct aic_clock_service *clock;
    const struct aic_timer_service *timer;
    const struct aic_websocket_service *ws;
    const struct aic_route_service *route;
    const char *name; /* of the instance: part of the path */
    char path[200];
    bool has_route;
    const struct aic_telephony_sink *sink; /* NULL before `start` and after `stop` */
    struct browser_session *sessions;
    uint32_t waiting; /* sessions that have not said "start" */
};

enum browser_phase {
    BROWSER_WAITING, /* for "start" */
    BROWSER_TALKING,
    BROWSER_ENDING, /* MEDIA_STOP and STATUS come with the next turn of the loop */
    BROWSER_OVER    /* nothing more will be said of it */
};

/* A bucket that fills with time: what does not fit is dropped. */
struct browser_bucket {
    int64_t credit;
    int64_t refilled_us;
};

struct browser_session {
    struct browser_provider *provider;
    struct browser_session *next;
    struct aic_ws *ws; /* NULL before OPEN and after CLOSED */
    enum browser_phase phase;
    bool has_leg;                          /* the host holds it as a leg */
    bool is_attached;                      /* ... and took it */
    bool is_in_event;                      /* must not be freed yet */
    const struct aic_telephony_sink *sink; /* the leg's */
    struct aic_timer *timer;
    char call_id[BROWSER_NAME_MAX_BYTES + 1];
    int64_t start_us;
    int64_t end_us;
    int64_t alive_us; /* when the page was last heard */
    uint32_t cause;
    struct browser_bucket audio_bucket; /* in us of sound */
    struct browser_bucket words_bucket; /* in us of time */
    uint64_t mark_sent;
    uint64_t mark_answered;
    uint64_t bytes_in; /* of sound that was passed on */
    uint64_t bytes_out;
    uint64_t dropped_bytes; /* came faster than anybody can speak */
    uint64_t dropped_words; /* typed texts and digits, likewise */
    uint64_t dropped_notes; /* not shown: the page did not read */
    uint64_t ignored;       /* messages of unknown type, marks that nobody asked for */
};

/* page.c: takes what pages send. */
int32_t browser_page_accept(void *data, struct aic_exchange *exchange,
                            const struct aic_request *request, aic_ws_handler *event,
                            void **event_data);

/* session.c: what the two sides of a session share, and its end. */
int64_t browser_session_now(const struct browser_session *session);
void browser_log(const struct browser_provider *provider, uint32_t level, const char *text);
/* A session has one timer; it takes the place of the one before. */
void browser_session_set_timer(struct browser_session *session, int64_t deadline_us,
                               void (*fire)(void *data));
/* An event with the session's names in it, and its ways to the host. */
struct aic_telephony_event browser_session_event(struct browser_session *session, uint32_t kind);
void browser_session_tell_provider(struct browser_session *session,
                                   const struct aic_telephony_event *event);
void browser_session_tell_leg(struct browser_session *session,
                              const struct aic_telephony_event *event);
/* Sends a text to the page. */
int32_t browser_session_say(struct browser_session *session, const struct aic_buf *text);
/* Says good-bye to the page, if it is there. */
void browser_session_close_socket(struct browser_session *session, int32_t code,
                                  const char *reason);
/* Ends a session that has not ended: its media, if it has any, and its socket. */
void browser_session_end(struct browser_session *session, uint32_t cause, const char *reason);
/* Frees a session if all is done with it. */
void browser_session_settle(struct browser_session *session);
/* Takes a session out of its provider's list and frees it; drops its socket. */
void browser_session_free(struct browser_session *session);

/* telephony.c: the host's side. */
extern const struct aic_telephony browser_telephony;

#endif
