/* SPDX-License-Identifier: ISC */
#include "web/audit.h"
#include "web/recording.h"

#include <stdlib.h>

/* POST /calls/<id>/recording/pause/ and /resume/: by whichever worker has the call. */

static void pause_came(void *data, int32_t status, struct aic_str answer)
{
    struct held *held = data;
    (void)answer;
    if (!held_end(held)) {
        free(held);
        return;
    }
    if (status == AIC_OK) {
        (void)reply_json(held->exchange, 202, AIC_STR("{\"ok\":true}"));
    } else if (status == AIC_ERROR_NOT_FOUND) {
        (void)reply_problem(held->exchange, 404, "no-live-call", "No such call is live.");
    } else if (status == AIC_ERROR_CONFLICT) {
        (void)reply_problem(held->exchange, 409, "not-recorded", "This call is not recorded now.");
    } else {
        (void)reply_problem(held->exchange, 503, "no-answer",
                            "The call's worker does not answer now.");
    }
    free(held);
}

static int32_t post(struct web *web, const struct visit *visit, bool is_paused)
{
    struct held *held = malloc(sizeof(*held));
    char id[UUID_TEXT];
    if (!held) {
        return reply_problem(visit->exchange, 503, "memory", "Out of memory; try again.");
    }
    recording_call_id(visit->request->path, id);
    web_audit(web, web_actor(visit),
              &(struct web_deed){.action = is_paused ? "recording.pause" : "recording.resume",
                                 .object = id,
                                 .outcome = "allowed",
                                 .call_id = id});
    held_begin(held, web, visit->exchange);
    const struct calls_pause pause = {.is_paused = is_paused, .by = web_actor(visit)};
    calls_pause_recording(web->settings.calls, id, &pause, pause_came, held);
    return AIC_OK;
}

int32_t recording_post_pause(struct web *web, const struct visit *visit)
{
    return post(web, visit, true);
}

int32_t recording_post_resume(struct web *web, const struct visit *visit)
{
    return post(web, visit, false);
}
