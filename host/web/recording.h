/* SPDX-License-Identifier: ISC */
#ifndef WEB_RECORDING_H
#define WEB_RECORDING_H
/*
 * A request for the sound of a call: found in the storage, opened on the pool, then either sent
 * (recording_send.c) or looked at (recording_peaks.c). No more than RECORDING_REQUESTS at a time.
 */
#include "base/uuid.h"
#include "call/recordings.h"
#include "web/web_private.h"

enum { RECORDING_REQUESTS = 32, RECORDING_TAG = 80, RECORDING_PIECE = 128 << 10 };

/* Pictures that were made lately: the page of a call is often looked at again. */
enum { RECORDING_PICTURES = 8, RECORDING_PICTURE_BYTES = 256 << 10 };

struct recording_pictures {
    struct recording_picture {
        char tag[RECORDING_TAG]; /* of the file, as it was then */
        uint32_t per_second;
        struct aic_buf json;
    } list[RECORDING_PICTURES];

    size_t next; /* is forgotten first */
};

struct recording_request {
    struct held held;               /* first; until the answer has begun */
    struct recording_request *next; /* of all of them */
    struct web *web;                /* NULL: it has ended */
    struct sched *sched;
    struct sched_lane *lane;
    void (*opened)(struct recording_request *r); /* the file is open, or `status` says why not */
    const char *folder;
    char call_id[UUID_TEXT];
    char actor[API_KEY_NAME];
    char name[RECORDINGS_NAME]; /* of the file, in the folder of recordings */
    char tag[RECORDING_TAG];    /* its ETag, with quotes */
    int64_t part;               /* of a call that was recorded in several: counts from 1 */
    bool is_opus;
    int32_t status; /* of the pool's work */
    int fd;
    uint64_t bytes;

    /* recording_send.c */
    struct aic_exchange *stream; /* NULL: closed */
    uint64_t at;
    uint64_t left;
    char *piece;
    size_t piece_bytes; /* read and not yet sent */
    bool is_reading;
    bool is_told; /* in the audit */
    bool is_download;

    /* recording_peaks.c */
    uint32_t per_second;
    struct aic_buf peaks;
};

/* Begins, or answers why not. */
int32_t recording_begin(struct web *web, const struct visit *visit, bool is_picture,
                        void (*opened)(struct recording_request *r));
/* Closes the file and frees it; no job of the pool is on it. */
void recording_end(struct recording_request *r);
/* Into the audit: it was read. */
void recording_tell(struct recording_request *r, const char *action);

/* Accepts NULL. */
void recording_pictures_destroy(struct recording_pictures *pictures);

int32_t recording_get(struct web *web, const struct visit *visit);
int32_t recording_get_peaks(struct web *web, const struct visit *visit);
int32_t recording_post_pause(struct web *web, const struct visit *visit);
int32_t recording_post_resume(struct web *web, const struct visit *visit);
/* The id in a path of these. */
void recording_call_id(struct aic_str path, char id[UUID_TEXT]);

#endif
