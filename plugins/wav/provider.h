/* SPDX-License-Identifier: ISC */
#ifndef WAV_PROVIDER_H
#define WAV_PROVIDER_H
/*
 * What the files of this plugin share. A call lives from `dial` until its last event is out and the
 * host has closed its leg; the provider outlives its `destroy` by the file that is still loading.
 */
#include "file.h"

#include <aicaller/aicaller.h>

/* One answer that `hangup` owes. */
struct wav_result {
    struct wav_result *next;
    uint64_t request_id;
};

struct wav_provider {
    const struct aic_host *host;
    const struct aic_log_service *log;
    const struct aic_clock_service *clock;
    const struct aic_timer_service *timer;
    const struct aic_pool_service *pool;
    char *folder; /* NULL = files come from anywhere */
    int64_t after_end_us;
    bool waits_for_agent;
    const struct aic_telephony_sink *sink; /* NULL before `start` and after `stop` */
    struct aic_lane *lane;
    bool lane_in_use;
    bool is_destroyed;
    struct wav_call *calls;
    uint32_t call_count;
    struct wav_result *results; /* newest first */
    struct aic_timer *result_timer;
};

enum wav_phase {
    WAV_LOADING, /* its file is on a pool thread */
    WAV_LIVE,
    WAV_ENDING, /* MEDIA_STOP and STATUS come with the next turn of the loop */
    WAV_OVER    /* nothing more will be said of it */
};

struct wav_call {
    struct wav_provider *provider;
    struct wav_call *next;
    enum wav_phase phase;
    bool is_forgotten; /* the provider stopped while it was loading */
    bool has_leg;      /* the host holds it as a leg */
    char *call_id;
    char *token;
    char *to;
    char id[24]; /* the provider_call_id */
    uint64_t request_id;
    int64_t limit_us; /* of the whole call; 0 = none */

    struct wav_file file;
    struct aic_buf why;
    int32_t load_status;

    const struct aic_telephony_sink *sink; /* the leg's, once attached */
    struct aic_timer *timer;
    int64_t start_us;
    int64_t end_us;
    uint32_t cause;
    size_t block_bytes;
    uint64_t blocks;      /* sent to the host */
    uint64_t late_blocks; /* of them more than a block's length after their time */
    int64_t worst_late_us;
    int64_t heard_us;     /* of audio that the host sent */
    int64_t sound_end_us; /* when the last of it that was not silence was over */
};

/* telephony.c */
extern const struct aic_telephony wav_telephony;
/* Frees a provider that nothing uses any more; else that happens later. */
void wav_provider_free(struct wav_provider *provider);

/* call.c: a call's way from the loaded file to its last status. */
void wav_call_answer(struct wav_call *call);
/* Ends a live call; its last events come with the next turn of the loop. */
void wav_call_end(struct wav_call *call, uint32_t cause);
/* Takes a call out of its provider's list and frees it. */
void wav_call_free(struct wav_call *call);
int32_t wav_leg_attach(void *leg, const struct aic_telephony_sink *sink);
int32_t wav_leg_send(void *leg, const struct aic_audio *audio);
int32_t wav_leg_hangup(void *leg);
void wav_leg_close(void *leg);

#endif
