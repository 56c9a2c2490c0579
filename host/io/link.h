/* SPDX-License-Identifier: ISC */
#ifndef IO_LINK_H
#define IO_LINK_H
/*
 * A worker's line to the master, over a socket pair. The master knows which worker owns which call
 * and passes messages on without looking inside. With --single the same interface works inside one
 * process.
 *
 * A request is answered through its callback exactly once, never from inside of the function that
 * asks: by the other side, or with AIC_ERROR_TIMEOUT after 5 s, AIC_ERROR_NOT_FOUND where nobody
 * owns the call, AIC_ERROR_CLOSED when the other side died or this line ends, AIC_ERROR_BUSY when
 * too much is under way, AIC_ERROR_TOO_LARGE. A body may have LINK_BODY_BYTES, a call id, kind,
 * topic, nonce or bucket 128 bytes.
 *
 * When the master dies its workers are on their own: all requests end with AIC_ERROR_CLOSED,
 * `drain` is called, and the process listens to TERM and INT again, which it ignores otherwise.
 *
 * All of it is for the loop's thread. [call]
 */
#include <aicaller/abi.h>
#include <stdbool.h>

struct link;
struct loop;

enum { LINK_BODY_BYTES = 256 << 10 };

/* `answer` is JSON text, empty unless status is AIC_OK (but see link_take). */
typedef void (*link_reply)(void *data, int32_t status, struct aic_str answer);

/*
 * A request that came to this worker: answer it with link_answer, now or later, exactly once. Texts
 * are borrowed until the callback returns.
 *
 * The master itself asks, of any worker of the newest generation:
 *   "interrupted"  calls whose worker died: [{"call_id", "summary"}, ...], which nobody owns now.
 *                  AIC_OK means: they are mine. Claim those that go on; they are reported again if
 *                  this worker dies, the others are not.
 *   "spool.adopt"  {"spool": file} in state_dir/spool/, of a worker that is gone. AIC_OK: it is
 *                  mine until the file is gone; AIC_ERROR_NOT_FOUND: there is no such file;
 *                  AIC_ERROR_BUSY: a process still has it, ask later.
 */
struct link_request {
    uint64_t id;
    const char *call_id; /* "" = for any worker */
    const char *kind;    /* "hangup", "status" ... */
    struct aic_str body; /* JSON text */
};

/*
 * Something that happened in a call of this host. Numbers rise by one, mean the same in all workers
 * and never come again; where one is missing, news were lost. `call_id` NULL: nothing happened, but
 * what comes is behind this number.
 */
struct link_news {
    uint64_t number;
    const char *call_id;
    struct aic_str body;
};

/* What is NULL is ignored; a request then is answered with AIC_ERROR_UNSUPPORTED. */
struct link_handler {
    void (*request)(void *data, const struct link_request *request);
    void (*drain)(void *data);          /* replaced by a newer generation, or the master is gone */
    void (*stop_new_calls)(void *data); /* TERM: refuse new calls, serve the rest */
    void (*stop)(void *data);           /* end now */
    /* See link_publish. */
    void (*published)(void *data, const char *topic, struct aic_str body);
    /* See link_follow. */
    void (*news)(void *data, const struct link_news *news);
    void *data;
};

/* `fd` is the inherited socket, taken over; -1 makes a line that ends in this process. */
struct link *link_create(struct loop *loop, int fd, const struct link_handler *handler);
/* Answers what is still open with AIC_ERROR_CLOSED; a reply that gets this may not ask again. Not
 * from inside of a callback. Accepts NULL. */
void link_destroy(struct link *link);
/* Tells the master that this worker listens. */
void link_ready(struct link *link);
/* With --single: serves command lines on the socket of control_listen, which it takes over. */
int32_t link_listen(struct link *link, int fd);

/* Become the owner of a call: AIC_ERROR_CONFLICT when it has one that lives. */
void link_claim_call(struct link *link, const char *call_id, struct aic_str summary,
                     link_reply reply, void *data);
/* New summary for `aicaller calls` (JSON object). */
void link_update_call(struct link *link, const char *call_id, struct aic_str summary);
void link_release_call(struct link *link, const char *call_id);
/* Uses up a token's nonce: AIC_ERROR_CONFLICT when it was used before, AIC_ERROR_DENIED when it has
 * expired, AIC_ERROR_BUSY when more are remembered than there is room for. */
void link_use_token(struct link *link, const char *nonce, int64_t expires_wall_us, link_reply reply,
                    void *data);
/* Sends a request to the owner of a call; with call id "" to any worker, or to the master:
 * "calls.list", "workers.list", "version", "reload" (with --single the last three come to this
 * worker itself). */
void link_relay(struct link *link, const char *call_id, const char *kind, struct aic_str body,
                link_reply reply, void *data);
/* Answers a request that came in. */
void link_answer(struct link *link, uint64_t request_id, int32_t status, struct aic_str answer);
/* Every live call of this host: JSON array of {"call_id", "worker", ...summary}. */
void link_list_calls(struct link *link, link_reply reply, void *data);
/* Gives `body` to all workers of this host, this one included, and to subscribed command lines. One
 * that does not read loses messages, never holds up others. */
void link_publish(struct link *link, const char *topic, struct aic_str body);

/* From now on `news` is told what happens in calls, or no more. First comes one without a call. May
 * be said again, in case the master did not read it. */
void link_follow(struct link *link, bool follows);
/* Whether any worker or command line of this host wants news. */
bool link_is_followed(const struct link *link);
/* Gives news of a call to those who follow. */
void link_tell(struct link *link, const char *call_id, struct aic_str body);

/* What to take, from a bucket of `limit` per `window_ms`. */
struct link_bucket {
    const char *name;
    int64_t amount;
    int64_t limit;
    int64_t window_ms;
};

/* Takes from a bucket that all workers of this host share: AIC_ERROR_DENIED when it is empty; the
 * answer tells {"retry_after_ms"}. */
void link_take(struct link *link, const struct link_bucket *bucket, link_reply reply, void *data);

/* How many messages that have no answer (updates, releases, answers, topics) were lost because the
 * master did not read, or because they were too large. */
uint64_t link_dropped(const struct link *link);

#endif
