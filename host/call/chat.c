/* SPDX-License-Identifier: ISC */
#include "call/calls_private.h"

#include "base/log.h"

#include <stdlib.h>
#include <string.h>

/* A conversation that nobody goes on with is ended after this time; sooner where the process waits
 * for it to be replaced. */
static const int64_t idle_us = 600 * INT64_C(1000000);
static const int64_t draining_idle_us = 20 * INT64_C(1000000);

static const struct aic_format spoken = {
    .codec = AIC_CODEC_PCM_S16LE, .rate_hz = 16000, .channels = 1};

struct chat_refusal {
    int32_t status;
    calls_chatted reply;
    void *data;
};

static void tell_refusal(void *data)
{
    struct chat_refusal *refusal = data;
    refusal->reply(refusal->data, refusal->status, "", AIC_STR(""), AIC_STR(""));
    free(refusal);
}

static void refuse(struct calls *calls, int32_t status, calls_chatted reply, void *data)
{
    struct chat_refusal *refusal = malloc(sizeof(*refusal));
    if (refusal) {
        *refusal = (struct chat_refusal){status, reply, data};
        (void)sched_post(calls->settings.sched, tell_refusal, refusal);
    }
}

static void is_idle(void *data)
{
    struct live *live = data;
    live->timer = NULL;
    call_end(live->call, "idle", false);
}

static void restart_idle_timer(struct live *live)
{
    struct sched *sched = live->calls->settings.sched;
    int64_t limit_us = live->calls->refuses ? draining_idle_us : idle_us;
    sched_timer_stop(sched, live->timer);
    live->timer = sched_timer_start(sched, sched_now(sched) + limit_us, is_idle, live);
}

void chat_hurry(struct calls *calls)
{
    for (struct live *live = calls->live; live; live = live->next) {
        if (live->is_chat && !live->is_over) {
            restart_idle_timer(live);
        }
    }
}

static struct live *begin(struct calls *calls, const char *name)
{
    const struct agent *agent = agents_find(calls->settings.agents, name);
    if (!agent || !calls_have_room(calls)) {
        return NULL;
    }
    const struct call_params params = {.agent = agent,
                                       .direction = AIC_DIRECTION_INBOUND,
                                       .provider = "text",
                                       .from = AIC_STR("text"),
                                       .is_text = true,
                                       .speak_in = spoken};
    struct live *live = calls_add(calls, &params);
    if (!live) {
        return NULL;
    }
    live->is_chat = true;
    call_start_text(live->call, false);
    calls_claim(calls, live);
    return live;
}

void calls_chat(struct calls *calls, const struct calls_line *line, calls_chatted reply, void *data)
{
    char id[UUID_TEXT];
    bool is_known = line->session.len > 0;
    (void)aic_str_copy(line->session, id, sizeof(id));
    struct live *live = is_known ? calls_find(calls, id) : begin(calls, line->agent);
    if (!live || !live->is_chat) {
        refuse(calls, is_known ? AIC_ERROR_NOT_FOUND : AIC_ERROR_BUSY, reply, data);
        return;
    }
    if (live->reply) {
        refuse(calls, AIC_ERROR_BUSY, reply, data);
        return;
    }
    live->reply = reply;
    live->reply_data = data;
    aic_buf_clear(&live->audio);
    restart_idle_timer(live);
    call_set_voice(live->call, line->with_voice);
    int32_t status = call_type(live->call, line->message);
    if (status != AIC_OK) {
        live->reply = NULL;
        refuse(calls, status, reply, data);
    }
}

void chat_replied(struct live *live, struct aic_str text)
{
    calls_chatted reply = live->reply;
    live->reply = NULL;
    if (reply) {
        reply(live->reply_data, AIC_OK, call_id(live->call), text, aic_buf_view(&live->audio));
    }
}

void chat_ended(struct live *live)
{
    calls_chatted reply = live->reply;
    live->reply = NULL;
    if (reply) {
        reply(live->reply_data, AIC_ERROR_CLOSED, call_id(live->call), AIC_STR(""), AIC_STR(""));
    }
}

bool calls_has_chat(const struct calls *calls, const char *session)
{
    const struct live *live = calls_find(calls, session);
    return live && live->is_chat;
}
